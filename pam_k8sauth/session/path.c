/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders of paths; see path.h. */
#include "session/path.h"

#include "base/buf.h"
#include "base/text.h"

static const char *find_value(const struct path_value *values, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(values[i].name) == len && strncmp(values[i].name, name, len) == 0)
			return values[i].value;
	}
	return NULL;
}

/* A value must stay one segment of the path: it is another party's text. */
static bool segment_safe(const char *value)
{
	return value && value[0] && !strpbrk(value, "/+*{}?#%") && !streq(value, ".") && !streq(value, "..");
}

char *path_fill(const struct path_value *values, size_t n, const char *text, const char **why)
{
	AUTO_BUF struct buf out = BUF_MAX(1024);

	*why = "too long";
	while (*text) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		const char *value = end ? find_value(values, n, text + 1, (size_t)(end - text - 1)) : NULL;

		if (*text != '{') {
			buf_add_char(&out, *text++);
			continue;
		}
		if (!segment_safe(value)) {
			*why = value ? "a template's value is no single path segment" : "it has an unknown template";
			return NULL;
		}
		buf_add_str(&out, value);
		text = end + 1;
	}
	if (!out.failed && out.data && (out.data[0] == '/' || strstr(out.data, "//") || strstr(out.data, ".."))) {
		*why = "it begins with '/' or has an empty segment or '..'";
		return NULL;
	}
	return buf_take(&out);
}
