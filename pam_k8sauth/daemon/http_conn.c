/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP connection: reading with time limits, handing over, replying, closing so that the client reads the reply. */
#include "daemon/http_conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

#include "base/json_go.h"
#include "base/log.h"
#include "daemon/http_head.h"

#define READ_AHEAD (64 * 1024) /* bytes that may wait behind the request in progress */
#define LINGER_MS  2000
#define FILE_BYTES_PER_MS 1024 /* who takes a file slower than a mebibyte a second is dropped */

static void conn_set_timer(struct http_exchange *conn, int ms)
{
	struct timeval in = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(conn->timer, &in);
}

static void conn_unlink(struct http_exchange *conn)
{
	struct http_server *server = conn->server;

	if (conn->prev)
		conn->prev->next = conn->next;
	else
		server->first = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	else
		server->last = conn->prev;
	conn->prev = conn->next = NULL;
}

static void conn_link(struct http_exchange *conn)
{
	struct http_server *server = conn->server;

	conn->prev = server->last;
	if (server->last)
		server->last->next = conn;
	else
		server->first = conn;
	server->last = conn;
}

/* What the request in progress takes: the server has a limit for all of them. */
static void conn_account(struct http_exchange *conn)
{
	size_t size = conn->parser.head.size + conn->parser.request.body.size;

	conn->server->reading += size - conn->held;
	conn->held = size;
}

static void conn_free(struct http_exchange *conn)
{
	if (conn->bev)
		bufferevent_free(conn->bev);
	if (conn->timer)
		event_free(conn->timer);
	http_parser_reset(&conn->parser);
	free(conn);
}

void conn_drop(struct http_exchange *conn)
{
	SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);

	if (ssl && conn->state == CONN_LINGERING)
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN | SSL_SENT_SHUTDOWN);
	conn_unlink(conn);
	conn->server->n_connections--;
	conn->server->reading -= conn->held;
	conn->server = NULL;
	if (conn->state != CONN_HANDLING) {
		conn_free(conn);
		return;
	}
	bufferevent_free(TAKE_PTR(conn->bev));
	event_del(conn->timer);
}

/* Lets go of a body that libevent has sent. */
static void body_sent(const void *data, size_t len, void *extra)
{
	(void)data;
	(void)len;
	wipe_free(extra);
}

static bool is_plain(const struct http_exchange *conn)
{
	return !bufferevent_openssl_get_ssl(conn->bev);
}

/* The client has sent all, and a unix socket keeps what it was sent. */
static bool ends_without_lingering(const struct http_exchange *conn)
{
	return conn->close && conn->peer.kind == VAULT_PEER_UNIX && !conn->refused;
}

/* Writes without asking the loop first whether the socket takes it, since it nearly always does; the loop has the rest.
 */
static void conn_write_now(struct http_exchange *conn, int ms)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);

	/* A bufferevent lets nobody else drain its output. */
	evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(conn->bev));
	evbuffer_freeze(out, 1);
	if (evbuffer_get_length(out) == 0) {
		/* A client that reads to the end need not wait for the rest of this turn. */
		if (ends_without_lingering(conn))
			shutdown(bufferevent_getfd(conn->bev), SHUT_WR);
		/* Later in this turn: a client's next request must not be handled inside of the reply to this one. */
		bufferevent_trigger(conn->bev, EV_WRITE, BEV_OPT_DEFER_CALLBACKS);
		return;
	}
	conn_set_timer(conn, ms);
	bufferevent_enable(conn->bev, EV_WRITE);
}

void http_reply(struct http_exchange *conn, int status, const char *headers, struct buf *body)
{
	http_reply_typed(conn, status, "application/json", headers, body);
}

/* The head is in the output; NULL after the connection was let go. */
static struct evbuffer *begin_reply(
    struct http_exchange *conn, int status, const char *type, const char *headers, size_t len)
{
	struct evbuffer *out;

	if (!conn->server) {
		conn_free(conn);
		return NULL;
	}
	if (conn->server->stopping)
		conn->close = true;
	out = bufferevent_get_output(conn->bev);
	if (is_plain(conn))
		bufferevent_disable(conn->bev, EV_WRITE);
	conn->state = CONN_WRITING;
	http_parser_reset(&conn->parser);
	conn_account(conn);
	conn->in_head = conn->in_body = false;
	if (http_head_add(out, status, type, headers, len, conn->close) == 0)
		return out;
	log_error("HTTP reply dropped: out of memory");
	conn_drop(conn);
	return NULL;
}

/* R tells whether the body is in the output, MS how long the client may take. */
static void end_reply(struct http_exchange *conn, int r, int ms)
{
	if (r < 0) {
		log_error("HTTP reply dropped: out of memory");
		conn_drop(conn);
		return;
	}
	if (is_plain(conn)) {
		conn_write_now(conn, ms);
		return;
	}
	conn_set_timer(conn, ms);
	bufferevent_enable(conn->bev, EV_WRITE);
}

void http_reply_typed(struct http_exchange *conn, int status, const char *type, const char *headers, struct buf *body)
{
	size_t len = body ? body->len : 0;
	struct evbuffer *out = begin_reply(conn, status, type, headers, len);
	int r = 0;

	if (out && len > 0 && !conn->head_only && status != 204) {
		char *data = buf_take(body);

		if (!data || evbuffer_add_reference(out, data, len, body_sent, data) < 0) {
			wipe_free(data);
			r = -ENOMEM;
		}
	}
	if (body)
		buf_free(body);
	if (out)
		end_reply(conn, r, conn->server->limits.write_ms);
}

void http_reply_file(struct http_exchange *conn, const char *type, int fd, uint64_t size)
{
	struct evbuffer *out = begin_reply(conn, 200, type, NULL, size);
	bool sent = out && !conn->head_only && size > 0;
	int r = sent ? evbuffer_add_file(out, fd, 0, (ev_off_t)size) : 0;

	/* libevent closes it when all is sent. */
	if (!sent || r < 0)
		close(fd);
	if (out)
		end_reply(conn, r, conn->server->limits.write_ms + (int)(size / FILE_BYTES_PER_MS));
}

void http_reply_error(struct http_exchange *conn, int status, const char *headers, const char *text)
{
	AUTO_BUF struct buf body = { 0 };
	json_t *json = text ? json_pack("{s:[s]}", "errors", text) : json_pack("{s:[]}", "errors");

	if (json)
		json_go_encode(json, &body);
	json_decref(json);
	buf_add_char(&body, '\n');
	http_reply(conn, status, headers, &body);
}

/* The bytes were refused: they may not even be HTTP, so the connection ends after the answer. */
static void conn_refuse(struct http_exchange *conn, int status, const char *why)
{
	static struct log_limit large;
	char peer[HTTP_PEER_TEXT_SIZE];

	bufferevent_disable(conn->bev, EV_READ);
	/* What is too large is somebody's mistake; the rest may be scanners, who are no news. */
	if (status != 413 || log_allowed(&large, "HTTP requests that were too large"))
		log_line(status == 413 ? LOG_NOTICE : LOG_DEBUG, NULL, "HTTP request from %s refused: %d %s",
		    http_peer_text(&conn->peer, peer), status, why);
	conn->close = conn->refused = true;
	conn->head_only = false;
	http_reply_error(conn, status, NULL, why);
}

/* Gives what came in to the parser and wipes it. */
static void conn_feed(struct http_exchange *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	struct http_parser *parser = &conn->parser;

	while (evbuffer_get_length(in) > 0 && (parser->state == HTTP_HEAD || parser->state == HTTP_BODY)) {
		struct evbuffer_iovec piece;
		size_t used;

		if (evbuffer_peek(in, -1, NULL, &piece, 1) < 1)
			break;
		used = http_parser_feed(parser, piece.iov_base, piece.iov_len);
		wipe(piece.iov_base, used);
		evbuffer_drain(in, used);
		conn->in_head = true;
	}
}

/* Sets the time limit of the part of the request that is being read, if it has just begun. */
static void conn_advance(struct http_exchange *conn, bool was_in_head)
{
	if (conn->parser.state == HTTP_HEAD && conn->in_head && !was_in_head)
		conn_set_timer(conn, conn->server->limits.head_ms);
	if (conn->parser.state != HTTP_BODY || conn->in_body)
		return;
	conn->in_body = true;
	conn_set_timer(conn, conn->server->limits.body_ms);
	if (!conn->parser.expect_continue)
		return;
	bufferevent_enable(conn->bev, EV_WRITE);
	bufferevent_write(conn->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

/* Drops unfinished requests, the oldest first, where all together take too much; CONN's own may go on. */
static void make_room_to_read(struct http_server *server, const struct http_exchange *conn)
{
	struct http_exchange *other, *next;

	for (other = server->first; other && server->reading > server->limits.reading; other = next) {
		next = other->next;
		if (other != conn && other->held)
			conn_drop(other);
	}
}

static void conn_read(struct http_exchange *conn)
{
	struct http_server *server = conn->server;
	bool was_in_head = conn->in_head;
	struct http_parser whole;

	conn_feed(conn);
	conn_account(conn);
	if (conn->in_head && !was_in_head) { /* it is silent no longer */
		conn_unlink(conn);
		conn_link(conn);
	}
	if (conn->parser.state == HTTP_BAD) {
		conn_refuse(conn, conn->parser.status, conn->parser.why);
		return;
	}
	if (conn->parser.state != HTTP_DONE) {
		conn_advance(conn, was_in_head);
		make_room_to_read(server, conn);
		return;
	}
	bufferevent_disable(conn->bev, EV_READ);
	event_del(conn->timer);
	/* The request leaves the connection, so that its bytes are wiped when the handler has seen them. */
	whole = conn->parser;
	http_parser_init(&conn->parser, server->limits.max_body);
	conn_account(conn);
	conn->state = CONN_HANDLING;
	conn->head_only = streq(whole.request.method, "HEAD");
	conn->close = !whole.request.keep_alive;
	conn_unlink(conn);
	conn_link(conn);
	server->handle(server->arg, conn, &whole.request, &conn->peer);
	http_parser_reset(&whole);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct http_exchange *conn = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (conn->state == CONN_READING)
		conn_read(conn);
	else if (conn->state == CONN_LINGERING)
		evbuffer_drain(in, evbuffer_get_length(in));
}

/* Everything is written: the next request, or the end. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct http_exchange *conn = arg;
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (conn->state != CONN_WRITING)
		return;
	if (ends_without_lingering(conn)) {
		conn_drop(conn);
		return;
	}
	if (conn->close) {
		conn->state = CONN_LINGERING;
		if (ssl)
			SSL_shutdown(ssl);
		shutdown(bufferevent_getfd(bev), SHUT_WR);
		conn_set_timer(conn, LINGER_MS);
		bufferevent_enable(bev, EV_READ);
		return;
	}
	conn->state = CONN_READING;
	conn_set_timer(conn, conn->server->limits.idle_ms);
	bufferevent_enable(bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0)
		conn_read(conn);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_exchange *conn = arg;
	unsigned long error = bufferevent_get_openssl_error(bev);
	char text[160];

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	if (error) {
		ERR_error_string_n(error, text, sizeof(text));
		log_debug("TLS connection from %s ended: %s", conn->peer.address, text);
	}
	conn_drop(conn);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_exchange *conn = arg;

	(void)fd;
	(void)what;
	if (conn->state == CONN_READING && conn->in_head) {
		conn_refuse(conn, 408, "the request took too long");
		return;
	}
	conn_drop(conn);
}

static struct bufferevent *conn_bufferevent(struct event_base *base, int fd, SSL_CTX *tls)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (!tls)
		return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

/* A client sends its request right after its connect: it is mostly there before the loop could say so. */
static void conn_read_now(struct http_exchange *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	char chunk[4096]; /* more would only be zeroed and wiped, and drive other things out of the cache */
	ssize_t n = recv(bufferevent_getfd(conn->bev), chunk, sizeof(chunk), MSG_DONTWAIT);
	int r;

	if (n <= 0)
		return;		  /* the loop sees an end again */
	evbuffer_unfreeze(in, 0); /* which a bufferevent lets nobody else fill */
	r = evbuffer_add(in, chunk, (size_t)n);
	evbuffer_freeze(in, 0);
	wipe(chunk, (size_t)n);
	if (r < 0)
		conn_drop(conn);
	else
		conn_read(conn);
}

void conn_start(struct http_server *server, int fd, const struct vault_peer *peer, SSL_CTX *tls)
{
	struct http_exchange *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(fd);
		return;
	}
	http_parser_init(&conn->parser, server->limits.max_body);
	conn->peer = *peer;
	conn->timer = evtimer_new(server->base, on_timer, conn);
	conn->bev = conn_bufferevent(server->base, fd, tls);
	if (!conn->timer || !conn->bev) {
		if (!conn->bev)
			close(fd);
		conn_free(conn);
		return;
	}
	conn->server = server;
	conn_link(conn);
	server->n_connections++;
	bufferevent_setcb(conn->bev, on_read, on_write, on_event, conn);
	bufferevent_setwatermark(conn->bev, EV_READ, 0, READ_AHEAD);
	conn_set_timer(conn, server->limits.head_ms);
	if (tls) {
		bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
		return;
	}
	bufferevent_enable(conn->bev, EV_READ);
	conn_read_now(conn);
}
