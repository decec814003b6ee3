/* SPDX-License-Identifier: Apache-2.0 */
/* The store: durability, waiting for what is in flight, batches, lists, eviction. */
#include "store_fixture.h"

static void test_survives_reopen(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	open_store(f);
	assert_int_equal(put(f, "a/b/c", "one"), 0);
	assert_int_equal(put(f, "a/b/d", ""), 0);
	assert_value(f, "a/b/c", "one");
	reopen(f);
	assert_value(f, "a/b/c", "one");
	assert_value(f, "a/b/d", "");
	assert_absent(f, "a/b/");
	assert_absent(f, "nothing");
	assert_int_equal(put(f, "a/b/c", "two"), 0);
	assert_int_equal(delete_one(f, "a/b/d", false), 0);
	reopen(f);
	assert_value(f, "a/b/c", "two");
	assert_absent(f, "a/b/d");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* What was committed and answered must be there after the process was killed. */
static void test_survives_kill(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child;

	child = fork();
	if (child == 0) {
		open_store(f);
		if (put(f, "x/y", "kept") != 0)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	open_store(f);
	assert_value(f, "x/y", "kept");
	assert_list(f, "x/", "y ");
}

static void test_waits_for_flight(void **state)
{
	struct fixture *f = *state;
	struct wait wait = { .waiter = { .wake = on_wake } };
	struct result first = { 0 }, second = { 0 };
	struct store_key key = key_of("k");
	struct store_entry *entry;
	struct store_blob value;
	struct store_txn *txn;
	char is[64];
	unsigned waits;

	open_store(f);
	assert_int_equal(put(f, "k", "old"), 0);
	assert_int_equal(get(f, "k", is, &waits), 0);
	assert_int_equal(waits, 0); /* the writer left it in the cache */

	txn = store_txn_new();
	add_put(txn, "k", "new", 3);
	assert_int_equal(store_commit(f->store, txn, false, on_committed, &first), 0);
	txn = store_txn_new();
	add_delete(txn, "k", false);
	assert_int_equal(store_commit(f->store, txn, false, on_committed, &second), 0);

	assert_int_equal(store_get(f->store, &key, &wait.waiter, &entry, &value), -EAGAIN);
	assert_int_equal(wait.wakes, 0);
	while (!wait.wakes)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	/* Woken only when the last of both is durable. */
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 1);
	assert_int_equal(store_get(f->store, &key, &wait.waiter, &entry, &value), -ENOENT);
	store_unpin(f->store, entry);
	store_unpin(f->store, entry);

	/* Who forgot to wait is not woken. */
	txn = store_txn_new();
	add_put(txn, "k", "third", 5);
	assert_int_equal(store_commit(f->store, txn, true, on_committed, &first), 0);
	assert_int_equal(store_get(f->store, &key, &wait.waiter, &entry, &value), -EAGAIN);
	store_forget(&wait.waiter);
	while (first.calls < 2)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	assert_int_equal(wait.wakes, 1);
	store_unpin(f->store, entry);
	assert_value(f, "k", "third");
}

/* Everything of one turn, whether it fits one SQLite transaction or comes while the thread works. */
static void test_batches(void **state)
{
	struct fixture *f = *state;
	struct result results[300] = { 0 };
	char name[32], value[32];
	bool all;

	open_store(f);
	for (int i = 0; i < 300; i++) {
		struct store_txn *txn = store_txn_new();

		snprintf(name, sizeof(name), "batch/%d", i);
		snprintf(value, sizeof(value), "value %d", i);
		add_put(txn, name, value, strlen(value));
		assert_int_equal(store_commit(f->store, txn, i % 2, on_committed, &results[i]), 0);
		if (i % 50 == 49)
			event_base_loop(f->base, EVLOOP_NONBLOCK);
	}
	do {
		event_base_loop(f->base, EVLOOP_ONCE);
		all = true;
		for (int i = 0; i < 300; i++)
			all = all && results[i].calls == 1;
	} while (!all);
	reopen(f);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "batch/%d", i);
		snprintf(value, sizeof(value), "value %d", i);
		assert_value(f, name, value);
	}
}

/* --- what is prepared */

static struct store_txn *prepared(struct fixture *f, const char *path, const char *value)
{
	struct store_txn *txn = store_txn_new();

	add_put(txn, path, value, strlen(value));
	store_prepare(f->store, txn, true);
	return txn;
}

static void commit_prepared(struct fixture *f, struct store_txn *txn)
{
	struct result result = { 0 };

	assert_int_equal(store_commit(f->store, txn, true, on_committed, &result), 0);
	while (!result.calls)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	assert_int_equal(result.r, 0);
}

/* Lets the thread come to it, which nothing shows: what is prepared shows in no answer. */
static void let_prepare(void)
{
	struct timespec moment = { .tv_nsec = 2000000 };

	nanosleep(&moment, NULL);
}

static void test_prepared(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txn;

	open_store(f);
	txn = prepared(f, "p/early", "committed");
	commit_prepared(f, txn); /* perhaps before the thread came to it */
	assert_value(f, "p/early", "committed");
	txn = prepared(f, "p/late", "committed");
	let_prepare();
	commit_prepared(f, txn);
	assert_value(f, "p/late", "committed");
	reopen(f);
	assert_value(f, "p/early", "committed");
	assert_value(f, "p/late", "committed");
}

/* Reads, lists and other commits come between, and see nothing of it; it is committed all the same. */
static void test_prepared_and_others(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txn;

	open_store(f);
	txn = prepared(f, "q/one", "1");
	let_prepare();
	assert_list(f, "q/", "");
	commit_prepared(f, txn);
	txn = prepared(f, "q/two", "2");
	let_prepare();
	assert_absent(f, "q/two");
	commit_prepared(f, txn);
	txn = prepared(f, "r/one", "1");
	let_prepare();
	assert_int_equal(put(f, "r/two", "2"), 0);
	reopen(f); /* as if the daemon had ended then */
	assert_absent(f, "r/one");
	assert_value(f, "r/two", "2");
	/* Of the store that was closed: to this one it is new. */
	store_txn_free(txn);
	assert_value(f, "q/one", "1");
	assert_value(f, "q/two", "2");
	assert_list(f, "r/", "two ");
}

static void test_abandoned(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txn;

	open_store(f);
	store_abandon(f->store, NULL);
	store_abandon(f->store, prepared(f, "a/one", "1"));
	txn = prepared(f, "a/two", "2");
	let_prepare();
	store_abandon(f->store, txn);
	assert_int_equal(put(f, "a/three", "3"), 0);
	assert_list(f, "a/", "three ");
	store_abandon(f->store, prepared(f, "a/four", "4")); /* left to the end */
	reopen(f);
	assert_list(f, "a/", "three ");
}

/* A kill after the preparation, which has reached the file: nothing of it is there. */
static void test_prepared_and_killed(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child;

	child = fork();
	if (child == 0) {
		open_store(f);
		if (put(f, "x/y", "kept") != 0)
			_exit(1);
		(void)prepared(f, "x/z", "never");
		let_prepare();
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	open_store(f);
	assert_list(f, "x/", "y ");
}

/* --- what reaches the disk: libsqlite3 finds this one first */

static unsigned flushes;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	__atomic_add_fetch(&flushes, 1, __ATOMIC_SEQ_CST);
	return fsync(fd);
}

/* Every transaction is flushed before it counts as durable, unless all of its batch are relaxed. */
static void test_flushes(void **state)
{
	struct fixture *f = *state;
	struct store_txn *relaxed, *full;
	struct result one = { 0 }, two = { 0 };
	unsigned before;

	open_store(f);
	for (int i = 0; i < 6; i++) {
		before = __atomic_load_n(&flushes, __ATOMIC_SEQ_CST);
		relaxed = store_txn_new();
		add_put(relaxed, "a", &"0123456"[i], 1); /* the same bytes again would be no write */
		assert_int_equal(commit(f, relaxed, i % 2), 0);
		if (i % 2)
			assert_int_equal(__atomic_load_n(&flushes, __ATOMIC_SEQ_CST), before);
		else
			assert_true(__atomic_load_n(&flushes, __ATOMIC_SEQ_CST) > before);
	}
	before = __atomic_load_n(&flushes, __ATOMIC_SEQ_CST);
	relaxed = store_txn_new();
	full = store_txn_new();
	add_put(relaxed, "b", "1", 1);
	add_put(full, "c", "1", 1);
	assert_int_equal(store_commit(f->store, full, false, on_committed, &one), 0);
	assert_int_equal(store_commit(f->store, relaxed, true, on_committed, &two), 0);
	while (!one.calls || !two.calls)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	assert_true(__atomic_load_n(&flushes, __ATOMIC_SEQ_CST) > before);
}

/* What was committed is finished, and said, when the store is closed. */
static void test_close_finishes(void **state)
{
	struct fixture *f = *state;
	struct result results[20] = { 0 };
	struct list list = { 0 };
	struct store_key key = key_of("c/");
	char name[32];

	open_store(f);
	for (int i = 0; i < 20; i++) {
		struct store_txn *txn = store_txn_new();

		snprintf(name, sizeof(name), "c/%d", i);
		add_put(txn, name, "1", 1);
		assert_int_equal(store_commit(f->store, txn, true, on_committed, &results[i]), 0);
	}
	assert_int_equal(store_list(f->store, &key, on_listed, &list), 0);
	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < 20; i++)
		assert_int_equal(results[i].calls, 1);
	assert_int_equal(list.calls, 1);
	open_store(f);
	assert_value(f, "c/19", "1");
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txn;
	struct result result = { 0 };

	open_store(f);
	assert_list(f, "", "");
	assert_int_equal(put(f, "a/b/c", "1"), 0);
	assert_int_equal(put(f, "a/b/d", "1"), 0);
	assert_int_equal(put(f, "a/e", "1"), 0);
	assert_list(f, "", "a/ ");
	assert_list(f, "a/", "b/ e ");
	assert_list(f, "a/b/", "c d ");
	/* A folder goes with its last record, and comes back. */
	assert_int_equal(delete_one(f, "a/b/c", false), 0);
	assert_list(f, "a/", "b/ e ");
	assert_int_equal(delete_one(f, "a/b/d", false), 0);
	assert_list(f, "a/", "e ");
	assert_int_equal(delete_one(f, "a/b/d", false), 0);
	assert_int_equal(delete_one(f, "a/e", false), 0);
	assert_list(f, "", "");
	assert_int_equal(put(f, "a/b/c", "2"), 0);
	assert_list(f, "a/", "b/ ");
	/* A list shows what was committed before it was asked for, though nothing of it is durable yet. */
	txn = store_txn_new();
	add_put(txn, "a/z", "1", 1);
	assert_int_equal(store_commit(f->store, txn, false, on_committed, &result), 0);
	assert_list(f, "a/", "b/ z ");
}

static void test_delete_tree(void **state)
{
	struct fixture *f = *state;

	open_store(f);
	assert_int_equal(put(f, "m/1/a", "1"), 0);
	assert_int_equal(put(f, "m/1/b/c/d", "1"), 0);
	assert_int_equal(put(f, "m/1/b/e", "1"), 0);
	assert_int_equal(put(f, "m/2/a", "1"), 0);
	assert_int_equal(delete_one(f, "m/1/", true), 0);
	assert_list(f, "m/", "2/ ");
	assert_list(f, "m/1/", "");
	assert_list(f, "m/1/b/c/", "");
	assert_value(f, "m/2/a", "1");
	assert_int_equal(delete_one(f, "m/2/", true), 0);
	assert_list(f, "", "");
	/* Nor does the cache have it, for whoever uses the name next. */
	assert_absent(f, "m/1/b/c/d");
	assert_absent(f, "m/2/a");
	reopen(f);
	assert_absent(f, "m/1/b/c/d");
	assert_absent(f, "m/2/a");
}

/* A write behind the removal, before that is on the disk. */
static void test_written_after_delete_tree(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txn = store_txn_new();
	struct result result = { 0 };

	open_store(f);
	assert_int_equal(put(f, "m/a", "1"), 0);
	add_delete(txn, "m/", true);
	assert_int_equal(store_commit(f->store, txn, false, on_committed, &result), 0);
	assert_int_equal(put(f, "m/a", "2"), 0);
	assert_int_equal(result.calls, 1);
	assert_value(f, "m/a", "2");
	reopen(f);
	assert_value(f, "m/a", "2");
}

static void test_eviction(void **state)
{
	struct fixture *f = *state;
	struct wait wait = { .waiter = { .wake = on_wake } };
	struct store_key key = key_of("e/0");
	struct store_entry *pinned;
	struct store_blob value;
	char big[2000], name[32], is[64];
	unsigned waits;

	open_store(f);
	store_set_cache_max(f->store, 20000);
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 40; i++) {
		struct store_txn *txn = store_txn_new();

		snprintf(name, sizeof(name), "e/%d", i);
		add_put(txn, name, big, sizeof(big));
		assert_int_equal(commit(f, txn, true), 0);
		if (i == 0)
			assert_int_equal(store_get(f->store, &key, &wait.waiter, &pinned, &value), 0);
	}
	/* The latest is there, an old one has to be read again, the pinned one stayed. */
	assert_int_equal(get(f, "e/39", is, &waits), 0);
	assert_int_equal(waits, 0);
	assert_int_equal(get(f, "e/0", is, &waits), 0);
	assert_int_equal(waits, 0);
	assert_int_equal(get(f, "e/1", is, &waits), 0);
	assert_int_equal(waits, 1);
	store_unpin(f->store, pinned);
	/* That there is nothing is remembered, too. */
	assert_int_equal(get(f, "none", is, &waits), -ENOENT);
	assert_int_equal(waits, 1);
	assert_int_equal(get(f, "none", is, &waits), -ENOENT);
	assert_int_equal(waits, 0);
}

static void test_meta(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txn = store_txn_new();
	struct store_blob value;

	open_store(f);
	assert_int_equal(store_meta_get(f->store, "keyring", &value), -ENOENT);
	assert_int_equal(store_txn_meta(txn, "keyring", blob_of("K", 1)), 0);
	add_put(txn, "r", "1", 1);
	assert_int_equal(commit(f, txn, false), 0);
	reopen(f);
	assert_int_equal(store_meta_get(f->store, "keyring", &value), 0);
	assert_int_equal(value.len, 1);
	assert_int_equal(value.data[0], 'K');
	free(value.data);
}

static void test_in_memory(void **state)
{
	struct fixture *f = *state;
	char why[512];

	assert_int_equal(store_open(f->base, NULL, &f->store, why, sizeof(why)), 0);
	assert_int_equal(put(f, "a/b", "1"), 0);
	store_set_cache_max(f->store, 0);
	assert_value(f, "a/b", "1");
	assert_list(f, "a/", "b ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_survives_reopen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_survives_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prepared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prepared_and_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abandoned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prepared_and_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flushes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close_finishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_after_delete_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eviction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_meta, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
