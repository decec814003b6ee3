/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of include/k8sauth/wire.h: building, checked reading, and the blocking client of module and NSS, and
 * the blocking server side of the helper.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <k8sauth/wire.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/secret.h"

/* --- building ------------------------------------------------------------------------------------------------- */

/* Starts a frame in BUF (which must be empty); then add items, then wire_end. Errors stick in BUF and show in wire_end.
 */
void wire_begin(struct buf *buf, uint8_t type);
void wire_add(struct buf *buf, uint16_t tag, const void *value, size_t len); /* TAG may carry WIRE_CRITICAL */
void wire_add_str(struct buf *buf, uint16_t tag, const char *text);	     /* NULL adds nothing */
void wire_add_u32(struct buf *buf, uint16_t tag, uint32_t value);
void wire_add_secret(struct buf *buf, uint16_t tag, const struct secret *secret);
/* Fills in the length: 0, -EMSGSIZE (past buf->max) or -ENOMEM. */
int wire_end(struct buf *buf) NODISCARD;

/* --- reading -------------------------------------------------------------------------------------------------- */

struct wire_item {
	uint16_t tag;	   /* without WIRE_CRITICAL */
	const char *value; /* inside the frame, not NUL-terminated */
	uint32_t len;
};

#define WIRE_ITEMS_MAX 2048

struct wire_frame {
	uint8_t type;
	const char *data; /* the frame's bytes, owned by the caller */
	size_t len;
};

/*
 * The length of the whole frame that starts at DATA: >0, 0 if fewer than 4 bytes are there, -EMSGSIZE if it is over MAX
 * or too short for a header.
 */
ssize_t wire_frame_len(const char *data, size_t len, size_t max);

/*
 * Checks a whole frame (every item within bounds, version, zero fields, text and number items well-formed, no repeated
 * item that may not repeat, no unknown critical item). 0 and a frame that points into DATA; or -EPROTO with a reason
 * that may be sent back.
 */
int wire_parse(const char *data, size_t len, struct wire_frame *ret, const char **ret_why) NODISCARD;

/* Iterates: starts with *AT = 0; false at the end. */
bool wire_next(const struct wire_frame *frame, size_t *at, struct wire_item *ret);

/* The one item TAG. False where it is absent. */
bool wire_get(const struct wire_frame *frame, uint16_t tag, struct wire_item *ret);
bool wire_get_u32(const struct wire_frame *frame, uint16_t tag, uint32_t *ret);
/* A malloc'ed, NUL-terminated copy; NULL where absent (or without memory). */
char *wire_get_str(const struct wire_frame *frame, uint16_t tag);
struct secret *wire_get_secret(const struct wire_frame *frame, uint16_t tag);

/* The frame in words for a log, secrets as lengths only: `login user=k8s_a_b service=sshd credential=(1200 bytes)`. */
void wire_describe(const struct wire_frame *frame, char *ret, size_t size);

/* The name of a status for a log. */
const char *wire_status_name(uint32_t status);

/* --- the blocking client (libc only) -------------------------------------------------------------------------- */

/*
 * Connects to PATH (every component must be root's and writable by nobody else, the socket's inode root's, the peer uid
 * 0), sends REQUEST, reads one reply of at most MAX bytes, all before DEADLINE (connect included), with MSG_NOSIGNAL
 * and without touching the process: no signal, no static state, descriptor closed on every way out. 0 with the parsed
 * REPLY in RET_DATA (which the caller frees: buf_free); -ECONNREFUSED or -ENOENT (daemon down), -EPERM (path or peer
 * not root's), -ETIMEDOUT, -ECONNRESET (closed early), -EPROTO, -EMSGSIZE.
 */
int wire_call(const char *path, const struct buf *request, size_t max, struct deadline deadline, struct buf *ret_data,
    struct wire_frame *ret_reply) NODISCARD;

/* The same, but path components, socket and peer may belong to OWNER as well as to root: for tests without root. */
int wire_call_trusting(const char *path, uid_t owner, const struct buf *request, size_t max, struct deadline deadline,
    struct buf *ret_data, struct wire_frame *ret_reply) NODISCARD;

/* --- the blocking server side, for k8sauth-helper (libc only) ----------------------------------------------------- */

/*
 * Reads one request of at most MAX bytes from the accepted socket FD, all before DEADLINE: 0 with the parsed frame in
 * RET_DATA (buf_free it) and the descriptor that came by SCM_RIGHTS (close it), -1 if none did. -ETIMEDOUT, -ECONNRESET
 * (closed early), -EMSGSIZE, -EPROTO (malformed frame, or more than one descriptor).
 */
int wire_serve_read(int fd, size_t max, struct deadline deadline, struct buf *ret_data, struct wire_frame *ret,
    int *ret_passed_fd) NODISCARD;

/* Sends REPLY (finished by wire_end) before DEADLINE: 0, -ETIMEDOUT, or -ECONNRESET where the client has left. */
int wire_serve_reply(int fd, const struct buf *reply, struct deadline deadline) NODISCARD;
