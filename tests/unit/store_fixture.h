/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the store share: a store in a directory of its own, records whose keys are their names. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/log.h"
#include "vault/embedded/store.h"

#define MAYBE_UNUSED __attribute__((unused))

struct fixture {
	struct event_base *base;
	struct store *store;
	char dir[64], path[128];
};

MAYBE_UNUSED static char last_log[1024];

MAYBE_UNUSED static void keep_log(int level, const char *ref, const char *line)
{
	(void)level;
	(void)ref;
	/* The thread logs while the loop waits for it. */
	snprintf(last_log, sizeof(last_log), "%s", line);
}

MAYBE_UNUSED static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_sink(keep_log);
	strcpy(f->dir, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	f->base = event_base_new();
	*state = f;
	return 0;
}

MAYBE_UNUSED static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	store_close(f->store);
	event_base_free(f->base);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

MAYBE_UNUSED static void open_store(struct fixture *f)
{
	char why[512] = "";

	if (store_open(f->base, f->path, &f->store, why, sizeof(why)) < 0)
		fail_msg("%s", why);
}

MAYBE_UNUSED static void reopen(struct fixture *f)
{
	store_close(f->store);
	open_store(f);
}

/* Keys as the barrier would make them: here the name itself. */
MAYBE_UNUSED static struct store_key key_of(const char *name)
{
	struct store_key key = { 0 };

	snprintf((char *)key.bytes, sizeof(key.bytes), "%s", name);
	return key;
}

MAYBE_UNUSED static struct store_blob blob_of(const void *data, size_t len)
{
	struct store_blob blob = { .data = malloc(len + 1), .len = len };

	if (len)
		memcpy(blob.data, data, len);
	return blob;
}

/* The steps from "a/b/c" up: a/b/c, a/b/, a/. */
MAYBE_UNUSED static size_t nodes_of(const char *name, struct store_node *nodes)
{
	char part[STORE_KEY_SIZE];
	size_t n = 0, len = strlen(name);

	while (len) {
		size_t up = len - 1;

		while (up && name[up - 1] != '/')
			up--;
		snprintf(part, sizeof(part), "%.*s", (int)len, name);
		nodes[n].key = key_of(part);
		nodes[n].name = blob_of(part + up, len - up);
		snprintf(part, sizeof(part), "%.*s", (int)up, name);
		nodes[n++].parent = key_of(part);
		len = up;
	}
	return n;
}

MAYBE_UNUSED static void add_put(struct store_txn *txn, const char *name, const void *data, size_t len)
{
	struct store_node nodes[8];
	size_t n = nodes_of(name, nodes);

	assert_int_equal(store_txn_put(txn, nodes, n, blob_of(data, len)), 0);
}

MAYBE_UNUSED static void add_delete(struct store_txn *txn, const char *name, bool tree)
{
	struct store_node nodes[8];
	struct store_key keys[8];
	size_t n = nodes_of(name, nodes);

	for (size_t i = 0; i < n; i++) {
		keys[i] = nodes[i].key;
		free(nodes[i].name.data);
	}
	if (tree)
		assert_int_equal(store_txn_delete_tree(txn, keys, n), 0);
	else
		assert_int_equal(store_txn_delete(txn, keys, n), 0);
}

struct result {
	unsigned calls;
	int r;
};

MAYBE_UNUSED static void on_committed(void *arg, int r)
{
	struct result *result = arg;

	result->calls++;
	result->r = r;
}

MAYBE_UNUSED static int commit(struct fixture *f, struct store_txn *txn, bool relaxed)
{
	struct result result = { 0 };

	assert_int_equal(store_commit(f->store, txn, relaxed, on_committed, &result), 0);
	assert_int_equal(result.calls, 0); /* never from inside */
	while (!result.calls)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	return result.r;
}

MAYBE_UNUSED static int put(struct fixture *f, const char *name, const char *value)
{
	struct store_txn *txn = store_txn_new();

	add_put(txn, name, value, strlen(value));
	return commit(f, txn, false);
}

MAYBE_UNUSED static int delete_one(struct fixture *f, const char *name, bool tree)
{
	struct store_txn *txn = store_txn_new();

	add_delete(txn, name, tree);
	return commit(f, txn, false);
}

struct wait {
	struct store_waiter waiter; /* first */
	unsigned wakes;
	int r;
};

MAYBE_UNUSED static void on_wake(struct store_waiter *waiter, int r)
{
	struct wait *wait = (struct wait *)(void *)waiter;

	wait->wakes++;
	wait->r = r;
}

/* Reads until there is an answer; the number of waits comes back in *RET_WAITS. */
MAYBE_UNUSED static int get(struct fixture *f, const char *name, char *ret, unsigned *ret_waits)
{
	struct wait wait = { .waiter = { .wake = on_wake } };
	struct store_key key = key_of(name);
	struct store_entry *entry;
	struct store_blob value;
	unsigned waits = 0;
	int r;

	while ((r = store_get(f->store, &key, &wait.waiter, &entry, &value)) == -EAGAIN) {
		unsigned before = wait.wakes;

		waits++;
		while (wait.wakes == before)
			assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
		store_unpin(f->store, entry);
		if (wait.r < 0)
			return wait.r;
	}
	if (r == 0)
		snprintf(ret, 64, "%.*s", (int)value.len, (char *)value.data);
	store_unpin(f->store, entry);
	if (ret_waits)
		*ret_waits = waits;
	return r;
}

MAYBE_UNUSED static void assert_value(struct fixture *f, const char *name, const char *value)
{
	char is[64];

	assert_int_equal(get(f, name, is, NULL), 0);
	assert_string_equal(is, value);
}

MAYBE_UNUSED static void assert_absent(struct fixture *f, const char *name)
{
	char is[64];

	assert_int_equal(get(f, name, is, NULL), -ENOENT);
}

struct list {
	unsigned calls;
	int r;
	char names[512];
};

MAYBE_UNUSED static void on_listed(void *arg, struct store_child **children, size_t n, int r)
{
	struct list *list = arg;

	list->calls++;
	list->r = r;
	for (size_t i = 0; i < n; i++)
		snprintf(list->names + strlen(list->names), sizeof(list->names) - strlen(list->names), "%.*s ",
		    (int)(*children)[i].name.len, (char *)(*children)[i].name.data);
}

MAYBE_UNUSED static void assert_list(struct fixture *f, const char *parent, const char *names)
{
	struct store_key key = key_of(parent);
	struct list list = { 0 };

	assert_int_equal(store_list(f->store, &key, on_listed, &list), 0);
	while (!list.calls)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	assert_int_equal(list.r, 0);
	assert_string_equal(list.names, names);
}
