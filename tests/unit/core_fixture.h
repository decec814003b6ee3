/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded backend to ask: in memory with the root token "root", or on a store of its own. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/log.h"
#include "vault/embedded/seal/seal.h"

/* A body for sys/init where the seal opens by itself. */
#define WORLD_INIT "{\"recovery_shares\":1,\"recovery_threshold\":1}"

struct ask {
	enum vault_op op;
	const char *path, *token, *data; /* JSON; NULL without */
	enum vault_peer_kind peer;	 /* VAULT_PEER_INTERNAL: a request of the daemon itself */
	uid_t uid;
	int64_t wrap_ttl;
	bool open_metrics; /* of the listener */
};

struct reply {
	bool done;
	int status;
	json_t *body;	  /* NULL for none */
	char text[4096];  /* the body, compact */
	char error[2048]; /* the first error */
	enum vault_failure failure;
	char reason[512];
};

struct world {
	struct event_base *base;
	struct core *core;
	struct seal_config seal, old_seal; /* of world_open */
	bool init_over_tcp;
	char credential[16];
	char dir[64], store[128]; /* "" in memory */
	char log[4096];		  /* all lines */
	struct reply last;
};

/* cmocka's setup and teardown: *STATE is a struct world with a core in memory. */
int world_setup(void **state);
int world_teardown(void **state);
/* The same with a store in a directory and the credential "seal"; not opened. */
int world_setup_store(void **state);
/* Opens or reopens it. SEALED: expected to be so. */
void world_open(struct world *world, bool sealed);
void world_write_credential(struct world *world, char fill);

/* Sends; REPLY stays the caller's until done. */
void send_ask(struct world *world, const struct ask *ask, struct reply *reply);
void wait_for(struct world *world, struct reply *reply);
void reply_clear(struct reply *reply);
/* Sends, waits; the reply lies in world->last until the next one. */
struct reply *ask(struct world *world, enum vault_op op, const char *path, const char *token, const char *data);
struct reply *ask_as(struct world *world, const struct ask *ask);

/* Adds a mount of ENGINE without the API. */
struct mount *add_mount(struct world *world, const struct engine *engine, const char *path);
