/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files that decide about access; see safe_open.h. */
#include "base/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static int check_component(int fd, uid_t owner, bool last, const char *path, int len, char *why, size_t why_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (last && !S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%.*s is not a regular file", len, path);
		return -EINVAL;
	}
	if (st.st_uid != 0 && st.st_uid != owner) {
		snprintf(why, why_size, "%.*s belongs to uid %u, not to root", len, path, st.st_uid);
		return -EPERM;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(
		    why, why_size, "%.*s is writable by group or others (mode %04o)", len, path, st.st_mode & 07777);
		return -EPERM;
	}
	return 0;
}

static int open_component(int parent, const char *name, bool last, const char *path, int len, char *why, size_t size)
{
	int flags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_RDONLY;
	int fd = openat(parent, name, last ? flags : (flags & ~O_NONBLOCK) | O_DIRECTORY | O_PATH);
	int error = errno;

	if (fd >= 0)
		return fd;
	if (error == ELOOP || (error == ENOTDIR && !last))
		snprintf(why, size, "%.*s is a symbolic link or not a directory", len, path);
	else
		snprintf(why, size, "%.*s: %s", len, path, strerror(error));
	return -error;
}

int safe_open(const char *path, uid_t owner, size_t max, int *ret_fd, char *why, size_t why_size)
{
	AUTO_CLOSE int dir = -1;
	const char *at = path;
	struct stat st;

	if (*path != '/') {
		snprintf(why, why_size, "%s is not an absolute path", path);
		return -EINVAL;
	}
	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	for (;;) {
		char name[NAME_MAX + 1];
		size_t len;
		bool last;
		int fd, r, shown;

		at += strspn(at, "/");
		len = strcspn(at, "/");
		if (len == 0 || len > NAME_MAX) {
			snprintf(why, why_size, "%s does not name a file", path);
			return -EINVAL;
		}
		memcpy(name, at, len);
		name[len] = '\0';
		at += len;
		last = *at == '\0';
		shown = (int)(at - path);
		fd = open_component(dir, name, last, path, shown, why, why_size);
		if (fd < 0)
			return fd;
		close(dir);
		dir = fd;
		r = check_component(dir, owner, last, path, shown, why, why_size);
		if (r < 0)
			return r;
		if (last)
			break;
	}
	if (fstat(dir, &st) < 0)
		return -errno;
	if ((size_t)st.st_size > max) {
		snprintf(why, why_size, "%s is larger than %zu bytes", path, max);
		return -EFBIG;
	}
	*ret_fd = TAKE_FD(dir);
	return 0;
}

int read_all(int fd, size_t max, struct buf *ret)
{
	ret->max = max;
	for (;;) {
		char chunk[4096];
		ssize_t n = read(fd, chunk, sizeof(chunk));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return buf_add(ret, "", 0);
		r = buf_add(ret, chunk, (size_t)n);
		explicit_bzero(chunk, sizeof(chunk));
		if (r < 0)
			return r == -EMSGSIZE ? -EFBIG : r;
	}
}

int safe_read(const char *path, uid_t owner, size_t max, struct buf *ret, char *why, size_t why_size)
{
	AUTO_CLOSE int fd = -1;
	int r = safe_open(path, owner, max, &fd, why, why_size);

	if (r < 0)
		return r;
	r = read_all(fd, max, ret);
	if (r < 0) {
		buf_free(ret);
		snprintf(why, why_size, "%s: %s", path, strerror(-r));
	}
	return r;
}
