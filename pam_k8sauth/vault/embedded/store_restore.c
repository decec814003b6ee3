/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup that lies beside the store (STORE_RESTORE_SUFFIX, put there by `k8sauth operator restore`) takes its place
 * at the start, before anything is opened. What was there is kept. Each step can be interrupted: the next start goes on,
 * and there is never no store.
 *
 * The restored store is marked (STORE_META_RESTORED) with the time, because it is older than what it is used with:
 * what it says has ended may have been renewed since (auth_token/restored.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/store_sqlite.h"

#define PATH_SIZE 4096

/* Opens PATH for this process alone. */
static int open_alone(const char *path, sqlite3 **ret)
{
	int rc = sqlite3_open_v2(path, ret, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		rc = sqlite3_exec(*ret, "PRAGMA cell_size_check=ON; PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; COMMIT;",
		    NULL, NULL, NULL);
	}
	return store_db_errno(*ret, rc);
}

/* -EBUSY where another daemon uses the store; a broken one is no obstacle. Closing it brings its log into the file. */
static int check_unused(const char *path)
{
	sqlite3 *sqlite = NULL;
	int r;

	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = open_alone(path, &sqlite);
	sqlite3_close(sqlite);
	return r == -EBUSY ? -EBUSY : 0;
}

static int put_mark(sqlite3 *sqlite)
{
	static const char text[] =
	    "INSERT OR REPLACE INTO meta(name,value) VALUES('" STORE_META_RESTORED "',?1)"
	    " UNION ALL SELECT '" STORE_META_RESTORED_FROM "',value FROM meta WHERE name='" STORE_META_BACKUP "'";
	sqlite3_stmt *put = NULL;
	char mark[64];
	int rc = sqlite3_prepare_v2(sqlite, text, -1, &put, NULL);

	snprintf(mark, sizeof(mark), "{\"time\":%lld}", (long long)time(NULL));
	if (rc == SQLITE_OK) {
		sqlite3_bind_blob(put, 1, mark, (int)strlen(mark), SQLITE_STATIC);
		rc = sqlite3_step(put);
	}
	sqlite3_finalize(put);
	return store_db_errno(sqlite, rc);
}

/* Whole, of a format that is known, marked. */
static int make_ready(const char *path, char *why, size_t why_size)
{
	sqlite3 *sqlite = NULL;
	char what[256] = "";
	int format = 0, r;

	r = open_alone(path, &sqlite);
	if (r < 0)
		snprintf(what, sizeof(what), "%s", sqlite ? sqlite3_errmsg(sqlite) : "no memory");
	if (r == 0)
		r = store_schema_read(sqlite, path, &format, what, sizeof(what));
	if (r == 0)
		r = store_check(sqlite, "PRAGMA quick_check(1)", what, sizeof(what));
	if (r == 0) {
		r = put_mark(sqlite);
		if (r < 0)
			snprintf(what, sizeof(what), "%s", sqlite3_errmsg(sqlite));
	}
	sqlite3_close(sqlite);
	if (r < 0)
		snprintf(why, why_size, "the backup %s cannot be restored: %s; remove it to start with the store as it is",
		    path, what);
	return r;
}

/* Renames PATH OLD to PATH NEW. 0 also where there is no such file. */
static int move(const char *path, const char *old, const char *new, char *why, size_t why_size)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	snprintf(from, sizeof(from), "%s%s", path, old);
	snprintf(to, sizeof(to), "%s%s", path, new);
	if (rename(from, to) == 0 || errno == ENOENT)
		return 0;
	snprintf(why, why_size, "cannot rename %s to %s: %s", from, to, strerror(errno));
	return -errno;
}

/* Keeps the file at PATH under another name too. */
static int keep_old(const char *path, char *why, size_t why_size)
{
	char kept[PATH_SIZE];
	int r = 0;

	snprintf(kept, sizeof(kept), "%s" STORE_REPLACED_SUFFIX, path);
	if (unlink(kept) < 0 && errno != ENOENT)
		r = -errno;
	if (r == 0 && link(path, kept) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		snprintf(why, why_size, "cannot keep %s as %s: %s", path, kept, strerror(-r));
	return r;
}

/* The new names are on the disk. */
static int flush_folder(const char *path)
{
	AUTO_FREE char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int fd AUTO_CLOSE = -1;

	if (!slash)
		return folder ? 0 : -ENOMEM;
	slash[slash == folder] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The old store's log must never meet the new store. */
static int replace(const char *path, char *why, size_t why_size)
{
	int r = move(path, "-wal", STORE_REPLACED_SUFFIX "-wal", why, why_size);

	if (r == 0)
		r = keep_old(path, why, why_size);
	if (r == 0)
		r = flush_folder(path);
	if (r == 0)
		r = move(path, STORE_RESTORE_SUFFIX, "", why, why_size);
	return r < 0 ? r : flush_folder(path);
}

int store_restore(const char *path, char *why, size_t why_size)
{
	char staged[PATH_SIZE];
	struct stat st;
	int r;

	if ((size_t)snprintf(staged, sizeof(staged), "%s" STORE_RESTORE_SUFFIX, path) >= sizeof(staged) ||
	    lstat(staged, &st) < 0)
		return 0;
	r = S_ISREG(st.st_mode) ? check_unused(path) : -EPROTO;
	if (r == -EBUSY)
		snprintf(why, why_size, "%s is in use by another k8sauthd: stop that one first", path);
	else if (r < 0)
		snprintf(why, why_size, "cannot restore %s: %s", staged,
		    r == -EPROTO ? "it is not a regular file" : strerror(-r));
	if (r == 0)
		r = make_ready(staged, why, why_size);
	if (r == 0)
		r = replace(path, why, why_size);
	if (r == 0)
		log_notice("store: restored %s from the backup; the store that was there is kept as %s" STORE_REPLACED_SUFFIX
			   ": remove it when all is well",
		    path, path);
	return r;
}
