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
	{ "id", FIELD_STRING, "The id of the entity." },
	{ "name", FIELD_STRING, "The name of the entity." },
	{ 0 },
};

#define ENTITY_PATHS(name_)                                                                                           \
	{ .pattern = name_,                                                                                           \
		.update = entity_write,                                                                               \
		.fields = entity_fields,                                                                              \
		.help = "Makes an entity, or changes the one of that id or name." },                                  \
	    { .pattern = name_ "/id/", .list = entity_list, .help = "Lists the entities." },                          \
	{                                                                                                             \
		.pattern = name_ "/id/{id}", .read = entity_read, .update = entity_write_id, .delete = entity_delete, \
		.fields = entity_fields, .help = "One entity, by its id."                                             \
	}
#define ALIAS_PATHS(name_)                                                                                         \
	{ .pattern = name_,                                                                                        \
		.update = alias_write,                                                                             \
		.fields = alias_fields,                                                                            \
		.help = "Makes an alias, or changes the one of that id or account." },                             \
	    { .pattern = name_ "/id/", .list = alias_list, .help = "Lists the aliases." },                         \
	{                                                                                                          \
		.pattern = name_ "/id/{id}", .read = alias_read, .update = alias_write_id, .delete = alias_delete, \
		.fields = alias_fields, .help = "One alias, by its id."                                            \
	}

static const struct engine_path paths[] = {
	ENTITY_PATHS("entity"),
	{ .pattern = "entity/name/", .list = entity_list_names, .help = "Lists the names of the entities." },
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
	ALIAS_PATHS("entity-alias"),
	{ .pattern = "lookup/entity",
	    .update = entity_lookup,
	    .fields = lookup_fields,
	    .help = "Finds an entity by its id, its name or one of its aliases." },
	ALIAS_PATHS("alias"),
	/* As Vault has it: the one writes entities, the other shows aliases. */
	{ .pattern = "persona", .update = entity_write, .fields = entity_fields, .help = "An old name of entity." },
	ALIAS_PATHS("persona"),
	{ NULL },
};

const struct engine identity_engine = {
	.type = "identity",
	.help = "Entities: who is behind a token, and by which accounts he logs in.",
	.paths = paths,
};
