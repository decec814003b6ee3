/* SPDX-License-Identifier: Apache-2.0 */
/* auth/token/roles/<name>: what tokens made with a role are like, whoever makes them (vault-core.md 3.4). */
#include "vault/embedded/auth_token/roles.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_token/policy_names.h"
#include "vault/embedded/auth_token/token_fields.h"

#define FOLDER	     "roles/"
#define NAME_MAX_LEN 512

const struct engine_field token_role_fields[] = {
	{ "allowed_entity_aliases", FIELD_STRINGS, "Aliases of entities that a create may name; globs are allowed." },
	{ "allowed_policies", FIELD_STRINGS, "Policies that a create may ask for; all of them if it asks for none." },
	{ "allowed_policies_glob", FIELD_STRINGS, "Globs of policies that a create may ask for." },
	{ "bound_cidrs", FIELD_STRINGS, "Deprecated name of token_bound_cidrs." },
	{ "disallowed_policies", FIELD_STRINGS, "Policies that a create may not ask for." },
	{ "disallowed_policies_glob", FIELD_STRINGS, "Globs of policies that a create may not ask for." },
	{ "explicit_max_ttl", FIELD_SECONDS, "Deprecated name of token_explicit_max_ttl." },
	{ "orphan", FIELD_BOOL, "Whether tokens are orphans." },
	{ "path_suffix", FIELD_STRING, "What is put behind the path of tokens, to revoke them by it." },
	{ "period", FIELD_SECONDS, "Deprecated name of token_period." },
	{ "renewable", FIELD_BOOL, "Whether tokens can be renewed." },
	{ "role_name", FIELD_STRING, "The name of the role." },
	{ "token_bound_cidrs", FIELD_STRINGS, "Addresses and networks from which tokens may be used." },
	{ "token_explicit_max_ttl", FIELD_SECONDS, "The longest life of a token, renewals included." },
	{ "token_no_default_policy", FIELD_BOOL, "Kept and shown; a create says itself whether it wants default." },
	{ "token_num_uses", FIELD_INT, "How many requests a token is good for; 0 for any number." },
	{ "token_period", FIELD_SECONDS, "Where it is set, tokens live this long after each renewal." },
	{ "token_type", FIELD_STRING, "The kind of tokens: service, batch, default-service or default-batch." },
	{ 0 },
};

/* "roles/<name>". NULL without memory. */
static char *role_key(const char *name)
{
	char *key;

	return asprintf(&key, FOLDER "%s", name) < 0 ? NULL : key;
}

int token_role_get(struct call *call, const char *name, json_t **ret)
{
	char *key AUTO_FREE = NULL;

	if (!*name || strlen(name) > NAME_MAX_LEN || strchr(name, '/'))
		return -ENOENT;
	key = role_key(name);
	return key ? call_get(call, key, ret) : -ENOMEM;
}

int token_role_exists(struct call *call)
{
	json_auto_t *role = NULL;
	int r = token_role_get(call, call_capture(call, "role_name"), &role);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int token_role_list(struct call *call)
{
	json_t *names = NULL, *data;
	int r = call_list(call, FOLDER, &names);

	if (r < 0)
		return r;
	if (json_array_size(names) == 0) {
		json_decref(names);
		return call_data(call, NULL);
	}
	data = json_pack("{s:o}", "keys", names);
	return data ? call_data(call, data) : -ENOMEM;
}

int token_role_read(struct call *call)
{
	static const char *const if_any[] = { "bound_cidrs", "token_bound_cidrs", "token_num_uses" };
	json_t *role = NULL;
	int r = token_role_get(call, call_capture(call, "role_name"), &role);

	if (r == -ENOENT)
		return call_data(call, NULL);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(if_any); i++) {
		const json_t *value = json_object_get(role, if_any[i]);

		if (!json_array_size(value) && !json_integer_value(value))
			json_object_del(role, if_any[i]);
	}
	return call_data(call, role);
}

int token_role_delete(struct call *call)
{
	const char *name = call_capture(call, "role_name");
	char *key AUTO_FREE = role_key(name);
	int r = !key ? -ENOMEM : strlen(name) > NAME_MAX_LEN ? 0 : call_delete(call, key);

	return r < 0 ? r : call_done(call);
}

/* --- renewal of tokens made with a role */

int token_role_renew(struct call *call, struct token *token)
{
	json_auto_t *role = NULL;
	int64_t max;
	int r;

	if (!token->role)
		return 0;
	r = token_role_get(call, token->role, &role);
	if (r == -ENOENT)
		return call_wrapped_error(call, 500,
		    "failed to renew entry: original token role \"%s\" could not be found, not renewing", token->role);
	if (r < 0)
		return r;
	token->period = json_integer_value(json_object_get(role, "token_period"));
	/* The lesser, as when it was made: Vault takes the role's alone, and the limit that lookup shows is none. */
	max = json_integer_value(json_object_get(role, "token_explicit_max_ttl"));
	if (max && (!token->explicit_max_ttl || max < token->explicit_max_ttl))
		token->explicit_max_ttl = max;
	return 0;
}

/* --- written */

static json_t *new_role(const char *name)
{
	return json_pack("{s:n, s:[], s:[], s:[], s:[], s:[], s:i, s:s, s:b, s:s, s:i, s:b, s:[], s:i, s:b, s:i, s:i, "
			 "s:s}",
	    "allowed_entity_aliases", "allowed_policies", "allowed_policies_glob", "bound_cidrs", "disallowed_policies",
	    "disallowed_policies_glob", "explicit_max_ttl", 0, "name", name, "orphan", 0, "path_suffix", "", "period",
	    0, "renewable", 1, "token_bound_cidrs", "token_explicit_max_ttl", 0, "token_no_default_policy", 0,
	    "token_num_uses", 0, "token_period", 0, "token_type", "default-service");
}

/* Everything but the token_ fields and their old names. What is refused is kept name by name: root does not stand alone
 * there. 0 or -ENOMEM. */
static int set_own(json_t *role, const json_t *sent)
{
	static const char *const plain[] = { "orphan", "path_suffix", "renewable" };
	static const char *const allowed[] = { "allowed_policies", "allowed_policies_glob" };
	static const char *const names[] = { "disallowed_policies", "disallowed_policies_glob", "allowed_entity_aliases" };

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		json_t *value = json_object_get(sent, plain[i]);

		if (value && json_object_set(role, plain[i], value))
			return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		const json_t *value = json_object_get(sent, allowed[i]);
		json_t *clean = NULL;

		if (value &&
		    (policy_names_clean(value, false, &clean) < 0 || json_object_set_new(role, allowed[i], clean)))
			return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const json_t *value = json_object_get(sent, names[i]);
		json_t *sorted = NULL;

		if (value && (policy_names_sort(value, &sorted) < 0 || json_object_set_new(role, names[i], sorted)))
			return -ENOMEM;
	}
	return 0;
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Of at least three characters of [A-Za-z0-9_.-], the first and last one a word's. Vault looks only for such a part. */
static bool is_suffix(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!is_word(text[i]) && text[i] != '-' && text[i] != '.')
			return false;
	return len >= 3 && len <= NAME_MAX_LEN && is_word(text[0]) && is_word(text[len - 1]) && !strstr(text, "..");
}

/* 0, or 1 after a refusal. */
static int check_batch(struct call *call, const json_t *role)
{
#define CANNOT "'token_type' cannot be 'batch' when role is set to generate "
	if (!streq(json_string_value(json_object_get(role, "token_type")), "batch"))
		return 0;
	if (!json_is_true(json_object_get(role, "orphan")))
		return refuse(call, CANNOT "non-orphan tokens");
	if (json_integer_value(json_object_get(role, "token_period")))
		return refuse(call, CANNOT "periodic tokens");
	if (json_is_true(json_object_get(role, "renewable")))
		return refuse(call, CANNOT "renewable tokens");
	if (json_integer_value(json_object_get(role, "token_explicit_max_ttl")))
		return refuse(call, CANNOT "tokens with an explicit max TTL");
	return 0;
#undef CANNOT
}

/*
 * A type that was there before does not suit numbers that batch tokens cannot have; one that is sent now may be
 * followed by them, as in Vault. 0, or 1 after a refusal.
 */
static int check_old_type(struct call *call, const json_t *role, const json_t *sent)
{
#define CANNOT "error parsing role fields: 'token_type' cannot be 'batch' or 'default_batch' when set to generate "
	const char *type = json_string_value(json_object_get(role, "token_type"));

	if (json_object_get(sent, "token_type") || !(streq(type, "batch") || streq(type, "default-batch")))
		return 0;
	if (json_integer_value(json_object_get(role, "token_period")))
		return refuse(call, CANNOT "periodic tokens");
	if (json_integer_value(json_object_get(role, "token_num_uses")))
		return refuse(call, CANNOT "tokens with limited use count");
	return 0;
#undef CANNOT
}

/* 0, or 1 after a refusal. */
static int check(struct call *call, const json_t *role)
{
	const char *suffix = json_string_value(json_object_get(role, "path_suffix"));
	int64_t max = call->mount->max_lease_ttl ? call->mount->max_lease_ttl : SYSTEM_LEASE_TTL;
	int64_t explicit_max = json_integer_value(json_object_get(role, "token_explicit_max_ttl"));

	if (*suffix && !is_suffix(suffix))
		return refuse(call, "given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w");
	if (explicit_max > max)
		call_warn(call,
		    "Given explicit max TTL of %lld is greater than system/mount allowed value of %lld seconds; until "
		    "this is fixed attempting to create tokens against this role will result in an error",
		    (long long)explicit_max, (long long)max);
	return check_batch(call, role);
}

/* Of both names of a field the deprecated one does not count. */
static void drop_old_names(struct call *call, json_t *sent, const char *const *old)
{
	char name[64];

	for (size_t i = 0; old[i]; i++) {
		snprintf(name, sizeof(name), "token_%s", old[i]);
		if (!json_object_get(sent, old[i]) || !json_object_get(sent, name))
			continue;
		call_warn(
		    call, "Both '%s' and deprecated '%s' value supplied, ignoring the deprecated value", name, old[i]);
		json_object_del(sent, old[i]);
	}
}

int token_role_write(struct call *call)
{
	static const char *const types[] = { "default-service", "default-batch", "service", "batch", NULL };
	static const char *const old[] = { "period", "explicit_max_ttl", "bound_cidrs", NULL };
	const char *name = call_capture(call, "role_name");
	json_auto_t *role = NULL, *sent = NULL;
	char *key AUTO_FREE = role_key(name);
	int r = key ? token_role_get(call, name, &role) : -ENOMEM;

	if (r == -ENOENT && strlen(name) <= NAME_MAX_LEN) {
		role = new_role(name);
		r = role ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = call_fields(call, token_role_fields, &sent);
	if (r == 0)
		drop_old_names(call, sent, old);
	if (r == 0)
		r = token_fields_set(call, role, sent, types, "error parsing role fields: ");
	if (r == 0)
		r = check_old_type(call, role, sent);
	if (r == 0)
		r = token_fields_set_old(call, role, sent, old);
	if (r == 0)
		r = set_own(role, sent);
	if (r == 0)
		r = check(call, role);
	if (r == 0)
		r = call_put(call, key, role);
	if (r == -ENOENT)
		return call_error(call, 400, "the name of the role is too long");
	return r < 0 ? r : r > 0 ? 0 : call_done(call);
}
