/* SPDX-License-Identifier: Apache-2.0 */
/* sys/mounts and sys/auth: listing, enabling and disabling engines. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

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
	const struct core *core = call->core;
	json_t *data = json_object();

	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < core->n_mounts; i++)
		if (core->mounts[i]->engine->auth == auth)
			json_object_set_new(
			    data, sys_mount_name(core->mounts[i]), sys_mount_info(core->mounts[i], false));
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
	mount = sys_mount_at(call->core, place.name, auth);
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
	const struct core *core = call->core;

	for (size_t i = 0; !auth && i < ARRAY_SIZE(reserved); i++) {
		if (starts_with(path, reserved[i])) {
			call_error(call, 400, "cannot mount \"%s\"", path);
			return 1;
		}
	}
	for (size_t i = 0; i < core->n_mounts; i++) {
		const struct mount *other = core->mounts[i];

		if (starts_with(path, other->path) || starts_with(other->path, path)) {
			call_error(call, 400, "path is already in use at %s", sys_mount_name(other));
			return 1;
		}
	}
	return 0;
}

/* The engine of field `type`, and a version that the type itself names. 0, 1 after a refusal, or an errno. */
static int find_engine(struct call *call, bool auth, const struct engine **ret, const char **ret_version)
{
	const char *type = "";
	int r = call_field_string(call, "type", &type, NULL);

	if (r)
		return r;
	if (!auth && (streq(type, "kv-v1") || streq(type, "kv-v2"))) {
		*ret_version = type + strlen("kv-v");
		type = "kv";
	}
	*ret = core_engine(type, auth);
	if (!*type)
		call_error(call, 400, "backend type must be specified as a string");
	else if (!auth && (streq(type, "system") || streq(type, "cubbyhole") || streq(type, "identity")))
		call_error(call, 400, "mount type of \"%s\" is not mountable", type);
	else if (auth && streq(type, "token"))
		call_error(call, 400, "token credential backend cannot be instantiated");
	else if (!*ret)
		call_error(call, 400, "plugin not found in the catalog: %s", type);
	else
		return 0;
	return 1;
}

/* A map field as an object of strings (an empty one where it is absent). 0, 1 after a refusal, or an errno. */
static int strings_map(struct call *call, const char *name, json_t **ret)
{
	const json_t *field = json_object_get(call->request->data, name);
	json_t *map = json_object();

	if (!map)
		return -ENOMEM;
	if (field && !json_is_object(field) && !json_is_null(field)) {
		json_decref(map);
		call_error(call, 400,
		    "Field validation failed: error converting input for field \"%s\": a map of names to texts is "
		    "needed",
		    name);
		return 1;
	}
	for (void *iter = json_object_iter((json_t *)(uintptr_t)field); iter;
	     iter = json_object_iter_next((json_t *)(uintptr_t)field, iter)) {
		json_t *value = json_object_iter_value(iter);
		char number[32];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		json_object_set_new(
		    map, json_object_iter_key(iter), json_is_integer(value) ? json_string(number) : json_incref(value));
	}
	*ret = map;
	return 0;
}

/* The options with the version; NULL where they were sent as null. 0, 1 after a refusal, or an errno. */
static int mount_options(struct call *call, const struct engine *engine, const char *version, json_t **ret)
{
	json_t *options;
	int r = strings_map(call, "options", &options);

	if (r)
		return r;
	if (json_is_null(json_object_get(call->request->data, "options")) && !version && engine->auth) {
		json_decref(options);
		*ret = NULL;
		return 0;
	}
	if (version && json_object_set_new(options, "version", json_string(version))) {
		json_decref(options);
		return -ENOMEM;
	}
	if (streq(engine->type, "kv")) {
		version = json_string_value(json_object_get(options, "version"));
		if (version && *version && !streq(version, "1") && !streq(version, "2")) {
			call_error(call, 400, "nil backend of type \"kv\" returned from factory");
			json_decref(options);
			return 1;
		}
	}
	*ret = options;
	return 0;
}

/* Field `config`. 0, 1 after a refusal, or an errno. */
static int mount_config(struct call *call, struct mount *mount)
{
	const json_t *config = json_object_get(call->request->data, "config");
	int64_t default_ttl = 0, max_ttl = 0;
	const char *token_type = NULL;
	int r = 0;

	if (config && !json_is_object(config) && !json_is_null(config)) {
		call_error(call, 400,
		    "Field validation failed: error converting input for field \"config\": '' expected a map, got '%s'",
		    json_is_boolean(config) ? "bool" : "string");
		return 1;
	}
	r = sys_config_seconds(call, config, "default_lease_ttl", "unable to parse default TTL of ", &default_ttl);
	if (r == 0)
		r = sys_config_seconds(call, config, "max_lease_ttl", "unable to parse max TTL of ", &max_ttl);
	if (r == 0 && mount->engine->auth)
		r = sys_config_token_type(call, config, &token_type);
	if (r)
		return r;
	if (max_ttl && default_ttl > max_ttl)
		call_error(call, 400, "given default lease TTL greater than given max lease TTL");
	else if (!max_ttl && default_ttl > SYSTEM_LEASE_TTL)
		call_error(
		    call, 400, "given default lease TTL greater than system max lease TTL of %d", SYSTEM_LEASE_TTL);
	else {
		mount->default_lease_ttl = default_ttl;
		mount->max_lease_ttl = max_ttl;
		return token_type ? sys_set_text(&mount->token_type, token_type) : 0;
	}
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
	const struct engine *engine;
	const char *version = NULL, *description = "";
	json_t *options;
	struct mount *mount;
	int r = find_engine(call, auth, &engine, &version);

	if (r == 0)
		r = call_field_string(call, "description", &description, NULL);
	if (r == 0)
		r = check_place(call, path, auth);
	if (r == 0)
		r = mount_options(call, engine, version, &options);
	if (r)
		return r;
	mount = mount_new(engine, path, description, options);
	json_decref(options);
	if (!mount)
		return -ENOMEM;
	r = mount_config(call, mount);
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
	struct mount *mount;
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
	snprintf(data, sizeof(data), MOUNT_DATA, mount->uuid);
	r = mounts_write(call, mount, NULL);
	if (r == 0)
		r = call_delete_tree(call, data);
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
