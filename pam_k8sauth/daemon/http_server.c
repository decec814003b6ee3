/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets and limits of the HTTP server; see http_server.h. */
#include "daemon/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/log.h"
#include "daemon/http_conn.h"

#define RETRY_MS 200

const char *http_peer_text(const struct vault_peer *peer, char text[static HTTP_PEER_TEXT_SIZE])
{
	if (peer->kind == VAULT_PEER_UNIX)
		snprintf(text, HTTP_PEER_TEXT_SIZE, "uid %u", peer->uid);
	else
		snprintf(text, HTTP_PEER_TEXT_SIZE, "%s", peer->address);
	return text;
}

/* Sockets for both versions show an IPv4 address inside of an IPv6 one: policies and logs mean the inner one. */
static void unmap(const struct sockaddr **address, int *len, struct sockaddr_in *inner)
{
	struct sockaddr_in6 outer;

	if ((*address)->sa_family != AF_INET6)
		return;
	memcpy(&outer, *address, sizeof(outer));
	if (!IN6_IS_ADDR_V4MAPPED(&outer.sin6_addr))
		return;
	*inner = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = outer.sin6_port };
	memcpy(&inner->sin_addr, &outer.sin6_addr.s6_addr[12], sizeof(inner->sin_addr));
	*address = (const struct sockaddr *)inner;
	*len = sizeof(*inner);
}

static bool peer_of(int fd, enum vault_peer_kind kind, const struct sockaddr *address, int len, struct vault_peer *ret)
{
	struct vault_peer peer = { .kind = kind };
	struct sockaddr_in inner;
	struct ucred ucred;
	socklen_t size = sizeof(ucred);
	char port[8];

	if (kind == VAULT_PEER_UNIX) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
			return false;
		peer.uid = ucred.uid;
	} else {
		unmap(&address, &len, &inner);
		/* Numeric: asks nobody. */
		if (getnameinfo(address, (socklen_t)len, peer.address, sizeof(peer.address), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
			return false;
		peer.port = (uint16_t)atoi(port);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	}
	*ret = peer;
	return true;
}

/* Drops the connection that is silent the longest; false if all are at work. */
static bool make_room(struct http_server *server)
{
	for (struct http_exchange *conn = server->first; conn; conn = conn->next) {
		if (conn->state == CONN_READING || conn->state == CONN_LINGERING) {
			conn_drop(conn);
			return true;
		}
	}
	return false;
}

static bool uid_has_room(const struct http_server *server, uid_t uid)
{
	unsigned n = 0;

	for (const struct http_exchange *conn = server->first; conn; conn = conn->next)
		n += conn->peer.kind == VAULT_PEER_UNIX && conn->peer.uid == uid;
	return n < server->limits.connections_uid;
}

/* The administrator gets in however many others are at work. */
static bool has_room(struct http_server *server, const struct vault_peer *peer)
{
	bool local = peer->kind == VAULT_PEER_UNIX;

	if (local && peer->uid == 0)
		return true;
	return (!local || uid_has_room(server, peer->uid)) &&
	       (server->n_connections < server->limits.connections || make_room(server));
}

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address, int len, void *arg)
{
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;
	struct vault_peer peer;

	(void)socket;
	if (!peer_of(fd, listener->kind, address, len, &peer)) {
		close(fd);
		return;
	}
	if (!has_room(server, &peer)) {
		log_debug("HTTP connection refused: too many");
		close(fd);
		return;
	}
	peer.open_metrics = listener->open_metrics;
	conn_start(server, fd, &peer, listener->tls ? *listener->tls : NULL);
}

static void set_accepting(struct http_server *server, bool on)
{
	for (struct http_listener *l = server->listeners; l; l = l->next) {
		if (on)
			evconnlistener_enable(l->socket);
		else
			evconnlistener_disable(l->socket);
	}
}

/* Out of descriptors: the socket stays readable, so the loop would spin without a pause. */
static void on_accept_error(struct evconnlistener *socket, void *arg)
{
	struct http_listener *listener = arg;
	struct timeval pause = { 0, RETRY_MS * 1000 };
	static struct log_limit failures;

	(void)socket;
	if (log_allowed(&failures, "HTTP connections that could not be accepted"))
		log_warning("accepting HTTP connections: %s", strerror(errno));
	if (make_room(listener->server))
		return;
	set_accepting(listener->server, false);
	evtimer_add(listener->server->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	if (!server->stopping)
		set_accepting(server, true);
}

struct http_server *http_server_new(
    struct event_base *base, const struct http_limits *limits, http_handle_fn *handle, void *arg)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->base = base;
	server->limits = *limits;
	server->handle = handle;
	server->arg = arg;
	server->resume = evtimer_new(base, on_resume, server);
	if (!server->resume) {
		free(server);
		return NULL;
	}
	return server;
}

int http_server_listen(
    struct http_server *server, int fd, enum vault_peer_kind kind, SSL_CTX *const *tls, bool open_metrics)
{
	struct http_listener *listener = calloc(1, sizeof(*listener));

	if (!listener || evutil_make_socket_nonblocking(fd) < 0) {
		free(listener);
		close(fd);
		return -ENOMEM;
	}
	listener->server = server;
	listener->kind = kind;
	listener->tls = tls;
	listener->open_metrics = open_metrics;
	/* Backlog 0: the socket listens already. */
	listener->socket = evconnlistener_new(
	    server->base, on_accept, listener, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener->socket) {
		free(listener);
		close(fd);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(listener->socket, on_accept_error);
	listener->next = server->listeners;
	server->listeners = listener;
	return 0;
}

void http_server_stop(struct http_server *server)
{
	struct http_exchange *conn, *next;

	server->stopping = true;
	while (server->listeners) {
		struct http_listener *listener = server->listeners;

		server->listeners = listener->next;
		evconnlistener_free(listener->socket);
		free(listener);
	}
	for (conn = server->first; conn; conn = next) {
		next = conn->next;
		if (conn->state == CONN_LINGERING || (conn->state == CONN_READING && !conn->in_head))
			conn_drop(conn);
	}
}

unsigned http_server_busy(const struct http_server *server)
{
	unsigned n = 0;

	for (const struct http_exchange *conn = server->first; conn; conn = conn->next)
		n += conn->state == CONN_HANDLING || conn->state == CONN_WRITING ||
		     (conn->state == CONN_READING && conn->in_head);
	return n;
}

unsigned http_server_connections(const struct http_server *server)
{
	return server->n_connections;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	http_server_stop(server);
	while (server->first)
		conn_drop(server->first);
	event_free(server->resume);
	free(server);
}
