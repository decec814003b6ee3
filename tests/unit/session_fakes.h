/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world around the sessions, for their tests: a backend, accounts, a helper, wire connections and a clock that do
 * what a test says. The wire codec, the table and libevent are the real ones.
 */
#pragma once

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "session/session.h"

#define FAKE_JWT                                       \
	"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ." \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define FAKE_TICKET "hvs.TICKETticketTICKETticket"
#define FAKE_USER   "k8s_web_app"
#define FAKE_TOKEN  "hvs.TOKEN-" /* a number follows */

/* What a role answers. */
struct fake_role {
	const char *name;
	enum vault_failure failure; /* NOT: it matches */
	const char *step, *reason;
};

struct fake_world {
	struct event_base *base;
	struct sessions *sessions;
	struct session_config config;
	int kept_fd;

	/* backend */
	const struct fake_role *roles; /* ends with a NULL name */
	int role_list_status;	       /* 0: 200 with ROLES' names */
	int outage_status;	       /* every request is answered with it, text "Vault is sealed" */
	const char *auth;	       /* JSON laid over the login's auth */
	const char *token_type;
	int64_t lease;	  /* of logins and renewals */
	int renew_status; /* 0: renewed */
	enum vault_failure renew_failure;
	int revoke_status;	  /* 0: 204 */
	const char *acl, *mounts; /* JSON: data of resultant-acl and ui/mounts */
	const char *capabilities; /* JSON: "TOKEN PATH" -> what sys/capabilities-self answers it, or a status */
	const char *lease_of;	  /* whose reads have leases of a minute, numbered: the number is added to the data */
	unsigned leases;
	const char *secrets; /* JSON: path -> data of a read, or keys of a list (path ends in '/') */
	struct {
		int lookup_status, unwrap_status; /* 0: 200 */
		const char *path;		  /* that made it */
		const char *holds;		  /* JSON laid over what is unwrapped */
		const char *record;		  /* JSON laid over the token's lookup-self */
		const char *audience;		  /* of the role */
	} ticket;
	const char *account;	     /* JSON: data about the service account, or a status */
	const char *hold;	     /* requests whose path ends so are not answered */
	char requests[4096];	     /* "update auth/kubernetes/login web\n" */
	int trail_status;	     /* of what is only to be told; 0: 204 */
	char told[65536];	     /* that: "update auth/kubernetes/login user=NAME ref=REF why\n" */
	unsigned tokens, n_revoked;  /* minted, revoked */
	unsigned verified;	     /* logins that were only looked at */
	int64_t expires;	     /* of their credential, unix */
	struct vault_request *login; /* the last login, kept */

	/* accounts */
	enum account_verdict verdict;
	bool claim_later;
	bool any_identity; /* an account for service accounts other than web/app too */
	uint32_t uid;
	unsigned accounts_conf; /* how many accounts.conf were read */
	const char *local; /* a local account that is opened to service accounts of the mount */

	/* helper */
	int helper_error;   /* negative: calls fail with it */
	int helper_status;  /* for SESSION */
	int remove_error;   /* negative: REMOVE fails with it */
	bool helper_hold;   /* SESSION is not answered */
	char files[65536];  /* "<id> token=hvs...\n" of what lies there */
	unsigned n_session; /* WIRE_HELPER_SESSION, UPDATE and ROTATE requests */
	unsigned n_rotated; /* ROTATE only */

	uint32_t left;	    /* processes of the user that SIGNAL finds; each signal but 0 ends them */
	bool deaf;	    /* they do not mind SIGTERM */
	bool undying;	    /* nor SIGKILL */
	int signal_status;  /* for SIGNAL */
	char signals[1024]; /* "15 user audit=7 spared=1\n" */

	bool no_pidfd;	  /* an old kernel */
	const char *unit; /* of every peer; NULL: it cannot be told */
	char log[32768];
};

extern struct fake_world world;

int world_setup(void **state);
int world_teardown(void **state);
/* The same, with fake_consumer as the consumer "db": uid 33 may verify. */
int world_setup_consumer(void **state);
/* Runs the loop and answers until nothing moves. */
void world_run(void);
/* Lets MS pass, then runs. */
void world_wait(int64_t ms);
/* Ends the daemon (frees the sessions) and starts the next one with the kept table; resumes. */
void world_restart(void);
void world_start(int table_fd);
/* Answers held requests with what the backend says now. */
void world_release(void);
/* The backend's roles, or what else a login hangs on, change. */
void world_logins_change(void);
bool world_logged(const char *text);
/* How many files lie in session ID's directory. */
unsigned world_files(const char *id);
/* Whether exactly this file lies there. */
bool world_file(const char *id, const char *name, const char *content);

/* The backend's answers: DATA (taken over) with status 200; STATUS alone; JSON text, NULL is {}. */
struct vault_response *fake_response(json_t *data);
struct vault_response *fake_status(int status);
json_t *fake_json(const char *text);
/* The backend has an audit trail from now on. */
void fake_trail(void);
/* What is asked about a ticket and the token in it (session_fakes_ticket.c); NULL: something else is asked. */
struct vault_response *fake_ticket_answer(struct vault_request *request);

/* The claim that waits (session_fakes_accounts.c) is answered, or will not be. */
void fake_accounts_release(void);
void fake_accounts_forget(void);

/* The helper's side (session_fakes_wire.c): forgets, counts, answers one call that is not held. */
void fake_helper_reset(void);
size_t fake_helper_waiting(void);
bool fake_helper_step(void);

/* A client. */
struct wire_conn {
	bool answered;
	uint32_t status;
	char ref[16], message[256], handle[128], session[64];
	char env[16384]; /* "NAME=value\n" */
	void (*gone)(void *arg);
	void *gone_arg;
	uint32_t uid_item;
	int pidfd;
};

struct fake_ask {
	uint8_t type;
	uid_t uid; /* of the peer */
	pid_t pid;
	const char *user, *service, *rhost, *tty, *role, *credential, *handle, *session;
	const char *path, *capability, *target;
	uint32_t keys;
};

/* Sends the request of ASK for CONN (zeroed first); runs the world unless it is held. */
void ask(struct wire_conn *conn, struct fake_ask what);
/* The client leaves. */
void leave(struct wire_conn *conn);

/* The program that may verify. */
#define FAKE_CONSUMER_UID 33
#define FAKE_CONSUMER_PID 77
extern struct consumer_config fake_consumer;

/* A process that may be a session's leader; it lives until it is killed. */
pid_t leader_new(void);
void leader_kill(pid_t pid);

/* The usual ones: a login that must work, an open that must work. */
void login_ok(struct wire_conn *conn);
/* That the answer of CONN is a refusal with STATUS, told with its step and reason, and that no token is left. */
void expect_refused(const struct wire_conn *conn, uint32_t status, const char *step, const char *reason);
/* A login that is so refused. */
void login_refused(struct fake_ask what, uint32_t status, const char *step, const char *reason);
void open_ok(struct wire_conn *conn, const char *handle);
/* The usual requests; a test changes fields of what it gets. */
struct fake_ask ask_login(void);
struct fake_ask ask_verify(void);
struct fake_ask ask_open(const char *handle);
struct fake_ask ask_account(const char *handle);
struct fake_ask ask_close(const char *session);
