/* SPDX-License-Identifier: Apache-2.0 */
/* The initialisation of a store. */
#pragma once

#include "vault/embedded/seal/seal.h"

/* What is handed out once, and never shown again. */
struct core_first {
	const struct secret *root_token;
	const struct secret *shares; /* of the unseal key, or of the recovery key: KEY_SHARE_LEN bytes each */
};

/*
 * A run of the call that initialises: keyring, mounts, policies, tokens, root token. 0 with *RET, which is the call's
 * state's; -EAGAIN; -EKEYREJECTED: the seal did not wrap the root key, the journal says why; other errno. After the
 * commit the core is unsealed, unless people keep the key.
 */
int core_initialise(struct call *call, const struct seal_shape *shape, const struct secret *root_token_id,
    struct core_first *ret) NODISCARD;
