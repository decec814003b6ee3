/* SPDX-License-Identifier: Apache-2.0 */
/* sys/mounts/<path>/tune: a mount's times, description, options and other settings. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/go_text.h"

int sys_set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

int sys_parse_ttl(struct call *call, const char *name, const char *text, const char *fault_prefix, int64_t *ret)
{
	char error[DURATION_ERROR_SIZE];
	long long ns = 0;

	if (!*text)
		return 0;
	if (!streq(text, "system") && duration_parse_ns(text, &ns, error, sizeof(error)) < 0)
		call_error(call, 400, "%s%s", fault_prefix, error);
	else if (ns < 0)
		call_error(call, 400, "%s must not be negative", name);
	else {
		*ret = ns / 1000000000;
		return 0;
	}
	return 1;
}

int sys_set_token_type(struct call *call, const char *type, char **ret)
{
	static const char *const types[] = { "default-service", "service", "default-batch", "batch" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(type, types[i]))
			return sys_set_text(ret, type);
	call_error(call, 400, "invalid value for 'token_type'");
	return 1;
}

static int64_t effective(int64_t ttl)
{
	return ttl ? ttl : SYSTEM_LEASE_TTL;
}

int sys_tune_read(struct call *call, const char *name, bool auth)
{
	const struct mount *mount = sys_mount_of(call->core, name, auth);
	json_t *data;

	if (!mount)
		return call_error(call, 400, "cannot fetch sysview for path \"%s%s/\"", auth ? "auth/" : "", name);
	data = json_pack("{s:I, s:s, s:b, s:I}", "default_lease_ttl", (json_int_t)effective(mount->default_lease_ttl),
	    "description", mount->description, "force_no_cache", sys_force_no_cache(mount), "max_lease_ttl",
	    (json_int_t)effective(mount->max_lease_ttl));
	if (!data || sys_settings_show(mount, true, data) < 0)
		return -ENOMEM;
	if (*sys_plugin_version(mount))
		json_object_set_new(data, "plugin_version", json_string(sys_plugin_version(mount)));
	if (mount->external_entropy_access)
		json_object_set_new(data, "external_entropy_access", json_true());
	if (json_object_size(mount->options))
		json_object_set_new(data, "options", json_deep_copy(mount->options));
	if (mount->token_type)
		json_object_set_new(data, "token_type", json_string(mount->token_type));
	call->response->data_on_top = true;
	return call_data(call, data);
}

/* The new values, until they are durable. */
struct tuned {
	struct mount *mount; /* referenced */
	struct mount values; /* only description, options, settings, times and token type are its own */
};

static void tuned_free(struct core *core, struct tuned *tuned)
{
	free(tuned->values.description);
	json_decref(tuned->values.options);
	json_decref(tuned->values.config);
	free(tuned->values.token_type);
	mount_unref(core, tuned->mount);
	free(tuned);
}

static void after_tune(struct core *core, int r, void *arg)
{
	struct tuned *tuned = arg;
	struct mount *mount = tuned->mount;

	if (r == 0) {
		mount->default_lease_ttl = tuned->values.default_lease_ttl;
		mount->max_lease_ttl = tuned->values.max_lease_ttl;
		free(mount->description);
		mount->description = TAKE_PTR(tuned->values.description);
		free(mount->token_type);
		mount->token_type = TAKE_PTR(tuned->values.token_type);
		json_decref(mount->config);
		mount->config = TAKE_PTR(tuned->values.config);
	}
	if (r == 0 && tuned->values.options != mount->options) {
		json_decref(mount->options);
		mount->options = TAKE_PTR(tuned->values.options);
		if (mount->engine->options_changed)
			mount->engine->options_changed(core, mount);
	}
	tuned_free(core, tuned);
}

static struct tuned *tuned_new(struct core *core, struct mount *mount)
{
	struct tuned *tuned = calloc(1, sizeof(*tuned));

	if (!tuned)
		return NULL;
	mount_ref(mount);
	tuned->mount = mount;
	tuned->values = *mount;
	tuned->values.description = strdup(mount->description);
	tuned->values.config = json_deep_copy(mount->config);
	json_incref(tuned->values.options);
	tuned->values.token_type = mount->token_type ? strdup(mount->token_type) : NULL;
	if (tuned->values.description && tuned->values.config && (tuned->values.token_type || !mount->token_type))
		return tuned;
	tuned_free(core, tuned);
	return NULL;
}

/* --- options */

/* As Go's ParseInt: 0, -EINVAL or -ERANGE. "" and NULL are 0. */
static int parse_version(const char *text, long *ret)
{
	const char *digits = text ? text + (*text == '-' || *text == '+') : "";

	*ret = 0;
	if (!text || !*text)
		return 0;
	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return -EINVAL;
	errno = 0;
	*ret = strtol(text, NULL, 10);
	return errno ? -ERANGE : 0;
}

/* 0, or 1 after a refusal. */
static int version_of(struct call *call, const char *text, long *ret)
{
	struct buf quoted AUTO_BUF = BUF_MAX(4096);
	int r = parse_version(text, ret);

	if (r == 0)
		return 0;
	go_quote(&quoted, text);
	call_error(call, 400, "unable to parse options: strconv.ParseInt: parsing %s: %s",
	    quoted.failed ? "it" : quoted.data, r == -ERANGE ? "value out of range" : "invalid syntax");
	return 1;
}

/* The version of a KV mount can go up, and nothing else. 0 or 1 after a refusal. */
static int check_version(struct call *call, const struct mount *mount, const char *wanted)
{
	long is, version;

	if (version_of(call, json_string_value(json_object_get(mount->options, "version")), &is) ||
	    version_of(call, wanted, &version))
		return 1;
	if (version != 1 && version != 2)
		call_error(call, 400, "invalid version provided: %ld", version);
	else if (version < is)
		call_error(call, 400, "cannot downgrade mount from version %ld", is);
	else {
		if (version > is)
			call_warn(call,
			    "Upgrading mount from version %ld to version %ld. This mount will be unavailable for a "
			    "brief period and will resume service shortly.",
			    is, version);
		return 0;
	}
	return 1;
}

/* Field `options`: each one changes, those that are "" go. 0, 1 after a refusal, or an errno. */
static int read_options(struct call *call, struct mount *mount, struct mount *values)
{
	const char *wanted, *name;
	json_auto_t *options = NULL;
	json_t *changed, *value;
	int r = call_field_pairs(call, "options", &options, NULL);

	if (r || !json_object_size(options))
		return r;
	wanted = json_string_value(json_object_get(options, "version"));
	if (wanted && streq(mount->engine->type, "kv") && check_version(call, mount, wanted))
		return 1;
	changed = mount->options ? json_copy(mount->options) : json_object();
	if (!changed)
		return -ENOMEM;
	json_object_foreach(options, name, value)
	{
		if (!json_string_length(value))
			json_object_del(changed, name);
		else if (json_object_set(changed, name, value))
			r = -ENOMEM;
	}
	json_decref(values->options);
	values->options = changed;
	return r == 0 && mount->engine->change_options ? mount->engine->change_options(call, mount, changed) : r;
}

/* --- what can hardly be set here. Each: 0, 1 after a refusal, or an errno */

/* Vault's engines with passwords have it; none is here. */
static int refuse_lockout(struct call *call, const struct mount *mount)
{
	static const char *const texts[] = { "lockout_threshold", "lockout_duration",
		"lockout_counter_reset_duration" };
	json_auto_t *lockout = NULL;
	int r = call_field_map(call, "user_lockout_config", &lockout, NULL);
	const json_t *disable = json_object_get(lockout, "lockout_disable");
	bool convertible = !disable || json_is_null(disable) || json_is_boolean(disable);

	if (r || !json_object_size(lockout))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const json_t *value = json_object_get(lockout, texts[i]);

		if (json_is_boolean(value) || json_is_array(value) || json_is_object(value))
			convertible = false;
	}
	if (!convertible)
		call_error(call, 400, "unable to convert given user lockout config information");
	else
		call_error(call, 400, "tuning of user lockout configuration for auth type \"%s\" not allowed",
		    mount->engine->type);
	return 1;
}

/* Only the version that runs can be asked for, which is then shown. */
static int read_plugin_version(struct call *call, const struct mount *mount, json_t *config)
{
	const char *version = "";
	bool set;
	int r = call_field_string(call, "plugin_version", &version, &set);

	if (r || !set)
		return r;
	if (sys_refuse_version(call, version, mount->engine, true))
		return 1;
	return json_object_set_new(config, "plugin_version", json_string(version)) ? -ENOMEM : 0;
}

/* --- tune */

/* 0, 1 after a refusal, or an errno. */
static int read_ttls(struct call *call, struct mount *values)
{
	static const char *const names[] = { "default_lease_ttl", "max_lease_ttl" };
	int64_t *const ttls[] = { &values->default_lease_ttl, &values->max_lease_ttl };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = "";
		int r = call_field_string(call, names[i], &text, NULL);

		if (r == 0)
			r = sys_parse_ttl(call, names[i], text, "", ttls[i]);
		if (r)
			return r;
	}
	if (!values->max_lease_ttl || values->default_lease_ttl <= values->max_lease_ttl)
		return 0;
	call_error(call, 400, "backend max lease TTL of %lld would be less than backend default lease TTL of %lld",
	    (long long)values->max_lease_ttl, (long long)values->default_lease_ttl);
	return 1;
}

/* 0, 1 after a refusal, or an errno. */
static int read_token_type(struct call *call, struct mount *values)
{
	const char *type = "";
	bool set;
	int r = call_field_string(call, "token_type", &type, &set);

	if (r || !set)
		return r;
	if (!values->engine->auth)
		call_error(call, 400, "'token_type' can only be modified on auth mounts");
	else if (streq(values->engine->type, "token"))
		call_error(call, 400, "'token_type' cannot be set for 'token' or 'ns_token' auth mounts");
	else
		return sys_set_token_type(call, *type ? type : "default-service", &values->token_type);
	return 1;
}

/* 0, 1 after a refusal, or an errno. */
static int read_values(struct call *call, struct mount *mount, struct mount *values)
{
	const char *description = values->description;
	int r = refuse_lockout(call, mount);

	if (r == 0)
		r = read_ttls(call, values);
	if (r == 0)
		r = call_field_string(call, "description", &description, NULL);
	if (r == 0 && description != values->description)
		r = sys_set_text(&values->description, description);
	if (r == 0)
		r = sys_settings_tune(call, values->config);
	if (r == 0)
		r = read_token_type(call, values);
	if (r == 0)
		r = read_plugin_version(call, mount, values->config);
	return r ? r : read_options(call, mount, values);
}

int sys_tune_write(struct call *call, const char *name, bool auth)
{
	/* The router took it for a mount's path, which has more fields. */
	static const struct engine_path path = { .pattern = "mounts/{path...}/tune", .fields = sys_tune_fields };
	static const char *const fixed[] = { "sys", "cubbyhole", "audit" };
	struct mount *mount = sys_mount_of(call->core, name, auth);
	struct tuned *tuned;
	int r;

	for (size_t i = 0; !auth && i < ARRAY_SIZE(fixed); i++) {
		const char *below = starts_with(name, fixed[i]) ? name + strlen(fixed[i]) : "-";

		if (!*below || *below == '/')
			return call_error(call, 400, "cannot tune \"%s/\"", name);
	}
	call->path = &path;
	if (!mount)
		return call_error(
		    call, 400, "tune of path \"%s%s/\" failed: no mount entry found", auth ? "auth/" : "", name);
	tuned = tuned_new(call->core, mount);
	if (!tuned)
		return -ENOMEM;
	r = read_values(call, mount, &tuned->values);
	if (r == 0)
		r = mounts_write(call, mount, &tuned->values);
	if (r) {
		tuned_free(call->core, tuned);
		return r < 0 ? r : 0;
	}
	call_on_commit(call, after_tune, tuned);
	return call_done(call);
}
