/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server with the Vault API on top of a backend that tells what it was asked, and clients of it in one loop. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/buf.h"
#include "daemon/http_server.h"

struct parked {
	vault_done_fn *done;
	void *arg;
	struct vault_response *response;
};

extern struct event_base *base;
extern struct parked parked[8]; /* requests that the backend has not answered yet */
extern unsigned n_parked;
extern bool park; /* answers wait until fixture_release() */

struct fixture {
	struct http_server *server;
	struct sockaddr_storage address;
	socklen_t len;
};

/* On a unix socket, and on a port of HOST. */
void fixture_start(struct fixture *f, const struct http_limits *limits);
void fixture_start_tcp(struct fixture *f, const struct http_limits *limits, const char *host);

/* Answers what waits. */
void fixture_release(void);
/* What there is to do for the loop now. */
void fixture_turn(void);

/* A connection, which the server has seen. */
int fixture_connect(const struct sockaddr *address, socklen_t len);
int fixture_dial(const struct fixture *f);
/* Turns the loop until the reply has UNTIL (or, NULL, until the server closes), at most 5 s. */
void fixture_receive(int fd, struct buf *reply, const char *until);
/* One connection: sends TEXT, reads until the server closes. */
void fixture_exchange(const struct fixture *f, const char *text, struct buf *reply);

/* How often WHAT is in TEXT. */
unsigned fixture_count(const char *text, const char *what);

#define END "Host: a\r\nConnection: close\r\n\r\n"

/* Runs N tests, with a loop and a folder for the socket. */
int fixture_run(const struct CMUnitTest *tests, size_t n);
