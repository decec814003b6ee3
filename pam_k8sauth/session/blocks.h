/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session remembers about export blocks: that one was fetched on use, and has a file since then; that reading
 * one made something anew with a lease (a database role), so that it is not read again while that lives.
 */
#pragma once

#include "session/config.h"
#include "session/table.h"
#include "vault/request.h"

struct session;

enum {
	BLOCK_USED = 1,
	BLOCK_LEASED = 2,
};

/* BLOCK's marks in RECORD, 0 for none. They outlive the daemon. */
unsigned block_marks(const struct session_record *record, const struct export_config *block);
/* Adds MARKS. False: SESSION_BLOCKS others have some. */
bool block_mark(struct session_record *record, const struct export_config *block, unsigned marks) NODISCARD;

/* A secret with a lease. In memory only: after a restart of the daemon it is fetched anew. */
struct block_lease {
	struct block_lease *next;
	const struct export_config *block;
	json_t *data; /* as the backend gave it */
	char *id;
	bool renewable;
	int64_t duration;   /* seconds */
	int64_t expires_at; /* monotonic ms */
};

/* What RESPONSE, which has a lease, gave for BLOCK; NULL without memory. */
struct block_lease *block_lease_new(const struct export_config *block, const struct vault_response *response) NODISCARD;
void block_lease_free(struct block_lease *lease);
/* Gives LEASE to SESSION, in place of an older one. */
void block_lease_keep(struct session *session, struct block_lease *lease);
/* SESSION's lease of BLOCK that still lives; NULL. */
const struct block_lease *block_lease_find(const struct session *session, const struct export_config *block);
void block_leases_drop(struct session *session);
