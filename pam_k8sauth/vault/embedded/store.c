/* SPDX-License-Identifier: Apache-2.0 */
/* The store's loop side: what is known, what is on its way, who waits for it. */
#include "vault/embedded/store_internal.h"

#include <errno.h>
#include <poll.h>

#include "base/log.h"

#define INSPECT_AGAIN_S 60

struct store {
	struct event *results; /* the thread has some */
	struct event *turn;    /* runs at the end of the loop's turn: hands the batch over */
	struct store_thread thread;
	struct store_cache cache;
	struct store_txns txns; /* of this turn; what the thread has not taken yet collects in its queue */
	struct store_loads loads;
	size_t pending; /* transactions, loads and copies that were begun and have no result yet */
	bool copying;
	struct event *inspect; /* looks at all pages, again where that came to nothing */
	store_damaged_fn *damaged; /* NULL: nobody wants to know, or was told */
	void *damaged_arg;
};

void store_flush(struct store *store)
{
	if (!TAILQ_EMPTY(&store->txns) || !TAILQ_EMPTY(&store->loads))
		store_thread_give(&store->thread, &store->txns, &store->loads);
}

/* --- results */

static void wake_all(struct store_entry *entry, int r)
{
	struct store_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&entry->waiters))) {
		store_forget(waiter);
		waiter->wake(waiter, r);
	}
}

static void load_free(struct store_load *load)
{
	for (size_t i = 0; load->children && i < load->n_children; i++)
		free(load->children[i].name.data);
	free(load->children);
	free(load->value.data);
	free(load);
}

/* A load never runs beside a write of the same record that was committed before it, so what it read is the older. */
static void finish_record(struct store *store, struct store_load *load)
{
	struct store_entry *entry = load->entry;
	int r = load->r == -ENOENT ? 0 : load->r;

	entry->loading = false;
	if (r == 0 && entry->state == STORE_UNKNOWN) {
		store_cache_set(&store->cache, entry, load->r == 0 ? STORE_PRESENT : STORE_ABSENT, load->value);
		load->value = (struct store_blob){ 0 };
	}
	if (entry->in_flight == 0)
		wake_all(entry, r);
	store_cache_unpin(&store->cache, entry);
}

static void finish_load(struct store *store, struct store_load *load)
{
	switch (load->kind) {
	case STORE_LOAD_RECORD:
		finish_record(store, load);
		load_free(load);
		break;
	case STORE_LOAD_CHILDREN:
		load->listed(load->arg, &load->children, load->n_children, load->r);
		load_free(load);
		break;
	case STORE_LOAD_META:
		load->done = true; /* belongs to store_meta_get */
		break;
	}
}

/* What the record is now. A failed write may or may not be there after a crash: read it again. */
static void settle(struct store *store, struct store_entry *entry, struct store_op *op, int r)
{
	struct store_blob none = { 0 };

	entry->in_flight--;
	if (r < 0) {
		store_cache_set(&store->cache, entry, STORE_UNKNOWN, none);
	} else if (op->kind == STORE_DELETE) {
		store_cache_set(&store->cache, entry, STORE_ABSENT, none);
	} else {
		store_cache_set(&store->cache, entry, STORE_PRESENT, op->value);
		op->value = none;
	}
	if (entry->in_flight == 0)
		wake_all(entry, 0);
	store_cache_unpin(&store->cache, entry);
}

static bool has_entry(const struct store_op *op)
{
	return op->kind == STORE_PUT || op->kind == STORE_DELETE;
}

/* What lay below a folder that is gone. Writes that came behind it say themselves what is there now. */
static void forget_tree(struct store *store, const struct store_op *op)
{
	const struct store_blob none = { 0 };

	for (size_t i = 0; i < op->n_removed; i++) {
		struct store_entry *entry = store_cache_find(&store->cache, &op->removed[i]);

		if (entry && entry->in_flight == 0)
			store_cache_set(&store->cache, entry, STORE_ABSENT, none);
	}
}

static void finish_txn(struct store *store, struct store_txn *txn)
{
	struct store_op *op;
	size_t i = 0;

	STAILQ_FOREACH(op, &txn->ops, link)
	{
		if (has_entry(op))
			settle(store, txn->entries[i++], op, txn->r);
		else if (txn->r == 0)
			forget_tree(store, op);
	}
	txn->committed(txn->arg, txn->r);
	store_txn_free(txn);
}

static void finish_copy(struct store *store, struct store_copy *copy)
{
	int fd = copy->r == 0 ? TAKE_FD(copy->fd) : -1;

	store->copying = false;
	copy->copied(copy->arg, copy->r, fd, copy->size, copy->why);
	store_copy_free(copy);
}

static void on_inspect(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;

	store_thread_inspect(&store->thread);
}

static void take_verdict(struct store *store)
{
	const struct timeval later = { .tv_sec = INSPECT_AGAIN_S };
	struct store_verdict verdict;

	if (!store->damaged || !store_thread_take_verdict(&store->thread, &verdict))
		return;
	if (verdict.r == -EBADMSG) {
		store_damaged_fn *damaged = store->damaged;

		store->damaged = NULL;
		damaged(store->damaged_arg, verdict.why);
	} else if (verdict.r < 0) {
		log_warning("store: looking at all pages came to nothing: %s; trying again in %d s", strerror(-verdict.r),
		    INSPECT_AGAIN_S);
		event_add(store->inspect, &later);
	} else {
		log_info("store: all pages are good");
	}
}

static void take_results(struct store *store)
{
	struct store_copy *copy = store_thread_take_copy(&store->thread);
	struct store_txns txns = TAILQ_HEAD_INITIALIZER(txns);
	struct store_loads loads = TAILQ_HEAD_INITIALIZER(loads);
	struct store_txn *txn;
	struct store_load *load;

	store_thread_take(&store->thread, &txns, &loads);
	while ((load = TAILQ_FIRST(&loads))) {
		TAILQ_REMOVE(&loads, load, link);
		store->pending--;
		finish_load(store, load);
	}
	while ((txn = TAILQ_FIRST(&txns))) {
		TAILQ_REMOVE(&txns, txn, link);
		store->pending--;
		finish_txn(store, txn);
	}
	if (copy) {
		store->pending--;
		finish_copy(store, copy);
	}
	store_cache_trim(&store->cache);
	take_verdict(store);
}

static void on_results(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;

	store_thread_drain(&store->thread);
	take_results(store);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	store_flush(arg);
}

void store_pump(struct store *store, int timeout_ms)
{
	struct pollfd fd = { .fd = store->thread.wake_fd, .events = POLLIN };

	store_flush(store);
	if (poll(&fd, 1, timeout_ms) > 0) {
		store_thread_drain(&store->thread);
		take_results(store);
	}
}

/* --- open and close */

int store_open(struct event_base *base, const char *path, struct store **ret, char *why, size_t why_size)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store || store_cache_init(&store->cache) < 0) {
		free(store);
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	TAILQ_INIT(&store->txns);
	TAILQ_INIT(&store->loads);
	r = store_thread_start(&store->thread, path, why, why_size);
	if (r < 0) {
		store_cache_free(&store->cache);
		free(store);
		return r;
	}
	store->results = event_new(base, store->thread.wake_fd, EV_READ | EV_PERSIST, on_results, store);
	store->turn = event_new(base, -1, 0, on_turn, store);
	store->inspect = event_new(base, -1, 0, on_inspect, store);
	if (!store->results || !store->turn || !store->inspect || event_add(store->results, NULL) < 0) {
		store_close(store);
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	*ret = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	while (store->pending)
		store_pump(store, -1);
	if (store->results)
		event_free(store->results);
	if (store->turn)
		event_free(store->turn);
	if (store->inspect)
		event_free(store->inspect);
	store_thread_stop(&store->thread);
	store_cache_free(&store->cache);
	free(store);
}

void store_watch(struct store *store, store_damaged_fn *damaged, void *arg)
{
	store->damaged = damaged;
	store->damaged_arg = arg;
	event_active(store->results, EV_READ, 0); /* the verdict may be there */
	store_thread_inspect(&store->thread);
}

void store_set_cache_max(struct store *store, size_t max)
{
	store->cache.max = max;
	store_cache_trim(&store->cache);
}

/* --- reading */

static void end_turn(struct store *store)
{
	event_active(store->turn, EV_TIMEOUT, 0);
}

static struct store_load *load_new(struct store *store, enum store_load_kind kind)
{
	struct store_load *load = calloc(1, sizeof(*load));

	if (!load)
		return NULL;
	load->kind = kind;
	TAILQ_INSERT_TAIL(&store->loads, load, link);
	store->pending++;
	end_turn(store);
	return load;
}

static int start_loading(struct store *store, struct store_entry *entry)
{
	struct store_load *load = load_new(store, STORE_LOAD_RECORD);

	if (!load)
		return -ENOMEM;
	load->key = entry->key;
	load->entry = entry;
	entry->pins++;
	entry->loading = true;
	return 0;
}

int store_get(struct store *store, const struct store_key *key, struct store_waiter *waiter,
    struct store_entry **ret_entry, struct store_blob *ret)
{
	struct store_entry *entry = store_cache_pin(&store->cache, key);

	if (!entry)
		return -ENOMEM;
	if (entry->in_flight == 0 && entry->state == STORE_UNKNOWN && !entry->loading &&
	    start_loading(store, entry) < 0) {
		store_cache_unpin(&store->cache, entry);
		return -ENOMEM;
	}
	*ret_entry = entry;
	if (entry->in_flight > 0 || entry->state == STORE_UNKNOWN) {
		store_forget(waiter);
		waiter->entry = entry;
		TAILQ_INSERT_TAIL(&entry->waiters, waiter, link);
		return -EAGAIN;
	}
	if (entry->state == STORE_ABSENT)
		return -ENOENT;
	*ret = entry->value;
	return 0;
}

void store_unpin(struct store *store, struct store_entry *entry)
{
	store_cache_unpin(&store->cache, entry);
}

void store_forget(struct store_waiter *waiter)
{
	if (!waiter->entry)
		return;
	TAILQ_REMOVE(&waiter->entry->waiters, waiter, link);
	waiter->entry = NULL;
}

int store_list(struct store *store, const struct store_key *parent, store_listed_fn *listed, void *arg)
{
	struct store_load *load = load_new(store, STORE_LOAD_CHILDREN);

	if (!load)
		return -ENOMEM;
	load->key = *parent;
	load->listed = listed;
	load->arg = arg;
	return 0;
}

int store_meta_get(struct store *store, const char *name, struct store_blob *ret)
{
	struct store_load *load = load_new(store, STORE_LOAD_META);
	int r;

	if (!load)
		return -ENOMEM;
	load->meta_name = name;
	while (!load->done)
		store_pump(store, -1);
	r = load->r;
	if (r == 0) {
		*ret = load->value;
		load->value = (struct store_blob){ 0 };
	}
	load_free(load);
	return r;
}

/* --- writing */

int store_commit(struct store *store, struct store_txn *txn, bool relaxed, store_committed_fn *committed, void *arg)
{
	struct store_op *op;

	txn->entries = calloc(txn->n_ops + 1, sizeof(*txn->entries));
	STAILQ_FOREACH(op, &txn->ops, link)
	{
		struct store_entry *entry;

		if (!txn->entries)
			break;
		if (!has_entry(op))
			continue;
		entry = store_cache_pin(&store->cache, &op->nodes[0].key);
		if (!entry)
			break;
		entry->in_flight++;
		txn->entries[txn->n_entries++] = entry;
	}
	if (op || !txn->entries) {
		for (size_t i = 0; i < txn->n_entries; i++) {
			txn->entries[i]->in_flight--;
			store_cache_unpin(&store->cache, txn->entries[i]);
		}
		store_abandon(store, txn);
		return -ENOMEM;
	}
	if (!txn->prepared)
		txn->relaxed = relaxed;
	txn->committed = committed;
	txn->arg = arg;
	TAILQ_INSERT_TAIL(&store->txns, txn, link);
	store->pending++;
	end_turn(store);
	return 0;
}

void store_prepare(struct store *store, struct store_txn *txn, bool relaxed)
{
	txn->prepared = true;
	txn->relaxed = relaxed;
	store_thread_prepare(&store->thread, txn);
}

void store_abandon(struct store *store, struct store_txn *txn)
{
	if (txn && txn->prepared)
		store_thread_abandon(&store->thread, txn);
	else
		store_txn_free(txn);
}

int store_backup(struct store *store, struct store_blob mark, store_copied_fn *copied, void *arg)
{
	struct store_copy *copy;

	if (store->copying || !store->thread.path) {
		free(mark.data);
		return store->copying ? -EBUSY : -EOPNOTSUPP;
	}
	copy = calloc(1, sizeof(*copy));
	if (!copy) {
		free(mark.data);
		return -ENOMEM;
	}
	copy->fd = -1;
	copy->mark = mark;
	copy->copied = copied;
	copy->arg = arg;
	store->copying = true;
	store->pending++;
	store_thread_copy(&store->thread, copy);
	return 0;
}
