/* SPDX-License-Identifier: Apache-2.0 */
/* HCL's lexis: where each token of the text begins and ends; see hcl_lex.h. Meaning of literals: hcl_literal.c. */
#include "base/hcl_lex.h"

#include <errno.h>

#include "base/text.h"

/* The byte at AT + AHEAD, -1 past the end. */
static int look(const struct hcl_parser *p, size_t ahead)
{
	return p->len - p->at > ahead ? (unsigned char)p->text[p->at + ahead] : -1;
}

static bool is_decimal(int c)
{
	return c >= '0' && c <= '9';
}

/* Letters are those of ASCII: without Unicode tables nobody can tell a letter from a look-alike quote or a BOM. */
static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex(int c)
{
	return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t utf8_len(int lead)
{
	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Steps over one character, which must exist. Columns count characters, not bytes. */
static int step(struct hcl_parser *p)
{
	int c = look(p, 0);
	size_t n = utf8_len(c);

	if (c == 0)
		return hcl_fail(p, p->line, p->column, "unexpected null character (0x00)");
	if (n > p->len - p->at || !utf8_valid(p->text + p->at, n))
		return hcl_fail(p, p->line, p->column, "illegal UTF-8 encoding");
	p->at += n;
	p->column++;
	if (c == '\n') {
		p->line++;
		p->column = 1;
	}
	return 0;
}

static int step_digits(struct hcl_parser *p)
{
	while (is_decimal(look(p, 0))) {
		int r = step(p);

		if (r < 0)
			return r;
	}
	return 0;
}

/* One comment; the text stands at its first character. */
static int skip_comment(struct hcl_parser *p)
{
	int r;

	if (look(p, 0) == '/' && look(p, 1) == '*') {
		for (p->at += 2, p->column += 2; look(p, 0) >= 0;) {
			if (look(p, 0) == '*' && look(p, 1) == '/') {
				p->at += 2;
				p->column += 2;
				return 0;
			}
			r = step(p);
			if (r < 0)
				return r;
		}
		return hcl_fail(p, p->line, p->column, "comment not terminated");
	}
	if (look(p, 0) == '/' && look(p, 1) != '/')
		return hcl_fail(p, p->line, p->column, "expected '/' for comment");
	while (look(p, 0) >= 0 && look(p, 0) != '\n') {
		r = step(p);
		if (r < 0)
			return r;
	}
	if (look(p, 0) < 0)
		p->column++; /* as in hcl_next: one more look past the end */
	return 0;
}

static int skip_blanks(struct hcl_parser *p)
{
	for (;;) {
		int c = look(p, 0), r;

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			r = step(p);
		else if (!p->json && (c == '#' || c == '/'))
			r = skip_comment(p);
		else
			return 0;
		if (r < 0)
			return r;
	}
}

/* The backslash is passed; the text stands at the letter of the escape. */
static int scan_escape(struct hcl_parser *p)
{
	int c = look(p, 0), digits = 0;
	bool octal = c >= '0' && c <= '7';

	if (octal)
		digits = 3;
	else if (c == 'x')
		digits = 2;
	else if (c == 'u')
		digits = 4;
	else if (c == 'U')
		digits = 8;
	else if (c <= 0 || !strchr("abfnrtv\\\"", c))
		return hcl_fail(p, p->line, p->column, "illegal char escape");
	if (!octal) {
		p->at++;
		p->column++;
	}
	for (; digits > 0; digits--, p->at++, p->column++) {
		c = look(p, 0);
		if (octal ? c < '0' || c > '7' : !is_hex(c))
			return hcl_fail(p, p->line, p->column, "illegal char escape");
	}
	return 0;
}

/* Behind the opening quote. In HCL, "${ }" is opaque: quotes and newlines in it belong to the string. */
static int scan_string(struct hcl_parser *p)
{
	unsigned braces = 0;

	for (;;) {
		int c = look(p, 0), r;

		if (c < 0 || (c == '\n' && braces == 0))
			return hcl_fail(p, p->line, p->column, "literal not terminated");
		r = step(p);
		if (r < 0)
			return r;
		if (c == '"' && braces == 0)
			return 0;
		if (c == '\\')
			r = scan_escape(p);
		else if (!p->json && braces == 0 && c == '$' && look(p, 0) == '{')
			r = braces++, step(p);
		else if (braces > 0 && c == '{')
			braces++;
		else if (braces > 0 && c == '}')
			braces--;
		if (r < 0)
			return r;
	}
}

/* Whether the line of LEN bytes ends a heredoc: white space, then the anchor. */
static bool is_anchor_line(const char *line, size_t len, const char *anchor, size_t anchor_len)
{
	size_t indent = 0;

	while (indent < len && strchr(" \t\v\f\r", line[indent]))
		indent++;
	return len - indent == anchor_len && memcmp(line + indent, anchor, anchor_len) == 0;
}

/* Behind the first '<'. The token ends behind the newline of the anchor's line. */
static int scan_heredoc(struct hcl_parser *p)
{
	const char *anchor, *line;
	size_t anchor_len;
	int r;

	if (look(p, 0) != '<')
		return hcl_fail(p, p->line, p->column, "heredoc expected second '<', didn't see it");
	p->at++, p->column++;
	if (look(p, 0) == '-')
		p->at++, p->column++;
	anchor = p->text + p->at;
	while (is_letter(look(p, 0)) || is_decimal(look(p, 0)))
		p->at++, p->column++;
	anchor_len = (size_t)(p->text + p->at - anchor);
	if (look(p, 0) < 0)
		return hcl_fail(p, p->line, p->column, "heredoc not terminated");
	if (look(p, 0) != '\n')
		return hcl_fail(p, p->line, p->column, "invalid characters in heredoc anchor");
	if (anchor_len == 0)
		return hcl_fail(p, p->line, p->column, "zero-length heredoc anchor");
	for (r = step(p), line = p->text + p->at; r == 0;) {
		if (look(p, 0) < 0)
			return hcl_fail(p, p->line, p->column, "heredoc not terminated");
		if (look(p, 0) != '\n') {
			r = step(p);
			continue;
		}
		if (is_anchor_line(line, (size_t)(p->text + p->at - line), anchor, anchor_len))
			return step(p);
		r = step(p);
		line = p->text + p->at;
	}
	return r;
}

/* At the first digit. */
static int scan_number(struct hcl_parser *p, enum hcl_token_type *ret)
{
	bool zero = look(p, 0) == '0' && is_decimal(look(p, 1));
	const char *start = p->text + p->at;
	int r;

	*ret = HCL_TOK_NUMBER;
	if (!p->json && look(p, 0) == '0' && (look(p, 1) | 0x20) == 'x') {
		for (p->at += 2, p->column += 2; is_hex(look(p, 0)); p->at++, p->column++)
			;
		if (p->text + p->at == start + 2)
			return hcl_fail(p, p->line, p->column, "illegal hexadecimal number");
		return 0;
	}
	r = step_digits(p);
	if (r == 0 && look(p, 0) == '.') {
		*ret = HCL_TOK_FLOAT;
		p->at++, p->column++;
		r = step_digits(p);
	}
	if (r == 0 && (look(p, 0) | 0x20) == 'e') {
		*ret = HCL_TOK_FLOAT;
		p->at++, p->column++;
		if (look(p, 0) == '+' || look(p, 0) == '-')
			p->at++, p->column++;
		if (!is_decimal(look(p, 0)))
			return hcl_fail(p, p->line, p->column, "illegal exponent of a number");
		r = step_digits(p);
	}
	if (r < 0)
		return r;
	if (zero && p->json)
		return hcl_fail(p, p->line, p->column, "numbers cannot start with 0");
	if (zero && *ret == HCL_TOK_NUMBER &&
	    (memchr(start, '8', (size_t)(p->text + p->at - start)) ||
		memchr(start, '9', (size_t)(p->text + p->at - start))))
		return hcl_fail(p, p->line, p->column, "illegal octal number");
	return 0;
}

static int scan_word(struct hcl_parser *p, enum hcl_token_type *ret)
{
	const char *start = p->text + p->at;
	unsigned column = p->column;
	size_t len;

	while (is_letter(look(p, 0)) || is_decimal(look(p, 0)) || look(p, 0) == '-' || (!p->json && look(p, 0) == '.'))
		p->at++, p->column++;
	len = (size_t)(p->text + p->at - start);
	if (look(p, 0) < 0)
		p->column++; /* as in hcl_next: one more look past the end */
	if ((len == 4 && memcmp(start, "true", 4) == 0) || (len == 5 && memcmp(start, "false", 5) == 0))
		*ret = HCL_TOK_BOOL;
	else if (!p->json)
		*ret = HCL_TOK_IDENT;
	else if (len == 4 && memcmp(start, "null", 4) == 0)
		*ret = HCL_TOK_NULL;
	else
		return hcl_fail(p, p->line, column, "illegal char");
	return 0;
}

/* One character, and what may hang on it. */
static int scan_sign(struct hcl_parser *p, enum hcl_token_type *ret)
{
	static const struct {
		char c;
		char dialect; /* 'h', 'j', or both: ' ' */
		enum hcl_token_type type;
	} signs[] = {
		{ '"', ' ', HCL_TOK_STRING },
		{ '<', 'h', HCL_TOK_HEREDOC },
		{ '[', ' ', HCL_TOK_LBRACK },
		{ ']', ' ', HCL_TOK_RBRACK },
		{ '{', ' ', HCL_TOK_LBRACE },
		{ '}', ' ', HCL_TOK_RBRACE },
		{ ',', ' ', HCL_TOK_COMMA },
		{ '.', ' ', HCL_TOK_PERIOD },
		{ ':', 'j', HCL_TOK_COLON },
		{ '=', 'h', HCL_TOK_ASSIGN },
		{ '+', 'h', HCL_TOK_ADD },
		{ '-', 'h', HCL_TOK_SUB },
	};
	int c = look(p, 0);

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (signs[i].c != c || signs[i].dialect == (p->json ? 'h' : 'j'))
			continue;
		*ret = signs[i].type;
		p->at++, p->column++;
		if (c == '"')
			return scan_string(p);
		if (c == '<')
			return scan_heredoc(p);
		if (c == '.' && is_decimal(look(p, 0))) {
			*ret = HCL_TOK_FLOAT;
			return step_digits(p);
		}
		return 0;
	}
	if (p->json && c >= ' ' && c < 0x7f)
		return hcl_fail(p, p->line, p->column, "illegal char: %c", c);
	return hcl_fail(p, p->line, p->column, "illegal char");
}

int hcl_next(struct hcl_parser *p)
{
	struct hcl_token token = { .type = HCL_TOK_EOF };
	int r = skip_blanks(p), c = look(p, 0);

	if (r < 0)
		return r;
	token.text = p->text + p->at;
	token.line = p->line;
	token.column = p->column;
	if (c < 0) {
		p->column++; /* HCL1 counts every look past the end; its clients see that in positions */
	} else if (is_letter(c)) {
		r = scan_word(p, &token.type);
	} else if (is_decimal(c)) {
		r = scan_number(p, &token.type);
	} else if (c == '-' && is_decimal(look(p, 1))) {
		p->at++, p->column++;
		r = scan_number(p, &token.type);
	} else {
		r = scan_sign(p, &token.type);
	}
	if (r < 0)
		return r;
	token.len = (size_t)(p->text + p->at - token.text);
	p->token = token;
	return 0;
}

const char *hcl_token_name(enum hcl_token_type type)
{
	static const char *const names[] = {
		[HCL_TOK_EOF] = "EOF",
		[HCL_TOK_IDENT] = "IDENT",
		[HCL_TOK_NUMBER] = "NUMBER",
		[HCL_TOK_FLOAT] = "FLOAT",
		[HCL_TOK_BOOL] = "BOOL",
		[HCL_TOK_STRING] = "STRING",
		[HCL_TOK_HEREDOC] = "HEREDOC",
		[HCL_TOK_NULL] = "NULL",
		[HCL_TOK_LBRACK] = "LBRACK",
		[HCL_TOK_RBRACK] = "RBRACK",
		[HCL_TOK_LBRACE] = "LBRACE",
		[HCL_TOK_RBRACE] = "RBRACE",
		[HCL_TOK_COMMA] = "COMMA",
		[HCL_TOK_PERIOD] = "PERIOD",
		[HCL_TOK_COLON] = "COLON",
		[HCL_TOK_ASSIGN] = "ASSIGN",
		[HCL_TOK_ADD] = "ADD",
		[HCL_TOK_SUB] = "SUB",
	};

	return names[type];
}
