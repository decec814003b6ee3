/* SPDX-License-Identifier: Apache-2.0 */
/* How mounts are shown (vault-core.md 9.5, vault-1.21.4.md). */
#include "vault/embedded/sys/sys.h"

#include <stdio.h>

#include "base/text.h"

bool sys_engine_mountable(const struct engine *engine)
{
	static const char *const fixed[] = { "system", "token", "cubbyhole", "identity" };

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (streq(engine->type, fixed[i]))
			return false;
	return true;
}

const char *sys_mount_name(const struct mount *mount)
{
	return mount->engine->auth ? mount->path + strlen("auth/") : mount->path;
}

struct mount *sys_mount_at(const struct core *core, const char *name, bool auth)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < core->n_mounts; i++) {
		struct mount *mount = core->mounts[i];
		const char *other = sys_mount_name(mount);

		if (mount->engine->auth == auth && strlen(other) == len + 1 && strncmp(other, name, len) == 0)
			return mount;
	}
	return NULL;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp((*(struct mount *const *)a)->path, (*(struct mount *const *)b)->path);
}

struct mount **sys_mounts_sorted(const struct core *core)
{
	struct mount **mounts = malloc(core->n_mounts * sizeof(struct mount *));

	if (!mounts)
		return NULL;
	memcpy(mounts, core->mounts, core->n_mounts * sizeof(struct mount *));
	qsort(mounts, core->n_mounts, sizeof(*mounts), compare_paths);
	return mounts;
}

struct mount *sys_mount_of(const struct core *core, const char *name, bool auth)
{
	char *path AUTO_FREE = NULL;
	struct mount *mount;

	if (asprintf(&path, "%s%s/", auth ? "auth/" : "", name) < 0) {
		path = NULL;
		return NULL;
	}
	mount = core_mount_of(core, path);
	return mount && (!auth || mount->engine->auth) ? mount : NULL;
}

static int64_t shown_ttl(int64_t ttl, bool effective)
{
	return ttl || !effective ? ttl : SYSTEM_LEASE_TTL;
}

static json_t *config_info(const struct mount *mount, bool effective)
{
	json_t *config = json_pack("{s:I, s:b, s:I}", "default_lease_ttl",
	    (json_int_t)shown_ttl(mount->default_lease_ttl, effective), "force_no_cache", sys_force_no_cache(mount),
	    "max_lease_ttl", (json_int_t)shown_ttl(mount->max_lease_ttl, effective));

	if (config && mount->engine->auth)
		json_object_set_new(config, "token_type", json_string(mount->token_type));
	if (config && sys_settings_show(mount, false, config) == 0)
		return config;
	json_decref(config);
	return NULL;
}

json_t *sys_mount_info(const struct mount *mount, bool effective)
{
	json_t *info = json_pack("{s:s, s:o}", "accessor", mount->accessor, "config", config_info(mount, effective));

	if (!info)
		return NULL;
	if (!mount->builtin)
		json_object_set_new(info, "deprecation_status", json_string("supported"));
	json_object_set_new(info, "description", json_string(mount->description));
	json_object_set_new(info, "external_entropy_access", json_boolean(mount->external_entropy_access));
	json_object_set_new(info, "local", json_boolean(mount->local));
	json_object_set_new(info, "options", mount->options ? json_deep_copy(mount->options) : json_null());
	json_object_set_new(info, "plugin_version", json_string(sys_plugin_version(mount)));
	json_object_set_new(info, "running_plugin_version", json_string(SYS_PLUGIN_VERSION));
	json_object_set_new(info, "running_sha256", json_string(""));
	json_object_set_new(info, "seal_wrap", json_boolean(mount->seal_wrap));
	json_object_set_new(info, "type", json_string(mount->engine->type));
	json_object_set_new(info, "uuid", json_string(mount->uuid));
	return info;
}
