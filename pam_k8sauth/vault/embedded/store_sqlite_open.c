/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the store's SQLite file: settings, checks, statements. */
#include "vault/embedded/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <k8sauth/limits.h>

static const char *const statement_text[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET] = "SELECT value FROM record WHERE key=?1 AND value IS NOT NULL",
	[PUT] = "INSERT INTO record(key,parent,name,value) VALUES(?1,?2,?3,?4)"
		" ON CONFLICT(key) DO UPDATE SET value=excluded.value",
	[FOLDER] = "INSERT INTO record(key,parent,name,value) VALUES(?1,?2,?3,NULL) ON CONFLICT(key) DO NOTHING",
	[DELETE] = "DELETE FROM record WHERE key=?1",
	[PRUNE] = "DELETE FROM record WHERE key=?1 AND value IS NULL"
		  " AND NOT EXISTS(SELECT 1 FROM record WHERE parent=?1)",
	[DELETE_TREE] = "WITH RECURSIVE folder(key) AS (VALUES(?1) UNION ALL"
			" SELECT r.key FROM record r JOIN folder f ON r.parent=f.key WHERE r.value IS NULL)"
			" DELETE FROM record WHERE parent IN (SELECT key FROM folder) RETURNING key",
	[CHILDREN] = "SELECT key,name FROM record WHERE parent=?1",
	[META_GET] = "SELECT value FROM meta WHERE name=?1",
	[META_PUT] = "INSERT INTO meta(name,value) VALUES(?1,?2)"
		     " ON CONFLICT(name) DO UPDATE SET value=excluded.value",
};

static int on_wal_commit(void *arg, sqlite3 *sqlite, const char *name, int pages)
{
	struct store_db *db = arg;

	db->wal_pages = pages;
	return SQLITE_OK;
}

/* EXCLUSIVE: one daemon, no shared memory file. WAL: a commit is one write and one flush. */
static int set_up_connection(struct store_db *db)
{
	int rc;

	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	rc = sqlite3_exec(db->sqlite,
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
	    "cell_size_check=ON;"
	    "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA "
	    "journal_size_limit=16777216;"
	    "BEGIN IMMEDIATE; COMMIT;",
	    NULL, NULL, NULL);
	/* Instead of SQLite's own checkpoints, which happen inside of a commit that somebody waits for. */
	sqlite3_wal_hook(db->sqlite, on_wal_commit, db);
	db->checkpoint_at = CHECKPOINT_PAGES;
	return store_db_errno(db->sqlite, rc);
}

/* --- whether it is whole */

void store_say_damaged(const char *path, const char *what, char *why, size_t why_size)
{
	snprintf(why, why_size,
	    "%s is damaged (%s): put a backup in its place with `k8sauth operator restore`, and look at the disk", path, what);
}

/* All pages: none is missing, or is what it should not be. */
static int look_at_all(struct store_db *db, char *why, size_t why_size)
{
	char what[STORE_WHAT_SIZE];
	int r = store_check(db->sqlite, "PRAGMA quick_check(1)", what, sizeof(what));

	if (r == -EBADMSG)
		store_say_damaged(db->path, what, why, why_size);
	else if (r < 0)
		snprintf(why, why_size, "cannot check %s: %s", db->path, what);
	else
		store_unmark_damaged(db->path);
	return r;
}

/* The way from each tree's root down to both of its ends; SQLite has compared the file's length with what it should be. */
static int look_at_ends(struct store_db *db, char *why, size_t why_size)
{
	int first = 0, r = store_pragma_int(db->sqlite,
		       "SELECT (SELECT min(id) FROM record), (SELECT max(id) FROM record), (SELECT min(key) FROM record),"
		       " (SELECT max(key) FROM record), (SELECT min(parent) FROM record),"
		       " (SELECT max(parent) FROM record), (SELECT min(name) FROM meta), (SELECT max(name) FROM meta)",
		       &first);

	if (r == -EBADMSG)
		store_say_damaged(db->path, sqlite3_errmsg(db->sqlite), why, why_size);
	else if (r < 0)
		snprintf(why, why_size, "cannot read %s: %s", db->path, sqlite3_errmsg(db->sqlite));
	return r;
}

/*
 * Before anything is written: what is torn would only get worse. A large store is looked at as a whole when it is in use
 * already (store_db_inspect), unless it was found to be damaged in that way, or all of it is about to be written.
 */
static int check_pages(struct store_db *db, int format, char *why, size_t why_size)
{
	int pages = 0, r = store_pragma_int(db->sqlite, "PRAGMA page_count", &pages);

	if (r < 0) {
		snprintf(why, why_size, "cannot read %s: %s", db->path, sqlite3_errmsg(db->sqlite));
		return r;
	}
	db->unseen = pages > INSPECT_PAGES && format == STORE_FORMAT && !store_is_marked_damaged(db->path);
	return db->unseen ? look_at_ends(db, why, why_size) : look_at_all(db, why, why_size);
}

/* --- opening */

static int prepare_statements(struct store_db *db, char *why, size_t why_size)
{
	for (int i = 0; i < N_STATEMENTS; i++) {
		int rc = sqlite3_prepare_v3(
		    db->sqlite, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);

		if (rc != SQLITE_OK) {
			snprintf(why, why_size, "%s does not have the expected tables: %s", db->path,
			    sqlite3_errmsg(db->sqlite));
			return store_db_errno(db->sqlite, rc);
		}
	}
	return 0;
}

/* SQLite would make the file with the umask's mode, and says little where it cannot. */
static int make_file(const char *path, char *why, size_t why_size)
{
	int fd AUTO_CLOSE = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		snprintf(why, why_size, "cannot open %s for writing: %s%s", path, strerror(-r),
		    r == -EROFS || r == -EACCES
			? " (outside of " K8SAUTH_STATE_DIR " it needs a folder of the user " K8SAUTH_USER
			  ", and ReadWritePaths= in a drop-in of k8sauthd.service)"
			: "");
		return r;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%s is not a regular file", path);
		return -EPROTO;
	}
	return 0;
}

static int open_connection(struct store_db *db, char *why, size_t why_size)
{
	int format = 0, rc, r;

	rc = sqlite3_open_v2(
	    db->path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	r = store_db_errno(db->sqlite, rc);
	if (r == 0)
		r = set_up_connection(db);
	if (r == -EBUSY)
		snprintf(why, why_size, "%s is in use by another k8sauthd: stop that one first", db->path);
	else if (r == -EBADMSG)
		store_say_damaged(db->path, sqlite3_errmsg(db->sqlite), why, why_size);
	else if (r < 0)
		snprintf(why, why_size, "cannot open %s: %s", db->path,
		    db->sqlite ? sqlite3_errmsg(db->sqlite) : "no memory");
	if (r < 0)
		return r;
	r = store_schema_read(db->sqlite, db->path, &format, why, why_size);
	if (r == -EBADMSG)
		store_say_damaged(db->path, sqlite3_errmsg(db->sqlite), why, why_size);
	if (r == 0)
		r = check_pages(db, format, why, why_size);
	if (r == 0)
		r = store_schema_bring(db->sqlite, db->path, why, why_size);
	return r < 0 ? r : prepare_statements(db, why, why_size);
}

/* A copy that a daemon was making when it was killed. The store's lock is ours: nobody makes one now. */
static void remove_copy(const struct store_db *db)
{
	char *copy AUTO_FREE = NULL;

	if (asprintf(&copy, "%s" STORE_COPY_SUFFIX, db->path) < 0)
		copy = NULL;
	else
		(void)unlink(copy);
}

int store_db_open(const char *path, struct store_db **ret, char *why, size_t why_size)
{
	struct store_db *db;
	int r = path ? store_restore(path, why, why_size) : 0;

	if (r == 0 && path)
		r = make_file(path, why, why_size);
	if (r < 0)
		return r;
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	db->path = strdup(path ? path : ":memory:");
	r = db->path ? open_connection(db, why, why_size) : -ENOMEM;
	if (r < 0) {
		store_db_close(db);
		return r;
	}
	if (path)
		remove_copy(db);
	*ret = db;
	return 0;
}

void store_db_close(struct store_db *db)
{
	store_db_end_inspection(db);
	/* Into a damaged file nothing is brought any more: its log keeps what was written since. */
	if (db->damaged)
		sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	for (int i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	free(db->path);
	free(db);
}
