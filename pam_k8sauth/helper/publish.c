/* SPDX-License-Identifier: Apache-2.0 */
/* Checks an index of the daemon's and puts it in the place of the present one. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Only a sealed memfd stays what was checked until it is written. */
static int map_image(int fd, struct index_map *ret, char *why, size_t why_size)
{
	struct stat st;
	void *data;
	int seals, r;

	if (fd < 0)
		return helper_refuse(why, why_size, "no index came with the request");
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return helper_refuse(why, why_size, "the index is not in a sealed memfd");
	if (fstat(fd, &st) < 0)
		return helper_fail(why, why_size, -errno, "the index");
	if (st.st_size < (off_t)sizeof(struct idmap_header) || st.st_size > (off_t)IDMAP_SIZE_MAX)
		return helper_refuse(why, why_size, "an index of %lld bytes", (long long)st.st_size);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return helper_fail(why, why_size, -errno, "the index");
	r = index_from_memory(data, (size_t)st.st_size, ret);
	if (r < 0) {
		munmap(data, (size_t)st.st_size);
		return helper_refuse(why, why_size, "the index has no valid header");
	}
	r = index_check(ret, why, why_size);
	if (r < 0) {
		index_close(ret);
		return -EPERM;
	}
	return 0;
}

/* Owner and mode are right before the name is: no moment at which another file than the checked one has it. */
static int put_in_place(const struct helper_places *places, const struct index_map *image, char *why, size_t why_size)
{
	const char *name = strrchr(places->index, '/') + 1;
	AUTO_CLOSE int dir = -1, fd = -1;
	int r = helper_open_dir(AT_FDCWD, places->index_dir, &dir, why, why_size);

	if (r < 0)
		return r;
	if (unlinkat(dir, ".new", 0) < 0 && errno != ENOENT)
		return helper_fail(why, why_size, -errno, "what an earlier helper left behind");
	fd = openat(dir, ".new", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return helper_fail(why, why_size, -errno, places->index_dir);
	r = helper_write(fd, image->data, image->size);
	if (r == 0 && (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0644) < 0 || fsync(fd) < 0 ||
			  renameat(dir, ".new", dir, name) < 0 || fsync(dir) < 0))
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, ".new", 0);
		return helper_fail(why, why_size, r, places->index);
	}
	return 0;
}

static void cleanup_index(struct index_map *map)
{
	index_close(map);
}

int publish(const struct helper_places *places, int fd, const char *rebind, char *why, size_t why_size)
{
	CLEANUP(cleanup_index) struct index_map next = { 0 }, now = { 0 };
	AUTO_CONF struct accounts_conf *conf = NULL;
	struct clamp clamp = {
		.places = places, .now = &now, .next = &next, .rebind = rebind, .why = why, .why_size = why_size
	};
	int r = map_image(fd, &next, why, why_size);

	if (r < 0)
		return r;
	if (conf_load(places->conf, geteuid(), &conf, why, why_size) < 0)
		return -EPERM;
	r = index_open(places->index, geteuid(), &now);
	if (r < 0 && r != -ENOENT)
		return helper_refuse(why, why_size,
		    "the present index %s cannot be used (%s), so nothing tells who is whom", places->index,
		    r == -EBADMSG ? "damaged" : strerror(-r));
	clamp.conf = conf;
	r = clamp_check(&clamp);
	if (r == 0)
		r = put_in_place(places, &next, why, why_size);
	if (r == 0)
		log_info("published generation %llu of the account index: %u users, %u groups%s%s",
		    (unsigned long long)index_generation(&next), index_n_users(&next), index_n_groups(&next),
		    rebind ? ", rebound " : "", rebind ? rebind : "");
	return r;
}
