/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a mount besides its times: given as `config` when it is enabled, changed by tune, shown by both. Most
 * have no effect here (nothing to wrap, no headers to pass on) and are kept for the clients that set and compare them.
 */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/go_text.h"

#define NUMBER_MAX     64		/* bytes */
#define FORCE_NO_CACHE "force_no_cache" /* shown even where it is not set: sys_force_no_cache */

#define HIDDEN_IN_TUNE	1u
#define HIDDEN_IN_TABLE 2u

static const struct setting {
	const char *name;
	enum field_type type;
	bool auth;	 /* auth methods take it too when enabled */
	unsigned hidden; /* where it is not shown */
} settings[] = {
	{ "allowed_managed_keys", FIELD_STRINGS, .auth = true },
	{ "allowed_response_headers", FIELD_STRINGS, .auth = true },
	{ "audit_non_hmac_request_keys", FIELD_STRINGS, .auth = true },
	{ "audit_non_hmac_response_keys", FIELD_STRINGS, .auth = true },
	{ "delegated_auth_accessors", FIELD_STRINGS, .hidden = HIDDEN_IN_TUNE },
	{ FORCE_NO_CACHE, FIELD_BOOL, .hidden = HIDDEN_IN_TUNE | HIDDEN_IN_TABLE },
	{ "identity_token_key", FIELD_STRING, .auth = true },
	{ "listing_visibility", FIELD_STRING, .auth = true },
	{ "passthrough_request_headers", FIELD_STRINGS, .auth = true },
	{ "trim_request_trailing_slashes", FIELD_BOOL, .auth = true },
};

bool sys_force_no_cache(const struct mount *mount)
{
	return json_is_true(json_object_get(mount->config, FORCE_NO_CACHE));
}

int sys_settings_show(const struct mount *mount, bool tune, json_t *info)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(settings); i++) {
		const struct setting *setting = &settings[i];
		json_t *value = json_object_get(mount->config, setting->name);

		if (value && !(setting->hidden & (tune ? HIDDEN_IN_TUNE : HIDDEN_IN_TABLE)))
			r = json_object_set_new(info, setting->name, json_deep_copy(value));
	}
	return r ? -ENOMEM : 0;
}

/* Keeps VALUE (taken over), or nothing where it is empty. 0 or -ENOMEM. */
static int keep(json_t *config, const char *name, json_t *value)
{
	if (!value)
		return -ENOMEM;
	if (json_is_true(value) || json_array_size(value) || json_string_length(value))
		return json_object_set_new(config, name, value) ? -ENOMEM : 0;
	json_decref(value);
	json_object_del(config, name);
	return 0;
}

/* 0 or 1 after a refusal. */
static int check(struct call *call, const json_t *config)
{
	const char *visibility = json_string_value(json_object_get(config, "listing_visibility"));
	const char *key = json_string_value(json_object_get(config, "identity_token_key"));

	if (visibility && !streq(visibility, "unauth") && !streq(visibility, "hidden"))
		call_error(call, 400, "invalid listing_visibility %s", visibility);
	else if (key && !streq(key, "default"))
		call_error(call, 400, "key \"%s\" does not exist", key);
	else
		return 0;
	return 1;
}

/* --- tune */

/* A field of the request as it is kept; *RET NULL where it was not sent. 0, 1 after a refusal, or an errno. */
static int read_field(struct call *call, const struct setting *setting, json_t **ret)
{
	const char *text = "";
	bool set, flag = false;
	int r;

	if (setting->type == FIELD_STRINGS)
		return call_field_strings(call, setting->name, ret, NULL);
	if (setting->type == FIELD_BOOL)
		r = call_field_bool(call, setting->name, &flag, &set);
	else
		r = call_field_string(call, setting->name, &text, &set);
	if (r || !set)
		return r;
	*ret = setting->type == FIELD_BOOL ? json_boolean(flag) : json_string(text);
	return *ret ? 0 : -ENOMEM;
}

int sys_settings_tune(struct call *call, json_t *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		json_t *value = NULL;
		int r;

		if (streq(settings[i].name, FORCE_NO_CACHE))
			continue; /* only when enabled */
		r = read_field(call, &settings[i], &value);
		if (r == 0 && value)
			r = keep(config, settings[i].name, value);
		if (r)
			return r;
	}
	return check(call, config);
}

/* --- enabling: members of `config`, which Vault converts more strictly than fields */

/* A text or number; "" for none. NULL where it has another type, or without memory. */
static char *text_of(const json_t *value)
{
	struct buf text AUTO_BUF = BUF_MAX(NUMBER_MAX);

	if (!value || json_is_null(value))
		return strdup("");
	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (!json_is_number(value))
		return NULL;
	go_value(&text, value);
	return buf_take(&text);
}

static char *member_text(const json_t *config, const char *name)
{
	return text_of(json_object_get(config, name));
}

/* A list of texts and numbers or, with SPLIT, one text with commas. NULL as above. */
static json_t *strings_of(const json_t *value, bool split)
{
	json_t *list = json_array();
	bool good = json_is_array(value);

	if (json_is_string(value) && split)
		good = call_split_strings(list, json_string_value(value)) == 0;
	for (size_t i = 0; good && i < json_array_size(value); i++) {
		char *text AUTO_FREE = text_of(json_array_get(value, i));

		good = text && json_array_append_new(list, json_string(text)) == 0;
	}
	if (good)
		return list;
	json_decref(list);
	return NULL;
}

/* The member as it is kept; NULL where it cannot be converted. */
static json_t *member_value(const json_t *config, const struct setting *setting)
{
	const json_t *value = json_object_get(config, setting->name);
	char *text AUTO_FREE = NULL;

	if (setting->type == FIELD_STRINGS)
		/* Vault gave the newest of them no conversion from one text. */
		return strings_of(value, !streq(setting->name, "delegated_auth_accessors"));
	if (setting->type == FIELD_BOOL)
		return json_is_boolean(value) ? json_boolean(json_is_true(value)) : NULL;
	text = member_text(config, setting->name);
	return text ? json_string(text) : NULL;
}

static int cannot_convert(struct call *call, bool auth)
{
	call_error(call, 400, "unable to convert given %s config information", auth ? "auth" : "mount");
	return 1;
}

/* 0, 1 after a refusal, or an errno. */
static int take_members(struct call *call, const json_t *given, bool auth, json_t *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const json_t *value = json_object_get(given, settings[i].name);
		json_t *kept;
		int r;

		if (!value || json_is_null(value) || (auth && !settings[i].auth))
			continue;
		kept = member_value(given, &settings[i]);
		if (!kept)
			return cannot_convert(call, auth);
		r = keep(config, settings[i].name, kept);
		if (r < 0)
			return r;
	}
	if (json_object_size(json_object_get(given, "user_lockout_config")))
		return cannot_convert(call, auth);
	return check(call, config);
}

/* --- the version of the plugin */

/* Whether TEXT begins like a version ("1", "v1.2", "1.2.3-rc1"); RET is it with three numbers. */
static bool is_version(const char *text, char *ret, size_t size)
{
	unsigned parts[3] = { 0 };
	int n = 0, used = 0;

	text += *text == 'v';
	for (int i = 0; i < 3 && *text >= '0' && *text <= '9'; i++, n++) {
		if (sscanf(text, "%9u%n", &parts[i], &used) != 1)
			return false;
		text += used;
		if (*text != '.' || i == 2)
			break;
		text++;
	}
	if (!used || (*text && *text != '-' && *text != '+'))
		return false;
	snprintf(ret, size, "v%u.%u.%u%s", parts[0], parts[1], parts[2], text);
	return true;
}

int sys_refuse_version(struct call *call, const char *version, const struct engine *engine, bool tune)
{
	char whole[128];

	if (streq(version, SYS_PLUGIN_VERSION) && sys_engine_mountable(engine))
		return 0;
	if (!is_version(version, whole, sizeof(whole)))
		call_error(call, 400, "version \"%s\" is not a valid semantic version: Malformed version: %s", version,
		    version);
	else if (engine->auth || tune)
		call_error(call, 400, "plugin not found in the catalog: %s, version=%s", engine->type, whole);
	else
		call_error(call, 400, "cannot select non-builtin version of secrets plugin %s", engine->type);
	return 1;
}

const char *sys_plugin_version(const struct mount *mount)
{
	const char *version = json_string_value(json_object_get(mount->config, "plugin_version"));

	return version ? version : "";
}

/* 0 or 1 after a refusal. */
static int check_version(struct call *call, const json_t *given, const struct engine *engine)
{
	char *version AUTO_FREE = member_text(given, "plugin_version");

	if (!version)
		return cannot_convert(call, engine->auth);
	return *version ? sys_refuse_version(call, version, engine, false) : 0;
}

/* --- all of `config` */

/* A duration; *RET stays where there is none. 0, 1 after a refusal. */
static int member_seconds(
    struct call *call, const json_t *given, const char *name, const char *what, bool auth, int64_t *ret)
{
	char *text AUTO_FREE = member_text(given, name);
	struct buf prefix AUTO_BUF = { 0 };

	if (!text)
		return cannot_convert(call, auth);
	buf_printf(&prefix, "unable to parse %s TTL of %s: ", what, text);
	return sys_parse_ttl(call, name, text, prefix.failed ? "" : prefix.data, ret);
}

int sys_settings_enable(struct call *call, const json_t *given, struct mount *mount)
{
	bool auth = mount->engine->auth;
	char *token_type AUTO_FREE = auth ? member_text(given, "token_type") : strdup("");
	int64_t default_ttl = 0, max_ttl = 0;
	int r = token_type ? 0 : cannot_convert(call, auth);

	if (r == 0)
		r = member_seconds(call, given, "default_lease_ttl", "default", auth, &default_ttl);
	if (r == 0)
		r = member_seconds(call, given, "max_lease_ttl", "max", auth, &max_ttl);
	if (r == 0)
		r = take_members(call, given, auth, mount->config);
	if (r == 0)
		r = check_version(call, given, mount->engine);
	if (r == 0 && *token_type)
		r = sys_set_token_type(call, token_type, &mount->token_type);
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
		return 0;
	}
	return 1;
}
