/* SPDX-License-Identifier: Apache-2.0 */
/* The mount table: one record in the store, and its entries in memory. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

/* --- entries */

static void mount_free(struct mount *mount)
{
	free(mount->path);
	free(mount->description);
	json_decref(mount->options);
	json_decref(mount->config);
	free(mount->token_type);
	free(mount);
}

struct mount *mount_new(const struct engine *engine, const char *path, const char *description, json_t *options)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	uint8_t id[4];
	char hex[9];

	if (!mount)
		return NULL;
	mount->refs = 1;
	mount->engine = engine;
	mount->path = strdup(path);
	mount->description = strdup(description);
	mount->options = json_incref(options);
	mount->config = json_object();
	mount->token_type = engine->auth ? strdup("default-service") : NULL;
	if (!mount->path || !mount->description || !mount->config || (engine->auth && !mount->token_type)) {
		mount_free(mount);
		return NULL;
	}
	random_uuid(mount->uuid);
	random_bytes(id, sizeof(id));
	hex_encode(id, sizeof(id), hex);
	snprintf(mount->accessor, sizeof(mount->accessor), "%s%s_%s", engine->auth ? "auth_" : "", engine->type, hex);
	return mount;
}

/* One line per engine that every store has. */
const struct mount_builtin mount_builtins[] = {
	{ .type = "system",
	    .path = "sys/",
	    .description = "system endpoints used for control, policy and debugging",
	    .passed_header = "Accept",
	    .seal_wrap = true },
	{ .type = "cubbyhole", .path = "cubbyhole/", .description = "per-token private secret storage", .local = true },
	{ .type = "identity", .path = "identity/", .description = "identity store", .passed_header = "Authorization" },
	{ .type = "token", .path = "auth/token/", .description = "token based credentials", .auth = true },
	{ NULL },
};

/* What Vault's table says of such a mount. 0 or -ENOMEM. */
static int set_builtin(struct mount *mount, const struct mount_builtin *builtin)
{
	mount->builtin = true;
	mount->local = builtin->local;
	mount->seal_wrap = builtin->seal_wrap;
	if (builtin->passed_header &&
	    json_object_set_new(mount->config, "passthrough_request_headers", json_pack("[s]", builtin->passed_header)))
		return -ENOMEM;
	return 0;
}

struct mount *mount_new_builtin(const struct mount_builtin *builtin)
{
	struct mount *mount = mount_new(
	    core_engine(builtin->type, builtin->auth), builtin->path, builtin->description, NULL);

	if (mount && set_builtin(mount, builtin) < 0) {
		mount_free(mount);
		return NULL;
	}
	return mount;
}

void mount_ref(struct mount *mount)
{
	mount->refs++;
}

void mount_unref(struct core *core, struct mount *mount)
{
	if (!mount || --mount->refs > 0)
		return;
	if (mount->running && mount->engine->unmounted)
		mount->engine->unmounted(core, mount);
	mount_free(mount);
}

/* --- looking up */

struct mount *core_mount_of(const struct core *core, const char *path)
{
	struct mount *best = NULL;
	size_t best_len = 0, path_len = strlen(path);

	for (size_t i = 0; i < core->n_mounts; i++) {
		struct mount *mount = core->mounts[i];
		size_t len = strlen(mount->path);
		/* "secret" is "secret/" */
		bool below = starts_with(path, mount->path) ||
			     (path_len + 1 == len && strncmp(path, mount->path, path_len) == 0);

		if (below && len > best_len) {
			best = mount;
			best_len = len;
		}
	}
	if (!best && (starts_with(path, core->sys->path)))
		best = core->sys;
	return best;
}

const struct mount *mounts_conflict(const struct core *core, const char *path)
{
	const struct mount *first = NULL;

	for (size_t i = 0; i < core->n_mounts; i++) {
		const struct mount *other = core->mounts[i];
		bool conflict = starts_with(path, other->path) || starts_with(other->path, path);

		if (conflict && (!first || strcmp(other->path, first->path) < 0))
			first = other;
	}
	return first;
}

int mounts_settled(struct call *call)
{
	struct store_blob value;
	int r = call_read(call, &call->core->mounts_key, &value);

	return r == -ENOENT ? 0 : r;
}

/* --- the record */

static json_t *entry_json(const struct mount *mount)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:O?, s:I, s:I, s:s?, s:b, s:O, s:I, s:b, s:b, s:b, s:b}", "path",
	    mount->path, "type", mount->engine->type, "auth", mount->engine->auth, "uuid", mount->uuid, "accessor",
	    mount->accessor, "description", mount->description, "options", mount->options, "default_lease_ttl",
	    (json_int_t)mount->default_lease_ttl, "max_lease_ttl", (json_int_t)mount->max_lease_ttl, "token_type",
	    mount->token_type, "builtin", mount->builtin, "config", mount->config, "moved_at",
	    (json_int_t)mount->moved_at, "local", mount->local, "seal_wrap", mount->seal_wrap,
	    "external_entropy_access", mount->external_entropy_access, "tainted", mount->tainted);
}

static int append_entry(json_t *table, const struct mount *mount)
{
	json_t *entry = entry_json(mount);

	return entry && json_array_append_new(table, entry) == 0 ? 0 : -ENOMEM;
}

int mounts_write_all(struct call *call, struct mount *const *mounts, size_t n)
{
	json_t *table = json_array();
	int r = table ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = append_entry(table, mounts[i]);
	if (r == 0)
		r = core_put(call, MOUNTS_KEY, table);
	json_decref(table);
	return r;
}

int mounts_write(struct call *call, struct mount *old, struct mount *new)
{
	const struct core *core = call->core;
	struct mount **mounts AUTO_FREE = calloc(core->n_mounts + 1, sizeof(struct mount *));
	size_t n = 0;

	if (!mounts)
		return -ENOMEM;
	for (size_t i = 0; i < core->n_mounts; i++) {
		if (core->mounts[i] != old)
			mounts[n++] = core->mounts[i];
		else if (new)
			mounts[n++] = new;
	}
	if (!old)
		mounts[n++] = new;
	return mounts_write_all(call, mounts, n);
}

int mounts_add(struct core *core, struct mount *add)
{
	struct mount **more = reallocarray(core->mounts, core->n_mounts + 1, sizeof(*more));
	int r = more ? 0 : -ENOMEM;

	if (more) {
		core->mounts = more;
		core->vault.logins_changed++;
		core->mounts[core->n_mounts++] = add;
		add->running = true;
		if (add->engine->mounted)
			r = add->engine->mounted(core, add);
	} else {
		mount_unref(core, add);
	}
	return r;
}

void mounts_remove(struct core *core, struct mount *remove)
{
	for (size_t i = 0; i < core->n_mounts; i++) {
		if (core->mounts[i] != remove)
			continue;
		memmove(core->mounts + i, core->mounts + i + 1, (core->n_mounts - i - 1) * sizeof(*core->mounts));
		core->n_mounts--;
		core->vault.logins_changed++;
		mount_unref(core, remove);
		return;
	}
}

void mounts_free(struct core *core)
{
	while (core->n_mounts)
		mounts_remove(core, core->mounts[core->n_mounts - 1]);
	free(core->mounts);
	core->mounts = NULL;
}

/* What an entry of an earlier version lacks, and is then as a new mount's. 0 or -ENOMEM. */
static int load_settings(struct mount *mount, const json_t *entry)
{
	const char *token_type = json_string_value(json_object_get(entry, "token_type"));

	mount->tainted = json_is_true(json_object_get(entry, "tainted"));
	for (const struct mount_builtin *builtin = mount_builtins; mount->builtin && builtin->type; builtin++)
		if (streq(builtin->path, mount->path) && set_builtin(mount, builtin) < 0)
			return -ENOMEM;
	if (json_is_object(json_object_get(entry, "config"))) {
		json_decref(mount->config);
		mount->config = json_incref(json_object_get(entry, "config"));
		mount->moved_at = json_integer_value(json_object_get(entry, "moved_at"));
		mount->local = json_is_true(json_object_get(entry, "local"));
		mount->seal_wrap = json_is_true(json_object_get(entry, "seal_wrap"));
		mount->external_entropy_access = json_is_true(json_object_get(entry, "external_entropy_access"));
	}
	if (!token_type)
		return 0;
	free(mount->token_type);
	mount->token_type = strdup(token_type);
	return mount->token_type ? 0 : -ENOMEM;
}

static int load_entry(struct core *core, const json_t *entry)
{
	const char *path, *type, *uuid, *accessor, *description;
	json_t *options = NULL;
	json_int_t default_ttl, max_ttl;
	const struct engine *engine;
	struct mount *mount;
	int auth, builtin;

	if (json_unpack((json_t *)(uintptr_t)entry, "{s:s, s:s, s:b, s:s, s:s, s:s, s:o, s:I, s:I, s:b}", "path", &path,
		"type", &type, "auth", &auth, "uuid", &uuid, "accessor", &accessor, "description", &description,
		"options", &options, "default_lease_ttl", &default_ttl, "max_lease_ttl", &max_ttl, "builtin",
		&builtin) < 0)
		return -EIO;
	engine = core_engine(type, auth);
	if (!engine) {
		log_error("store: mount %s has type %s, which this k8sauthd does not know", path, type);
		return -EPROTO;
	}
	mount = mount_new(engine, path, description, json_is_object(options) ? options : NULL);
	if (!mount)
		return -ENOMEM;
	snprintf(mount->uuid, sizeof(mount->uuid), "%s", uuid);
	snprintf(mount->accessor, sizeof(mount->accessor), "%s", accessor);
	mount->default_lease_ttl = default_ttl;
	mount->max_lease_ttl = max_ttl;
	mount->builtin = builtin;
	if (load_settings(mount, entry) < 0) {
		mount_unref(core, mount);
		return -ENOMEM;
	}
	return mounts_add(core, mount);
}

int mounts_load(struct call *call)
{
	json_t *table, *entry;
	size_t i;
	int r = core_get(call, MOUNTS_KEY, &table);

	if (r < 0)
		return r;
	json_array_foreach(table, i, entry)
	{
		r = load_entry(call->core, entry);
		if (r < 0)
			break;
	}
	json_decref(table);
	return r;
}

static bool has_mount(const struct core *core, const char *path)
{
	for (size_t i = 0; i < core->n_mounts; i++)
		if (streq(core->mounts[i]->path, path))
			return true;
	return false;
}

int mounts_complete(struct call *call)
{
	struct core *core = call->core;
	bool added = false;

	for (const struct mount_builtin *builtin = mount_builtins; builtin->type; builtin++) {
		struct mount *mount;
		int r;

		if (has_mount(core, builtin->path))
			continue;
		mount = mount_new_builtin(builtin);
		r = mount ? mounts_add(core, mount) : -ENOMEM;
		if (r < 0)
			return r;
		added = true;
	}
	return added ? mounts_write_all(call, core->mounts, core->n_mounts) : 0;
}
