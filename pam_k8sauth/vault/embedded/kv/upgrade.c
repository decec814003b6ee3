/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From version 1 to version 2: the tune that asks for it marks the mount's configuration, and its secrets move in the
 * background, a folder's worth at a time, each as the first version of its key. Until the mark is gone the mount
 * refuses its requests; the first of them after a crash goes on where the last step ended.
 */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/kv/kv.h"

#define STEP_MAX 256 /* secrets that one transaction moves */

struct upgrade {
	struct core *core;
	struct mount *mount; /* referenced */
	bool done;
};

static bool is_mounted(const struct core *core, const struct mount *mount)
{
	for (size_t i = 0; i < core->n_mounts; i++)
		if (core->mounts[i] == mount)
			return true;
	return false;
}

/* What shows as who made a version that was moved. NULL without memory. */
static json_t *mover(void)
{
	return json_pack("{s:s, s:s}", "actor", "kv_upgrade", "operation", "upgrade");
}

/* PATH becomes a key with one version. */
static int move_secret(struct call *call, json_t *config, const char *path)
{
	struct kv_key key AUTO_KEY = { .path = strdup(path), .config = json_incref(config), .now = nanotime_now() };
	json_auto_t *secret = NULL, *data = NULL;
	char *old AUTO_FREE = NULL;
	long long version;
	int r;

	if (!key.path || asprintf(&old, KV_V1_FOLDER "%s", path) < 0) {
		old = NULL;
		return -ENOMEM;
	}
	r = call_get(call, old, &secret);
	if (r < 0)
		return r;
	data = kv_normalize(secret);
	r = data ? kv_key_new(&key) : -ENOMEM;
	if (r == 0)
		r = kv_key_add_version(call, &key, data, &version);
	if (r == 0 && (json_object_set_new(kv_version(&key, version), "created_by", mover()) ||
			  json_object_set_new(key.meta, "last_updated_by", mover()) ||
			  json_object_set_new(key.meta, "oldest", json_integer(version))))
		r = -ENOMEM;
	if (r == 0)
		r = kv_key_store(call, &key);
	return r == 0 ? call_delete(call, old) : r;
}

/* Moves what lies right in FOLDER ("" or "a/"). *RET_BELOW: a folder in it, the caller's; NULL for none. */
static int move_folder(struct call *call, json_t *config, const char *folder, size_t *moved, char **ret_below)
{
	json_auto_t *names = NULL;
	char *whole AUTO_FREE = NULL;
	bool waiting = false;
	json_t *name;
	size_t i;
	int r;

	if (asprintf(&whole, KV_V1_FOLDER "%s", folder) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	r = call_list(call, whole, &names);
	if (r < 0)
		return r;
	json_array_foreach(names, i, name)
	{
		char *path AUTO_FREE = NULL;

		if (asprintf(&path, "%s%s", folder, json_string_value(name)) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (ends_with(path, "/")) {
			if (!*ret_below)
				*ret_below = TAKE_PTR(path);
			continue;
		}
		if (*moved == STEP_MAX)
			break;
		++*moved;
		r = move_secret(call, config, path);
		/* The store is asked for all of them at once. */
		if (r == -EAGAIN)
			waiting = true;
		else if (r < 0)
			return r;
	}
	return waiting ? -EAGAIN : 0;
}

/* Moves the secrets of the first folder that has some. *MOVED is 0 where there are none any more. */
static int move_some(struct call *call, json_t *config, size_t *moved)
{
	char *folder AUTO_FREE = strdup("");
	int r = folder ? 0 : -ENOMEM;

	while (r == 0 && folder && *moved == 0) {
		char *below = NULL;

		r = move_folder(call, config, folder, moved, &below);
		free(folder);
		folder = below;
	}
	return r;
}

static int step(struct call *call)
{
	struct upgrade *upgrade = call->state;
	json_auto_t *config = NULL;
	size_t moved = 0;
	int r = mounts_settled(call);

	if (r < 0)
		return r;
	upgrade->done = !is_mounted(call->core, upgrade->mount);
	if (upgrade->done)
		return 0;
	call->mount = upgrade->mount;
	r = kv_config_get(call, &config);
	if (r < 0)
		return r;
	upgrade->done = !json_is_true(json_object_get(config, KV_UPGRADING));
	if (upgrade->done)
		return 0;
	r = move_some(call, config, &moved);
	if (r < 0 || moved)
		return r;
	upgrade->done = true;
	json_object_del(config, KV_UPGRADING);
	return kv_config_store(call, config);
}

static void on_step(void *arg, int r)
{
	struct upgrade *upgrade = arg;

	if (r == 0 && !upgrade->done) {
		core_run(upgrade->core, step, upgrade, NULL, on_step, upgrade);
		return;
	}
	if (r < 0 && r != -ECANCELED) /* the daemon stops */
		log_error("moving the secrets of %s to version 2 failed: %s; its next request tries again",
		    upgrade->mount->path, strerror(-r));
	upgrade->mount->state = NULL;
	mount_unref(upgrade->core, upgrade->mount);
	free(upgrade);
}

void kv_upgrade_continue(struct core *core, struct mount *mount)
{
	struct upgrade *upgrade = mount->state ? NULL : calloc(1, sizeof(*upgrade));

	if (!upgrade)
		return;
	mount_ref(mount);
	mount->state = upgrade;
	upgrade->core = core;
	upgrade->mount = mount;
	core_run(core, step, upgrade, NULL, on_step, upgrade);
}

int kv_upgrade_mark(struct call *call, struct mount *mount)
{
	struct mount *own = call->mount;
	json_auto_t *config = json_pack("{s:b}", KV_UPGRADING, 1);
	int r;

	if (!config)
		return -ENOMEM;
	call->mount = mount;
	r = kv_config_store(call, config);
	call->mount = own;
	return r;
}
