/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that the module does not get, while everybody else does. */
#pragma once

#include <stdbool.h>

/* False under a sanitizer, whose allocator cannot be told to fail. */
bool memory_can_fail(void);
/* From now on no allocation of pam_k8sauth.so itself succeeds, or all do again; in this thread. */
void memory_fails(bool fails);
