/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking input and output under a total deadline: the client, and the server side of k8sauth-helper; see wire.h. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "wire/wire.h"

/* Waits until FD can be read (or written): 0, -ETIMEDOUT, or poll's errno. A hang-up counts as ready. */
static int wait_for(int fd, short events, struct deadline deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		int left = deadline_left_ms(deadline);
		int n = left > 0 ? poll(&pfd, 1, left) : 0;

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
	}
}

static int send_all(int fd, const struct buf *frame, struct deadline deadline)
{
	for (size_t sent = 0; sent < frame->len;) {
		ssize_t n = send(fd, frame->data + sent, frame->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Keeps the one descriptor that MSG carried; a second one, or one where none is wanted, is closed and refused. */
static int take_passed_fd(struct msghdr *msg, int *passed_fd)
{
	int r = msg->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (passed_fd && *passed_fd < 0 && r == 0) {
				*passed_fd = fd;
				continue;
			}
			close(fd);
			r = -EPROTO;
		}
	}
	return r;
}

/* Reads at most LEN bytes: >0, 0 at the end, -EAGAIN, -EPROTO (descriptors nobody asked for) or recvmsg's errno. */
static ssize_t receive(int fd, char *data, size_t len, int *passed_fd)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = passed_fd ? control.bytes : NULL,
		.msg_controllen = passed_fd ? sizeof(control.bytes) : 0,
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int r;

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (!passed_fd)
		return n;
	r = take_passed_fd(&msg, passed_fd);
	return r < 0 ? r : n;
}

/* Reads WANT more bytes into DATA, never one more than that. */
static int receive_exactly(int fd, size_t want, struct deadline deadline, struct buf *data, int *passed_fd)
{
	char chunk[4096];

	while (want > 0) {
		ssize_t n = receive(fd, chunk, want < sizeof(chunk) ? want : sizeof(chunk), passed_fd);
		int r;

		if (n == -EAGAIN) {
			r = wait_for(fd, POLLIN, deadline);
			if (r < 0)
				return r;
			continue;
		}
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		r = buf_add(data, chunk, (size_t)n);
		wipe(chunk, (size_t)n);
		if (r < 0)
			return r;
		want -= (size_t)n;
	}
	return 0;
}

static int receive_frame(
    int fd, size_t max, struct deadline deadline, struct buf *data, struct wire_frame *ret, int *passed_fd)
{
	struct wire_frame frame;
	const char *why;
	ssize_t len;
	int r = receive_exactly(fd, sizeof(uint32_t), deadline, data, passed_fd);

	if (r < 0)
		return r;
	len = wire_frame_len(data->data, data->len, max);
	if (len < 0)
		return (int)len;
	r = receive_exactly(fd, (size_t)len - data->len, deadline, data, passed_fd);
	if (r < 0)
		return r;
	r = wire_parse(data->data, data->len, &frame, &why);
	if (r == 0)
		*ret = frame;
	return r;
}

int wire_serve_read(
    int fd, size_t max, struct deadline deadline, struct buf *ret_data, struct wire_frame *ret, int *ret_passed_fd)
{
	AUTO_BUF struct buf data = { 0 };
	AUTO_CLOSE int passed = -1;
	int r = receive_frame(fd, max, deadline, &data, ret, &passed);

	if (r < 0)
		return r;
	*ret_data = data;
	data = (struct buf){ 0 };
	*ret_passed_fd = TAKE_FD(passed);
	return 0;
}

int wire_serve_reply(int fd, const struct buf *reply, struct deadline deadline)
{
	int r = send_all(fd, reply, deadline);

	return r == -EPIPE ? -ECONNRESET : r;
}

/*
 * Whether only OWNER and root can have put the socket where it is: then nobody can swap it between this look and the
 * connect. A sticky directory (a test's /tmp) lets nobody rename what belongs to others.
 */
static int check_path(const char *path, uid_t owner)
{
	char part[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	size_t len = strlen(path);
	struct stat st;

	if (*path != '/' || len >= sizeof(part))
		return -EINVAL;
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		bool last = i == len;
		char saved = part[i];

		if (saved != '/' && !last)
			continue;
		part[i] = '\0';
		if (lstat(part, &st) < 0)
			return -errno;
		part[i] = saved;
		if (st.st_uid != 0 && st.st_uid != owner)
			return -EPERM;
		if (last ? !S_ISSOCK(st.st_mode) : !S_ISDIR(st.st_mode))
			return -EPERM;
		if (!last && st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))
			return -EPERM;
	}
	return lstat("/", &st) < 0 ? -errno : st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
}

/* A full backlog of a unix socket cannot be polled for: the send time-out bounds the wait inside connect(). */
static int connect_before(int fd, const struct sockaddr_un *address, struct deadline deadline)
{
	for (;;) {
		int left = deadline_left_ms(deadline);
		struct timeval limit = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

		if (left == 0)
			return -ETIMEDOUT;
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
			return -errno;
		if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

static int check_peer(int fd, uid_t owner)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == owner ? 0 : -EPERM;
}

static int exchange(int fd, const struct buf *request, size_t max, struct deadline deadline, struct buf *data,
    struct wire_frame *ret_reply)
{
	struct wire_frame reply;
	int r = send_all(fd, request, deadline);

	/* A server that refuses early closes its reading side; what it has to say may be there all the same. */
	if (r < 0 && r != -EPIPE)
		return r;
	r = receive_frame(fd, max, deadline, data, &reply, NULL);
	if (r < 0)
		return r;
	if (reply.type != ((uint8_t)request->data[5] | WIRE_REPLY))
		return -EPROTO;
	*ret_reply = reply;
	return 0;
}

int wire_call_trusting(const char *path, uid_t owner, const struct buf *request, size_t max, struct deadline deadline,
    struct buf *ret_data, struct wire_frame *ret_reply)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_BUF struct buf data = { 0 };
	AUTO_CLOSE int fd = -1;
	int r = check_path(path, owner);

	if (r < 0)
		return r;
	strcpy(address.sun_path, path); /* check_path() has measured it */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = connect_before(fd, &address, deadline);
	if (r == 0)
		r = check_peer(fd, owner);
	if (r == 0)
		r = exchange(fd, request, max, deadline, &data, ret_reply);
	if (r < 0)
		return r;
	*ret_data = data;
	data = (struct buf){ 0 };
	return 0;
}

int wire_call(const char *path, const struct buf *request, size_t max, struct deadline deadline, struct buf *ret_data,
    struct wire_frame *ret_reply)
{
	return wire_call_trusting(path, 0, request, max, deadline, ret_data, ret_reply);
}
