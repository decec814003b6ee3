/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the identity store share. Its records:
 *     identity/entity/<id>               the entity with its aliases
 *     identity/name/<name, lower case>   {entity}: names are known whatever their case
 *     identity/alias/<id>                {entity}
 *     identity/account/<accessor>/<name> {entity}: what a login looks for
 *     identity/merged/<id>               {entity}: into which one the entity of that id was merged
 *     identity/group/<id>                the group with its alias; and as above, with {entity} the group's id:
 *     identity/group-name/<name>, identity/group-alias/<id>, identity/group-account/<accessor>/<name>
 * An entity knows the groups that it is a direct member of ("member_of"), a group those that it is a member of
 * ("parents"), each in both records: who changes the one changes the other.
 */
#pragma once

#include "vault/embedded/core_internal.h"
#include "vault/embedded/identity.h"

#define IDENTITY_ENTITIES      "identity/entity/"
#define IDENTITY_NAMES	       "identity/name/"
#define IDENTITY_ALIASES       "identity/alias/"
#define IDENTITY_ACCOUNTS      "identity/account/"
#define IDENTITY_MERGED	       "identity/merged/"
#define IDENTITY_GROUPS	       "identity/group/"
#define GROUP_NAMES	       "identity/group-name/"
#define GROUP_ALIASES	       "identity/group-alias/"
#define GROUP_ACCOUNTS	       "identity/group-account/"
#define IDENTITY_NAME_MAX      1024 /* bytes of a name */
#define GROUP_MEMBERS_MAX      4096 /* entities, and groups, that a group lists */
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

/* Removes the index record of KEY, which is taken over; NULL is -ENOMEM. */
int index_drop(struct call *call, char *key) NODISCARD;

/* The same for groups. Who put or removed one was counted when that is durable. */
int group_load(struct call *call, const char *id, json_t **ret) NODISCARD;
/* {id, name, metadata, policies, parents} of it alone, which nobody may change. As group_load, with a reference. */
int group_outline(struct call *call, const char *id, json_t **ret) NODISCARD;
int group_put(struct call *call, json_t *group) NODISCARD;
int group_remove(struct call *call, const json_t *group) NODISCARD;
/* Whether this call has written the group of ID. */
bool group_is_own_write(struct call *call, const char *id);
/* How often groups were changed since the start. */
json_int_t identity_groups_revision(struct call *call);

/* Keys of the index records in FOLDER; NULL without memory. Names are equal in any case. */
char *name_key(const char *folder, const char *name) NODISCARD;
char *id_key(const char *folder, const char *id) NODISCARD;
char *account_key(const char *folder, const char *accessor, const char *name) NODISCARD;

/* What a record has: "" and NULL where it is absent. */
const char *identity_text(const json_t *record, const char *name);
/* A new alias of ACCESSOR and NAME for ENTITY, with its index records. *RET is borrowed from ENTITY. */
int alias_add(struct call *call, json_t *entity, const char *accessor, const char *name, json_t **ret) NODISCARD;
/* Takes the alias at INDEX out of ENTITY, with its index records. */
int alias_take_out(struct call *call, json_t *entity, size_t index) NODISCARD;
/* The place of the alias of ACCESSOR and NAME (NULL: of any name) in ENTITY; the number of aliases for none. */
size_t alias_find(const json_t *entity, const char *accessor, const char *name);
/*
 * A name that no record of FOLDER has yet, KIND ("entity") and eight digits, the same in every run of the call. 0,
 * -EAGAIN, -errno.
 */
int identity_own_name(
    struct call *call, const char *folder, const char *kind, char ret[static IDENTITY_OWN_NAME_SIZE]) NODISCARD;
/* A new entity NAME without anything, with its index record. The caller owns it and puts it. */
int entity_new(struct call *call, const char *name, json_t **ret) NODISCARD;

/* Of the cache: the entity of an account that logged in before; NULL where it must be read. */
json_t *identity_cached(struct call *call, const char *account);
/* Remembers ENTITY, which this call does not change, and that ACCOUNT is its. */
void identity_remember(struct call *call, const char *account, json_t *entity);

/* What groups.c made of ENTITY; NULL where it must be made. */
json_t *identity_cached_view(struct call *call, const json_t *entity);
void identity_remember_view(struct call *call, const json_t *entity, json_t *view);

/* --- groups.c */

/* ENTITY as identity_entity hands it out. 0 with a reference, -EAGAIN, -errno. */
int identity_with_groups(struct call *call, json_t *entity, json_t **ret) NODISCARD;
/*
 * Writes into the record of MEMBER, an entity's id, that it is in GROUP, or (IN false) that it is not any more: the
 * list in GROUP is the caller's. 0, -ENOENT for no such entity, -EAGAIN, -errno.
 */
int group_link_entity(struct call *call, const json_t *group, const char *member, bool in) NODISCARD;
/* The same for a group. */
int group_link_group(struct call *call, const json_t *group, const char *member, bool in) NODISCARD;
/* Whether the group of ID is one that GROUP is in, by others too. 1, 0, -EAGAIN, -errno. */
int group_is_within(struct call *call, const json_t *group, const char *id) NODISCARD;
/* A new group NAME of TYPE with its index record. The caller owns it and puts it. */
int group_new(struct call *call, const char *name, const char *type, json_t **ret) NODISCARD;
/* An empty list that GROUP was given becomes none with the next change, as in Vault. */
void group_forget_empty(json_t *group);
/* Removes GROUP with all that leads to it. */
int group_delete_whole(struct call *call, json_t *group) NODISCARD;
/* Takes its alias, if it has one, away from GROUP, which is the caller's to put. */
int group_drop_alias(struct call *call, json_t *group) NODISCARD;

/* --- fields.c */

/* How a look-up asks: exactly one way is not NULL (account and accessor together are one). */
struct identity_query {
	const char *id, *name, *alias, *account, *accessor;
};
/* 0, 1 after a refusal, -errno. */
int identity_query_read(struct call *call, struct identity_query *ret) NODISCARD;

enum identity_names {
	NAMES_AS_WRITTEN,
	NAMES_ANY_CASE, /* trimmed, and one of those that differ in case only */
};
/* The texts of LIST sorted, once each, without empty ones. NULL without memory. */
json_t *identity_names(const json_t *list, enum identity_names how) NODISCARD;
/* Adds TEXT to the sorted list NAME of RECORD. */
int identity_list_add(json_t *record, const char *name, const char *text) NODISCARD;
/* Takes TEXT out of it; whether it was in. */
bool identity_list_drop(json_t *record, const char *name, const char *text);

/* *RET NULL where there are none in the request. 0, 1 after a refusal, -errno. */
int identity_read_policies(struct call *call, json_t **ret) NODISCARD;
/* *RET NULL for none, or where *RET_SET is false. WHOSE: "entity". 0, 1 after a refusal, -errno. */
int identity_read_metadata(struct call *call, const char *whose, json_t **ret, bool *ret_set) NODISCARD;
/* 0, or 1 after the refusal of a NAME that is too long. */
int identity_check_name(struct call *call, const char *name) NODISCARD;

/* --- show.c: NULL without memory */

/* VIEW: identity_with_groups of ENTITY. */
json_t *entity_show(const struct core *core, const json_t *entity, const json_t *view) NODISCARD;
json_t *group_show(const struct core *core, const json_t *group) NODISCARD;
json_t *aliases_show(const struct core *core, const json_t *entity) NODISCARD;
json_t *alias_show(const struct core *core, const char *entity_id, const json_t *alias) NODISCARD;
/* The mount of ACCESSOR; NULL where it is gone. */
const struct mount *identity_mount(const struct core *core, const char *accessor);

/* --- entity_api.c, alias_api.c, merge.c, group_api.c, group_alias_api.c, list.c */

/* *RET stays NULL where there is none. 0, -EAGAIN, -errno. */
int entity_by_name(struct call *call, const char *name, json_t **ret) NODISCARD;
int entity_by_alias(struct call *call, const char *id, json_t **ret) NODISCARD;
int entity_by_account(struct call *call, const char *accessor, const char *name, json_t **ret) NODISCARD;

engine_handler entity_read, entity_read_named, entity_lookup, entity_list, entity_list_names;
engine_handler entity_write, entity_write_id, entity_write_named;
engine_handler entity_delete, entity_delete_named, entity_delete_batch, entity_merge;
/* Removes ENTITY with all that leads to it. */
int entity_delete_whole(struct call *call, json_t *entity) NODISCARD;

/* As entity_by_name and the others. */
int group_by_name(struct call *call, const char *name, json_t **ret) NODISCARD;
int group_by_alias(struct call *call, const char *id, json_t **ret) NODISCARD;
int group_by_account(struct call *call, const char *accessor, const char *name, json_t **ret) NODISCARD;

engine_handler group_read, group_read_named, group_lookup, group_list, group_list_names;
engine_handler group_write, group_write_id, group_write_named, group_delete, group_delete_named;
engine_handler group_alias_read, group_alias_list, group_alias_write, group_alias_write_id, group_alias_delete;
engine_handler alias_read, alias_list, alias_write, alias_write_id, alias_delete;
