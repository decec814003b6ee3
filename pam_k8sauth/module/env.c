/* SPDX-License-Identifier: Apache-2.0 */
/* The filter on session variables; see env.h. */
#include "module/env.h"

#include <stdint.h>

#include "base/macros.h"

/* Tables of patterns: a trailing * stands for any rest. */
static const char *const ours[] = { "VAULT_*", "K8SAUTH_*" };

/* Never, not even by env=: what changes how programs are loaded, found, configured or whom they take the user for. */
static const char *const never[] = {
#define NEVER(pattern) pattern,
#include "module/env_never.def"
#undef NEVER
};

static bool matches(const char *const *patterns, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		size_t pattern = strlen(patterns[i]);
		bool rest = patterns[i][pattern - 1] == '*';

		pattern -= rest;
		if ((rest ? len >= pattern : len == pattern) && strncmp(patterns[i], name, pattern) == 0)
			return true;
	}
	return false;
}

static bool name_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return len > 0;
}

/* Walks `NAME,NAME`: the next name and its length; false at the end. */
static bool list_next(const char **at, const char **ret_name, size_t *ret_len)
{
	if (!*at)
		return false;
	*ret_name = *at;
	*ret_len = strcspn(*at, ",");
	*at = (*at)[*ret_len] == ',' ? *at + *ret_len + 1 : NULL;
	return true;
}

bool env_list_valid(const char *list)
{
	const char *name;
	size_t len;

	while (list_next(&list, &name, &len)) {
		if (!name_valid(name, len) || matches(never, ARRAY_SIZE(never), name, len))
			return false;
	}
	return true;
}

static bool listed(const char *list, const char *name, size_t len)
{
	const char *one;
	size_t one_len;

	while (list_next(&list, &one, &one_len)) {
		if (one_len == len && memcmp(one, name, len) == 0)
			return true;
	}
	return false;
}

bool env_allowed(const char *assignment, size_t len, const char *allowed, size_t *ret_name_len)
{
	const char *equals = memchr(assignment, '=', len);
	size_t name_len = equals ? (size_t)(equals - assignment) : 0;

	*ret_name_len = name_len;
	if (len > ENV_STRING_MAX || memchr(assignment, '\0', len) || !name_valid(assignment, name_len) ||
	    matches(never, ARRAY_SIZE(never), assignment, name_len))
		return false;
	return matches(ours, ARRAY_SIZE(ours), assignment, name_len) || listed(allowed, assignment, name_len);
}
