/* SPDX-License-Identifier: Apache-2.0 */
/* Values as yaml.v2 prints them, which is what -format=yaml of the vault command uses. */
#include "cli/value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"

#define WIDTH 80 /* words past this column go to the next line */

struct writer {
	struct buf *text;
	size_t line_start; /* offset in TEXT */
};

static void add_value(struct writer *writer, const struct value *value, int indent, bool in_list);

static size_t column(const struct writer *writer)
{
	return writer->text->len - writer->line_start;
}

static void new_line(struct writer *writer, int indent)
{
	buf_add_char(writer->text, '\n');
	writer->line_start = writer->text->len;
	for (int i = 0; i < indent; i++)
		buf_add_char(writer->text, ' ');
}

static bool matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool found;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

/* Whether YAML would take the plain text for something else than a string. */
static bool resolves(const char *text)
{
	static const char *const words[] = { "~", "null", "y", "yes", "on", "true", "n", "no", "off", "false", ".nan",
		".inf", "+.inf", "-.inf" };

	if (!*text)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *word = words[i];
		const char *rest = text + 1;

		/* yes, Yes, YES; only these three. */
		if (strcasecmp(text, word) == 0 &&
		    (streq(text, word) || (toupper(word[0]) == text[0] && streq(rest, word + 1)) ||
			!strpbrk(text, "abcdefghijklmnopqrstuvwxyz")))
			return true;
	}
	if (!isdigit((unsigned char)*text) && !strchr("+-.", *text))
		return false;
	return matches(text, "^[-+]?(0[xX]_?[0-9a-fA-F_]+|0[bB]_?[01_]+|0[oO]?_?[0-7_]*|[1-9][0-9_]*)$") ||
	       matches(text, "^[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?$") ||
	       matches(text, "^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\\.[0-9_]*)?$") ||
	       matches(text, "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
			     "(([Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2}))|"
			     "( [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\\.[0-9]+)?))?$");
}

/* The character at *AT, which moves past it; a byte that is no UTF-8 stands for itself. */
static uint32_t next_char(const char **at)
{
	const unsigned char *c = (const unsigned char *)*at;
	unsigned more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
	uint32_t found = more == 3 ? *c & 0x07 : more == 2 ? *c & 0x0f : more == 1 ? *c & 0x1f : *c;

	for ((*at)++; more > 0 && ((unsigned char)**at & 0xc0) == 0x80; more--)
		found = found << 6 | ((unsigned char)*(*at)++ & 0x3f);
	return found;
}

/* Whether yaml.v2 shows it as it is. */
static bool is_printable(uint32_t c)
{
	return c == '\n' || (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xfffe && c != 0xfeff);
}

/* Which styles the characters of a text allow. */
struct styles {
	bool plain, single, block;
};

static bool blank_or_end(char c)
{
	return strchr(" \t\n", c) != NULL; /* the NUL too */
}

static struct styles analyze(const struct value *value)
{
	const char *text = value->text;
	struct styles styles = { true, true, true };
	bool special = !utf8_valid(text, value->len), space_break = false, break_space = false;

	for (const char *at = text; at < text + value->len;) {
		uint32_t c = next_char(&at);

		special |= !is_printable(c);
		if (c == 0x2028 || c == 0x2029)
			styles.plain = false;
	}
	for (size_t i = 0; i < value->len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (i == 0 && (strchr("#,[]{}&*!|>'\"%@`", c) || (strchr("?:-", c) && blank_or_end(text[1]))))
			styles.plain = false;
		if (i > 0 && ((c == ':' && blank_or_end(text[i + 1])) || (c == '#' && blank_or_end(text[i - 1]))))
			styles.plain = false;
		space_break |= c == ' ' && text[i + 1] == '\n';
		break_space |= c == '\n' && text[i + 1] == ' ';
	}
	if (starts_with(text, "---") || starts_with(text, "..."))
		styles.plain = false;
	if (value->len == 0 || strchr(" \n", text[0]) || strchr(" \n", text[value->len - 1]) || strchr(text, '\n'))
		styles.plain = false;
	if (value->len > 0 && text[value->len - 1] == ' ')
		styles.block = false;
	if (break_space)
		styles.single = false;
	if (space_break || special)
		styles = (struct styles){ false, false, false };
	return styles;
}

/* Whether the blank at AT is where the line breaks. */
static bool breaks_here(const struct writer *writer, const char *text, const char *at)
{
	return column(writer) > WIDTH && at > text && at[1] && at[1] != ' ' && at[-1] != ' ';
}

static void add_plain(struct writer *writer, const char *text, int indent, bool fold)
{
	for (const char *at = text; *at; at++) {
		if (*at == ' ' && fold && breaks_here(writer, text, at))
			new_line(writer, indent);
		else
			buf_add_char(writer->text, *at);
	}
}

static void add_single(struct writer *writer, const char *text, int indent, bool fold)
{
	buf_add_char(writer->text, '\'');
	for (const char *at = text; *at; at++) {
		if (*at == ' ' && fold && breaks_here(writer, text, at))
			new_line(writer, indent);
		else
			buf_printf(writer->text, *at == '\'' ? "''" : "%c", *at);
	}
	buf_add_char(writer->text, '\'');
}

static void add_double(struct writer *writer, const struct value *value, int indent, bool fold)
{
	static const char from[] = "\a\b\t\n\v\f\r\x1b\"\\", to[] = "abtnvfre\"\\";
	const char *text = value->text, *end = text + value->len;

	buf_add_char(writer->text, '"');
	for (const char *at = text, *next = text; at < end; at = next) {
		uint32_t c = next_char(&next);
		const char *found = c && c < 0x80 ? strchr(from, (int)c) : NULL;

		if (found)
			buf_printf(writer->text, "\\%c", to[found - from]);
		else if (c == 0)
			buf_add_str(writer->text, "\\0");
		else if (c == 0x85 || c == 0x2028 || c == 0x2029)
			buf_printf(writer->text, "\\%c", c == 0x85 ? 'N' : c == 0x2028 ? 'L' : 'P');
		else if (!is_printable(c))
			buf_printf(writer->text, c > 0xffff ? "\\U%08X" : c > 0xff ? "\\u%04X" : "\\x%02X", c);
		else if (c == ' ' && fold && at > text && next < end && column(writer) > WIDTH && at[-1] != ' ') {
			new_line(writer, indent);
			if (*next == ' ')
				buf_add_char(writer->text, '\\');
		} else {
			buf_add(writer->text, at, (size_t)(next - at));
		}
	}
	buf_add_char(writer->text, '"');
}

static void add_literal(struct writer *writer, const struct value *value, int indent)
{
	size_t len = value->len;
	const char *text = value->text;

	buf_add_char(writer->text, '|');
	if (strchr(" \n", text[0]))
		buf_add_char(writer->text, '2');
	if (text[len - 1] != '\n')
		buf_add_char(writer->text, '-');
	else if (len == 1 || text[len - 2] == '\n')
		buf_add_char(writer->text, '+');
	new_line(writer, 0);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			if (i + 1 < len)
				new_line(writer, 0);
			continue;
		}
		if (column(writer) == 0)
			buf_printf(writer->text, "%*s", indent, "");
		buf_add_char(writer->text, text[i]);
	}
}

static void add_string(struct writer *writer, const struct value *value, int indent, bool key)
{
	struct styles styles = analyze(value);
	bool lines = strchr(value->text, '\n') != NULL;

	if (lines && styles.block && !key)
		add_literal(writer, value, indent > 0 ? indent : 2);
	else if (!lines && resolves(value->text))
		add_double(writer, value, indent, !key);
	else if (!lines && styles.plain)
		add_plain(writer, value->text, indent, !key);
	else if (!lines && styles.single)
		add_single(writer, value->text, indent, !key);
	else
		add_double(writer, value, indent, !key);
}

/* The shortest digits that give NUMBER back, as "d.ddde+xx". */
static void shortest(double number, char *ret, size_t size)
{
	for (int digits = 0; digits <= 17; digits++) {
		snprintf(ret, size, "%.*e", digits, number);
		if (!(strtod(ret, NULL) < number) && !(strtod(ret, NULL) > number))
			return;
	}
}

/* A real as Go's strconv.FormatFloat(number, 'g', -1, 64) shows it. */
static void add_real(struct buf *out, double number)
{
	char shown[64], digits[32] = "";
	int exponent, n = 0;

	shortest(number, shown, sizeof(shown));
	exponent = (int)strtol(strchr(shown, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 6) {
		buf_add_str(out, shown);
		return;
	}
	for (const char *c = shown; *c != 'e'; c++) {
		if (isdigit((unsigned char)*c))
			digits[n++] = *c;
	}
	buf_add_str(out, *shown == '-' ? "-" : "");
	if (exponent < 0)
		buf_printf(out, "0.%.*s%s", -exponent - 1, "0000", digits);
	else if (n <= exponent + 1)
		buf_printf(out, "%s%.*s", digits, exponent + 1 - n, "000000");
	else
		buf_printf(out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

static void add_number(struct writer *writer, const struct value *value)
{
	const char *text = value->text;
	double number = strtod(text, NULL);

	if (streq(text, "-0")) {
		buf_add_char(writer->text, '0');
		return;
	}
	errno = 0;
	if (*text == '-')
		(void)strtoll(text, NULL, 10);
	else
		(void)strtoull(text, NULL, 10);
	/* Beyond what a float holds: as it was sent. */
	if ((!errno && !strpbrk(text, ".eE")) || !isfinite(number))
		buf_add_str(writer->text, text);
	else
		add_real(writer->text, number);
}

static bool is_letter(uint32_t c)
{
	return c < 0x80 ? isalpha((int)c) : c >= 0xc0 || c == 0xaa || c == 0xb5 || c == 0xba;
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* The number at AT (behind its first digit C), counted on from START. */
static unsigned long long number_at(uint32_t c, const char *at, unsigned long long start, size_t *ret_len)
{
	*ret_len = 0;
	for (; is_digit(c); c = (unsigned char)*at++, (*ret_len)++)
		start = start * 10 + (c - '0');
	return start;
}

/* yaml.v2 sorts keys as people do: a2 before a10, what is no letter before letters. */
static int compare_natural(const char *a, const char *b)
{
	const char *start = a;

	while (*a && *b) {
		const char *from = a;
		uint32_t ca = next_char(&a), cb = next_char(&b);
		unsigned long long na, nb, before = 0;
		size_t la, lb;

		if (ca == cb)
			continue;
		if (is_letter(ca) != is_letter(cb))
			return is_letter(cb) ? -1 : 1;
		if (is_letter(ca))
			return ca < cb ? -1 : 1;
		/* Digits that are equal so far count where a zero follows. */
		for (const char *c = from; (ca == '0' || cb == '0') && c > start && is_digit((unsigned char)c[-1]);
		     c--) {
			if (c[-1] != '0') {
				before = 1;
				break;
			}
		}
		na = number_at(ca, a, before, &la);
		nb = number_at(cb, b, before, &lb);
		if (na != nb)
			return na < nb ? -1 : 1;
		if (la != lb)
			return la < lb ? -1 : 1;
		return ca < cb ? -1 : 1;
	}
	return *a ? 1 : *b ? -1 : 0;
}

static int compare_members(const void *a, const void *b, void *arg)
{
	const struct value *map = arg;

	return compare_natural(map->keys[*(const size_t *)a], map->keys[*(const size_t *)b]);
}

static void add_many(struct writer *writer, const struct value *value, int indent, bool in_list)
{
	AUTO_FREE size_t *order = value->type == VALUE_MAP ? value_order(value) : NULL;

	if (value->type == VALUE_MAP)
		qsort_r(order, value->n, sizeof(*order), compare_members, (void *)(uintptr_t)value);
	for (size_t i = 0; i < value->n; i++) {
		if (i > 0 || !in_list)
			new_line(writer, indent);
		if (value->type == VALUE_MAP) {
			struct value *key = value_string(value->keys[order[i]]);

			add_string(writer, key, indent, true);
			value_free(key);
			buf_add_char(writer->text, ':');
			add_value(writer, value->items[order[i]], indent, false);
		} else {
			buf_add_char(writer->text, '-');
			add_value(writer, value->items[i], indent, true);
		}
	}
}

/* What stands behind "key:" or "-" at INDENT. */
static void add_value(struct writer *writer, const struct value *value, int indent, bool in_list)
{
	bool many = value->type == VALUE_MAP || value->type == VALUE_LIST;

	if (many && value->n > 0) {
		if (in_list)
			buf_add_char(writer->text, ' ');
		/* A list stands at its key's own indent; in another list, a step further. */
		add_many(writer, value, value->type == VALUE_MAP || in_list ? indent + 2 : indent, in_list);
		return;
	}
	buf_add_char(writer->text, ' ');
	switch (value->type) {
	case VALUE_STRING:
		add_string(writer, value, indent + 2, false);
		break;
	case VALUE_NUMBER:
		add_number(writer, value);
		break;
	default:
		if (many)
			buf_add_str(writer->text, value->type == VALUE_MAP ? "{}" : "[]");
		else
			buf_add_str(writer->text, value->type == VALUE_NULL   ? "null"
						  : value->type == VALUE_TRUE ? "true"
									      : "false");
	}
}

void value_add_yaml(struct buf *text, const struct value *value)
{
	struct writer writer = { .text = text, .line_start = text->len };

	if ((value->type == VALUE_MAP || value->type == VALUE_LIST) && value->n > 0) {
		add_many(&writer, value, 0, true);
	} else if (value->type == VALUE_STRING) {
		add_string(&writer, value, 0, false);
	} else {
		AUTO_BUF struct buf one = { 0 };
		struct writer inner = { .text = &one };

		add_value(&inner, value, 0, false);
		buf_add_str(text, one.data + 1); /* without the blank behind a key */
	}
	buf_add_char(text, '\n');
}
