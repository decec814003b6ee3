/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded backend from inside: core, calls, engines.
 *
 * A request becomes a `struct call`. Its handler is an ordinary function that runs to the end on the loop and is *run
 * again from its start* when something that it needs is not there yet: reads answer -EAGAIN until the store thread
 * brought the record, or while a write to that key is not durable yet (a request that touches a key in flight waits
 * behind it); the handler returns that -EAGAIN at once, and the router runs it again later. Writes collect in the call
 * and are committed by the router after the handler returned 0; the reply is sent when they are durable. So a handler
 * has no effect before it returns 0, and between its last run and its commit nothing else runs: calls are serialised by
 * construction. What must survive from one run to the next (a TokenReview's answer) is kept in call->state.
 */
#pragma once

#include <event2/event.h>
#include <jansson.h>

#include "vault/embedded/store.h"
#include "vault/request.h"

struct core;
struct call;
struct store;
struct mount;
struct lease;
struct token;
struct wrapped;
struct tokens;
struct policies;
struct identity;
struct quotas;
struct kube;
struct acl;
struct audit;

/* Returns 0 (response filled in), -EAGAIN (run me again when what I waited for is there), or another negative errno:
 * 500. */
typedef int engine_handler(struct call *call);

enum engine_path_flags {
	ENGINE_UNAUTHENTICATED =
	    1,		 /* needs no token; errors of such a path are never wrapped (kubernetes-auth.md 0.2) */
	ENGINE_SUDO = 2, /* needs the sudo capability besides (vault-core.md 1.12) */
	ENGINE_RAW = 4,	 /* answers while sealed too, without an envelope; needs no token: sys/health and its like */
	ENGINE_HEAD = 8, /* HEAD is served like GET */
	ENGINE_OPEN = 32, /* needs no token where its listener says so; answers there while sealed too */
	ENGINE_WRAPPED = 16, /* means a wrapping token, which is looked at before the caller's (wrapping.h) */
};

/* What a parameter is: for `?help=1`, and for the tables that read many of them. */
enum field_type {
	FIELD_STRING,
	FIELD_INT,
	FIELD_FLOAT,
	FIELD_BOOL,
	FIELD_SECONDS, /* a number of seconds, or a duration such as "1h" */
	FIELD_STRINGS, /* a list, or one text with commas */
	FIELD_INTS,    /* the same, of whole numbers */
	FIELD_MAP,
};

/* A parameter of a path: in the body, in the query, or a capture of its pattern. */
struct engine_field {
	const char *name;
	enum field_type type;
	const char *help; /* a sentence */
};

/*
 * One path of an engine. PATTERN is relative to the mount: segments are literal or "{name}" (one segment, not empty,
 * of the characters [A-Za-z0-9_.-], beginning and ending in a word character as in Vault's GenericNameRegex), the last
 * may be
 * "{name...}" (the rest, slashes included, not empty) or "{name...?}" (the rest, may be empty). A pattern that ends in
 * '/' is reached by VAULT_LIST, whose path always ends in '/'. First match wins; a path with a match but without the
 * handler of the operation is 405 `unsupported operation`, without any match 404 `unsupported path`.
 */
struct engine_path {
	const char *pattern;
	unsigned flags;
	engine_handler *read, *list, *update, *patch, *delete; /* update serves create too; look at call->request->op */
	int (*exists)(struct call *call); /* 1, 0, -EAGAIN...; NULL: a write is always VAULT_UPDATE */
	engine_handler *resolve, *verify; /* VAULT_RESOLVE and VAULT_VERIFY, internal only */
	/* The parameters that it knows, up to one without a name: others are warned about ("Endpoint ignored these
	   unrecognized parameters"). NULL: nothing is known of them, and nothing said. */
	const struct engine_field *fields;
	const char *help; /* what it is for: a sentence, shown by `vault path-help` */
};

/* Of a path that knows no parameters. */
extern const struct engine_field engine_no_fields[];

struct engine {
	const char *type;		 /* "kubernetes", "kv", "system", "token" */
	bool auth;			 /* mounted under auth/ */
	const char *help;		 /* what it is for, shown by `vault path-help` of a mount */
	const struct engine_path *paths; /* ends with a NULL pattern */
	/* Instead of PATHS, where they depend on the mount's options. */
	const struct engine_path *(*paths_of)(const struct mount *mount);
	/* Those that the daemon itself asks with "k8sauth/" before the mount's path, which no client can. NULL: none.
	 */
	const struct engine_path *own_paths;
	/* Called when a mount of it is made or loaded: may keep its own state in mount->state; NULL: none. */
	int (*mounted)(struct core *core, struct mount *mount);
	/* CALL gives MOUNT these options: what the engine must know of it joins the call's writes. NULL: nothing. */
	int (*change_options)(struct call *call, struct mount *mount, const json_t *options);
	/* MOUNT has them. NULL: nothing to do. */
	void (*options_changed)(struct core *core, struct mount *mount);
	/* When the last call of a mount that is gone has ended. */
	void (*unmounted)(struct core *core, struct mount *mount);
	/* Login mounts: a token of PATH is renewed: set ttl, max_ttl, period of AUTH from the current role, or fail by
	   call_error texts (kubernetes-auth.md 3.9). */
	int (*renew)(struct call *call, struct token *token);
	/* Sets the metrics of MOUNT, for CALL that shows them. 0, -EAGAIN, -errno. NULL: it has none. */
	int (*set_metrics)(struct call *call, const struct mount *mount);
	/* Login mounts: the role that the login CALL asks for, *RET NULL if there is none. Borrowed. 0, -EAGAIN,
	   -errno. NULL: this engine's logins have no roles. */
	int (*login_role)(struct call *call, const char **ret);
	/*
	 * Mounts whose secrets have leases (lease/lease.h): set ttl and max_ttl of LEASE from the role as it is now, or
	 * refuse by call_error. A short look: it keeps nothing in call->state. NULL: they cannot be renewed.
	 */
	int (*lease_renew)(struct call *call, struct lease *lease);
	/*
	 * Take back what LEASE stands for, which may be gone already. Runs as a handler of the daemon's own in the
	 * mount, with its memory in lease->state; refuses by call_error: a status below 500 is for good, others are
	 * tried again. NULL: nothing is to be done.
	 */
	int (*lease_revoke)(struct call *call, struct lease *lease);
};

struct mount {
	char *path; /* "secret/", "auth/kubernetes/" */
	const struct engine *engine;
	char uuid[37];
	char accessor[40]; /* "auth_kubernetes_1a2b3c4d" */
	char *description;
	json_t *options;			  /* object or NULL; "version": "2" */
	json_t *config;				  /* object: what tune keeps besides, as clients see it */
	int64_t default_lease_ttl, max_lease_ttl; /* 0: system's 2764800 */
	char *token_type;			  /* auth mounts: "default-service" */
	int64_t moved_at;			  /* unix ns: sys/remount ends all tokens that are older; 0: never */
	bool local, seal_wrap, external_entropy_access; /* kept and shown */
	bool builtin;
	unsigned refs;	  /* the table's and the calls' */
	unsigned commits; /* calls in it that have begun to commit, and what they do then is not over */
	unsigned leaving; /* calls that are about to remove or move it: it takes no others */
	bool tainted;	  /* somebody wanted it to go, and it could not: it takes no calls until that works */
	bool running;  /* the engine's mounted() was called */
	void *state;   /* the engine's */
};

#define SYSTEM_LEASE_TTL 2764800 /* 32 days */

struct call {
	struct core *core;
	struct vault_request *request;
	struct vault_response *response;
	struct mount *mount;
	const struct engine_path *path;
	const char *rest;	 /* the path below the mount */
	struct token *token;	 /* the caller's; NULL on unauthenticated paths and internal requests */
	struct acl *acl;	 /* the caller's; NULL as above; a reference that the router frees with the call */
	json_t *entity;		 /* the caller's, at a login the one who logs in (identity.h); NULL: none */
	struct wrapped *wrapped; /* of a path with ENGINE_WRAPPED */
	json_t *login;		 /* the `auth` block of the token that this login made; NULL */
	bool entity_created;	 /* by this login */
	struct login_auth *auth; /* set by a login handler that returns 0: the router mints the token */
	void *state;		 /* the handler's memory between runs */
	void (*state_free)(void *state);
	struct call_private *private; /* the router's: captures, waits, writes */
};

/* --- what handlers use
 * ------------------------------------------------------------------------------------------------ */

/* The capture of "{name}"; never NULL for a name of the pattern. */
const char *call_capture(const struct call *call, const char *name);

/* A refusal: response status and error text. Returns 0, so that `return call_error(...)` ends the handler; nothing is
 * written then. */
int call_error(struct call *call, int status, const char *format, ...) PRINTF_LIKE(3, 4);
/* On authenticated paths Vault wraps Go errors ("1 error occurred:..."); on unauthenticated ones this is call_error. */
int call_wrapped_error(struct call *call, int status, const char *format, ...) PRINTF_LIKE(3, 4);
/* As call_error, with what only the journal may know. STEP is static. */
int call_refuse(struct call *call, enum vault_failure failure, const char *step, int status, const char *error,
    const char *reason_format, ...) PRINTF_LIKE(6, 7);
/* 1 after the refusal of a path with ".." in one of its names: Vault's storage has none, whoever makes them. */
int call_refuse_dots(struct call *call, const char *path);
/* 200 with DATA (taken over). 404 {"errors":[]} for NULL. */
int call_data(struct call *call, json_t *data);
/* 204, or 200 where warnings were given. */
int call_done(struct call *call);
/* Whether the answer, so far, is that there is nothing to list: 404, without words. */
bool call_listed_nothing(const struct call *call);
void call_warn(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Fields of the request, with Vault's weak typing and error texts (kubernetes-auth.md 0.2, vault-1.21.4.md). Absent:
 * 0 and *RET untouched, *RET_SET false (RET_SET may be NULL). Wrong type: 1 after a 400 `Field validation failed: ...`
 * was set (the handler returns 0 then).
 */
int call_field_string(struct call *call, const char *name, const char **ret, bool *ret_set); /* owned by the call */
int call_field_bool(struct call *call, const char *name, bool *ret, bool *ret_set);
int call_field_int(struct call *call, const char *name, long long *ret, bool *ret_set);
int call_field_float(struct call *call, const char *name, double *ret, bool *ret_set);
int call_field_seconds(struct call *call, const char *name, int64_t *ret, bool *ret_set);
int call_field_strings(
    struct call *call, const char *name, json_t **ret, bool *ret_set);		      /* strlist: new array, caller's */
int call_field_map(struct call *call, const char *name, json_t **ret, bool *ret_set); /* new object, caller's */
/* A map of texts, or a list of "name=text": a new object, the caller's; untouched for null. */
int call_field_pairs(struct call *call, const char *name, json_t **ret, bool *ret_set);
/*
 * All of FIELDS that were sent and are no captures of the path, converted, as an object that is the caller's. 0, 1
 * after a refusal as above, -ENOMEM. A null of FIELD_SECONDS counts as not sent.
 */
int call_fields(struct call *call, const struct engine_field *fields, json_t **ret) NODISCARD;

/*
 * Storage of the call's mount. Keys are relative to it. Values are JSON. 0, -ENOENT (not on put), -EAGAIN (return it),
 * -EIO. Reads see the call's own writes.
 */
int call_get(struct call *call, const char *key, json_t **ret) NODISCARD;  /* the caller owns *RET (its own copy) */
int call_put(struct call *call, const char *key, json_t *value) NODISCARD; /* VALUE stays the caller's */
int call_delete(struct call *call, const char *key) NODISCARD;
/*
 * Sorted array of the names right below PREFIX ("" or "a/b/"); folders end in '/'. Empty array where there are none.
 * As of the first time that the call asked for it (later runs get the same), with the call's own writes on top.
 */
int call_list(struct call *call, const char *prefix, json_t **ret) NODISCARD;

/* The same for core's own keys ("sys/policy/x", "token/id/..."), whatever the mount. "core/" and "logical/" are taken.
 */
int core_get(struct call *call, const char *key, json_t **ret) NODISCARD;
int core_put(struct call *call, const char *key, json_t *value) NODISCARD;
int core_delete(struct call *call, const char *key) NODISCARD;
int core_list(struct call *call, const char *prefix, json_t **ret) NODISCARD;

/* Writes of this call need not be on the disk before the reply (new tokens and their leases only; decision 2). */
void call_relaxed(struct call *call);

/*
 * Runs AFTER (once) when the call's writes are durable, before the reply goes out: for caches. R is 0 or the commit's
 * errno; -ECANCELED where this run wrote nothing (it ended in -EAGAIN or in a refusal), so that ARG can be freed. AFTER
 * may call_hold: then the reply waits until call_resume.
 */
void call_on_commit(struct call *call, void (*after)(struct core *core, int r, void *arg), void *arg);
/*
 * For such an AFTER: ENDED (of each call one at most) is called when CALL is over, and nothing holds it any more, whoever may
 * have been answered before.
 */
void call_at_end(struct call *call, void (*ended)(struct core *core, void *arg), void *arg);

/*
 * For a handler that waits for something else than the store (a TokenReview): it starts the thing, keeps it in
 * call->state, returns -EAGAIN; the thing's callback calls call_resume. Calls are reference counted for this: hold
 * before, resume drops.
 */
void call_hold(struct call *call);
void call_resume(struct call *call);
/* For a handler with much to do: it returns -EAGAIN and is run again after the loop looked at its sockets. */
void call_yield(struct call *call);

/*
 * For a handler that is about to return -EAGAIN, and knows what the answer that it waits for will most likely be (a
 * TokenReview that confirms the claims): if the core has nothing else to do, it runs the handler once more meanwhile,
 * as a rehearsal, in which the handler goes on as if that answer had come, and starts nothing. When the call is
 * resumed, CONFIRMED tells whether the real answer came and was that one (it may leave a refusal in the response); if
 * it was, and nothing was written since, what the rehearsal made is committed. Otherwise the rehearsal was never held.
 */
void call_expect(struct call *call, bool (*confirmed)(struct call *call));
bool call_is_rehearsal(const struct call *call);

/* --- logins
 * ------------------------------------------------------------------------------------------------------------ */

/* What a login engine hands to the router (kubernetes-auth.md 3.7). Everything is owned by it. */
struct login_auth {
	char *display_name; /* without the mount's prefix: "default-vault-auth" */
	json_t *policies;   /* array of strings, as the role has them */
	bool no_default_policy;
	json_t *metadata;				/* object of strings: the five keys */
	json_t *internal;				/* object kept with the token for renew: {"role": "webapp"} */
	int64_t ttl, max_ttl, explicit_max_ttl, period; /* the role's, 0 unset */
	long long num_uses;
	char *token_type;    /* role's: "default", "service", "batch" */
	json_t *bound_cidrs; /* array of strings */
	char *alias_name;
	json_t *alias_metadata;
	int64_t credential_expires; /* unix; 0: never, or not known */
	char *pod, *node;	    /* whose credential it is, for the audit trail of PAM logins; NULL: not known */
};
struct login_auth *login_auth_new(void) NODISCARD;
void login_auth_free(struct login_auth *auth);

/* --- core
 * -------------------------------------------------------------------------------------------------------------- */

struct seal_config;

struct core_options {
	const char *store_path;		/* NULL: in memory */
	const struct seal_config *seal; /* must outlive the core; NULL: -dev, in memory, initialised and unsealed */
	const struct seal_config *old_seal; /* likewise; that a store moves away from; NULL */
	const char *dev_root_token;	/* -dev: NULL makes one */
	const char *storage_type;	/* for seal-status: "inmem", "sqlite" */
	json_t *settings;		/* what sys/config/state/sanitized shows: an object without secrets; NULL: {} */
	bool init_over_tcp; /* anybody who reaches a listener may initialise a fresh store, and unseal, as in Vault */
};

/* The backend. 0, or a negative errno with WHY. Initialised and sealed stores start unsealed if the seal's key opens
 * them. */
int core_open(struct event_base *base, const struct core_options *options, struct core **ret, char *why,
    size_t why_size) NODISCARD;
struct vault *core_vault(struct core *core); /* its request interface */
/* -dev: the root token and the unseal key, for the banner. NULL otherwise. */
const struct secret *core_dev_root_token(const struct core *core);
const struct secret *core_dev_unseal_key(const struct core *core);
/* CHANGED is called whenever it was sealed or unsealed, from the loop. */
void core_on_seal(struct core *core, void (*changed)(void *arg), void *arg);
/*
 * From now on, while it serves, all pages of a large store are looked at. DAMAGED is called from the loop, once, when the store
 * turns out to be damaged (store.h: store_watch): no request is served any more, and the core is to be closed, which
 * refuses what is in progress.
 */
void core_watch_store(struct core *core, store_damaged_fn *damaged, void *arg);

/* What engines may reach. */
struct event_base *core_base(const struct core *core);
struct kube *core_kube(const struct core *core);
struct tokens *core_tokens(const struct core *core);
struct policies *core_policies(const struct core *core);
struct identity *core_identity(const struct core *core);
struct audit *core_audit(const struct core *core);
struct quotas *core_quotas(const struct core *core);
struct leases *core_leases(const struct core *core);
bool core_sealed(const struct core *core);
/* The mount whose path starts PATH ("auth/kubernetes/login"); NULL. */
struct mount *core_mount_of(const struct core *core, const char *path);

/*
 * Copies the store while it is used (store.h: store_backup), marked with when, of which cluster and by which version it
 * was made. 0; -EBUSY: another copy is under way; -EOPNOTSUPP: the store is in memory; -EPERM: sealed; -ENOMEM.
 */
int core_backup(struct core *core, store_copied_fn *done, void *arg) NODISCARD;

/* Of a store that was put in place from a backup (unix nanoseconds): when that was made, and when it took its place. */
struct core_restored {
	int64_t made, at; /* 0: the store is no restored one */
};
const struct core_restored *core_restored(const struct core *core);

/* What outlives a file that was moved away (logrotate): audit devices open theirs anew. */
void core_reopen(struct core *core);

/* Commits what is in flight, stops the store thread, frees. Replies to calls in progress are sent first (at most 5 s).
 */
void core_close(struct core *core);

/*
 * Runs HANDLER as a call of the daemon itself (no request from outside): for expiry, and for what must happen at start.
 * Calls DONE with the handler's result or the commit's error.
 */
void core_run(struct core *core, engine_handler *handler, void *state, void (*state_free)(void *),
    void (*done)(void *arg, int r), void *arg);
