/* SPDX-License-Identifier: Apache-2.0 */
/* The records of the identity store and what the loop remembers of them; see identity_internal.h. */
#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* When the cache is full it starts anew: what is in use comes back with the next request. */
#define CACHE_MAX 4096

struct identity {
	json_t *entities;	    /* id -> record, as the store has it */
	json_t *accounts;	    /* account_key -> id */
	json_t *views;		    /* id -> what groups.c made of the record */
	json_t *outlines;	    /* id of a group -> its record without its members: the views share them */
	json_int_t groups_revision; /* grows with each change of any group */
};

struct identity *identity_new(void)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return NULL;
	identity->entities = json_object();
	identity->accounts = json_object();
	identity->views = json_object();
	identity->outlines = json_object();
	if (identity->entities && identity->accounts && identity->views && identity->outlines)
		return identity;
	identity_free(identity);
	return NULL;
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	json_decref(identity->entities);
	json_decref(identity->accounts);
	json_decref(identity->views);
	json_decref(identity->outlines);
	free(identity);
}

void identity_forget(struct identity *identity)
{
	json_object_clear(identity->entities);
	json_object_clear(identity->accounts);
	json_object_clear(identity->views);
	json_object_clear(identity->outlines);
	identity->groups_revision++;
}

const char *identity_text(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return text ? text : "";
}

bool identity_disabled(const json_t *entity)
{
	return json_is_true(json_object_get(entity, "disabled"));
}

/* --- the cache: what is read and unchanged gets in, what a commit changed gets out before its reply */

json_t *identity_cached(struct call *call, const char *account)
{
	struct identity *identity = core_identity(call->core);
	const char *id = json_string_value(json_object_get(identity->accounts, account));

	return id ? json_object_get(identity->entities, id) : NULL;
}

static void remember(json_t *cache, const char *key, json_t *value)
{
	if (json_object_size(cache) >= CACHE_MAX)
		json_object_clear(cache);
	/* Without memory it is not kept. */
	(void)json_object_set(cache, key, value);
}

void identity_remember(struct call *call, const char *account, json_t *entity)
{
	struct identity *identity = core_identity(call->core);

	remember(identity->accounts, account, json_object_get(entity, "id"));
	remember(identity->entities, identity_text(entity, "id"), entity);
}

/* ARG: the id of an entity that was written or removed. */
static void on_changed(struct core *core, int r, void *arg)
{
	(void)r;
	/* Also after a failed commit, where nobody knows what is on the disk; and after a run without an end, which may
	 * have read its own entity back. */
	(void)json_object_del(core_identity(core)->entities, arg);
	(void)json_object_del(core_identity(core)->views, arg);
	free(arg);
}

static void on_group_changed(struct core *core, int r, void *arg)
{
	struct identity *identity = core_identity(core);

	(void)r;
	(void)arg;
	json_object_clear(identity->views);
	json_object_clear(identity->outlines);
	identity->groups_revision++;
}

json_int_t identity_groups_revision(struct call *call)
{
	return core_identity(call->core)->groups_revision;
}

json_t *identity_cached_view(struct call *call, const json_t *entity)
{
	json_t *view = json_object_get(core_identity(call->core)->views, identity_text(entity, "id"));

	return view && json_equal(json_object_get(view, "revision"), json_object_get(entity, "revision")) ? view : NULL;
}

void identity_remember_view(struct call *call, const json_t *entity, json_t *view)
{
	struct identity *identity = core_identity(call->core);
	const char *id = identity_text(entity, "id");

	/* What this call makes of the entity is nobody else's yet. */
	if (json_object_get(identity->entities, id) == entity)
		remember(identity->views, id, view);
}

/* --- keys */

/* FOLDER and NAME with what would make another key of it encoded. */
static char *folder_key(const char *folder, const char *name, bool lower)
{
	AUTO_BUF struct buf key = { 0 };

	buf_add_str(&key, folder);
	for (; *name; name++) {
		if (*name == '/' || *name == '%')
			buf_printf(&key, "%%%02X", (unsigned)*name);
		else
			buf_add_char(&key, lower ? (char)tolower((unsigned char)*name) : *name);
	}
	return buf_take(&key);
}

char *name_key(const char *folder, const char *name)
{
	return folder_key(folder, name, true);
}

char *id_key(const char *folder, const char *id)
{
	return folder_key(folder, id, false);
}

char *account_key(const char *folder, const char *accessor, const char *name)
{
	AUTO_BUF struct buf of_mount = { 0 };

	buf_printf(&of_mount, "%s%s/", folder, accessor);
	return of_mount.failed ? NULL : folder_key(of_mount.data, name, true);
}

/* --- records */

static int load(struct call *call, const char *folder, const char *id, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*id || strlen(id) > IDENTITY_NAME_MAX)
		return -ENOENT;
	key = id_key(folder, id);
	return key ? core_get(call, key, ret) : -ENOMEM;
}

int entity_load(struct call *call, const char *id, json_t **ret)
{
	return load(call, IDENTITY_ENTITIES, id, ret);
}

int group_load(struct call *call, const char *id, json_t **ret)
{
	return load(call, IDENTITY_GROUPS, id, ret);
}

bool group_is_own_write(struct call *call, const char *id)
{
	AUTO_FREE char *key = id_key(IDENTITY_GROUPS, id);

	return !key || call_own_write(private_of(call), key);
}

/* Without what only the group itself needs, of which there may be thousands. NULL without memory. */
static json_t *outline_of(const json_t *group)
{
	static const char *const names[] = { "id", "metadata", "name", "parents", "policies" };
	json_t *outline = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *value = json_object_get(group, names[i]);

		if (value && json_object_set(outline, names[i], value)) {
			json_decref(outline);
			return NULL;
		}
	}
	return outline;
}

int group_outline(struct call *call, const char *id, json_t **ret)
{
	json_t *cache = core_identity(call->core)->outlines, *outline;
	bool changed = group_is_own_write(call, id);
	json_auto_t *group = NULL;
	int r;

	outline = changed ? NULL : json_object_get(cache, id);
	if (outline) {
		*ret = json_incref(outline);
		return 0;
	}
	r = group_load(call, id, &group);
	if (r < 0)
		return r;
	outline = outline_of(group);
	if (!outline)
		return -ENOMEM;
	if (!changed)
		remember(cache, id, outline);
	*ret = outline;
	return 0;
}

/* The record of ENTITY_ID as the store has it, or as this call has changed it. */
static int find_entity(struct call *call, const char *entity_id, json_t **ret)
{
	json_t *cache = core_identity(call->core)->entities, *entity = NULL;
	AUTO_FREE char *key = id_key(IDENTITY_ENTITIES, entity_id);
	bool changed;
	int r;

	if (!key)
		return -ENOMEM;
	/* What this very call makes of it may never come to be: it is seen by nobody else. */
	changed = call_own_write(private_of(call), key) != NULL;
	if (!changed)
		entity = json_incref(json_object_get(cache, entity_id));
	if (!entity) {
		r = entity_load(call, entity_id, &entity);
		if (r < 0)
			return r;
		if (!changed)
			remember(cache, entity_id, entity);
	}
	*ret = entity;
	return 0;
}

/* The entity into which the one of ENTITY_ID was merged. */
static int find_merged(struct call *call, const char *entity_id, json_t **ret)
{
	AUTO_FREE char *key = id_key(IDENTITY_MERGED, entity_id), *id = NULL;
	int r = key ? index_get(call, key, &id) : -ENOMEM;

	return r < 0 ? r : find_entity(call, id, ret);
}

int identity_entity(struct call *call, const char *entity_id, json_t **ret)
{
	json_auto_t *entity = NULL;
	int r;

	if (!*entity_id) {
		*ret = NULL;
		return 0;
	}
	r = find_entity(call, entity_id, &entity);
	if (r == -ENOENT)
		r = find_merged(call, entity_id, &entity);
	return r < 0 ? r : identity_with_groups(call, entity, ret);
}

/* The cached copy of ENTITY goes when the call's writes are durable. */
static int changes(struct call *call, const json_t *entity)
{
	char *id = strdup(identity_text(entity, "id"));

	if (!id)
		return -ENOMEM;
	call_on_commit(call, on_changed, id);
	return 0;
}

/* Writes RECORD with its next revision. */
static int put(struct call *call, const char *folder, json_t *record)
{
	json_int_t revision = json_integer_value(json_object_get(record, "revision"));
	AUTO_FREE char *key = id_key(folder, identity_text(record, "id"));

	if (!key || json_object_set_new(record, "revision", json_integer(revision + 1)))
		return -ENOMEM;
	return core_put(call, key, record);
}

static int take_away(struct call *call, const char *folder, const json_t *record)
{
	AUTO_FREE char *key = id_key(folder, identity_text(record, "id"));

	return key ? core_delete(call, key) : -ENOMEM;
}

int entity_put(struct call *call, json_t *entity)
{
	int r = put(call, IDENTITY_ENTITIES, entity);

	return r < 0 ? r : changes(call, entity);
}

int entity_remove(struct call *call, const json_t *entity)
{
	int r = take_away(call, IDENTITY_ENTITIES, entity);

	return r < 0 ? r : changes(call, entity);
}

int group_put(struct call *call, json_t *group)
{
	int r = put(call, IDENTITY_GROUPS, group);

	if (r == 0)
		call_on_commit(call, on_group_changed, NULL);
	return r;
}

int group_remove(struct call *call, const json_t *group)
{
	int r = take_away(call, IDENTITY_GROUPS, group);

	if (r == 0)
		call_on_commit(call, on_group_changed, NULL);
	return r;
}

int index_get(struct call *call, const char *key, char **ret)
{
	json_t *record = NULL;
	char *id;
	int r = core_get(call, key, &record);

	if (r < 0)
		return r;
	id = strdup(identity_text(record, "entity"));
	json_decref(record);
	if (!id)
		return -ENOMEM;
	*ret = id;
	return 0;
}

int index_put(struct call *call, const char *key, const char *entity_id)
{
	json_t *record = key ? json_pack("{s:s}", "entity", entity_id) : NULL;
	int r = record ? core_put(call, key, record) : -ENOMEM;

	json_decref(record);
	return r;
}

int index_drop(struct call *call, char *key)
{
	AUTO_FREE char *owned = key;

	return owned ? core_delete(call, owned) : -ENOMEM;
}
