/* SPDX-License-Identifier: Apache-2.0 */
/* Vault's limits for custom metadata, which secrets and aliases have. */
#pragma once

#include "vault/embedded/core.h"

/* METADATA: names and texts (null: of a patch). 0, or 1 after the answer STATUS with every error in it. */
int custom_metadata_check(struct call *call, const json_t *metadata, int status) NODISCARD;
