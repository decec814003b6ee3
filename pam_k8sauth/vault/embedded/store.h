/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: opaque records in SQLite behind one thread that owns the connection, so that no disk ever stops the loop
 * (decision 1, experiments.md E4). Everything here is called on the loop. Records are found by a 32-byte key; each has
 * a parent and a sealed name, so that children can be listed; what keys, names and values mean is the barrier's matter.
 * What the loop commits in one turn becomes one SQLite transaction; the next ones collect while the thread works.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/macros.h"

#define STORE_KEY_SIZE	32
#define STORE_VALUE_MAX (4 * 1024 * 1024)  /* bytes of one record */
#define STORE_CACHE_MAX (16 * 1024 * 1024) /* bytes of records kept on the loop's side */
#define STORE_LIST_MAX	1000000		   /* children of one parent */

struct store;

struct store_key {
	uint8_t bytes[STORE_KEY_SIZE];
};

/* Bytes with their length; owned by whom the context says. */
struct store_blob {
	uint8_t *data;
	size_t len;
};

/*
 * Opens the store at PATH (made with mode 0600 if there is none), NULL: in memory. Waits for the disk. 0, or a negative
 * errno with WHY: -EBUSY a second daemon has it, -EPROTO not a store of ours or a newer one's, -EBADMSG damaged, else the disk's.
 */
int store_open(struct event_base *base, const char *path, struct store **ret, char *why, size_t why_size) NODISCARD;

/*
 * Opening looks at all pages of a small store, and at some of a large one. From now on DAMAGED is called, from the loop and once,
 * when the store turns out to be damaged (WHY: where, and what to do): the other pages are looked at in the background, and
 * whatever is read or written may meet a bad one. The next opening looks at all pages.
 */
typedef void store_damaged_fn(void *arg, const char *why);
void store_watch(struct store *store, store_damaged_fn *damaged, void *arg);

/* Finishes what was committed (callbacks run), ends the thread. */
void store_close(struct store *store);

/* Where the cache may be smaller: for tests. */
void store_set_cache_max(struct store *store, size_t max);

/* --- reading
 * -------------------------------------------------------------------------------------------------------------- */

/* A record in the cache. Pinned by whom got it from store_get: it stays, and shows every commit, until unpinned. */
struct store_entry;

/* Who waits for a record. Waits for one thing at a time. */
struct store_waiter {
	TAILQ_ENTRY(store_waiter) link;
	struct store_entry *entry; /* NULL: does not wait */
	/* R: 0 (ask again), or the negative errno of the read. Called once, from the loop, never from store_get. */
	void (*wake)(struct store_waiter *waiter, int r);
};

/*
 * 0 with the record's bytes (the entry's own, until the loop's next turn), -ENOENT, or -EAGAIN: WAITER will be woken
 * when the record was read, or when the writes to it that are on their way are durable. *RET_ENTRY is pinned in all of
 * these. -ENOMEM pins nothing.
 */
int store_get(struct store *store, const struct store_key *key, struct store_waiter *waiter,
    struct store_entry **ret_entry, struct store_blob *ret) NODISCARD;
void store_unpin(struct store *store, struct store_entry *entry);
/* Stops waiting. */
void store_forget(struct store_waiter *waiter);

struct store_child {
	struct store_key key;
	struct store_blob name;
};

/*
 * R is 0 or a negative errno (-EFBIG: more than STORE_LIST_MAX). Who wants to keep *CHILDREN, which come from malloc as
 * their names do, sets it to NULL.
 */
typedef void store_listed_fn(void *arg, struct store_child **children, size_t n, int r);

/*
 * The children of PARENT, after everything that was committed before this call. 0 or -ENOMEM; LISTED is called from the
 * loop.
 */
int store_list(struct store *store, const struct store_key *parent, store_listed_fn *listed, void *arg) NODISCARD;

/* A setting outside the records ("keyring"); waits for the disk: at start only. 0, -ENOENT, -EIO, -ENOMEM. */
int store_meta_get(struct store *store, const char *name, struct store_blob *ret) NODISCARD;

/* --- writing
 * -------------------------------------------------------------------------------------------------------------- */

/* One step of a record's way up: itself first, then each folder above it. NAME is sealed. */
struct store_node {
	struct store_key key, parent;
	struct store_blob name;
};

/* Writes that happen together or not at all. */
struct store_txn;

struct store_txn *store_txn_new(void) NODISCARD;
/* Of one that was never prepared. */
void store_txn_free(struct store_txn *txn);
/* NODES (n >= 1; the names' bytes and VALUE's are taken over, also on failure). 0 or -ENOMEM. */
int store_txn_put(struct store_txn *txn, const struct store_node *nodes, size_t n, struct store_blob value) NODISCARD;
/* Removes the record and folders above it that are empty then: KEYS is the record's, then each folder's above. */
int store_txn_delete(struct store_txn *txn, const struct store_key *keys, size_t n) NODISCARD;
/* Removes the folder KEYS[0] with all below it, and folders above that are empty then. */
int store_txn_delete_tree(struct store_txn *txn, const struct store_key *keys, size_t n) NODISCARD;
/* VALUE is taken over, also on failure. */
int store_txn_meta(struct store_txn *txn, const char *name, struct store_blob value) NODISCARD;

/* R is 0 or a negative errno (-ENOSPC, -EROFS, -EIO). */
typedef void store_committed_fn(void *arg, int r);

/*
 * Commits TXN (taken over) with the loop's turn. COMMITTED is called from the loop when it is on the disk (RELAXED: in
 * the log, which a power failure may lose); until then its keys make store_get wait.
 * 0, or -ENOMEM: nothing happens, TXN is freed.
 */
int store_commit(
    struct store *store, struct store_txn *txn, bool relaxed, store_committed_fn *committed, void *arg) NODISCARD;

/*
 * TXN will perhaps be committed, with this RELAXED: the thread writes it already, all but its COMMIT, which nothing
 * shows before that; other work undoes it. TXN stays the caller's, who must not change it any more, and ends it by
 * store_commit or store_abandon.
 */
void store_prepare(struct store *store, struct store_txn *txn, bool relaxed);
/* Gives TXN up, prepared or not. NULL: nothing. */
void store_abandon(struct store *store, struct store_txn *txn);
/* Hands over what was committed, instead of at the end of the loop's turn. */
void store_flush(struct store *store);

/* --- backups
 * -------------------------------------------------------------------------------------------------------------- */

#define STORE_META_BACKUP   "backup"   /* a copy's: the mark that it was given */
#define STORE_META_CLUSTER  "cluster"  /* a store's: its cluster's id, which is no secret */
#define STORE_META_RESTORED "restored" /* a store's that was one: {"time": unix seconds} (store_restore.c) */
#define STORE_META_RESTORED_FROM "restored-from" /* of which that is the time: a copy of its STORE_META_BACKUP */

/* Added to the store's path: a backup that shall take its place at the next start; what was replaced. */
#define STORE_RESTORE_SUFFIX  ".restore"
#define STORE_REPLACED_SUFFIX ".before-restore"

/*
 * R is 0 with FD (the callback's), open for reading at the start of a whole store of SIZE bytes that has no name any
 * more, or a negative errno with WHY.
 */
typedef void store_copied_fn(void *arg, int r, int fd, uint64_t size, const char *why);

/*
 * Copies the store as it is at the end of the copying, while it is used. MARK (taken over, also on failure) is kept in
 * the copy. 0; -EBUSY: another copy is under way; -EOPNOTSUPP: the store is in memory; -ENOMEM.
 */
int store_backup(struct store *store, struct store_blob mark, store_copied_fn *copied, void *arg) NODISCARD;

/* Waits (at most TIMEOUT_MS) for the thread's next results and runs their callbacks: where no loop runs (start, stop).
 */
void store_pump(struct store *store, int timeout_ms);
