/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of secrets, kept for the next ones: mapping, locking and unmapping cost more than what a login does with the
 * token in them (and unmapping interrupts the other processors). See secret_pages.h.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/secret_pages.h"

#define POOL_PAGES 128 /* more are given back: what a busy second needed is not held for ever */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *pool[POOL_PAGES]; /* single pages, all zero */
static size_t n_pool;

static bool is_page(size_t size)
{
	return size == (size_t)sysconf(_SC_PAGESIZE);
}

void *secret_pages_take(size_t size)
{
	void *page = NULL;

	if (is_page(size)) {
		pthread_mutex_lock(&lock);
		page = n_pool > 0 ? pool[--n_pool] : NULL;
		pthread_mutex_unlock(&lock);
	}
	return page ? page : secret_pages_map(size);
}

void secret_pages_give(void *pages, size_t size)
{
	bool kept = false;

	if (is_page(size)) {
		pthread_mutex_lock(&lock);
		kept = n_pool < POOL_PAGES;
		if (kept)
			pool[n_pool++] = pages;
		pthread_mutex_unlock(&lock);
	}
	if (!kept)
		munmap(pages, size);
}

/* For all threads: one that is told of another's failure only gives up too early. */
static atomic_uint failures;

void secret_note_failure(void)
{
	atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
}

unsigned wipe_failures(void)
{
	return atomic_load_explicit(&failures, memory_order_relaxed);
}
