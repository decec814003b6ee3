/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON as Go's decoder does, with its error texts: people see them. */
#include "cli/value.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>

#include "base/secret.h"
#include "base/text.h"

#define DEPTH_MAX 256

struct parser {
	const char *at, *end;
	char *why;
	size_t why_size;
	unsigned depth;
};

static struct value *parse_value(struct parser *parser);

static void skip_blanks(struct parser *parser)
{
	while (parser->at < parser->end && strchr(" \t\r\n", *parser->at) && *parser->at)
		parser->at++;
}

/* Tells what is wrong with the next character. Always false. */
static bool bad(struct parser *parser, const char *context)
{
	unsigned char c;

	if (parser->at >= parser->end) {
		snprintf(parser->why, parser->why_size, "unexpected EOF");
		return false;
	}
	c = (unsigned char)*parser->at;
	if (c == '\'')
		snprintf(parser->why, parser->why_size, "invalid character '\\'' %s", context);
	else if (c == '\n' || c == '\r' || c == '\t')
		snprintf(parser->why, parser->why_size, "invalid character '\\%c' %s",
		    c == '\n'	? 'n'
		    : c == '\r' ? 'r'
				: 't',
		    context);
	else if (c < 0x20 || c == 0x7f)
		snprintf(parser->why, parser->why_size, "invalid character '\\x%02x' %s", c, context);
	else if (c >= 0x80) /* Go shows a byte as the character of that number */
		snprintf(parser->why, parser->why_size, "invalid character '%c%c' %s", 0xc0 | c >> 6, 0x80 | (c & 0x3f),
		    context);
	else
		snprintf(parser->why, parser->why_size, "invalid character '%c' %s", c, context);
	return false;
}

static void add_utf8(struct buf *text, uint32_t c)
{
	if (c < 0x80) {
		buf_add_char(text, (char)c);
	} else if (c < 0x800) {
		buf_add_char(text, (char)(0xc0 | c >> 6));
		buf_add_char(text, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(text, (char)(0xe0 | c >> 12));
		buf_add_char(text, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(text, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(text, (char)(0xf0 | c >> 18));
		buf_add_char(text, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(text, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(text, (char)(0x80 | (c & 0x3f)));
	}
}

static bool read_hex(struct parser *parser, uint32_t *ret)
{
	uint32_t c = 0;

	for (int i = 0; i < 4; i++, parser->at++) {
		int digit = parser->at < parser->end ? hex_digit(*parser->at) : -1;

		if (digit < 0)
			return bad(parser, "in \\u hexadecimal character escape");
		c = c * 16 + (uint32_t)digit;
	}
	*ret = c;
	return true;
}

/* After "\u": one code point, of two escapes where they are a surrogate pair. */
static bool read_unicode(struct parser *parser, struct buf *text)
{
	uint32_t c, low;

	if (!read_hex(parser, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00 && parser->end - parser->at >= 6 && parser->at[0] == '\\' &&
	    parser->at[1] == 'u') {
		const char *back = parser->at;

		parser->at += 2;
		if (!read_hex(parser, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		else
			parser->at = back;
	}
	add_utf8(text, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return true;
}

static bool read_escape(struct parser *parser, struct buf *text)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (parser->at >= parser->end)
		return bad(parser, "");
	if (*parser->at == 'u') {
		parser->at++;
		return read_unicode(parser, text);
	}
	found = *parser->at ? strchr(from, *parser->at) : NULL;
	if (!found)
		return bad(parser, "in string escape code");
	buf_add_char(text, to[found - from]);
	parser->at++;
	return true;
}

/* The text of a string, from its opening quotation mark on. */
static bool read_string(struct parser *parser, struct buf *text)
{
	parser->at++;
	for (;;) {
		const char *from = parser->at;

		while (parser->at < parser->end && (unsigned char)*parser->at >= 0x20 && *parser->at != '"' &&
		       *parser->at != '\\')
			parser->at++;
		buf_add(text, from, (size_t)(parser->at - from));
		if (parser->at >= parser->end || (unsigned char)*parser->at < 0x20)
			return bad(parser, "in string literal");
		if (*parser->at++ == '"')
			break;
		if (!read_escape(parser, text))
			return false;
	}
	if (text->failed)
		abort();
	return true;
}

/* TEXT with U+FFFD for each byte that is no part of UTF-8. */
static void mend_utf8(struct buf *text)
{
	struct buf mended = { 0 };

	if (utf8_valid(text->data ? text->data : "", text->len))
		return;
	utf8_mend(text->data, text->len, &mended);
	buf_free(text);
	*text = mended;
}

static struct value *parse_string(struct parser *parser)
{
	AUTO_BUF struct buf text = { 0 };

	if (!read_string(parser, &text))
		return NULL;
	mend_utf8(&text);
	return value_string_n(text.data ? text.data : "", text.len);
}

static struct value *parse_word(struct parser *parser, const char *word, enum value_type type)
{
	for (size_t i = 0; word[i]; i++, parser->at++) {
		char context[64];

		if (parser->at < parser->end && *parser->at == word[i])
			continue;
		snprintf(context, sizeof(context), "in literal %s (expecting '%c')", word, word[i]);
		bad(parser, context);
		return NULL;
	}
	return value_new(type);
}

static bool skip_digits(struct parser *parser, const char *context)
{
	if (parser->at >= parser->end || !isdigit((unsigned char)*parser->at))
		return bad(parser, context);
	while (parser->at < parser->end && isdigit((unsigned char)*parser->at))
		parser->at++;
	return true;
}

static struct value *parse_number(struct parser *parser)
{
	const char *from = parser->at;
	struct value *value;

	if (*parser->at == '-')
		parser->at++;
	if (parser->at < parser->end && *parser->at == '0')
		parser->at++;
	else if (!skip_digits(parser, "in numeric literal"))
		return NULL;
	if (parser->at < parser->end && *parser->at == '.') {
		parser->at++;
		if (!skip_digits(parser, "after decimal point in numeric literal"))
			return NULL;
	}
	if (parser->at < parser->end && (*parser->at | 0x20) == 'e') {
		parser->at++;
		if (parser->at < parser->end && (*parser->at == '+' || *parser->at == '-'))
			parser->at++;
		if (!skip_digits(parser, "in exponent of numeric literal"))
			return NULL;
	}
	value = value_string_n(from, (size_t)(parser->at - from));
	value->type = VALUE_NUMBER;
	return value;
}

/* One "key": value of MAP. */
static bool parse_member(struct parser *parser, struct value *map)
{
	AUTO_BUF struct buf key = { 0 };
	struct value *item;

	if (parser->at >= parser->end || *parser->at != '"')
		return bad(parser, "looking for beginning of object key string");
	if (!read_string(parser, &key))
		return false;
	skip_blanks(parser);
	if (parser->at >= parser->end || *parser->at != ':')
		return bad(parser, "after object key");
	parser->at++;
	item = parse_value(parser);
	if (!item)
		return false;
	mend_utf8(&key);
	value_set(map, key.data ? key.data : "", item);
	return true;
}

static struct value *parse_many(struct parser *parser, enum value_type type)
{
	const char close = type == VALUE_MAP ? '}' : ']';
	AUTO_VALUE struct value *many = value_new(type);

	parser->at++;
	skip_blanks(parser);
	if (parser->at < parser->end && *parser->at == close) {
		parser->at++;
		return TAKE_PTR(many);
	}
	for (;;) {
		if (type == VALUE_MAP) {
			skip_blanks(parser);
			if (!parse_member(parser, many))
				return NULL;
		} else {
			struct value *item = parse_value(parser);

			if (!item)
				return NULL;
			value_add(many, item);
		}
		skip_blanks(parser);
		if (parser->at >= parser->end || (*parser->at != ',' && *parser->at != close)) {
			bad(parser, type == VALUE_MAP ? "after object key:value pair" : "after array element");
			return NULL;
		}
		if (*parser->at++ == close)
			return TAKE_PTR(many);
	}
}

static struct value *parse_value(struct parser *parser)
{
	struct value *value;

	skip_blanks(parser);
	if (parser->at >= parser->end) {
		bad(parser, "");
		return NULL;
	}
	switch (*parser->at) {
	case '{':
	case '[':
		if (++parser->depth > DEPTH_MAX) {
			snprintf(parser->why, parser->why_size, "exceeded max depth");
			return NULL;
		}
		value = parse_many(parser, *parser->at == '{' ? VALUE_MAP : VALUE_LIST);
		parser->depth--;
		return value;
	case '"':
		return parse_string(parser);
	case 't':
		return parse_word(parser, "true", VALUE_TRUE);
	case 'f':
		return parse_word(parser, "false", VALUE_FALSE);
	case 'n':
		return parse_word(parser, "null", VALUE_NULL);
	default:
		if (*parser->at == '-' || isdigit((unsigned char)*parser->at))
			return parse_number(parser);
		bad(parser, "looking for beginning of value");
		return NULL;
	}
}

struct value *value_parse(const char *text, size_t len, char *why, size_t why_size)
{
	struct parser parser = { .at = text, .end = text + len, .why = why, .why_size = why_size };

	skip_blanks(&parser);
	if (parser.at >= parser.end) {
		snprintf(why, why_size, "EOF");
		return NULL;
	}
	return parse_value(&parser);
}
