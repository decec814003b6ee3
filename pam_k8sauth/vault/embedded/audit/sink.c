/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of sinks share. */
#include "vault/embedded/audit/sink.h"

#include <errno.h>
#include <poll.h>

const struct sink_kind *sink_kind_of(const char *type)
{
	static const struct sink_kind *const kinds[] = { &sink_file, &sink_syslog, &sink_socket };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i]->type, type))
			return kinds[i];
	return NULL;
}

const char *sink_option(const json_t *options, const char *name)
{
	return json_string_value(json_object_get(options, name));
}

/* 0 when FD takes more, or a negative errno. */
static int wait_writable(int fd, struct deadline deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int n = poll(&poll_fd, 1, deadline_left_ms(deadline));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

int sink_send_all(int fd, const char *data, size_t len, struct deadline deadline, size_t *ret_sent)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(fd, data + at, len - at);
		int r = 0;

		if (n > 0) {
			at += (size_t)n;
			*ret_sent += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			r = wait_writable(fd, deadline);
		} else if (n < 0 && errno != EINTR) {
			r = -errno;
		} else if (n == 0) {
			r = -EIO;
		}
		if (r < 0)
			return r;
	}
	return 0;
}
