/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the quotas share. */
#pragma once

#include "vault/embedded/core_internal.h"
#include "vault/embedded/quota/limiter.h"
#include "vault/embedded/quota/quota.h"

#define QUOTAS_MAX 256

/* The record: { "rules": { NAME: {path, role, rate, interval, block_interval} }, "config": {...} }. */
#define QUOTAS_KEY "sys/quotas"

enum rule_kind { /* the later one decides */
	RULE_GLOBAL,
	RULE_MOUNT, /* the path ends in '/' */
	RULE_GLOB,  /* ... in '*'; the longest decides */
	RULE_PATH,
	RULE_ROLE, /* of the auth method at the path */
};

struct rule {
	enum rule_kind kind;
	const char *name;	 /* of the record */
	const char *path, *role; /* of VALUE */
	size_t path_len;	 /* RULE_GLOB: without the '*' */
	json_t *value;
	struct limiter *limiter;
};

struct quotas {
	json_t *record; /* what is in force */
	struct rule *rules;
	size_t n;
	bool has_roles;
	const json_t *exempt[2]; /* lists of paths, of RECORD or the built-in one */
	bool headers, logged;	 /* config: shown, audited */
};

/* A record without any rule; NULL without memory. */
json_t *quotas_empty(void) NODISCARD;
/* The record, for CALL to change: its own copy. 0, -EAGAIN, -errno. */
int quotas_get(struct call *call, json_t **ret) NODISCARD;
/* Writes RECORD (taken over), which is in force when that is durable. 0, -ENOMEM... */
int quotas_put(struct call *call, json_t *record) NODISCARD;
/* The configuration of RECORD. Borrowed. */
json_t *quotas_config(const json_t *record);
/* The rule that decides about PATH of MOUNT (may be NULL) with ROLE (may be NULL); NULL: none. */
struct rule *quotas_find(const struct quotas *quotas, const struct mount *mount, const char *path, const char *role);
/* Whether there is a rule for a role of MOUNT. */
bool quotas_ask_role(const struct quotas *quotas, const struct mount *mount);
/* Whether PATH is one that is never counted. */
bool quotas_exempt(const struct quotas *quotas, const char *path);
