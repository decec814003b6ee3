/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of another version, and damaged ones: migrated in one transaction, or refused by name and left as they are. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "store_fixture.h"

/* A statement, or several, on the file while no store has it open. */
static void sql(const struct fixture *f, const char *text)
{
	sqlite3 *sqlite;
	char *error = NULL;

	assert_int_equal(sqlite3_open(f->path, &sqlite), SQLITE_OK);
	if (sqlite3_exec(sqlite, text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", text, error);
	sqlite3_close(sqlite);
}

static int number(const struct fixture *f, const char *text)
{
	sqlite3 *sqlite;
	sqlite3_stmt *statement;
	int n;

	assert_int_equal(sqlite3_open(f->path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	n = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return n;
}

/* The tables as format 1 had them, with what the open store holds. */
static void make_format_1(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	sql(f, "BEGIN; CREATE TEMP TABLE kept AS SELECT key,parent,name,value FROM record; DROP TABLE record;"
	       "CREATE TABLE record(key BLOB PRIMARY KEY NOT NULL, parent BLOB NOT NULL, name BLOB NOT NULL, value BLOB) "
	       "WITHOUT ROWID; INSERT INTO record SELECT * FROM kept; CREATE INDEX record_parent ON record(parent);"
	       "PRAGMA user_version=1; COMMIT;");
}

static void test_migrates(void **state)
{
	struct fixture *f = *state;

	open_store(f);
	assert_int_equal(put(f, "a/b", "1"), 0);
	assert_int_equal(put(f, "a/c", "2"), 0);
	make_format_1(f);
	open_store(f);
	assert_non_null(strstr(last_log, "was of format 1, and has format 2 now"));
	assert_value(f, "a/b", "1");
	assert_list(f, "a/", "b c ");
	assert_int_equal(put(f, "a/b", "3"), 0);
	assert_int_equal(delete_one(f, "a/c", false), 0);
	reopen(f);
	assert_value(f, "a/b", "3");
	assert_absent(f, "a/c");
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(number(f, "PRAGMA user_version"), 2);
	assert_int_equal(number(f, "SELECT count(*) FROM sqlite_schema WHERE name IN ('record_key','record_parent')"), 2);
}

/* A disk that fills up on the way: the old store is as it was, and can be migrated later. */
static void test_migration_fails(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, limit;
	struct store *store;
	char why[512], name[32];

	open_store(f);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "a/%d", i);
		assert_int_equal(put(f, name, "some value that takes its place on the disk"), 0);
	}
	make_format_1(f);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(store_open(f->base, f->path, &store, why, sizeof(why)) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(why, "has format 1 and cannot be brought to format 2"));
	assert_non_null(strstr(why, "it is as it was"));
	assert_int_equal(number(f, "PRAGMA user_version"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM record WHERE value IS NOT NULL"), 2000);
	open_store(f);
	assert_value(f, "a/1999", "some value that takes its place on the disk");
}

/* Of a later version: refused with both numbers, and not touched. */
static void test_newer_format(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	char why[512];

	open_store(f);
	assert_int_equal(put(f, "a/b", "1"), 0);
	store_close(f->store);
	f->store = NULL;
	sql(f, "PRAGMA user_version=3");
	assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "has format 3, this k8sauthd knows those up to 2: use the version that wrote it"));
	sql(f, "PRAGMA user_version=2; PRAGMA application_id=7");
	assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "of another program"));
	sql(f, "PRAGMA application_id=0x6b387361");
	open_store(f);
	assert_value(f, "a/b", "1");
}

/* What was put into the file without a key, and would act on every write: refused by name, not obeyed. */
static void test_foreign_schema(void **state)
{
	static const char *const evil[][2] = {
		{ "CREATE TRIGGER stay BEFORE DELETE ON record BEGIN SELECT RAISE(IGNORE); END", "DROP TRIGGER stay" },
		{ "CREATE TABLE more(a)", "DROP TABLE more" },
		{ "CREATE VIEW seen AS SELECT * FROM record", "DROP VIEW seen" },
		{ "CREATE INDEX slow ON record(length(value) || hex(value))", "DROP INDEX slow" },
		{ "ALTER TABLE record ADD COLUMN other CHECK(name IS NOT NULL)", "ALTER TABLE record DROP COLUMN other" },
	};
	struct fixture *f = *state;
	struct store *store;
	char why[512];

	open_store(f);
	assert_int_equal(put(f, "a/b", "1"), 0);
	store_close(f->store);
	f->store = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(evil); i++) {
		sql(f, evil[i][0]);
		assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EPROTO);
		assert_non_null(strstr(why, "that k8sauthd did not make"));
		sql(f, evil[i][1]);
	}
	open_store(f);
	assert_int_equal(delete_one(f, "a/b", false), 0);
}

/* Some pages overwritten with noise, as a failing disk does. */
static void test_damaged(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	char why[512], name[32], noise[4096];
	int fd;

	open_store(f);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "a/%d", i);
		assert_int_equal(put(f, name, "some value that takes its place on the disk"), 0);
	}
	store_close(f->store);
	f->store = NULL;
	memset(noise, 0x5a, sizeof(noise));
	fd = open(f->path, O_WRONLY);
	for (off_t page = 3; page < 8; page++)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), page * 4096), sizeof(noise));
	close(fd);
	assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, f->path));
	assert_non_null(strstr(why, "is damaged ("));
	assert_non_null(strstr(why, "k8sauth operator restore"));
}

/* --- large stores: some pages are looked at before the store is used, all others while it is */

#define LARGE 1200 /* records of two pages */
#define PAGE  4096

static void fill_large(struct fixture *f)
{
	struct store_txn *txn = store_txn_new();
	char name[32], value[2 * PAGE];

	open_store(f);
	memset(value, 'v', sizeof(value));
	for (int i = 0; i < LARGE; i++) {
		snprintf(name, sizeof(name), "a/%d", i);
		add_put(txn, name, value, sizeof(value));
	}
	assert_int_equal(commit(f, txn, false), 0);
}

/* Pages from FIRST (the file's first has number 1) are noise; what they were comes into BEFORE, if there is any. */
static void damage(const struct fixture *f, int first, int n, char *before)
{
	int fd = open(f->path, O_RDWR | O_CLOEXEC);
	char noise[PAGE];

	memset(noise, 0x5a, sizeof(noise));
	for (int page = first; page < first + n; page++) {
		if (before)
			assert_int_equal(pread(fd, before + (page - first) * PAGE, PAGE, (off_t)(page - 1) * PAGE), PAGE);
		assert_int_equal(pwrite(fd, noise, sizeof(noise), (off_t)(page - 1) * PAGE), PAGE);
	}
	close(fd);
}

static void heal(const struct fixture *f, int first, const char *before)
{
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, before, PAGE, (off_t)(first - 1) * PAGE), PAGE);
	close(fd);
}

static void close_store(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static void assert_refused(struct fixture *f)
{
	struct store *store;
	char why[512] = "";

	assert_int_equal(store_open(f->base, f->path, &store, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, f->path));
	assert_non_null(strstr(why, "is damaged ("));
	assert_non_null(strstr(why, "k8sauth operator restore"));
}

struct told {
	unsigned calls;
	char why[512];
};

static void on_damaged(void *arg, const char *why)
{
	struct told *told = arg;

	told->calls++;
	snprintf(told->why, sizeof(told->why), "%s", why);
}

static bool marked(const struct fixture *f)
{
	char mark[160];

	snprintf(mark, sizeof(mark), "%s.damaged", f->path);
	return access(mark, F_OK) == 0;
}

static void wait_told(struct fixture *f, const struct told *told)
{
	while (!told->calls)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	assert_non_null(strstr(told->why, f->path));
	assert_non_null(strstr(told->why, "is damaged ("));
	assert_non_null(strstr(told->why, "k8sauth operator restore"));
	assert_true(marked(f));
}

/* Where a tree begins, or what the file's length says: the start refuses it. */
static void test_large_ends(void **state)
{
	static const char *const trees[] = { "record", "record_key", "record_parent", "meta" };
	struct fixture *f = *state;
	char text[128], before[PAGE];
	int root;

	fill_large(f);
	close_store(f);
	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		snprintf(text, sizeof(text), "SELECT rootpage FROM sqlite_schema WHERE name='%s'", trees[i]);
		root = number(f, text);
		damage(f, root, 1, before);
		assert_refused(f);
		heal(f, root, before);
		open_store(f);
		close_store(f);
	}
	assert_int_equal(truncate(f->path, 1000 * PAGE), 0);
	assert_refused(f);
	assert_false(marked(f));
}

/* Elsewhere it is found while the store is used; the next start looks at all pages first, until they are good again. */
static void test_large_middle(void **state)
{
	struct fixture *f = *state;
	struct told told = { 0 };
	char before[PAGE];

	fill_large(f);
	close_store(f);
	damage(f, LARGE, 1, before);
	open_store(f);
	store_watch(f->store, on_damaged, &told);
	wait_told(f, &told);
	(void)put(f, "a/b", "1");
	assert_int_equal(told.calls, 1);
	close_store(f);
	assert_refused(f);
	assert_refused(f);
	heal(f, LARGE, before);
	open_store(f);
	assert_non_null(strstr(last_log, "was found to be damaged, and all of its pages are good now"));
	assert_false(marked(f));
}

/* A read meets it before anybody has looked at all pages; what is told is not told again by those who look then. */
static void test_large_met(void **state)
{
	struct fixture *f = *state;
	struct told told = { 0 };
	char text[64], value[64];
	int i, r = 0;

	fill_large(f);
	close_store(f);
	damage(f, LARGE, 64, NULL);
	open_store(f);
	for (i = 0; i < LARGE && r == 0; i++) {
		snprintf(text, sizeof(text), "a/%d", i);
		r = get(f, text, value, NULL);
	}
	assert_int_equal(r, -EBADMSG);
	store_watch(f->store, on_damaged, &told);
	wait_told(f, &told);
	for (i = 0; i < 20; i++)
		(void)put(f, "a/b", "1");
	assert_int_equal(told.calls, 1);
}

/* A whole one: it is looked at while it is written, and stays locked against others. */
static void test_large_whole(void **state)
{
	struct fixture *f = *state;
	struct told told = { 0 };
	struct store *second;
	char why[512], name[32];
	pid_t child;
	int status;

	fill_large(f);
	reopen(f);
	*last_log = '\0';
	store_watch(f->store, on_damaged, &told);
	for (int i = 0; !strstr(last_log, "all pages are good"); i++) {
		snprintf(name, sizeof(name), "b/%d", i % 100);
		assert_int_equal(put(f, name, "while it is looked at"), 0);
	}
	assert_int_equal(told.calls, 0);
	assert_false(marked(f));
	child = fork();
	if (child == 0)
		_exit(store_open(f->base, f->path, &second, why, sizeof(why)) == -EBUSY ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	reopen(f);
	assert_value(f, "b/0", "while it is looked at");
	store_watch(f->store, on_damaged, &told); /* closed before it is over */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_migrates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_migration_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_format, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_met, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_whole, setup, teardown),
	};

	/* A write beyond RLIMIT_FSIZE is an error then, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
