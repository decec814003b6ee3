/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the vault command: columns 4 blanks apart, the head underlined, "n/a" where a cell is empty. */
#include <ctype.h>

#include "base/secret.h"
#include "cli/cli.h"

static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Without blanks around it, as they are shown. */
static char *trimmed(char *text)
{
	size_t len = strlen(text), blanks = strspn(text, " \t\r\n\v\f");

	while (len > blanks && isspace((unsigned char)text[len - 1]))
		len--;
	memmove(text, text + blanks, len - blanks);
	text[len - blanks] = '\0';
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
