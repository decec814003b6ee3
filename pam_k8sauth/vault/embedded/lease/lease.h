/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases of secrets that engines make (vault-core.md 3.6): kept with the secret's path and what the engine needs to
 * take it back, renewed, revoked at their end, with their token, by id or by prefix. Tokens have no lease records: see
 * auth_token/leases.c.
 */
#pragma once

#include "vault/embedded/core.h"

#define LEASE_HEX_LEN 64 /* of SHA-256 of the id: what a record is found by */

struct lease {
	char *id;		     /* "database/creds/ro/<24 base62>" */
	char hex[LEASE_HEX_LEN + 1]; /* of ID */
	char mount[37];		     /* uuid of the engine's mount */
	char token[LEASE_HEX_LEN + 1]; /* key of the token that asked, without its "h"; "": a batch token, or the daemon */
	json_t *internal;	     /* the engine's; object or NULL */
	int64_t issue_time, expire_time, last_renewal; /* unix ns; last_renewal 0 if never */
	int64_t ttl, max_ttl;	     /* seconds, as granted last, and as the engine said; max_ttl 0: the mount's */
	bool renewable;
	char *revoke_error; /* it cannot be revoked, and why; NULL */
	/* For an engine's lease_revoke: its memory between the runs of one revocation. */
	void *state;
	void (*state_free)(void *state);
};

/*
 * Gives the reply of CALL, an engine's handler, a lease, with the call's writes: before the reply goes out it is
 * durable. INTERNAL (borrowed; object or NULL) is for lease_renew and lease_revoke. TTL and MAX_TTL as the role says, 0
 * for the mount's. What is made elsewhere is best made by a hook of the commit (call_on_commit, call_hold), so that
 * there is never a secret without its lease. 0, 1 after a refusal, -EAGAIN, -errno.
 */
int lease_issue(struct call *call, const json_t *internal, int64_t ttl, int64_t max_ttl, bool renewable) NODISCARD;

void lease_free(struct lease *lease);
static inline void cleanup_lease(struct lease **lease)
{
	lease_free(*lease);
}
#define AUTO_LEASE CLEANUP(cleanup_lease)

/* --- for sys/leases */

/* The lease of ID. 0 (the caller's), -ENOENT, -EAGAIN, -errno. */
int lease_find(struct call *call, const char *id, struct lease **ret) NODISCARD;
bool lease_has_ended(const struct lease *lease);
/* Answers sys/leases/renew. */
int lease_renew(struct call *call, struct lease *lease, int64_t increment) NODISCARD;
/* LEASE ends now: it is revoked when the call's writes are durable. 0, -EAGAIN, -errno. */
int lease_end(struct call *call, struct lease *lease) NODISCARD;

/* Leases that CALL revokes; in call->state between its runs. */
struct lease_revoking;

/*
 * Revokes the leases of IDS (an array; taken over; read in the first run of CALL only). FORCE: they are forgotten even
 * if their engine refuses. 0 when all are gone, 1 where one could not be revoked (*RET_ERROR says why, in Vault's words
 * for ids of a PREFIX, or for one; the call's), -EAGAIN (return it), -errno.
 */
int leases_revoke_all(struct call *call, json_t *ids, bool prefix, bool force, const char **ret_error) NODISCARD;
/* Whether call->state is of leases_revoke_all: IDS need not be made again. */
bool leases_are_revoking(const struct call *call);
/* All are gone: call->state, if it is of leases_revoke_all, is free for another. */
void leases_revoking_end(struct call *call);

/* The ids of all leases below PREFIX (ends in '/'), or below MAX of them. 0 (*RET is the caller's), -EAGAIN, -errno. */
int leases_below(struct call *call, const char *prefix, json_t **ret) NODISCARD;
/* The names right below PREFIX ("" or ends in '/'); folders end in '/'. As leases_below. */
int leases_names(struct call *call, const char *prefix, json_t **ret) NODISCARD;
/* {"id", "mount" (accessor), "error"} of each lease that cannot be revoked, as leases_below. */
int leases_irrevocable_all(struct call *call, json_t **ret) NODISCARD;

/* --- for tokens */

/* The token of HEX is gone: its leases end. */
void leases_token_gone(struct core *core, const char *hex);

/* --- for the core */

struct leases;
struct leases *leases_new(struct core *core) NODISCARD;
void leases_free(struct leases *leases);
/* Sealed: what was read is forgotten. */
void leases_forget(struct leases *leases);
/* At unseal: expiry is loaded in the background after it. 0 or -ENOMEM. */
int leases_start(struct leases *leases) NODISCARD;
/* Living ones that are known: after a start all are, when they are loaded. */
size_t leases_count_known(const struct leases *leases);
