/* SPDX-License-Identifier: Apache-2.0 */
/* The store where it cannot be opened or written: it says so, loses nothing, and goes on when the fault is gone. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "store_fixture.h"

/* In a process of its own, because SQLite's locks belong to one. */
static void test_second_daemon(void **state)
{
	struct fixture *f = *state;
	int up[2], down[2], status;
	struct store *second;
	char why[512], byte;
	pid_t child;

	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	child = fork();
	if (child == 0) {
		close(down[1]);
		open_store(f);
		if (write(up[1], "x", 1) != 1)
			_exit(1);
		_exit((int)read(down[0], &byte, 1));
	}
	assert_int_equal(read(up[0], &byte, 1), 1);
	assert_int_equal(store_open(f->base, f->path, &second, why, sizeof(why)), -EBUSY);
	assert_non_null(strstr(why, "in use by another k8sauthd"));
	close(down[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	open_store(f);
	close(up[0]);
	close(up[1]);
	close(down[0]);
}

static void test_refused_files(void **state)
{
	struct fixture *f = *state;
	struct store *second;
	char why[512];
	FILE *file;

	file = fopen(f->path, "w");
	assert_non_null(file);
	fputs("this is no database at all, but some text", file);
	fclose(file);
	assert_int_equal(store_open(f->base, f->path, &second, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, f->path));

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("/dev/null", f->path), 0);
	assert_int_equal(store_open(f->base, f->path, &second, why, sizeof(why)), -ELOOP);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(store_open(f->base, f->path, &second, why, sizeof(why)), -EISDIR);
	assert_int_equal(rmdir(f->path), 0);
	snprintf(f->path, sizeof(f->path), "%s/missing/store.db", f->dir);
	assert_int_equal(store_open(f->base, f->path, &second, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "No such file"));
}

/* --- a disk that is full, and heals */

static int put_big(struct fixture *f, const char *name)
{
	struct store_txn *txn = store_txn_new();
	size_t len = 200000;
	char *big = malloc(len);

	memset(big, 'x', len);
	add_put(txn, name, big, len);
	free(big);
	return commit(f, txn, false);
}

static void trouble_by_limit(struct fixture *f)
{
	struct rlimit limit, before;

	open_store(f);
	assert_int_equal(put(f, "a", "before"), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(put_big(f, "b") < 0);
	assert_true(put_big(f, "a") < 0);
	assert_non_null(strstr(last_log, "cannot write"));
	/* What is there can be read, and what failed is not there. */
	assert_value(f, "a", "before");
	assert_absent(f, "b");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(put_big(f, "b"), 0);
	assert_non_null(strstr(last_log, "can be written again"));
	reopen(f);
	assert_value(f, "a", "before");
}

static void test_size_limit(void **state)
{
	struct fixture *f = *state;
	struct rlimit before;

	getrlimit(RLIMIT_FSIZE, &before);
	trouble_by_limit(f);
	setrlimit(RLIMIT_FSIZE, &before);
}

/* In a mount namespace of its own: a tmpfs of 1 MiB, then the same read-only. Exit status 0, or the failed step. */
static int full_and_read_only(struct fixture *f)
{
	char why[512];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("tmpfs", f->dir, "tmpfs", 0, "size=1m") < 0)
		return 77;
	open_store(f);
	if (put(f, "a", "1") != 0)
		return 1;
	for (int i = 0; i < 20 && put_big(f, "b/1") == 0 && put_big(f, "b/2") == 0 && put_big(f, "b/3") == 0; i++)
		if (put_big(f, "b/4") < 0 || put_big(f, "b/5") < 0)
			break;
	if (put(f, "a", "lost") != -ENOSPC && put_big(f, "c") != -ENOSPC)
		return 2;
	if (mount(NULL, f->dir, NULL, MS_REMOUNT, "size=8m") < 0 || put_big(f, "c") != 0)
		return 3;
	store_close(f->store);
	if (mount(NULL, f->dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 ||
	    store_open(f->base, f->path, &f->store, why, sizeof(why)) != -EROFS || !strstr(why, f->path) ||
	    !strstr(why, "Read-only file system"))
		return 4;
	return 0;
}

static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0) {
		int r = unshare(CLONE_NEWNS) < 0 ? 77 : full_and_read_only(f);

		_exit(r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_second_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
