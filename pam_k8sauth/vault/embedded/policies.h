/* SPDX-License-Identifier: Apache-2.0 */
/* The policy store: sys/policy/<name> records, parsed copies, and the ACL of a token's policies
 * (vault-core.md 1.9, 1.13). */
#pragma once

#include "vault/embedded/acl.h"
#include "vault/embedded/core.h"

struct policies *policies_new(void) NODISCARD;
void policies_free(struct policies *policies);
/* What is cached: when it is sealed. */
void policies_forget(struct policies *policies);

/* At first unseal: writes the default policy if there is none. */
int policies_start(struct call *call) NODISCARD;

/*
 * The ACL of NAMES (array of strings) and of the policies of ENTITY (identity.h; may be NULL), cached until a policy or
 * the entity changes. Unknown names are skipped. 0, -EAGAIN, -errno.
 * *RET is a reference of the caller's: acl_free.
 */
int policies_acl(struct call *call, const json_t *names, const json_t *entity, struct acl **ret) NODISCARD;

/* Whether there is a policy of NAME (root and the built-in ones too). 0, -EAGAIN, -errno. */
int policies_has(struct call *call, const char *name, bool *ret) NODISCARD;

/* Handlers of sys/policies/acl[/name], sys/policy[/name] and sys/capabilities for the sys engine's table. */
engine_handler policies_list, policies_read, policies_write, policies_delete;
engine_handler policies_legacy_list, policies_legacy_read, policies_legacy_write;
engine_handler capabilities_self, capabilities_of_token, capabilities_of_accessor, resultant_acl;
