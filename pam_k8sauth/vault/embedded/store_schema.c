/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the store's file, and how those of an older k8sauthd become them: step by step, all steps and the new
 * number in one transaction, so that a crash or a full disk leaves the old store as it was.
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/store_sqlite.h"

/*
 * Rows are appended, and found by indexes of small entries: in a tree of the keys, which look random, each record of
 * some hundred bytes made its page split, and a login wrote seven pages. A folder has no value, and lives as long as it
 * is not empty.
 */
#define META_TABLE "CREATE TABLE meta(name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID"
#define RECORD_TABLE                                                                               \
	"CREATE TABLE record(id INTEGER PRIMARY KEY, key BLOB NOT NULL, parent BLOB NOT NULL,"     \
	" name BLOB NOT NULL, value BLOB)"
#define RECORD_KEY    "CREATE UNIQUE INDEX record_key ON record(key)"
#define RECORD_PARENT "CREATE INDEX record_parent ON record(parent)"
/* Of format 1: one tree of keys, without rowids. */
#define RECORD_TABLE_1                                                                   \
	"CREATE TABLE record(key BLOB PRIMARY KEY NOT NULL, parent BLOB NOT NULL,"       \
	" name BLOB NOT NULL, value BLOB) WITHOUT ROWID"

static const char tables[] = META_TABLE ";" RECORD_TABLE ";" RECORD_KEY ";" RECORD_PARENT ";";

/* What makes a store of a format one of the next. */
static const char *const steps[STORE_FORMAT] = {
	[1] = "DROP INDEX record_parent; ALTER TABLE record RENAME TO record_1;" RECORD_TABLE ";"
	      "INSERT INTO record(key,parent,name,value) SELECT key,parent,name,value FROM record_1;"
	      "DROP TABLE record_1;" RECORD_KEY ";" RECORD_PARENT ";",
};

/* All that a file of a format has. */
static const char *const known[STORE_FORMAT + 1][5] = {
	[1] = { META_TABLE, RECORD_TABLE_1, RECORD_PARENT, NULL },
	[2] = { META_TABLE, RECORD_TABLE, RECORD_KEY, RECORD_PARENT, NULL },
};

/* Runs STEPS from FROM on, and says what the file is then, in one transaction. */
static int change(sqlite3 *sqlite, const char *const *texts, int from)
{
	char mark[96];
	int rc = sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	for (int format = from; rc == SQLITE_OK && format < STORE_FORMAT; format++)
		rc = sqlite3_exec(sqlite, texts[format], NULL, NULL, NULL);
	snprintf(mark, sizeof(mark), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", STORE_APPLICATION,
	    STORE_FORMAT);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sqlite, mark, NULL, NULL, NULL);
	return store_db_errno(sqlite, rc);
}

static void undo(sqlite3 *sqlite)
{
	if (!sqlite3_get_autocommit(sqlite))
		sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
}

static int create(sqlite3 *sqlite)
{
	const char *const texts[STORE_FORMAT] = { [STORE_FORMAT - 1] = tables };

	return change(sqlite, texts, STORE_FORMAT - 1);
}

static int migrate(sqlite3 *sqlite, const char *path, int format, char *why, size_t why_size)
{
	int r = change(sqlite, steps, format);

	if (r < 0)
		snprintf(why, why_size, "%s has format %d and cannot be brought to format %d: %s; it is as it was", path,
		    format, STORE_FORMAT, sqlite3_errmsg(sqlite));
	else
		log_notice("store: %s was of format %d, and has format %d now: older versions of k8sauthd refuse it", path,
		    format, STORE_FORMAT);
	return r;
}

/* The indexes that SQLite makes by itself have no text. */
static bool is_known(int format, const char *text)
{
	for (const char *const *one = known[format]; text && *one; one++)
		if (streq(*one, text))
			return true;
	return !text;
}

/*
 * A trigger, a view in the place of a table, a constraint: a file from elsewhere could have some, and make what is
 * revoked stay, without any key.
 */
static int check_schema(sqlite3 *sqlite, const char *path, int format, char *why, size_t why_size)
{
	sqlite3_stmt *statement = NULL;
	bool good = true;
	int rc = sqlite3_prepare_v2(sqlite, "SELECT sql FROM sqlite_schema", -1, &statement, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW)
			good = good && is_known(format, (const char *)sqlite3_column_text(statement, 0));
	}
	sqlite3_finalize(statement);
	if (rc != SQLITE_DONE)
		snprintf(why, why_size, "cannot read %s: %s", path, sqlite3_errmsg(sqlite));
	else if (!good)
		snprintf(why, why_size, "%s has tables, triggers or the like that k8sauthd did not make", path);
	return rc != SQLITE_DONE ? store_db_errno(sqlite, rc) : good ? 0 : -EPROTO;
}

int store_schema_read(sqlite3 *sqlite, const char *path, int *ret_format, char *why, size_t why_size)
{
	int id = 0, format = 0, n = 0, r;

	r = store_pragma_int(sqlite, "PRAGMA application_id", &id);
	if (r == 0)
		r = store_pragma_int(sqlite, "PRAGMA user_version", &format);
	if (r == 0)
		r = store_pragma_int(sqlite, "SELECT count(*) FROM sqlite_schema", &n);
	if (r < 0) {
		snprintf(why, why_size, "cannot read %s: %s", path, sqlite3_errmsg(sqlite));
		return r;
	}
	*ret_format = format;
	if (id == 0 && format == 0 && n == 0)
		return 0;
	if (id != STORE_APPLICATION || format < 1) {
		snprintf(why, why_size, "%s is an SQLite file of another program", path);
		return -EPROTO;
	}
	if (format > STORE_FORMAT) {
		snprintf(why, why_size,
		    "%s has format %d, this k8sauthd knows those up to %d: use the version that wrote it", path, format,
		    STORE_FORMAT);
		return -EPROTO;
	}
	return check_schema(sqlite, path, format, why, why_size);
}

int store_schema_bring(sqlite3 *sqlite, const char *path, char *why, size_t why_size)
{
	int format, r = store_schema_read(sqlite, path, &format, why, why_size);

	if (r < 0 || format == STORE_FORMAT)
		return r;
	if (format > 0) {
		r = migrate(sqlite, path, format, why, why_size);
	} else {
		r = create(sqlite);
		if (r < 0)
			snprintf(why, why_size, "cannot create %s: %s", path, sqlite3_errmsg(sqlite));
	}
	if (r < 0)
		undo(sqlite);
	return r;
}
