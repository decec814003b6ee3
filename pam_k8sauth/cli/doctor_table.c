/* SPDX-License-Identifier: Apache-2.0 */
/* The table of findings, for the verb and for the manual. */
#include "cli/doctor.h"

const struct finding_info finding_table[FINDINGS] = {
#define FINDING(name, id, severity, meaning, remedy) [FINDING_##name] = { id, SEVERITY_##severity, meaning, remedy },
#include "cli/doctor_findings.def"
#undef FINDING
};
