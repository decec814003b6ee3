/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a role: their types, and how token_ fields and their deprecated names become one (2.1, 2.2, 2.5). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"
#include "vault/embedded/auth_token/cidr.h"

const struct engine_field kube_role_fields[] = {
	{ "alias_name_source", FIELD_STRING,
	    "What names the alias of a login: serviceaccount_uid or serviceaccount_name." },
	{ "audience", FIELD_STRING, "The audience that a token must have." },
	{ "bound_cidrs", FIELD_STRINGS, "Deprecated name of token_bound_cidrs." },
	{ "bound_service_account_names", FIELD_STRINGS,
	    "Names of service accounts that may log in; globs are allowed." },
	{ "bound_service_account_namespace_selector", FIELD_STRING,
	    "A label selector (JSON or YAML): namespaces with these labels may log in." },
	{ "bound_service_account_namespaces", FIELD_STRINGS,
	    "Namespaces whose service accounts may log in; globs are allowed." },
	{ "max_ttl", FIELD_SECONDS, "Deprecated name of token_max_ttl." },
	{ "name", FIELD_STRING, "The name of the role." },
	{ "num_uses", FIELD_INT, "Deprecated name of token_num_uses." },
	{ "period", FIELD_SECONDS, "Deprecated name of token_period." },
	{ "policies", FIELD_STRINGS, "Deprecated name of token_policies." },
	{ "token_bound_cidrs", FIELD_STRINGS, "Addresses and networks from which logins come and tokens may be used." },
	{ "token_explicit_max_ttl", FIELD_SECONDS,
	    "The longest life of a token, renewals included, whatever else is set." },
	{ "token_max_ttl", FIELD_SECONDS, "The longest life of a token, renewals included." },
	{ "token_no_default_policy", FIELD_BOOL, "Whether tokens do not get the policy default." },
	{ "token_num_uses", FIELD_INT, "How many requests a token is good for; 0 for any number." },
	{ "token_period", FIELD_SECONDS,
	    "Where it is set, tokens live this long after each renewal, and have no longest life." },
	{ "token_policies", FIELD_STRINGS, "The policies of tokens." },
	{ "token_ttl", FIELD_SECONDS, "The life of a token until it is renewed." },
	{ "token_type", FIELD_STRING, "The kind of tokens: default or service." },
	{ "ttl", FIELD_SECONDS, "Deprecated name of token_ttl." },
	{ 0 },
};

/* The converted value of one field, *RET NULL where it was not sent. */
static int read_field(struct call *call, const char *name, enum field_type type, json_t **ret)
{
	bool set = false, flag = false;
	const char *text = "";
	long long number = 0;
	int64_t seconds = 0;
	int r;

	switch (type) {
	case FIELD_STRING:
		r = call_field_string(call, name, &text, &set);
		break;
	case FIELD_STRINGS:
		return call_field_strings(call, name, ret, NULL);
	case FIELD_SECONDS:
		/* null is as if it were not there, for this type alone */
		if (json_is_null(json_object_get(call->request->data, name)))
			return 0;
		r = call_field_seconds(call, name, &seconds, &set);
		number = seconds;
		break;
	case FIELD_INT:
		r = call_field_int(call, name, &number, &set);
		break;
	default:
		r = call_field_bool(call, name, &flag, &set);
		break;
	}
	if (r || !set)
		return r;
	*ret = type == FIELD_STRING ? json_string(text)
	       : type == FIELD_BOOL ? json_boolean(flag)
				    : json_integer(number);
	return *ret ? 0 : -ENOMEM;
}

int role_fields_read(struct call *call, json_t **ret)
{
	json_t *sent = json_object();
	int r = sent ? 0 : -ENOMEM;

	for (const struct engine_field *field = kube_role_fields; r == 0 && field->name; field++) {
		json_t *value = NULL;

		if (streq(field->name, "name")) /* is in the path */
			continue;
		r = read_field(call, field->name, field->type, &value);
		if (r == 0 && value && json_object_set_new(sent, field->name, value))
			r = -ENOMEM;
	}
	if (r == 0)
		*ret = sent;
	else
		json_decref(sent);
	return r;
}

/* --- token fields */

/* Every element as it is shown, or the refusal. 0, 1, -ENOMEM. *RET NULL where LIST is. */
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

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Policies under their old name: in lower case, sorted, once each; root alone if it is among them. NULL without memory.
 */
static json_t *clean_policies(const json_t *list)
{
	size_t n = json_array_size(list);
	char **names = calloc(n + 1, sizeof(*names));
	json_t *clean = json_array();
	bool ok = names && clean;

	for (size_t i = 0; ok && i < n; i++) {
		names[i] = strdup(json_string_value(json_array_get(list, i)));
		ok = names[i] != NULL;
		for (char *c = names[i]; c && *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	if (ok && n > 0)
		qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; ok && i < n; i++) {
		if (*names[i] && (i == 0 || !streq(names[i], names[i - 1])))
			ok = json_array_append_new(clean, json_string(names[i])) == 0;
		if (ok && streq(names[i], "root"))
			ok = json_array_clear(clean) == 0 && json_array_append_new(clean, json_string("root")) == 0;
		if (streq(names[i], "root"))
			break;
	}
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
	if (ok)
		return clean;
	json_decref(clean);
	return NULL;
}

/* Brings what was sent into the form in which it is stored. 0, 1 after a refusal, -ENOMEM. */
static int clean_sent(struct call *call, json_t *sent)
{
	static const char *const cidrs[] = { "token_bound_cidrs", "bound_cidrs" };
	const json_t *old_policies = json_object_get(sent, "policies");

	for (size_t i = 0; i < ARRAY_SIZE(cidrs); i++) {
		json_t *canonical = NULL;
		int r = canonical_cidrs(call, json_object_get(sent, cidrs[i]), &canonical);

		if (r)
			return r;
		if (canonical && json_object_set_new(sent, cidrs[i], canonical))
			return -ENOMEM;
	}
	if (old_policies && json_object_set_new(sent, "policies", clean_policies(old_policies)))
		return -ENOMEM;
	return 0;
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

/* Step 2 of 2.2: on the token_ fields alone, before their old names count. */
static int check_token(struct call *call, const json_t *role, const json_t *sent)
{
	const char *type = role_text(role, "token_type");
	int64_t max = role_number(role, "token_max_ttl");

	if (streq(type, "batch"))
		return refuse(call, "batch tokens are not supported: token_type must be service or default");
	if (!streq(type, "default") && !streq(type, "service")) {
		call_error(call, 400, "invalid 'token_type' value \"%s\"", type);
		return 1;
	}
	/* Vault lets a negative number in under the old name, and such tokens are dead. */
	if (role_number(role, "token_num_uses") < 0 || role_number(sent, "num_uses") < 0)
		return refuse(call, "'token_num_uses' cannot be negative");
	if (max > 0 && role_number(role, "token_ttl") > max)
		return refuse(call, "'token_ttl' cannot be greater than 'token_max_ttl'");
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

int role_fields_merge_token(struct call *call, json_t *role, json_t *sent)
{
	static const char *const old[] = { "policies", "ttl", "max_ttl", "period", "num_uses", "bound_cidrs" };
	int r = clean_sent(call, sent);
	char name[64];

	for (const struct engine_field *field = kube_role_fields; r == 0 && field->name; field++) {
		json_t *value = json_object_get(sent, field->name);

		if (!starts_with(field->name, "token_") || !value)
			continue;
		if (streq(field->name, "token_type") && !*json_string_value(value))
			r = json_object_set_new(role, "token_type", json_string("default")) ? -ENOMEM : 0;
		else
			r = json_object_set(role, field->name, value) ? -ENOMEM : 0;
	}
	if (r == 0)
		r = check_token(call, role, sent);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(old); i++) {
		snprintf(name, sizeof(name), "token_%s", old[i]);
		r = merge_old_name(role, sent, old[i], name);
	}
	return r;
}
