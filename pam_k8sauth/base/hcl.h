/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HCL version 1, the one language of policies, k8sauth.hcl and accounts.conf (decision 4; vault-core.md 1.1 with the
 * corrections of vault-1.21.4.md). Text whose first non-blank character is '{' is read as HCL1's JSON dialect.
 * Lexis: comments (hash, slash-slash, slash-star), identifiers or quoted keys, `key = value`, blocks with any number of
 * labels, strings with escapes, heredocs (<<EOF, <<-EOF), ints, floats, bools, lists with a trailing comma, objects.
 * Bounded: nesting depth 64, text 1 MiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

enum hcl_type {
	HCL_STRING,
	HCL_INT,
	HCL_FLOAT,
	HCL_BOOL,
	HCL_LIST,
	HCL_OBJECT,
};

struct hcl_value;

/* One `key = value` or one block `key "label" ... { }`. */
struct hcl_item {
	char **keys; /* the key, then the labels of a block */
	size_t n_keys;
	bool block;		 /* written without '=' */
	unsigned line, column;	 /* of the key, from 1 */
	unsigned assign_line;	 /* of the '=', 0 for a block: Vault reports this one for unknown keys */
	struct hcl_value *value; /* HCL_OBJECT for a block */
};

struct hcl_value {
	enum hcl_type type;
	unsigned line, column;
	union {
		char *string; /* unescaped, UTF-8, no NUL inside */
		long long integer;
		double number;
		bool boolean;
		struct {
			struct hcl_value **values;
			size_t n;
		} list;
		struct {
			struct hcl_item *items;
			size_t n;
		} object; /* in the order of the text, repeated keys kept */
	};
};

struct hcl_error {
	unsigned line, column; /* 0 where the text as a whole is meant */
	char text[256];	       /* HCL1's wording where a Vault client can see it, for example "illegal char" */
	char whole[300]; /* the same with the position in HCL1's form, where it gives one: "At 2:7: illegal char" */
};

/*
 * Parses LEN bytes into an object, which the caller frees. -EINVAL with *RET_ERROR, or -ENOMEM.
 * JSON: objects of objects become items with labels, {"path": {"x": {...}}} like `path "x" { }`, and a list of objects
 * becomes repeated items; null is "". As in HCL1, a JSON text may end early; garbage is refused, unlike there.
 * A repeated attribute in one object is refused as Vault 1.21.4 does: text
 * `The argument "capabilities" at 1:36 was already set. Each argument can only be defined once`.
 */
int hcl_parse(const char *text, size_t len, struct hcl_value **ret, struct hcl_error *ret_error) NODISCARD;

void hcl_free(struct hcl_value *value);

static inline void cleanup_hcl(struct hcl_value **value)
{
	hcl_free(*value);
}

#define AUTO_HCL CLEANUP(cleanup_hcl)
