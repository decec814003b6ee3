/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the store share: the loop's side (store.c, store_cache.c) and the thread's (store_thread.c).
 */
#pragma once

#include <pthread.h>

#include "vault/embedded/store.h"

enum store_op_kind {
	STORE_PUT,
	STORE_DELETE,
	STORE_DELETE_TREE,
	STORE_META,
};

struct store_op {
	STAILQ_ENTRY(store_op) link;
	enum store_op_kind kind;
	struct store_node *nodes; /* only the keys are set where something is removed */
	size_t n_nodes;
	struct store_blob value;
	char *meta_name;
	struct store_key *removed; /* what STORE_DELETE_TREE found, by the thread: the cache may have some of it */
	size_t n_removed, removed_size;
};

struct store_txn {
	TAILQ_ENTRY(store_txn) link;
	STAILQ_HEAD(, store_op) ops;
	struct store_entry **entries; /* the loop's: one for each STORE_PUT and STORE_DELETE, pinned, in flight */
	size_t n_ops, n_entries;
	bool relaxed;
	bool prepared; /* was given to be: the thread may be reading it */
	store_committed_fn *committed;
	void *arg;
	int r;
};

enum store_load_kind {
	STORE_LOAD_RECORD,
	STORE_LOAD_META,
	STORE_LOAD_CHILDREN, /* after the writes handed over with it */
};

struct store_load {
	TAILQ_ENTRY(store_load) link;
	enum store_load_kind kind;
	struct store_key key;
	const char *meta_name;
	struct store_entry *entry; /* the loop's; pinned */
	store_listed_fn *listed;
	void *arg;
	int r;
	bool done;
	struct store_blob value;
	struct store_child *children;
	size_t n_children;
};

#define STORE_COPY_SUFFIX ".backup" /* of the store's path: the copy that is being made */

#define STORE_DAMAGED_SUFFIX ".damaged" /* of the store's path: the mark that it is */
#define STORE_WHAT_SIZE	     256	/* SQLite's words for what is damaged */

/* What looking at all pages came to: 0, -EBADMSG with WHAT is damaged, -EINTR, -ENOMEM, another negative errno. */
typedef void store_verdict_fn(void *arg, int r, const char *what);

struct sqlite3;
struct sqlite3_backup;

/* A copy of the whole store on its way. */
struct store_copy {
	struct store_blob mark; /* becomes its meta entry STORE_META_BACKUP */
	store_copied_fn *copied;
	void *arg;
	/* the thread's, until it is done */
	char *path;
	struct sqlite3 *to;
	struct sqlite3_backup *backup;
	int fd; /* of the copy, open for reading; -1 */
	uint64_t size;
	int r;
	char why[512];
};

TAILQ_HEAD(store_txns, store_txn);
TAILQ_HEAD(store_loads, store_load);

/* The thread's own things and the two queues between it and the loop; nothing else is shared. */
struct store_thread {
	pthread_t thread;
	char *path;  /* NULL: in memory */
	int wake_fd; /* eventfd: results are waiting */

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct store_txns txns, done_txns;
	struct store_loads loads, done_loads;
	struct store_txn *prepare;   /* NULL: nothing to prepare */
	struct store_txns abandoned; /* were prepared; the thread frees them */
	struct store_copy *copy, *done_copy; /* to be made; made, or failed. NULL */
	bool inspect; /* all pages are to be looked at */
	struct store_verdict {
		bool known;
		int r;
		char why[512]; /* of -EBADMSG */
	} verdict;
	bool stop;
	bool opened;
	int open_r;
	char why[512];
};

/* Starts the thread and waits until it opened the store. */
int store_thread_start(struct store_thread *thread, const char *path, char *why, size_t why_size) NODISCARD;
/* Lets it finish what it has, and joins it. */
void store_thread_stop(struct store_thread *thread);
/* Hands the lists over (they are empty afterwards). */
void store_thread_give(struct store_thread *thread, struct store_txns *txns, struct store_loads *loads);
void store_thread_prepare(struct store_thread *thread, struct store_txn *txn);
void store_thread_abandon(struct store_thread *thread, struct store_txn *txn);
/* Begins COPY (its owner is the thread until store_thread_take_copy). */
void store_thread_copy(struct store_thread *thread, struct store_copy *copy);
/* The copy that is done; NULL. */
struct store_copy *store_thread_take_copy(struct store_thread *thread);
/* Begins to look at all pages, unless that was done at the opening. */
void store_thread_inspect(struct store_thread *thread);
/* What is known of the pages since the last time; whether anything is. Damage that is met by the way is told in the same way. */
bool store_thread_take_verdict(struct store_thread *thread, struct store_verdict *ret);
/* What WAKE_FD says is known. Before store_thread_take: a later result writes again. */
void store_thread_drain(struct store_thread *thread);
/* Takes what is done. */
void store_thread_take(struct store_thread *thread, struct store_txns *txns, struct store_loads *loads);

/* --- the connection, used by the thread alone: store_sqlite.c
 * ---------------------------------------------------------- */

struct store_db;

int store_db_open(const char *path, struct store_db **ret, char *why, size_t why_size) NODISCARD;
void store_db_close(struct store_db *db);
/* Writes TXN, all but its COMMIT. A failure shows when it is committed. */
void store_db_prepare(struct store_db *db, struct store_txn *txn);
/* Undoes what is prepared: all of it, or TXN. */
void store_db_unprepare(struct store_db *db);
void store_db_forget(struct store_db *db, const struct store_txn *txn);
/* Sets every transaction's r. */
void store_db_commit(struct store_db *db, struct store_txns *txns);
/*
 * Brings what the log has into the file when there is enough of it: the disk takes its time for that, so it is done
 * when nobody waits (IDLE), or when the log gets too long.
 */
void store_db_checkpoint(struct store_db *db, bool idle);
/*
 * Begins to look at all pages, unless that was done at the opening: VERDICT is called once, on another thread. 0, or a
 * negative errno: it is not called.
 */
int store_db_inspect(struct store_db *db, store_verdict_fn *verdict, void *arg) NODISCARD;
/* The damage that was met by the way (WHAT of store_verdict_fn), once; NULL. */
const char *store_db_damage(struct store_db *db);
/* Sets LOAD's r and result. */
void store_db_load(struct store_db *db, struct store_load *load);

/* --- damage */

/* The damage WHAT of the store at PATH, with the remedy. */
void store_say_damaged(const char *path, const char *what, char *why, size_t why_size);

/* That the store at PATH was found to be damaged is remembered by a file beside it (STORE_DAMAGED_SUFFIX). */
void store_mark_damaged(const char *path, const char *what);
bool store_is_marked_damaged(const char *path);
void store_unmark_damaged(const char *path);

/* --- copies, made by the thread: store_copy.c */

/* 0, or a negative errno (COPY's r and why). */
int store_copy_begin(struct store_db *db, struct store_copy *copy) NODISCARD;
/* Copies some more. 0: it is whole; -EAGAIN: go on; other errno: COPY's r and why. */
int store_copy_step(struct store_db *db, struct store_copy *copy) NODISCARD;
/* Lets go of all but what is handed back: the descriptor of a whole copy, or why there is none. */
void store_copy_end(struct store_copy *copy);
void store_copy_free(struct store_copy *copy);

/* --- the cache: store_cache.c
 * ------------------------------------------------------------------------------------------ */

enum store_entry_state {
	STORE_UNKNOWN, /* not read yet, or a commit to it failed */
	STORE_ABSENT,
	STORE_PRESENT,
};

struct store_entry {
	struct store_key key;
	struct store_entry *next_in_bucket;
	TAILQ_ENTRY(store_entry) lru; /* the head is the latest */
	TAILQ_HEAD(, store_waiter) waiters;
	enum store_entry_state state;
	unsigned pins;
	unsigned in_flight; /* transactions on their way */
	bool loading;
	struct store_blob value;
};

#define STORE_BUCKETS 65536u /* keys are a MAC's output: any 16 bits of them are a good hash */

struct store_cache {
	struct store_entry **buckets;
	TAILQ_HEAD(store_lru, store_entry) lru;
	size_t used, max; /* bytes */
};

int store_cache_init(struct store_cache *cache) NODISCARD;
void store_cache_free(struct store_cache *cache);
/* The entry of KEY, made if there is none, pinned once more. NULL without memory. */
struct store_entry *store_cache_pin(struct store_cache *cache, const struct store_key *key);
/* The entry of KEY, as it is; NULL for none. */
struct store_entry *store_cache_find(const struct store_cache *cache, const struct store_key *key);
/* Sets what the record is now; VALUE is taken over. */
void store_cache_set(
    struct store_cache *cache, struct store_entry *entry, enum store_entry_state state, struct store_blob value);
void store_cache_unpin(struct store_cache *cache, struct store_entry *entry);
/* Gives the oldest entries back that nobody holds, until the cache is within its limit. */
void store_cache_trim(struct store_cache *cache);
