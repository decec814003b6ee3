/* SPDX-License-Identifier: Apache-2.0 */
/* Situations, entry points, and what PAM is told (decision 23): the one place where a result becomes a PAM code. */
#pragma once

enum phase {
	PHASE_AUTH,
	PHASE_CRED,
	PHASE_ACCOUNT,
	PHASE_OPEN,
	PHASE_CLOSE,
	PHASE_PASSWORD,
	N_PHASES,
};

enum situation {
#define CODE(situation, ...) SITUATION_##situation,
#include "module/codes.def"
#undef CODE
	N_SITUATIONS,
};

/* The PAM code of codes.def; PAM_SYSTEM_ERR where the table says that it cannot happen. */
int module_code(enum phase phase, enum situation situation);

/* "authenticate", "open_session": for log lines. */
const char *phase_name(enum phase phase);
