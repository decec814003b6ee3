/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "kv", version 2: its paths. */
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

/* Whether the key is there, deleted versions or not: a write to it is an update then, else a create. */
static int key_exists(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	int r = kv_key_load(call, &key);

	return r < 0 ? r : r == 0 && key.meta;
}

static const char *const data_fields[] = { "data", "options", "version", NULL };
static const char *const subkeys_fields[] = { "depth", "version", NULL };
static const char *const versions_fields[] = { "versions", NULL };
static const char *const metadata_fields[] = { "cas_required", "custom_metadata", "delete_version_after",
	"max_versions", NULL };
static const char *const config_fields[] = { "cas_required", "delete_version_after", "max_versions", NULL };

#define ROOT(name)                                                                                             \
	{                                                                                                      \
		.pattern = name, .read = kv_invalid_root, .update = kv_invalid_root, .patch = kv_invalid_root, \
		.delete = kv_invalid_root,                                                                     \
	}

static const struct engine_path paths[] = {
	{ .pattern = "config", .read = kv_config_read, .update = kv_config_write, .fields = config_fields },
	{ .pattern = "data/{path...}",
	    .read = kv_data_read,
	    .list = kv_invalid_path,
	    .update = kv_data_write,
	    .patch = kv_data_patch,
	    .delete = kv_data_delete,
	    .exists = key_exists,
	    .fields = data_fields },
	{ .pattern = "subkeys/{path...?}", .read = kv_subkeys_read, .fields = subkeys_fields },
	{ .pattern = "delete/{path...?}", .update = kv_delete_versions, .fields = versions_fields },
	{ .pattern = "undelete/{path...?}", .update = kv_undelete_versions, .fields = versions_fields },
	{ .pattern = "destroy/{path...?}", .update = kv_destroy_versions, .fields = versions_fields },
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
	    .fields = metadata_fields },
	{ .pattern = "{path...?}",
	    .read = kv_invalid_path,
	    .list = kv_invalid_path,
	    .update = kv_invalid_path,
	    .patch = kv_invalid_path,
	    .delete = kv_invalid_path },
	{ NULL },
};

/* Version 1 (also the default of a mount without options) is not built: -ENOTSUP. */
static int mounted(struct core *core, struct mount *mount)
{
	const char *version = json_string_value(json_object_get(mount->options, "version"));

	return version && streq(version, "2") ? 0 : -ENOTSUP;
}

const struct engine kv_engine = {
	.type = "kv",
	.paths = paths,
	.mounted = mounted,
};
