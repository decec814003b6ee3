/* SPDX-License-Identifier: Apache-2.0 */
/* A file, a FIFO, standard output, or nowhere (vault-core.md 6.3). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <k8sauth/limits.h>

#include "vault/embedded/audit/sink.h"

#define MODE_DEFAULT 0600
#define FOLDER_MODE  0700

struct file {
	struct sink sink;
	char *path;
	bool discard, std_out;
	bool keep_mode; /* mode 0000: the file's own is left alone */
	mode_t mode;
	int fd;
	bool torn; /* the last line is not whole: the next one begins with a new line */
};

const char *sink_file_path(const json_t *options)
{
	const char *path = sink_option(options, "file_path");

	if (!path)
		path = sink_option(options, "path");
	return path ? path : "";
}

static int read_mode(const char *text, struct file *file, char why[static SINK_WHY_SIZE])
{
	char *end;
	unsigned long mode;

	file->mode = MODE_DEFAULT;
	if (!text || !*text)
		return 0;
	errno = 0;
	mode = strtoul(text, &end, 8);
	if (*end || errno || mode > 07777 || strspn(text, "01234567") != strlen(text)) {
		snprintf(why, SINK_WHY_SIZE, "invalid mode: %s", text);
		return -EINVAL;
	}
	if (mode & 0111) {
		snprintf(why, SINK_WHY_SIZE, "file mode may not be executable: %s", text);
		return -EINVAL;
	}
	file->mode = (mode_t)mode;
	file->keep_mode = mode == 0;
	return 0;
}

static void file_close(struct sink *sink)
{
	struct file *file = (struct file *)sink;

	if (file->fd >= 0 && !file->std_out)
		close(file->fd);
	file->fd = -1;
}

static void file_free(struct sink *sink)
{
	struct file *file = (struct file *)sink;

	file_close(sink);
	free(file->path);
	free(file);
}

static int file_make(const json_t *options, struct sink **ret, char why[static SINK_WHY_SIZE])
{
	const char *path = sink_file_path(options);
	struct file *file;
	int r;

	if (!*path) {
		snprintf(why, SINK_WHY_SIZE, "\"file_path\" is required: invalid configuration");
		return -EINVAL;
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->sink = (struct sink){ .kind = &sink_file, .timeout_ms = SINK_TIMEOUT_MS };
	file->fd = -1;
	file->path = strdup(path);
	file->discard = streq(path, "discard");
	file->std_out = streq(path, "stdout");
	r = file->path ? read_mode(sink_option(options, "mode"), file, why) : -ENOMEM;
	if (r < 0)
		file_free(&file->sink);
	else
		*ret = &file->sink;
	return r;
}

/* Folders that are missing are made: only we may look into them. */
static int make_folders(const char *path)
{
	char *copy AUTO_FREE = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, FOLDER_MODE) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/*
 * O_NONBLOCK: a FIFO that nobody reads must not hold us up (regular files do not care). Links are followed, as an
 * administrator may point to a volume, and as Vault does.
 */
static int open_path(const struct file *file)
{
	int fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    file->keep_mode ? MODE_DEFAULT : file->mode);

	return fd < 0 ? -errno : fd;
}

/* What an administrator of Vault does not know: the user and the unit of k8sauthd may write in few places. */
static const char *remedy(int error)
{
	return error == -EACCES || error == -EROFS || error == -EPERM
		   ? " (k8sauthd may write below " K8SAUTH_LOG_DIR "; elsewhere: the user " K8SAUTH_USER
		     ", and ReadWritePaths= of its unit)"
		   : "";
}

static int file_open(struct sink *sink, char why[static SINK_WHY_SIZE])
{
	struct file *file = (struct file *)sink;
	struct stat st;
	int r;

	if (file->discard || file->fd >= 0)
		return 0;
	if (file->std_out) {
		file->fd = STDOUT_FILENO;
		return 0;
	}
	r = open_path(file);
	if (r == -ENOENT)
		r = make_folders(file->path) == 0 ? open_path(file) : r;
	if (r < 0) {
		snprintf(why, SINK_WHY_SIZE, "unable to open \"%s\" for writing: %s%s", file->path, strerror(-r), remedy(r));
		return r;
	}
	file->fd = r;
	/* Against the umask, and for a file that was there before. */
	if (!file->keep_mode && fstat(r, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) != file->mode &&
	    fchmod(r, file->mode) < 0) {
		r = -errno;
		snprintf(why, SINK_WHY_SIZE, "unable to change the mode of \"%s\" to %04o: %s", file->path,
		    (unsigned)file->mode, strerror(-r));
		file_close(sink);
		return r;
	}
	return 0;
}

static int write_once(struct file *file, const char *data, size_t len, struct deadline deadline, size_t *ret_written,
    char why[static SINK_WHY_SIZE])
{
	size_t before = *ret_written, newline = 0;
	int r = file_open(&file->sink, why);

	if (r < 0)
		return r;
	if (file->torn) {
		r = sink_send_all(file->fd, "\n", 1, deadline, &newline);
		file->torn = r < 0;
	}
	if (r == 0)
		r = sink_send_all(file->fd, data + before, len - before, deadline, ret_written);
	if (*ret_written > before)
		file->torn = data[*ret_written - 1] != '\n';
	if (r < 0)
		snprintf(why, SINK_WHY_SIZE, "unable to write to \"%s\": %s", file->path, strerror(-r));
	return r;
}

/* The whole lines among the first N bytes of DATA. */
static size_t whole_lines(const char *data, size_t n)
{
	const char *end = n ? memrchr(data, '\n', n) : NULL;

	return end ? (size_t)(end - data) + 1 : 0;
}

static int file_write(
    struct sink *sink, const char *data, size_t len, size_t *ret_written, char why[static SINK_WHY_SIZE])
{
	struct file *file = (struct file *)sink;
	struct deadline deadline = deadline_after_ms(sink->timeout_ms);
	int r;

	*ret_written = 0;
	if (file->discard) {
		*ret_written = len;
		return 0;
	}
	r = write_once(file, data, len, deadline, ret_written, why);
	if (r == 0 || r == -ETIMEDOUT)
		return r;
	/* The file may have gone, or be writable again. */
	file_close(sink);
	*ret_written = whole_lines(data, *ret_written);
	return write_once(file, data, len, deadline, ret_written, why);
}

const struct sink_kind sink_file = {
	.type = "file",
	.make = file_make,
	.open = file_open,
	.write = file_write,
	.close = file_close,
	.free = file_free,
};
