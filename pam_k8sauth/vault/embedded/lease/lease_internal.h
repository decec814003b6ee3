/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the leases share. */
#pragma once

#include <sys/queue.h>

#include "vault/embedded/auth_token/expiry_heap.h"
#include "vault/embedded/lease/lease.h"
#include "vault/embedded/nanotime.h"

#define LEASE_FOLDER	   "lease/"	       /* + ab/<62 digits>: the record */
#define LEASE_PATHS	   "lease-path/"       /* + id: finds leases by prefix */
#define LEASE_TOKENS	   "lease-token/"      /* + token/ab/<62 digits>: finds those of a token */
#define LEASE_IRREVOCABLE  "lease-irrevocable/" /* + <64 digits> */
#define LEASE_KEY_SIZE	   (PATH_LEN_MAX + 64) /* of any of these */
#define LEASE_PAUSE	   (10 * NANOTIME_SECOND)
#define LEASE_BATCH	   128		       /* leases that one step looks at */
#define LEASE_FAILED	   "failed to revoke entry: resp: (*logical.Response)(nil) err: %s" /* Vault's words */
#define LEASE_ATTEMPTS_MAX 6		       /* of a revocation, then it is marked */

/* A revocation under way. */
struct revocation;
/* ERROR: why LEASE could not be revoked, NULL: it is gone. */
typedef void lease_revoked_fn(void *arg, const char *error);

struct leases {
	struct core *core;
	struct expiry_heap heap; /* by the bytes of the hex */
	struct event *expiry_timer, *load_timer;
	LIST_HEAD(, revocation) revocations;
	LIST_HEAD(, lease_making) making; /* their secrets are not made yet */
	int64_t pause; /* ns before a second attempt, +/- 50 %; twice as long before each next one */
	size_t expiring; /* of these, those that expiry began */
	LIST_HEAD(, token_gone) gone;
	bool tidying; /* leases_tidy is at work */
	/* The load at the start: 256 folders, one after the other. */
	unsigned folder; /* 256: done */
	json_t *names;	 /* of the folder; NULL: not listed yet */
	size_t at;
};

/* --- record.c */

void lease_hex(const char *id, char ret[static LEASE_HEX_LEN + 1]);
void lease_bytes(const char *hex, unsigned char ret[static EXPIRY_KEY_LEN]);
/* The lease of HEX. 0 (the caller's), -ENOENT, -EAGAIN, -EIO, -ENOMEM. */
int lease_load(struct call *call, const char *hex, struct lease **ret) NODISCARD;
/* Writes its record. */
int lease_store(struct call *call, const struct lease *lease) NODISCARD;
/* Writes it with what finds it; removes all of it. */
int lease_store_new(struct call *call, const struct lease *lease) NODISCARD;
int lease_remove(struct call *call, const struct lease *lease) NODISCARD;
/* Notes that it cannot be revoked. */
int lease_mark(struct call *call, struct lease *lease, const char *error) NODISCARD;
/* Its mount; NULL: gone, or moved. */
struct mount *lease_mount(const struct core *core, const struct lease *lease);

/* --- expiry.c */

/* The lease of HEX is looked at again at AT, after ATTEMPTS that failed. */
void leases_expire_at(struct leases *leases, const char *hex, int64_t at, unsigned attempts);
/* The same when the call's writes are durable. 0 or -ENOMEM. */
int lease_expires(struct call *call, const struct lease *lease) NODISCARD;
void leases_arm_expiry(struct leases *leases);

/* --- issue.c */

/*
 * While the secret of the lease HEX, whose record is written already, is only being made, there is nothing that could be taken
 * back: -EAGAIN, and CALL, which revokes it, goes on when it is made. 0 otherwise.
 */
int lease_wait_made(struct call *call, const char *hex) NODISCARD;

/* --- revoke.c */

/*
 * Revokes the lease of HEX and tells REVOKED, later, from the loop; attached to a revocation that is under way. FORCE:
 * whatever its engine says. ATTEMPTS: how many have failed; -1: nobody asked for it but REVOKED, who hears of a failure.
 * -ENOMEM: nothing happens.
 */
int lease_revoke(struct leases *leases, const char *hex, bool force, int attempts, lease_revoked_fn *revoked, void *arg) NODISCARD;
/* Whether a revocation of the lease of HEX is under way. */
bool lease_is_being_revoked(struct leases *leases, const char *hex);
void leases_gone_stop(struct leases *leases);
