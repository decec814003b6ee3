/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded looks at files, folders and programs; see look.h. */
#include "cli/look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "base/safe_open.h"
#include "base/text.h"
#include "cli/cli.h"

#define RUN_MS	   10000
#define FOLDER_MAX 1024

int look_read(const char *root, const char *path, struct buf *ret)
{
	AUTO_FREE char *whole = text_of("%s%s", root, path);
	AUTO_CLOSE int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return read_all(fd, LOOK_MAX, ret);
}

static int no_dots(const struct dirent *entry)
{
	return !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int look_folder(const char *root, const char *path, char ***ret)
{
	AUTO_FREE char *whole = text_of("%s%s", root, path);
	struct dirent **entries = NULL;
	int n = scandir(whole, &entries, no_dots, by_bytes);
	char **names;

	if (n < 0)
		return -errno;
	names = calloc((size_t)n + 1, sizeof(*names));
	for (int i = 0; i < n; i++) {
		if (names && i < FOLDER_MAX)
			names[i] = text_of("%s", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (!names)
		return -ENOMEM;
	*ret = names;
	return 0;
}

/* Reads FD to its end or the deadline. */
static int read_output(int fd, struct buf *ret)
{
	struct deadline deadline = deadline_after_ms(RUN_MS);

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		char data[4096];
		ssize_t n;

		if (poll(&ready, 1, deadline_left_ms(deadline)) <= 0)
			return -ETIMEDOUT;
		n = read(fd, data, sizeof(data));
		if (n == 0)
			return 0;
		if (n < 0 || ret->len + (size_t)n > LOOK_MAX || buf_add(ret, data, (size_t)n) < 0)
			return -EIO;
	}
}

int look_run(char *const argv[], struct buf *ret)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *const env[] = { path, locale, NULL };
	posix_spawn_file_actions_t actions;
	int fds[2], r, status = 0;
	pid_t pid;

	if (access(argv[0], X_OK) < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = -posix_spawn(&pid, argv[0], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (r == 0) {
		r = read_output(fds[0], ret);
		if (r < 0)
			kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	close(fds[0]);
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

char *look_value(const char *text, const char *key, char separator)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, len) == 0 && line[len] == separator)
			return text_of("%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
	}
	return NULL;
}

void look_grow(void *list, size_t n, size_t size)
{
	void **items = list;

	if (n % 64 != 0)
		return;
	*items = reallocarray(*items, n + 64, size);
	if (!*items)
		abort();
}
