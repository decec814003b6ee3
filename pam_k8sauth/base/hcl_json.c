/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HCL1's JSON dialect; see hcl_lex.h. After parsing, objects of objects are flattened into items with labels, so that
 * what reads the tree need not know which syntax it came from.
 */
#include "base/hcl_lex.h"

#include <errno.h>

static int parse_object(struct hcl_parser *p, struct hcl_value **ret);

/* HCL1 takes a text that ends early for a whole one. */
static bool at_end(const struct hcl_parser *p)
{
	return p->token.type == HCL_TOK_EOF;
}

static int fail_at_token(struct hcl_parser *p, const char *text)
{
	return hcl_fail_bare(p, p->token.line, p->token.column, "%s got: %s", text, hcl_token_name(p->token.type));
}

static int parse_list(struct hcl_parser *p, struct hcl_value **ret);

static int parse_value(struct hcl_parser *p, bool in_list, struct hcl_value **ret)
{
	struct hcl_token token = p->token;
	int r;

	switch (token.type) {
	case HCL_TOK_NULL:
	case HCL_TOK_NUMBER:
	case HCL_TOK_FLOAT:
	case HCL_TOK_BOOL:
	case HCL_TOK_STRING:
		if (in_list && token.type == HCL_TOK_NULL)
			break;
		r = hcl_next(p);
		return r < 0 ? r : hcl_literal(p, &token, ret);
	case HCL_TOK_LBRACE:
		return parse_object(p, ret);
	case HCL_TOK_LBRACK:
		return parse_list(p, ret);
	default:
		break;
	}
	if (in_list)
		return hcl_fail_bare(
		    p, token.line, token.column, "unexpected token while parsing list: %s", hcl_token_name(token.type));
	return hcl_fail_bare(
	    p, token.line, token.column, "Expected object value, got unknown token: %s", hcl_token_name(token.type));
}

/* At '['. An unfinished list is an error in HCL1 too. */
static int parse_list(struct hcl_parser *p, struct hcl_value **ret)
{
	AUTO_HCL struct hcl_value *list = NULL;
	struct hcl_value *value = NULL;
	int r = hcl_enter(p);

	if (r == 0)
		r = hcl_value_new(p, HCL_LIST, &list);
	if (r == 0)
		r = hcl_next(p);
	while (r == 0 && p->token.type != HCL_TOK_RBRACK) {
		r = parse_value(p, true, &value);
		if (r == 0)
			r = hcl_add_value(p, list, value);
		if (r == 0 && p->token.type == HCL_TOK_COMMA)
			r = hcl_next(p);
		else if (r == 0 && p->token.type != HCL_TOK_RBRACK)
			return hcl_fail_bare(p, p->token.line, p->token.column,
			    "unexpected token while parsing list: %s", hcl_token_name(p->token.type));
	}
	if (r == 0)
		r = hcl_next(p);
	if (r < 0)
		return r;
	hcl_leave(p);
	*ret = TAKE_PTR(list);
	return 0;
}

/* At a key. An item that the end of the text cuts is dropped. */
static int parse_item(struct hcl_parser *p, struct hcl_value *object)
{
	AUTO_HCL_ITEM struct hcl_item item = { .line = p->token.line, .column = p->token.column };
	struct hcl_token token = p->token;
	char *key = NULL;
	int r;

	if (token.type != HCL_TOK_STRING)
		return fail_at_token(p, "expected: STRING");
	r = hcl_token_string(p, &token, &key);
	if (r == 0)
		r = hcl_add_key(p, &item, key);
	if (r == 0)
		r = hcl_next(p);
	if (r < 0 || at_end(p))
		return r;
	if (p->token.type != HCL_TOK_COLON)
		return fail_at_token(p, "expected: COLON");
	item.assign_line = p->token.line;
	r = hcl_next(p);
	if (r < 0 || at_end(p))
		return r;
	r = parse_value(p, false, &item.value);
	if (r < 0)
		return r;
	item.block = item.value->type == HCL_OBJECT;
	if (!item.block) {
		r = hcl_check_repeated(p, object, item.keys[0], &token);
		if (r < 0)
			return r;
	}
	return hcl_add_item(p, object, &item);
}

/* At '{'. */
static int parse_object(struct hcl_parser *p, struct hcl_value **ret)
{
	AUTO_HCL struct hcl_value *object = NULL;
	int r = hcl_enter(p);

	if (r == 0)
		r = hcl_value_new(p, HCL_OBJECT, &object);
	if (r == 0)
		r = hcl_next(p);
	while (r == 0 && p->token.type != HCL_TOK_RBRACE && !at_end(p)) {
		r = parse_item(p, object);
		if (r < 0 || at_end(p) || p->token.type == HCL_TOK_RBRACE)
			break;
		if (p->token.type != HCL_TOK_COMMA)
			return fail_at_token(p, "expected: COMMA | RBRACE");
		r = hcl_next(p);
	}
	if (r == 0 && !at_end(p))
		r = hcl_next(p);
	if (r < 0)
		return r;
	hcl_leave(p);
	*ret = TAKE_PTR(object);
	return 0;
}

static bool all_objects(const struct hcl_value *value)
{
	size_t n = value->type == HCL_LIST ? value->list.n : value->object.n;

	for (size_t i = 0; i < n; i++) {
		const struct hcl_value *child = value->type == HCL_LIST ? value->list.values[i]
									: value->object.items[i].value;

		if (child->type != HCL_OBJECT)
			return false;
	}
	return n > 0;
}

static int copy_keys(struct hcl_parser *p, const struct hcl_item *from, struct hcl_item *to)
{
	for (size_t i = 0; i < from->n_keys; i++) {
		size_t len = strlen(from->keys[i]);
		char *key;
		int r = hcl_spend(p, len + 1);

		if (r < 0)
			return r;
		key = strdup(from->keys[i]);
		if (!key)
			return -ENOMEM;
		r = hcl_add_key(p, to, key);
		if (r < 0)
			return r;
	}
	return 0;
}

static int flatten_object(struct hcl_parser *p, struct hcl_value *object);

/* Puts ITEM into OBJECT, as one item or, where its value is all objects, as one for each of them. */
static int flatten_item(struct hcl_parser *p, struct hcl_item *item, struct hcl_value *object)
{
	struct hcl_value *value = item->value;
	bool list = value->type == HCL_LIST;
	int r = 0;

	if ((!list && value->type != HCL_OBJECT) || !all_objects(value)) {
		if (value->type == HCL_OBJECT)
			r = flatten_object(p, value);
		return r < 0 ? r : hcl_add_item(p, object, item);
	}
	for (size_t i = 0; i < (list ? value->list.n : value->object.n); i++) {
		struct hcl_value **child = list ? &value->list.values[i] : &value->object.items[i].value;
		AUTO_HCL_ITEM struct hcl_item flat = {
			.block = true,
			.line = item->line,
			.column = item->column,
			.assign_line = item->assign_line,
		};

		r = copy_keys(p, item, &flat);
		if (r == 0 && !list)
			r = copy_keys(p, &value->object.items[i], &flat);
		flat.value = TAKE_PTR(*child);
		if (r == 0)
			r = flatten_item(p, &flat, object);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Outermost first: that decides which braces become labels. */
static int flatten_object(struct hcl_parser *p, struct hcl_value *object)
{
	struct hcl_item *items = TAKE_PTR(object->object.items);
	size_t n = object->object.n;
	int r = 0;

	object->object.n = 0;
	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = flatten_item(p, &items[i], object);
		hcl_item_clear(&items[i]);
	}
	free(items);
	return r;
}

int hcl_parse_json(struct hcl_parser *p, struct hcl_value **ret)
{
	AUTO_HCL struct hcl_value *object = NULL;
	int r = hcl_next(p);

	if (r == 0)
		r = parse_object(p, &object);
	if (r == 0 && !at_end(p))
		r = hcl_fail_bare(p, p->token.line, p->token.column, "unexpected text behind the JSON object: %s",
		    hcl_token_name(p->token.type));
	if (r == 0)
		r = flatten_object(p, object);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
