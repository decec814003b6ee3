/* SPDX-License-Identifier: Apache-2.0 */
/* Writes HCL in the usual form: two blanks for each level, neighbouring "=" and comments below each other. */
#include "cli/hcl_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct printer {
	const struct hcl_tree *tree;
	const char *before; /* where the last item that was printed starts; NULL at first */
};

static void print_value(struct printer *printer, struct buf *out, const struct hcl_node *node);

static void add_piece(struct buf *out, const struct hcl_piece *piece)
{
	buf_add(out, piece->at, piece->len);
}

static void add_blanks(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_add_char(out, ' ');
}

/* TEXT one level further in. */
static void add_indented(struct buf *out, const struct buf *text)
{
	bool start = true;

	for (size_t i = 0; i < text->len; i++) {
		if (start && text->data[i] != '\n')
			buf_add_str(out, "  ");
		buf_add_char(out, text->data[i]);
		start = text->data[i] == '\n';
	}
}

static void add_comment_lines(struct buf *out, const struct hcl_comments *comments)
{
	for (size_t i = 0; comments && i < comments->n; i++) {
		add_piece(out, &comments->pieces[i]);
		buf_add_char(out, '\n');
	}
}

static void add_tail(struct buf *out, const struct hcl_comments *comments, size_t blanks)
{
	if (!comments)
		return;
	add_blanks(out, blanks);
	for (size_t i = 0; i < comments->n; i++)
		add_piece(out, &comments->pieces[i]);
}

static void print_item(struct printer *printer, struct buf *out, const struct hcl_node *item)
{
	add_comment_lines(out, item->lead);
	for (size_t i = 0; i < item->n_keys; i++) {
		add_piece(out, &item->keys[i]);
		buf_add_char(out, ' ');
	}
	if (item->assigned && item->n_keys == 1)
		buf_add_str(out, "= ");
	print_value(printer, out, item);
	add_tail(out, item->tail, 1);
}

/* Neighbours of one line each: their values and comments stand below each other. */
static void print_aligned(struct printer *printer, struct buf *out, const struct hcl_node *items, size_t n)
{
	size_t key_width = 0, value_width = 0;

	for (size_t i = 0; i < n; i++) {
		AUTO_BUF struct buf value = { 0 };

		print_value(printer, &value, &items[i]);
		key_width = items[i].keys[0].len > key_width ? items[i].keys[0].len : key_width;
		value_width = value.len > value_width ? value.len : value_width;
	}
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF struct buf value = { 0 };

		print_value(printer, &value, &items[i]);
		add_comment_lines(out, items[i].lead);
		for (size_t k = 0; k < items[i].n_keys; k++) {
			add_piece(out, &items[i].keys[k]);
			add_blanks(out, items[i].keys[k].len < key_width ? key_width - items[i].keys[k].len + 1 : 1);
		}
		if (items[i].n_keys == 1)
			buf_add_str(out, "= ");
		buf_add(out, value.data, value.len);
		add_tail(out, items[i].tail, value_width - value.len + 1);
		if (i + 1 < n)
			buf_add_char(out, '\n');
	}
}

/* How many items from INDEX on are lines without a gap between them. */
static size_t count_aligned(struct printer *printer, const struct hcl_node *object, size_t index)
{
	size_t n = 0, size = object->n_nodes;

	for (size_t i = index; size > 1 && i < size; i++) {
		AUTO_BUF struct buf text = { 0 };
		unsigned line = object->nodes[i].keys[0].line;
		bool next = i + 1 < size && object->nodes[i + 1].keys[0].line == line + 1;
		bool last = i > 0 && object->nodes[i - 1].keys[0].line + 1 == line;
		size_t lines = 1;

		print_item(printer, &text, &object->nodes[i]);
		for (size_t c = 0; c < text.len; c++)
			lines += text.data[c] == '\n';
		if (lines > 2 || (!next && !last))
			break;
		n++;
		if (!next)
			break;
	}
	return n;
}

/*
 * Prints the comments that stand alone between the last item and NEXT, an item or (CLOSING) the bracket. Whether there
 * were any.
 */
static bool print_inner_comments(
    struct printer *printer, struct buf *out, const struct hcl_piece *next, bool closing, size_t index, bool *started)
{
	bool any = false;

	for (size_t g = 0; g < printer->tree->n_comments; g++) {
		const struct hcl_comments *group = &printer->tree->comments[g];
		unsigned last = 0;

		for (size_t i = 0; !group->used && i < group->n; i++) {
			AUTO_BUF struct buf text = { 0 };

			if ((printer->before && group->pieces[i].at <= printer->before) ||
			    group->pieces[i].at >= next->at)
				continue;
			if (!*started)
				buf_add_char(out, '\n');
			*started = true;
			if (index > 0)
				buf_add_char(out, '\n');
			last = group->pieces[i].line;
			add_piece(&text, &group->pieces[i]);
			add_indented(out, &text);
		}
		if (last == 0)
			continue;
		any = true;
		buf_add_char(out, '\n');
		if (!closing && next->line != last + 1)
			buf_add_char(out, '\n');
	}
	return any && index > 0;
}

static void print_object(struct printer *printer, struct buf *out, const struct hcl_node *object)
{
	bool started = false, commented = false;
	size_t index = 0;

	buf_add_char(out, '{');
	for (;;) {
		AUTO_BUF struct buf text = { 0 };
		bool closing = index == object->n_nodes;
		size_t aligned;

		commented |= print_inner_comments(
		    printer, out, closing ? &object->close : &object->nodes[index].keys[0], closing, index, &started);
		if (closing)
			break;
		if (!started)
			buf_add_char(out, '\n');
		started = true;
		aligned = count_aligned(printer, object, index);
		if (!commented && index > 0)
			buf_add_char(out, '\n');
		if (aligned > 0) {
			print_aligned(printer, &text, object->nodes + index, aligned);
		} else {
			printer->before = object->nodes[index].keys[0].at;
			print_item(printer, &text, &object->nodes[index]);
			aligned = 1;
		}
		index += aligned;
		printer->before = object->nodes[index - 1].keys[0].at;
		add_indented(out, &text);
		buf_add_char(out, '\n');
	}
	printer->before = object->close.at;
	buf_add_char(out, '}');
}

static bool is_one_line(const struct hcl_node *list)
{
	for (size_t i = 0; i < list->n_nodes; i++) {
		const struct hcl_node *value = &list->nodes[i];

		if (value->text.line != list->text.line || value->kind != HCL_NODE_LITERAL || value->tail)
			return false;
	}
	return true;
}

static void print_list(struct printer *printer, struct buf *out, const struct hcl_node *list)
{
	bool one_line = is_one_line(list), gap = false;
	size_t longest = 0;

	buf_add_char(out, '[');
	for (size_t i = 0; i < list->n_nodes; i++)
		longest = list->nodes[i].kind == HCL_NODE_LITERAL && list->nodes[i].text.len > longest
			      ? list->nodes[i].text.len
			      : longest;
	if (!one_line)
		buf_add_char(out, '\n');
	for (size_t i = 0; i < list->n_nodes; i++) {
		const struct hcl_node *value = &list->nodes[i];
		AUTO_BUF struct buf text = { 0 };

		if (one_line) {
			buf_add_str(out, i > 0 ? ", " : "");
			print_value(printer, out, value);
			continue;
		}
		if (value->lead && !gap && i > 0)
			buf_add_char(out, '\n');
		add_comment_lines(&text, value->lead);
		print_value(printer, &text, value);
		add_indented(out, &text);
		buf_add_char(out, ',');
		add_tail(out, value->tail, longest - value->text.len + 1);
		buf_add_char(out, '\n');
		gap = value->lead && i + 1 < list->n_nodes;
		if (gap)
			buf_add_char(out, '\n');
	}
	buf_add_char(out, ']');
}

static void print_value(struct printer *printer, struct buf *out, const struct hcl_node *node)
{
	if (node->kind == HCL_NODE_OBJECT)
		print_object(printer, out, node);
	else if (node->kind == HCL_NODE_LIST)
		print_list(printer, out, node);
	else
		add_piece(out, &node->text);
}

/* An object without anything in it may follow another one without an empty line. */
static bool is_single_line(const struct hcl_node *item)
{
	return !item->lead && !item->assigned && item->kind == HCL_NODE_OBJECT && item->n_nodes == 0;
}

/* Comments of the file between two items, or at its end. */
static void print_outer_comments(struct printer *printer, struct buf *out, const char *next, bool last)
{
	bool started = false;

	for (size_t g = 0; g < printer->tree->n_comments; g++) {
		const struct hcl_comments *group = &printer->tree->comments[g];
		bool any = false;

		for (size_t i = 0; !group->used && i < group->n; i++) {
			if ((printer->before && group->pieces[i].at <= printer->before) ||
			    (next && group->pieces[i].at >= next))
				continue;
			if (!started && last && printer->before)
				buf_add_str(out, "\n\n");
			started = any = true;
			add_piece(out, &group->pieces[i]);
			buf_add_char(out, '\n');
		}
		if (any && !last)
			buf_add_char(out, '\n');
	}
}

char *hcl_tree_print(const struct hcl_tree *tree)
{
	struct printer printer = { .tree = tree };
	const struct hcl_node *root = &tree->root;
	AUTO_BUF struct buf out = { 0 };
	char *text;

	for (size_t i = 0; i < root->n_nodes; i++) {
		const struct hcl_node *item = &root->nodes[i], *next = item + 1;

		print_outer_comments(&printer, &out, item->keys[0].at, false);
		printer.before = item->keys[0].at;
		print_item(&printer, &out, item);
		if (item->kind != HCL_NODE_OBJECT)
			printer.before = item->keys[0].at;
		if (i + 1 == root->n_nodes)
			break;
		buf_add_char(&out, '\n');
		if (next->keys[0].line != item->keys[0].line + 1 || !is_single_line(next) || !is_single_line(item))
			buf_add_char(&out, '\n');
	}
	print_outer_comments(&printer, &out, NULL, true);
	buf_add_char(&out, '\n');
	text = buf_take(&out);
	if (!text)
		abort();
	return text;
}
