/* SPDX-License-Identifier: Apache-2.0 */
/* Go's ways of showing values and quoting strings. */
#include "vault/embedded/go_text.h"

#include <stdlib.h>

#include "base/text.h"

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void value_object(struct buf *text, const json_t *object)
{
	const char **keys AUTO_FREE = calloc(json_object_size(object) + 1, sizeof(*keys));
	size_t n = 0;

	buf_add_str(text, "map[");
	for (void *iter = json_object_iter((json_t *)(uintptr_t)object); keys && iter;
	     iter = json_object_iter_next((json_t *)(uintptr_t)object, iter))
		keys[n++] = json_object_iter_key(iter);
	if (n)
		qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n; i++) {
		buf_printf(text, "%s%s:", i ? " " : "", keys[i]);
		go_value(text, json_object_get(object, keys[i]));
	}
	buf_add_char(text, ']');
}

static void value_array(struct buf *text, const json_t *array)
{
	buf_add_char(text, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			buf_add_char(text, ' ');
		go_value(text, json_array_get(array, i));
	}
	buf_add_char(text, ']');
}

void go_value(struct buf *text, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		value_object(text, value);
		break;
	case JSON_ARRAY:
		value_array(text, value);
		break;
	case JSON_STRING:
		buf_add_str(text, json_string_value(value));
		break;
	case JSON_INTEGER:
		buf_printf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		buf_printf(text, "%.15g", json_real_value(value));
		break;
	case JSON_TRUE:
		buf_add_str(text, "true");
		break;
	case JSON_FALSE:
		buf_add_str(text, "false");
		break;
	case JSON_NULL:
		buf_add_str(text, "<nil>");
		break;
	}
}

void go_quote(struct buf *text, const char *string)
{
	static const char letters[] = "abtnvfr"; /* from \a = 7 */

	buf_add_char(text, '"');
	for (const char *c = string; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte == '"' || byte == '\\')
			buf_printf(text, "\\%c", byte);
		else if (byte >= 7 && byte <= 13)
			buf_printf(text, "\\%c", letters[byte - 7]);
		else if (byte < 0x20 || byte == 0x7f)
			buf_printf(text, "\\x%02x", byte);
		else
			buf_add_char(text, *c);
	}
	buf_add_char(text, '"');
}
