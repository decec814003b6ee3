/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: the sessions in memory, and the room's inner calls. */
#pragma once

#include <stdint.h>
#include <event2/event.h>

#include <k8sauth/limits.h>

#include "base/deadline.h"
#include "base/log.h"
#include "session/blocks.h"
#include "session/session.h"
#include "session/table.h"

#define LOGIN_TOTAL_MS (PAM_LOGIN_MS - 2000) /* the daemon answers before the module gives up */
#define OPEN_TOTAL_MS  (PAM_OPEN_MS - 2000)
#define EXPORT_MS      (OPEN_TOTAL_MS - HELPER_CALL_MS - 1000) /* what is not read by then is skipped */
#define CLOSE_TOTAL_MS 6000
#define ENV_TOTAL_MAX  (128 * 1024) /* bytes of the variables of export blocks: execve has its limits */

/* One of ours from login to end. It is in SESSIONS' hash from its first moment, so that its token is never an orphan.
 */
struct session {
	struct sessions *all;
	struct session *next; /* in the hash chain */
	unsigned slot;
	struct session_record record;
	struct event *timer; /* what is due next, by state */
	int pidfd;	     /* of the leader; -1: looked at every few seconds */
	struct event *leader_event;
	bool polled;
	bool renewing;
	bool opening; /* this daemon opens it */
	/* its files are written again (refresh.c), it logs in again (relogin.c) */
	bool refreshing;
	int64_t refresh_at; /* not before; monotonic ms */
	struct relogin *relogin;
	/* ending */
	bool files_gone, token_gone, removing, revoking;
	int retry_ms;
	struct close_waiter *waiters;
	struct ending *ending;	   /* of its processes */
	int32_t closer;		   /* pid that closes it, 0 unknown */
	struct rotation *rotation; /* NULL: its secrets are not looked at again */
	struct block_lease *leases;
};

struct rate_bucket {
	uint64_t key;
	int64_t window; /* monotonic ms when counting began */
	uint32_t failures;
	int64_t asked; /* monotonic ms of the last question, once there are too many */
};
#define RATE_BUCKETS 2048

struct uid_bucket {
	uid_t uid;
	int64_t window; /* monotonic ms when counting began */
	uint32_t count;
};
#define UID_BUCKETS 256

/* Refusals that the trail is told of: who causes many of one kind pushes out none of another. */
enum trail_kind {
	TRAIL_LOGINS,	/* asked by root's programs, as the next two */
	TRAIL_CHECKS,	/* which a user starts again and again */
	TRAIL_VERIFIES, /* which may be asked from the net */
	TRAIL_OTHERS,	/* asked by anybody */
	TRAIL_KINDS,
};
struct trail_limit {
	struct log_limit limit;
	uint64_t left_out; /* since the last one that was told */
};

struct said_bucket {
	uint64_t key;
	int64_t at; /* monotonic ms, 0: never */
};
#define SAID_BUCKETS 256

#define REFUSALS 4096
struct refusal_ring {
	struct refusal entries[REFUSALS];
	unsigned next;
};

/*
 * Tickets that were presented of late. Clients repeat an answer by themselves (keyboard-interactive, then password),
 * and a repeat is no theft (decision 15). Ours is no view of connections: the same ticket for the same user from the
 * same remote host within a minute is a repeat, unless a session was opened with it. A flood pushes entries out: then a
 * repeat raises an alarm, but no second use goes without.
 */
#define TICKETS_REMEMBERED 256
#define TICKET_MAC_SIZE	   32
struct ticket_memory {
	struct ticket_entry {
		unsigned char mac[TICKET_MAC_SIZE]; /* HMAC-SHA-256 of ticket, user and remote host */
		int64_t until;			    /* monotonic ms, 0: free */
		char ref[REF_SIZE];		    /* of the first time */
		char session[SESSION_ID_LEN + 1];
	} entries[TICKETS_REMEMBERED];
	unsigned next;
	unsigned char key[TICKET_MAC_SIZE];
};

#define HASH_SIZE 8192
struct sessions {
	struct sessions_options options;
	char *helper_socket;
	struct table *table;
	char boot_id[BOOT_ID_SIZE];
	unsigned refs; /* the owner and every flow that waits for an answer */
	bool closing;  /* the owner has left: nothing may be sent any more */
	bool sweeping; /* the helper is asked for its folders */
	struct session *hash[HASH_SIZE];
	size_t count;
	struct event *leader_poll; /* for leaders without pidfd */
	struct event *sweep_timer;
	struct refusal_ring
	    *refusals; /* what root's programs asked, and what others did: these push none of those out */
	struct log_limit verify_lines;
	struct trail_limit told[TRAIL_KINDS];
	struct rate_bucket *buckets;
	uint64_t rate_seed;
	struct ticket_memory tickets;
	struct verifier *verifier;
	uint32_t *consumer_uids; /* of the consumer blocks, as /etc/passwd has them; NULL: not looked up yet */
	int64_t consumer_uids_until;
	struct uid_bucket lookups[UID_BUCKETS], verifies[UID_BUCKETS], known_verifies[UID_BUCKETS];
	struct said_bucket said[SAID_BUCKETS];
	struct late_reply *late; /* answers that wait their second */
	char **prefixes;	 /* of the clusters, NULL-terminated */
	struct {
		unsigned running;
		bool starting;
		struct rotation *first, **last; /* whose time has come while enough are running */
		int64_t outage_said;		/* monotonic ms */
	} rotations;
	struct get *gets;	      /* under way */
	struct recheck_clock *clocks; /* of each cluster */
	struct recheck *rechecks;     /* under way, and waiting */
};

/* Who asks, for texts and comparisons. */
struct caller {
	char ref[REF_SIZE];
	char user[ACCOUNT_NAME_SIZE], service[64], rhost[64], tty[64];
	char role[128];
	uid_t uid;	  /* of the process that asks to verify; 0 for what only root may ask */
	bool quiet;	  /* one like it was refused of late: the journal has that */
	bool told;	  /* the backend has refused it: the trail has that */
	bool remembered;  /* the answer is one of before, under REF */
	char session[SESSION_ID_LEN + 1]; /* that it is for; "" where there is none yet */
	const char *path, *capability;	  /* what the gate is asked for; NULL: a live session */
	const char *hint; /* what the user is told besides a refusal's reference; NULL: nothing */
};

struct sessions *sessions_ref(struct sessions *all);
void sessions_unref(struct sessions *all);

/* --- sessions.c ------------------------------------------------------------------------------ */

/* FNV-1a. */
uint32_t text_hash(const char *text);
/* A new session in state SESSION_LOGIN with its slot and id; NULL: the table is full or no memory. */
struct session *session_new(struct sessions *all) NODISCARD;
/* Frees SESSION and its slot: there is nothing left of it. */
void session_drop(struct session *session);
struct session *session_find(struct sessions *all, const char *id);
/* Writes SESSION's record. */
int session_save(struct session *session, const struct session_secrets *secrets) NODISCARD;
/* Its token, NULL where there is none. The caller frees it. */
struct secret *session_token(const struct session *session);
/* A PENDING session by its handle, compared in constant time; NULL. */
struct session *session_by_handle(struct sessions *all, const struct secret *handle);
/* The cluster whose prefix USER has; NULL: no name of ours. */
const struct cluster_config *sessions_cluster(const struct sessions *all, const char *user);
/* The same, or the first cluster to whose service accounts the local account USER is opened. */
const struct cluster_config *sessions_login_cluster(const struct sessions *all, const char *user);
/* Whether USER is the account with this UID. */
bool sessions_user_is(const struct sessions *all, const char *user, uid_t uid);
const struct service_config *sessions_service(const struct sessions *all, const char *name);
/* A login whose account is not settled (uid 0) is not there yet, for anybody. */
bool session_settled(const struct session *session);
/* Whether UID may see SESSION: root sees all. */
bool session_visible(const struct session *session, uid_t uid);
/* -EACCES and -ENOENT as session.h says: who may not see it learns not even whether it is there. */
int session_for(struct sessions *all, uid_t uid, const char *id, struct session **ret) NODISCARD;

/* Calls SESSION's timer in MS (at least 1). */
void session_timer(struct session *session, int64_t ms);

/* Reads USER, SERVICE, RHOST, TTY and ROLE of a request. False with WHY: a field is absent, too long or has odd
   characters. */
bool caller_read(const struct wire_frame *request, struct caller *ret, const char **why);

/* --- explain.c ------------------------------------------------------------------------------- */

/*
 * Refuses: one line in the journal, an entry in the ring, and the answer (at once; a second later where this caller
 * has failed often). STATUS: REFUSED, UNAVAILABLE, LIMIT, INTERNAL. CONN NULL: nobody waits any more. VERB: "login",
 * "session", "account". REMEDY may be NULL.
 */
void session_refuse(struct sessions *all, struct wire_conn *conn, uint8_t type, enum wire_status status,
    const struct caller *caller, const char *verb, const char *step, const char *remedy, const char *format, ...)
    PRINTF_LIKE(9, 10);
/* Another answer to what was refused before, under CALLER's reference. The journal gets nothing. */
void session_refuse_again(
    struct sessions *all, struct wire_conn *conn, uint8_t type, enum wire_status status, const struct caller *caller);
/* Answers that wait are sent at once: the owner leaves. */
void late_replies_flush(struct sessions *all);

/* --- trail.c --------------------------------------------------------------------------------- */

/* The audit trail tells of REQUEST that CALLER is behind it. False without memory. */
bool trail_caller(struct vault_request *request, const struct caller *caller) NODISCARD;
/* The same for a session; REF is of what is done for it. */
bool trail_session(struct vault_request *request, const struct session_record *record, const char *ref) NODISCARD;
/* It tells of REQUEST as one for CAPABILITY on PATH ("k8sauth/sudo/web-1/root"). False without memory. */
bool trail_path(struct vault_request *request, const char *path, const char *capability) NODISCARD;
/* It tells of REQUEST as CALLER's verification. False without memory. */
bool trail_verify(struct vault_request *request, const struct caller *caller) NODISCARD;
/*
 * The trail gets what the backend was not asked about: CALLER's request of TYPE was refused for REASON. Nobody waits for
 * that, and of a flood it gets some, and how many more there were.
 */
void trail_refused(struct sessions *all, uint8_t type, const struct caller *caller, const char *reason);
/*
 * The same for a request that is allowed: YES answers CONN when the trail has it, at once where there is none. Where no
 * device takes the entry, the request is refused as an outage.
 */
void trail_allow(struct sessions *all, struct wire_conn *conn, uint8_t type, const struct caller *caller,
    void (*yes)(struct wire_conn *conn));

/* Asked about where the gate only wants a live session: any answer proves that the token lives. */
#define TRAIL_ANY_PATH "sys/capabilities-self"

#define LEASE_MAX_SECONDS (10LL * 366 * 24 * 3600) /* whatever a backend says */

/* --- limit.c --------------------------------------------------------------------------------- */

/* Counts a failure of CALLER; whether its answer has to wait (the sixth within a minute, and more). */
bool rate_failure(struct sessions *all, const struct caller *caller);
/* Whether CALLER, if it has failed so often, may have another credential looked at: one a second. */
bool rate_guess(struct sessions *all, const struct caller *caller);
/* Counts a lookup of UID, which is not root's; whether it may be answered. */
bool rate_lookup(struct sessions *all, uid_t uid);
/* The same for a verification that is not answered from memory. KNOWN: its answer was yes lately. These have a measure
 * of their own, which who shows wrong credentials cannot use up. */
bool rate_verify(struct sessions *all, uid_t uid, bool known);
/* Whether WHAT (of UID) may be written to the journal: once a minute. */
bool rate_say(struct sessions *all, const char *what, uid_t uid);
/* The same for CALLER's failures. */
bool rate_say_failures(struct sessions *all, const struct caller *caller);

/* --- ticket_memory.c ------------------------------------------------------------------------- */

/* Remembers TICKET of CALLER, presented for session SESSION. "", or the reference of the first time: a repeat. NULL: no
 * memory. */
const char *ticket_remember(
    struct sessions *all, const struct secret *ticket, const struct caller *caller, const char *session);
/* Forgets what was presented for SESSION: it is open, or the ticket could not even be shown to anybody. */
void ticket_forget(struct sessions *all, const char *session);

/* --- requests -------------------------------------------------------------------------------- */

void login_request(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request);
void verify_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer);
void account_request(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request);
void check_request(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request);
void open_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer);
void close_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer);
void lookup_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer);

/* --- close.c --------------------------------------------------------------------------------- */

/* Ends SESSION in whatever state: token revoked, files removed, both tried again until done; SESSION may be freed. */
void session_end(struct session *session, const char *why);
/* Goes on with the end of an ENDED session (also one begun by the daemon before this one), or with the removal of an
   EXPIRED one's files. SESSION may be freed. */
void session_end_step(struct session *session);
/* Removes what lies under ID, which need not be a session of ours any more. False without memory. */
/* Removes SESSION's, which is known: it gets no new ones meanwhile. */
void session_files_remove(struct session *session);
bool files_remove(struct sessions *all, const char *id);
/*
 * The same, and calls DONE once: OVER when token and files are gone, not OVER when that takes too long (it goes on) or
 * the daemon ends.
 */
typedef void session_ended_fn(void *arg, bool over);
void session_end_then(struct session *session, const char *why, session_ended_fn *done, void *arg);
/* Whoever waits for SESSION's end gets the answer now: it is OVER, or the daemon ends first. */
void session_waiters_answer(struct session *session, bool over);

/* --- renew.c --------------------------------------------------------------------------------- */

/* Sets expiry and the next renewal from a lease of SECONDS that starts now. */
void session_set_lease(struct session *session, int64_t seconds);
/* Arms SESSION's timer for what its state waits for. */
void session_arm(struct session *session);

/* --- get.c ----------------------------------------------------------------------------------- */

/* Whoever waits is answered: the owner leaves. */
void gets_stop(struct sessions *all);

/* --- rotate.c -------------------------------------------------------------------------------- */

struct export;

/*
 * EXPORT's files are SESSION's now, by an open or anything else that began with new ones: notes in its record (which
 * the caller saves) what they are, and looks from now on whether they are still what they should be.
 */
void rotation_begin(struct session *session, struct export *export);
/* The same for a session of the daemon before this one. */
void rotation_resume(struct session *session);
/* Forgets all that; what is under way comes to nothing. */
void rotation_end(struct session *session);

/* --- open.c ---------------------------------------------------------------------------------- */

/* Begins the helper's request TYPE for the files of a session, with its token. */
void session_files_begin(
    struct buf *files, uint8_t type, const struct session_record *record, const struct secret *token);

/* --- refresh.c ------------------------------------------------------------------------------- */

/* Tries to write SESSION's files again, as its record says is due. */
void session_refresh(struct session *session);

/* --- relogin.c ------------------------------------------------------------------------------- */

/* Whoever waits for SESSION's new login hears of its files: WHY they are not written yet, NULL where they are. */
void relogin_refreshed(struct session *session, const char *why);
/* The same, for a session that is gone, or whose daemon ends. */
void relogin_session_gone(struct session *session);

/* --- recheck.c ------------------------------------------------------------------------------- */

/* Looks from now on whether service accounts of sessions are still there, where clusters say so. */
void recheck_start(struct sessions *all);
/* The owner leaves. */
void recheck_stop(struct sessions *all);

/* --- processes.c ----------------------------------------------------------------------------- */

/* The audit session id of PID, AUDIT_SESSION_UNSET if it has none. */
uint32_t audit_session_of(int32_t pid);
/* SESSION ends: sets in its record (which the caller saves) what of its processes ends with it. */
void processes_decide(struct session *session);
/* Begins to end what SESSION's record says; SESSION may be freed. */
void processes_end(struct session *session);
/* What is under way comes to nothing: SESSION is forgotten. */
void processes_forget(struct session *session);

/* --- leader.c -------------------------------------------------------------------------------- */

/* Whether SESSION's leader still is the process that it was. */
bool leader_lives(const struct session *session);
/* Start time of PID in clock ticks since boot, 0 if it cannot be told. */
uint64_t leader_start_time(int32_t pid);
/* Watches SESSION's leader, by PIDFD (taken over) where that is >= 0. The session ends if it is gone already. */
void leader_watch(struct session *session, int pidfd);
void leader_unwatch(struct session *session);
