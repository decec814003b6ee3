/* SPDX-License-Identifier: Apache-2.0 */
/* The wire protocol on the daemon's loop (libevent): the server side of a socket, and calls to the helper. */
#pragma once

#include <sys/types.h>
#include <event2/event.h>

#include "wire/wire.h"

/* Who is at the other end (SO_PEERCRED; pidfd by SO_PEERPIDFD or pidfd_open, -1 where neither works). */
struct wire_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	int pidfd;
};

#define WIRE_PER_UID 16

struct wire_server;
struct wire_conn; /* one connection with its one request */

/*
 * A request has come whole and well-formed. Answer it once, now or later, by wire_reply(); until then the frame's bytes
 * and the peer stay valid. If the client leaves first, GONE (set by wire_conn_on_gone) is called, and wire_reply() must
 * still be called to give the connection back.
 */
typedef void wire_request_fn(
    void *arg, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer);

/*
 * Serves a listening socket. Per connection: READ_MS to send the whole request (a total, not per byte), MAX bytes, then
 * REPLY_MS for the answer to be taken. At most LIMIT connections at once (the oldest silent one is dropped), and
 * WIRE_PER_UID per non-root uid. Bad frames are answered with WIRE_STATUS_PROTOCOL. NULL with errno on failure; takes
 * FD over.
 */
struct wire_server *wire_server_new(struct event_base *base, int fd, size_t max, int read_ms, int reply_ms,
    unsigned limit, wire_request_fn *request, void *arg);

/* Some uids may have more connections: LIMIT is asked with the server's ARG where one wants more than WIRE_PER_UID. */
void wire_server_set_uid_limit(struct wire_server *server, unsigned (*limit)(void *arg, uid_t uid));

/* Stops accepting; connections in progress may finish. */
void wire_server_stop(struct wire_server *server);
/* Connections that are still open. */
unsigned wire_server_busy(const struct wire_server *server);
void wire_server_free(struct wire_server *server);

/* Takes the descriptor of the peer's process over from CONN (-1 if there is none). */
int wire_conn_take_pidfd(struct wire_conn *conn);

void wire_conn_on_gone(struct wire_conn *conn, void (*gone)(void *arg), void *arg);

/* Sends REPLY (a frame finished by wire_end; emptied) and closes. */
void wire_reply(struct wire_conn *conn, struct buf *reply);

/* A reply of STATUS, REF and MESSAGE (both may be NULL) only. */
void wire_reply_status(
    struct wire_conn *conn, uint8_t type, enum wire_status status, const char *ref, const char *message);

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* R is 0 with a well-formed REPLY (valid during the call), or a negative errno as wire_call's. */
typedef void wire_called_fn(void *arg, int r, const struct wire_frame *reply);

/*
 * Sends REQUEST (finished; emptied) and, if PASS_FD >= 0, that descriptor by SCM_RIGHTS (the caller keeps its own), to
 * the socket PATH without blocking; calls DONE exactly once, never from inside this function, within TIMEOUT_MS.
 */
void wire_call_async(struct event_base *base, const char *path, struct buf *request, int pass_fd, int timeout_ms,
    wire_called_fn *done, void *arg);
