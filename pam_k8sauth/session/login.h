/* SPDX-License-Identifier: Apache-2.0 */
/* A login under way: what login.c (exchange, account), roles.c (which role) and login_text.c (words) share. */
#pragma once

#include "session/state.h"
#include "vault/login_remedy.h"

#define LOGIN_ROLES_MAX 64 /* candidates, and roles of a mount that are tried */

struct login;

/* What a login is for: a module that waits for a handle (handle.c), a session that goes on (relogin.c), or a verify,
 * which makes nothing (verify.c). */
struct login_end {
	/* Answers WAITER with a refusal; it waits no more. REASON NULL: the daemon stops. REMEDY may be NULL. */
	void (*refuse)(struct sessions *all, void *waiter, enum wire_status status, const struct caller *caller,
	    const char *step, const char *remedy, const char *reason);
	/* The table holds LOGIN's token, and its service account is ACCOUNT: answers the waiter and frees LOGIN. */
	void (*made)(struct login *login, const struct account *account);
	/* Instead, where no token is to be made: AUTH has the metadata of one, and the credential ends at EXPIRES
	   (unix, 0: not known). One that came in a ticket is LOGIN's session. NULL otherwise. */
	void (*proved)(struct login *login, const json_t *auth, int64_t expires);
	/* LOGIN is about to be freed. NULL: nothing to do. */
	void (*over)(struct login *login);
};

/*
 * One thing is waited for at a time: an answer of the backend or of accounts. Its callback owns the login again. WAITER
 * is NULL once it is answered or gone; the answer that is still to come then only gives back what it brings.
 */
struct login {
	struct sessions *all;
	struct session *session; /* SESSION_LOGIN until there is a token; NULL where none is to be made */
	const struct login_end *end;
	void *waiter; /* END's */
	struct caller caller;
	const struct cluster_config *cluster;
	struct secret *credential; /* a JWT, or a ticket */
	struct event *deadline;
	const char *step; /* what is waited for */

	char **candidates; /* roles to log in with, in order */
	size_t n_candidates, next;

	char **roles; /* the mount's roles, while they are tried */
	size_t n_roles, at_role, n_matches;
	char refusals[256];    /* why roles did not fit, for the journal */
	const char *role_step; /* where all of them did not; "role" where they differ */
	char role_remedy[REMEDY_SIZE];
	char matches[256];

	bool role_named;      /* the PAM line names the role */
	struct secret *token; /* what the ticket held */
	json_t *auth;	      /* and what is known of it, in the form of a login's answer */
	int64_t expires;      /* of a credential that is only verified */
};

/* --- login.c --------------------------------------------------------------------------------- */

/* A login of CALLER that ends by END with WAITER; NULL without memory: then nobody has answered WAITER. */
struct login *login_new(struct sessions *all, const struct caller *caller, const struct cluster_config *cluster,
    const struct login_end *end, void *waiter) NODISCARD;
/* Checks CREDENTIAL (taken over; NULL: there is none) and goes on with the exchange, or refuses. A login that has no
 * candidates yet takes those of its service. */
void login_start(struct login *login, struct secret *credential);
/* Refuses and frees LOGIN. */
void login_refuse(struct login *login, enum wire_status status, const char *step, const char *remedy,
    const char *format, ...) PRINTF_LIKE(5, 6);
/* The same for what the backend answered. */
void login_refuse_response(struct login *login, const struct vault_response *response);
/* Whether somebody still waits; if not, LOGIN is freed. The first thing that a callback asks. */
bool login_goes_on(struct login *login);
/* The peer of a login is the remote host, where PAM tells its address. */
void login_peer(struct vault_peer *peer, const char *rhost);
/* A request of OP to PATH, made for LOGIN's remote host; NULL. */
struct vault_request *login_request_at(const struct login *login, enum vault_op op, const char *path) NODISCARD;
/* A request of OP to auth/<mount>/<TAIL> with this login's role ROLE (NULL: none), JWT and PAM context; NULL. */
struct vault_request *login_request_new(
    const struct login *login, enum vault_op op, const char *tail, const char *role) NODISCARD;
/* Frees LOGIN; a session without a token is dropped, whoever waits told to try again. */
void login_free(struct login *login);
/* Logs in with the next candidate. */
void login_try(struct login *login);

/* --- ticket.c -------------------------------------------------------------------------------- */

/* Opens the ticket that is LOGIN's credential, and goes on with login_made, or refuses. */
void ticket_open(struct login *login);

/* --- handle.c -------------------------------------------------------------------------------- */

/* For a module: WAITER is its struct wire_conn. */
extern const struct login_end login_for_handle;
/*
 * Puts TOKEN, of which nothing else is known yet, into the table as LOGIN's session: from then on it is revoked,
 * whatever comes. False: nothing was written.
 */
bool login_keep_token(struct login *login, const char *token) NODISCARD;
/* Revokes TOKEN, which the table does not hold. */
void login_give_back(const struct login *login, const char *token);
/* Ends LOGIN's session: its token is revoked. LOGIN goes on without it. */
void login_session_end(struct login *login, const char *why);
/* The service account that AUTH, of a login's answer, names: texts are AUTH's, "" where absent. */
struct account_identity login_identity(const struct login *login, const json_t *auth);
/* The exchange made TOKEN, with the answer's AUTH: whatever comes now, it is kept or revoked. Frees LOGIN. */
void login_made(struct login *login, const json_t *auth, const char *token);

/* --- roles.c --------------------------------------------------------------------------------- */

/* Finds the only role that matches and goes on with login_try, or refuses. */
void roles_find(struct login *login);
/* The only role of the mount does not match: says so and ends LOGIN. */
void roles_only_refused(struct login *login, const struct vault_response *response);
bool roles_set(struct login *login, char *const *roles) NODISCARD;
void roles_free(char **roles, size_t n);
/* Adds "ROLE: REASON" to TEXT (of SIZE bytes). */
void roles_note(char *text, size_t size, const char *role, const char *reason);

/* --- login_text.c ---------------------------------------------------------------------------- */

/* Whether CREDENTIAL has the form of a JWT or of a ticket; else a reason and a remedy, neither of which shows it. */
bool credential_check(const struct secret *credential, char *why, size_t why_size, const char **ret_remedy);
/* Where applications cut an answer: ssh, sudo, openvpn, login. */
bool credential_is_cut_length(size_t len);
/* What to do about RESPONSE to a login as ROLE ("": not known): login_remedy(), unless the token was cut. */
void login_cure(
    const struct login *login, const struct vault_response *response, const char *role, char ret[static REMEDY_SIZE]);
