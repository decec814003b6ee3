/* SPDX-License-Identifier: Apache-2.0 */
/* sys/quotas: rules and configuration (texts and forms of Vault 1.21.4). */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/quota/quota_internal.h"

#define SECONDS_MAX 1000000000

/* --- what a rule says */

struct wish {
	double rate;
	int64_t interval, block;
	const char *role, *group_by;
	bool inheritable, inheritable_set;
	double secondary_rate;
	char *path; /* without '/' at its beginning, nor at its end but for a mount */
};

static void cleanup_wish(struct wish *wish)
{
	free(wish->path);
}

#define AUTO_WISH CLEANUP(cleanup_wish)

/* 0, 1 after a refusal, or an errno. */
static int read_wish(struct call *call, struct wish *wish, const char **ret_path)
{
	int r = call_field_float(call, "rate", &wish->rate, NULL);

	if (r == 0)
		r = call_field_seconds(call, "interval", &wish->interval, NULL);
	if (r == 0)
		r = call_field_seconds(call, "block_interval", &wish->block, NULL);
	if (r == 0)
		r = call_field_string(call, "role", &wish->role, NULL);
	if (r == 0)
		r = call_field_string(call, "group_by", &wish->group_by, NULL);
	if (r == 0)
		r = call_field_bool(call, "inheritable", &wish->inheritable, &wish->inheritable_set);
	if (r == 0)
		r = call_field_float(call, "secondary_rate", &wish->secondary_rate, NULL);
	if (r == 0)
		r = call_field_string(call, "path", ret_path, NULL);
	return r;
}

/* 0, or 1 after the refusal of a grouping that the community edition has not. */
static int check_grouping(struct call *call, const struct wish *wish)
{
	static const char *const enterprise[] = { "none", "entity_then_ip", "entity_then_none" };

	for (size_t i = 0; i < ARRAY_SIZE(enterprise); i++) {
		if (!streq(wish->group_by, enterprise[i]))
			continue;
		call_error(call, 400, "grouping mode \"%s\" is only available in Vault Enterprise", wish->group_by);
		return 1;
	}
	if (!*wish->group_by || streq(wish->group_by, "ip"))
		return 0;
	call_error(call, 400, "invalid grouping mode \"%s\"", wish->group_by);
	return 1;
}

/* Refuses what cannot be. 0 or 1. */
static int check_wish(struct call *call, struct wish *wish)
{
	if (check_grouping(call, wish))
		return 1;
	/* Neither NaN nor infinity. */
	if (!(wish->rate > 0) || !isfinite(wish->rate)) {
		call_error(call, 400, "'rate' is invalid");
		return 1;
	}
	if (wish->secondary_rate < 0 || wish->secondary_rate > 0) {
		call_error(call, 400, "secondary rate is only valid when using entity-based grouping");
		return 1;
	}
	if (wish->interval > SECONDS_MAX || wish->block > SECONDS_MAX) {
		call_error(call, 400, "interval and block_interval have at most %d seconds", SECONDS_MAX);
		return 1;
	}
	if (wish->interval == 0)
		wish->interval = 1;
	return 0;
}

/* Sets wish->path. 0, 1 after a refusal, or -ENOMEM. */
static int place_wish(struct call *call, struct wish *wish, const char *path)
{
	const struct mount *mount;
	size_t len;

	path += strspn(path, "/");
	len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	if (asprintf(&wish->path, "%.*s%s", (int)len, path, len ? "/" : "") < 0) {
		wish->path = NULL;
		return -ENOMEM;
	}
	mount = len ? core_mount_of(call->core, wish->path) : NULL;
	if (len && (!mount || len > PATH_LEN_MAX || !path_is_printable(wish->path))) {
		call_error(call, 400, "invalid mount path \"%.*s\"", PATH_LEN_MAX, wish->path);
		return 1;
	}
	if (mount && strlen(mount->path) != len + 1)
		wish->path[len] = '\0'; /* a path below the mount */
	return 0;
}

/* 0 or 1 after a refusal. */
static int check_role(struct call *call, const struct wish *wish)
{
	const struct mount *mount = *wish->path ? core_mount_of(call->core, wish->path) : NULL;

	if (!*wish->role)
		return 0;
	if (mount && !ends_with(wish->path, "/"))
		call_error(call, 400,
		    "Quotas cannot contain both a path suffix and a role. If a role is provided, path must be a valid "
		    "auth mount with a concept of roles");
	else if (!mount || !mount->engine->auth)
		call_error(call, 400,
		    "Mount path \"%s\" is not a valid auth method and therefore unsuitable for use with role-based "
		    "quotas",
		    wish->path);
	else if (!mount->engine->login_role)
		call_error(call, 400, "Mount path \"%s\" does not support use with role-based quotas", wish->path);
	else
		return 0;
	return 1;
}

static int check_inheritable(struct call *call, const struct wish *wish)
{
	if (!wish->inheritable_set || wish->inheritable == !*wish->path)
		return 0;
	call_error(call, 400,
	    *wish->path ? "only namespace quotas can be configured as inheritable"
			: "all global quotas must be inheritable");
	return 1;
}

static const char *member(const json_t *rule, const char *name)
{
	const char *text = json_string_value(json_object_get(rule, name));

	return text ? text : "";
}

/* Of two rules for the same requests one would never decide. 0 or 1 after a refusal. */
static int check_twin(struct call *call, const json_t *rules, const char *name, const struct wish *wish)
{
	const char *other;
	json_t *rule;

	json_object_foreach((json_t *)(uintptr_t)rules, other, rule)
	{
		if (streq(other, name) || !streq(member(rule, "path"), wish->path) ||
		    !streq(member(rule, "role"), wish->role))
			continue;
		call_error(call, 400, "quota rule with similar properties exists under the name \"%s\"", other);
		return 1;
	}
	if (json_object_get(rules, name) || json_object_size(rules) < QUOTAS_MAX)
		return 0;
	call_error(call, 400, "at most %d quotas", QUOTAS_MAX);
	return 1;
}

int quotas_write(struct call *call)
{
	struct wish wish AUTO_WISH = { .role = "", .group_by = "" };
	const char *path = "", *name = call_capture(call, "name");
	json_t *record, *rule;
	int r = read_wish(call, &wish, &path);

	if (r == 0)
		r = check_wish(call, &wish);
	if (r == 0)
		r = place_wish(call, &wish, path);
	if (r == 0)
		r = check_role(call, &wish);
	if (r == 0)
		r = check_inheritable(call, &wish);
	if (r)
		return r < 0 ? r : 0;
	r = quotas_get(call, &record);
	if (r < 0)
		return r;
	if (check_twin(call, json_object_get(record, "rules"), name, &wish)) {
		json_decref(record);
		return 0;
	}
	rule = json_pack("{s:s, s:s, s:o, s:I, s:I}", "path", wish.path, "role", wish.role, "rate",
	    wish.rate < 1e15 && floor(wish.rate) >= wish.rate ? json_integer((json_int_t)wish.rate)
							      : json_real(wish.rate),
	    "interval", (json_int_t)wish.interval, "block_interval", (json_int_t)wish.block);
	if (!rule || json_object_set_new(json_object_get(record, "rules"), name, rule)) {
		json_decref(record);
		return -ENOMEM;
	}
	r = quotas_put(call, record);
	return r < 0 ? r : call_done(call);
}

/* --- reading and deleting */

int quotas_list(struct call *call)
{
	json_t *record, *rule, *names;
	const char *name;
	int r = quotas_get(call, &record);

	if (r < 0)
		return r;
	names = json_array();
	json_object_foreach(json_object_get(record, "rules"), name, rule)
	{
		json_array_append_new(names, json_string(name));
	}
	json_decref(record);
	if (json_array_size(names))
		return call_data(call, json_pack("{s:o}", "keys", names));
	json_decref(names);
	return call_data(call, NULL);
}

int quotas_read(struct call *call)
{
	const char *name = call_capture(call, "name");
	json_t *record, *rule, *data = NULL;
	int r = quotas_get(call, &record);

	if (r < 0)
		return r;
	rule = json_object_get(json_object_get(record, "rules"), name);
	if (rule) {
		data = json_pack("{s:s, s:s, s:s, s:b, s:i}", "name", name, "type", "rate-limit", "group_by", "ip",
		    "inheritable", !*member(rule, "path"), "secondary_rate", 0);
		r = data && json_object_update(data, rule) == 0 ? 0 : -ENOMEM;
	}
	json_decref(record);
	if (r == 0)
		return call_data(call, data);
	json_decref(data);
	return r;
}

int quotas_delete(struct call *call)
{
	json_t *record;
	int r = quotas_get(call, &record);

	if (r < 0)
		return r;
	if (json_object_del(json_object_get(record, "rules"), call_capture(call, "name"))) {
		json_decref(record);
		return call_done(call);
	}
	r = quotas_put(call, record);
	return r < 0 ? r : call_done(call);
}

/* --- the configuration */

int quotas_config_read(struct call *call)
{
	json_t *record, *data;
	int r = quotas_get(call, &record);

	if (r < 0)
		return r;
	data = json_incref(quotas_config(record));
	json_decref(record);
	return data ? call_data(call, data) : -EBADMSG;
}

/* A list, or one path: a text is not split at its commas here. */
static int read_paths(struct call *call, const char *name, json_t **ret)
{
	const json_t *value = json_object_get(call->request->data, name);

	if (!json_string_length(value))
		return call_field_strings(call, name, ret, NULL);
	*ret = json_pack("[O]", value);
	return *ret ? 0 : -ENOMEM;
}

/* As a whole: what is not sent is off, or empty. */
int quotas_config_write(struct call *call)
{
	json_t *exempt = NULL, *absolute = NULL, *record = NULL, *config = NULL;
	bool logged = false, headers = false;
	int r = call_field_bool(call, "enable_rate_limit_audit_logging", &logged, NULL);

	if (r == 0)
		r = call_field_bool(call, "enable_rate_limit_response_headers", &headers, NULL);
	if (r == 0)
		r = read_paths(call, "rate_limit_exempt_paths", &exempt);
	if (r == 0)
		r = read_paths(call, "absolute_rate_limit_exempt_paths", &absolute);
	if (r == 0)
		r = quotas_get(call, &record);
	if (r == 0) {
		exempt = exempt ? exempt : json_array();
		absolute = absolute ? absolute : json_array();
		config = json_pack("{s:O, s:b, s:b, s:O}", "absolute_rate_limit_exempt_paths", absolute,
		    "enable_rate_limit_audit_logging", logged, "enable_rate_limit_response_headers", headers,
		    "rate_limit_exempt_paths", exempt);
		r = config && json_object_set_new(record, "config", config) == 0 ? 0 : -ENOMEM;
		if (r == 0)
			r = quotas_put(call, TAKE_PTR(record));
		if (r == 0)
			r = call_done(call);
	}
	json_decref(record);
	json_decref(exempt);
	json_decref(absolute);
	return r < 0 ? r : 0;
}
