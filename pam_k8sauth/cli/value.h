/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values of the command line. Numbers keep the text that the server sent, as they do in the vault command (1.50
 * stays 1.50, and no number is too large); everything is wiped when it is freed, since most of it is secret. Without
 * memory the program ends: there is nothing that a command could save.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"

enum value_type {
	VALUE_NULL,
	VALUE_FALSE,
	VALUE_TRUE,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_MAP,
};

struct value {
	enum value_type type;
	char *text; /* of a string or number, NUL-terminated */
	size_t len;
	char **keys;	      /* of a map, in the order of their arrival */
	struct value **items; /* of a list or map */
	size_t n, size;
	bool ordered; /* a map that is printed in this order; others are sorted, as Go prints its maps */
};

/* New values; the caller owns them. */
struct value *value_new(enum value_type type);
struct value *value_string(const char *text);
struct value *value_string_n(const char *text, size_t len);
struct value *value_number(long long number);
struct value *value_bool(bool truth);
struct value *value_copy(const struct value *value);
/* A map that keeps the order of its members when it is printed. */
struct value *value_ordered(void);
void value_free(struct value *value);

static inline void cleanup_value(struct value **value)
{
	value_free(*value);
}

#define AUTO_VALUE CLEANUP(cleanup_value)

/* Take ITEM over. A key that is there already gets the new value. */
void value_set(struct value *map, const char *key, struct value *item);
void value_add(struct value *list, struct value *item);
void value_unset(struct value *map, const char *key);

/* The member KEY, owned by MAP; NULL where there is none, or MAP is none (or NULL). */
struct value *value_get(const struct value *map, const char *key);
/* The text of a string member; NULL where it is no string. */
const char *value_get_text(const struct value *map, const char *key);
/* A number member; 0 where it is no whole number. */
long long value_get_number(const struct value *map, const char *key);
bool value_get_bool(const struct value *map, const char *key);
/* Whether there is a member KEY that is not null. */
bool value_has(const struct value *map, const char *key);
/* Members or items; 0 for NULL. */
size_t value_size(const struct value *value);
bool value_is(const struct value *value, enum value_type type);

/* The indexes of a map's members in the order in which they are printed; the caller frees it. */
size_t *value_order(const struct value *map);

/*
 * The first JSON value in the LEN bytes at TEXT; what follows is ignored, as by Go's json.Decoder. NULL with Go's
 * error text in WHY. The caller owns the value.
 */
struct value *value_parse(const char *text, size_t len, char *why, size_t why_size);

/* --- value_text.c --- */

/* Appends what Go's json.Marshal makes, HTML characters escaped; INDENT by two blanks, or on one line. */
void value_add_json(struct buf *text, const struct value *value, bool indent);
/* Appends what Go's %v makes of the decoded value: map[a:1 b:[x y]], <nil>. */
void value_add_go(struct buf *text, const struct value *value);
/* The same as texts, which the caller frees (wipe_free). */
char *value_json(const struct value *value, bool indent);
char *value_go(const struct value *value);
/* Appends TEXT as Go's %q prints it. */
void value_add_quoted(struct buf *buf, const char *text);

/* --- value_yaml.c --- */

/* Appends what yaml.v2 makes of it, ending in a newline. */
void value_add_yaml(struct buf *text, const struct value *value);
