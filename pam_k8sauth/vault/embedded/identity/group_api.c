/* SPDX-License-Identifier: Apache-2.0 */
/* identity/group: reading, making, changing and deleting groups. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* What a request says of a group; NULL and "" where it says nothing. */
struct wish {
	const char *id, *name, *type;
	json_t *policies, *metadata, *entities, *groups;
	bool type_set, metadata_set;
};

static void cleanup_wish(struct wish *wish)
{
	json_decref(wish->policies);
	json_decref(wish->metadata);
	json_decref(wish->entities);
	json_decref(wish->groups);
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

/* --- finding: *RET NULL where there is none */

static int find_by_id(struct call *call, const char *id, json_t **ret)
{
	int r = group_load(call, id, ret);

	return r == -ENOENT ? 0 : r;
}

/* KEY is taken over. */
static int find_by_index(struct call *call, char *key, json_t **ret)
{
	AUTO_FREE char *owned = key, *id = NULL;
	int r = owned ? index_get(call, owned, &id) : -ENOMEM;

	if (r == 0)
		r = group_load(call, id, ret);
	return r == -ENOENT ? 0 : r;
}

int group_by_name(struct call *call, const char *name, json_t **ret)
{
	if (!*name || strlen(name) > IDENTITY_NAME_MAX)
		return 0;
	return find_by_index(call, name_key(GROUP_NAMES, name), ret);
}

int group_by_alias(struct call *call, const char *id, json_t **ret)
{
	if (!*id || strlen(id) > IDENTITY_NAME_MAX)
		return 0;
	return find_by_index(call, id_key(GROUP_ALIASES, id), ret);
}

int group_by_account(struct call *call, const char *accessor, const char *name, json_t **ret)
{
	if (!*name || strlen(name) > IDENTITY_NAME_MAX || strlen(accessor) > IDENTITY_NAME_MAX)
		return 0;
	return find_by_index(call, account_key(GROUP_ACCOUNTS, accessor, name), ret);
}

/* --- reading */

static int show(struct call *call, int r, const json_t *group)
{
	json_t *data = r == 0 && group ? group_show(call->core, group) : NULL;

	if (r == 0 && group && !data)
		r = -ENOMEM;
	return r < 0 ? r : call_data(call, data);
}

int group_read(struct call *call)
{
	json_auto_t *group = NULL;
	int r = find_by_id(call, call_capture(call, "id"), &group);

	return show(call, r, group);
}

int group_read_named(struct call *call)
{
	json_auto_t *group = NULL;
	int r = group_by_name(call, call_capture(call, "name"), &group);

	return show(call, r, group);
}

int group_lookup(struct call *call)
{
	struct identity_query query = { 0 };
	json_auto_t *group = NULL;
	int r = identity_query_read(call, &query);

	if (r)
		return r < 0 ? r : 0;
	r = query.id	  ? find_by_id(call, query.id, &group)
	    : query.name  ? group_by_name(call, query.name, &group)
	    : query.alias ? group_by_alias(call, query.alias, &group)
			  : group_by_account(call, query.accessor, query.account, &group);
	return r == 0 && !group ? call_done(call) : show(call, r, group);
}

/* --- what is written. All 0, 1 after a refusal, -errno. */

/* A list of ids, sorted. */
static int read_ids(struct call *call, const char *name, json_t **ret)
{
	json_auto_t *list = NULL;
	int r = call_field_strings(call, name, &list, NULL);

	if (r || !list)
		return r;
	*ret = identity_names(list, NAMES_AS_WRITTEN);
	return *ret ? 0 : -ENOMEM;
}

static int read_wish(struct call *call, struct wish *ret)
{
	json_auto_t *policies = NULL;
	int r = call_field_string(call, "type", &ret->type, &ret->type_set);

	if (r == 0)
		r = read_ids(call, "member_entity_ids", &ret->entities);
	if (r == 0)
		r = read_ids(call, "member_group_ids", &ret->groups);
	if (r == 0)
		r = identity_read_policies(call, &policies);
	if (r == 0)
		r = identity_read_metadata(call, "group", &ret->metadata, &ret->metadata_set);
	if (r || !policies)
		return r;
	ret->policies = identity_names(policies, NAMES_ANY_CASE);
	return ret->policies ? 0 : -ENOMEM;
}

static int check_type(struct call *call, const json_t *group, const struct wish *wish)
{
	const char *type = wish->type;

	if (group)
		return !wish->type_set || streq(type, identity_text(group, "type"))
			   ? 0
			   : refuse(call, "group type cannot be changed");
	if (!*type || streq(type, "internal") || streq(type, "external"))
		return 0;
	call_error(call, 400, "invalid group type \"%s\"", type);
	return 1;
}

/* What only a login mount may say. */
static int check_external(struct call *call, const json_t *group, const struct wish *wish)
{
	if (!streq(identity_text(group, "type"), "external"))
		return 0;
	if (wish->entities)
		return refuse(call, "member entities can't be set manually for external groups");
	return wish->groups ? refuse(call, "member groups can't be set for external groups") : 0;
}

static int rename_group(struct call *call, json_t *group, const char *name)
{
	json_auto_t *other = NULL;
	int r = identity_check_name(call, name);

	if (r == 0)
		r = group_by_name(call, name, &other);
	if (r)
		return r;
	if (other && !streq(identity_text(other, "id"), identity_text(group, "id")))
		return refuse(call, "group name is already in use");
	r = index_drop(call, name_key(GROUP_NAMES, identity_text(group, "name")));
	if (r == 0) {
		AUTO_FREE char *key = name_key(GROUP_NAMES, name);

		r = index_put(call, key, identity_text(group, "id"));
	}
	return r < 0 ? r : json_object_set_new(group, "name", json_string(name)) ? -ENOMEM : 0;
}

static int set_fields(json_t *group, const struct wish *wish)
{
	json_int_t now = nanotime_now();

	if (wish->policies && json_object_set(group, "policies", wish->policies))
		return -ENOMEM;
	if (wish->metadata_set && !wish->metadata)
		(void)json_object_del(group, "metadata");
	if (wish->metadata && json_object_set(group, "metadata", wish->metadata))
		return -ENOMEM;
	return json_object_set_new(group, "updated", json_integer(now)) ? -ENOMEM : 0;
}

/* --- members */

/* 0, 1 after a refusal, -errno. */
typedef int link_fn(struct call *call, const json_t *group, const char *member, bool in);

static int link_entity(struct call *call, const json_t *group, const char *member, bool in)
{
	int r = group_link_entity(call, group, member, in);

	if (r != -ENOENT || !in)
		return r == -ENOENT ? 0 : r;
	call_wrapped_error(call, 500, "invalid entity ID \"%s\"", member);
	return 1;
}

static int link_group(struct call *call, const json_t *group, const char *member, bool in)
{
	int r = 0;

	if (in && streq(member, identity_text(group, "id"))) {
		call_wrapped_error(call, 500, "member group ID \"%s\" is same as the ID of the group", member);
		return 1;
	}
	if (in)
		r = group_is_within(call, group, member);
	if (r > 0) {
		call_error(call, 400, "cyclic relationship detected for member group ID \"%s\"", member);
		return 1;
	}
	if (r == 0)
		r = group_link_group(call, group, member, in);
	if (r != -ENOENT || !in)
		return r == -ENOENT ? 0 : r;
	call_wrapped_error(call, 500, "invalid member group ID \"%s\"", member);
	return 1;
}

/*
 * Makes WANTED the list NAME of GROUP, and tells those who come and go; both lists are sorted. Asks for all records
 * before it waits for one. 0, 1 after a refusal, -errno.
 */
static int set_members(struct call *call, json_t *group, const char *name, json_t *wanted, link_fn *link_member)
{
	const json_t *old = json_object_get(group, name);
	size_t at_old = 0, at_wanted = 0;
	bool waiting = false;

	if (json_array_size(wanted) > GROUP_MEMBERS_MAX) {
		call_error(call, 400, "%s: a group lists at most %d of them", name, GROUP_MEMBERS_MAX);
		return 1;
	}
	while (at_old < json_array_size(old) || at_wanted < json_array_size(wanted)) {
		const char *goes = json_string_value(json_array_get(old, at_old));
		const char *comes = json_string_value(json_array_get(wanted, at_wanted));
		int order = !goes ? 1 : !comes ? -1 : strcmp(goes, comes), r = 0;

		at_old += order <= 0;
		at_wanted += order >= 0;
		if (order)
			r = link_member(call, group, order < 0 ? goes : comes, order > 0);
		waiting |= r == -EAGAIN;
		if (r && r != -EAGAIN)
			return r;
	}
	return waiting ? -EAGAIN : json_object_set(group, name, wanted) ? -ENOMEM : 0;
}

static int set_all_members(struct call *call, json_t *group, const struct wish *wish)
{
	int r = 0;

	if (wish->entities)
		r = set_members(call, group, "member_entity_ids", wish->entities, link_entity);
	if (r == 0 && wish->groups)
		r = set_members(call, group, "member_group_ids", wish->groups, link_group);
	return r;
}

/* --- writing */

static int change_group(struct call *call, json_t *group, const struct wish *wish)
{
	int r = check_external(call, group, wish);

	group_forget_empty(group);
	if (r == 0)
		r = set_fields(group, wish);
	if (r == 0)
		r = set_all_members(call, group, wish);
	return r ? r : group_put(call, group);
}

static int make_group(struct call *call, const struct wish *wish)
{
	json_auto_t *group = NULL;
	char own[IDENTITY_OWN_NAME_SIZE];
	const char *name = wish->name;
	int r = identity_check_name(call, name);

	if (r == 0 && !*name) {
		r = identity_own_name(call, GROUP_NAMES, "group", own);
		name = own;
	}
	if (r == 0)
		r = group_new(call, name, *wish->type ? wish->type : "internal", &group);
	if (r == 0)
		r = change_group(call, group, wish);
	if (r)
		return r < 0 ? r : 0;
	return call_data(
	    call, json_pack("{s:O, s:O}", "id", json_object_get(group, "id"), "name", json_object_get(group, "name")));
}

/* ID NULL: of the body. NAME NULL: of the body, else what the path says. */
static int write_group(struct call *call, const char *id, const char *name)
{
	CLEANUP(cleanup_wish) struct wish wish = { .id = "", .name = "", .type = "" };
	json_auto_t *group = NULL;
	bool by_id = false, by_name = false;
	int r = 0;

	if (!name && !id)
		r = call_field_string(call, "id", &wish.id, &by_id);
	if (!name && r == 0)
		r = call_field_string(call, "name", &wish.name, &by_name);
	/* What is there but empty names no group, and is no wish for a new one. */
	if (r == 0 && by_id && !*wish.id)
		r = refuse(call, "empty group ID");
	else if (r == 0 && !id && !by_id && by_name && !*wish.name)
		r = refuse(call, "empty group name");
	if (id)
		wish.id = id;
	if (name)
		wish.name = name;
	if (r == 0)
		r = *wish.id ? find_by_id(call, wish.id, &group) : group_by_name(call, wish.name, &group);
	if (r == 0 && *wish.id && !group)
		r = refuse(call, "invalid group ID");
	if (r == 0)
		r = read_wish(call, &wish);
	if (r == 0)
		r = check_type(call, group, &wish);
	if (r)
		return r < 0 ? r : 0;
	if (!group)
		return make_group(call, &wish);
	if (*wish.name)
		r = rename_group(call, group, wish.name);
	if (r == 0)
		r = change_group(call, group, &wish);
	return r ? (r < 0 ? r : 0) : call_done(call);
}

int group_write(struct call *call)
{
	return write_group(call, NULL, NULL);
}

int group_write_id(struct call *call)
{
	return write_group(call, call_capture(call, "id"), NULL);
}

int group_write_named(struct call *call)
{
	return write_group(call, NULL, call_capture(call, "name"));
}

/* --- deleting */

static int delete_found(struct call *call, int r, json_t *group)
{
	if (r == 0 && group)
		r = group_delete_whole(call, group);
	return r < 0 ? r : call_done(call);
}

int group_delete(struct call *call)
{
	json_auto_t *group = NULL;
	int r = find_by_id(call, call_capture(call, "id"), &group);

	return delete_found(call, r, group);
}

int group_delete_named(struct call *call)
{
	json_auto_t *group = NULL;
	int r = group_by_name(call, call_capture(call, "name"), &group);

	return delete_found(call, r, group);
}
