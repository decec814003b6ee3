/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the core share: the core itself, the private half of a call, the mount table. */
#pragma once

#include <stddef.h>

#include "base/text.h"
#include "vault/embedded/acl.h"
#include "vault/embedded/barrier.h"
#include "vault/embedded/core.h"
#include "vault/embedded/quota/quota.h"

#define CALLS_MAX      4096  /* requests in progress; more are answered 503 */
#define CALL_MAX_MS    90000 /* one request, as Vault's */
#define CAPTURES_MAX   4
#define PATH_LEN_MAX   4096
#define PATH_PARTS_MAX 128
#define MOUNTS_KEY     "core/mounts"
#define CLUSTER_KEY    "core/cluster"
#define MOUNT_DATA     "logical/%s/" /* of a mount's uuid */
#define META_KEYRING   "keyring"
#define META_ROOT_KEY  "root-key"
#define META_RECOVERY  "recovery-key"
#define META_SEAL      "seal"
#define STORE_KEY_MAX  (PATH_LEN_MAX + 128)

struct call_private;
struct seal;
TAILQ_HEAD(call_list, call_private);

#define KEPT_FOLDERS 16
#define KEPT_NAMES   64
struct kept_folder {
	char *path; /* NULL: this place is free */
	uint64_t serial;
	char **names; /* NULL: on their way */
	size_t n;
};

struct core {
	struct vault vault; /* first: the interface is the core */
	struct event_base *base;
	struct store *store;
	struct barrier *barrier; /* NULL: sealed */
	struct seal *seal;
	bool opening;	      /* what must be known before the first request is being read */
	struct call *sealing; /* held: it wants to know when all is closed; NULL */
	struct event *seal_step;
	size_t commits; /* on their way */
	void (*seal_changed)(void *arg);
	void *seal_changed_arg;
	struct event *rotation;
	bool rotation_looking;
	uint32_t rotation_term; /* when it began to look */
	uint64_t sealed_before; /* records, by the present term in former lives */
	uint64_t sealed_noted;	/* the whole number, as it is stored */
	bool initialised;
	bool initialising; /* a sys/init is under way */
	bool init_over_tcp;
	bool dev;
	char *storage_type;
	json_t *settings; /* as sys/config/state/sanitized shows them */
	struct secret *dev_root_token, *dev_unseal_key;

	struct kube *kube;
	struct tokens *tokens;
	struct policies *policies;
	struct identity *identity;
	struct audit *audit;
	struct quotas *quotas;
	struct leases *leases;

	struct mount **mounts;
	size_t n_mounts;
	struct mount *sys; /* answers while sealed, too; one of MOUNTS when unsealed */
	struct store_key mounts_key;
	char cluster_name[32], cluster_id[37];
	int64_t created; /* unix ns */

	struct core_restored restored;
	struct store_blob restored_by_hand; /* the mark of a backup that nobody noted as restored yet; no data: none */

	struct kept_folder folders[KEPT_FOLDERS];
	uint64_t folder_serial;

	struct call_list calls; /* in progress */
	size_t n_calls;
	struct call_list ready;
	struct event *run;   /* works through READY */
	struct event *sweep; /* ends what takes too long */
	bool closing;
	bool damaged; /* its store is: nothing is served */
	store_damaged_fn *store_damaged;
	void *store_damaged_arg;
	uint64_t changes; /* grows with each commit, at its beginning and at its end */
	int rehearsal_fd; /* a timer finer than the loop's */
	struct event *rehearsal;
	struct call_private *expecting; /* will be rehearsed then; NULL */
};

enum call_phase {
	CALL_WAITING, /* for its next run, or for what will start it */
	CALL_RUNNING,
	CALL_COMMITTING,
	CALL_SETTLING, /* durable; a hook of the commit still holds the reply back */
	CALL_AUDITING, /* the audit trail is told of the answer */
	CALL_FINISHED,
};

enum call_write_kind {
	WRITE_PUT,
	WRITE_DELETE,
	WRITE_DELETE_TREE,
	WRITE_META,
};

struct call_write {
	enum call_write_kind kind;
	char *key;
	char *text; /* JSON, or META's bytes; wiped */
	size_t len;
};

struct call_hook {
	void (*after)(struct core *core, int r, void *arg);
	void *arg;
};

/* The children of a folder as of the call's first question for them. */
struct call_listing {
	STAILQ_ENTRY(call_listing) link;
	struct call_private *call;
	char *folder;
	bool loading;
	struct store_child *sealed; /* as they came; NULL: all are opened */
	size_t n_sealed;
	char **names; /* sorted, when all are opened */
	size_t n;
	uint64_t kept; /* the place that was reserved for them (kept_folder.serial) */
};

struct call_capture {
	const char *name; /* in the pattern */
	size_t name_len;
	char *value;
};

/* What the audit trail knows of a call, and needs to know (audit/audit.h). */
enum call_audit_request {
	CALL_AUDIT_UNTOLD,
	CALL_AUDIT_ASKED,
	CALL_AUDIT_TOLD,
	CALL_AUDIT_FAILED, /* no device accepted the request's entry: nothing is done */
};
struct call_audit {
	char id[UUID_SIZE]; /* of the request, which a wrapped answer lacks */
	enum call_audit_request request;
	bool answered; /* told of the answer, or about to be */
	void (*ended)(struct call *call);

	/* Of one run. */
	bool reached;	/* it is well-formed, and for more than the server's state */
	bool denied;	/* by its token or policies */
	bool hidden;	/* its token is a valid one of an entity that is not */
	bool unread;	/* its fields could not be read before it was looked whether it is allowed */
	bool looked;	/* its mount was asked whether what it writes exists */
	long long uses; /* that its token had left; 0: any number */
	struct acl_verdict verdict;
	struct token *caller; /* of a path that needs no token; NULL */
};

/* A growing array of whatever. */
#define CALL_ARRAY(type)        \
	struct {                \
		type *items;    \
		size_t n, size; \
	}

struct call_private {
	struct call call;
	TAILQ_ENTRY(call_private) link;	 /* in progress */
	TAILQ_ENTRY(call_private) ready; /* if QUEUED */
	bool queued;
	enum call_phase phase;
	unsigned refs;
	unsigned holds;	     /* of call_hold */
	int result;	     /* while CALL_SETTLING: the commit's */
	unsigned listings_n; /* on their way */
	int64_t started_ms;
	enum vault_op op;	 /* as asked; the request's may become VAULT_CREATE for a run */
	struct barrier *barrier; /* NULL: the core's; another one while that is made */
	struct store_waiter waiter;

	/* Of one run. */
	struct call_capture captures[CAPTURES_MAX];
	size_t n_captures;
	CALL_ARRAY(struct call_write) writes;
	uint32_t *write_index; /* of records: a hash table of places in WRITES + 1, where they are many */
	size_t write_index_size, writes_indexed;
	CALL_ARRAY(struct call_hook) hooks;
	size_t kept_writes, kept_hooks; /* these happen even if the request is refused */
	void (*at_end)(struct core *core, void *arg); /* NULL */
	void *at_end_arg;
	bool relaxed;
	bool hook_lost;	 /* there was no memory for one: nothing may be committed */
	json_t *strings; /* what call_field_string lent */

	bool (*confirmed)(struct call *call); /* of call_expect, in the run that just ended */
	bool rehearsing;
	/* A rehearsal was held: what there is of one run is what it made, with its transaction. */
	bool rehearsed;
	struct store_txn *txn;
	uint64_t rehearsed_changes; /* the core's, then */
	int64_t rehearsed_ms;

	/* Records seen: they stay in the cache while the call may be run again. */
	CALL_ARRAY(struct store_entry *) pins;
	STAILQ_HEAD(, call_listing) listings;
	struct mount *mount; /* referenced: the one that call->state belongs to */
	struct mount *leaving; /* referenced: the one that it is about to remove or move; NULL */
	bool awaits_commits;   /* in it; held until then */
	bool counted;	       /* in mount->commits */
	struct call_audit audited;
	struct call_quota quota;
	double began, commit_began; /* metric_seconds() */

	/* How it ends: a request, or core_run's. */
	vault_done_fn *done;
	engine_handler *handler;
	void (*ran)(void *arg, int r);
	void *arg;
};

static inline struct call_private *private_of(struct call *call)
{
	return call->private;
}

/* Makes room for one more item; false without memory. */
bool call_array_grow(void **items, size_t n, size_t *size, size_t item_size) NODISCARD;
#define CALL_ARRAY_GROW(a) call_array_grow((void **)&(a).items, (a).n, &(a).size, sizeof(*(a).items))

/* --- call.c, calls.c: the life of calls */

/* Takes REQUEST over. NULL without memory. */
struct call_private *call_new(struct core *core, struct vault_request *request) NODISCARD;
void call_enqueue(struct call_private *call);
/* Hands the result over: the response, or R for core_run. What holds CALL (a TokenReview under way) lets go later. */
void call_finish(struct call_private *call, int r);
/* Runs what is ready now. What becomes ready meanwhile waits for the next round: the loop looks at its sockets first.
 */
void calls_run_ready(struct core *core);
/* One run of its handler: 0, -EAGAIN, or an errno. */
int call_run_handler(struct call_private *call) NODISCARD;
/* What a run left behind, as if it had not been. */
void call_undo_run(struct call_private *call);
/* The response is as new, with the id of the request: a wrapped answer has none. */
void call_forget_answer(struct call_private *call);
/* CALL waits: if it expects an answer, it is rehearsed in a moment. */
void call_rehearse_soon(struct call_private *call);
/* Whether what was rehearsed is what a run would make now; it is forgotten otherwise. */
bool call_rehearsal_holds(struct call_private *call);
/* Rehearses the call that expects an answer, if it still does. */
void call_rehearse(struct core *core);
/* As if no rehearsal had been held: before CALL is ended in another way than by its run. */
void call_drop_rehearsal(struct call_private *call);
/* A listing of CALL is on its way; it came, or failed with R. */
void call_list_started(struct call_private *call);
void call_listed(struct call_private *call, int r);
/* An error that the journal should know more about: status and text of a fault of ours. */
void call_fault(struct call *call, int r, const char *what);
/* Runs HANDLER to its end without a loop: at start. Its result, or the commit's. */
int core_run_now(struct core *core, engine_handler *handler, void *state) NODISCARD;
int core_calls_init(struct core *core) NODISCARD;
/* Answers what is in progress (at most TIMEOUT_MS), then ends the rest. */
void core_calls_end(struct core *core, int timeout_ms);

/* --- call_storage.c */

/* Forgets the writes after the first KEPT. */
void call_drop_writes(struct call_private *call, size_t kept);
/* The one that its records are sealed with; NULL: sealed. */
struct barrier *call_barrier(const struct call_private *call);
/* The call's last write of KEY; NULL. */
struct call_write *call_own_write(struct call_private *call, const char *key);
/*
 * store_get for CALL. The record stays in the cache until a later run of CALL did not ask for it, or its end: so that
 * many waits, one after the other, come to an end however small the cache is.
 */
int call_read(struct call *call, const struct store_key *key, struct store_blob *ret) NODISCARD;
/* The transaction of the call's writes. 0, -ENOMEM, -EIO... */
int call_make_txn(struct call_private *call, struct store_txn **ret) NODISCARD;
/* Removes everything below FOLDER (ends in '/'). */
int call_delete_tree(struct call *call, const char *folder) NODISCARD;
/* A setting outside the barrier; the bytes are copied. */
int call_put_meta(struct call *call, const char *name, const void *data, size_t len) NODISCARD;

/* --- call_field.c */

/* Appends the parts of TEXT between commas, without the blanks around them; none of "". 0, -ENOMEM, or -E2BIG where there
 * are more than VAULT_LIST_MAX. */
int call_split_strings(json_t *list, const char *text) NODISCARD;

/* --- call_list.c */

void call_listings_free(struct call_private *call);
/* Before the commit of CALL: forgets the folders that it changes. */
void folders_forget(const struct call_private *call);
void folders_free(struct core *core);

/* --- router.c */

/*
 * For a handler of an ENGINE_RAW path: whether the caller's token may do this request, for which the path says what it
 * needs (ENGINE_SUDO). 0, 1 after a refusal, -EAGAIN, -errno.
 */
int router_authorise(struct call *call) NODISCARD;
/* Routes, authorises and runs the request of CALL: one run. As an engine_handler. */
int router_run(struct call *call);
/* Whether what CALL has written may decide about later logins. Tokens do not; a mount counts where it comes and goes.
 */
bool router_decides_logins(const struct call *call);
/* Whether REST matches PATTERN (core.h); captures go into CALL, which may be NULL. -ENOMEM. In pattern.c. */
int router_match(const char *pattern, const char *rest, struct call_private *call) NODISCARD;
/* UTF-8 without control characters. */
bool path_is_printable(const char *path);
extern const struct engine *const core_engines[]; /* ends with NULL */
const struct engine *core_engine(const char *type, bool auth);
/* The paths that MOUNT has. */
const struct engine_path *engine_paths(const struct mount *mount);

/* --- core_metrics.c */

/* CALL has ended, its answer is there. */
void core_count(const struct call_private *call);
/* A metric_setter_fn of the core ARG. */
void core_set_metrics(void *arg);

/* --- parameters.c: of a request whose path is found */

/* Sets values that no handler reads to null, where anybody may ask. */
void parameters_forget_unknown(struct call *call);
/* Vault's two warnings about parameters; only a reply with a body shows them. */
void parameters_warn(struct call *call);

/* --- help.c */

/* Answers `?help=1` for the path of CALL, or for its whole mount where it asks for no path in it. */
int help_show(struct call *call) NODISCARD;

/* --- mounts.c */

/* An entry with new ids; PATH ends in '/' and has "auth/" where ENGINE has. NULL without memory. */
struct mount *mount_new(
    const struct engine *engine, const char *path, const char *description, json_t *options) NODISCARD;
void mount_ref(struct mount *mount);
void mount_unref(struct core *core, struct mount *mount);
/* The mounts that every store has. */
extern const struct mount_builtin {
	const char *type, *path, *description;
	const char *passed_header; /* of requests; NULL for none. Shown as Vault does; nobody reads it */
	bool auth, local, seal_wrap;
} mount_builtins[];
#define MOUNT_BUILTINS_MAX 8
/* Makes the one of BUILTIN. NULL without memory. */
struct mount *mount_new_builtin(const struct mount_builtin *builtin) NODISCARD;
/* Writes the table with these entries. */
int mounts_write_all(struct call *call, struct mount *const *mounts, size_t n) NODISCARD;
/* Writes the table with NEW in the place of OLD: OLD NULL adds, NEW NULL removes. */
int mounts_write(struct call *call, struct mount *old, struct mount *new) NODISCARD;
/* After the commit: makes ADD (taken over) known; forgets REMOVE. */
int mounts_add(struct core *core, struct mount *add) NODISCARD;
void mounts_remove(struct core *core, struct mount *remove);
/* At unseal: reads the table. */
int mounts_load(struct call *call) NODISCARD;
/* The last step of an unseal: adds what the store of an older release does not have yet. */
int mounts_complete(struct call *call) NODISCARD;
void mounts_free(struct core *core);
/* The (first) mount that is at, below or above PATH; NULL. */
const struct mount *mounts_conflict(const struct core *core, const char *path);
/* -EAGAIN while a change of the table is on its way. */
int mounts_settled(struct call *call) NODISCARD;

/* --- leaving.c */

/*
 * MOUNT is tainted, which is written before anything else happens to it; it takes no calls any more. CALL is about to remove or
 * move it, and has no state of its own yet. 0 when that is durable, -EAGAIN (return it), -errno.
 */
int mount_taint(struct call *call, struct mount *mount) NODISCARD;
/*
 * CALL is about to remove or move MOUNT, in which it does not run: until CALL ends, or for good, no call runs in it. 0 when
 * what such calls have committed before is made as well (call_on_commit), -EAGAIN.
 */
int mount_leave(struct call *call, struct mount *mount) NODISCARD;
/* CALL ends: the mount that it was about to remove takes calls again, if it is still there. */
void call_stay(struct call_private *call);
/* CALL begins to commit; what it does is over. */
void call_commits_in_mount(struct call_private *call);
void call_ends_in_mount(struct call_private *call);

/* --- backup.c */

/* Whether the store is a restored backup: reads its marks; waits for the disk. 0 or a negative errno. */
int core_read_restored(struct core *core) NODISCARD;
/* At unseal: notes it, where that is not done yet. */
int core_mark_restored(struct call *call) NODISCARD;

/* --- core.c */

/* It was sealed or unsealed. */
void core_tell_seal(struct core *core);

/* --- init.c */

/* Initialises the store in memory. 0, or a negative errno with WHY. */
int core_start_dev(struct core *core, char *why, size_t why_size) NODISCARD;

extern const struct engine system_engine, kubernetes_engine, kv_engine;
