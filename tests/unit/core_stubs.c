/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for engines that a tree may not have. */
#include "vault/embedded/core.h"

__attribute__((weak)) const struct engine kubernetes_engine = {
	.type = "kubernetes", .auth = true, .paths = (const struct engine_path[]){ { NULL } }
};
