/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as Go's encoder writes it; see json_go.h. */
#include "base/json_go.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/swar.h"

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0xe2;
}

/* How many bytes of TEXT, from its beginning, are written as they are. */
static size_t plain_len(const char *text, size_t len)
{
	size_t n = 0;

	for (uint64_t x; n + sizeof(x) <= len; n += sizeof(x)) {
		memcpy(&x, text + n, sizeof(x));
		if (swar_unprintable(x) | swar_zeros(x ^ SWAR_EACH('"')) | swar_zeros(x ^ SWAR_EACH('\\')) |
		    swar_zeros(x ^ SWAR_EACH('&')) | swar_zeros((x & ~SWAR_EACH('<' ^ '>')) ^ SWAR_EACH('<' & '>')))
			break;
	}
	while (n < len && is_plain((unsigned char)text[n]))
		n++;
	return n;
}

/* Appends the first of TEXT's bytes, which is not plain; how many it took. */
static size_t encode_special(const char *text, size_t len, struct buf *ret)
{
	static const char escaped[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	unsigned char c = (unsigned char)text[0];
	const char *found = c ? strchr(escaped, c) : NULL;

	if (found) {
		buf_add_char(ret, '\\');
		buf_add_char(ret, names[found - escaped]);
		return 1;
	}
	if (c != 0xe2) {
		buf_printf(ret, "\\u%04x", c);
		return 1;
	}
	/* U+2028 and U+2029 end a line in JavaScript. */
	if (len >= 3 && text[1] == '\x80' && (text[2] & ~1) == '\xa8') {
		buf_printf(ret, "\\u202%d", (text[2] & 1) + 8);
		return 3;
	}
	buf_add_char(ret, text[0]);
	return 1;
}

void json_go_string(const char *text, size_t len, struct buf *ret)
{
	buf_reserve(ret, len + 2);
	buf_add_char(ret, '"');
	while (len > 0) {
		size_t n = plain_len(text, len);

		buf_add(ret, text, n);
		if (n < len)
			n += encode_special(text + n, len - n, ret);
		text += n;
		len -= n;
	}
	buf_add_char(ret, '"');
}

/* As printf does it, which takes ten times as long; answers and audit entries are full of them. */
static void encode_integer(json_int_t value, struct buf *ret)
{
	char digits[sizeof("-9223372036854775808") - 1];
	size_t at = sizeof(digits);
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		digits[--at] = '-';
	buf_add(ret, digits + at, sizeof(digits) - at);
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
		encode_integer(json_integer_value(value), ret);
		break;
	case JSON_REAL:
		encode_real(json_real_value(value), ret);
		break;
	default:
		buf_add_str(ret, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
	}
}

const char *json_go_kind(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "bool";
	case JSON_NULL:
		break;
	}
	return "null";
}
