/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "identity": its paths. "alias" and "persona" are old names. */
#include "vault/embedded/identity/identity_internal.h"

#define ENTITY_FIELDS                                                                                       \
	{ "disabled", FIELD_BOOL, "Whether the entity's tokens are refused for now." },                     \
	    { "id", FIELD_STRING, "The id of the entity." },                                                \
	    { "metadata", FIELD_MAP, "Texts of your own that are kept with the entity." },                  \
	    { "name", FIELD_STRING, "The name of the entity; its case does not matter." },                  \
	{                                                                                                   \
		"policies", FIELD_STRINGS, "Policies that all tokens of the entity have besides their own." \
	}

static const struct engine_field entity_fields[] = { ENTITY_FIELDS, { 0 } };
static const struct engine_field batch_fields[] = {
	{ "entity_ids", FIELD_STRINGS, "The ids of the entities to delete." },
	{ 0 },
};
static const struct engine_field merge_fields[] = {
	{ "conflicting_alias_ids_to_keep", FIELD_STRINGS,
	    "Where both have an alias of one mount: the ids of those that stay." },
	{ "force", FIELD_BOOL, "Has no effect." },
	{ "from_entity_ids", FIELD_STRINGS, "The ids of the entities that are merged, and gone then." },
	{ "to_entity_id", FIELD_STRING, "The id of the entity that stays." },
	{ 0 },
};
static const struct engine_field group_fields[] = {
	{ "id", FIELD_STRING, "The id of the group." },
	{ "member_entity_ids", FIELD_STRINGS, "The ids of the entities that are in the group." },
	{ "member_group_ids", FIELD_STRINGS, "The ids of the groups whose members are in the group too." },
	{ "metadata", FIELD_MAP, "Texts of your own that are kept with the group." },
	{ "name", FIELD_STRING, "The name of the group; its case does not matter." },
	{ "policies", FIELD_STRINGS, "Policies that all tokens of the members have besides their own." },
	{ "type", FIELD_STRING, "internal (the members are listed here) or external (a login mount knows them)." },
	{ 0 },
};
static const struct engine_field group_alias_fields[] = {
	{ "canonical_id", FIELD_STRING, "The id of the external group that the alias belongs to." },
	{ "id", FIELD_STRING, "The id of the alias." },
	{ "mount_accessor", FIELD_STRING, "The accessor of the mount that knows the group." },
	{ "name", FIELD_STRING, "The name by which the mount knows the group." },
	{ 0 },
};
static const struct engine_field alias_fields[] = {
	{ "canonical_id", FIELD_STRING, "The id of the entity that the alias belongs to." },
	{ "custom_metadata", FIELD_MAP, "Texts of your own that are kept with the alias." },
	{ "entity_id", FIELD_STRING, "The old name of canonical_id." },
	{ "id", FIELD_STRING, "The id of the alias." },
	{ "mount_accessor", FIELD_STRING, "The accessor of the mount that the account belongs to." },
	{ "name", FIELD_STRING, "The name by which the mount knows the account." },
	{ 0 },
};
static const struct engine_field lookup_fields[] = {
	{ "alias_id", FIELD_STRING, "The id of one of its aliases." },
	{ "alias_mount_accessor", FIELD_STRING, "With alias_name: the accessor of the alias's mount." },
	{ "alias_name", FIELD_STRING, "The name of one of its aliases." },
	{ "id", FIELD_STRING, "Its id." },
	{ "name", FIELD_STRING, "Its name." },
	{ 0 },
};

#define ENTITY_PATHS(name_)                                                                                           \
	{ .pattern = name_,                                                                                           \
		.update = entity_write,                                                                               \
		.fields = entity_fields,                                                                              \
		.help = "Makes an entity, or changes the one of that id or name." },                                  \
	    { .pattern = name_ "/id/",                                                                                \
		    .list = entity_list,                                                                              \
		    .fields = engine_no_fields,                                                                       \
		    .help = "Lists the entities." },                                                                  \
	{                                                                                                             \
		.pattern = name_ "/id/{id}", .read = entity_read, .update = entity_write_id, .delete = entity_delete, \
		.fields = entity_fields, .help = "One entity, by its id."                                             \
	}
#define ALIAS_PATHS(name_)                                                                                         \
	{ .pattern = name_,                                                                                        \
		.update = alias_write,                                                                             \
		.fields = alias_fields,                                                                            \
		.help = "Makes an alias, or changes the one of that id or account." },                             \
	    { .pattern = name_ "/id/",                                                                             \
		    .list = alias_list,                                                                            \
		    .fields = engine_no_fields,                                                                    \
		    .help = "Lists the aliases." },                                                                \
	{                                                                                                          \
		.pattern = name_ "/id/{id}", .read = alias_read, .update = alias_write_id, .delete = alias_delete, \
		.fields = alias_fields, .help = "One alias, by its id."                                            \
	}

static const struct engine_path paths[] = {
	ENTITY_PATHS("entity"),
	{ .pattern = "entity/name/",
	    .list = entity_list_names,
	    .fields = engine_no_fields,
	    .help = "Lists the names of the entities." },
	{ .pattern = "entity/name/{name...}",
	    .read = entity_read_named,
	    .update = entity_write_named,
	    .delete = entity_delete_named,
	    .fields = entity_fields,
	    .help = "One entity, by its name." },
	{ .pattern = "entity/batch-delete",
	    .update = entity_delete_batch,
	    .fields = batch_fields,
	    .help = "Deletes several entities." },
	{ .pattern = "entity/merge",
	    .update = entity_merge,
	    .fields = merge_fields,
	    .help = "Makes one entity of several." },
	{ .pattern = "entity/merge/" },
	ALIAS_PATHS("entity-alias"),
	{ .pattern = "lookup/entity",
	    .update = entity_lookup,
	    .fields = lookup_fields,
	    .help = "Finds an entity by its id, its name or one of its aliases." },
	{ .pattern = "group",
	    .update = group_write,
	    .fields = group_fields,
	    .help = "Makes a group, or changes the one of that id or name." },
	{ .pattern = "group/id/", .list = group_list, .fields = engine_no_fields, .help = "Lists the groups." },
	{ .pattern = "group/id/{id}",
	    .read = group_read,
	    .update = group_write_id,
	    .delete = group_delete,
	    .fields = group_fields,
	    .help = "One group, by its id." },
	{ .pattern = "group/name/",
	    .list = group_list_names,
	    .fields = engine_no_fields,
	    .help = "Lists the names of the groups." },
	{ .pattern = "group/name/{name...}",
	    .read = group_read_named,
	    .update = group_write_named,
	    .delete = group_delete_named,
	    .fields = group_fields,
	    .help = "One group, by its name." },
	{ .pattern = "group-alias",
	    .update = group_alias_write,
	    .fields = group_alias_fields,
	    .help = "Makes the alias of an external group, or changes the one of that id." },
	{ .pattern = "group-alias/id/",
	    .list = group_alias_list,
	    .fields = engine_no_fields,
	    .help = "Lists the aliases of groups." },
	{ .pattern = "group-alias/id/{id}",
	    .read = group_alias_read,
	    .update = group_alias_write_id,
	    .delete = group_alias_delete,
	    .fields = group_alias_fields,
	    .help = "The alias of a group, by its id." },
	{ .pattern = "lookup/group",
	    .update = group_lookup,
	    .fields = lookup_fields,
	    .help = "Finds a group by its id, its name or its alias." },
	ALIAS_PATHS("alias"),
	/* As Vault has it: the one writes entities, the other shows aliases. */
	{ .pattern = "persona", .update = entity_write, .fields = entity_fields, .help = "An old name of entity." },
	ALIAS_PATHS("persona"),
	{ NULL },
};

const struct engine identity_engine = {
	.type = "identity",
	.help = "Entities: who is behind a token, by which accounts he logs in, and which groups he is in.",
	.paths = paths,
};
