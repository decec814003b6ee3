/* SPDX-License-Identifier: Apache-2.0 */
/* The values that HCL's literals stand for: escapes, heredoc indentation, numbers; see hcl_lex.h. */
#include "base/hcl_lex.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>

#include "base/text.h"

static void add_code_point(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_add_char(out, (char)c);
	} else if (c < 0x800) {
		buf_add_char(out, (char)(0xc0 | c >> 6));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(out, (char)(0xe0 | c >> 12));
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xf0 | c >> 18));
		buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* IN stands behind a backslash; the lexer saw that the escape is whole. Returns what stands behind it, NULL for a value
 * that no text has. */
static const char *unescape(const char *in, struct buf *out)
{
	static const char letters[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
	const char *letter = strchr(letters, *in);
	int digits = *in == 'x' ? 2 : *in == 'u' ? 4 : 8;
	uint32_t c = 0;

	if (letter) {
		buf_add_char(out, values[letter - letters]);
		return in + 1;
	}
	if (*in >= '0' && *in <= '7') {
		c = (uint32_t)(in[0] - '0') << 6 | (uint32_t)(in[1] - '0') << 3 | (uint32_t)(in[2] - '0');
		if (c > 0xff)
			return NULL;
		buf_add_char(out, (char)c); /* a byte, not a code point; so is \x */
		return in + 3;
	}
	for (int i = 1; i <= digits; i++)
		c = c << 4 | (uint32_t)hex_digit(in[i]);
	if (digits == 2)
		buf_add_char(out, (char)c);
	else if (c > 0x10ffff)
		return NULL;
	else
		add_code_point(out, c);
	return in + 1 + digits;
}

/* Copies an opaque "${ }" as it stands; IN is at the '$'. */
static const char *copy_interpolation(const char *in, const char *end, struct buf *out)
{
	const char *start = in;
	unsigned braces = 1;

	for (in += 2; in < end && braces > 0; in++) {
		if (*in == '{')
			braces++;
		else if (*in == '}')
			braces--;
	}
	buf_add(out, start, (size_t)(in - start));
	return in;
}

static int unquote(struct hcl_parser *p, const struct hcl_token *token, struct buf *out)
{
	const char *in = token->text + 1, *end = token->text + token->len - 1;

	while (in < end) {
		if (!p->json && *in == '$' && in[1] == '{')
			in = copy_interpolation(in, end, out);
		else if (*in != '\\')
			buf_add_char(out, *in++);
		else
			in = unescape(in + 1, out);
		if (!in)
			return hcl_fail(p, token->line, token->column, "illegal char escape");
	}
	return 0;
}

/* The lines between the anchors. With "<<-", the indentation of the last anchor goes away if every line has it. */
static void heredoc_text(const struct hcl_token *token, struct buf *out)
{
	const char *body = (const char *)memchr(token->text, '\n', token->len) + 1;
	const char *end = token->text + token->len - 1; /* the newline behind the last anchor */
	bool indented = token->text[2] == '-';
	const char *indent = end, *line, *next;
	size_t anchor = (size_t)(body - 1 - token->text) - (indented ? 3 : 2), depth;

	while (indent > body && indent[-1] != '\n')
		indent--;
	depth = (size_t)(end - indent) - anchor;
	if (!indented) {
		buf_add(out, body, (size_t)(indent - body) + depth); /* HCL1 keeps the last anchor's white space */
		return;
	}
	for (line = body; line < indent && indented; line = next + 1) {
		next = memchr(line, '\n', (size_t)(indent - line));
		indented = (size_t)(next - line) >= depth && memcmp(line, indent, depth) == 0;
	}
	if (!indented)
		depth = 0;
	for (line = body; line < indent; line = next + 1) {
		next = memchr(line, '\n', (size_t)(indent - line));
		buf_add(out, line + depth, (size_t)(next + 1 - line) - depth);
	}
}

int hcl_token_string(struct hcl_parser *p, const struct hcl_token *token, char **ret)
{
	AUTO_BUF struct buf out = { 0 };
	char *text;
	int r;

	if (buf_add(&out, "", 0) < 0)
		return -ENOMEM;
	r = hcl_spend(p, token->len + 128); /* the smallest buffer's size */
	if (r < 0)
		return r;
	if (token->type == HCL_TOK_STRING)
		r = unquote(p, token, &out);
	else if (token->type == HCL_TOK_HEREDOC)
		heredoc_text(token, &out);
	else if (token->type != HCL_TOK_NULL) /* null reads as an empty string, as in HCL1 */
		buf_add(&out, token->text, token->len);
	if (r < 0)
		return r;
	if (!out.failed && out.len > 0 && !utf8_valid(out.data, out.len))
		return hcl_fail(p, token->line, token->column, "illegal char escape");
	text = buf_take(&out);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

/* strtod(3) takes the decimal point from the locale, and a host program may have set any. */
static int parse_float(const char *text, double *ret)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	double value;

	if (c == (locale_t)0)
		return -ENOMEM;
	value = strtod_l(text, NULL, c);
	freelocale(c);
	if (!isfinite(value))
		return -ERANGE;
	*ret = value;
	return 0;
}

static int parse_number(struct hcl_parser *p, const struct hcl_token *token, struct hcl_value *value)
{
	char text[64];
	int r = 0;

	if (token->len >= sizeof(text))
		return hcl_fail(p, token->line, token->column, "number out of range");
	memcpy(text, token->text, token->len);
	text[token->len] = '\0';
	errno = 0;
	if (token->type == HCL_TOK_FLOAT) {
		r = parse_float(text, &value->number);
	} else {
		value->integer = strtoll(text, NULL, 0);
		r = -errno;
	}
	if (r == -ERANGE)
		return hcl_fail(p, token->line, token->column, "number out of range");
	return r;
}

int hcl_literal(struct hcl_parser *p, const struct hcl_token *token, struct hcl_value **ret)
{
	AUTO_HCL struct hcl_value *value = NULL;
	enum hcl_type type = token->type == HCL_TOK_NUMBER  ? HCL_INT
			     : token->type == HCL_TOK_FLOAT ? HCL_FLOAT
			     : token->type == HCL_TOK_BOOL  ? HCL_BOOL
							    : HCL_STRING;
	int r = hcl_value_new(p, type, &value);

	if (r < 0)
		return r;
	value->line = token->line;
	value->column = token->column;
	if (type == HCL_BOOL)
		value->boolean = token->len == 4;
	else if (type == HCL_STRING)
		r = hcl_token_string(p, token, &value->string);
	else
		r = parse_number(p, token, value);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(value);
	return 0;
}
