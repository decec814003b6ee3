/* SPDX-License-Identifier: Apache-2.0 */
/* The token_ fields that every role has, and their deprecated names (kubernetes-auth.md 2.2, 2.5). */
#include "vault/embedded/auth_token/token_fields.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_token/cidr.h"
#include "vault/embedded/auth_token/policy_names.h"

/* Every element as it is shown, or the refusal. 0, 1, -ENOMEM. *RET untouched where LIST is NULL. */
static int canonical_cidrs(struct call *call, const json_t *list, json_t **ret)
{
	json_t *canonical;
	char text[CIDR_SIZE];

	if (!list)
		return 0;
	canonical = json_array();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *given = json_string_value(json_array_get(list, i));

		if (cidr_canonical(given, text) < 0) {
			json_decref(canonical);
			call_error(call, 400,
			    "error parsing address \"%s\": Unable to convert \"%s\" to an IPv4 or IPv6 address, or a "
			    "UNIX Socket",
			    given, given);
			return 1;
		}
		if (json_array_append_new(canonical, json_string(text))) {
			json_decref(canonical);
			return -ENOMEM;
		}
	}
	*ret = canonical;
	return canonical ? 0 : -ENOMEM;
}

/* Brings what was sent into the form in which it is stored. 0, 1 after a refusal, -ENOMEM. */
static int clean_sent(struct call *call, json_t *sent)
{
	static const char *const cidrs[] = { "token_bound_cidrs", "bound_cidrs" };
	const json_t *old_policies = json_object_get(sent, "policies");
	json_t *clean = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cidrs); i++) {
		json_t *canonical = NULL;
		int r = canonical_cidrs(call, json_object_get(sent, cidrs[i]), &canonical);

		if (r)
			return r;
		if (canonical && json_object_set_new(sent, cidrs[i], canonical))
			return -ENOMEM;
	}
	if (!old_policies)
		return 0;
	if (policy_names_clean(old_policies, false, &clean) < 0 || json_object_set_new(sent, "policies", clean))
		return -ENOMEM;
	return 0;
}

static int64_t number(const json_t *role, const char *name)
{
	return json_integer_value(json_object_get(role, name));
}

static int check_type(struct call *call, const json_t *role, const char *const *types)
{
	const char *type = json_string_value(json_object_get(role, "token_type"));

	for (size_t i = 0; types[i]; i++)
		if (streq(type, types[i]))
			return 0;
	call_error(call, 400, "invalid 'token_type' value \"%s\"", type);
	return 1;
}

int token_fields_set(struct call *call, json_t *role, json_t *sent, const char *const *types, const char *fault_prefix)
{
	int r = clean_sent(call, sent);
	const char *name;
	json_t *value;

	json_object_foreach(sent, name, value)
	{
		if (r == 0 && starts_with(name, "token_"))
			r = json_object_set(role, name, value) ? -ENOMEM : 0;
	}
	if (r == 0)
		r = check_type(call, role, types);
	if (r)
		return r;
	/* Vault lets a negative number in under the old name, and such tokens are dead. */
	if (number(role, "token_num_uses") < 0 || number(sent, "num_uses") < 0) {
		call_error(call, 400, "%s'token_num_uses' cannot be negative", fault_prefix);
		return 1;
	}
	if (number(role, "token_max_ttl") > 0 && number(role, "token_ttl") > number(role, "token_max_ttl")) {
		call_error(call, 400, "%s'token_ttl' cannot be greater than 'token_max_ttl'", fault_prefix);
		return 1;
	}
	return 0;
}

/* The table of 2.5. */
static int merge_old_name(json_t *role, const json_t *sent, const char *old, const char *name)
{
	json_t *old_value = json_object_get(sent, old), *value = json_object_get(sent, name), *none;

	if (value && old_value)
		return json_object_set(role, old, value) ? -ENOMEM : 0;
	if (old_value)
		return json_object_set(role, old, old_value) || json_object_set(role, name, old_value) ? -ENOMEM : 0;
	if (!value)
		return 0;
	none = json_is_array(value) ? json_array() : json_integer(0);
	return json_object_set_new(role, old, none) ? -ENOMEM : 0;
}

int token_fields_set_old(struct call *call, json_t *role, const json_t *sent, const char *const *old)
{
	int r = 0;
	char name[64];

	for (size_t i = 0; r == 0 && old[i]; i++) {
		snprintf(name, sizeof(name), "token_%s", old[i]);
		r = merge_old_name(role, sent, old[i], name);
	}
	return r;
}
