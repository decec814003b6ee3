/* SPDX-License-Identifier: Apache-2.0 */
/* Entities and aliases as clients see them. */
#include <errno.h>

#include "base/json_list.h"
#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

const struct mount *identity_mount(const struct core *core, const char *accessor)
{
	for (size_t i = 0; i < core->n_mounts; i++) {
		if (streq(core->mounts[i]->accessor, accessor))
			return core->mounts[i];
	}
	return NULL;
}

static json_t *shown_time(const json_t *record, const char *name)
{
	char text[NANOTIME_SIZE];

	nanotime_format(json_integer_value(json_object_get(record, name)), text);
	return json_string(text);
}

static json_t *or_null(const json_t *record, const char *name)
{
	json_t *value = json_object_get(record, name);

	return value ? json_incref(value) : json_null();
}

json_t *alias_show(const struct core *core, const char *entity_id, const json_t *alias)
{
	const char *accessor = identity_text(alias, "accessor");
	const struct mount *mount = identity_mount(core, accessor);

	json_t *shown = json_pack("{s:s, s:o, s:o, s:O, s:o, s:b, s:o, s:o, s:s, s:O}", "canonical_id", entity_id,
	    "creation_time", shown_time(alias, "created"), "custom_metadata", or_null(alias, "custom_metadata"), "id",
	    json_object_get(alias, "id"), "last_update_time", shown_time(alias, "updated"), "local", 0,
	    "merged_from_canonical_ids", or_null(alias, "merged_from"), "metadata", or_null(alias, "metadata"),
	    "mount_accessor", accessor, "name", json_object_get(alias, "name"));

	/* A mount that was disabled leaves its aliases behind. */
	if (shown && mount &&
	    (json_object_set_new(shown, "mount_path", json_string(mount->path)) ||
		json_object_set_new(shown, "mount_type", json_string(mount->engine->type)))) {
		json_decref(shown);
		return NULL;
	}
	return shown;
}

json_t *aliases_show(const struct core *core, const json_t *entity)
{
	json_t *list = json_array(), *alias;
	size_t i;

	json_array_foreach(json_object_get(entity, "aliases"), i, alias)
	{
		if (json_array_append_new(list, alias_show(core, identity_text(entity, "id"), alias))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* The ids of the groups that ENTITY is in by others. */
static json_t *inherited_groups(const json_t *entity, const json_t *view)
{
	json_t *ids = json_array(), *direct = json_object_get(entity, "member_of"), *group;
	size_t i;

	json_array_foreach(json_object_get(view, "groups"), i, group)
	{
		json_t *id = json_object_get(group, "id");

		if (!json_list_has(direct, json_string_value(id)) && json_array_append(ids, id)) {
			json_decref(ids);
			return NULL;
		}
	}
	return ids;
}

static json_t *or_empty(const json_t *record, const char *name)
{
	json_t *list = json_object_get(record, name);

	return list ? json_copy(list) : json_array();
}

json_t *entity_show(const struct core *core, const json_t *entity, const json_t *view)
{
	json_auto_t *inherited = inherited_groups(entity, view), *all = or_empty(entity, "member_of");

	if (!inherited || !all || json_array_extend(all, inherited))
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:b, s:O, s:O, s:O, s:o, s:o, s:o, s:O, s:s, s:o}", "aliases",
	    aliases_show(core, entity), "creation_time", shown_time(entity, "created"), "direct_group_ids",
	    or_empty(entity, "member_of"), "disabled", identity_disabled(entity), "group_ids", all, "id",
	    json_object_get(entity, "id"), "inherited_group_ids", inherited, "last_update_time",
	    shown_time(entity, "updated"), "merged_entity_ids", or_null(entity, "merged"), "metadata",
	    or_null(entity, "metadata"), "name", json_object_get(entity, "name"), "namespace_id", "root", "policies",
	    or_empty(entity, "policies"));
}

/* The alias of GROUP, without what only its own path shows. */
static json_t *shown_group_alias(const struct core *core, const json_t *group)
{
	const json_t *alias = json_object_get(group, "alias");
	json_t *shown = alias ? alias_show(core, identity_text(group, "id"), alias) : json_object();

	(void)json_object_del(shown, "custom_metadata");
	(void)json_object_del(shown, "local");
	return shown;
}

json_t *group_show(const struct core *core, const json_t *group)
{
	json_t *members = json_object_get(group, "member_group_ids");

	return json_pack("{s:o, s:o, s:O, s:o, s:o, s:o, s:o, s:O, s:O, s:s, s:o, s:o, s:O}", "alias",
	    shown_group_alias(core, group), "creation_time", shown_time(group, "created"), "id",
	    json_object_get(group, "id"), "last_update_time", shown_time(group, "updated"), "member_entity_ids",
	    or_null(group, "member_entity_ids"), "member_group_ids",
	    json_array_size(members) ? json_incref(members) : json_null(), "metadata", or_null(group, "metadata"),
	    "modify_index", json_object_get(group, "revision"), "name", json_object_get(group, "name"), "namespace_id",
	    "root", "parent_group_ids", or_null(group, "parents"), "policies", or_null(group, "policies"), "type",
	    json_object_get(group, "type"));
}
