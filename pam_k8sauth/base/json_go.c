/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as Go's encoder writes it; see json_go.h. */
#include "base/json_go.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

void json_go_string(const char *text, size_t len, struct buf *ret)
{
	size_t plain = 0;

	buf_reserve(ret, len + 2);
	buf_add_char(ret, '"');
	for (size_t i = 0; i < len; i++) {
		static const char escaped[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
		unsigned char c = (unsigned char)text[i];
		const char *found;

		if (c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0xe2)
			continue;
		/* U+2028 and U+2029 end a line in JavaScript. */
		if (c == 0xe2 && (len - i < 3 || text[i + 1] != '\x80' || (text[i + 2] & ~1) != '\xa8'))
			continue;
		buf_add(ret, text + plain, i - plain);
		found = c ? strchr(escaped, c) : NULL;
		if (found)
			buf_printf(ret, "\\%c", names[found - escaped]);
		else if (c == 0xe2)
			buf_printf(ret, "\\u202%d", (text[i + 2] & 1) + 8);
		else
			buf_printf(ret, "\\u%04x", c);
		i += c == 0xe2 ? 2 : 0;
		plain = i + 1;
	}
	buf_add(ret, text + plain, len - plain);
	buf_add_char(ret, '"');
}

/* VALUE with the fewest digits that it is read back from: "d.ddde+xx". */
static void shortest(double value, char *text, size_t size)
{
	for (int precision = 0; precision <= 16; precision++) {
		double back;

		snprintf(text, size, "%.*e", precision, value);
		back = strtod(text, NULL);
		if (!(back < value) && !(back > value))
			return;
	}
}

/* Without an exponent from 1e-6 up to 1e21, as Go. */
static void encode_real(double value, struct buf *ret)
{
	char text[40], digits[24], *mark;
	int exponent, n = 0;

	shortest(value, text, sizeof(text));
	mark = strchr(text, 'e');
	if (!mark) {
		buf_add_str(ret, "null"); /* neither infinity nor NaN can come out of JSON */
		return;
	}
	exponent = atoi(mark + 1);
	for (const char *c = text; c < mark; c++)
		if (*c >= '0' && *c <= '9')
			digits[n++] = *c;
	if (text[0] == '-')
		buf_add_char(ret, '-');
	if (exponent < -6 || exponent >= 21) {
		const char *first = text + (text[0] == '-');

		buf_add(ret, first, (size_t)(mark - first));
		buf_printf(ret, "e%+d", exponent);
		return;
	}
	if (exponent < 0)
		buf_printf(ret, "0.%.*s", -exponent - 1, "00000");
	for (int i = 0; i < n || i <= exponent; i++) {
		if (i > 0 && i == exponent + 1)
			buf_add_char(ret, '.');
		buf_add_char(ret, i < n ? digits[i] : '0');
	}
}

void json_go_encode(const json_t *value, struct buf *ret)
{
	json_t *members = (json_t *)(uintptr_t)value; /* jansson's iterators take no const */
	const char *key;
	json_t *member;
	bool first = true;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		buf_add_char(ret, '{');
		json_object_foreach(members, key, member)
		{
			buf_add_str(ret, first ? "" : ",");
			json_go_string(key, strlen(key), ret);
			buf_add_char(ret, ':');
			json_go_encode(member, ret);
			first = false;
		}
		buf_add_char(ret, '}');
		break;
	case JSON_ARRAY:
		buf_add_char(ret, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			buf_add_str(ret, i == 0 ? "" : ",");
			json_go_encode(json_array_get(value, i), ret);
		}
		buf_add_char(ret, ']');
		break;
	case JSON_STRING:
		json_go_string(json_string_value(value), json_string_length(value), ret);
		break;
	case JSON_INTEGER:
		buf_printf(ret, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		encode_real(json_real_value(value), ret);
		break;
	default:
		buf_add_str(ret, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
	}
}
