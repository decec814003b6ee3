/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one mapping that a process keeps of the index. Opening, mapping and unmapping cost 14 us per lookup at 100,000
 * accounts; a stat() of the file costs 0.3 us, and tells whether the mapping is still the file of that name (the inode
 * cannot be used again while it is mapped, and ctime tells a change in place). So this is the only state of the object
 * that changes, and it may be bypassed at any time:
 *
 *     users  > 0  that many calls are reading the mapping
 *     users == 0  nobody is
 *     users  < 0  one call is replacing it
 *
 * A call that cannot share it (another one is replacing it, or it is stale and somebody still reads it) opens the index
 * for itself. Nobody ever waits, so there is no lock to be held across fork(), by a cancelled thread or below a signal
 * handler that jumps away: if `users` never comes back to 0 in such a process, its calls stay right and become slower.
 * A replaced index is unmapped by the next lookup of each process.
 */
#include "lookup.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

static _Atomic int users;

static struct {
	struct index_map map;
	struct stat file;
} kept; /* written by the call that made `users` negative only */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Joins the readers, unless the mapping is being replaced. */
static bool join(void)
{
	int n = atomic_load_explicit(&users, memory_order_relaxed);

	while (n >= 0) {
		if (atomic_compare_exchange_weak_explicit(
			&users, &n, n + 1, memory_order_acquire, memory_order_relaxed))
			return true;
	}
	return false;
}

static void leave(void)
{
	atomic_fetch_sub_explicit(&users, 1, memory_order_release);
}

/* Puts the index of that name in place of what is kept, unless somebody uses it. The caller is a reader then. */
static bool replace(const struct stat *file, int *ret_error)
{
	int n = 0;

	if (!atomic_compare_exchange_strong_explicit(&users, &n, -1, memory_order_acquire, memory_order_relaxed))
		return false;
	index_close(&kept.map);
	*ret_error = index_open(NSS_INDEX, NSS_OWNER, &kept.map);
	/* FILE was there before the opening: if it is another one by now, the next call sees that and opens again. */
	kept.file = *file;
	atomic_store_explicit(&users, *ret_error < 0 ? 0 : 1, memory_order_release);
	return true;
}

/* An absent file is no answer about a name. */
static int not_an_answer(int error)
{
	return error == -ENOENT ? -ENODATA : error;
}

int kept_acquire(struct kept_index *ret)
{
	struct stat file;
	int r;

	if (stat(NSS_INDEX, &file) < 0)
		return not_an_answer(-errno);
	if (join()) {
		if (kept.map.data && same_file(&kept.file, &file)) {
			*ret = (struct kept_index){ kept.map, true };
			return 0;
		}
		leave();
	}
	if (replace(&file, &r)) {
		if (r < 0)
			return not_an_answer(r);
		*ret = (struct kept_index){ kept.map, true };
		return 0;
	}
	ret->shared = false;
	return not_an_answer(index_open(NSS_INDEX, NSS_OWNER, &ret->map));
}

void kept_release(struct kept_index *index)
{
	if (index->shared)
		leave();
	else
		index_close(&index->map);
	*index = (struct kept_index){ 0 };
}
