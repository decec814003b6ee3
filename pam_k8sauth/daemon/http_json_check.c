/* SPDX-License-Identifier: Apache-2.0 */
/* The second look at a JSON body: the grammar, with the faults in Go's words; see http_json_check.h. */
#include "daemon/http_json_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json_quick.h"

#define PREFIX "error parsing JSON: failed to parse JSON input: "

struct check {
	const char *at, *end;
	char *error;
};

/* Refuses at the byte under the reader: WHERE is "looking for beginning of value" and the like. */
static int unexpected(struct check *check, const char *where)
{
	unsigned char c;
	char shown[8];

	if (check->at == check->end) {
		snprintf(check->error, HTTP_JSON_ERROR_SIZE, PREFIX "unexpected EOF");
		return 400;
	}
	c = (unsigned char)*check->at;
	if (c == '\'' || c == '\\')
		snprintf(shown, sizeof(shown), "\\%c", c);
	else if (c >= 7 && c <= 13)
		snprintf(shown, sizeof(shown), "\\%c", "abtnvfr"[c - 7]);
	else if (c < ' ' || c == 0x7f)
		snprintf(shown, sizeof(shown), "\\x%02x", c);
	else if (c < 0x80)
		snprintf(shown, sizeof(shown), "%c", c);
	else if (c < 0xa0)
		snprintf(shown, sizeof(shown), "\\u00%02x", c);
	else
		snprintf(shown, sizeof(shown), "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
	snprintf(check->error, HTTP_JSON_ERROR_SIZE, PREFIX "invalid character '%s' %s", shown, where);
	return 400;
}

static bool is_at(const struct check *check, char c)
{
	return check->at < check->end && *check->at == c;
}

static bool is_at_one_of(const struct check *check, const char *set)
{
	return check->at < check->end && *check->at && strchr(set, *check->at);
}

static void skip_blanks(struct check *check)
{
	while (is_at_one_of(check, " \t\r\n"))
		check->at++;
}

/* From the backslash to the last character of the escape. */
static int check_escape(struct check *check)
{
	check->at++;
	if (!is_at_one_of(check, "\"\\/bfnrtu"))
		return unexpected(check, "in string escape code");
	for (int digits = *check->at == 'u' ? 4 : 0; digits > 0; digits--) {
		check->at++;
		if (!is_at_one_of(check, "0123456789abcdefABCDEF"))
			return unexpected(check, "in \\u hexadecimal character escape");
	}
	return 0;
}

static int check_string(struct check *check)
{
	for (check->at++; !is_at(check, '"'); check->at++) {
		int r = 0;

		check->at += json_plain_len(check->at, (size_t)(check->end - check->at));
		if (is_at(check, '"'))
			break;
		if (check->at == check->end || (unsigned char)*check->at < ' ')
			return unexpected(check, "in string literal");
		if (*check->at == '\\')
			r = check_escape(check);
		if (r)
			return r;
	}
	check->at++;
	return 0;
}

static bool skip_digits(struct check *check)
{
	const char *start = check->at;

	while (is_at_one_of(check, "0123456789"))
		check->at++;
	return check->at > start;
}

static int check_number(struct check *check)
{
	if (is_at(check, '-'))
		check->at++;
	if (is_at(check, '0'))
		check->at++;
	else if (!skip_digits(check))
		return unexpected(check, "in numeric literal");
	if (is_at(check, '.')) {
		check->at++;
		if (!skip_digits(check))
			return unexpected(check, "after decimal point in numeric literal");
	}
	if (is_at_one_of(check, "eE")) {
		check->at++;
		if (is_at_one_of(check, "+-"))
			check->at++;
		if (!skip_digits(check))
			return unexpected(check, "in exponent of numeric literal");
	}
	return 0;
}

static int check_word(struct check *check, const char *word)
{
	char where[48];

	for (const char *c = word; *c; c++, check->at++) {
		snprintf(where, sizeof(where), "in literal %s (expecting '%c')", word, *c);
		if (!is_at(check, *c))
			return unexpected(check, where);
	}
	return 0;
}

static int check_value(struct check *check);

/* The key and the colon of a member. */
static int check_key(struct check *check)
{
	int r;

	if (!is_at(check, '"'))
		return unexpected(check, "looking for beginning of object key string");
	r = check_string(check);
	if (r)
		return r;
	skip_blanks(check);
	if (!is_at(check, ':'))
		return unexpected(check, "after object key");
	check->at++;
	return 0;
}

/* The depth is bounded by the loose check. */
static int check_container(struct check *check, bool object)
{
	char close = object ? '}' : ']';

	check->at++;
	skip_blanks(check);
	if (is_at(check, close)) {
		check->at++;
		return 0;
	}
	for (;;) {
		int r = object ? check_key(check) : 0;

		if (r == 0)
			r = check_value(check);
		if (r)
			return r;
		skip_blanks(check);
		if (is_at(check, close)) {
			check->at++;
			return 0;
		}
		if (!is_at(check, ','))
			return unexpected(check, object ? "after object key:value pair" : "after array element");
		check->at++;
		skip_blanks(check);
	}
}

static int check_value(struct check *check)
{
	skip_blanks(check);
	switch (check->at < check->end ? *check->at : 0) {
	case '{':
	case '[':
		return check_container(check, *check->at == '{');
	case '"':
		return check_string(check);
	case 't':
		return check_word(check, "true");
	case 'f':
		return check_word(check, "false");
	case 'n':
		return check_word(check, "null");
	default:
		if (is_at_one_of(check, "-0123456789"))
			return check_number(check);
		return unexpected(check, "looking for beginning of value");
	}
}

int http_json_check(const char *text, size_t len, char *ret_type, char error[static HTTP_JSON_ERROR_SIZE])
{
	struct check check = { .at = text, .end = text + len, .error = error };

	skip_blanks(&check);
	*ret_type = check.at < check.end ? *check.at : '\0';
	return check.at < check.end ? check_value(&check) : 0;
}
