/* SPDX-License-Identifier: Apache-2.0 */
/* sys/plugins/catalog: the engines that can be mounted, as `vault plugin list` and `info` ask for them. All are built
 * in. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>

#include "base/text.h"

static const char *kind_of(const struct engine *engine)
{
	return engine->auth ? "auth" : "secret";
}

static json_t *names_of(const char *kind)
{
	json_t *names = json_array();

	for (size_t i = 0; names && core_engines[i]; i++)
		if (sys_engine_mountable(core_engines[i]) && streq(kind_of(core_engines[i]), kind))
			json_array_append_new(names, json_string(core_engines[i]->type));
	return names;
}

static json_t *detail_of(const struct engine *engine)
{
	return json_pack("{s:b, s:s, s:s, s:s, s:s}", "builtin", 1, "deprecation_status", "supported", "name",
	    engine->type, "type", kind_of(engine), "version", SYS_PLUGIN_VERSION);
}

int sys_plugins_list_all(struct call *call)
{
	json_t *detailed = json_array();

	for (size_t i = 0; detailed && core_engines[i]; i++)
		if (sys_engine_mountable(core_engines[i]))
			json_array_append_new(detailed, detail_of(core_engines[i]));
	return call_data(call, json_pack("{s:o, s:[], s:o, s:o}", "auth", names_of("auth"), "database", "detailed",
				   detailed, "secret", names_of("secret")));
}

int sys_plugins_list(struct call *call)
{
	/* "plugins/catalog/auth/" */
	const char *kind = strchr(strchr(call->rest, '/') + 1, '/') + 1;
	char *bare AUTO_FREE = strndup(kind, strcspn(kind, "/"));

	return bare ? call_data(call, json_pack("{s:o}", "keys", names_of(bare))) : -ENOMEM;
}

int sys_plugins_read(struct call *call)
{
	const char *path = call_capture(call, "name"), *name = strchr(path, '/'), *version = "";
	bool auth = starts_with(path, "auth/");
	const struct engine *engine = name ? core_engine(name + 1, auth) : NULL;
	int r = call_field_string(call, "version", &version, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (!auth && !starts_with(path, "secret/") && !starts_with(path, "database/")) {
		/* an older form, without the kind */
		call_warn(
		    call, "Deprecated API endpoint, cannot read plugin information from catalog for \"%s\"", path);
		return call_done(call);
	}
	if (!engine || !sys_engine_mountable(engine) || starts_with(path, "database/") ||
	    (*version && !streq(version, SYS_PLUGIN_VERSION)))
		return call_data(call, NULL);
	return call_data(call,
	    json_pack("{s:n, s:b, s:s, s:s, s:s, s:s, s:s}", "args", "builtin", 1, "command", "", "deprecation_status",
		"supported", "name", engine->type, "sha256", "", "version", SYS_PLUGIN_VERSION));
}

int sys_plugins_pins(struct call *call)
{
	return call_data(call, json_pack("{s:[]}", "pinned_versions"));
}

int sys_plugins_runtimes(struct call *call)
{
	return call_data(call, json_pack("{s:[]}", "runtimes"));
}
