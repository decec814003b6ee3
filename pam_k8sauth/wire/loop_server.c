/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of a wire socket on the daemon's loop; see wire_loop.h. */
#include "wire/wire_loop.h"

#include <errno.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <event2/event_struct.h>

#include "base/log.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define ACCEPT_BATCH 64	 /* per turn, so that a flood of connects leaves time for the others */
#define PAUSE_MS     100 /* before the next accept when the process has no descriptor left */
#define QUIET_MS     60000
#define SAID_MAX     32

enum state {
	READING, /* the request */
	WAITING, /* for wire_reply() */
	WRITING, /* the reply */
	GONE,	 /* closed; wire_reply() gives it back */
};

struct wire_conn {
	LIST_ENTRY(wire_conn) link;
	struct wire_server *server; /* NULL once the server is freed */
	enum state state;
	int fd;
	struct event io, timer;
	struct wire_peer peer;
	struct buf data; /* the request, then the reply */
	size_t sent;
	void (*gone)(void *arg);
	void *gone_arg;
};

struct wire_server {
	struct event_base *base;
	int fd;
	struct event accept, pause;
	size_t max;
	int read_ms, reply_ms;
	unsigned limit, busy;
	wire_request_fn *request;
	void *arg;
	unsigned (*uid_limit)(void *arg, uid_t uid); /* NULL: WIRE_PER_UID */
	struct said {
		const char *what; /* static; NULL: free */
		uid_t uid;
		int64_t at;
	} said[SAID_MAX]; /* what was written of late */
	unsigned next_said;
	struct log_limit bad;
	LIST_HEAD(, wire_conn) conns; /* the youngest first */
};

static struct timeval to_timeval(int ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* Closes the socket and leaves the server's list; the memory stays for whoever still holds CONN. */
static void conn_close(struct wire_conn *conn)
{
	if (conn->fd < 0)
		return;
	event_del(&conn->io);
	event_del(&conn->timer);
	close(conn->fd);
	conn->fd = -1;
	LIST_REMOVE(conn, link);
	conn->server->busy--;
	conn->server = NULL;
}

static void conn_free(struct wire_conn *conn)
{
	conn_close(conn);
	if (conn->peer.pidfd >= 0)
		close(conn->peer.pidfd);
	buf_free(&conn->data);
	free(conn);
}

/* The client has left, or must. Who works on its request is told, and gives it back by wire_reply(). */
static void conn_drop(struct wire_conn *conn)
{
	if (conn->state != WAITING) {
		conn_free(conn);
		return;
	}
	conn_close(conn);
	conn->state = GONE;
	if (conn->gone)
		conn->gone(conn->gone_arg);
}

static void on_timeout(evutil_socket_t fd, short events, void *arg)
{
	conn_drop(arg);
}

/* Refuses a frame that never became a request. */
static void refuse(struct wire_conn *conn, const char *why)
{
	uint8_t type = conn->data.len > 5 ? (uint8_t)conn->data.data[5] : 0;

	if (log_allowed(&conn->server->bad, "wire: bad requests"))
		log_warning("wire: bad request of pid %d, uid %u: %s", conn->peer.pid, conn->peer.uid, why);
	conn->state = WAITING;
	wire_reply_status(conn, type, WIRE_STATUS_PROTOCOL, NULL, why);
}

static void request_read(struct wire_conn *conn)
{
	struct wire_server *server = conn->server;
	ssize_t want = wire_frame_len(conn->data.data, conn->data.len, server->max);
	struct wire_frame frame;
	const char *why;

	if (want == 0 || (want > 0 && conn->data.len < (size_t)want))
		return;
	if (want < 0) {
		refuse(conn, "frame too large");
		return;
	}
	if (conn->data.len > (size_t)want) {
		refuse(conn, "more than one request");
		return;
	}
	if (wire_parse(conn->data.data, conn->data.len, &frame, &why) < 0) {
		refuse(conn, why);
		return;
	}
	event_del(&conn->timer);
	conn->state = WAITING;
	server->request(server->arg, conn, &frame, &conn->peer); /* CONN may be gone now */
}

static void on_readable(evutil_socket_t fd, short events, void *arg)
{
	struct wire_conn *conn = arg;
	char chunk[16384];
	ssize_t n = recv(conn->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || conn->state != READING) {
		conn_drop(conn);
		return;
	}
	r = buf_add(&conn->data, chunk, (size_t)n);
	wipe(chunk, (size_t)n);
	if (r < 0)
		conn_drop(conn);
	else
		request_read(conn);
}

static void on_writable(evutil_socket_t fd, short events, void *arg)
{
	struct wire_conn *conn = arg;
	ssize_t n = send(
	    conn->fd, conn->data.data + conn->sent, conn->data.len - conn->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_drop(conn);
		return;
	}
	if (n > 0)
		conn->sent += (size_t)n;
	if (conn->sent == conn->data.len)
		conn_free(conn);
}

static bool peer_of(int fd, struct wire_peer *ret)
{
	struct wire_peer peer = { .pidfd = -1 };
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	peer.uid = cred.uid;
	peer.gid = cred.gid;
	peer.pid = cred.pid;
	len = sizeof(peer.pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &peer.pidfd, &len) < 0)
		peer.pidfd = peer.pid > 0 ? (int)syscall(SYS_pidfd_open, peer.pid, 0) : -1;
	*ret = peer;
	return true;
}

/* Says at most once a minute that connections of UID are being dropped. */
static void warn_limit(struct wire_server *server, const char *what, uid_t uid)
{
	int64_t now = monotonic_ms();

	for (size_t i = 0; i < SAID_MAX; i++) {
		const struct said *said = &server->said[i];

		if (said->what == what && said->uid == uid && now - said->at < QUIET_MS)
			return;
	}
	server->said[server->next_said] = (struct said){ .what = what, .uid = uid, .at = now };
	server->next_said = (server->next_said + 1) % SAID_MAX;
	log_warning("wire: %s (uid %u); some are dropped (said once a minute)", what, uid);
}

static bool uid_is_full(struct wire_server *server, uid_t uid, unsigned same)
{
	/* Few ask for more than anybody may have: only these are looked up. */
	if (uid == 0 || same < WIRE_PER_UID)
		return false;
	return !server->uid_limit || same >= server->uid_limit(server->arg, uid);
}

/* Whether one more connection of UID may stay; at the limit the oldest one that has not sent its request leaves. */
static bool make_room(struct wire_server *server, uid_t uid)
{
	static const char one[] = "too many connections of one user", all[] = "too many connections";
	struct wire_conn *conn, *oldest = NULL;
	unsigned same = 0;

	LIST_FOREACH(conn, &server->conns, link)
	{
		if (conn->state == READING)
			oldest = conn;
		if (conn->peer.uid == uid)
			same++;
	}
	if (uid_is_full(server, uid, same)) {
		warn_limit(server, one, uid);
		return false;
	}
	if (server->busy < server->limit)
		return true;
	warn_limit(server, all, uid);
	if (!oldest)
		return false;
	conn_drop(oldest);
	return true;
}

static void conn_new(struct wire_server *server, int fd)
{
	struct timeval limit = to_timeval(server->read_ms);
	struct wire_peer peer;
	struct wire_conn *conn;

	if (!peer_of(fd, &peer)) {
		close(fd);
		return;
	}
	conn = make_room(server, peer.uid) ? calloc(1, sizeof(*conn)) : NULL;
	if (!conn) {
		if (peer.pidfd >= 0)
			close(peer.pidfd);
		close(fd);
		return;
	}
	conn->server = server;
	conn->fd = fd;
	conn->peer = peer;
	LIST_INSERT_HEAD(&server->conns, conn, link);
	server->busy++;
	event_assign(&conn->io, server->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	evtimer_assign(&conn->timer, server->base, on_timeout, conn);
	if (event_add(&conn->io, NULL) < 0 || event_add(&conn->timer, &limit) < 0)
		conn_free(conn);
}

static void on_accept(evutil_socket_t fd, short events, void *arg)
{
	static const char no_descriptor[] = "no descriptor for a connection";
	struct wire_server *server = arg;
	struct timeval pause = to_timeval(PAUSE_MS);

	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (conn >= 0) {
			conn_new(server, conn);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			warn_limit(server, no_descriptor, 0);
			event_del(&server->accept);
			event_add(&server->pause, &pause);
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void on_pause_over(evutil_socket_t fd, short events, void *arg)
{
	struct wire_server *server = arg;

	event_add(&server->accept, NULL);
}

struct wire_server *wire_server_new(struct event_base *base, int fd, size_t max, int read_ms, int reply_ms,
    unsigned limit, wire_request_fn *request, void *arg)
{
	struct wire_server *server = calloc(1, sizeof(*server));

	if (!server || evutil_make_socket_nonblocking(fd) < 0) {
		free(server);
		close(fd);
		return NULL;
	}
	*server = (struct wire_server){
		.base = base,
		.fd = fd,
		.max = max,
		.read_ms = read_ms,
		.reply_ms = reply_ms,
		.limit = limit,
		.request = request,
		.arg = arg,
	};
	LIST_INIT(&server->conns);
	event_assign(&server->accept, base, fd, EV_READ | EV_PERSIST, on_accept, server);
	evtimer_assign(&server->pause, base, on_pause_over, server);
	if (event_add(&server->accept, NULL) < 0) {
		wire_server_free(server);
		return NULL;
	}
	return server;
}

void wire_server_set_uid_limit(struct wire_server *server, unsigned (*limit)(void *arg, uid_t uid))
{
	server->uid_limit = limit;
}

void wire_server_stop(struct wire_server *server)
{
	if (server->fd < 0)
		return;
	event_del(&server->accept);
	event_del(&server->pause);
	close(server->fd);
	server->fd = -1;
}

unsigned wire_server_busy(const struct wire_server *server)
{
	return server->busy;
}

void wire_server_free(struct wire_server *server)
{
	struct wire_conn *conn;

	if (!server)
		return;
	wire_server_stop(server);
	while ((conn = LIST_FIRST(&server->conns)))
		conn_drop(conn);
	free(server);
}

int wire_conn_take_pidfd(struct wire_conn *conn)
{
	return TAKE_FD(conn->peer.pidfd);
}

void wire_conn_on_gone(struct wire_conn *conn, void (*gone)(void *arg), void *arg)
{
	conn->gone = gone;
	conn->gone_arg = arg;
}

void wire_reply(struct wire_conn *conn, struct buf *reply)
{
	struct timeval limit;

	if (conn->state == GONE || reply->len == 0) {
		buf_free(reply);
		conn_free(conn);
		return;
	}
	buf_free(&conn->data);
	conn->data = *reply;
	*reply = (struct buf){ .max = reply->max };
	conn->state = WRITING;
	limit = to_timeval(conn->server->reply_ms);
	event_del(&conn->io);
	event_assign(&conn->io, conn->server->base, conn->fd, EV_WRITE | EV_PERSIST, on_writable, conn);
	if (event_add(&conn->io, NULL) < 0 || event_add(&conn->timer, &limit) < 0)
		conn_free(conn);
	else
		on_writable(conn->fd, EV_WRITE, conn);
}

void wire_reply_status(
    struct wire_conn *conn, uint8_t type, enum wire_status status, const char *ref, const char *message)
{
	AUTO_BUF struct buf reply = { 0 };

	wire_begin(&reply, type | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, status);
	wire_add_str(&reply, WIRE_REF, ref);
	wire_add_str(&reply, WIRE_MESSAGE, message);
	if (wire_end(&reply) < 0)
		buf_free(&reply);
	wire_reply(conn, &reply); /* an empty reply closes the connection: the client sees an outage */
}
