/* SPDX-License-Identifier: Apache-2.0 */
/* The first look at a JSON body: limits, and the faults that Vault finds there; see http_json_check.h. */
#include "daemon/http_json_check.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_quick.h"
#include "base/text.h"

#define NUMBER_MAX 256 /* characters of a number that an error text shows, and that we look at */

/* An object or array that is open. */
struct level {
	unsigned count;	   /* values begun in it: keys, or elements */
	bool object;	   /* else an array */
	bool wants_key;	   /* the next text is a key */
	bool after_comma;  /* nothing came after the last comma */
	bool has_open_key; /* a key without its value */
};

struct loose {
	const char *at, *end;
	char *error;
	unsigned tokens;
	unsigned depth;
	struct level levels[HTTP_JSON_DEPTH_MAX];
};

static int fail(struct loose *loose, const char *text)
{
	snprintf(loose->error, HTTP_JSON_ERROR_SIZE, "%s", text);
	return 500;
}

/* The byte under the reader, as a character of Latin-1. A NUL would end the text. */
static int unexpected(struct loose *loose, const char *where)
{
	unsigned char c = (unsigned char)*loose->at;
	char shown[8] = { (char)c };

	if (c == 0)
		snprintf(shown, sizeof(shown), "\\x00");
	else if (c >= 0x80)
		snprintf(shown, sizeof(shown), "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
	snprintf(loose->error, HTTP_JSON_ERROR_SIZE, "invalid character '%s' %s", shown, where);
	return 500;
}

static bool skip_blanks(struct loose *loose)
{
	while (loose->at < loose->end && *loose->at && strchr(" \t\r\n", *loose->at))
		loose->at++;
	return loose->at < loose->end;
}

/* The four digits behind "\u"; *RET is their value. */
static int take_digits(struct loose *loose, unsigned *ret)
{
	unsigned value = 0;
	int digit;

	for (int i = 0; i < 4; i++) {
		if (++loose->at == loose->end)
			return fail(loose, "malformed JSON, unterminated unicode escape in string");
		digit = hex_digit(*loose->at);
		if (digit < 0)
			return unexpected(loose, "in string escape code");
		value = value << 4 | (unsigned)digit;
	}
	*ret = value;
	return 0;
}

/* From the backslash to behind the escape. */
static int take_escape(struct loose *loose)
{
	unsigned value = 0;
	int r;

	if (++loose->at == loose->end)
		return fail(loose, "malformed JSON, unterminated escape sequence in string");
	if (*loose->at != 'u') {
		if (!*loose->at || !strchr("\"\\/bfnrt", *loose->at))
			return unexpected(loose, "in string escape code");
		loose->at++;
		return 0;
	}
	r = take_digits(loose, &value);
	if (r)
		return r;
	loose->at++;
	if (value >= 0xd800 && value < 0xdc00 && loose->at < loose->end && *loose->at == '"')
		return fail(loose, "malformed JSON, unterminated surrogate pair in string");
	return 0;
}

static int take_string(struct loose *loose)
{
	for (loose->at++; loose->at < loose->end && *loose->at != '"';) {
		size_t plain = json_plain_len(loose->at, (size_t)(loose->end - loose->at));
		int r = 0;

		loose->at += plain;
		if (plain)
			continue;
		if (*loose->at == '\\')
			r = take_escape(loose);
		else
			loose->at++;
		if (r)
			return r;
	}
	if (loose->at == loose->end)
		return fail(loose, "malformed JSON, unclosed string");
	loose->at++;
	return 0;
}

/* What Go's ParseFloat reads: the characters are digits, signs, dots and exponents only. */
static bool is_number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	return end != text && !*end && isfinite(value);
}

static int take_number(struct loose *loose)
{
	const char *start = loose->at;
	char number[NUMBER_MAX + 1];
	size_t len;

	if (*start == '0' && loose->end - start > 1 && isdigit((unsigned char)start[1])) {
		loose->at++;
		return unexpected(loose, "after top-level value");
	}
	while (loose->at < loose->end && *loose->at && strchr("0123456789+-.eE", *loose->at))
		loose->at++;
	len = (size_t)(loose->at - start);
	if (len > NUMBER_MAX)
		return fail(loose, "malformed JSON, invalid number syntax");
	memcpy(number, start, len);
	number[len] = '\0';
	if (is_number(number))
		return 0;
	snprintf(loose->error, HTTP_JSON_ERROR_SIZE, "malformed JSON, invalid number syntax for '%s'", number);
	return 500;
}

static int open_level(struct loose *loose, bool object)
{
	if (loose->depth == HTTP_JSON_DEPTH_MAX)
		return fail(loose, "JSON input exceeds allowed nesting depth");
	loose->levels[loose->depth++] = (struct level){ .object = object, .wants_key = object };
	loose->at++;
	return 0;
}

/* The order of the checks is Vault's, and so is the brace that the second one shows. */
static int close_level(struct loose *loose)
{
	const struct level *level = &loose->levels[loose->depth - 1];
	bool object = *loose->at == '}';

	if (level->after_comma)
		return unexpected(loose, object ? "after object key-value pair" : "after array element");
	if (level->has_open_key)
		return fail(loose, "invalid character '}' after object key");
	if (object != level->object) {
		snprintf(loose->error, HTTP_JSON_ERROR_SIZE, "malformed JSON: mismatched closing delimiter '%c'",
		    *loose->at);
		return 500;
	}
	loose->at++;
	loose->depth--;
	return 0;
}

/* A key or a value begins in the innermost LEVEL. */
static int begin(struct loose *loose, struct level *level)
{
	bool text = *loose->at == '"', key = level->object && level->wants_key && text;

	level->after_comma = false;
	level->has_open_key = key;
	if (level->object)
		level->wants_key = !key;
	if (++loose->tokens > HTTP_JSON_TOKENS_MAX)
		return fail(loose, "JSON payload exceeds allowed token count");
	if ((key || !level->object) && ++level->count > HTTP_JSON_COUNT_MAX)
		return fail(loose, level->object ? "JSON object exceeds allowed entry count"
						 : "JSON array exceeds allowed element count");
	return 0;
}

/* A value or a key in the innermost level, or the opening of the outermost. */
static int take_value(struct loose *loose)
{
	char c = *loose->at;
	int r;

	if (c != '{' && c != '[' && c != '"' && c != 't' && c != 'f' && c != 'n' && c != '-' &&
	    !isdigit((unsigned char)c))
		return unexpected(loose, "looking for beginning of value");
	r = loose->depth ? begin(loose, &loose->levels[loose->depth - 1]) : 0;
	if (r)
		return r;
	if (c == '{' || c == '[')
		return open_level(loose, c == '{');
	if (c == '"')
		return take_string(loose);
	if (c == '-' || isdigit((unsigned char)c))
		return take_number(loose);
	/* A word, whatever it is: the grammar is looked at later. */
	while (loose->at < loose->end && (!*loose->at || !strchr(",]} \t\r\n", *loose->at)))
		loose->at++;
	return 0;
}

static int take_token(struct loose *loose)
{
	struct level *level = &loose->levels[loose->depth - 1];

	switch (*loose->at) {
	case '}':
	case ']':
		return close_level(loose);
	case ',':
		level->after_comma = true;
		level->wants_key = level->object;
		loose->at++;
		return 0;
	case ':':
		loose->at++;
		return 0;
	default:
		return take_value(loose);
	}
}

int http_json_check_loosely(const char *text, size_t len, char error[static HTTP_JSON_ERROR_SIZE])
{
	struct loose loose = { .at = text, .end = text + len, .error = error };
	int r;

	if (!skip_blanks(&loose) || (*loose.at != '{' && *loose.at != '['))
		return 0;
	r = take_value(&loose);
	while (r == 0 && loose.depth) {
		if (!skip_blanks(&loose))
			return fail(&loose, "malformed JSON, unclosed containers");
		r = take_token(&loose);
	}
	if (r == 0 && skip_blanks(&loose))
		return unexpected(&loose, "after top-level value");
	return r;
}
