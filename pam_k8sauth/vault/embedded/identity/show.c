/* SPDX-License-Identifier: Apache-2.0 */
/* Entities and aliases as clients see them. */
#include <errno.h>

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

	json_t *shown = json_pack("{s:s, s:o, s:o, s:O, s:o, s:b, s:n, s:o, s:s, s:O}", "canonical_id", entity_id,
	    "creation_time", shown_time(alias, "created"), "custom_metadata", or_null(alias, "custom_metadata"), "id",
	    json_object_get(alias, "id"), "last_update_time", shown_time(alias, "updated"), "local", 0,
	    "merged_from_canonical_ids", "metadata", or_null(alias, "metadata"), "mount_accessor", accessor, "name",
	    json_object_get(alias, "name"));

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

json_t *entity_show(const struct core *core, const json_t *entity)
{
	json_t *policies = json_object_get(entity, "policies");

	return json_pack("{s:o, s:o, s:[], s:b, s:[], s:O, s:[], s:o, s:n, s:o, s:O, s:s, s:o}", "aliases",
	    aliases_show(core, entity), "creation_time", shown_time(entity, "created"), "direct_group_ids", "disabled",
	    identity_disabled(entity), "group_ids", "id", json_object_get(entity, "id"), "inherited_group_ids",
	    "last_update_time", shown_time(entity, "updated"), "merged_entity_ids", "metadata",
	    or_null(entity, "metadata"), "name", json_object_get(entity, "name"), "namespace_id", "root", "policies",
	    policies ? json_incref(policies) : json_array());
}
