/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of a living session that changed: files are replaced by rename, so that a reader has the old or the new one
 * and never none; what is no secret of the session any more goes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "helper/files.h"

#define SECRETS "secrets"

/* Adds the secret NAME (of LEN bytes) to CHANGED once. */
static void note_changed(struct buf *changed, const char *name, size_t len)
{
	for (const char *at = changed->data; at && *at; at += strcspn(at, " "), at += strspn(at, " ")) {
		if (strcspn(at, " ") == len && memcmp(at, name, len) == 0)
			return;
	}
	if (changed->len > 0)
		buf_add_char(changed, ' ');
	buf_add(changed, name, len);
}

static bool same_text(const char *text, size_t len, const char *other)
{
	return len == strlen(other) && memcmp(text, other, len) == 0;
}

/* Whether REQUEST writes the file PATH. */
static bool is_written(const struct wire_frame *request, const char *path)
{
	struct wire_item item;
	size_t len, at = 0;
	const char *name;

	while (wire_next(request, &at, &item)) {
		if (item.tag != WIRE_FILE)
			continue;
		file_item_name(&item, &name, &len);
		if (same_text(name, len, path))
			return true;
	}
	return false;
}

/* Whether REQUEST keeps the file or folder PATH as it is. */
static bool is_kept(const struct wire_frame *request, const char *path)
{
	struct wire_item item;
	size_t at = 0;

	while (wire_next(request, &at, &item)) {
		if (item.tag == WIRE_KEEP && same_text(item.value, item.len, path))
			return true;
	}
	return false;
}

struct pruning {
	const struct wire_frame *request;
	struct buf *changed;
	char *why;
	size_t why_size;
};

/* Removes the file NAME of the folder DIR, PATH in the session, if it is no secret's any more. */
static int prune_file(const struct pruning *pruning, int dir, const char *name, const char *path)
{
	const char *slash = strchr(path + strlen(SECRETS "/"), '/');

	if (is_kept(pruning->request, path) || is_written(pruning->request, path))
		return 0;
	if (unlinkat(dir, name, 0) < 0)
		return helper_fail(pruning->why, pruning->why_size, -errno, path);
	if (name[0] != '.') /* else a helper that was killed left it behind: never a secret */
		note_changed(pruning->changed, path, slash ? (size_t)(slash - path) : strlen(path));
	return 0;
}

typedef int prune_dir_fn(const struct pruning *pruning, int parent, const char *name, const char *path);

/* Looks at what is in the folder NAME, PATH in the session. What is a folder in it goes to PRUNE_DIR. */
static int prune_with(
    const struct pruning *pruning, int parent, const char *name, const char *path, prune_dir_fn *prune_dir)
{
	int fd = -1, r = helper_open_dir(parent, name, &fd, pruning->why, pruning->why_size);
	struct dirent *entry;
	DIR *dir;

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return helper_fail(pruning->why, pruning->why_size, -ENOMEM, path);
	}
	while (r == 0 && (entry = readdir(dir))) {
		char below[sizeof(SECRETS) + 2 * (NAME_MAX + 1)];
		struct stat st;

		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = helper_fail(pruning->why, pruning->why_size, -errno, below);
		else if (S_ISDIR(st.st_mode) && prune_dir)
			r = prune_dir(pruning, fd, entry->d_name, below);
		else
			r = prune_file(pruning, fd, entry->d_name, below);
	}
	closedir(dir);
	return r;
}

/* secrets/<directory>: files only. */
static int prune_keys(const struct pruning *pruning, int parent, const char *name, const char *path)
{
	int r;

	if (is_kept(pruning->request, path))
		return 0;
	r = prune_with(pruning, parent, name, path, NULL);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		return helper_fail(pruning->why, pruning->why_size, -errno, path);
	return r;
}

/* Removes what is no secret any more. */
static int prune_secrets(const struct session_dir *session, const struct pruning *pruning)
{
	struct stat st;

	if (fstatat(session->fd, SECRETS, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	return prune_with(pruning, session->fd, SECRETS, SECRETS, prune_keys);
}

/* The secrets that REQUEST writes. */
static void note_written(const struct wire_frame *request, struct buf *changed)
{
	static const char prefix[] = SECRETS "/";
	const size_t prefix_len = sizeof(prefix) - 1;
	struct wire_item item;
	size_t at = 0;

	while (wire_next(request, &at, &item)) {
		const char *text, *slash;
		size_t len;

		if (item.tag != WIRE_FILE)
			continue;
		file_item_name(&item, &text, &len);
		if (len <= prefix_len || memcmp(text, prefix, prefix_len) != 0)
			continue;
		slash = memchr(text + prefix_len, '/', len - prefix_len);
		note_changed(changed, text, slash ? (size_t)(slash - text) : len);
	}
}

int files_update(const struct helper_places *places, const struct wire_frame *request, char *why, size_t why_size)
{
	AUTO_SESSION_DIR struct session_dir session = { .fd = -1 };
	AUTO_BUF struct buf changed = { 0 };
	struct pruning pruning = { request, &changed, why, why_size };
	bool rotate = request->type == WIRE_HELPER_ROTATE;
	int r = session_dir_enter(places, request, NULL, &session, why, why_size);

	/* First what goes: a file's name may be a folder's from now on. */
	if (r == 0 && rotate)
		r = prune_secrets(&session, &pruning);
	if (r == 0)
		r = session_dir_write(&session, request, why, why_size);
	if (r < 0 || !rotate)
		return r;
	note_written(request, &changed);
	if (changed.failed)
		return helper_fail(why, why_size, -ENOMEM, "the names of what changed");
	if (changed.len > 0)
		hook_start(places, &session, changed.data);
	return 0;
}
