/* SPDX-License-Identifier: Apache-2.0 */
/* Reads HCL with its comments: which of them belong to an item, and which stand alone, is decided as in HCL1. */
#include "cli/hcl_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define DEPTH_MAX 64

struct token {
	char kind; /* a bracket, '=', ',', 'w' for a word, '#' for a comment, 0 for the end */
	struct hcl_piece piece;
	unsigned end_line;
	struct hcl_comments *lead, *tail; /* comments above it; a comment behind the token before */
};

struct reader {
	struct token *tokens;
	size_t n, size, at;
	struct hcl_tree *tree;
	unsigned depth;
};

static void *grown(void *list, size_t n, size_t item)
{
	/* One more, by powers of two. */
	if (n & (n - 1) || (n == 0 && list))
		return list;
	list = reallocarray(list, n > 0 ? n * 2 : 1, item);
	if (!list)
		abort();
	return list;
}

/* The end of the comment, string or word at AT; NULL for a heredoc or an unfinished text. */
static const char *token_end(const char *at)
{
	unsigned braces = 0;

	if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		return at + strcspn(at, "\n");
	if (at[0] == '/' && at[1] == '*') {
		at = strstr(at + 2, "*/");
		return at ? at + 2 : NULL;
	}
	if (*at == '<')
		return NULL;
	if (strchr("{}[]=,", *at))
		return at + 1;
	if (*at != '"') {
		/* A comment, or a heredoc, may stand right behind a word. */
		while (*at && !strchr(" \t\r\n{}[]=,\"#<", *at) && !(at[0] == '/' && (at[1] == '/' || at[1] == '*')))
			at++;
		return at;
	}
	for (at++; *at && (*at != '"' || braces > 0); at++) {
		/* As base/hcl_lex.c reads it: a brace counts inside of "${ }" only. */
		if (*at == '\\' && at[1])
			at++;
		else if (braces == 0 && at[0] == '$' && at[1] == '{')
			braces++, at++;
		else if (braces > 0 && *at == '{')
			braces++;
		else if (braces > 0 && *at == '}')
			braces--;
	}
	return *at ? at + 1 : NULL;
}

static bool read_tokens(struct reader *reader, const char *text)
{
	unsigned line = 1;

	for (;;) {
		struct token token = { 0 };
		const char *end;

		while (*text && strchr(" \t\r\n", *text))
			line += *text++ == '\n';
		token.piece = (struct hcl_piece){ text, 0, line };
		token.end_line = line;
		if (*text) {
			end = token_end(text);
			if (!end || end == text)
				return false;
			token.kind = strchr("{}[]=,", *text) ? *text : *text == '#' || *text == '/' ? '#' : 'w';
			token.piece.len = (size_t)(end - text);
			for (; text < end; text++)
				line += *text == '\n';
			token.end_line = line;
		}
		reader->tokens = grown(reader->tokens, reader->n, sizeof(*reader->tokens));
		reader->tokens[reader->n++] = token;
		if (!token.kind)
			return true;
	}
}

/* Takes the comments from token *AT on that are at most GAP lines apart. */
static struct hcl_comments *take_group(struct reader *reader, size_t *at, unsigned gap)
{
	struct hcl_comments *group = &reader->tree->comments[reader->tree->n_comments++];
	unsigned end_line = reader->tokens[*at].piece.line;

	for (; reader->tokens[*at].kind == '#' && reader->tokens[*at].piece.line <= end_line + gap; (*at)++) {
		group->pieces = grown(group->pieces, group->n, sizeof(*group->pieces));
		group->pieces[group->n++] = reader->tokens[*at].piece;
		end_line = reader->tokens[*at].end_line;
	}
	group->end_line = end_line;
	return group;
}

/* Takes the comments out from between the tokens, and gives them to their neighbours. */
static void attach_comments(struct reader *reader)
{
	size_t kept = 0;
	unsigned before = 0; /* line of the token before */

	/* As many groups as tokens are enough, and pointers to them stay. */
	reader->tree->comments = calloc(reader->n, sizeof(*reader->tree->comments));
	if (!reader->tree->comments)
		abort();
	for (size_t i = 0; i < reader->n; i++) {
		struct hcl_comments *group = NULL, *tail = NULL;

		if (reader->tokens[i].kind == '#' && reader->tokens[i].piece.line == before) {
			group = take_group(reader, &i, 0);
			if (reader->tokens[i].piece.line != group->end_line)
				tail = group;
			group = NULL;
		}
		while (reader->tokens[i].kind == '#')
			group = take_group(reader, &i, 1);
		if (group && (group->end_line + 1 != reader->tokens[i].piece.line || !reader->tokens[i].kind ||
				 strchr("}]", reader->tokens[i].kind)))
			group = NULL;
		reader->tokens[i].lead = group;
		reader->tokens[i].tail = tail;
		before = reader->tokens[i].piece.line;
		reader->tokens[kept++] = reader->tokens[i];
	}
	reader->n = kept;
}

static struct token *here(struct reader *reader)
{
	return &reader->tokens[reader->at];
}

static const struct hcl_comments *use(struct hcl_comments *group)
{
	if (group)
		group->used = true;
	return group;
}

static struct hcl_node *add_node(struct hcl_node *parent)
{
	parent->nodes = grown(parent->nodes, parent->n_nodes, sizeof(*parent->nodes));
	parent->nodes[parent->n_nodes] = (struct hcl_node){ 0 };
	return &parent->nodes[parent->n_nodes++];
}

static bool read_value(struct reader *reader, struct hcl_node *node);

static bool read_item(struct reader *reader, struct hcl_node *item)
{
	item->lead = use(here(reader)->lead);
	for (; here(reader)->kind == 'w'; reader->at++) {
		item->keys = grown(item->keys, item->n_keys, sizeof(*item->keys));
		item->keys[item->n_keys++] = here(reader)->piece;
	}
	if (item->n_keys == 0)
		return false;
	if (here(reader)->kind == '=') {
		item->assigned = true;
		reader->at++;
	}
	if (!read_value(reader, item))
		return false;
	if (item->text.line == item->keys[0].line)
		item->tail = use(here(reader)->tail);
	if (here(reader)->kind == ',')
		reader->at++;
	return true;
}

static bool read_list(struct reader *reader, struct hcl_node *list)
{
	while (here(reader)->kind != ']') {
		struct hcl_node *value;

		if (here(reader)->kind == ',') {
			reader->at++;
			value = list->n_nodes > 0 ? &list->nodes[list->n_nodes - 1] : NULL;
			if (value && value->kind == HCL_NODE_LITERAL && here(reader)->tail)
				value->tail = use(here(reader)->tail);
			continue;
		}
		value = add_node(list);
		if (here(reader)->kind == 'w')
			value->lead = use(here(reader)->lead);
		if (!read_value(reader, value))
			return false;
	}
	return true;
}

static bool read_value(struct reader *reader, struct hcl_node *node)
{
	const struct token *token = here(reader);
	bool good = true;

	node->text = token->piece;
	if (token->kind == 'w') {
		reader->at++;
		return true;
	}
	if ((token->kind != '{' && token->kind != '[') || ++reader->depth > DEPTH_MAX)
		return false;
	node->kind = token->kind == '{' ? HCL_NODE_OBJECT : HCL_NODE_LIST;
	reader->at++;
	if (node->kind == HCL_NODE_LIST)
		good = read_list(reader, node);
	while (good && node->kind == HCL_NODE_OBJECT && here(reader)->kind != '}')
		good = read_item(reader, add_node(node));
	reader->depth--;
	if (!good || !here(reader)->kind)
		return false;
	node->close = here(reader)->piece;
	reader->at++;
	return true;
}

bool hcl_tree_read(const char *text, struct hcl_tree *ret)
{
	struct reader reader = { .tree = ret };
	bool good = text[strspn(text, " \t\r\n")] != '{' && read_tokens(&reader, text);

	*ret = (struct hcl_tree){ 0 };
	ret->root.kind = HCL_NODE_OBJECT;
	if (good)
		attach_comments(&reader);
	while (good && here(&reader)->kind)
		good = read_item(&reader, add_node(&ret->root));
	free(reader.tokens);
	return good;
}

static void free_node(struct hcl_node *node)
{
	for (size_t i = 0; i < node->n_nodes; i++)
		free_node(&node->nodes[i]);
	free(node->nodes);
	free(node->keys);
}

void hcl_tree_free(struct hcl_tree *tree)
{
	free_node(&tree->root);
	for (size_t i = 0; i < tree->n_comments; i++)
		free(tree->comments[i].pieces);
	free(tree->comments);
}
