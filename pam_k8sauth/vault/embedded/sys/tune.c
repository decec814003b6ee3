/* SPDX-License-Identifier: Apache-2.0 */
/* sys/mounts/<path>/tune: a mount's times, description and kind of tokens. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>

#include "base/text.h"

int sys_set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

int sys_config_seconds(
    struct call *call, const json_t *object, const char *name, const char *fault_prefix, int64_t *ret)
{
	const json_t *value = json_object_get(object, name);
	char error[DURATION_ERROR_SIZE], number[32];
	const char *text = number;
	long long ns;

	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value))
		text = json_string_value(value);
	else
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (streq(text, "system"))
		ns = 0;
	else if (duration_parse_ns(text, &ns, error, sizeof(error)) < 0) {
		call_error(call, 400, "%s%s%s%s", fault_prefix ? fault_prefix : "", fault_prefix ? text : "",
		    fault_prefix ? ": " : "", error);
		return 1;
	}
	if (ns < 0) {
		call_error(call, 400, "%s must not be negative", name);
		return 1;
	}
	*ret = ns / 1000000000;
	return 0;
}

int sys_config_token_type(struct call *call, const json_t *object, const char **ret)
{
	static const char *const types[] = { "default-service", "service" };
	const json_t *value = json_object_get(object, "token_type");
	const char *type = json_string_value(value);

	if (!value || json_is_null(value) || (type && !*type))
		return 0;
	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++) {
		if (streq(type, types[i])) {
			*ret = type;
			return 0;
		}
	}
	if (type && (streq(type, "batch") || streq(type, "default-batch")))
		call_error(call, 400, "batch tokens are not supported: token_type must be service or default-service");
	else
		call_error(call, 400, "invalid value for 'token_type'");
	return 1;
}

int sys_tune_read(struct call *call, const char *name, bool auth)
{
	const struct mount *mount = sys_mount_at(call->core, name, auth);
	json_t *data;

	if (!mount)
		return call_error(call, 400, "cannot fetch sysview for path \"%s%s/\"", auth ? "auth/" : "", name);
	data = json_pack("{s:I, s:s, s:b, s:I}", "default_lease_ttl",
	    (json_int_t)(mount->default_lease_ttl ? mount->default_lease_ttl : SYSTEM_LEASE_TTL), "description",
	    mount->description, "force_no_cache", 0, "max_lease_ttl",
	    (json_int_t)(mount->max_lease_ttl ? mount->max_lease_ttl : SYSTEM_LEASE_TTL));
	if (!data)
		return -ENOMEM;
	if (json_object_size(mount->options))
		json_object_set_new(data, "options", json_deep_copy(mount->options));
	if (auth)
		json_object_set_new(data, "token_type", json_string(mount->token_type));
	call->response->data_on_top = true;
	return call_data(call, data);
}

/* The new values, until they are durable. */
struct tuned {
	struct mount *mount; /* referenced */
	struct mount values; /* only description, options, times and token type are its own */
};

static void tuned_free(struct core *core, struct tuned *tuned)
{
	free(tuned->values.description);
	json_decref(tuned->values.options);
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
	}
	if (r == 0 && tuned->values.options != mount->options) {
		json_decref(mount->options);
		mount->options = TAKE_PTR(tuned->values.options);
		if (mount->engine->options_changed)
			mount->engine->options_changed(core, mount);
	}
	tuned_free(core, tuned);
}

static struct tuned *tuned_new(struct mount *mount)
{
	struct tuned *tuned = calloc(1, sizeof(*tuned));

	if (!tuned)
		return NULL;
	mount_ref(mount);
	tuned->mount = mount;
	tuned->values = *mount;
	tuned->values.description = strdup(mount->description);
	json_incref(tuned->values.options);
	tuned->values.token_type = mount->token_type ? strdup(mount->token_type) : NULL;
	return tuned;
}

/* What this version cannot keep is said by name: a silent loss would look like success. 0, 1 after a refusal. */
static int refuse_unsupported(struct call *call)
{
	static const char *const unsupported[] = { "listing_visibility", "passthrough_request_headers",
		"allowed_response_headers", "allowed_managed_keys", "audit_non_hmac_request_keys",
		"audit_non_hmac_response_keys", "user_lockout_config", "plugin_version" };

	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		const json_t *value = json_object_get(call->request->data, unsupported[i]);

		if (json_string_length(value) || json_array_size(value) || json_object_size(value)) {
			call_error(call, 400, "%s is not supported yet", unsupported[i]);
			return 1;
		}
	}
	return 0;
}

/*
 * Field `options`: the version of a KV mount can go up, and nothing else can change. 0, 1 after a refusal, or an errno.
 */
static int read_options(struct call *call, struct mount *mount, struct mount *values)
{
	const json_t *options = json_object_get(call->request->data, "options");
	const char *version = json_string_value(json_object_get(options, "version"));
	const char *is = json_string_value(json_object_get(mount->options, "version"));
	json_t *changed;

	if (!version || (is && streq(version, is)) || (!is && streq(version, "1")))
		return 0;
	if (!streq(mount->engine->type, "kv") || !streq(version, "2")) {
		if (is && streq(is, "2"))
			call_error(call, 400, "cannot downgrade mount from version 2");
		else
			call_error(call, 400, "the version of a mount cannot be changed");
		return 1;
	}
	call_warn(call,
	    "Upgrading mount from version %s to version %s. This mount will be unavailable for a brief period and will "
	    "resume service shortly.",
	    is ? is : "", version);
	changed = mount->options ? json_copy(mount->options) : json_object();
	if (!changed || json_object_set_new(changed, "version", json_string(version))) {
		json_decref(changed);
		return -ENOMEM;
	}
	json_decref(values->options);
	values->options = changed;
	return mount->engine->change_options ? mount->engine->change_options(call, mount, changed) : 0;
}

/* 0, 1 after a refusal, or an errno. */
static int read_values(struct call *call, struct mount *values)
{
	const json_t *data = call->request->data;
	const char *description = values->description, *token_type = NULL;
	int r = sys_config_seconds(call, data, "default_lease_ttl", NULL, &values->default_lease_ttl);

	if (r == 0)
		r = sys_config_seconds(call, data, "max_lease_ttl", NULL, &values->max_lease_ttl);
	if (r == 0)
		r = call_field_string(call, "description", &description, NULL);
	if (r == 0 && values->engine->auth)
		r = sys_config_token_type(call, data, &token_type);
	if (r == 0 && values->max_lease_ttl && values->default_lease_ttl > values->max_lease_ttl) {
		call_error(call, 400,
		    "backend max lease TTL of %lld would be less than backend default lease TTL of %lld",
		    (long long)values->max_lease_ttl, (long long)values->default_lease_ttl);
		r = 1;
	}
	if (r == 0 && description != values->description)
		r = sys_set_text(&values->description, description);
	if (r == 0 && token_type)
		r = sys_set_text(&values->token_type, token_type);
	return r;
}

int sys_tune_write(struct call *call, const char *name, bool auth)
{
	struct mount *mount = sys_mount_at(call->core, name, auth);
	struct tuned *tuned;
	int r;

	if (!mount)
		return call_error(
		    call, 400, "tune of path \"%s%s/\" failed: no mount entry found", auth ? "auth/" : "", name);
	if (mount->builtin && !auth)
		return call_error(call, 400, "cannot tune \"%s\"", mount->path);
	if (refuse_unsupported(call))
		return 0;
	tuned = tuned_new(mount);
	if (!tuned)
		return -ENOMEM;
	r = tuned->values.description ? read_values(call, &tuned->values) : -ENOMEM;
	if (r == 0)
		r = read_options(call, mount, &tuned->values);
	if (r == 0)
		r = mounts_write(call, mount, &tuned->values);
	if (r) {
		tuned_free(call->core, tuned);
		return r < 0 ? r : 0;
	}
	call_on_commit(call, after_tune, tuned);
	return call_done(call);
}
