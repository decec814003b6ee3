/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins and sessions (decisions 10, 15 to 17, 19 to 21, 24): login -> role choice -> exchange through the request
 * interface -> account claimed -> handle; open -> export -> files by the helper -> environment; close, leader's end,
 * expiry -> token revoked, files removed. The table of logins and sessions lies in a memfd that systemd keeps for us
 * (fd store), so a restart or kill -9 loses none.
 */
#pragma once

#include <event2/event.h>

#include "accounts/accounts.h"
#include "session/config.h"
#include "vault/request.h"
#include "wire/wire_loop.h"

struct sessions;

struct sessions_options {
	struct event_base *base;
	struct vault *vault;
	struct accounts *accounts;
	const struct session_config *config; /* outlives the sessions */
	const char *helper_socket;
	int table_fd; /* from the fd store, -1: make one */
	/* The systemd unit that PEER runs in, the caller's to free: 0, or a negative errno. NULL: cannot be told. */
	int (*peer_unit)(const struct wire_peer *peer, char **ret);
	/* Hands a new table's descriptor to systemd (sd_pid_notify_with_fds, FDSTORE=1); NULL: nowhere to keep it. */
	void (*keep_fd)(int fd);
};

/* 0, or a negative errno with WHY. A table that fails its checks is refused, said, and replaced by an empty one. */
int sessions_new(const struct sessions_options *options, struct sessions **ret, char *why, size_t why_size) NODISCARD;
/* Leaves sessions and their files as they are: the next daemon goes on. */
void sessions_free(struct sessions *sessions);

/* After unseal: takes up what the table holds (leaders, expiry, renewal), removes files of sessions that are gone. */
void sessions_resume(struct sessions *sessions);
/* Whether a session's token has SESSION_ID in its meta (for tokens_revoke_orphans; ARG is the struct sessions). */
bool sessions_know(void *arg, const char *session_id);
/* Sessions that are open, logins not yet opened. */
size_t sessions_count(const struct sessions *sessions);

/* The wire socket's requests: a wire_request_fn with ARG the struct sessions. Checks the peer (root;
 * anybody for lookup; consumers for verify). */
void sessions_request(
    void *arg, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer);

/* Refusals of late, for `k8sauth explain REF`: the last 4,096 of what root's programs asked, and
 * of what others did (decision 24). NULL if not known. */
struct refusal {
	char ref[REF_SIZE];
	char user[ACCOUNT_NAME_SIZE], service[64], rhost[64];
	char step[32];
	char reason[384];
	char remedy[256];
	int64_t when; /* unix */
};
const struct refusal *sessions_explain(const struct sessions *sessions, const char *ref);

/* How many connections UID, which is not root, may have at once. ARG is the struct sessions. */
unsigned sessions_connections(void *arg, uid_t uid);

/* Forgets every answer to verify: something that they hang on has changed. ARG is the struct sessions. */
void sessions_forget_verified(void *arg);

/*
 * admin.c: what an administrator asks, and a user about what is the user's own. ARG is the struct sessions, UID who
 * asks: 0 sees all, another one what has this very uid. 0 with *RET (the caller's; never a token), -EACCES (another
 * user's, or, for all but root, nobody's), -ENOENT, -ENOMEM.
 */
int sessions_admin_explain(void *arg, uid_t uid, const char *ref, json_t **ret) NODISCARD;
/* "keys", and "key_info" with what sessions_admin_show tells of each. */
int sessions_admin_list(void *arg, uid_t uid, json_t **ret) NODISCARD;
int sessions_admin_show(void *arg, uid_t uid, const char *id, json_t **ret) NODISCARD;
/* The account that IDENTITY, "[MOUNT/]NAMESPACE/SERVICEACCOUNT", has or would have. Also -EINVAL. WHY says what to
 * do where it is not 0. */
int sessions_admin_name(void *arg, const char *identity, json_t **ret, char *why, size_t why_size) NODISCARD;

/* How many sessions ENDED, how many end later (what failed is tried again), how many logins were too early to be ended.
 */
struct sessions_ended {
	unsigned ended, unfinished, under_way;
};
typedef void sessions_ended_fn(void *arg, const struct sessions_ended *result);
/*
 * get.c: what the export block NAME holds, read with the token of session ID ("": the only open one that UID may see).
 * A block with a file gets it written. DONE is called once, now or later: STATUS is HTTP's, 200 with the body of the
 * reply (DONE's; "data", what there is of a lease, and "field" where the block wants one), else with WHY.
 */
typedef void sessions_got_fn(void *arg, int status, json_t *reply, const char *why);
void sessions_admin_get(void *arg, uid_t uid, const char *name, const char *id, sessions_got_fn *done, void *done_arg);

/* Ends a session as its close does. DONE is called once, now or later, if the answer is 0. */
int sessions_admin_kill(void *arg, uid_t uid, const char *id, sessions_ended_fn *done, void *done_arg) NODISCARD;

/* How `k8sauth session login` ended. */
struct session_login_result {
	enum wire_status status; /* OK, REFUSED; others: try again */
	json_t *data;		 /* what is told of the session (the callback's); NULL where refused, or no memory */
	const char *ref, *reason, *remedy; /* of a refusal, under REF in the journal; REMEDY may be "" */
};
typedef void session_login_fn(void *arg, const struct session_login_result *result);
/*
 * Logs session ID (NULL: the only expired one of UID) in again with CREDENTIAL (taken over), a JWT or a ticket of its
 * own service account: its token is replaced, the old one revoked, its files are written again. DONE is called once,
 * now or later, if the answer is 0; WHY says what to do where it is not. Also -EINVAL.
 */
int sessions_admin_login(void *arg, uid_t uid, const char *id, struct secret *credential, session_login_fn *done,
    void *done_arg, char *why, size_t why_size) NODISCARD;
/* A login that is only explained: user and service are needed, the others may be NULL. */
struct session_dry_login {
	const char *user, *service, *rhost, *role;
};
/* DATA (the callback's): "verdict" ("ok", "refused", "unavailable") and "steps", each with "step", "verdict" ("not
 * reached" too), "detail", and "remedy" where there is one. NULL: no memory. */
typedef void session_dry_fn(void *arg, json_t *data);
/*
 * dry_run.c: what a login of WHAT with CREDENTIAL (taken over) would come to, for root. Nothing is left of it; a ticket
 * is not opened. DONE is called once, now or later, if the answer is 0. Also -EINVAL with WHY.
 */
int sessions_admin_explain_login(void *arg, const struct session_dry_login *what, struct secret *credential,
    session_dry_fn *done, void *done_arg, char *why, size_t why_size) NODISCARD;
/* Ends every session of IDENTITY (as above; without MOUNT, in every cluster), for root. Also -EINVAL. */
int sessions_admin_revoke(void *arg, const char *identity, sessions_ended_fn *done, void *done_arg) NODISCARD;
