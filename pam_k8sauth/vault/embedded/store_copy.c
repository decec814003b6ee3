/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the store while it is used, made by the store thread between its other work, some pages at a time. SQLite
 * brings what is committed meanwhile into the pages that are copied already, so the copy is the store of the moment in
 * which the last page was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "vault/embedded/store_sqlite.h"

#define COPY_STEP_PAGES 256		    /* a mebibyte: about as long as a commit takes */
#define COPY_LEAVE_FREE (64 * 1024 * 1024) /* bytes of the disk: a backup is no reason to refuse writes */

PRINTF_LIKE(3, 4)
static int fail(struct store_copy *copy, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(copy->why, sizeof(copy->why), format, args);
	va_end(args);
	copy->r = r;
	return r;
}

static int check_room(struct store_db *db, struct store_copy *copy)
{
	struct statvfs disk;
	int pages = 0, size = 0, r;
	uint64_t needed, room;

	r = store_pragma_int(db->sqlite, "PRAGMA page_count", &pages);
	if (r == 0)
		r = store_pragma_int(db->sqlite, "PRAGMA page_size", &size);
	if (r < 0 || statvfs(db->path, &disk) < 0)
		return fail(copy, r < 0 ? r : -errno, "cannot tell how large %s is", db->path);
	needed = (uint64_t)pages * (uint64_t)size;
	room = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (room < needed + COPY_LEAVE_FREE)
		return fail(copy, -ENOSPC,
		    "a backup takes %llu MiB beside %s, and 64 MiB are to stay free there: there are %llu",
		    (unsigned long long)(needed >> 20), db->path, (unsigned long long)(room >> 20));
	return 0;
}

/* The file is ours alone, and gone from its folder as soon as the copy is whole. */
static int open_target(struct store_db *db, struct store_copy *copy)
{
	if (asprintf(&copy->path, "%s" STORE_COPY_SUFFIX, db->path) < 0) {
		copy->path = NULL;
		return fail(copy, -ENOMEM, "no memory");
	}
	if (unlink(copy->path) < 0 && errno != ENOENT)
		return fail(copy, -errno, "cannot remove %s: %s", copy->path, strerror(errno));
	copy->fd = open(copy->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (copy->fd < 0)
		return fail(copy, -errno, "cannot create %s: %s", copy->path, strerror(errno));
	/* It need not survive a crash: whoever takes it, writes it where it is to stay. */
	if (sqlite3_open_v2(copy->path, &copy->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_exec(copy->to, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF",
		NULL, NULL, NULL) != SQLITE_OK)
		return fail(copy, -EIO, "cannot use %s: %s", copy->path,
		    copy->to ? sqlite3_errmsg(copy->to) : "no memory");
	return 0;
}

int store_copy_begin(struct store_db *db, struct store_copy *copy)
{
	int r = check_room(db, copy);

	if (r == 0)
		r = open_target(db, copy);
	if (r < 0)
		return r;
	copy->backup = sqlite3_backup_init(copy->to, "main", db->sqlite, "main");
	return copy->backup ? 0 : fail(copy, -EIO, "cannot begin: %s", sqlite3_errmsg(copy->to));
}

/* Without a log beside it, and with the mark that says what it is. */
static int complete(struct store_copy *copy)
{
	sqlite3_stmt *put = NULL;
	struct stat st;
	int rc = sqlite3_exec(copy->to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(copy->to, "INSERT OR REPLACE INTO meta(name,value) VALUES(?1,?2)", -1, &put,
		    NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(put, 1, STORE_META_BACKUP, -1, SQLITE_STATIC);
		sqlite3_bind_blob64(put, 2, copy->mark.data, copy->mark.len, SQLITE_STATIC);
		rc = sqlite3_step(put);
	}
	sqlite3_finalize(put);
	if (rc != SQLITE_DONE)
		return fail(copy, store_db_errno(copy->to, rc), "cannot complete it: %s", sqlite3_errmsg(copy->to));
	sqlite3_close(TAKE_PTR(copy->to));
	if (fstat(copy->fd, &st) < 0)
		return fail(copy, -errno, "cannot look at %s", copy->path);
	copy->size = (uint64_t)st.st_size;
	return 0;
}

int store_copy_step(struct store_db *db, struct store_copy *copy)
{
	int rc, r;

	if (db->prepared) /* SQLite copies nothing beside an open transaction */
		store_db_unprepare(db);
	rc = sqlite3_backup_step(copy->backup, COPY_STEP_PAGES);
	if (rc == SQLITE_OK)
		return -EAGAIN;
	r = store_db_errno(copy->to, rc);
	if (rc != SQLITE_DONE)
		return fail(copy, r < 0 ? r : -EIO, "cannot write %s: %s", copy->path, sqlite3_errstr(rc));
	sqlite3_backup_finish(TAKE_PTR(copy->backup));
	return complete(copy);
}

void store_copy_end(struct store_copy *copy)
{
	if (copy->backup)
		sqlite3_backup_finish(TAKE_PTR(copy->backup));
	sqlite3_close(TAKE_PTR(copy->to));
	if (copy->path)
		unlink(copy->path);
	if (copy->r < 0 && copy->fd >= 0)
		close(TAKE_FD(copy->fd));
}

void store_copy_free(struct store_copy *copy)
{
	if (!copy)
		return;
	cleanup_close(&copy->fd);
	free(copy->path);
	free(copy->mark.data);
	free(copy);
}
