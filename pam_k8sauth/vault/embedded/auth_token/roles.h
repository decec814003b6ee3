/* SPDX-License-Identifier: Apache-2.0 */
/* Roles of auth/token: their records and handlers. A record is what read shows, deprecated names included. */
#pragma once

#include "vault/embedded/token.h"

extern const struct engine_field token_role_fields[];

engine_handler token_role_list, token_role_read, token_role_write, token_role_delete;
int token_role_exists(struct call *call);
/* The engine's renew: period and explicit maximum as the token's role has them now. */
int token_role_renew(struct call *call, struct token *token);

/* The role NAME of the token mount, which the call must be of. 0 with *RET (the caller's), -ENOENT, -EAGAIN, -EIO. */
int token_role_get(struct call *call, const char *name, json_t **ret) NODISCARD;
