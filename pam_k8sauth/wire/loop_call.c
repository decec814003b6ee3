/* SPDX-License-Identifier: Apache-2.0 */
/* One request to another program's wire socket from the daemon's loop; see wire_loop.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <event2/event_struct.h>

#include "base/log.h"
#include "wire/wire_loop.h"

#define RETRY_MS 10 /* a full backlog of a unix socket cannot be polled for */

struct call {
	struct event_base *base;
	struct sockaddr_un address;
	struct buf request, reply;
	size_t sent;
	int fd, pass_fd;
	int error; /* found before the loop ran */
	struct event io, timer, retry;
	wire_called_fn *done;
	void *arg;
};

static void call_free(struct call *call)
{
	event_del(&call->io);
	event_del(&call->timer);
	event_del(&call->retry);
	if (call->fd >= 0)
		close(call->fd);
	if (call->pass_fd >= 0)
		close(call->pass_fd);
	buf_free(&call->request);
	buf_free(&call->reply);
	free(call);
}

static void call_done(struct call *call, int r, const struct wire_frame *reply)
{
	call->done(call->arg, r, r < 0 ? NULL : reply);
	call_free(call);
}

static void on_timeout(evutil_socket_t fd, short events, void *arg)
{
	call_done(arg, -ETIMEDOUT, NULL);
}

static void reply_read(struct call *call)
{
	ssize_t want = wire_frame_len(call->reply.data, call->reply.len, WIRE_REPLY_MAX);
	struct wire_frame frame;
	const char *why;
	int r;

	if (want == 0 || (want > 0 && call->reply.len < (size_t)want))
		return;
	if (want < 0) {
		call_done(call, -EMSGSIZE, NULL);
		return;
	}
	r = wire_parse(call->reply.data, (size_t)want, &frame, &why);
	if (r == 0 && frame.type != ((uint8_t)call->request.data[5] | WIRE_REPLY))
		r = -EPROTO;
	call_done(call, r, &frame);
}

static void on_readable(evutil_socket_t fd, short events, void *arg)
{
	struct call *call = arg;
	char chunk[4096];
	ssize_t n = recv(call->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		call_done(call, n < 0 ? -errno : -ECONNRESET, NULL);
		return;
	}
	r = buf_add(&call->reply, chunk, (size_t)n);
	wipe(chunk, (size_t)n);
	if (r < 0)
		call_done(call, r, NULL);
	else
		reply_read(call);
}

/* The descriptor travels with the first bytes. */
static ssize_t send_some(struct call *call)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { .bytes = "" };
	struct iovec iov = { call->request.data + call->sent, call->request.len - call->sent };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (call->pass_fd >= 0) {
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.header), &call->pass_fd, sizeof(int));
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
	}
	return sendmsg(call->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_writable(evutil_socket_t fd, short events, void *arg)
{
	struct call *call = arg;
	ssize_t n = send_some(call);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A server that refuses early closes its reading side; what it has to say may be there all the same. */
	if (n < 0 && errno != EPIPE) {
		call_done(call, -errno, NULL);
		return;
	}
	if (call->pass_fd >= 0) {
		close(call->pass_fd);
		call->pass_fd = -1;
	}
	if (n > 0)
		call->sent += (size_t)n;
	if (n > 0 && call->sent < call->request.len)
		return;
	event_del(&call->io);
	event_assign(&call->io, call->base, call->fd, EV_READ | EV_PERSIST, on_readable, call);
	if (event_add(&call->io, NULL) < 0)
		call_done(call, -ENOMEM, NULL);
}

/* The other side must be root, or this daemon's own account (a test, a developer's machine). */
static int check_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

static void on_start(evutil_socket_t fd, short events, void *arg)
{
	struct call *call = arg;
	struct timeval retry = { .tv_usec = RETRY_MS * 1000 };
	int r = call->error;

	if (r == 0 && connect(call->fd, (struct sockaddr *)&call->address, sizeof(call->address)) < 0)
		r = -errno;
	if (r == -EAGAIN || r == -EINTR) {
		event_add(&call->retry, &retry);
		return;
	}
	if (r == 0)
		r = check_peer(call->fd);
	if (r == 0) {
		event_assign(&call->io, call->base, call->fd, EV_WRITE | EV_PERSIST, on_writable, call);
		r = event_add(&call->io, NULL) < 0 ? -ENOMEM : 0;
	}
	if (r < 0)
		call_done(call, r, NULL);
}

/* What can be prepared before the loop runs. */
static int call_prepare(struct call *call, const char *path, int pass_fd)
{
	if (strlen(path) >= sizeof(call->address.sun_path))
		return -ENAMETOOLONG;
	call->address.sun_family = AF_UNIX;
	strcpy(call->address.sun_path, path);
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0)
		return -errno;
	if (pass_fd < 0)
		return 0;
	call->pass_fd = fcntl(pass_fd, F_DUPFD_CLOEXEC, 3);
	return call->pass_fd < 0 ? -errno : 0;
}

void wire_call_async(struct event_base *base, const char *path, struct buf *request, int pass_fd, int timeout_ms,
    wire_called_fn *done, void *arg)
{
	struct timeval now = { 0 }, limit = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		goto no_memory;
	*call = (struct call){ .base = base, .fd = -1, .pass_fd = -1, .done = done, .arg = arg };
	call->request = *request;
	*request = (struct buf){ .max = request->max };
	call->error = call_prepare(call, path, pass_fd);
	event_assign(&call->io, base, call->fd, EV_WRITE, on_writable, call);
	evtimer_assign(&call->timer, base, on_timeout, call);
	evtimer_assign(&call->retry, base, on_start, call);
	if (event_add(&call->timer, &limit) == 0 && event_add(&call->retry, &now) == 0)
		return;
no_memory:
	/* DONE cannot be called from here and would never be: ending is what leaves nobody waiting. */
	log_error("wire: out of memory for a call to %s", path);
	abort();
}
