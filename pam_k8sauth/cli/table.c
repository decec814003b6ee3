/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the vault command: columns 4 blanks apart, the head underlined, "n/a" where a cell is empty. */

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"

static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* The length of the blank at TEXT, of those that Unicode knows; 0 if there is none. */
static size_t blank_length(const char *text)
{
	static const char *const blanks[] = { " ", "\t", "\n", "\v", "\f", "\r", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

	for (size_t i = 0; i < ARRAY_SIZE(blanks); i++) {
		if (starts_with(text, blanks[i]))
			return strlen(blanks[i]);
	}
	/* U+2000 to U+200A */
	return starts_with(text, "\xe2\x80") && (unsigned char)text[2] >= 0x80 && (unsigned char)text[2] <= 0x8a ? 3
														 : 0;
}

/* Without blanks around it, as they are shown. */
static char *trimmed(char *text)
{
	size_t start = 0, len, n;

	while ((n = blank_length(text + start)) > 0)
		start += n;
	len = strlen(text + start);
	memmove(text, text + start, len + 1);
	for (n = 1; n <= 3 && n <= len; n++) {
		if (blank_length(text + len - n) == n) {
			len -= n;
			n = 0;
		}
	}
	text[len] = '\0';
	return text;
}

void table_take(struct table *table, char *text)
{
	if (!text)
		abort();
	if (table->n == table->size) {
		table->size = table->size > 0 ? table->size * 2 : 32;
		table->cells = reallocarray(table->cells, table->size, sizeof(*table->cells));
		if (!table->cells)
			abort();
	}
	table->cells[table->n++] = trimmed(text);
}

void table_add(struct table *table, const char *text)
{
	table_take(table, wipe_strdup(text));
}

void table_begin(struct table *table, size_t columns, const char *const *head)
{
	*table = (struct table){ .columns = columns };
	for (size_t i = 0; i < columns; i++)
		table_add(table, head[i]);
	for (size_t i = 0; i < columns; i++) {
		char *line = wipe_strdup(head[i]);

		memset(line, '-', strlen(line));
		table_take(table, line);
	}
}

void table_begin_bare(struct table *table, size_t columns)
{
	*table = (struct table){ .columns = columns };
}

void table_row(struct table *table, const char *name, char *text)
{
	table_add(table, name);
	table_take(table, text);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->n; i += table->columns) {
		size_t w = width_of(*table->cells[i] ? table->cells[i] : "n/a");

		width = w > width ? w : width;
	}
	return width;
}

void table_print(const struct table *table)
{
	AUTO_FREE size_t *widths = calloc(table->columns, sizeof(*widths));
	AUTO_BUF struct buf text = { 0 };

	if (!widths)
		abort();
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i < table->n; i++) {
		size_t column = i % table->columns;
		const char *cell = *table->cells[i] ? table->cells[i] : "n/a";

		if (i > 0 && column == 0)
			buf_add_char(&text, '\n');
		buf_add_str(&text, cell);
		if (column + 1 < table->columns)
			buf_printf(&text, "%*s", (int)(widths[column] - width_of(cell) + 4), "");
	}
	if (text.failed)
		abort();
	ui_output("%s", text.data ? text.data : "");
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		wipe_free(table->cells[i]);
	free(table->cells);
}
