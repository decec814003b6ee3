/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its answer, and what every request needs. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"

int helper_refuse(char *why, size_t why_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_size, format, args);
	va_end(args);
	return -EPERM;
}

int helper_fail(char *why, size_t why_size, int error, const char *what)
{
	snprintf(why, why_size, "%s: %s", what, strerror(-error));
	return error;
}

int helper_open_dir(int parent, const char *path, int *ret_fd, char *why, size_t why_size)
{
	AUTO_CLOSE int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return helper_fail(why, why_size, -errno, path);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return helper_refuse(why, why_size, "%s (uid %u, mode %04o) is not root's alone to write", path,
		    st.st_uid, st.st_mode & 07777);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool helper_name_valid(const char *text, size_t max)
{
	size_t len = strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");

	return text[len] == '\0' && len > 0 && len <= max && text[0] != '.';
}

int helper_write(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int handle(const struct helper_places *places, const struct wire_frame *request, int passed_fd, struct buf *list,
    char *why, size_t why_size)
{
	AUTO_FREE char *text = NULL;

	switch (request->type) {
	case WIRE_HELPER_PUBLISH:
		text = wire_get_str(request, WIRE_REBIND);
		return publish(places, passed_fd, text, why, why_size);
	case WIRE_HELPER_SESSION:
		return files_write(places, request, why, why_size);
	case WIRE_HELPER_UPDATE:
	case WIRE_HELPER_ROTATE:
		return files_update(places, request, why, why_size);
	case WIRE_HELPER_REMOVE:
		text = wire_get_str(request, WIRE_SESSION);
		return text ? files_remove(places, text, why, why_size)
			    : helper_refuse(why, why_size, "a session is needed");
	case WIRE_HELPER_SIGNAL:
		return processes_signal(places, request, list, why, why_size);
	case WIRE_HELPER_LIST:
		return files_list(places, list, why, why_size);
	default:
		return helper_refuse(why, why_size, "that is no request to the helper");
	}
}

static enum wire_status status_of(int r)
{
	switch (r) {
	case 0:
		return WIRE_STATUS_OK;
	case -EPERM:
		return WIRE_STATUS_REFUSED;
	default:
		return WIRE_STATUS_UNAVAILABLE; /* a full disk, a missing directory */
	}
}

void helper_answer(
    const struct helper_places *places, const struct wire_frame *request, int passed_fd, struct buf *reply)
{
	char what[256], why[512] = "";
	int r;

	wire_describe(request, what, sizeof(what));
	wire_begin(reply, (uint8_t)(request->type | WIRE_REPLY));
	r = handle(places, request, passed_fd, reply, why, sizeof(why));
	if (r == 0)
		log_debug("done: %s", what);
	else
		log_warning("%s: %s; the request was %s", r == -EPERM ? "refused" : "failed", why, what);
	for (char *c = why; *c; c++) { /* a name that was cut in the middle of a character is no text */
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	wire_add_u32(reply, WIRE_STATUS, status_of(r));
	wire_add_str(reply, WIRE_MESSAGE, *why ? why : NULL);
	if (wire_end(reply) == 0)
		return;
	buf_free(reply);
	log_error("no memory for an answer");
}
