/* SPDX-License-Identifier: Apache-2.0 */
/* identity/entity-alias: the accounts by which an entity logs in. */
#include <errno.h>

#include "vault/embedded/custom_metadata.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* What a request says of an alias; "" and NULL where it says nothing. */
struct wish {
	const char *id, *name, *accessor, *entity_id;
	json_t *custom_metadata;
};

static void cleanup_wish(struct wish *wish)
{
	json_decref(wish->custom_metadata);
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

static size_t index_of(const json_t *entity, const char *id)
{
	const json_t *aliases = json_object_get(entity, "aliases"), *alias;
	size_t i;

	json_array_foreach(aliases, i, alias)
	{
		if (streq(identity_text(alias, "id"), id))
			return i;
	}
	return json_array_size(aliases);
}

static json_t *alias_at(const json_t *entity, size_t index)
{
	return json_array_get(json_object_get(entity, "aliases"), index);
}

int alias_read(struct call *call)
{
	const char *id = call_capture(call, "id");
	json_auto_t *entity = NULL;
	json_t *data;
	int r = entity_by_alias(call, id, &entity);

	if (r < 0)
		return r;
	if (!entity || !alias_at(entity, index_of(entity, id)))
		return call_data(call, NULL);
	data = alias_show(call->core, identity_text(entity, "id"), alias_at(entity, index_of(entity, id)));
	if (!data || json_object_set_new(data, "namespace_id", json_string("root"))) {
		json_decref(data);
		return -ENOMEM;
	}
	return call_data(call, data);
}

int alias_delete(struct call *call)
{
	const char *id = call_capture(call, "id");
	json_auto_t *entity = NULL;
	int r = entity_by_alias(call, id, &entity);

	if (r == 0 && entity && alias_at(entity, index_of(entity, id)))
		r = alias_take_out(call, entity, index_of(entity, id));
	if (r == 0 && entity)
		r = entity_put(call, entity);
	return r < 0 ? r : call_done(call);
}

/* --- writing */

static int read_wish(struct call *call, struct wish *ret)
{
	const char *other = "";
	bool set = false;
	int r = call_field_string(call, "id", &ret->id, NULL);

	if (r == 0)
		r = call_field_string(call, "name", &ret->name, NULL);
	if (r == 0)
		r = call_field_string(call, "mount_accessor", &ret->accessor, NULL);
	if (r == 0)
		r = call_field_string(call, "canonical_id", &ret->entity_id, NULL);
	if (r == 0)
		r = call_field_string(call, "entity_id", &other, NULL);
	if (r == 0)
		r = call_field_pairs(call, "custom_metadata", &ret->custom_metadata, &set);
	if (r == 0)
		r = identity_check_name(call, ret->name);
	if (!*ret->entity_id)
		ret->entity_id = other;
	if (set && !ret->custom_metadata)
		ret->custom_metadata = json_object();
	return r;
}

static int check_mount(struct call *call, const char *accessor)
{
	if (identity_mount(call->core, accessor))
		return 0;
	call_error(call, 400, "invalid mount accessor \"%s\"", accessor);
	return 1;
}

static int answer(struct call *call, const json_t *entity, const json_t *alias)
{
	return call_data(call,
	    json_pack("{s:O, s:O}", "canonical_id", json_object_get(entity, "id"), "id", json_object_get(alias, "id")));
}

/* Without a wish an empty one becomes none, as in Vault. */
static int set_custom_metadata(json_t *alias, const struct wish *wish)
{
	json_t *metadata = wish->custom_metadata;

	if (metadata)
		return json_object_set(alias, "custom_metadata", metadata) ? -ENOMEM : 0;
	if (json_object_size(json_object_get(alias, "custom_metadata")) == 0)
		(void)json_object_del(alias, "custom_metadata");
	return 0;
}

/* --- a new one */

/* The entity that it will belong to: the one of the request, or one of its own. *RET_NEW. */
static int entity_for(struct call *call, const struct wish *wish, json_t **ret)
{
	char name[IDENTITY_OWN_NAME_SIZE];
	int r;

	if (*wish->entity_id) {
		r = entity_load(call, wish->entity_id, ret);
		return r == -ENOENT ? refuse(call, "invalid canonical ID") : r;
	}
	r = identity_own_name(call, IDENTITY_NAMES, "entity", name);
	return r < 0 ? r : entity_new(call, name, ret);
}

static int make_alias(struct call *call, const struct wish *wish)
{
	json_auto_t *entity = NULL;
	json_t *alias;
	int r = entity_for(call, wish, &entity);

	if (r == 0 && alias_at(entity, alias_find(entity, wish->accessor, NULL)))
		r = refuse(call, "Alias already exists for requested entity and mount accessor");
	if (r == 0)
		r = alias_add(call, entity, wish->accessor, wish->name, &alias);
	if (r == 0)
		r = set_custom_metadata(alias, wish);
	if (r == 0)
		r = entity_put(call, entity);
	return r ? (r < 0 ? r : 0) : answer(call, entity, alias);
}

/* --- one that is there */

/* The entity that the alias of FROM shall belong to, with a reference. */
static int new_owner(struct call *call, json_t *from, const json_t *alias, const struct wish *wish, json_t **ret)
{
	const char *accessor = *wish->accessor ? wish->accessor : identity_text(alias, "accessor");
	bool moves = *wish->entity_id && !streq(wish->entity_id, identity_text(from, "id"));
	int r = 0;

	if (!moves)
		*ret = json_incref(from);
	else
		r = entity_load(call, wish->entity_id, ret);
	if (r == -ENOENT)
		return refuse(call, "given 'canonical_id' is not associated with an entity");
	if (r < 0)
		return r;
	if (moves && alias_at(*ret, alias_find(*ret, accessor, NULL)))
		return refuse(call, "Alias cannot be updated as the given entity already has an alias for this mount ");
	if (!moves && !streq(accessor, identity_text(alias, "accessor")) &&
	    alias_at(from, alias_find(from, accessor, NULL)))
		return refuse(
		    call, "Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ");
	return 0;
}

/* Nobody else may have that account. */
static int check_account(struct call *call, const json_t *alias, const char *accessor, const char *name)
{
	json_auto_t *other = NULL;
	const json_t *found;
	int r = entity_by_account(call, accessor, name, &other);

	if (r < 0 || !other)
		return r;
	found = alias_at(other, alias_find(other, accessor, name));
	if (!found || streq(identity_text(found, "id"), identity_text(alias, "id")))
		return 0;
	return refuse(call, "alias with combination of mount accessor and name already exists");
}

/* Writes the alias at INDEX of FROM as one of TO, with the index records of where it was and will be. */
static int move_alias(struct call *call, json_t *from, size_t index, json_t *to, json_t *changed)
{
	AUTO_FREE char *account = account_key(
	    IDENTITY_ACCOUNTS, identity_text(changed, "accessor"), identity_text(changed, "name"));
	AUTO_FREE char *by_id = id_key(IDENTITY_ALIASES, identity_text(changed, "id"));
	int r = alias_take_out(call, from, index);

	if (r == 0 && (!account || !by_id || json_array_append(json_object_get(to, "aliases"), changed)))
		r = -ENOMEM;
	if (r == 0)
		r = index_put(call, account, identity_text(to, "id"));
	if (r == 0)
		r = index_put(call, by_id, identity_text(to, "id"));
	if (r == 0)
		r = entity_put(call, to);
	if (r == 0 && from != to)
		r = entity_put(call, from);
	return r < 0 ? r : answer(call, to, changed);
}

static bool same_custom_metadata(const json_t *alias, const json_t *wanted)
{
	json_t *old = json_object_get(alias, "custom_metadata");

	return !wanted || (json_object_size(old) == 0 && json_object_size(wanted) == 0) || json_equal(old, wanted);
}

static int change_alias(struct call *call, json_t *from, size_t index, const struct wish *wish)
{
	json_auto_t *changed = json_deep_copy(alias_at(from, index)), *to = NULL;
	const char *name = *wish->name ? wish->name : identity_text(changed, "name");
	const char *accessor = *wish->accessor ? wish->accessor : identity_text(changed, "accessor");
	bool same = streq(name, identity_text(changed, "name")) &&
		    same_custom_metadata(changed, wish->custom_metadata) &&
		    streq(accessor, identity_text(changed, "accessor"));
	json_int_t now = nanotime_now();
	int r = changed ? check_mount(call, accessor) : -ENOMEM;

	if (r == 0)
		r = new_owner(call, from, changed, wish, &to);
	if (r == 0)
		r = check_account(call, changed, accessor, name);
	if (r)
		return r < 0 ? r : 0;
	if (same && streq(identity_text(to, "id"), identity_text(from, "id")))
		return call_done(call);
	if (json_object_set_new(changed, "name", json_string(name)) ||
	    json_object_set_new(changed, "accessor", json_string(accessor)) ||
	    json_object_set_new(changed, "updated", json_integer(now)) || set_custom_metadata(changed, wish) < 0)
		return -ENOMEM;
	return move_alias(call, from, index, to, changed);
}

static int write_by_id(struct call *call, const struct wish *wish)
{
	json_auto_t *entity = NULL;
	int r = entity_by_alias(call, wish->id, &entity);

	if (r < 0)
		return r;
	if (!entity || !alias_at(entity, index_of(entity, wish->id)))
		return call_error(call, 400, "invalid alias ID provided");
	return change_alias(call, entity, index_of(entity, wish->id), wish);
}

static int write_by_account(struct call *call, struct wish *wish)
{
	json_auto_t *entity = NULL;
	size_t index;
	int r = check_mount(call, wish->accessor);

	/* Without an id what is not sent is none, not what was there. */
	if (!wish->custom_metadata)
		wish->custom_metadata = json_object();
	if (r == 0)
		r = entity_by_account(call, wish->accessor, wish->name, &entity);
	if (r)
		return r < 0 ? r : 0;
	if (!entity)
		return make_alias(call, wish);
	index = alias_find(entity, wish->accessor, wish->name);
	return alias_at(entity, index) ? change_alias(call, entity, index, wish) : -EIO;
}

static int write_alias(struct call *call, const char *id)
{
	CLEANUP(cleanup_wish) struct wish wish = { .id = "", .name = "", .accessor = "", .entity_id = "" };
	int r = read_wish(call, &wish);

	if (id)
		wish.id = id;
	if (r == 0 && wish.custom_metadata)
		r = custom_metadata_check(call, wish.custom_metadata, 500);
	if (r)
		return r < 0 ? r : 0;
	if (*wish.id)
		return write_by_id(call, &wish);
	if (!*wish.accessor || !*wish.name)
		return call_error(call, 400, "'id' or 'mount_accessor' and 'name' must be provided");
	return write_by_account(call, &wish);
}

int alias_write(struct call *call)
{
	return write_alias(call, NULL);
}

int alias_write_id(struct call *call)
{
	return write_alias(call, call_capture(call, "id"));
}
