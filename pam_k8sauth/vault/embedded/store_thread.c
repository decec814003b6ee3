/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread: takes what the loop gave, does it, gives the results back. It shares two queues and nothing else.
 */
#include "vault/embedded/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/thread.h"

static void give_back(struct store_thread *thread, struct store_txns *txns, struct store_loads *loads)
{
	uint64_t one = 1;

	if (TAILQ_EMPTY(txns) && TAILQ_EMPTY(loads))
		return;
	pthread_mutex_lock(&thread->lock);
	TAILQ_CONCAT(&thread->done_txns, txns, link);
	TAILQ_CONCAT(&thread->done_loads, loads, link);
	pthread_mutex_unlock(&thread->lock);
	/* Cannot fail but for a full counter, and then the loop wakes anyhow. */
	if (write(thread->wake_fd, &one, sizeof(one)) != sizeof(one))
		log_debug("store: the loop has many results waiting");
}

/* Records first, so that readers do not wait for the disk's flush; lists last, so that they show these writes. */
static void do_work(
    struct store_thread *thread, struct store_db *db, struct store_txns *txns, struct store_loads *loads)
{
	struct store_txns no_txns = TAILQ_HEAD_INITIALIZER(no_txns);
	struct store_loads now = TAILQ_HEAD_INITIALIZER(now), later = TAILQ_HEAD_INITIALIZER(later);
	struct store_load *load;

	/* Who reads must not see what is not committed. */
	if (!TAILQ_EMPTY(loads))
		store_db_unprepare(db);
	while ((load = TAILQ_FIRST(loads))) {
		TAILQ_REMOVE(loads, load, link);
		if (load->kind == STORE_LOAD_CHILDREN) {
			TAILQ_INSERT_TAIL(&later, load, link);
			continue;
		}
		store_db_load(db, load);
		TAILQ_INSERT_TAIL(&now, load, link);
	}
	give_back(thread, &no_txns, &now);
	if (!TAILQ_EMPTY(txns))
		store_db_commit(db, txns);
	give_back(thread, txns, &now);
	TAILQ_FOREACH(load, &later, link)
	store_db_load(db, load);
	give_back(thread, &no_txns, &later);
}

/* What the loop gave since the last time. */
struct store_work {
	struct store_txns txns, abandoned;
	struct store_loads loads;
	struct store_txn *prepare;
	struct store_copy *copy; /* under way */
	bool inspect;
};

static bool has_work(const struct store_thread *thread)
{
	return !TAILQ_EMPTY(&thread->txns) || !TAILQ_EMPTY(&thread->loads) || !TAILQ_EMPTY(&thread->abandoned) ||
	       thread->prepare || thread->copy || thread->inspect;
}

/* Takes the next work; false: stop, and nothing is left. */
static bool next(struct store_thread *thread, struct store_work *work)
{
	bool more;

	pthread_mutex_lock(&thread->lock);
	while (!thread->stop && !has_work(thread) && !work->copy)
		pthread_cond_wait(&thread->changed, &thread->lock);
	more = has_work(thread);
	TAILQ_CONCAT(&work->txns, &thread->txns, link);
	TAILQ_CONCAT(&work->loads, &thread->loads, link);
	TAILQ_CONCAT(&work->abandoned, &thread->abandoned, link);
	work->prepare = TAKE_PTR(thread->prepare);
	if (!work->copy)
		work->copy = TAKE_PTR(thread->copy);
	work->inspect = thread->inspect;
	thread->inspect = false;
	more = more || work->copy;
	pthread_mutex_unlock(&thread->lock);
	return more;
}

static void forget_abandoned(struct store_db *db, struct store_txns *abandoned)
{
	struct store_txn *txn;

	while ((txn = TAILQ_FIRST(abandoned))) {
		TAILQ_REMOVE(abandoned, txn, link);
		store_db_forget(db, txn);
		store_txn_free(txn);
	}
}

static bool is_idle(struct store_thread *thread)
{
	bool idle;

	pthread_mutex_lock(&thread->lock);
	idle = !has_work(thread);
	pthread_mutex_unlock(&thread->lock);
	return idle;
}

static void give_copy(struct store_thread *thread, struct store_copy *copy)
{
	uint64_t one = 1;

	store_copy_end(copy);
	pthread_mutex_lock(&thread->lock);
	thread->done_copy = copy;
	pthread_mutex_unlock(&thread->lock);
	if (write(thread->wake_fd, &one, sizeof(one)) != sizeof(one))
		log_debug("store: the loop has many results waiting");
}

/* The next pages; *COPY is NULL when it is done, one way or another. */
static void go_on_copying(struct store_thread *thread, struct store_db *db, struct store_copy **copy)
{
	int r = (*copy)->backup ? 0 : store_copy_begin(db, *copy);

	if (r == 0)
		r = store_copy_step(db, *copy);
	if (r != -EAGAIN)
		give_copy(thread, TAKE_PTR(*copy));
}

/* A store_verdict_fn: on this thread or on another. */
static void give_verdict(void *arg, int r, const char *what)
{
	struct store_thread *thread = arg;
	struct store_verdict verdict = { .known = true, .r = r };
	uint64_t one = 1;

	if (r == -EBADMSG) {
		store_say_damaged(thread->path, what, verdict.why, sizeof(verdict.why));
		store_mark_damaged(thread->path, what);
	}
	pthread_mutex_lock(&thread->lock);
	if (thread->verdict.r != -EBADMSG)
		thread->verdict = verdict;
	pthread_mutex_unlock(&thread->lock);
	if (write(thread->wake_fd, &one, sizeof(one)) != sizeof(one))
		log_debug("store: the loop has many results waiting");
}

static void inspect(struct store_thread *thread, struct store_db *db)
{
	int r = store_db_inspect(db, give_verdict, thread);

	if (r < 0 && r != -EBADMSG) /* that is told as any damage that is met */
		give_verdict(thread, r, "");
}

static void tell_damage(struct store_thread *thread, struct store_db *db)
{
	const char *what = store_db_damage(db);

	if (what)
		give_verdict(thread, -EBADMSG, what);
}

static void *thread_main(void *arg)
{
	struct store_thread *thread = arg;
	struct store_work work = { .txns = TAILQ_HEAD_INITIALIZER(work.txns),
		.abandoned = TAILQ_HEAD_INITIALIZER(work.abandoned),
		.loads = TAILQ_HEAD_INITIALIZER(work.loads) };
	struct store_db *db = NULL;
	char why[sizeof(thread->why)] = "";
	int r;

	r = store_db_open(thread->path, &db, why, sizeof(why));
	pthread_mutex_lock(&thread->lock);
	thread->opened = true;
	thread->open_r = r;
	memcpy(thread->why, why, sizeof(why));
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
	if (r < 0)
		return NULL;
	while (next(thread, &work)) {
		forget_abandoned(db, &work.abandoned);
		do_work(thread, db, &work.txns, &work.loads);
		if (work.copy)
			go_on_copying(thread, db, &work.copy);
		else if (work.prepare)
			store_db_prepare(db, work.prepare);
		if (work.inspect)
			inspect(thread, db);
		tell_damage(thread, db);
		store_db_checkpoint(db, is_idle(thread));
	}
	store_db_close(db);
	return NULL;
}

static void thread_destroy(struct store_thread *thread)
{
	close(thread->wake_fd);
	pthread_cond_destroy(&thread->changed);
	pthread_mutex_destroy(&thread->lock);
	free(thread->path);
}

int store_thread_start(struct store_thread *thread, const char *path, char *why, size_t why_size)
{
	int r;

	TAILQ_INIT(&thread->txns);
	TAILQ_INIT(&thread->done_txns);
	TAILQ_INIT(&thread->abandoned);
	TAILQ_INIT(&thread->loads);
	TAILQ_INIT(&thread->done_loads);
	thread->path = path ? strdup(path) : NULL;
	if (path && !thread->path)
		return -ENOMEM;
	thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->wake_fd < 0) {
		r = -errno;
		snprintf(why, why_size, "cannot make an eventfd for the store: %s", strerror(-r));
		free(thread->path);
		return r;
	}
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->changed, NULL);
	r = thread_start(&thread->thread, thread_main, thread);
	if (r < 0) {
		snprintf(why, why_size, "cannot start the store thread: %s", strerror(-r));
		thread_destroy(thread);
		return r;
	}
	pthread_mutex_lock(&thread->lock);
	while (!thread->opened)
		pthread_cond_wait(&thread->changed, &thread->lock);
	r = thread->open_r;
	pthread_mutex_unlock(&thread->lock);
	if (r < 0) {
		pthread_join(thread->thread, NULL);
		snprintf(why, why_size, "%s", thread->why);
		thread_destroy(thread);
	}
	return r;
}

void store_thread_stop(struct store_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	thread_destroy(thread);
}

void store_thread_give(struct store_thread *thread, struct store_txns *txns, struct store_loads *loads)
{
	pthread_mutex_lock(&thread->lock);
	/* What is committed instead of it, or it itself: to prepare it now would only cost. */
	if (!TAILQ_EMPTY(txns))
		thread->prepare = NULL;
	TAILQ_CONCAT(&thread->txns, txns, link);
	TAILQ_CONCAT(&thread->loads, loads, link);
	pthread_mutex_unlock(&thread->lock);
	/* After the lock is free: the thread would wake only to wait for it. */
	pthread_cond_signal(&thread->changed);
}

void store_thread_prepare(struct store_thread *thread, struct store_txn *txn)
{
	pthread_mutex_lock(&thread->lock);
	thread->prepare = txn;
	pthread_mutex_unlock(&thread->lock);
	pthread_cond_signal(&thread->changed);
}

void store_thread_abandon(struct store_thread *thread, struct store_txn *txn)
{
	pthread_mutex_lock(&thread->lock);
	if (thread->prepare == txn)
		thread->prepare = NULL;
	TAILQ_INSERT_TAIL(&thread->abandoned, txn, link);
	pthread_mutex_unlock(&thread->lock);
	pthread_cond_signal(&thread->changed);
}

void store_thread_copy(struct store_thread *thread, struct store_copy *copy)
{
	pthread_mutex_lock(&thread->lock);
	thread->copy = copy;
	pthread_mutex_unlock(&thread->lock);
	pthread_cond_signal(&thread->changed);
}

struct store_copy *store_thread_take_copy(struct store_thread *thread)
{
	struct store_copy *copy;

	pthread_mutex_lock(&thread->lock);
	copy = TAKE_PTR(thread->done_copy);
	pthread_mutex_unlock(&thread->lock);
	return copy;
}

void store_thread_inspect(struct store_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->inspect = true;
	pthread_mutex_unlock(&thread->lock);
	pthread_cond_signal(&thread->changed);
}

bool store_thread_take_verdict(struct store_thread *thread, struct store_verdict *ret)
{
	pthread_mutex_lock(&thread->lock);
	*ret = thread->verdict;
	thread->verdict = (struct store_verdict){ 0 };
	pthread_mutex_unlock(&thread->lock);
	return ret->known;
}

void store_thread_drain(struct store_thread *thread)
{
	uint64_t count;

	while (read(thread->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		continue;
}

void store_thread_take(struct store_thread *thread, struct store_txns *txns, struct store_loads *loads)
{
	pthread_mutex_lock(&thread->lock);
	TAILQ_CONCAT(txns, &thread->done_txns, link);
	TAILQ_CONCAT(loads, &thread->done_loads, link);
	pthread_mutex_unlock(&thread->lock);
}
