/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ~/.vault-token, where a login leaves its token, as the vault command's own token helper does. It is replaced whole,
 * so that nobody reads half of one, and its new file is made for the owner only, never through somebody's link.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safe_open.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"

#define TOKEN_FILE ".vault-token"
#define TOKEN_MAX  (64 * 1024)

static int open_home(void)
{
	const char *home = getenv("HOME");
	int fd;

	if (!home || !*home)
		return -ENOENT;
	fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int token_file_read(char **ret)
{
	AUTO_CLOSE int home = open_home();
	AUTO_CLOSE int fd = -1;
	AUTO_BUF struct buf text = { 0 };
	int r;

	if (home < 0)
		return home;
	fd = openat(home, TOKEN_FILE, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	r = read_all(fd, TOKEN_MAX, &text);
	if (r < 0)
		return r;
	*ret = strndup(text.data ? text.data : "", text.len);
	return *ret ? 0 : -ENOMEM;
}

static int write_whole(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int token_file_write(const char *token)
{
	AUTO_CLOSE int home = open_home();
	AUTO_CLOSE int fd = -1;
	char name[64], tail[9];
	int r;

	if (home < 0)
		return home;
	random_base62(tail, sizeof(tail) - 1);
	snprintf(name, sizeof(name), TOKEN_FILE ".%s", tail);
	fd = openat(home, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_whole(fd, token);
	if (r == 0 && renameat(home, name, home, TOKEN_FILE) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(home, name, 0);
	return r;
}
