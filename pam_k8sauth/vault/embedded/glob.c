/* SPDX-License-Identifier: Apache-2.0 */
/* Globs of names: of service accounts, namespaces and policies. */
#include "vault/embedded/glob.h"

#include <string.h>

#include "base/macros.h"

/* Where the first LEN bytes of PIECE occur first in the N bytes at TEXT; NULL. */
static const char *find(const char *text, size_t n, const char *piece, size_t len)
{
	return len == 0 ? text : memmem(text, n, piece, len);
}

/* The pieces between the stars: the first is a prefix, the last a suffix, those between are found leftmost in order. */
bool glob_match(const char *pattern, const char *text)
{
	size_t len = strcspn(pattern, "*"), left = strlen(text), last_len;
	const char *last;

	if (!pattern[len])
		return streq(pattern, text);
	if (strncmp(pattern, text, len) != 0)
		return false;
	text += len;
	left -= len;
	last = strrchr(pattern, '*') + 1;
	last_len = strlen(last);
	if (last_len > left || !streq(text + left - last_len, last))
		return false;
	left -= last_len;
	for (pattern += len + 1; pattern < last; pattern += len + 1) {
		const char *found;

		len = strcspn(pattern, "*");
		found = find(text, left, pattern, len);
		if (!found)
			return false;
		left -= (size_t)(found + len - text);
		text = found + len;
	}
	return true;
}

bool globs_match(const json_t *patterns, const char *text)
{
	for (size_t i = 0; i < json_array_size(patterns); i++) {
		if (glob_match(json_string_value(json_array_get(patterns, i)), text))
			return true;
	}
	return false;
}
