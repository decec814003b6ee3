/* SPDX-License-Identifier: Apache-2.0 */
/* See strict_json.h. */
#include "kube/strict_json.h"

#include <stdbool.h>

#include "base/json_quick.h"

/* jansson recurses: the depth is counted before it sees the text. Broken text may be counted wrongly: it is refused. */
static bool depth_within(const char *text, size_t len, unsigned max)
{
	unsigned depth = 0;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		if (string) {
			i += json_plain_len(text + i, len - i);
			if (i == len)
				break;
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				string = false;
		} else if (text[i] == '"') {
			string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > max)
				return false;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

json_t *strict_json_object(const char *text, size_t len, unsigned depth)
{
	json_t *json;

	if (!depth_within(text, len, depth))
		return NULL;
	json = json_quick_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}
