/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON request bodies; see http_json.h. The checks first, for limits and texts (http_json_check.h); then jansson builds
 * the tree, so that no value depends on code of ours.
 */
#include "daemon/http_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json_quick.h"

#define PREFIX "error parsing JSON: failed to parse JSON input: "

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

/* The depth is bounded by the check. */
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

/* Why jansson refuses what the checks let pass. */
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
	case json_error_null_byte_in_key:
		snprintf(error, HTTP_JSON_ERROR_SIZE, PREFIX "\\u0000 in a string");
		return 400;
	case json_error_invalid_utf8:
		snprintf(error, HTTP_JSON_ERROR_SIZE, PREFIX "invalid UTF-8 in a string");
		return 400;
	default:
		snprintf(error, HTTP_JSON_ERROR_SIZE, "malformed JSON, unterminated surrogate pair in string");
		return 500;
	}
}

int http_json_decode(const char *text, size_t len, json_t **ret, char error[static HTTP_JSON_ERROR_SIZE])
{
	json_error_t why;
	json_t *object;
	char type;
	int status = http_json_check_loosely(text, len, error);

	*ret = NULL;
	if (status == 0)
		status = http_json_check(text, len, &type, error);
	if (status || type == '\0' || type == 'n')
		return status;
	if (type != '{') {
		snprintf(error, HTTP_JSON_ERROR_SIZE,
		    PREFIX "json: cannot unmarshal %s into Go value of type map[string]interface {}", go_type(type));
		return 400;
	}
	object = json_quick_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!object && json_error_code(&why) == json_error_numeric_overflow) /* an integer beyond 64 bits */
		object = json_quick_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
	if (!object)
		return explain(&why, error);
	normalise(object);
	*ret = object;
	return 0;
}
