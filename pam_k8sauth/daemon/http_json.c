/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON request bodies; see http_json.h. A scan first, for the texts (they are Go's) and the depth; then jansson builds
 * the tree, so that no value depends on code of ours.
 */
#include "daemon/http_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json_quick.h"

#define PREFIX "error parsing JSON: failed to parse JSON input: "

struct scan {
	const char *at, *end;
	bool object; /* the body starts like an object */
	bool big;    /* an integer may be beyond 64 bits */
	unsigned tokens;
	int status;
	char *error;
};

/* Refuses at the byte under the scan: WHERE is "looking for beginning of value" and the like. */
static int unexpected(struct scan *scan, int status, const char *where)
{
	unsigned char c = (unsigned char)*scan->at;
	const char *prefix;
	char shown[8];

	if (!scan->object)
		status = 400;
	prefix = status == 400 ? PREFIX : "";
	snprintf(shown, sizeof(shown), c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
	snprintf(scan->error, HTTP_JSON_ERROR_SIZE, "%sinvalid character '%s' %s", prefix, shown, where);
	scan->status = status;
	return -EBADMSG;
}

static int malformed(struct scan *scan, const char *text)
{
	scan->status = scan->object ? 500 : 400;
	snprintf(scan->error, HTTP_JSON_ERROR_SIZE, "%s%s", scan->object ? "" : PREFIX, text);
	return -EBADMSG;
}

static bool skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at && strchr(" \t\r\n", *scan->at))
		scan->at++;
	return scan->at < scan->end;
}

static int scan_escape(struct scan *scan)
{
	if (++scan->at == scan->end)
		return malformed(scan, "malformed JSON, unclosed string");
	if (*scan->at == 'u') {
		for (int i = 0; i < 4; i++) {
			if (++scan->at == scan->end)
				return malformed(scan, "malformed JSON, unclosed string");
			if (!*scan->at || !strchr("0123456789abcdefABCDEF", *scan->at))
				return unexpected(scan, 500, "in string escape code");
		}
	} else if (!*scan->at || !strchr("\"\\/bfnrt", *scan->at)) {
		return unexpected(scan, 500, "in string escape code");
	}
	scan->at++;
	return 0;
}

static int scan_string(struct scan *scan)
{
	scan->at++;
	while (scan->at < scan->end && *scan->at != '"') {
		if ((unsigned char)*scan->at < ' ')
			return unexpected(scan, 400, "in string literal");
		if (*scan->at != '\\')
			scan->at++;
		else if (scan_escape(scan) < 0)
			return -EBADMSG;
	}
	if (scan->at == scan->end)
		return malformed(scan, "malformed JSON, unclosed string");
	scan->at++;
	return 0;
}

static size_t scan_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return (size_t)(scan->at - start);
}

static int scan_number(struct scan *scan)
{
	bool whole = true, bad;
	const char *number;
	size_t digits;

	scan->at += *scan->at == '-';
	number = scan->at;
	if (scan->at < scan->end && *scan->at == '0') {
		scan->at++;
		digits = 1;
	} else {
		digits = scan_digits(scan);
	}
	bad = digits == 0;
	if (!bad && scan->at < scan->end && *scan->at == '.') {
		whole = false;
		scan->at++;
		bad = scan_digits(scan) == 0;
	}
	if (!bad && scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
		whole = false;
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		bad = scan_digits(scan) == 0;
	}
	if (bad)
		return malformed(scan, "malformed JSON, invalid number syntax");
	if (whole && (digits > 19 || (digits == 19 && strncmp(number, "9223372036854775807", 19) > 0)))
		scan->big = true;
	return 0;
}

static int scan_word(struct scan *scan, const char *word)
{
	char where[48];

	for (const char *c = word; *c; c++, scan->at++) {
		if (scan->at == scan->end)
			return malformed(scan, "malformed JSON, unclosed containers");
		if (*scan->at != *c) {
			snprintf(where, sizeof(where), "in literal %s (expecting '%c')", word, *c);
			return unexpected(scan, 400, where);
		}
	}
	return 0;
}

static int count_token(struct scan *scan)
{
	return ++scan->tokens > HTTP_JSON_TOKENS_MAX ? malformed(scan, "JSON payload exceeds allowed token count") : 0;
}

static int scan_value(struct scan *scan, unsigned depth);

/* The key and the colon of a member. */
static int scan_key(struct scan *scan)
{
	if (!skip_blanks(scan))
		return malformed(scan, "malformed JSON, unclosed containers");
	/* Vault sees two faults here: no value at all, and one that is no string. */
	if (*scan->at != '"' && (!*scan->at || !strchr("{[tfn-0123456789", *scan->at)))
		return unexpected(scan, 500, "looking for beginning of value");
	if (*scan->at != '"')
		return unexpected(scan, 400, "looking for beginning of object key string");
	if (count_token(scan) < 0 || scan_string(scan) < 0)
		return -EBADMSG;
	if (!skip_blanks(scan))
		return malformed(scan, "malformed JSON, unclosed containers");
	if (*scan->at != ':')
		return unexpected(scan, 400, "after object key");
	scan->at++;
	return 0;
}

static int scan_container(struct scan *scan, bool object, unsigned depth)
{
	char close = object ? '}' : ']';

	if (depth == HTTP_JSON_DEPTH_MAX)
		return malformed(scan, "JSON input exceeds allowed nesting depth");
	scan->at++;
	if (!skip_blanks(scan))
		return malformed(scan, "malformed JSON, unclosed containers");
	if (*scan->at == close) {
		scan->at++;
		return 0;
	}
	for (unsigned count = 1;; count++) {
		if (count > HTTP_JSON_COUNT_MAX)
			return malformed(scan, object ? "JSON object exceeds allowed entry count"
						      : "JSON array exceeds allowed element count");
		if ((object && scan_key(scan) < 0) || scan_value(scan, depth + 1) < 0)
			return -EBADMSG;
		if (!skip_blanks(scan))
			return malformed(scan, "malformed JSON, unclosed containers");
		if (*scan->at == close) {
			scan->at++;
			return 0;
		}
		if (*scan->at != ',')
			return unexpected(scan, 500, object ? "after object key-value pair" : "after array element");
		scan->at++;
		if (skip_blanks(scan) && *scan->at == close)
			return unexpected(scan, 500, object ? "after object key-value pair" : "after array element");
	}
}

static int scan_value(struct scan *scan, unsigned depth)
{
	if (!skip_blanks(scan))
		return malformed(scan, "malformed JSON, unclosed containers");
	if (count_token(scan) < 0)
		return -EBADMSG;
	switch (*scan->at) {
	case '{':
	case '[':
		return scan_container(scan, *scan->at == '{', depth);
	case '"':
		return scan_string(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		if (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))
			return scan_number(scan);
		return unexpected(scan, 500, "looking for beginning of value");
	}
}

/* What Go calls the type of a value that starts with C. */
static const char *go_type(char c)
{
	switch (c) {
	case '[':
		return "array";
	case '"':
		return "string";
	case 't':
	case 'f':
		return "bool";
	default:
		return "number";
	}
}

/* A real that is a whole number becomes an integer, as Go prints it. NULL: VALUE stays. */
static json_t *whole_real(json_t *value)
{
	double real = json_is_real(value) ? json_real_value(value) : 0.5;
	json_int_t whole;

	if (!(real > -9007199254740992.0 && real < 9007199254740992.0))
		return NULL;
	whole = (json_int_t)real;
	return (double)whole < real || (double)whole > real ? NULL : json_integer(whole);
}

/* The depth is bounded by the scan. */
static void normalise(json_t *value)
{
	const char *key;
	json_t *member, *whole;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach(value, key, member)
		{
			whole = whole_real(member);
			if (whole)
				json_object_set_new(value, key, whole);
			else
				normalise(member);
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			whole = whole_real(member);
			if (whole)
				json_array_set_new(value, i, whole);
			else
				normalise(member);
		}
	}
}

/* Why jansson refuses what the scan let pass. */
static int explain(const json_error_t *why, char *error)
{
	const char *near;

	switch (json_error_code(why)) {
	case json_error_duplicate_key:
		/* The text ends in: near '"key"'. */
		near = strstr(why->text, "near '\"");
		near = near ? near + 7 : "";
		snprintf(error, HTTP_JSON_ERROR_SIZE, "duplicate key '%.*s' in object", (int)strcspn(near, "\""), near);
		return 500;
	case json_error_out_of_memory:
		snprintf(error, HTTP_JSON_ERROR_SIZE, "out of memory");
		return 503;
	case json_error_null_character:
		snprintf(error, HTTP_JSON_ERROR_SIZE, PREFIX "\\u0000 in a string");
		return 400;
	case json_error_invalid_utf8:
		snprintf(error, HTTP_JSON_ERROR_SIZE, PREFIX "invalid UTF-8 in a string");
		return 400;
	case json_error_numeric_overflow:
		snprintf(error, HTTP_JSON_ERROR_SIZE, PREFIX "number out of range");
		return 400;
	default:
		snprintf(error, HTTP_JSON_ERROR_SIZE, "malformed JSON, unterminated surrogate pair in string");
		return 500;
	}
}

int http_json_decode(const char *text, size_t len, json_t **ret, char error[static HTTP_JSON_ERROR_SIZE])
{
	struct scan scan = { .at = text, .end = text + len, .error = error };
	const char *start;
	json_error_t why;
	json_t *object;

	*ret = NULL;
	if (!skip_blanks(&scan))
		return 0;
	start = scan.at;
	scan.object = *start == '{';
	if (scan_value(&scan, 0) < 0)
		return scan.status;
	if (skip_blanks(&scan)) {
		unexpected(&scan, 500, "after top-level value");
		return scan.status;
	}
	if (*start == 'n')
		return 0;
	if (!scan.object) {
		snprintf(error, HTTP_JSON_ERROR_SIZE,
		    PREFIX "json: cannot unmarshal %s into Go value of type map[string]interface {}", go_type(*start));
		return 400;
	}
	object = json_quick_loadb(text, len, JSON_REJECT_DUPLICATES | (scan.big ? JSON_DECODE_INT_AS_REAL : 0), &why);
	if (!object)
		return explain(&why, error);
	normalise(object);
	*ret = object;
	return 0;
}

static void encode_string(const char *text, size_t len, struct buf *ret)
{
	size_t plain = 0;

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

static void encode_real(double value, struct buf *ret)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		double back;

		snprintf(text, sizeof(text), "%.*g", digits, value);
		back = strtod(text, NULL);
		if (!(back < value) && !(back > value))
			break;
	}
	buf_add_str(ret, text);
}

void http_json_encode(const json_t *value, struct buf *ret)
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
			encode_string(key, strlen(key), ret);
			buf_add_char(ret, ':');
			http_json_encode(member, ret);
			first = false;
		}
		buf_add_char(ret, '}');
		break;
	case JSON_ARRAY:
		buf_add_char(ret, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			buf_add_str(ret, i == 0 ? "" : ",");
			http_json_encode(json_array_get(value, i), ret);
		}
		buf_add_char(ret, ']');
		break;
	case JSON_STRING:
		encode_string(json_string_value(value), json_string_length(value), ret);
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
