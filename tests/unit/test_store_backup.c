/* SPDX-License-Identifier: Apache-2.0 */
/* Backups made while the store is written, and put back. */
#include <fcntl.h>
#include <sqlite3.h>

#include "store_fixture.h"

struct copied {
	unsigned calls;
	int r, fd;
	uint64_t size;
	char why[512];
};

static void on_copied(void *arg, int r, int fd, uint64_t size, const char *why)
{
	struct copied *copied = arg;

	copied->calls++;
	copied->r = r;
	copied->fd = fd;
	copied->size = size;
	snprintf(copied->why, sizeof(copied->why), "%s", why);
}

static void start_backup(struct fixture *f, struct copied *copied)
{
	assert_int_equal(store_backup(f->store, blob_of("mark", 4), on_copied, copied), 0);
}

static void wait_copied(struct fixture *f, struct copied *copied)
{
	while (!copied->calls)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
}

/* Writes what the descriptor gives to PATH with SUFFIX. */
static void save(const struct fixture *f, struct copied *copied, const char *suffix)
{
	char path[160], buffer[65536];
	uint64_t size = 0;
	ssize_t n;
	int fd;

	assert_int_equal(copied->r, 0);
	snprintf(path, sizeof(path), "%s%s", f->path, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while ((n = read(copied->fd, buffer, sizeof(buffer))) > 0) {
		assert_int_equal(write(fd, buffer, (size_t)n), n);
		size += (uint64_t)n;
	}
	assert_int_equal(size, copied->size);
	close(fd);
	close(copied->fd);
}

static bool exists(const struct fixture *f, const char *suffix)
{
	char path[160];

	snprintf(path, sizeof(path), "%s%s", f->path, suffix);
	return access(path, F_OK) == 0;
}

static void put_pair(struct fixture *f, int i)
{
	struct store_txn *txn = store_txn_new();
	char name[32], value[2000];

	memset(value, 'a' + i % 26, sizeof(value));
	snprintf(name, sizeof(name), "a/%d", i);
	add_put(txn, name, value, sizeof(value));
	snprintf(name, sizeof(name), "b/%d", i);
	add_put(txn, name, value, sizeof(value));
	assert_int_equal(commit(f, txn, i % 2), 0);
}

/* What is committed while the pages are copied is in the copy whole, or not at all; what was there before, always. */
static void test_while_writing(void **state)
{
	struct fixture *f = *state;
	struct copied copied = { 0 };
	int before = 1500, n = before;
	char name[32], is[64];

	open_store(f);
	for (int i = 0; i < before; i++)
		put_pair(f, i);
	start_backup(f, &copied);
	while (!copied.calls) {
		put_pair(f, n % before); /* a page that is copied already, perhaps */
		put_pair(f, n++);
	}
	assert_true(n > before);
	assert_false(exists(f, ".backup"));
	save(f, &copied, STORE_RESTORE_SUFFIX);
	put_pair(f, 1000000);
	reopen(f);
	assert_non_null(strstr(last_log, "restored"));
	for (int i = 0; i < n; i++) {
		int a, b;

		snprintf(name, sizeof(name), "a/%d", i);
		a = get(f, name, is, NULL);
		snprintf(name, sizeof(name), "b/%d", i);
		b = get(f, name, is, NULL);
		assert_int_equal(a, b);
		assert_true(a == 0 || i >= before);
	}
	assert_absent(f, "a/1000000");
	assert_false(exists(f, STORE_RESTORE_SUFFIX));
	assert_true(exists(f, STORE_REPLACED_SUFFIX));
}

static void test_marks(void **state)
{
	struct fixture *f = *state;
	struct copied copied = { 0 };
	struct store_blob mark = { 0 };

	open_store(f);
	assert_int_equal(put(f, "a", "1"), 0);
	assert_int_equal(store_meta_get(f->store, STORE_META_BACKUP, &mark), -ENOENT);
	start_backup(f, &copied);
	assert_int_equal(store_backup(f->store, blob_of("", 0), on_copied, &copied), -EBUSY);
	wait_copied(f, &copied);
	save(f, &copied, STORE_RESTORE_SUFFIX);
	reopen(f);
	assert_int_equal(store_meta_get(f->store, STORE_META_BACKUP, &mark), 0);
	assert_memory_equal(mark.data, "mark", 4);
	free(mark.data);
	assert_int_equal(store_meta_get(f->store, STORE_META_RESTORED, &mark), 0);
	assert_memory_equal(mark.data, "{\"time\":", 8);
	free(mark.data);
	assert_value(f, "a", "1");
	/* And once more from there. */
	copied = (struct copied){ 0 };
	start_backup(f, &copied);
	wait_copied(f, &copied);
	save(f, &copied, STORE_RESTORE_SUFFIX);
	reopen(f);
	assert_value(f, "a", "1");
}

/* A backup that somebody changed on its way: what he put into it is not obeyed, not even once. */
static void test_changed_backup(void **state)
{
	struct fixture *f = *state;
	struct copied copied = { 0 };
	struct store *store;
	char path[160], why[512];
	sqlite3 *sqlite;

	open_store(f);
	assert_int_equal(put(f, "a", "1"), 0);
	start_backup(f, &copied);
	wait_copied(f, &copied);
	save(f, &copied, STORE_RESTORE_SUFFIX);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof(path), "%s" STORE_RESTORE_SUFFIX, f->path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, "CREATE TRIGGER t BEFORE INSERT ON meta BEGIN DELETE FROM record; END", NULL,
			     NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(sqlite);
	assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "that k8sauthd did not make"));
	assert_int_equal(unlink(path), 0);
	open_store(f);
	assert_value(f, "a", "1");
}

/* Refused, and the store that is there stays and can be used. */
static void test_bad_backups(void **state)
{
	struct fixture *f = *state;
	struct copied copied = { 0 };
	struct store *store;
	char path[160], why[512];

	open_store(f);
	for (int i = 0; i < 100; i++)
		put_pair(f, i);
	start_backup(f, &copied);
	wait_copied(f, &copied);
	save(f, &copied, STORE_RESTORE_SUFFIX);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof(path), "%s" STORE_RESTORE_SUFFIX, f->path);
	assert_int_equal(truncate(path, 100000), 0);
	assert_true(store_open(f->base, f->path, &store, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "cannot be restored"));
	assert_non_null(strstr(why, "remove it to start with the store as it is"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EPROTO);
	assert_int_equal(rmdir(path), 0);
	open_store(f);
	assert_false(exists(f, STORE_REPLACED_SUFFIX));
}

/* A store that a daemon uses is not replaced under it; one that is broken is. */
static void test_replaced_store(void **state)
{
	struct fixture *f = *state;
	struct copied copied = { 0 };
	struct store *store;
	char why[512];
	FILE *file;
	pid_t child;
	int status;

	open_store(f);
	assert_int_equal(put(f, "a", "1"), 0);
	start_backup(f, &copied);
	wait_copied(f, &copied);
	save(f, &copied, STORE_RESTORE_SUFFIX);
	child = fork();
	if (child == 0)
		_exit(store_open(f->base, f->path, &store, why, sizeof(why)) == -EBUSY && strstr(why, "in use") ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	store_close(f->store);
	f->store = NULL;
	file = fopen(f->path, "w");
	assert_non_null(file);
	fputs("no store at all", file);
	fclose(file);
	open_store(f);
	assert_value(f, "a", "1");
}

static void test_in_memory(void **state)
{
	struct fixture *f = *state;
	struct copied copied = { 0 };
	char why[512];

	assert_int_equal(store_open(f->base, NULL, &f->store, why, sizeof(why)), 0);
	assert_int_equal(store_backup(f->store, blob_of("", 0), on_copied, &copied), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_while_writing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_backup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_backups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
