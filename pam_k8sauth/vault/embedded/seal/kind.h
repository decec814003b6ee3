/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kind of seal: what keeps the root key while the daemon does not run (decision 6). Adding one, such as a cloud's key
 * service, is a file with a struct of functions, a line in seal_kinds, and an entry in settings.c.
 */
#pragma once

#include <event2/event.h>

#include "base/secret.h"
#include "vault/embedded/seal/settings.h"
#include "vault/embedded/store.h"

/* One wrapping or unwrapping. Of the core; a kind fills in what is marked. */
struct seal_op {
	int r; /* kind: 0, -errno with WHY, or -EINPROGRESS: it will set another one and call DONE, from the loop */
	struct store_blob wrapped; /* kind, of a wrapping: malloc'ed */
	struct secret *root_key;   /* kind, of an unwrapping */
	bool renew; /* kind: what unwrapped it is on its way out, or may be: wrap it again */
	char why[512];		   /* kind */
	void (*done)(void *arg);
	void *arg;
	void (*cancel)(void *state); /* kind, while it is in progress: DONE is not called then */
	void *state;
};

struct seal_kind {
	const char *type;
	bool by_shares; /* people keep the key, in shares: it has none of the functions */
	bool remote;	/* what fails may succeed later: it is tried again */
	/* *RET is the kind's. 0, or a negative errno with WHY. CONFIG outlives it. */
	int (*open)(struct event_base *base, const struct seal_config *config, void **ret, char *why, size_t why_size);
	void (*close)(void *seal);
	/* Whether the files that the configuration names are what they must be; nobody is asked. NULL: there are none. */
	int (*check)(void *seal, char *why, size_t why_size);
	/* OP is as seal_op_begin left it. ROOT_KEY and WRAPPED are the caller's, and not looked at later. */
	void (*wrap)(void *seal, const struct secret *root_key, struct seal_op *op);
	void (*unwrap)(void *seal, const struct store_blob *wrapped, struct seal_op *op);
	/* Where it only shows when it is wrapped again: whether one key wrapped both. NULL: it is known before. */
	bool (*same_key)(const struct store_blob *a, const struct store_blob *b);
};

extern const struct seal_kind seal_shamir, seal_credential, seal_static, seal_transit;

/* The kind of TYPE, which settings.c has too. */
const struct seal_kind *seal_kind_of(const char *type);

/*
 * Whether a start could use CONFIG, as far as this can be told without a store and without the network. 0, or a negative
 * errno with WHY.
 */
int seal_config_check(const struct seal_config *config, char *why, size_t why_size) NODISCARD;

/* Makes OP ready for one wrapping or unwrapping; what an earlier one left is gone. */
void seal_op_begin(struct seal_op *op, void (*done)(void *arg), void *arg);
/* Gives up what is in progress, wipes and frees. */
void seal_op_end(struct seal_op *op);

/*
 * A file with a secret in it, at most MAX bytes: root's, or the daemon's own, and not readable by everybody. 0, or a
 * negative errno with WHY.
 */
int seal_file_read(const char *path, size_t max, struct secret **ret, char *why, size_t why_size) NODISCARD;

/* --- for kinds that have a key here */

/* A key of 32 bytes in LEN bytes of TEXT: as they are, in hex or in base64, white space at the end. -EINVAL, -ENOMEM.
 */
int seal_key_read(const char *text, size_t len, struct secret **ret) NODISCARD;
/* Wraps and unwraps the root key by KEY. 0, -EBADMSG: it was another key's; -EIO, -ENOMEM. */
int seal_key_wrap(const struct secret *key, const struct secret *root_key, struct store_blob *ret) NODISCARD;
int seal_key_unwrap(const struct secret *key, const struct store_blob *wrapped, struct secret **ret) NODISCARD;
