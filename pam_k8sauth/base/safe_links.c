/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a file that decides about access through the links that lead to it; see safe_open.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/safe_open.h"

#define LINKS_MAX 8

struct walk {
	uid_t owner;
	int dir;
	char rest[PATH_MAX]; /* what is still to be walked from DIR */
	unsigned links;
	const char *path; /* as asked for */
	char *why;
	size_t why_size;
};

static int fail(const struct walk *walk, int error, const char *name, const char *text)
{
	snprintf(walk->why, walk->why_size, "%s: %s %s", walk->path, name, text);
	return error;
}

static int fail_errno(const struct walk *walk, const char *name)
{
	int error = errno;

	snprintf(walk->why, walk->why_size, "%s: %s: %s", walk->path, name, strerror(error));
	return -error;
}

static int check_owner(const struct walk *walk, const struct stat *st, const char *name)
{
	return st->st_uid == 0 || st->st_uid == walk->owner ? 0 : fail(walk, -EPERM, name, "is not root's");
}

/* Puts the target of the link FD in front of what is still to be walked. */
static int follow(struct walk *walk, int fd, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	size_t rest = strlen(walk->rest);

	if (n < 0)
		return fail_errno(walk, name);
	if (n == 0 || (size_t)n + 1 + rest >= sizeof(walk->rest) || ++walk->links > LINKS_MAX)
		return fail(walk, -ELOOP, name, "is one link too many, or too long");
	memmove(walk->rest + n + 1, walk->rest, rest + 1);
	memcpy(walk->rest, target, (size_t)n);
	walk->rest[n] = '/';
	if (rest == 0)
		walk->rest[n] = '\0';
	if (target[0] != '/')
		return 0;
	close(walk->dir);
	walk->dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return walk->dir < 0 ? fail_errno(walk, "/") : 0;
}

static int enter(struct walk *walk, int *fd, const struct stat *st, const char *name)
{
	if (!S_ISDIR(st->st_mode))
		return fail(walk, -ENOTDIR, name, "is no directory");
	if (st->st_mode & (S_IWGRP | S_IWOTH) && !(st->st_mode & S_ISVTX))
		return fail(walk, -EPERM, name, "is a directory that others may write");
	close(walk->dir);
	walk->dir = TAKE_FD(*fd);
	return 0;
}

/* The next name of what is still to be walked. 0, -EINVAL. */
static int next_name(struct walk *walk, char ret[static NAME_MAX + 1])
{
	char *at = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(at, "/");

	if (len == 0 || len > NAME_MAX)
		return fail(walk, -EINVAL, "it", "does not name a file");
	memcpy(ret, at, len);
	ret[len] = '\0';
	if (streq(ret, ".."))
		return fail(walk, -EINVAL, "..", "is no part of such a path");
	at += len;
	memmove(walk->rest, at, strlen(at) + 1);
	return 0;
}

/* One step. 1: NAME in DIR is the file. */
static int step(struct walk *walk, char name[static NAME_MAX + 1])
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int r = next_name(walk, name);

	if (r < 0 || streq(name, "."))
		return r;
	fd = openat(walk->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(walk, name);
	r = check_owner(walk, &st, name);
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return follow(walk, fd, name);
	return walk->rest[0] ? enter(walk, &fd, &st, name) : 1;
}

static int read_file(const struct walk *walk, const char *name, size_t max, struct buf *ret)
{
	AUTO_CLOSE int fd = openat(walk->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(walk, name);
	r = check_owner(walk, &st, name);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return fail(walk, -EINVAL, name, "is no regular file with one name");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(walk, -EPERM, name, "is a file that others may write");
	r = read_all(fd, max, ret);
	if (r == -EFBIG)
		return fail(walk, r, name, "is too large");
	return r < 0 ? fail(walk, r, name, "cannot be read") : 0;
}

int safe_read_links(const char *path, uid_t owner, size_t max, struct buf *ret, char *why, size_t why_size)
{
	struct walk walk = { .owner = owner, .path = path, .why = why, .why_size = why_size };
	char name[NAME_MAX + 1];
	int r = 0;

	walk.dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk.dir < 0)
		return fail_errno(&walk, "/");
	if (*path != '/' || strlen(path) >= sizeof(walk.rest))
		r = fail(&walk, -EINVAL, "it", "is no absolute path");
	else
		memcpy(walk.rest, path, strlen(path) + 1);
	while (r == 0)
		r = step(&walk, name);
	if (r == 1)
		r = read_file(&walk, name, max, ret);
	if (walk.dir >= 0)
		close(walk.dir);
	if (r < 0)
		buf_free(ret);
	return r;
}
