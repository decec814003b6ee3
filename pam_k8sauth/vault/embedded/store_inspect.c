/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at all pages of a large store while it is used, by a thread and a connection of its own. It sees the file without
 * its log: the store thread has brought all of that into the file, and brings nothing more while this runs, so the file stands
 * still. For SQLite that is an immutable file: it takes no lock, and writes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/thread.h"
#include "vault/embedded/store_sqlite.h"

struct store_inspection {
	pthread_t thread;
	sqlite3 *sqlite;
	atomic_bool stop, over;
	int r;
	store_verdict_fn *verdict;
	void *arg;
};

/* PATH as the URI of a file that nobody changes. NULL without memory. */
static char *uri_of(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
	static const char scheme[] = "file:", query[] = "?immutable=1";
	char *uri = malloc(sizeof(scheme) + 3 * strlen(path) + sizeof(query)), *to = uri;

	if (!uri)
		return NULL;
	to = stpcpy(to, scheme);
	for (; *path; path++)
		to += sprintf(to, strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
	strcpy(to, query);
	return uri;
}

static void *look(void *arg)
{
	struct store_inspection *inspection = arg;
	char what[STORE_WHAT_SIZE] = "";
	int r = store_check(inspection->sqlite, "PRAGMA quick_check(1)", what, sizeof(what));

	/* SQLite may call well what it has seen so far. */
	if (r == 0 && atomic_load(&inspection->stop))
		r = -EINTR;
	inspection->r = r;
	inspection->verdict(inspection->arg, r, what);
	atomic_store(&inspection->over, true);
	return NULL;
}

int store_inspect(const char *path, store_verdict_fn *verdict, void *arg, struct store_inspection **ret)
{
	struct store_inspection *inspection = calloc(1, sizeof(*inspection));
	char *uri AUTO_FREE = uri_of(path);
	int rc, r;

	if (!inspection || !uri) {
		free(inspection);
		return -ENOMEM;
	}
	inspection->verdict = verdict;
	inspection->arg = arg;
	rc = sqlite3_open_v2(uri, &inspection->sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	/* Each page is needed once. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(inspection->sqlite, "PRAGMA cache_size=-256; PRAGMA cell_size_check=ON", NULL, NULL, NULL);
	r = store_db_errno(inspection->sqlite, rc);
	if (r == 0)
		r = thread_start(&inspection->thread, look, inspection);
	if (r < 0) {
		sqlite3_close(inspection->sqlite);
		free(inspection);
		return r;
	}
	*ret = inspection;
	return 0;
}

bool store_inspection_is_over(const struct store_inspection *inspection)
{
	return atomic_load(&inspection->over);
}

int store_inspection_stop(struct store_inspection *inspection)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int r;

	if (!inspection)
		return 0;
	atomic_store(&inspection->stop, true);
	/* Again and again: it is forgotten where the statement has not begun yet. */
	while (!atomic_load(&inspection->over)) {
		sqlite3_interrupt(inspection->sqlite);
		nanosleep(&pause, NULL);
	}
	pthread_join(inspection->thread, NULL);
	sqlite3_close(inspection->sqlite);
	r = inspection->r;
	free(inspection);
	return r;
}

/* --- what is known of it at the next start */

/* The file's name; NULL without memory. */
static char *mark_of(const char *path)
{
	char *mark;

	return asprintf(&mark, "%s" STORE_DAMAGED_SUFFIX, path) < 0 ? NULL : mark;
}

void store_mark_damaged(const char *path, const char *what)
{
	char *mark AUTO_FREE = mark_of(path);
	int fd AUTO_CLOSE = mark ? open(mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;

	/* Its being there is what counts. */
	if (fd < 0 || write(fd, what, strlen(what)) < 0 || fsync(fd) < 0)
		log_warning("cannot write %s: %s", mark ? mark : "the mark of a damaged store", strerror(errno));
}

bool store_is_marked_damaged(const char *path)
{
	char *mark AUTO_FREE = mark_of(path);

	return !mark || access(mark, F_OK) == 0;
}

void store_unmark_damaged(const char *path)
{
	char *mark AUTO_FREE = mark_of(path);

	if (mark && unlink(mark) == 0)
		log_notice("store: %s was found to be damaged, and all of its pages are good now", path);
}
