/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of HCL1's own syntax; see hcl_lex.h. The error texts are HCL1's: Vault's clients see them. */
#include "base/hcl_lex.h"

#include <errno.h>

static int parse_object_body(struct hcl_parser *p, bool braces, struct hcl_value **ret);

static int fail_at_token(struct hcl_parser *p, const char *text)
{
	return hcl_fail(p, p->token.line, p->token.column, "%s got: %s", text, hcl_token_name(p->token.type));
}

/* Behind '['. Stray commas are no error in HCL1; two elements need one between them. */
static int parse_list(struct hcl_parser *p, struct hcl_value **ret);

static int parse_value(struct hcl_parser *p, bool in_list, struct hcl_value **ret)
{
	struct hcl_token token = p->token;
	int r;

	switch (token.type) {
	case HCL_TOK_NUMBER:
	case HCL_TOK_FLOAT:
	case HCL_TOK_BOOL:
	case HCL_TOK_STRING:
	case HCL_TOK_HEREDOC:
		r = hcl_next(p);
		return r < 0 ? r : hcl_literal(p, &token, ret);
	case HCL_TOK_LBRACE:
		return parse_object_body(p, true, ret);
	case HCL_TOK_LBRACK:
		return parse_list(p, ret);
	default:
		break;
	}
	if (in_list)
		return hcl_fail(
		    p, token.line, token.column, "unexpected token while parsing list: %s", hcl_token_name(token.type));
	return hcl_fail(p, token.line, token.column, "Unknown token: %u:%u %s %.*s", token.line, token.column,
	    hcl_token_name(token.type), (int)(token.len < 200 ? token.len : 200), token.text);
}

static int parse_list(struct hcl_parser *p, struct hcl_value **ret)
{
	AUTO_HCL struct hcl_value *list = NULL;
	struct hcl_value *value = NULL;
	bool need_comma = false;
	int r = hcl_enter(p);

	if (r == 0)
		r = hcl_value_new(p, HCL_LIST, &list);
	if (r == 0)
		r = hcl_next(p);
	while (r == 0 && p->token.type != HCL_TOK_RBRACK) {
		if (p->token.type == HCL_TOK_COMMA) {
			need_comma = false;
			r = hcl_next(p);
			continue;
		}
		if (need_comma)
			return hcl_fail(p, p->token.line, p->token.column,
			    "error parsing list, expected comma or list end, got: %s", hcl_token_name(p->token.type));
		r = parse_value(p, true, &value);
		if (r == 0)
			r = hcl_add_value(p, list, value);
		need_comma = true;
	}
	if (r == 0)
		r = hcl_next(p);
	if (r < 0)
		return r;
	hcl_leave(p);
	*ret = TAKE_PTR(list);
	return 0;
}

/* What stands where '{' or '=' should: HCL1 names the keys as they were written. */
static int fail_after_keys(struct hcl_parser *p, const struct hcl_token *first, const struct hcl_token *last)
{
	AUTO_BUF struct buf keys = { 0 };
	const char *at = first->text, *end = last->text + last->len;

	for (bool quoted = false; at < end && keys.len < 200; at++) {
		bool blank = strchr(" \t\r\n", *at) && !quoted;

		if (*at == '"')
			quoted = !quoted;
		if (!blank)
			buf_add_char(&keys, *at);
		else if (keys.len > 0 && keys.data[keys.len - 1] != ' ')
			buf_add_char(&keys, ' ');
	}
	if (keys.failed)
		return -ENOMEM;
	return hcl_fail(p, p->token.line, p->token.column,
	    "key '%s' expected start of object ('{') or assignment ('=')", keys.data);
}

/* The key and the labels, up to '=' or '{'. */
static int parse_keys(struct hcl_parser *p, struct hcl_item *item)
{
	struct hcl_token first = p->token, last = p->token;
	int r;

	while (p->token.type == HCL_TOK_IDENT || p->token.type == HCL_TOK_STRING) {
		char *key = NULL;

		last = p->token;
		r = hcl_token_string(p, &last, &key);
		if (r == 0)
			r = hcl_add_key(p, item, key);
		if (r == 0)
			r = hcl_next(p);
		if (r < 0)
			return r;
	}
	switch (p->token.type) {
	case HCL_TOK_ASSIGN:
		if (item->n_keys == 0)
			return hcl_fail(p, p->token.line, p->token.column, "no object keys found!");
		return item->n_keys > 1 ? fail_at_token(p, "nested object expected: LBRACE") : 0;
	case HCL_TOK_LBRACE:
		return item->n_keys == 0 ? fail_at_token(p, "expected: IDENT | STRING") : 0;
	case HCL_TOK_EOF:
	case HCL_TOK_RBRACE:
		if (item->n_keys > 0)
			return fail_after_keys(p, &first, &last);
		break;
	default:
		break;
	}
	return fail_at_token(p, "expected: IDENT | STRING | ASSIGN | LBRACE");
}

static int parse_item(struct hcl_parser *p, struct hcl_value *object)
{
	AUTO_HCL_ITEM struct hcl_item item = { .line = p->token.line, .column = p->token.column };
	struct hcl_token key = p->token;
	int r = parse_keys(p, &item);

	if (r < 0)
		return r;
	item.block = p->token.type == HCL_TOK_LBRACE;
	if (!item.block) {
		item.assign_line = p->token.line;
		r = hcl_next(p);
	}
	if (r == 0)
		r = parse_value(p, false, &item.value);
	if (r == 0 && !item.block)
		r = hcl_check_repeated(p, object, item.keys[0], &key);
	return r < 0 ? r : hcl_add_item(p, object, &item);
}

/* With BRACES at '{', and then up to '}'; without, up to the end of the text. */
static int parse_object_body(struct hcl_parser *p, bool braces, struct hcl_value **ret)
{
	AUTO_HCL struct hcl_value *object = NULL;
	enum hcl_token_type end = braces ? HCL_TOK_RBRACE : HCL_TOK_EOF;
	int r = hcl_enter(p);

	if (r == 0)
		r = hcl_value_new(p, HCL_OBJECT, &object);
	if (r == 0)
		r = hcl_next(p);
	while (r == 0 && p->token.type != end) {
		if (p->token.type == HCL_TOK_EOF) {
			p->token.column++; /* HCL1 has looked twice by now */
			return fail_at_token(p, "object expected closing RBRACE");
		}
		r = parse_item(p, object);
		/* One comma may separate items, as in a list. */
		if (r == 0 && p->token.type == HCL_TOK_COMMA)
			r = hcl_next(p);
	}
	if (r == 0 && braces)
		r = hcl_next(p);
	if (r < 0)
		return r;
	hcl_leave(p);
	*ret = TAKE_PTR(object);
	return 0;
}

int hcl_parse_hcl(struct hcl_parser *p, struct hcl_value **ret)
{
	return parse_object_body(p, false, ret);
}
