/* SPDX-License-Identifier: Apache-2.0 */
/* A listener at the end of a socket: TCP, UDP or UNIX (vault-core.md 6.3). */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"
#include "vault/embedded/audit/sink.h"

#define WRITE_TIMEOUT_MS 2000
#define TIMEOUT_MAX_MS	 60000 /* however long write_timeout is */

enum network { NETWORK_UNKNOWN, NETWORK_IP, NETWORK_UNIX };

struct socket_sink {
	struct sink sink;
	char *type, *address; /* as given */
	enum network network;
	int socket_type, family;
	int fd;
};

static const struct {
	const char *name;
	enum network network;
	int socket_type, family;
} networks[] = {
	{ "tcp", NETWORK_IP, SOCK_STREAM, AF_UNSPEC },
	{ "tcp4", NETWORK_IP, SOCK_STREAM, AF_INET },
	{ "tcp6", NETWORK_IP, SOCK_STREAM, AF_INET6 },
	{ "udp", NETWORK_IP, SOCK_DGRAM, AF_UNSPEC },
	{ "udp4", NETWORK_IP, SOCK_DGRAM, AF_INET },
	{ "udp6", NETWORK_IP, SOCK_DGRAM, AF_INET6 },
	{ "unix", NETWORK_UNIX, SOCK_STREAM, AF_UNIX },
	{ "unixgram", NETWORK_UNIX, SOCK_DGRAM, AF_UNIX },
};

static void socket_close(struct sink *sink)
{
	struct socket_sink *self = (struct socket_sink *)sink;

	cleanup_close(&self->fd);
	self->fd = -1;
}

static void socket_free(struct sink *sink)
{
	struct socket_sink *self = (struct socket_sink *)sink;

	socket_close(sink);
	free(self->type);
	free(self->address);
	free(self);
}

static int read_timeout(const char *text, int *ret, char why[static SINK_WHY_SIZE])
{
	char error[DURATION_ERROR_SIZE];
	long long ns;

	*ret = WRITE_TIMEOUT_MS;
	if (!text)
		return 0;
	if (duration_parse_ns(text, &ns, error, sizeof(error)) < 0) {
		snprintf(why, SINK_WHY_SIZE, "unable to parse max duration: invalid parameter: %s", error);
		return -EINVAL;
	}
	if (ns > 0)
		*ret = ns / 1000000 > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : (int)(ns / 1000000) + 1;
	return 0;
}

static int socket_make(const json_t *options, struct sink **ret, char why[static SINK_WHY_SIZE])
{
	const char *address = sink_option(options, "address"), *type = sink_option(options, "socket_type");
	struct socket_sink *self;
	int r;

	if (!address || !*address) {
		snprintf(why, SINK_WHY_SIZE, "\"address\" %s: invalid configuration",
		    address ? "cannot be empty" : "is required");
		return -EINVAL;
	}
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->sink.kind = &sink_socket;
	self->fd = -1;
	self->address = strdup(address);
	self->type = strdup(type ? type : "tcp");
	for (size_t i = 0; self->type && i < ARRAY_SIZE(networks); i++) {
		if (streq(self->type, networks[i].name)) {
			self->network = networks[i].network;
			self->socket_type = networks[i].socket_type;
			self->family = networks[i].family;
		}
	}
	r = self->type && self->address
		? read_timeout(sink_option(options, "write_timeout"), &self->sink.timeout_ms, why)
		: -ENOMEM;
	if (r < 0)
		socket_free(&self->sink);
	else
		*ret = &self->sink;
	return r;
}

/* Connects FD. 0 or a negative errno. */
static int connect_before(int fd, const struct sockaddr *address, socklen_t len, struct deadline deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t error_len = sizeof(error);

	if (connect(fd, address, len) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EAGAIN)
		return -errno;
	if (poll(&poll_fd, 1, deadline_left_ms(deadline)) <= 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0)
		return -errno;
	return -error;
}

/* The connected descriptor, or a negative errno. */
static int connect_to(
    const struct socket_sink *self, int family, const struct sockaddr *address, socklen_t len, struct deadline deadline)
{
	int fd AUTO_CLOSE = socket(family, self->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : connect_before(fd, address, len, deadline);

	return r < 0 ? r : TAKE_FD(fd);
}

static int open_unix(const struct socket_sink *self, struct deadline deadline)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(self->address) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, self->address);
	return connect_to(self, AF_UNIX, (const struct sockaddr *)&address, sizeof(address), deadline);
}

/* "host:port", "[::1]:port". */
static int open_ip(const struct socket_sink *self, struct deadline deadline, const char **ret_why)
{
	const struct addrinfo hints = { .ai_family = self->family, .ai_socktype = self->socket_type };
	char *host AUTO_FREE = strdup(self->address);
	char *port = host ? strrchr(host, ':') : NULL, *name = host;
	struct addrinfo *list;
	int r;

	if (!host)
		return -ENOMEM;
	if (!port)
		return -EDESTADDRREQ;
	*port++ = '\0';
	if (*name == '[' && ends_with(name, "]")) {
		name[strlen(name) - 1] = '\0';
		name++;
	}
	r = getaddrinfo(*name ? name : NULL, port, &hints, &list);
	if (r) {
		*ret_why = gai_strerror(r);
		return -EHOSTUNREACH;
	}
	r = -EHOSTUNREACH;
	for (const struct addrinfo *one = list; one && r < 0; one = one->ai_next)
		r = connect_to(self, one->ai_family, one->ai_addr, one->ai_addrlen, deadline);
	freeaddrinfo(list);
	return r;
}

static int socket_open(struct sink *sink, char why[static SINK_WHY_SIZE])
{
	struct socket_sink *self = (struct socket_sink *)sink;
	struct deadline deadline = deadline_after_ms(sink->timeout_ms);
	const char *reason = NULL;
	int r = -EPROTONOSUPPORT;

	if (self->fd >= 0)
		return 0;
	if (self->network == NETWORK_UNIX)
		r = open_unix(self, deadline);
	else if (self->network == NETWORK_IP)
		r = open_ip(self, deadline, &reason);
	else
		reason = "unknown network";
	if (r < 0) {
		snprintf(why, SINK_WHY_SIZE, "error connecting to \"%.40s\" address \"%.200s\": %s", self->type,
		    self->address, reason ? reason : strerror(-r));
		return r;
	}
	self->fd = r;
	return 0;
}

/* A datagram per line, a stream as it comes. */
static int send_some(struct socket_sink *self, const char *data, size_t len, size_t *ret_written)
{
	struct deadline deadline = deadline_after_ms(self->sink.timeout_ms);

	if (self->socket_type == SOCK_STREAM)
		return sink_send_all(self->fd, data + *ret_written, len - *ret_written, deadline, ret_written);
	while (*ret_written < len) {
		const char *line = data + *ret_written, *end = memchr(line, '\n', len - *ret_written);
		int r = sink_send_all(self->fd, line, (size_t)(end - line) + 1, deadline, ret_written);

		if (r < 0)
			return r;
	}
	return 0;
}

static int write_once(
    struct socket_sink *self, const char *data, size_t len, size_t *ret_written, char why[static SINK_WHY_SIZE])
{
	int r = socket_open(&self->sink, why);

	if (r < 0)
		return r;
	r = send_some(self, data, len, ret_written);
	if (r < 0) {
		snprintf(why, SINK_WHY_SIZE, "error writing to socket \"%.200s\": %s", self->address, strerror(-r));
		/* What is half sent must not be followed by anything else. */
		socket_close(&self->sink);
	}
	return r;
}

static int socket_write(
    struct sink *sink, const char *data, size_t len, size_t *ret_written, char why[static SINK_WHY_SIZE])
{
	struct socket_sink *self = (struct socket_sink *)sink;
	const char *end;
	int r;

	*ret_written = 0;
	r = write_once(self, data, len, ret_written, why);
	if (r == 0)
		return 0;
	end = *ret_written ? memrchr(data, '\n', *ret_written) : NULL;
	*ret_written = end ? (size_t)(end - data) + 1 : 0;
	return r == -ETIMEDOUT ? r : write_once(self, data, len, ret_written, why);
}

const struct sink_kind sink_socket = {
	.type = "socket",
	.make = socket_make,
	.open = socket_open,
	.write = socket_write,
	.close = socket_close,
	.free = socket_free,
};
