/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's syslog: a line per entry through /dev/log, in the form of Go's log/syslog. By a socket of its own, since
 * syslog(3) tells nobody that it lost a line.
 */
#define SYSLOG_NAMES
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "base/buf.h"
#include "vault/embedded/audit/sink.h"

#define DEVICE	       "/dev/log"
#define SEND_BUFFER    (4 * 1024 * 1024) /* an entry must fit into one datagram */
#define TAG_MAX	       256

struct syslog_sink {
	struct sink sink;
	int priority;
	char *tag;
	int fd;
};

static void syslog_close(struct sink *sink)
{
	struct syslog_sink *self = (struct syslog_sink *)sink;

	cleanup_close(&self->fd);
	self->fd = -1;
}

static void syslog_free(struct sink *sink)
{
	struct syslog_sink *self = (struct syslog_sink *)sink;

	syslog_close(sink);
	free(self->tag);
	free(self);
}

static int read_facility(const char *name, int *ret, char why[static SINK_WHY_SIZE])
{
	for (const CODE *code = facilitynames; code->c_name; code++) {
		if (strcasecmp(code->c_name, name) == 0 && code->c_val != INTERNAL_MARK) {
			*ret = code->c_val;
			return 0;
		}
	}
	snprintf(why, SINK_WHY_SIZE,
	    "error creating syslog sink node: error creating syslogger: invalid syslog facility: %.100s", name);
	for (char *c = strrchr(why, ':'); *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return -EINVAL;
}

static int syslog_make(const json_t *options, struct sink **ret, char why[static SINK_WHY_SIZE])
{
	const char *facility = sink_option(options, "facility"), *tag = sink_option(options, "tag");
	struct syslog_sink *self = calloc(1, sizeof(*self));
	int r, code;

	if (!self)
		return -ENOMEM;
	self->sink = (struct sink){ .kind = &sink_syslog, .timeout_ms = SINK_TIMEOUT_MS };
	self->fd = -1;
	self->tag = strndup(tag ? tag : "vault", TAG_MAX);
	r = self->tag ? read_facility(facility ? facility : "AUTH", &code, why) : -ENOMEM;
	if (r < 0) {
		syslog_free(&self->sink);
		return r;
	}
	self->priority = code | LOG_INFO;
	*ret = &self->sink;
	return 0;
}

static int syslog_open(struct sink *sink, char why[static SINK_WHY_SIZE])
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = DEVICE };
	struct syslog_sink *self = (struct syslog_sink *)sink;
	const int size = SEND_BUFFER;
	int fd, r;

	if (self->fd >= 0)
		return 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		cleanup_close(&fd);
		snprintf(why, SINK_WHY_SIZE,
		    "error creating syslog sink node: error creating syslogger: Unix syslog delivery error: " DEVICE
		    ": %s",
		    strerror(-r));
		return r;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* as far as the system lets us */
	self->fd = fd;
	return 0;
}

/* The line in the form of its datagram. */
static void format(const struct syslog_sink *self, const char *line, size_t len, struct buf *ret)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	buf_printf(ret, "<%d>%s %s[%d]: ", self->priority, stamp, self->tag, (int)getpid());
	buf_add(ret, line, len);
}

static int send_line(struct syslog_sink *self, const char *line, size_t len, struct deadline deadline,
    char why[static SINK_WHY_SIZE])
{
	AUTO_BUF struct buf text = { 0 };
	size_t sent = 0;
	int r;

	format(self, line, len, &text);
	if (text.failed)
		return -ENOMEM;
	r = syslog_open(&self->sink, why);
	if (r < 0)
		return r;
	r = sink_send_all(self->fd, text.data, text.len, deadline, &sent);
	if (r < 0)
		snprintf(why, SINK_WHY_SIZE, "unable to write to syslog: %s", strerror(-r));
	return r;
}

static int syslog_write(
    struct sink *sink, const char *data, size_t len, size_t *ret_written, char why[static SINK_WHY_SIZE])
{
	struct syslog_sink *self = (struct syslog_sink *)sink;
	struct deadline deadline = deadline_after_ms(sink->timeout_ms);

	*ret_written = 0;
	while (*ret_written < len) {
		const char *line = data + *ret_written;
		size_t line_len = (size_t)((const char *)memchr(line, '\n', len - *ret_written) - line) + 1;
		int r = send_line(self, line, line_len, deadline, why);

		if (r < 0 && r != -ETIMEDOUT && r != -EMSGSIZE) {
			/* Whoever listens there was restarted. */
			syslog_close(sink);
			r = send_line(self, line, line_len, deadline, why);
		}
		if (r < 0)
			return r;
		*ret_written += line_len;
	}
	return 0;
}

const struct sink_kind sink_syslog = {
	.type = "syslog",
	.make = syslog_make,
	.open = syslog_open,
	.write = syslog_write,
	.close = syslog_close,
	.free = syslog_free,
};
