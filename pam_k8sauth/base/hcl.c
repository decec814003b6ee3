/* SPDX-License-Identifier: Apache-2.0 */
/* HCL1: entry point, values, errors; see hcl.h. Lexis in hcl_lex.c and hcl_literal.c, grammars in hcl_parse.c and
 * hcl_json.c. */
#include "base/hcl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/hcl_lex.h"

/* Puts the position to a text that was just written. */
static void locate(struct hcl_error *error, unsigned line, unsigned column, const char *prefix)
{
	error->line = line;
	error->column = column;
	if (prefix)
		snprintf(error->whole, sizeof(error->whole), "%s%u:%u: %s", prefix, line, column, error->text);
	else
		snprintf(error->whole, sizeof(error->whole), "%s", error->text);
}

int hcl_fail(struct hcl_parser *p, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	if (p->error->text[0])
		return -EINVAL;
	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args); /* a long key in it is cut */
	va_end(args);
	locate(p->error, line, column, p->json ? "" : "At ");
	return -EINVAL;
}

int hcl_fail_bare(struct hcl_parser *p, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	if (p->error->text[0])
		return -EINVAL;
	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	locate(p->error, line, column, NULL);
	return -EINVAL;
}

int hcl_spend(struct hcl_parser *p, size_t n)
{
	if (n > p->budget)
		return hcl_fail(p, p->line, p->column, "text too large");
	p->budget -= n;
	return 0;
}

int hcl_enter(struct hcl_parser *p)
{
	if (p->depth >= HCL_MAX_DEPTH)
		return hcl_fail(p, p->token.line, p->token.column, "nested too deeply");
	p->depth++;
	return 0;
}

void hcl_leave(struct hcl_parser *p)
{
	p->depth--;
}

int hcl_value_new(struct hcl_parser *p, enum hcl_type type, struct hcl_value **ret)
{
	struct hcl_value *value;
	int r = hcl_spend(p, sizeof(*value));

	if (r < 0)
		return r;
	value = calloc(1, sizeof(*value));
	if (!value)
		return -ENOMEM;
	value->type = type;
	value->line = p->token.line;
	value->column = p->token.column;
	*ret = value;
	return 0;
}

/* Makes room for one more element of SIZE bytes; the array doubles at powers of two. */
static int grow(struct hcl_parser *p, void *array, size_t n, size_t size)
{
	void **at = array, *bigger;
	int r = hcl_spend(p, 2 * size);

	if (r < 0)
		return r;
	if (n & (n - 1))
		return 0;
	bigger = reallocarray(*at, n ? 2 * n : 1, size);
	if (!bigger)
		return -ENOMEM;
	*at = bigger;
	return 0;
}

int hcl_add_item(struct hcl_parser *p, struct hcl_value *object, struct hcl_item *item)
{
	int r = grow(p, &object->object.items, object->object.n, sizeof(*item));

	if (r < 0)
		return r;
	object->object.items[object->object.n++] = *item;
	*item = (struct hcl_item){ 0 };
	return 0;
}

int hcl_add_value(struct hcl_parser *p, struct hcl_value *list, struct hcl_value *value)
{
	int r = grow(p, &list->list.values, list->list.n, sizeof(struct hcl_value *));

	if (r < 0)
		hcl_free(value);
	else
		list->list.values[list->list.n++] = value;
	return r;
}

int hcl_add_key(struct hcl_parser *p, struct hcl_item *item, char *key)
{
	int r = grow(p, &item->keys, item->n_keys, sizeof(char *));

	if (r < 0)
		free(key);
	else
		item->keys[item->n_keys++] = key;
	return r;
}

void hcl_item_clear(struct hcl_item *item)
{
	for (size_t i = 0; i < item->n_keys; i++)
		free(item->keys[i]);
	free(item->keys);
	hcl_free(item->value);
	*item = (struct hcl_item){ 0 };
}

void hcl_free(struct hcl_value *value)
{
	if (!value)
		return;
	if (value->type == HCL_STRING) {
		free(value->string);
	} else if (value->type == HCL_LIST) {
		for (size_t i = 0; i < value->list.n; i++)
			hcl_free(value->list.values[i]);
		free(value->list.values);
	} else if (value->type == HCL_OBJECT) {
		for (size_t i = 0; i < value->object.n; i++)
			hcl_item_clear(&value->object.items[i]);
		free(value->object.items);
	}
	free(value);
}

int hcl_check_repeated(
    struct hcl_parser *p, const struct hcl_value *object, const char *name, const struct hcl_token *token)
{
	size_t attributes = 0;

	for (size_t i = 0; i < object->object.n; i++) {
		const struct hcl_item *item = &object->object.items[i];

		if (item->block)
			continue;
		attributes++;
		if (streq(item->keys[0], name))
			return hcl_fail_bare(p, token->line, token->column,
			    "The argument \"%s\" at %u:%u was already set. Each argument can only be defined once",
			    name, token->line, token->column);
	}
	/* Every one is compared with every other: without a bound a text could hold up the daemon. */
	if (attributes >= HCL_MAX_ATTRIBUTES)
		return hcl_fail(
		    p, token->line, token->column, "more than %d arguments in one object", HCL_MAX_ATTRIBUTES);
	return 0;
}

/* Whether the text is JSON, by its first character; see hcl.h. */
static bool is_json(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && text[i] && strchr(" \t\n\v\f\r", text[i]))
		i++;
	return i < len && text[i] == '{';
}

/* Windows line ends become plain ones, inside strings and heredocs too, as in HCL1. */
static size_t drop_carriage_returns(char *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len; from++) {
		if (text[from] != '\r' || from + 1 == len || text[from + 1] != '\n')
			text[to++] = text[from];
	}
	text[to] = '\0';
	return to;
}

int hcl_parse(const char *text, size_t len, struct hcl_value **ret, struct hcl_error *ret_error)
{
	AUTO_FREE char *copy = NULL;
	struct hcl_parser p = { .line = 1, .column = 1, .budget = HCL_BUDGET, .error = ret_error };

	*ret_error = (struct hcl_error){ 0 };
	if (len > HCL_MAX_TEXT)
		return hcl_fail_bare(&p, 0, 0, "text larger than 1 MiB");
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	p.json = is_json(text, len);
	p.len = p.json ? len : drop_carriage_returns(copy, len);
	p.text = copy;
	return p.json ? hcl_parse_json(&p, ret) : hcl_parse_hcl(&p, ret);
}
