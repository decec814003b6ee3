/* SPDX-License-Identifier: Apache-2.0 */
/* Values as Go's json.Marshal and fmt print them. */
#include "cli/value.h"

#include <stdio.h>

#include "base/secret.h"
#include "base/text.h"

/* The length of the valid UTF-8 sequence at TEXT, 0 if there is none. */
static size_t utf8_length(const char *text, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		if (utf8_valid(text, n))
			return n;
	}
	return 0;
}

static void add_control(struct buf *text, unsigned char c)
{
	static const char from[] = "\b\f\n\r\t", to[] = "bfnrt";
	const char *found = c ? strchr(from, c) : NULL;

	if (found)
		buf_printf(text, "\\%c", to[found - from]);
	else
		buf_printf(text, "\\u%04x", c);
}

static void add_json_string(struct buf *text, const char *string, size_t len)
{
	buf_add_char(text, '"');
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)string[i];

		n = 1;
		if (c < 0x20 || c == '<' || c == '>' || c == '&') {
			add_control(text, c);
		} else if (c == '"' || c == '\\') {
			buf_printf(text, "\\%c", c);
		} else if (c < 0x80) {
			buf_add_char(text, (char)c);
		} else if ((n = utf8_length(string + i, len - i)) == 0) {
			buf_add_str(text, "\\ufffd");
			n = 1;
		} else if (n == 3 &&
			   (memcmp(string + i, "\xe2\x80\xa8", n) == 0 || memcmp(string + i, "\xe2\x80\xa9", n) == 0)) {
			buf_add_str(text, string[i + 2] == '\xa8' ? "\\u2028" : "\\u2029");
		} else {
			buf_add(text, string + i, n);
		}
	}
	buf_add_char(text, '"');
}

static void add_line(struct buf *text, bool indent, int depth)
{
	if (!indent)
		return;
	buf_add_char(text, '\n');
	for (int i = 0; i < depth; i++)
		buf_add_str(text, "  ");
}

static void add_json(struct buf *text, const struct value *value, bool indent, int depth)
{
	AUTO_FREE size_t *order = NULL;
	const char *brackets = value->type == VALUE_MAP ? "{}" : "[]";

	switch (value->type) {
	case VALUE_NULL:
		buf_add_str(text, "null");
		return;
	case VALUE_TRUE:
	case VALUE_FALSE:
		buf_add_str(text, value->type == VALUE_TRUE ? "true" : "false");
		return;
	case VALUE_NUMBER:
		buf_add_str(text, value->text);
		return;
	case VALUE_STRING:
		add_json_string(text, value->text, value->len);
		return;
	default:
		break;
	}
	buf_add_char(text, brackets[0]);
	if (value->type == VALUE_MAP)
		order = value_order(value);
	for (size_t i = 0; i < value->n; i++) {
		size_t at = order ? order[i] : i;

		if (i > 0)
			buf_add_char(text, ',');
		add_line(text, indent, depth + 1);
		if (order) {
			add_json_string(text, value->keys[at], strlen(value->keys[at]));
			buf_add_str(text, indent ? ": " : ":");
		}
		add_json(text, value->items[at], indent, depth + 1);
	}
	if (value->n > 0)
		add_line(text, indent, depth);
	buf_add_char(text, brackets[1]);
}

void value_add_json(struct buf *text, const struct value *value, bool indent)
{
	add_json(text, value, indent, 0);
}

void value_add_go(struct buf *text, const struct value *value)
{
	AUTO_FREE size_t *order = NULL;

	if (!value || value->type == VALUE_NULL) {
		buf_add_str(text, "<nil>");
		return;
	}
	if (value->text) {
		buf_add(text, value->text, value->len);
		return;
	}
	if (value->type == VALUE_TRUE || value->type == VALUE_FALSE) {
		buf_add_str(text, value->type == VALUE_TRUE ? "true" : "false");
		return;
	}
	if (value->type == VALUE_MAP)
		order = value_order(value);
	buf_add_str(text, order ? "map[" : "[");
	for (size_t i = 0; i < value->n; i++) {
		size_t at = order ? order[i] : i;

		if (i > 0)
			buf_add_char(text, ' ');
		if (order)
			buf_printf(text, "%s:", value->keys[at]);
		value_add_go(text, value->items[at]);
	}
	buf_add_char(text, ']');
}

static char *take(struct buf *text)
{
	char *taken = buf_take(text);

	if (!taken)
		abort();
	return taken;
}

char *value_json(const struct value *value, bool indent)
{
	AUTO_BUF struct buf text = { 0 };

	value_add_json(&text, value, indent);
	return take(&text);
}

char *value_go(const struct value *value)
{
	AUTO_BUF struct buf text = { 0 };

	value_add_go(&text, value);
	return take(&text);
}

void value_add_quoted(struct buf *buf, const char *text)
{
	static const char from[] = "\a\b\f\n\r\t\v", to[] = "abfnrtv";
	size_t len = strlen(text);

	buf_add_char(buf, '"');
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];
		const char *found = strchr(from, c);

		n = utf8_length(text + i, len - i);
		if (n == 0) {
			buf_printf(buf, "\\x%02x", c);
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_printf(buf, "\\%c", c);
		} else if (found) {
			buf_printf(buf, "\\%c", to[found - from]);
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(buf, "\\x%02x", c);
		} else {
			buf_add(buf, text + i, n);
		}
	}
	buf_add_char(buf, '"');
}
