/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 server on libevent bufferevents: unix sockets, TCP, TLS. Every wait is a total that no single byte restarts;
 * a connection has one request in progress, pipelined ones wait in order (decision 3).
 */
#pragma once

#include <event2/event.h>
#include <openssl/ssl.h>

#include "daemon/http_parse.h"
#include "vault/request.h"

struct http_server;
struct http_exchange; /* one connection with its one request in progress */

struct http_limits {
	size_t max_body;
	size_t reading;		  /* bytes of requests that are being read, together; the oldest make room */
	unsigned connections;	  /* at once, but for root's; the one that is silent the longest makes room */
	unsigned connections_uid; /* of one uid but root, on unix sockets */
	int head_ms;		  /* from the first byte of a request (or from accept) to the end of its head */
	int body_ms;		  /* from there to the end of its body */
	int idle_ms;		  /* between requests */
	int write_ms;		  /* until the reply is taken */
};

#define HTTP_LIMITS_DEFAULT                                                                              \
	{                                                                                                \
		.max_body = HTTP_BODY_MAX, .reading = 64 * 1024 * 1024, .connections = 1024,             \
		.connections_uid = 64, .head_ms = 10000, .body_ms = 30000, .idle_ms = 60000,             \
		.write_ms = 30000                                                                        \
	}

/*
 * A whole request is there. Answer it once, now or later, by http_reply(); REQUEST is valid until this function
 * returns, PEER (of kind VAULT_PEER_UNIX or VAULT_PEER_TCP) until the reply.
 */
typedef void http_handle_fn(
    void *arg, struct http_exchange *exchange, const struct http_request *request, const struct vault_peer *peer);

/* NULL without memory. */
struct http_server *http_server_new(
    struct event_base *base, const struct http_limits *limits, http_handle_fn *handle, void *arg);

/*
 * Serves the listening socket FD (taken over, made non-blocking), which is of kind KIND; with TLS if *TLS is not NULL
 * when a client connects: *TLS may be replaced at any time (its holder keeps the reference). TLS itself may be NULL.
 * Clients of one with OPEN_METRICS need no token for sys/metrics. 0 or a negative errno.
 */
int http_server_listen(struct http_server *server, int fd, enum vault_peer_kind kind, SSL_CTX *const *tls,
    bool open_metrics) NODISCARD;

/* Stops accepting and closes idle connections; requests in progress are still answered. */
void http_server_stop(struct http_server *server);
/* Requests that are being handled, or whose reply is being sent. */
unsigned http_server_busy(const struct http_server *server);
/* How many there are. */
unsigned http_server_connections(const struct http_server *server);
/* Drops every connection. Replies that are still to come go nowhere. */
void http_server_free(struct http_server *server);

#define HTTP_PEER_TEXT_SIZE 80

/* PEER for a log line, in TEXT, which is returned: "uid 0", or its address. */
const char *http_peer_text(const struct vault_peer *peer, char text[static HTTP_PEER_TEXT_SIZE]);

/*
 * Sends STATUS with the lines of HEADERS (NULL, or each one ended by CRLF) and BODY (may be NULL; emptied). The server
 * adds what every reply has (Cache-Control, Content-Type, Content-Length, Date, ...), and leaves the body out for HEAD
 * and 204. A body of NULL is an empty one.
 */
void http_reply(struct http_exchange *exchange, int status, const char *headers, struct buf *body);
/* The same with another content TYPE than JSON's; NULL: none. */
void http_reply_typed(
    struct http_exchange *exchange, int status, const char *type, const char *headers, struct buf *body);

/* Sends 200 with SIZE bytes of the file FD (taken over), of content type TYPE: as they are on the disk, not by memory. */
void http_reply_file(struct http_exchange *exchange, const char *type, int fd, uint64_t size);

/* The same with Vault's error body: {"errors":["TEXT"]}, or {"errors":[]} where TEXT is NULL. */
void http_reply_error(struct http_exchange *exchange, int status, const char *headers, const char *text);
