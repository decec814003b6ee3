/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: who is in them, also by other groups, and what an entity has from that. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* Groups that one entity or group is in, by others too: more are an error, as nobody could see through them. */
#define ANCESTORS_MAX 1024

/* --- upwards */

/* Groups met on the way up from some, in the order in which they were met. */
struct ascent {
	json_t *ids, *seen, *groups;
	bool own; /* this call has written one of them */
};

static void cleanup_ascent(struct ascent *ascent)
{
	json_decref(ascent->ids);
	json_decref(ascent->seen);
	json_decref(ascent->groups);
}

/* Those of IDS that were not met yet are next. */
static int ascend_to(struct ascent *ascent, const json_t *ids)
{
	json_t *id;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		const char *text = json_string_value(id);

		if (json_object_get(ascent->seen, text))
			continue;
		if (json_array_size(ascent->ids) >= ANCESTORS_MAX)
			return -E2BIG;
		if (json_object_set_new(ascent->seen, text, json_true()) || json_array_append(ascent->ids, id))
			return -ENOMEM;
	}
	return 0;
}

/* All groups of the ids START and above them, as LOAD gives them: ascent->groups. 0, -EAGAIN, -errno. */
static int ascend(struct call *call, const json_t *start,
    int (*load)(struct call *call, const char *id, json_t **ret), struct ascent *ascent)
{
	bool waiting = false;
	int r;

	*ascent = (struct ascent){ .ids = json_array(), .seen = json_object(), .groups = json_array() };
	if (!ascent->ids || !ascent->seen || !ascent->groups)
		return -ENOMEM;
	r = ascend_to(ascent, start);
	for (size_t i = 0; r == 0 && i < json_array_size(ascent->ids); i++) {
		const char *id = json_string_value(json_array_get(ascent->ids, i));
		json_auto_t *group = NULL;

		r = load(call, id, &group);
		if (r == 0)
			r = ascend_to(ascent, json_object_get(group, "parents"));
		if (r == 0 && json_array_append(ascent->groups, group))
			r = -ENOMEM;
		if (r == 0 && group_is_own_write(call, id))
			ascent->own = true;
		if (r == -EAGAIN) {
			waiting = true; /* ask for the others before waiting for this one */
			r = 0;
		} else if (r == -ENOENT) {
			r = 0;
		}
	}
	return r < 0 ? r : waiting ? -EAGAIN : 0;
}

int group_is_within(struct call *call, const json_t *group, const char *id)
{
	CLEANUP(cleanup_ascent) struct ascent ascent;
	/*
	 * Not of itself: a new one has another id in each run, and to read that would never end. And not of what is
	 * remembered: a change that is on its way to the disk must be waited for, or two changes make a ring together.
	 */
	int r = ascend(call, json_object_get(group, "parents"), group_load, &ascent);

	return r < 0 ? r : json_object_get(ascent.seen, id) != NULL;
}

/* --- what an entity has from its groups */

/* The policies of GROUPS. */
static json_t *group_policies(const json_t *groups)
{
	json_auto_t *all = json_array();
	const json_t *group;
	size_t i;

	json_array_foreach(groups, i, group)
	{
		json_t *policies = json_object_get(group, "policies");

		if (policies && json_array_extend(all, policies))
			return NULL;
	}
	return identity_names(all, NAMES_AS_WRITTEN);
}

/* The groups and their policies in a copy of ENTITY. NULL without memory. */
static json_t *make_view(struct call *call, json_t *entity, json_t *groups)
{
	json_auto_t *own = json_copy(json_object_get(entity, "policies")), *more = group_policies(groups);
	json_t *view = json_copy(entity);

	if (!own)
		own = json_array();
	if (!more || json_array_extend(own, more) || json_object_set(view, "policies", own) ||
	    json_object_set(view, "groups", groups) ||
	    json_object_set_new(view, "groups_revision", json_integer(identity_groups_revision(call)))) {
		json_decref(view);
		return NULL;
	}
	return view;
}

int identity_with_groups(struct call *call, json_t *entity, json_t **ret)
{
	CLEANUP(cleanup_ascent) struct ascent ascent = { 0 };
	const json_t *direct = json_object_get(entity, "member_of");
	json_t *view = identity_cached_view(call, entity);
	int r;

	if (view || json_array_size(direct) == 0) {
		*ret = json_incref(view ? view : entity);
		return 0;
	}
	r = ascend(call, direct, group_outline, &ascent);
	if (r < 0)
		return r;
	view = make_view(call, entity, ascent.groups);
	if (!view)
		return -ENOMEM;
	if (!ascent.own)
		identity_remember_view(call, entity, view);
	*ret = view;
	return 0;
}

/* --- members */

void group_forget_empty(json_t *group)
{
	static const char *const names[] = { "member_entity_ids", "member_group_ids", "metadata", "parents",
		"policies" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const json_t *value = json_object_get(group, names[i]);

		if (value && json_array_size(value) == 0 && json_object_size(value) == 0)
			(void)json_object_del(group, names[i]);
	}
}

/* Puts GROUP into the list NAME of MEMBER, or takes it out. */
static int link_to(json_t *member, const char *name, const json_t *group, bool in)
{
	const char *id = identity_text(group, "id");

	if (in)
		return identity_list_add(member, name, id);
	(void)identity_list_drop(member, name, id);
	return 0;
}

int group_link_entity(struct call *call, const json_t *group, const char *member, bool in)
{
	json_auto_t *entity = NULL;
	int r = entity_load(call, member, &entity);

	if (r == 0)
		r = link_to(entity, "member_of", group, in);
	return r < 0 ? r : entity_put(call, entity);
}

int group_link_group(struct call *call, const json_t *group, const char *member, bool in)
{
	json_auto_t *other = NULL;
	int r = group_load(call, member, &other);

	group_forget_empty(other);
	if (r == 0)
		r = link_to(other, "parents", group, in);
	return r < 0 ? r : group_put(call, other);
}

/* --- made and taken apart */

int group_new(struct call *call, const char *name, const char *type, json_t **ret)
{
	AUTO_FREE char *key = name_key(GROUP_NAMES, name);
	json_int_t now = nanotime_now();
	json_t *group;
	char id[UUID_SIZE];
	int r;

	random_uuid(id);
	group = json_pack(
	    "{s:s, s:s, s:s, s:I, s:I}", "id", id, "name", name, "type", type, "created", now, "updated", now);
	r = key && group ? index_put(call, key, id) : -ENOMEM;
	if (r < 0)
		json_decref(group);
	else
		*ret = group;
	return r;
}

int group_drop_alias(struct call *call, json_t *group)
{
	const json_t *alias = json_object_get(group, "alias");
	int r;

	if (!alias)
		return 0;
	r = index_drop(call, id_key(GROUP_ALIASES, identity_text(alias, "id")));
	if (r == 0)
		r = index_drop(
		    call, account_key(GROUP_ACCOUNTS, identity_text(alias, "accessor"), identity_text(alias, "name")));
	if (r == 0 && json_object_del(group, "alias"))
		r = -ENOMEM;
	return r;
}

/* Tells the members in LIST by TELL; those that are gone already are no fault. Asks for all before it waits for one. */
static int leave_members(struct call *call, const json_t *group, const char *list,
    int (*tell)(struct call *call, const json_t *group, const char *member, bool in))
{
	bool waiting = false;
	json_t *member;
	size_t i;

	json_array_foreach(json_object_get(group, list), i, member)
	{
		int r = tell(call, group, json_string_value(member), false);

		waiting |= r == -EAGAIN;
		if (r < 0 && r != -ENOENT && r != -EAGAIN)
			return r;
	}
	return waiting ? -EAGAIN : 0;
}

static int leave_parents(struct call *call, const json_t *group)
{
	json_t *parent;
	size_t i;

	json_array_foreach(json_object_get(group, "parents"), i, parent)
	{
		json_auto_t *other = NULL;
		int r = group_load(call, json_string_value(parent), &other);

		if (r == 0 && identity_list_drop(other, "member_group_ids", identity_text(group, "id")))
			r = group_put(call, other);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

int group_delete_whole(struct call *call, json_t *group)
{
	int r = leave_members(call, group, "member_entity_ids", group_link_entity);

	if (r == 0)
		r = leave_members(call, group, "member_group_ids", group_link_group);
	if (r == 0)
		r = leave_parents(call, group);
	if (r == 0)
		r = group_drop_alias(call, group);
	if (r == 0)
		r = index_drop(call, name_key(GROUP_NAMES, identity_text(group, "name")));
	return r < 0 ? r : group_remove(call, group);
}
