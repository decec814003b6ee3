/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entities: who is behind a token. A login has an alias (its mount and the name by which the mount knows the account);
 * the alias belongs to an entity, which the first login of the account makes. Policies can be given to an entity, and
 * templated policy paths are filled in from it (vault-core.md 1.4, 1.8).
 *
 * An entity is handed around as its record, which nobody may change: {id, name, metadata, policies, disabled, created,
 * updated, revision, member_of, merged, aliases: [{id, accessor, name, metadata, custom_metadata, merged_from, created,
 * updated}]}. Times are unix nanoseconds; members at their default are left out. Each write raises its revision.
 * Of an entity that is in groups it has besides groups: [{id, name, metadata, policies, parents}], the direct ones and those
 * above them, and groups_revision; their policies are in its own policies then.
 */
#pragma once

#include "vault/embedded/core.h"

struct identity;

struct identity *identity_new(void) NODISCARD;
void identity_free(struct identity *identity);
/* What is cached: when it is sealed. */
void identity_forget(struct identity *identity);

/*
 * The entity of call->auth's alias, made or brought up to date: call->entity. A login that changes nothing reads and
 * writes nothing once the entity is in the cache. 0, 1 after a refusal (disabled), -EAGAIN, -errno.
 */
int identity_login(struct call *call) NODISCARD;
/* Whether that entity, if there is one yet, may log in. Writes nothing. 0, 1 after a refusal, -EAGAIN, -errno. */
int identity_verify(struct call *call) NODISCARD;

/* The entity of a token's ENTITY_ID, or the one that it was merged into. 0 with a reference for the caller (NULL for
 * ""), -ENOENT, -EAGAIN, -errno. */
int identity_entity(struct call *call, const char *entity_id, json_t **ret) NODISCARD;

/* How many there are. 0, -EAGAIN, -errno. */
int identity_count(struct call *call, size_t *ret) NODISCARD;

/* Whether its tokens are refused for now. ENTITY may be NULL. */
bool identity_disabled(const json_t *entity);

/* The engine at identity/. */
extern const struct engine identity_engine;
