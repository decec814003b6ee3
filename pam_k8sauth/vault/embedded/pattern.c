/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of paths (core.h), as Vault's regular expressions for names read them. */
#include "vault/embedded/core_internal.h"

#include <errno.h>

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Vault's GenericNameRegex: \w(([\w-.]+)?\w)? */
static bool is_name(const char *text, size_t len)
{
	if (!len || !is_word(text[0]) || !is_word(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_word(text[i]) && text[i] != '-' && text[i] != '.')
			return false;
	return true;
}

static int capture(struct call_private *call, const char *name, size_t name_len, const char *value, size_t len)
{
	struct call_capture *slot;

	if (!call)
		return 1;
	if (call->n_captures == CAPTURES_MAX)
		return -E2BIG;
	slot = &call->captures[call->n_captures];
	slot->name = name;
	slot->name_len = name_len;
	slot->value = strndup(value, len);
	if (!slot->value)
		return -ENOMEM;
	call->n_captures++;
	return 1;
}

/* What "{...}" at PATTERN takes of *REST: moves both. 1, 0 no match, -ENOMEM. */
static int match_capture(const char **pattern, const char **rest, struct call_private *call)
{
	const char *name = *pattern + 1, *end = strchr(name, '}');
	size_t name_len = (size_t)(end - name), len;
	bool optional = name_len > 4 && strncmp(end - 4, "...?", 4) == 0;
	bool all = optional || (name_len > 3 && strncmp(end - 3, "...", 3) == 0);

	*pattern = end + 1;
	if (all) {
		len = strlen(*rest);
		name_len -= optional ? 4 : 3;
		if (!len && !optional)
			return 0;
	} else {
		len = strcspn(*rest, "/");
		if (!is_name(*rest, len))
			return 0;
	}
	*rest += len;
	return capture(call, name, name_len, *rest - len, len);
}

int router_match(const char *pattern, const char *rest, struct call_private *call)
{
	while (*pattern) {
		if (*pattern == '{') {
			int r = match_capture(&pattern, &rest, call);

			if (r <= 0)
				return r;
		} else if (*pattern == *rest) {
			pattern++;
			rest++;
		} else {
			/* "role/" is Vault's "role/?" */
			return pattern[0] == '/' && pattern[1] == '\0' && *rest == '\0';
		}
	}
	return *rest == '\0';
}
