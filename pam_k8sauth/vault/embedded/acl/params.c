/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the parameters of a request suit a rule (vault-core.md 1.6 step 4 and 1.7; measured on Vault 1.21.4).
 * Parameters are few and policies are written by administrators, so plain loops do.
 */
#include <ctype.h>

#include "base/text.h"
#include "vault/embedded/acl/rule.h"

/* Jansson's iterators take no const, and change nothing. */
static json_t *iterable(const json_t *json)
{
	return (json_t *)(uintptr_t)json;
}

/* Globs have a '*' at the start, at the end, or both; a lone '*' is that character. */
static bool glob_matches(const char *pattern, const char *text, size_t len)
{
	size_t plen = strlen(pattern);
	bool head = plen > 1 && pattern[0] == '*', tail = plen > 1 && pattern[plen - 1] == '*';

	if (head && tail)
		return memmem(text, len, pattern + 1, plen - 2) != NULL;
	if (head)
		return len >= plen - 1 && memcmp(text + len - (plen - 1), pattern + 1, plen - 1) == 0;
	if (tail)
		return len >= plen - 1 && memcmp(text, pattern, plen - 1) == 0;
	return len == plen && memcmp(text, pattern, len) == 0;
}

/* Equality as Go sees it: a number of a request is never a number of a policy. */
static bool value_equal(const json_t *policy, const json_t *value)
{
	const json_t *member;
	const char *key;
	size_t i;

	if (json_typeof(policy) != json_typeof(value))
		return false;
	switch (json_typeof(policy)) {
	case JSON_STRING:
		return streq(json_string_value(policy), json_string_value(value));
	case JSON_ARRAY:
		if (json_array_size(policy) != json_array_size(value))
			return false;
		json_array_foreach(policy, i, member)
		{
			if (!value_equal(member, json_array_get(value, i)))
				return false;
		}
		return true;
	case JSON_OBJECT:
		if (json_object_size(policy) != json_object_size(value))
			return false;
		json_object_foreach(iterable(policy), key, member)
		{
			const json_t *other = json_object_get(value, key);

			if (!other || !value_equal(member, other))
				return false;
		}
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return true;
	default:
		return false;
	}
}

static bool text_in_list(const json_t *list, const char *text, size_t len)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (json_is_string(entry) && glob_matches(json_string_value(entry), text, len))
			return true;
	}
	return false;
}

static bool in_list(const json_t *list, const json_t *value)
{
	const json_t *entry;
	size_t i;

	if (json_is_string(value))
		return text_in_list(list, json_string_value(value), json_string_length(value));
	json_array_foreach(list, i, entry)
	{
		if (value_equal(entry, value))
			return true;
	}
	return false;
}

/* A list's parts, and how many of them were found in another one. */
struct parts {
	size_t n, found;
	bool too_many; /* to be compared with all that a policy may list: neither allowed nor not denied */
};

/* The comma-separated parts of TEXT, blanks around them cut off; "" has none. */
static struct parts text_parts(const json_t *list, const char *text)
{
	struct parts parts = { 0 };

	for (bool more = *text != '\0'; more;) {
		size_t len = strcspn(text, ","), from = 0, to = len;

		if (parts.n == VAULT_LIST_MAX) {
			parts.too_many = true;
			break;
		}
		while (from < to && isspace((unsigned char)text[from]))
			from++;
		while (to > from && isspace((unsigned char)text[to - 1]))
			to--;
		parts.found += text_in_list(list, text + from, to - from);
		parts.n++;
		more = text[len] == ',';
		text += len + more;
	}
	return parts;
}

/* The same for a list's elements. False if VALUE has no parts of this kind. */
static bool find_parts(const json_t *list, const json_t *value, struct parts *ret)
{
	const json_t *element;
	size_t i;

	if (json_is_string(value)) {
		*ret = text_parts(list, json_string_value(value));
		return true;
	}
	if (!json_is_array(value))
		return false;
	*ret = (struct parts){ .n = json_array_size(value) };
	json_array_foreach(value, i, element) ret->found += in_list(list, element);
	return true;
}

/* All elements must be in the list; so a value without elements passes, in Vault too. */
static bool value_allowed(const json_t *list, const json_t *value)
{
	struct parts parts;

	if (json_array_size(list) == 0 || in_list(list, value))
		return true;
	return find_parts(list, value, &parts) && parts.found == parts.n && !parts.too_many;
}

/* One element in the list is enough. */
static bool value_denied(const json_t *list, const json_t *value)
{
	struct parts parts;

	if (json_array_size(list) == 0 || in_list(list, value))
		return true;
	return find_parts(list, value, &parts) && (parts.found > 0 || parts.too_many);
}

/* The policy's list for a parameter's name, in any case of letters; NULL if it has none. False without memory. */
static bool find_list(const json_t *map, const char *name, const json_t **ret)
{
	AUTO_FREE char *lower = strdup(name);

	if (!lower)
		return false;
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*ret = json_object_get(map, lower);
	return true;
}

static bool has_required(const struct rule *rule, const json_t *data)
{
	const json_t *name;
	size_t i;

	/* Lower-case names of the policy against the request's as they are: so does Vault. */
	json_array_foreach(rule->required, i, name)
	{
		if (!json_object_get(data, json_string_value(name)))
			return false;
	}
	return true;
}

static bool any_denied(const struct rule *rule, const json_t *data)
{
	const char *name;
	const json_t *value, *list = NULL;

	if (json_object_get(rule->denied, "*"))
		return true;
	json_object_foreach(iterable(data), name, value)
	{
		if (!find_list(rule->denied, name, &list) || (list && value_denied(list, value)))
			return true;
	}
	return false;
}

static bool all_allowed(const struct rule *rule, const json_t *data)
{
	bool any_name = json_object_get(rule->allowed, "*") != NULL;
	const char *name;
	const json_t *value, *list = NULL;

	if (any_name && json_object_size(rule->allowed) == 1)
		return true;
	json_object_foreach(iterable(data), name, value)
	{
		if (!find_list(rule->allowed, name, &list))
			return false;
		if (list ? !value_allowed(list, value) : !any_name)
			return false;
	}
	return true;
}

bool rule_allows_parameters(const struct rule *rule, const json_t *data, const char **ret_reason)
{
	if (!has_required(rule, data)) {
		*ret_reason = "a required parameter is missing";
		return false;
	}
	if (json_object_size(data) == 0)
		return true;
	if (rule->denied && any_denied(rule, data)) {
		*ret_reason = "a parameter is denied";
		return false;
	}
	if (rule->allowed && !all_allowed(rule, data)) {
		*ret_reason = "a parameter is not among the allowed ones";
		return false;
	}
	return true;
}
