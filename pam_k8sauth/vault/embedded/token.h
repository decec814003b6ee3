/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: made at login, looked up at every request, renewed, revoked, expired (vault-core.md 3, vault-1.21.4.md). */
#pragma once

#include "vault/embedded/acl.h"
#include "vault/embedded/core.h"

#define TOKEN_ID_LEN	   28 /* "hvs." + 24 base62: the internal id */
#define TOKEN_SIGNED_LEN   95 /* as handed out: "hvs." + base64url of the signed form (vault-core.md 3.1) */
#define TOKEN_ACCESSOR_LEN 24

/*
 * An entry, as it is stored (never with the id in clear; decision 2). The caller of token_lookup owns it: token_free;
 * call->token is freed by the router with the call. Times are unix nanoseconds, as Vault shows them; lives are seconds.
 */
struct token {
	char
	    salted[66]; /* "h" + 64 hex digits, the key: an HMAC of the accessor, which is an HMAC of the internal id */
	char parent[66]; /* the key of the token that made it; "" for an orphan */
	char accessor[TOKEN_ACCESSOR_LEN + 1];
	json_t *policies; /* array, sorted */
	char *path;	  /* creation path */
	json_t *meta;	  /* object or NULL */
	json_t *internal; /* the login engine's */
	char *entity_id;  /* "" for none */
	char *display_name;
	char mount[37];					/* uuid of the login mount; "" for root */
	long long num_uses, minted_uses;		/* 0: unlimited; -1: this request is the last one */
	int64_t creation_time, last_renewal;		/* last_renewal 0 if never */
	int64_t ttl, max_ttl, explicit_max_ttl, period; /* seconds */
	int64_t expire_time;				/* 0: never (root only) */
	json_t *bound_cidrs;
	int64_t granted_ttl; /* by the last renewal; 0 before the first */
	char *type;	     /* "service", or "batch": sealed into what is handed out, no record (batch.c) */
	char *role;	     /* of auth/token/roles; NULL: made without one */
	bool orphan, renewable, root;
	bool orphaned;	   /* it had a parent; renewals go on saying so, as Vault's do */
	bool has_children; /* it made tokens: some of them may still live */
	bool has_leases;   /* it was given secrets with a lease: likewise */
};

void token_free(struct token *token);

/*
 * Who counts as one client: the entity, else a digest of the policies. Vault's telemetry made this up; auditors join
 * by it. The caller frees it. NULL without memory.
 */
char *token_client_id(const struct token *token) NODISCARD;

/* At unseal, before the first request: reads or makes the keys; expiry is loaded in the background after it. */
int tokens_start(struct call *call) NODISCARD;
struct tokens *tokens_new(struct core *core) NODISCARD;
void tokens_free(struct tokens *tokens);
/* Living tokens with an end that are known: after a start all are, when the pass over them is through. */
size_t tokens_count(const struct tokens *tokens);
/* When it is sealed: as new. */
void tokens_forget(struct tokens *tokens);

/*
 * The entry of a presented token. 0; -ENOENT (unknown, expired, bad signature: 403); -EAGAIN. Counts nothing.
 * Bound CIDRs and expiry are checked here (-EACCES where the address does not match).
 */
int token_lookup(struct call *call, const struct secret *presented, struct token **ret) NODISCARD;

/*
 * What TOKEN may do: the ACL of its policies and of its entity's, and the entity (NULL for none). Both are references
 * of the caller's. 0; -EACCES (the entity is disabled or gone); -EAGAIN; -errno.
 */
int token_acl(struct call *call, const struct token *token, json_t **ret_entity, struct acl **ret) NODISCARD;

/* The valid token of an id that a request names; of an accessor. 0 (the caller's), -ENOENT, -EAGAIN, -errno. */
int token_find(struct call *call, const char *presented, struct token **ret) NODISCARD;
int token_find_accessor(struct call *call, const char *accessor, struct token **ret) NODISCARD;

/* The internal id inside of the signed form PRESENTED, whose signature is not looked at; false where it is none. */
bool token_inner_id(const char *presented, size_t len, char ret[static TOKEN_ID_LEN]);

/* The policies of TOKEN and MORE (an array) as one sorted list. NULL without memory. */
json_t *token_all_policies(const struct token *token, const json_t *more) NODISCARD;

/* num_uses: called by the router once per authenticated request; the write joins the call's. */
int token_use(struct call *call, struct token *token) NODISCARD;

/*
 * Mints the token of call->auth (kubernetes-auth.md 3.7: policies, TTLs, warnings) and puts response->auth. 0, 1 after
 * an error response (`auth methods cannot create root tokens`, ...), -EAGAIN, -errno.
 */
int token_create_login(struct call *call) NODISCARD;
/* The same login without its token (VAULT_VERIFY): 0 or 1. Writes nothing. */
int token_verify_login(struct call *call) NODISCARD;

/* A root token with a given id (dev) or a new one (init): *RET is what to hand out. */
int token_create_root(struct call *call, const struct secret *id, struct secret **ret) NODISCARD;

/*
 * Revokes TOKEN and all that descend from it: its own record with the call's writes, the others after them in batches
 * of their own, which the call's reply waits for (revoke.c).
 */
int token_revoke(struct call *call, const struct token *token) NODISCARD;

/*
 * Revokes all tokens of a login mount with their trees, after the commit of CALL, which removes the mount; the reply
 * waits for it. It takes call->state. 0, -EAGAIN, -errno.
 */
int tokens_revoke_mount(struct call *call, const struct mount *mount) NODISCARD;

/*
 * Revokes tokens issued before now whose meta has a k8sauth_session that KEEP refuses (orphans of a former life;
 * decision 21), in batches of its own. KEEP is called with the session id, later, from the loop, and answers at once;
 * ARG must live as long as CORE.
 */
void tokens_revoke_orphans(struct core *core, bool (*keep)(void *arg, const char *session_id), void *arg);

/* The engine at auth/token/. */
extern const struct engine token_engine;
