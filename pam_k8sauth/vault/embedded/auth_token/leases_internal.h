/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of sys/leases share. */
#pragma once

#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/leases.h"

/* Whether TOKEN has a lease: the first root token has none, and what has ended none any more. */
bool lease_of_token(struct core *core, const struct token *token);
/* The token of lease ID. 0, -ENOENT, -EAGAIN, -errno. The caller owns *RET. */
int token_lease_find(struct call *call, const char *id, struct token **ret) NODISCARD;
/* SYNC: what the request's field says. Without it Vault does it later; here it is done before either answer. */
int lease_answer_revoked(struct call *call, bool sync);
