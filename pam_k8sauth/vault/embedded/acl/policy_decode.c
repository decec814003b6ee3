/* SPDX-License-Identifier: Apache-2.0 */
/* HCL values into the members of a rule; see rule.h. The texts are those of HCL1's decoder and of Go's fmt. */
#include "vault/embedded/acl/rule.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

int decode_fail(struct decoder *decoder, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&decoder->error, format, args);
	va_end(args);
	if (r < 0) {
		decoder->error = NULL;
		return -ENOMEM;
	}
	return -EINVAL;
}

int decode_fail_list(struct decoder *decoder, size_t n, const char *list)
{
	return decode_fail(decoder, "%zu error%s occurred:\n%s\n", n, n == 1 ? "" : "s", list);
}

void add_quoted(struct buf *out, const char *text)
{
	static const char letters[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";

	buf_add_char(out, '"');
	for (; *text; text++) {
		const char *value = strchr(values, *text);

		if (value)
			buf_printf(out, "\\%c", letters[value - values]);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned)*text);
		else
			buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

char *quoted(const char *text)
{
	AUTO_BUF struct buf out = { 0 };

	add_quoted(&out, text);
	return buf_take(&out);
}

static const char *ast_name(const struct hcl_value *value)
{
	switch (value->type) {
	case HCL_LIST:
		return "*ast.ListType";
	case HCL_OBJECT:
		return "*ast.ObjectType";
	default:
		return "*ast.LiteralType";
	}
}

/* `path "a": At 1:27: WHAT`; LABEL NULL: without the path. */
static int fail_at(
    struct decoder *decoder, const char *label, unsigned line, unsigned column, const char *what, const char *type)
{
	AUTO_FREE char *name = quoted(label ? label : "");
	char position[32] = "-";

	if (!name)
		return -ENOMEM;
	if (!decoder->json && line > 0)
		snprintf(position, sizeof(position), "%u:%u", line, column);
	if (!label)
		return decode_fail(decoder, "At %s: %s%s", position, what, type);
	return decode_fail(decoder, "path %s: At %s: %s%s", name, position, what, type);
}

/* The first item of BODY with KEY, NULL if there is none. */
static const struct hcl_item *decode_find(const struct hcl_value *body, const char *key)
{
	for (size_t i = 0; i < body->object.n; i++) {
		if (streq(body->object.items[i].keys[0], key))
			return &body->object.items[i];
	}
	return NULL;
}

/* A literal as text: HCL1 takes numbers for strings, but no other type. */
static int literal_text(const struct hcl_value *value, char **ret)
{
	char *text = NULL;

	if (value->type == HCL_STRING)
		text = strdup(value->string);
	else if (value->type != HCL_INT)
		return -EINVAL;
	else if (asprintf(&text, "%lld", value->integer) < 0)
		text = NULL;
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int decode_string(struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key,
    const char *field, char **ret)
{
	const struct hcl_item *item = decode_find(body, key);
	const struct hcl_value *value = item ? item->value : NULL;
	char what[96];
	int r;

	*ret = NULL;
	if (!value)
		return 0;
	r = literal_text(value, ret);
	if (r != -EINVAL)
		return r;
	snprintf(what, sizeof(what), "root.%s: unknown type for string ", field);
	if (value->type == HCL_OBJECT)
		return fail_at(decoder, label, 0, 0, what, "*ast.ObjectList");
	return fail_at(decoder, label, value->line, value->column, what, ast_name(value));
}

static int add_string(
    struct decoder *decoder, const char *label, const char *field, const struct hcl_value *value, json_t *list)
{
	AUTO_FREE char *text = NULL;
	char what[128];
	int r = literal_text(value, &text);

	if (r == 0)
		return json_array_append_new(list, json_string(text)) < 0 ? -ENOMEM : 0;
	if (r != -EINVAL)
		return r;
	snprintf(what, sizeof(what), "root.%s[%zu]: unknown type for string ", field, json_array_size(list));
	return fail_at(decoder, label, value->line, value->column, what, ast_name(value));
}

int decode_strings(struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key,
    const char *field, json_t **ret)
{
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;
	bool found = false;

	for (size_t i = 0; r == 0 && i < body->object.n; i++) {
		const struct hcl_item *item = &body->object.items[i];
		const struct hcl_value *value = item->value;

		if (!streq(item->keys[0], key))
			continue;
		found = true;
		if (value->type == HCL_LIST) {
			for (size_t k = 0; r == 0 && k < value->list.n; k++)
				r = add_string(decoder, label, field, value->list.values[k], list);
		} else if (value->type != HCL_OBJECT || value->object.n > 0) {
			r = fail_at(
			    decoder, label, value->line, value->column, "unknown slice type: ", ast_name(value));
		}
	}
	if (r < 0 || !found) {
		json_decref(list);
		list = NULL;
	}
	if (r == 0)
		*ret = list;
	return r;
}

/* Any value, as JSON. NULL without memory. */
static json_t *value_to_json(const struct hcl_value *value)
{
	json_t *json;

	switch (value->type) {
	case HCL_STRING:
		return json_string(value->string);
	case HCL_INT:
		return json_integer(value->integer);
	case HCL_FLOAT:
		return json_real(value->number);
	case HCL_BOOL:
		return json_boolean(value->boolean);
	case HCL_LIST:
		json = json_array();
		for (size_t i = 0; json && i < value->list.n; i++) {
			if (json_array_append_new(json, value_to_json(value->list.values[i])) < 0) {
				json_decref(json);
				return NULL;
			}
		}
		return json;
	case HCL_OBJECT:
		json = json_object();
		for (size_t i = 0; json && i < value->object.n; i++) {
			const struct hcl_item *item = &value->object.items[i];

			if (json_object_set_new(json, item->keys[0], value_to_json(item->value)) < 0) {
				json_decref(json);
				return NULL;
			}
		}
		return json;
	}
	return NULL;
}

/* Puts one "name = [values]" into MAP, behind what an earlier block of the same key gave. */
static int add_parameter(struct decoder *decoder, const char *label, const struct hcl_item *item, json_t *map)
{
	const struct hcl_value *value = item->value;
	AUTO_FREE char *name = strdup(item->keys[0]);
	json_t *list;

	if (!name)
		return -ENOMEM;
	if (value->type != HCL_LIST || item->n_keys > 1)
		return fail_at(decoder, label, value->line, value->column, "unknown slice type: ", ast_name(value));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	list = json_object_get(map, name);
	if (!list) {
		list = json_array();
		if (json_object_set_new(map, name, list) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < value->list.n; i++) {
		if (json_array_append_new(list, value_to_json(value->list.values[i])) < 0)
			return -ENOMEM;
	}
	return 0;
}

int decode_parameters(
    struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key, json_t **ret)
{
	json_t *map = json_object();
	char what[96];
	int r = map ? 0 : -ENOMEM;

	snprintf(what, sizeof(what), "root.%s: not an object type for map (", key);
	for (size_t i = 0; r == 0 && i < body->object.n; i++) {
		const struct hcl_item *item = &body->object.items[i];
		const struct hcl_value *value = item->value;

		if (!streq(item->keys[0], key))
			continue;
		if (value->type != HCL_OBJECT || item->n_keys > 1)
			r = fail_at(decoder, label, value->line, value->column, what,
			    value->type == HCL_LIST	? "*ast.ListType)"
			    : value->type == HCL_OBJECT ? "*ast.ObjectItem)"
							: "*ast.LiteralType)");
		for (size_t k = 0; r == 0 && k < value->object.n; k++)
			r = add_parameter(decoder, label, &value->object.items[k], map);
	}
	if (r < 0 || json_object_size(map) == 0) {
		json_decref(map);
		map = NULL;
	}
	if (r == 0)
		*ret = map;
	return r;
}

int decode_object(struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key,
    const struct hcl_value **ret)
{
	const struct hcl_item *item = decode_find(body, key);
	const struct hcl_value *value = item ? item->value : NULL;
	char what[96];

	if (value && value->type != HCL_OBJECT) {
		snprintf(what, sizeof(what), "root.%s: not an object type for struct (", key);
		return fail_at(decoder, label, value->line, value->column, what,
		    value->type == HCL_LIST ? "*ast.ListType)" : "*ast.LiteralType)");
	}
	*ret = value;
	return 0;
}

int decode_duration(struct decoder *decoder, const struct hcl_value *body, const char *key, int64_t *ret)
{
	const struct hcl_item *item = decode_find(body, key);
	char error[DURATION_ERROR_SIZE], number[64];
	const char *text = number;
	long long ns = 0;

	*ret = 0;
	if (!item)
		return 0;
	if (item->value->type == HCL_STRING)
		text = item->value->string;
	else if (item->value->type == HCL_INT)
		snprintf(number, sizeof(number), "%lld", item->value->integer);
	else if (item->value->type == HCL_FLOAT && item->value->number < 9e9)
		snprintf(number, sizeof(number), "%lld", (long long)item->value->number);
	else
		return decode_fail(decoder, "error parsing %s: could not parse duration from input", key);
	if (duration_parse_ns(text, &ns, error, sizeof(error)) < 0)
		return decode_fail(decoder, "error parsing %s: %s", key, error);
	if (ns > 0)
		*ret = ns;
	return 0;
}
