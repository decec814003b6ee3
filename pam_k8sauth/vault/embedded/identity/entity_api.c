/* SPDX-License-Identifier: Apache-2.0 */
/* identity/entity: reading, making, changing and deleting entities. */
#include <errno.h>

#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* --- finding */

/* *RET NULL where there is none. */
static int find_by_id(struct call *call, const char *id, json_t **ret)
{
	int r = entity_load(call, id, ret);

	return r == -ENOENT ? 0 : r;
}

static int find_by_index(struct call *call, const char *key, json_t **ret)
{
	AUTO_FREE char *id = NULL;
	int r = key ? index_get(call, key, &id) : -ENOMEM;

	if (r == 0)
		r = entity_load(call, id, ret);
	return r == -ENOENT ? 0 : r;
}

int entity_by_name(struct call *call, const char *name, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*name || strlen(name) > IDENTITY_NAME_MAX)
		return 0;
	key = name_key(IDENTITY_NAMES, name);
	return find_by_index(call, key, ret);
}

int entity_by_alias(struct call *call, const char *id, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*id || strlen(id) > IDENTITY_NAME_MAX)
		return 0;
	key = id_key(IDENTITY_ALIASES, id);
	return find_by_index(call, key, ret);
}

int entity_by_account(struct call *call, const char *accessor, const char *name, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*name || strlen(name) > IDENTITY_NAME_MAX || strlen(accessor) > IDENTITY_NAME_MAX)
		return 0;
	key = account_key(IDENTITY_ACCOUNTS, accessor, name);
	return find_by_index(call, key, ret);
}

/* --- reading */

static int show(struct call *call, json_t *entity)
{
	json_auto_t *view = NULL;
	json_t *data;
	int r;

	if (!entity)
		return call_data(call, NULL);
	r = identity_with_groups(call, entity, &view);
	if (r < 0)
		return r;
	data = entity_show(call->core, entity, view);
	return data ? call_data(call, data) : -ENOMEM;
}

int entity_read(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = find_by_id(call, call_capture(call, "id"), &entity);

	return r < 0 ? r : show(call, entity);
}

int entity_read_named(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = entity_by_name(call, call_capture(call, "name"), &entity);

	return r < 0 ? r : show(call, entity);
}

/* 0, 1 after a refusal, -errno. */
static int look_up(struct call *call, json_t **ret)
{
	struct identity_query query = { 0 };
	int r = identity_query_read(call, &query);

	if (r)
		return r;
	return query.id	     ? find_by_id(call, query.id, ret)
	       : query.name  ? entity_by_name(call, query.name, ret)
	       : query.alias ? entity_by_alias(call, query.alias, ret)
			     : entity_by_account(call, query.accessor, query.account, ret);
}

int entity_lookup(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = look_up(call, &entity);

	if (r)
		return r < 0 ? r : 0;
	return entity ? show(call, entity) : call_done(call);
}

/* --- what is written */

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

static int set_policies(struct call *call, json_t *entity)
{
	json_auto_t *list = NULL;
	int r = identity_read_policies(call, &list);

	if (r || !list)
		return r;
	return json_object_set_new(entity, "policies", identity_names(list, NAMES_AS_WRITTEN)) ? -ENOMEM : 0;
}

static int set_metadata(struct call *call, json_t *entity)
{
	json_auto_t *metadata = NULL;
	bool set = false;
	int r = identity_read_metadata(call, "entity", &metadata, &set);

	if (r || !set)
		return r;
	if (!metadata) {
		(void)json_object_del(entity, "metadata");
		return 0;
	}
	return json_object_set(entity, "metadata", metadata) ? -ENOMEM : 0;
}

static int set_disabled(struct call *call, json_t *entity)
{
	bool disabled = identity_disabled(entity);
	int r = call_field_bool(call, "disabled", &disabled, NULL);

	return r ? r : json_object_set_new(entity, "disabled", json_boolean(disabled)) ? -ENOMEM : 0;
}

/* Gives ENTITY another name. 0, 1 after a refusal, -errno. */
static int rename_entity(struct call *call, json_t *entity, const char *name)
{
	AUTO_FREE char *old = name_key(IDENTITY_NAMES, identity_text(entity, "name")), *new = NULL;
	json_auto_t *other = NULL;
	int r;

	r = identity_check_name(call, name);
	if (r == 0)
		r = entity_by_name(call, name, &other);
	if (r)
		return r;
	if (other && !streq(identity_text(other, "id"), identity_text(entity, "id")))
		return refuse(call, "entity name is already in use");
	new = name_key(IDENTITY_NAMES, name);
	r = old && new ? core_delete(call, old) : -ENOMEM;
	if (r == 0)
		r = index_put(call, new, identity_text(entity, "id"));
	return r < 0 ? r : json_object_set_new(entity, "name", json_string(name)) ? -ENOMEM : 0;
}

static int put_fields(struct call *call, json_t *entity)
{
	json_int_t now = nanotime_now();
	int r = set_policies(call, entity);

	if (r == 0)
		r = set_disabled(call, entity);
	if (r == 0)
		r = set_metadata(call, entity);
	if (r)
		return r;
	if (json_object_set_new(entity, "updated", json_integer(now)))
		return -ENOMEM;
	return entity_put(call, entity);
}

/* ENTITY NULL: a new one. NAME "": a name of our own, or the old one. */
static int write_entity(struct call *call, json_t *entity, const char *name)
{
	json_auto_t *made = NULL;
	char own[IDENTITY_OWN_NAME_SIZE];
	int r = 0;

	if (entity && *name)
		r = rename_entity(call, entity, name);
	if (!entity && !*name) {
		r = identity_own_name(call, IDENTITY_NAMES, "entity", own);
		name = own;
	}
	if (!entity && r == 0)
		r = identity_check_name(call, name);
	if (!entity && r == 0)
		r = entity_new(call, name, &made);
	if (r == 0)
		r = put_fields(call, entity ? entity : made);
	if (r)
		return r < 0 ? r : 0;
	if (entity)
		return call_done(call);
	return call_data(
	    call, json_pack("{s:n, s:O, s:s}", "aliases", "id", json_object_get(made, "id"), "name", name));
}

static int write_by_id(struct call *call, const char *id, const char *name)
{
	json_auto_t *entity = NULL;
	int r = find_by_id(call, id, &entity);

	if (r < 0)
		return r;
	return entity ? write_entity(call, entity, name) : call_error(call, 400, "entity not found from id");
}

static int write_by_name(struct call *call, const char *name)
{
	json_auto_t *entity = NULL;
	int r = entity_by_name(call, name, &entity);

	return r < 0 ? r : write_entity(call, entity, name);
}

int entity_write(struct call *call)
{
	const char *id = "", *name = "";
	int r = call_field_string(call, "id", &id, NULL);

	if (r == 0)
		r = call_field_string(call, "name", &name, NULL);
	if (r)
		return r < 0 ? r : 0;
	return *id ? write_by_id(call, id, name) : write_by_name(call, name);
}

int entity_write_id(struct call *call)
{
	const char *name = "";
	int r = call_field_string(call, "name", &name, NULL);

	return r ? (r < 0 ? r : 0) : write_by_id(call, call_capture(call, "id"), name);
}

int entity_write_named(struct call *call)
{
	return write_by_name(call, call_capture(call, "name"));
}

/* --- deleting */

/* Nothing leads to ENTITY from the groups and from those that were merged into it. */
static int forget_entity(struct call *call, const json_t *entity)
{
	json_auto_t *groups = json_copy(json_object_get(entity, "member_of"));
	const char *id = identity_text(entity, "id");
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(groups, i, item)
	{
		json_auto_t *group = NULL;

		r = group_load(call, json_string_value(item), &group);
		group_forget_empty(group);
		if (r == 0 && identity_list_drop(group, "member_entity_ids", id))
			r = group_put(call, group);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	json_array_foreach(json_object_get(entity, "merged"), i, item)
	{
		r = index_drop(call, id_key(IDENTITY_MERGED, json_string_value(item)));
		if (r < 0)
			return r;
	}
	return 0;
}

int entity_delete_whole(struct call *call, json_t *entity)
{
	int r = forget_entity(call, entity);

	if (r == 0)
		r = index_drop(call, name_key(IDENTITY_NAMES, identity_text(entity, "name")));
	while (r == 0 && json_array_size(json_object_get(entity, "aliases")) > 0)
		r = alias_take_out(call, entity, 0);
	return r < 0 ? r : entity_remove(call, entity);
}

static int delete_found(struct call *call, int r, json_t *entity)
{
	if (r == 0 && entity)
		r = entity_delete_whole(call, entity);
	return r < 0 ? r : call_done(call);
}

int entity_delete(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = find_by_id(call, call_capture(call, "id"), &entity);

	return delete_found(call, r, entity);
}

int entity_delete_named(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = entity_by_name(call, call_capture(call, "name"), &entity);

	return delete_found(call, r, entity);
}

int entity_delete_batch(struct call *call)
{
	json_auto_t *ids = NULL;
	json_t *id;
	bool waiting = false;
	size_t i;
	int r = call_field_strings(call, "entity_ids", &ids, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (json_array_size(ids) == 0)
		return call_error(call, 400, "missing entity ids to delete");
	json_array_foreach(ids, i, id)
	{
		json_auto_t *entity = NULL;

		r = find_by_id(call, json_string_value(id), &entity);
		if (r == 0 && entity)
			r = entity_delete_whole(call, entity);
		if (r == -EAGAIN)
			waiting = true; /* ask for the others before waiting for this one */
		else if (r < 0)
			return r;
	}
	return waiting ? -EAGAIN : call_done(call);
}
