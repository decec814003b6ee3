/* SPDX-License-Identifier: Apache-2.0 */
/* What opening (store_sqlite_open.c) and using (store_sqlite.c) the connection share. */
#pragma once

#include <sqlite3.h>

#include "vault/embedded/store_internal.h"

#define KNOWN_FOLDERS	 256
#define CHECKPOINT_PAGES 1000
#define CHECKPOINT_LATE	 4000 /* no waiting for an idle moment any more */

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
};

/* What SQLite's last failure is in errno's words. */
int store_db_errno(sqlite3 *sqlite, int rc);
