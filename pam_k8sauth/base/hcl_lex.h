/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the HCL reader: tokens of both dialects, and what the two parsers share. Only hcl*.c includes this. */
#pragma once

#include "base/buf.h"
#include "base/hcl.h"

#define HCL_MAX_TEXT	   (1024 * 1024)
#define HCL_MAX_DEPTH	   64
#define HCL_MAX_ATTRIBUTES 1024 /* of one object */
/* What one text may cost in memory; flattening nested JSON repeats keys, so the text's own size is no bound. */
#define HCL_BUDGET (32 * 1024 * 1024)

enum hcl_token_type {
	HCL_TOK_EOF,
	HCL_TOK_IDENT,
	HCL_TOK_NUMBER,
	HCL_TOK_FLOAT,
	HCL_TOK_BOOL,
	HCL_TOK_STRING,
	HCL_TOK_HEREDOC,
	HCL_TOK_NULL, /* JSON only */
	HCL_TOK_LBRACK,
	HCL_TOK_RBRACK,
	HCL_TOK_LBRACE,
	HCL_TOK_RBRACE,
	HCL_TOK_COMMA,
	HCL_TOK_PERIOD,
	HCL_TOK_COLON, /* JSON only */
	HCL_TOK_ASSIGN,
	HCL_TOK_ADD,
	HCL_TOK_SUB,
};

struct hcl_token {
	enum hcl_token_type type;
	const char *text; /* as written, quotes included; points into the source */
	size_t len;
	unsigned line, column;
};

struct hcl_parser {
	const char *text;
	size_t len, at;
	unsigned line, column; /* of the character at AT */
	bool json;
	unsigned depth;
	size_t budget;
	struct hcl_token token; /* the current one: not consumed yet */
	struct hcl_error *error;
};

/* Reads the next token into parser->token. 0 or -EINVAL. */
int hcl_next(struct hcl_parser *parser) NODISCARD;
/* HCL1's name of a token type, for its error texts. */
const char *hcl_token_name(enum hcl_token_type type);

/* Sets the error unless one is set already (the first one counts); returns -EINVAL. */
int hcl_fail(struct hcl_parser *parser, unsigned line, unsigned column, const char *format, ...) PRINTF_LIKE(4, 5);
/* The same without HCL1's own position in front (it stands in the text, or HCL1 gives none). */
int hcl_fail_bare(struct hcl_parser *parser, unsigned line, unsigned column, const char *format, ...) PRINTF_LIKE(4, 5);

/* The value of a literal token. 0, -EINVAL, -ENOMEM. */
int hcl_literal(struct hcl_parser *parser, const struct hcl_token *token, struct hcl_value **ret) NODISCARD;
/* The unescaped text of an identifier, string or heredoc. */
int hcl_token_string(struct hcl_parser *parser, const struct hcl_token *token, char **ret) NODISCARD;

/* Takes N bytes from the budget. 0 or -EINVAL. */
int hcl_spend(struct hcl_parser *parser, size_t n) NODISCARD;
int hcl_value_new(struct hcl_parser *parser, enum hcl_type type, struct hcl_value **ret) NODISCARD;
/* Append to an object (taking over ITEM's members and emptying it) or to a list (taking VALUE). */
int hcl_add_item(struct hcl_parser *parser, struct hcl_value *object, struct hcl_item *item) NODISCARD;
int hcl_add_value(struct hcl_parser *parser, struct hcl_value *list, struct hcl_value *value) NODISCARD;
int hcl_add_key(struct hcl_parser *parser, struct hcl_item *item, char *key) NODISCARD;
void hcl_item_clear(struct hcl_item *item);
#define AUTO_HCL_ITEM CLEANUP(hcl_item_clear)

/* Enters or leaves one level of nesting. */
int hcl_enter(struct hcl_parser *parser) NODISCARD;
void hcl_leave(struct hcl_parser *parser);

/* Refuses an attribute NAME that OBJECT has already; TOKEN is its key as written. */
int hcl_check_repeated(struct hcl_parser *parser, const struct hcl_value *object, const char *name,
    const struct hcl_token *token) NODISCARD;

/* The two dialects: the whole text into one object. */
int hcl_parse_hcl(struct hcl_parser *parser, struct hcl_value **ret) NODISCARD;
int hcl_parse_json(struct hcl_parser *parser, struct hcl_value **ret) NODISCARD;
