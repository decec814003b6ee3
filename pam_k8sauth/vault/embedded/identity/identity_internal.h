/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the identity store share. Its records:
 *     identity/entity/<id>               the entity with its aliases
 *     identity/name/<name, lower case>   {entity}: names are known whatever their case
 *     identity/alias/<id>                {entity}
 *     identity/account/<accessor>/<name> {entity}: what a login looks for
 */
#pragma once

#include "vault/embedded/core_internal.h"
#include "vault/embedded/identity.h"

#define IDENTITY_ENTITIES      "identity/entity/"
#define IDENTITY_NAMES	       "identity/name/"
#define IDENTITY_ALIASES       "identity/alias/"
#define IDENTITY_ACCOUNTS      "identity/account/"
#define IDENTITY_NAME_MAX      1024 /* bytes of a name */
#define IDENTITY_OWN_NAME_SIZE 16   /* "entity_", 8 hex digits, NUL */

/* --- store.c */

/* The entity of ID out of the store: a copy that may be changed and put back. 0, -ENOENT, -EAGAIN, -errno. */
int entity_load(struct call *call, const char *id, json_t **ret) NODISCARD;
/* Writes ENTITY with its next revision, and forgets the cached one when that is durable. */
int entity_put(struct call *call, json_t *entity) NODISCARD;
/* Removes the record of ENTITY; its name and its aliases are the caller's to remove. */
int entity_remove(struct call *call, const json_t *entity) NODISCARD;

/* The id of the entity that an index record names. 0 (free it), -ENOENT, -EAGAIN, -errno. */
int index_get(struct call *call, const char *key, char **ret) NODISCARD;
int index_put(struct call *call, const char *key, const char *entity_id) NODISCARD;

/* Keys of the index records; NULL without memory. */
char *name_key(const char *name) NODISCARD;
char *alias_key(const char *id) NODISCARD;
char *account_key(const char *accessor, const char *name) NODISCARD;

/* What a record has: "" and NULL where it is absent. */
const char *identity_text(const json_t *record, const char *name);
/* A new alias of ACCESSOR and NAME for ENTITY, with its index records. *RET is borrowed from ENTITY. */
int alias_add(struct call *call, json_t *entity, const char *accessor, const char *name, json_t **ret) NODISCARD;
/* Takes the alias at INDEX out of ENTITY, with its index records. */
int alias_take_out(struct call *call, json_t *entity, size_t index) NODISCARD;
/* The place of the alias of ACCESSOR and NAME (NULL: of any name) in ENTITY; the number of aliases for none. */
size_t alias_find(const json_t *entity, const char *accessor, const char *name);
/* A name that no entity has yet, the same in every run of the call. 0, -EAGAIN, -errno. */
int entity_own_name(struct call *call, char ret[static IDENTITY_OWN_NAME_SIZE]) NODISCARD;
/* A new entity NAME without anything, with its index record. The caller owns it and puts it. */
int entity_new(struct call *call, const char *name, json_t **ret) NODISCARD;

/* Of the cache: the entity of an account that logged in before; NULL where it must be read. */
json_t *identity_cached(struct call *call, const char *account);
/* Remembers ENTITY, which this call does not change, and that ACCOUNT is its. */
void identity_remember(struct call *call, const char *account, json_t *entity);

/* --- show.c: NULL without memory */

json_t *entity_show(const struct core *core, const json_t *entity) NODISCARD;
json_t *aliases_show(const struct core *core, const json_t *entity) NODISCARD;
json_t *alias_show(const struct core *core, const char *entity_id, const json_t *alias) NODISCARD;
/* The mount of ACCESSOR; NULL where it is gone. */
const struct mount *identity_mount(const struct core *core, const char *accessor);

/* --- entity_api.c, alias_api.c, list.c */

/* *RET stays NULL where there is none. 0, -EAGAIN, -errno. */
int entity_by_name(struct call *call, const char *name, json_t **ret) NODISCARD;
int entity_by_alias(struct call *call, const char *id, json_t **ret) NODISCARD;
int entity_by_account(struct call *call, const char *accessor, const char *name, json_t **ret) NODISCARD;

engine_handler entity_read, entity_read_named, entity_lookup, entity_list, entity_list_names;
engine_handler entity_write, entity_write_id, entity_write_named;
engine_handler entity_delete, entity_delete_named, entity_delete_batch;
engine_handler alias_read, alias_list, alias_write, alias_write_id, alias_delete;
