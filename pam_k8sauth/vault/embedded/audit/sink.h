/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a device's lines go. A sink belongs to its device's thread, and nothing in it waits longer than its time limit
 * but for a file system that hangs itself, which holds up that one thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <jansson.h>

#include "base/deadline.h"
#include "base/macros.h"

#define SINK_WHY_SIZE	512
#define SINK_TIMEOUT_MS 5000 /* of one write, where no option says otherwise */

struct sink;

struct sink_kind {
	const char *type; /* as sys/audit names it */
	/*
	 * Reads OPTIONS (an object of strings). 0 with *RET (the caller's), -ENOMEM, or -EINVAL with Vault's text in WHY.
	 * Opens nothing.
	 */
	int (*make)(const json_t *options, struct sink **ret, char why[static SINK_WHY_SIZE]);
	/* Opens it if it is not open. 0, or a negative errno with WHY. */
	int (*open)(struct sink *sink, char why[static SINK_WHY_SIZE]);
	/*
	 * Writes LEN bytes, whole lines; *RET_WRITTEN tells how many of them arrived, also after a failure. Opens it again
	 * once where it must. 0, or a negative errno with WHY.
	 */
	int (*write)(
	    struct sink *sink, const char *data, size_t len, size_t *ret_written, char why[static SINK_WHY_SIZE]);
	/* Closes it, so that the next write opens it anew. */
	void (*close)(struct sink *sink);
	void (*free)(struct sink *sink);
};

/* What every sink begins with. */
struct sink {
	const struct sink_kind *kind;
	int timeout_ms; /* of one write */
};

extern const struct sink_kind sink_file, sink_syslog, sink_socket;
/* The kind of TYPE; NULL. */
const struct sink_kind *sink_kind_of(const char *type);

/* The option NAME; NULL. */
const char *sink_option(const json_t *options, const char *name);
/* The path that a file device of OPTIONS writes to; "" for one of another kind. */
const char *sink_file_path(const json_t *options);
/*
 * Sends all of DATA to FD, which does not block, before DEADLINE. *RET_SENT grows by what was taken. 0 or a negative
 * errno, -ETIMEDOUT.
 */
int sink_send_all(int fd, const char *data, size_t len, struct deadline deadline, size_t *ret_sent) NODISCARD;
