/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "kv": the paths of its two versions. */
#include <errno.h>

#include "vault/embedded/kv/kv.h"

static int not_found_with_warning(struct call *call)
{
	call->response->status = 404;
	call->response->envelope_404 = true;
	return 0;
}

int kv_invalid_root(struct call *call)
{
	call_warn(call, "Non-listing operations on the root of a K/V v2 mount are not supported.");
	return not_found_with_warning(call);
}

int kv_invalid_path(struct call *call)
{
	static const char *const verbs[] = {
		[VAULT_READ] = "get",
		[VAULT_LIST] = "list",
		[VAULT_UPDATE] = "put",
		[VAULT_CREATE] = "put",
		[VAULT_PATCH] = "patch",
		[VAULT_DELETE] = "delete",
	};

	call_warn(call,
	    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to "
	    "use. "
	    "If using the Vault CLI, use 'vault kv %s' for this operation.",
	    verbs[call->request->op]);
	return not_found_with_warning(call);
}

static int check_type(struct call *call, const struct engine_field *field)
{
	json_auto_t *owned = NULL;
	json_t *map = NULL;
	long long number;
	int64_t seconds;
	bool on;

	switch (field->type) {
	case FIELD_INT:
		return call_field_int(call, field->name, &number, NULL);
	case FIELD_BOOL:
		return call_field_bool(call, field->name, &on, NULL);
	case FIELD_SECONDS:
		return call_field_seconds(call, field->name, &seconds, NULL);
	default:
		return kv_field_map(call, field->name, &map, &owned);
	}
}

/*
 * Whether the key is there, deleted versions or not: a write to it is an update then, else a create. Vault looks at
 * the types of all fields first, so that who may write nothing is told of a wrong one.
 */
static int key_exists(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	int r = 0;

	for (const struct engine_field *field = call->path->fields; r == 0 && field->name; field++)
		r = check_type(call, field);
	if (r == 0)
		r = kv_key_load(call, &key);
	return r < 0 ? r : r == 0 && key.meta;
}

#define VERSION                                                                           \
	{                                                                                 \
		"version", FIELD_INT, "The version that is meant; the newest without it." \
	}
#define CAS_REQUIRED                                                                                        \
	{                                                                                                   \
		"cas_required", FIELD_BOOL, "Whether every write must say which version it replaces (cas)." \
	}
#define MAX_VERSIONS                                                                 \
	{                                                                            \
		"max_versions", FIELD_INT, "How many versions of a secret are kept." \
	}
#define DELETE_VERSION_AFTER                                                                                 \
	{                                                                                                    \
		"delete_version_after", FIELD_SECONDS, "The age at which versions are deleted; 0 for never." \
	}

static const struct engine_field data_fields[] = {
	{ "data", FIELD_MAP, "The secret: names and values." },
	{ "options", FIELD_MAP, "cas: the number of the version that a write replaces; 0 where there must be none." },
	VERSION,
	{ 0 },
};
static const struct engine_field subkeys_fields[] = {
	{ "depth", FIELD_INT, "How many levels are shown; 0 for all." },
	VERSION,
	{ 0 },
};
static const struct engine_field versions_fields[] = {
	{ "versions", FIELD_INTS, "The numbers of the versions that are meant." },
	{ 0 },
};
static const struct engine_field metadata_fields[] = {
	CAS_REQUIRED,
	{ "custom_metadata", FIELD_MAP, "Texts of your own that are kept with the secret." },
	DELETE_VERSION_AFTER,
	MAX_VERSIONS,
	{ 0 },
};
static const struct engine_field config_fields[] = {
	CAS_REQUIRED,
	DELETE_VERSION_AFTER,
	MAX_VERSIONS,
	{ 0 },
};

#define ROOT(name)                                                                                             \
	{                                                                                                      \
		.pattern = name, .read = kv_invalid_root, .update = kv_invalid_root, .patch = kv_invalid_root, \
		.delete = kv_invalid_root,                                                                     \
	}

static const struct engine_path paths_v1[] = {
	{ .pattern = "{path...?}",
	    .read = kv_v1_read,
	    .list = kv_v1_list,
	    .update = kv_v1_write,
	    .delete = kv_v1_delete,
	    .exists = kv_v1_exists,
	    .help = "Read, write, list and delete secrets." },
	{ NULL },
};

static const struct engine_path paths_v2[] = {
	{ .pattern = "config",
	    .read = kv_config_read,
	    .update = kv_config_write,
	    .fields = config_fields,
	    .help = "What holds for every secret of this mount." },
	{ .pattern = "data/{path...}",
	    .read = kv_data_read,
	    .list = kv_invalid_path,
	    .update = kv_data_write,
	    .patch = kv_data_patch,
	    .delete = kv_data_delete,
	    .exists = key_exists,
	    .fields = data_fields,
	    .help = "Read and write a secret, delete its newest version." },
	{ .pattern = "subkeys/{path...?}",
	    .read = kv_subkeys_read,
	    .fields = subkeys_fields,
	    .help = "The names inside a secret, without its values." },
	{ .pattern = "delete/{path...?}",
	    .update = kv_delete_versions,
	    .fields = versions_fields,
	    .help = "Delete versions of a secret, so that they can be undeleted." },
	{ .pattern = "undelete/{path...?}",
	    .update = kv_undelete_versions,
	    .fields = versions_fields,
	    .help = "Bring deleted versions of a secret back." },
	{ .pattern = "destroy/{path...?}",
	    .update = kv_destroy_versions,
	    .fields = versions_fields,
	    .help = "Remove the data of versions for good." },
	ROOT("data"),
	ROOT("metadata"),
	ROOT("delete"),
	ROOT("undelete"),
	ROOT("destroy"),
	{ .pattern = "metadata/{path...?}",
	    .read = kv_metadata_read,
	    .list = kv_metadata_list,
	    .update = kv_metadata_write,
	    .patch = kv_metadata_patch,
	    .delete = kv_metadata_delete,
	    .exists = key_exists,
	    .fields = metadata_fields,
	    .help = "The names of secrets; versions and settings of one; delete all of it." },
	{ .pattern = "{path...?}",
	    .read = kv_invalid_path,
	    .list = kv_invalid_path,
	    .update = kv_invalid_path,
	    .patch = kv_invalid_path,
	    .delete = kv_invalid_path },
	{ NULL },
};

static bool is_version_2(const json_t *options)
{
	const char *version = json_string_value(json_object_get(options, "version"));

	return version && streq(version, "2");
}

static const struct engine_path *paths_of(const struct mount *mount)
{
	return is_version_2(mount->options) ? paths_v2 : paths_v1;
}

static int change_options(struct call *call, struct mount *mount, const json_t *options)
{
	return is_version_2(options) && !is_version_2(mount->options) ? kv_upgrade_mark(call, mount) : 0;
}

const struct engine kv_engine = {
	.type = "kv",
	.help = "Keeps secrets and, in version 2, their versions.",
	.paths_of = paths_of,
	.change_options = change_options,
	.options_changed = kv_upgrade_continue,
};
