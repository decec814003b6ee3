/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HCL with its comments, for `policy fmt`: base/hcl.h leaves out what only people read. A text must have been parsed as
 * a policy before, so that its grammar is known to be right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A piece of the text: a word, a string, a bracket, a comment. */
struct hcl_piece {
	const char *at;
	size_t len;
	unsigned line; /* of its start */
};

/* Comments on lines that follow each other. */
struct hcl_comments {
	struct hcl_piece *pieces;
	size_t n;
	unsigned end_line;
	bool used; /* it stands above or behind an item */
};

enum hcl_kind {
	HCL_NODE_LITERAL,
	HCL_NODE_OBJECT,
	HCL_NODE_LIST,
};

/* An item of an object, or a value of a list, which has no keys. */
struct hcl_node {
	struct hcl_piece *keys;
	size_t n_keys;
	bool assigned; /* written with "=" */
	enum hcl_kind kind;
	struct hcl_piece text;		 /* the literal, or the opening bracket */
	struct hcl_piece close;		 /* the closing bracket */
	const struct hcl_comments *lead; /* right above it; NULL for none */
	const struct hcl_comments *tail; /* behind it on its line */
	struct hcl_node *nodes;
	size_t n_nodes;
};

struct hcl_tree {
	struct hcl_node root;
	struct hcl_comments *comments;
	size_t n_comments;
};

/*
 * Reads the NUL-terminated TEXT, which must outlive the tree. False where it has what is not for here: heredocs, JSON.
 */
bool hcl_tree_read(const char *text, struct hcl_tree *ret);
void hcl_tree_free(struct hcl_tree *tree);

/* The text in the usual form (two blanks for each level, "=" below "="), as Vault's own formatter writes it. */
char *hcl_tree_print(const struct hcl_tree *tree);
