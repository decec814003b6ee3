/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to `verify` (decision 22): which question is the same as an earlier one (verify_cache.c), who may ask
 * (consumer.c), and the way from a request to yes or no (verify.c).
 */
#pragma once

#include <sys/queue.h>

#include "session/login.h"

#define VERIFY_YES_MS	 30000
#define VERIFY_NO_MS	 10000
#define VERIFY_KEPT	 2048 /* answers of each kind: a flood of refusals pushes out no proof */
#define VERIFY_ASKED	 48   /* exchanges under way at once: a server takes 64, and logins come first */
#define VERIFY_ASKED_UID 8    /* of one uid that is not root */
#define VERIFY_ASKED_MORE 2   /* above both, for questions whose answer was yes lately */
#define VERIFY_KNOWN	 4096 /* so many of these are remembered */
#define VERIFY_KNOWN_MS	 600000
#define VERIFY_KEY_SIZE	 32
#define VERIFY_HASH	 1024

/* What an answer depends on. Two questions that differ in any of it are two: no answer is told to somebody else. */
struct verify_question {
	const struct caller *caller; /* and its uid */
	const char *mount;
	char *const *roles; /* NULL: any */
	const struct secret *credential;
};

struct verify_waiter {
	TAILQ_ENTRY(verify_waiter) link;
	struct verification *verification;
	struct wire_conn *conn;
};
TAILQ_HEAD(verify_waiters, verify_waiter);

enum verify_state {
	VERIFY_ASKING,
	VERIFY_YES,
	VERIFY_NO,
};

/* One question, while it is asked, and its answer as long as it counts. */
struct verification {
	struct verifier *verifier;
	struct verification *next; /* in the hash chain, if LISTED */
	TAILQ_ENTRY(verification) age;
	bool listed;
	enum verify_state state;
	unsigned char key[VERIFY_KEY_SIZE];
	uint64_t epoch;	    /* of what answers depend on, when it was asked */
	int64_t until;	    /* monotonic ms: an answer's end */
	char ref[REF_SIZE]; /* of the exchange */
	struct verify_waiters waiters;
};
TAILQ_HEAD(verifications, verification);

struct verifier {
	unsigned char secret[VERIFY_KEY_SIZE];
	struct verification *hash[VERIFY_HASH];
	struct verifications kept[2]; /* no, yes: the one that was used last is the last */
	unsigned n_kept[2];
	struct {
		unsigned char key[VERIFY_KEY_SIZE];
		int64_t until; /* monotonic ms; 0: none */
	} known[VERIFY_KNOWN]; /* by their keys: an older one that has the same place is forgotten */
	uint64_t forgotten;    /* how often all answers were dropped */
	uid_t asking[VERIFY_ASKED + VERIFY_ASKED_MORE];
	unsigned n_asking;
};

/* --- verify_cache.c -------------------------------------------------------------------------- */

struct verifier *verifier_new(void) NODISCARD;
/* When nothing is asked any more. */
void verifier_free(struct verifier *verifier);

/* False without memory. */
bool verify_key(const struct verifier *verifier, const struct verify_question *question,
    unsigned char ret[static VERIFY_KEY_SIZE]) NODISCARD;
/* What is known, or being asked, about KEY at EPOCH; NULL. An answer that does not count any more is dropped. */
struct verification *verify_find(struct verifier *verifier, const unsigned char *key, uint64_t epoch);
/* The question KEY, which verify_find does not know, is being asked from now on. NULL without memory. */
struct verification *verify_begin(
    struct verifier *verifier, const unsigned char *key, uint64_t epoch, const char *ref) NODISCARD;
/* It was answered at EPOCH: kept for MS, or dropped where MS is 0 or the epoch is another one. Nobody waits any more.
 */
void verify_end(struct verification *verification, bool yes, int64_t ms, uint64_t epoch);
/* Whether KEY's answer was yes within VERIFY_KNOWN_MS. It is no answer now: it tells who may ask when many do. */
bool verify_was_yes(const struct verifier *verifier, const unsigned char *key);
/* Drops it, asked or answered. Nobody waits any more. */
void verify_drop(struct verification *verification);

/* --- consumer.c ------------------------------------------------------------------------------ */

/*
 * Whether PEER may ask to verify for CALLER's service and user. If so, the roles that count in RET_ROLES (NULL: any),
 * where ONLY is room for one of CALLER's own; if not, WHY and what to do in REMEDY.
 */
struct consumer_verdict {
	bool allowed;
	char *const *roles;
	char *only[2];
	char why[256], remedy[256];
};
void consumer_judge(
    struct sessions *all, const struct wire_peer *peer, struct caller *caller, struct consumer_verdict *ret);
