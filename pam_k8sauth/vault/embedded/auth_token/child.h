/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens made by tokens: what auth/token/create asks for, and the rules about it (vault-core.md 3.4, vault-1.21.4.md).
 * The rules' functions answer 0, 1 after a refusal, or a negative errno.
 */
#pragma once

#include "vault/embedded/auth_token/tokens.h"

/* The body of a create; texts are the call's, "" where a field is absent. */
struct child_request {
	const char *id, *ttl, *lease, *explicit_max_ttl, *period, *display_name, *type, *entity_alias;
	json_t *policies; /* array of strings, or NULL */
	json_t *meta;	  /* object of strings, or NULL */
	bool no_parent, no_default_policy, renewable;
	long long num_uses;
};

/* RET->policies and RET->meta are the caller's: child_request_clear. */
int child_request_read(struct call *call, struct child_request *ret) NODISCARD;
void child_request_clear(struct child_request *request);

/* A token on its way. */
struct child {
	struct call *call;
	struct child_request request;
	const struct token *parent; /* the caller's */
	struct token *token;
	json_t *role;	/* NULL: without one */
	json_t *entity; /* of the alias that was asked for; NULL */
	bool sudo, orphan, batch;
};

/* --- child_policies.c */
int child_set_policies(struct child *child) NODISCARD;

/* --- child_times.c */

/* Refuses what a batch token cannot have. */
int child_check_batch(const struct child *child) NODISCARD;
/* Lives, limits of renewal, the end. */
int child_set_times(struct child *child) NODISCARD;

/* A 400 with TEXT: 1. */
int child_refuse(const struct child *child, const char *text);
