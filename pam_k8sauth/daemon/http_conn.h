/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the HTTP server: shared by http_server.c (sockets, limits) and http_conn.c (one connection). */
#pragma once

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "daemon/http_server.h"

enum conn_state {
	CONN_READING,
	CONN_HANDLING, /* the handler has the request */
	CONN_WRITING,
	CONN_LINGERING, /* the reply is out; what the client still sends is thrown away, so that it reads the reply */
};

struct http_exchange {
	struct http_server *server; /* NULL: the server is gone, the handler's reply is all that is awaited */
	struct http_exchange *prev, *next;
	enum conn_state state;
	struct bufferevent *bev;
	struct event *timer;
	struct http_parser parser;
	size_t held; /* bytes of `reading` that are this one's */
	struct vault_peer peer;
	bool in_head;	/* the first byte of a request is there: head_ms runs */
	bool in_body;	/* its head is there: body_ms runs */
	bool head_only; /* HEAD */
	bool close;	/* after the reply */
	bool refused;	/* before its end: the client may still be sending it */
};

struct http_listener {
	struct evconnlistener *socket;
	struct http_server *server;
	enum vault_peer_kind kind;
	SSL_CTX *const *tls;
	bool open_metrics;
	struct http_listener *next;
};

struct http_server {
	struct event_base *base;
	struct http_limits limits;
	http_handle_fn *handle;
	void *arg;
	struct http_listener *listeners;
	struct event *resume; /* listens again after the process ran out of descriptors */
	/* In the order of their last request: the head is the one that is silent the longest. */
	struct http_exchange *first, *last;
	unsigned n_connections;
	size_t reading; /* bytes that requests hold which are not read to their end */
	bool stopping;
};

/* Serves the connected socket FD (taken over). Drops it without memory. */
void conn_start(struct http_server *server, int fd, const struct vault_peer *peer, SSL_CTX *tls);
/* Closes at once. One whose request is being handled waits, detached, for the reply. */
void conn_drop(struct http_exchange *conn);
