/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a role: their types, and how token_ fields and their deprecated names become one (2.1, 2.2, 2.5). */
#include "vault/embedded/auth_kubernetes/kubernetes.h"
#include "vault/embedded/auth_token/token_fields.h"

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

/* Batch tokens count no uses and are not renewed. 0, or 1 after a refusal. */
static int check_batch(struct call *call, const json_t *role)
{
#define CANNOT "'token_type' cannot be 'batch' or 'default_batch' when set to generate "
	if (!streq(role_text(role, "token_type"), "batch"))
		return 0;
	if (role_number(role, "token_period"))
		call_error(call, 400, CANNOT "periodic tokens");
	else if (role_number(role, "token_num_uses"))
		call_error(call, 400, CANNOT "tokens with limited use count");
	else
		return 0;
	return 1;
#undef CANNOT
}

int role_fields_merge_token(struct call *call, json_t *role, json_t *sent)
{
	static const char *const types[] = { "default", "service", "batch", NULL };
	static const char *const old[] = { "policies", "ttl", "max_ttl", "period", "num_uses", "bound_cidrs", NULL };
	const char *type = json_string_value(json_object_get(sent, "token_type"));
	int r = 0;

	if (type && !*type && json_object_set_new(sent, "token_type", json_string("default")))
		return -ENOMEM;
	r = token_fields_set(call, role, sent, types, "");
	if (r == 0)
		r = check_batch(call, role);
	return r ? r : token_fields_set_old(call, role, sent, old);
}
