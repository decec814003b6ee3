/* SPDX-License-Identifier: Apache-2.0 */
/* The token_ fields that every role has: of login methods, and of auth/token/roles (kubernetes-auth.md 2.2, 2.5). */
#pragma once

#include "vault/embedded/core.h"

/*
 * Puts the token_ fields of SENT (as call_fields gives it; brought into the form in which it is stored) into ROLE, and
 * checks them. TYPES: what token_type may be, NULL-terminated. FAULT_PREFIX: how faults of numbers begin. 0, 1 after a
 * refusal, -ENOMEM.
 */
int token_fields_set(
    struct call *call, json_t *role, json_t *sent, const char *const *types, const char *fault_prefix) NODISCARD;
/*
 * The deprecated names (OLD, NULL-terminated: "ttl" for "token_ttl"): the new name wins, the old one is kept where it
 * was used. 0 or -ENOMEM.
 */
int token_fields_set_old(struct call *call, json_t *role, const json_t *sent, const char *const *old) NODISCARD;
