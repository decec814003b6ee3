/* SPDX-License-Identifier: Apache-2.0 */
/* auth/<mount>/role/<name> (kubernetes-auth.md 2). A role is stored as what read shows, deprecated names included. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"

#define NAME_MAX_LEN 512
#define CACHE_MAX    256

const char *role_text(const json_t *role, const char *name)
{
	const char *text = json_string_value(json_object_get(role, name));

	return text ? text : "";
}

int64_t role_number(const json_t *role, const char *name)
{
	return json_integer_value(json_object_get(role, name));
}

bool kube_role_name_is_path(const char *name)
{
	return strstr(name, "..") != NULL;
}

/* "role/<name in lower case>"; NULL without memory. */
static char *role_key(const char *name)
{
	char *key = NULL;

	if (asprintf(&key, "role/%s", name) < 0)
		return NULL;
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return key;
}

int kube_role_get(struct call *call, const char *name, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	/* Nothing that long was ever written: no question for the store. */
	if (!*name || strlen(name) > NAME_MAX_LEN || ends_with(name, "/"))
		return -ENOENT;
	key = role_key(name);
	return key ? call_get(call, key, ret) : -ENOMEM;
}

int kube_role_peek(struct call *call, const char *name, json_t **ret)
{
	struct kube_mount *state = call->mount->state;
	AUTO_FREE char *key = role_key(name);
	json_t *role = key ? json_object_get(state->roles, key) : NULL;
	int r;

	if (role) {
		*ret = json_incref(role);
		return 0;
	}
	r = key ? kube_role_get(call, name, &role) : -ENOMEM;
	if (r < 0)
		return r;
	if (json_object_size(state->roles) >= CACHE_MAX)
		json_object_clear(state->roles);
	/* Without memory it is not kept. */
	(void)json_object_set(state->roles, key, role);
	*ret = role;
	return 0;
}

/* Before the reply to the change goes out. */
static void on_changed(struct core *core, int r, void *arg)
{
	struct kube_mount *state = kube_mount_at(core, arg);

	(void)r;
	if (state)
		json_object_clear(state->roles);
	free(arg);
}

static int role_changes(struct call *call)
{
	char *path = strdup(call->mount->path);

	if (!path)
		return -ENOMEM;
	call_on_commit(call, on_changed, path);
	return 0;
}

int kube_role_exists(struct call *call)
{
	json_t *role = NULL;
	int r = kube_role_get(call, call_capture(call, "name"), &role);

	json_decref(role);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* The path's role. 0, 1 after a refusal, -ENOENT, -EAGAIN, -errno. */
static int role_of_path(struct call *call, json_t **ret)
{
	const char *name = call_capture(call, "name");

	if (kube_role_name_is_path(name)) {
		/* A write is refused by the question whether the role exists, before any handler: not wrapped. */
		if (call->request->op == VAULT_CREATE || call->request->op == VAULT_UPDATE)
			call_error(call, 400, "relative paths not supported");
		else
			call_wrapped_error(call, 400, "relative paths not supported");
		return 1;
	}
	return kube_role_get(call, name, ret);
}

int kube_role_list(struct call *call)
{
	json_t *names = NULL, *data;
	int r = call_list(call, "role/", &names);

	if (r < 0)
		return r;
	if (json_array_size(names) == 0) {
		json_decref(names);
		return call_data(call, NULL);
	}
	data = json_pack("{s:o}", "keys", names);
	return data ? call_data(call, data) : -ENOMEM;
}

/* Deprecated names are shown only where they were used (2.6). */
static bool is_zero(const json_t *value)
{
	return json_is_array(value) ? json_array_size(value) == 0 : json_integer_value(value) == 0;
}

int kube_role_read(struct call *call)
{
	static const char *const old[] = { "policies", "ttl", "max_ttl", "period", "num_uses", "bound_cidrs" };
	json_t *role = NULL;
	int r = role_of_path(call, &role);

	if (r)
		return r == -ENOENT ? call_data(call, NULL) : r < 0 ? r : 0;
	for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
		if (is_zero(json_object_get(role, old[i])))
			json_object_del(role, old[i]);
	}
	if (!*role_text(role, "audience"))
		json_object_del(role, "audience");
	return call_data(call, role);
}

int kube_role_delete(struct call *call)
{
	AUTO_FREE char *key = NULL;
	json_t *role = NULL;
	int r = role_of_path(call, &role);

	json_decref(role);
	if (r == -ENOENT)
		return call_done(call);
	if (r)
		return r < 0 ? r : 0;
	key = role_key(call_capture(call, "name"));
	r = key ? role_changes(call) : -ENOMEM;
	if (r == 0)
		r = call_delete(call, key);
	return r < 0 ? r : call_done(call);
}

/* --- written */

/* In the order in which read shows them. */
static json_t *new_role(void)
{
	return json_pack(
	    "{s:s, s:s, s:[], s:[], s:s, s:n, s:i, s:i, s:i, s:[], s:[], s:i, s:i, s:b, s:i, s:i, s:[], s:i, s:s, s:i}",
	    "alias_name_source", "", "audience", "", "bound_cidrs", "bound_service_account_names",
	    "bound_service_account_namespace_selector", "", "bound_service_account_namespaces", "max_ttl", 0,
	    "num_uses", 0, "period", 0, "policies", "token_bound_cidrs", "token_explicit_max_ttl", 0, "token_max_ttl",
	    0, "token_no_default_policy", 0, "token_num_uses", 0, "token_period", 0, "token_policies", "token_ttl", 0,
	    "token_type", "default", "ttl", 0);
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

/* Whether "*" stands beside other elements. */
static bool star_is_mixed(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (json_array_size(list) > 1 && streq(json_string_value(json_array_get(list, i)), "*"))
			return true;
	}
	return false;
}

/* Steps 4 to 6 of 2.2. */
static int check_lives(struct call *call, const json_t *role)
{
	int64_t max = call->mount->max_lease_ttl ? call->mount->max_lease_ttl : SYSTEM_LEASE_TTL;
	int64_t role_max = role_number(role, "token_max_ttl");
	char period[32], limit[32];

	if (role_number(role, "token_period") > max) {
		duration_format(role_number(role, "token_period"), period, sizeof(period));
		duration_format(max, limit, sizeof(limit));
		call_error(call, 400,
		    "token period of '\"%s\"' is greater than the backend's maximum lease TTL of '\"%s\"'", period,
		    limit);
		return 1;
	}
	if (role_max > 0 && role_number(role, "token_ttl") > role_max)
		return refuse(call, "token ttl should not be greater than token max ttl");
	if (role_max > max)
		call_warn(call, "max_ttl is greater than the system or backend mount's maximum TTL value; issued "
				"tokens' max TTL value "
				"will be truncated");
	return 0;
}

/* Puts what was sent in its place. */
static int set_sent(json_t *role, const json_t *sent, const char *name)
{
	json_t *value = json_object_get(sent, name);

	return value && json_object_set(role, name, value) ? -ENOMEM : 0;
}

/* Steps 7 to 11 of 2.2. */
static int merge_bounds(struct call *call, json_t *role, const json_t *sent)
{
	const json_t *names, *namespaces;
	const char *selector;
	json_t *labels;

	if (set_sent(role, sent, "bound_service_account_names") < 0 ||
	    set_sent(role, sent, "bound_service_account_namespaces") < 0 ||
	    json_object_set_new(role, "bound_service_account_namespace_selector",
		json_string(role_text(sent, "bound_service_account_namespace_selector"))))
		return -ENOMEM;
	names = json_object_get(role, "bound_service_account_names");
	namespaces = json_object_get(role, "bound_service_account_namespaces");
	selector = role_text(role, "bound_service_account_namespace_selector");
	if (json_array_size(names) == 0)
		return refuse(call, "\"bound_service_account_names\" can not be empty");
	if (star_is_mixed(names))
		return refuse(call, "can not mix \"*\" with values");
	if (json_array_size(namespaces) == 0 && !*selector)
		return refuse(call, "\"bound_service_account_namespaces\" can not be empty if "
				    "\"bound_service_account_namespace_selector\" "
				    "is not set");
	labels = *selector ? selector_parse(selector) : NULL;
	json_decref(labels);
	if (*selector && !labels)
		return refuse(call, "invalid \"bound_service_account_namespace_selector\" configured");
	if (star_is_mixed(namespaces))
		return refuse(call, "can not mix \"*\" with values");
	return 0;
}

/* Steps 12 and 13 of 2.2, and 2.4. */
static int merge_alias(struct call *call, json_t *role, const json_t *sent)
{
	const char *audience, *source;

	if (set_sent(role, sent, "audience") < 0)
		return -ENOMEM;
	audience = role_text(role, "audience");
	if (!audience[strspn(audience, " \t\r\n\v\f")])
		call_warn(call,
		    "Role %s does not have an audience configured. While audiences are not required, consider "
		    "specifying one "
		    "if your use case would benefit from additional JWT claim verification.",
		    call_capture(call, "name"));
	source = role_text(role, "alias_name_source");
	if (!*source && !*role_text(sent, "alias_name_source"))
		source = "serviceaccount_uid";
	else if (json_object_get(sent, "alias_name_source"))
		source = role_text(sent, "alias_name_source");
	if (!streq(source, "serviceaccount_uid") && !streq(source, "serviceaccount_name"))
		return refuse(
		    call, "invalid alias_name_source, must be one of: serviceaccount_uid, serviceaccount_name");
	/* SOURCE may be the old value's own text. */
	return json_object_set_new(role, "alias_name_source", json_string(source)) ? -ENOMEM : 0;
}

static int write_role(struct call *call, json_t *role, json_t *sent)
{
	AUTO_FREE char *key = role_key(call_capture(call, "name"));
	int r = key ? role_fields_merge_token(call, role, sent) : -ENOMEM;

	if (r == 0)
		r = check_lives(call, role);
	if (r == 0)
		r = merge_bounds(call, role, sent);
	if (r == 0)
		r = merge_alias(call, role, sent);
	if (r == 0)
		r = role_changes(call);
	if (r == 0)
		r = call_put(call, key, role);
	return r == 0 ? call_done(call) : r;
}

int kube_role_write(struct call *call)
{
	json_t *role = NULL, *sent = NULL;
	int r = role_of_path(call, &role);

	if (r == -ENOENT) {
		role = new_role();
		r = role ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = call_fields(call, kube_role_fields, &sent);
	if (r == 0)
		r = write_role(call, role, sent);
	json_decref(sent);
	json_decref(role);
	return r < 0 ? r : 0;
}

int kube_login_role(struct call *call, const char **ret)
{
	const char *name = json_string_value(json_object_get(call->request->data, "role"));
	json_t *role;
	int r = name && *name ? kube_role_peek(call, name, &role) : -ENOENT;

	if (r == 0) {
		*ret = name;
		json_decref(role);
	}
	return r == -ENOENT ? 0 : r;
}
