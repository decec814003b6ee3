/* SPDX-License-Identifier: Apache-2.0 */
/* sys/mounts and sys/auth: listing, enabling and disabling engines. */
#include "vault/embedded/leases.h"
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/quota/quota.h"
#include "vault/embedded/token.h"

#define TUNE "/tune"

/* --- which mount is meant */

/* What the path of a request means. */
struct place {
	char *name; /* without "auth/", without a '/' at its end */
	bool auth, tune;
};

static void cleanup_place(struct place *place)
{
	free(place->name);
}

#define AUTO_PLACE CLEANUP(cleanup_place)

/* AUTH: below sys/auth. "auth/kubernetes/tune" below sys/mounts means the auth method: clients tune it there. */
static int find_place(const struct call *call, bool auth, struct place *ret)
{
	const char *path = call_capture(call, "path");
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	ret->auth = auth;
	ret->tune = len > strlen(TUNE) && strncmp(path + len - strlen(TUNE), TUNE, strlen(TUNE)) == 0;
	if (ret->tune) {
		len -= strlen(TUNE);
		if (!auth && starts_with(path, "auth/") && len > strlen("auth/")) {
			ret->auth = true;
			path += strlen("auth/");
			len -= strlen("auth/");
		}
	}
	ret->name = strndup(path, len);
	return ret->name ? 0 : -ENOMEM;
}

/* --- reading */

static int list_mounts(struct call *call, bool auth)
{
	struct mount **mounts AUTO_FREE = sys_mounts_sorted(call->core);
	json_t *data = mounts ? json_object() : NULL;

	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < call->core->n_mounts; i++)
		if (mounts[i]->engine->auth == auth)
			json_object_set_new(data, sys_mount_name(mounts[i]), sys_mount_info(mounts[i], false));
	call->response->data_on_top = true;
	return call_data(call, data);
}

static int read_mount(struct call *call, bool auth)
{
	struct place place AUTO_PLACE = { 0 };
	const struct mount *mount;
	int r = find_place(call, auth, &place);

	if (r < 0)
		return r;
	if (place.tune)
		return sys_tune_read(call, place.name, place.auth);
	mount = sys_mount_of(call->core, place.name, auth);
	if (!mount)
		return call_error(call, 400, "No %s at %s/", auth ? "auth engine" : "secret engine mount", place.name);
	call->response->data_on_top = true;
	return call_data(call, sys_mount_info(mount, false));
}

/* --- enabling */

/* Names that belong to others, or to a later engine; k8sauth/ is our own API (design.md 4). 0, 1 after a refusal. */
static int check_place(struct call *call, const char *path, bool auth)
{
	static const char *const reserved[] = { "sys/", "auth/", "audit/", "cubbyhole/", "identity/", "k8sauth/" };
	const struct mount *other;

	for (size_t i = 0; !auth && i < ARRAY_SIZE(reserved); i++) {
		if (starts_with(path, reserved[i])) {
			call_error(call, 400, "cannot mount \"%s\"", path);
			return 1;
		}
	}
	other = mounts_conflict(call->core, path);
	if (!other)
		return 0;
	call_error(call, 400, "path is already in use at %s", sys_mount_name(other));
	return 1;
}

/* What is mounted: field `type`, or for "plugin" the name given elsewhere. 0, 1 after a refusal, or an errno. */
static int read_type(struct call *call, const json_t *config, const char **ret)
{
	const char *type = "", *name = "";
	int r = call_field_string(call, "type", &type, NULL);

	if (r == 0)
		r = call_field_string(call, "plugin_name", &name, NULL);
	if (r)
		return r;
	if (streq(type, "plugin")) {
		if (!*name)
			name = json_string_value(json_object_get(config, "plugin_name"));
		if (!name || !*name) {
			call_error(call, 400, "plugin_name must be provided for plugin backend");
			return 1;
		}
		type = name;
	}
	*ret = type;
	return 0;
}

/* The engine, and a version that the type itself names. 0, 1 after a refusal, or an errno. */
static int find_engine(
    struct call *call, bool auth, const json_t *config, const struct engine **ret, const char **ret_version)
{
	const char *type = "";
	int r = read_type(call, config, &type);

	if (r)
		return r;
	if (!auth && (streq(type, "kv-v1") || streq(type, "kv-v2"))) {
		*ret_version = type + strlen("kv-v");
		type = "kv";
	}
	*ret = core_engine(type, auth);
	if (!*type)
		call_error(call, 400, "backend type must be specified as a string");
	else if (!auth && (streq(type, "token") || (*ret && !sys_engine_mountable(*ret))))
		call_error(call, 400, "mount type of \"%s\" is not mountable", type);
	else if (auth && streq(type, "token"))
		call_error(call, 400, "token credential backend cannot be instantiated");
	else if (!*ret)
		call_error(call, 400, "plugin not found in the catalog: %s", type);
	else
		return 0;
	return 1;
}

/* The fields of the request, converted before anything else is looked at, as Vault does. */
struct asked {
	json_t *config, *options;
	const char *description;
	bool local, seal_wrap, external_entropy_access;
};

static void cleanup_asked(struct asked *asked)
{
	json_decref(asked->config);
	json_decref(asked->options);
}

/* 0, 1 after a refusal, or an errno. */
static int read_asked(struct call *call, struct asked *asked)
{
	const json_t *options = json_object_get(call->request->data, "options");
	int r = call_field_map(call, "config", &asked->config, NULL);

	asked->description = "";
	if (r == 0)
		r = call_field_string(call, "description", &asked->description, NULL);
	if (r == 0 && !(options && json_is_null(options)))
		r = call_field_pairs(call, "options", &asked->options, NULL);
	if (r == 0 && !options)
		asked->options = json_object();
	if (r == 0)
		r = call_field_bool(call, "local", &asked->local, NULL);
	if (r == 0)
		r = call_field_bool(call, "seal_wrap", &asked->seal_wrap, NULL);
	if (r == 0)
		r = call_field_bool(call, "external_entropy_access", &asked->external_entropy_access, NULL);
	return r;
}

/* The version that the type names counts. 0, 1 after a refusal, or an errno. */
static int set_version(struct call *call, const struct engine *engine, const char *version, struct asked *asked)
{
	if (version) {
		if (!asked->options)
			asked->options = json_object();
		return json_object_set_new(asked->options, "version", json_string(version)) ? -ENOMEM : 0;
	}
	version = json_string_value(json_object_get(asked->options, "version"));
	if (!streq(engine->type, "kv") || !version || !*version || streq(version, "1") || streq(version, "2"))
		return 0;
	call_error(call, 400, "nil backend of type \"kv\" returned from factory");
	return 1;
}

static void after_mount(struct core *core, int r, void *arg)
{
	struct mount *mount = arg;

	if (r < 0)
		mount_unref(core, mount);
	else if (mounts_add(core, mount) < 0)
		log_error("the engine at %s could not be started: restart k8sauthd", mount->path);
}

/* Makes the entry that the request asks for. 0, 1 after a refusal, or an errno. */
static int make_mount(struct call *call, const char *path, bool auth, struct mount **ret)
{
	CLEANUP(cleanup_asked) struct asked asked = { 0 };
	const struct engine *engine;
	const char *version = NULL;
	struct mount *mount;
	int r = read_asked(call, &asked);

	if (r == 0)
		r = find_engine(call, auth, asked.config, &engine, &version);
	if (r == 0)
		r = set_version(call, engine, version, &asked);
	if (r)
		return r;
	mount = mount_new(engine, path, asked.description, asked.options);
	if (!mount)
		return -ENOMEM;
	mount->local = asked.local;
	mount->seal_wrap = asked.seal_wrap;
	mount->external_entropy_access = asked.external_entropy_access;
	r = sys_settings_enable(call, asked.config, mount);
	if (r == 0)
		r = check_place(call, path, auth);
	if (r) {
		mount_unref(call->core, mount);
		return r;
	}
	*ret = mount;
	return 0;
}

static int enable(struct call *call, bool auth)
{
	struct place place AUTO_PLACE = { 0 };
	char *path AUTO_FREE = NULL;
	struct mount *mount = NULL;
	int r = find_place(call, auth, &place);

	if (r < 0)
		return r;
	if (place.tune)
		return sys_tune_write(call, place.name, place.auth);
	if (asprintf(&path, "%s%s/", auth ? "auth/" : "", place.name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = make_mount(call, path, auth, &mount);
	if (r)
		return r < 0 ? r : 0;
	r = mounts_write(call, NULL, mount);
	if (r < 0) {
		mount_unref(call->core, mount);
		return r;
	}
	call_on_commit(call, after_mount, mount);
	return call_done(call);
}

/* --- disabling */

static void after_unmount(struct core *core, int r, void *arg)
{
	if (r == 0)
		mounts_remove(core, arg);
}

static int disable(struct call *call, bool auth)
{
	struct place place AUTO_PLACE = { 0 };
	char data[sizeof(MOUNT_DATA) + sizeof(((struct mount *)NULL)->uuid)];
	struct mount *mount;
	int r = find_place(call, auth, &place);

	if (r < 0)
		return r;
	if (place.tune)
		return call_wrapped_error(call, 405, "unsupported operation");
	mount = sys_mount_at(call->core, place.name, auth);
	if (!auth && !mount && starts_with(place.name, "auth/"))
		return call_error(call, 400, "cannot unmount \"%s/\"", place.name);
	if (!mount)
		return call_done(call);
	if (mount->builtin && auth)
		return call_error(call, 400, "token credential backend cannot be disabled");
	if (mount->builtin)
		return call_error(call, 400, "cannot unmount \"%s\"", mount->path);
	r = auth ? 0 : leases_revoke_mount(call, mount);
	if (r)
		return r < 0 ? r : 0;
	snprintf(data, sizeof(data), MOUNT_DATA, mount->uuid);
	r = mounts_write(call, mount, NULL);
	if (r == 0)
		r = call_delete_tree(call, data);
	if (r == 0)
		r = quotas_forget_mount(call, mount);
	if (r == 0 && auth)
		r = tokens_revoke_mount(call, mount);
	if (r < 0)
		return r;
	call_on_commit(call, after_unmount, mount);
	return call_done(call);
}

/* --- handlers */

int sys_mounts_list(struct call *call)
{
	return list_mounts(call, false);
}

int sys_mounts_read(struct call *call)
{
	return read_mount(call, false);
}

int sys_mounts_write(struct call *call)
{
	return enable(call, false);
}

int sys_mounts_delete(struct call *call)
{
	return disable(call, false);
}

int sys_auth_list(struct call *call)
{
	return list_mounts(call, true);
}

int sys_auth_read(struct call *call)
{
	return read_mount(call, true);
}

int sys_auth_write(struct call *call)
{
	return enable(call, true);
}

int sys_auth_delete(struct call *call)
{
	return disable(call, true);
}
