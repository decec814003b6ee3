/* SPDX-License-Identifier: Apache-2.0 */
/* What opening (store_sqlite_open.c) and using (store_sqlite.c) the connection share. */
#pragma once

#include <sqlite3.h>

#include "vault/embedded/store_internal.h"

#define KNOWN_FOLDERS	 256
#define CHECKPOINT_PAGES 1000
#define CHECKPOINT_LATE	 4000 /* no waiting for an idle moment any more */
#define INSPECT_PAGES	 1024 /* a file with more is looked at as a whole when it is in use already */
#define INSPECT_WAL	 16384 /* pages that the log may have meanwhile, or as many as the file has */

enum statement { BEGIN, COMMIT, ROLLBACK, GET, PUT, FOLDER, DELETE, PRUNE, DELETE_TREE, CHILDREN, META_GET, META_PUT };

#define N_STATEMENTS (META_PUT + 1)

struct store_db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[N_STATEMENTS];
	char *path;
	bool relaxed;  /* as the connection is set now */
	bool broken;   /* the last write failed: said once, until one succeeds */
	int wal_pages; /* in the log, as of the last commit */
	int checkpoint_at;
	/* Folders that exist for sure: most writes go below the same few. */
	struct store_key known[KNOWN_FOLDERS];
	bool is_known[KNOWN_FOLDERS];
	const struct store_txn *prepared; /* its transaction is open, all is written; NULL */
	bool unseen; /* not all pages were looked at when it was opened: store_db_inspect */
	struct store_inspection *inspection; /* under way, or over; NULL */
	int inspect_wal; /* pages that the log may have meanwhile */
	bool damaged;
	bool untold; /* the damage WHAT, which was met by the way */
	char what[STORE_WHAT_SIZE];
};

#define STORE_APPLICATION 0x6b387361 /* "k8sa": the file's application id */
#define STORE_FORMAT	  2	     /* of its tables: the file's user version */

/* The format of the file: 0 for an empty one. -EPROTO with WHY: not a store, or a newer one's. */
int store_schema_read(sqlite3 *sqlite, const char *path, int *ret_format, char *why, size_t why_size) NODISCARD;
/* Makes the tables, or brings those of an older format to this one. 0, or a negative errno with WHY. */
int store_schema_bring(sqlite3 *sqlite, const char *path, char *why, size_t why_size) NODISCARD;

/* Puts the backup that lies beside PATH, if one does, in its place. 0, or a negative errno with WHY. */
int store_restore(const char *path, char *why, size_t why_size) NODISCARD;

/* The number that TEXT, a statement, gives; *RET is untouched where it gives none. */
int store_pragma_int(sqlite3 *sqlite, const char *text, int *ret) NODISCARD;
/* Runs "PRAGMA quick_check(1)" or "PRAGMA integrity_check(1)": 0, -EBADMSG with what is broken, -EINTR, -ENOMEM. */
int store_check(sqlite3 *sqlite, const char *pragma, char *why, size_t why_size) NODISCARD;

/* --- all pages, while it is used: store_inspect.c */

/*
 * Begins to look at all pages of the file at PATH, which nobody changes until it is over. VERDICT is called once, on another
 * thread. 0, or a negative errno: it is not called.
 */
int store_inspect(const char *path, store_verdict_fn *verdict, void *arg, struct store_inspection **ret) NODISCARD;
bool store_inspection_is_over(const struct store_inspection *inspection);
/* Waits until it is, which it is soon; frees it. What VERDICT was told; 0 for NULL. */
int store_inspection_stop(struct store_inspection *inspection);

/* Ends what store_db_inspect began, if it did; damage that it found is known then. */
void store_db_end_inspection(struct store_db *db);

/* What SQLite's last failure is in errno's words. */
int store_db_errno(sqlite3 *sqlite, int rc);
