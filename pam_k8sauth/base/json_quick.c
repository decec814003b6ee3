/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See json_quick.h. jansson takes each byte through two callbacks and three buffers, which was 40 % of a login's work.
 * The reader here only knows text about which there is no question; where it meets anything else it gives up, and
 * jansson reads the whole text again.
 */
#include "base/json_quick.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json_go.h"
#include "base/secret.h"
#include "base/swar.h"

#define QUICK_DEPTH  32 /* nested deeper: jansson's own limit counts */
#define USUAL_SIZE   1024 /* of a text that is written: a token's record fits */
#define QUICK_DIGITS 19 /* as many as an int64_t has, such as nanoseconds since 1970: they fit a uint64_t */

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

size_t json_plain_len(const char *text, size_t len)
{
	size_t n = 0;

	/* Eight bytes at a time: nearly all of a token. */
	for (uint64_t x; n + sizeof(x) <= len; n += sizeof(x)) {
		memcpy(&x, text + n, sizeof(x));
		if (swar_unprintable(x) | swar_zeros(x ^ SWAR_EACH('"')) | swar_zeros(x ^ SWAR_EACH('\\')) |
		    swar_zeros(x ^ SWAR_EACH(0x7f)))
			break;
	}
	while (n < len && is_plain((unsigned char)text[n]))
		n++;
	return n;
}

struct reader {
	const unsigned char *at, *end;
	bool unique;
};

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end &&
	       (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r'))
		reader->at++;
}

/* Takes C, and blanks before it. */
static bool take(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != (unsigned char)c)
		return false;
	reader->at++;
	return true;
}

/* The text between two quotes, of which the first is taken; NULL. */
static const char *take_string(struct reader *reader, size_t *ret_len)
{
	const unsigned char *start = reader->at;

	reader->at += json_plain_len((const char *)reader->at, (size_t)(reader->end - reader->at));
	if (reader->at == reader->end || *reader->at != '"')
		return NULL;
	*ret_len = (size_t)(reader->at++ - start);
	return (const char *)start;
}

static json_t *take_word(struct reader *reader, const char *word, json_t *value)
{
	size_t len = strlen(word);

	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
		return NULL;
	reader->at += len;
	return value;
}

static json_t *take_number(struct reader *reader)
{
	bool negative = *reader->at == '-';
	const unsigned char *start = reader->at += negative;
	uint64_t value = 0;

	/* A digit, a point or an exponent that follows is no end of a value: jansson reads such a text. */
	while (
	    reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && reader->at - start < QUICK_DIGITS)
		value = value * 10 + (uint64_t)(*reader->at++ - '0');
	if (reader->at == start || (*start == '0' && reader->at - start > 1) || value > INT64_MAX)
		return NULL;
	return json_integer(negative ? -(int64_t)value : (int64_t)value);
}

static json_t *take_value(struct reader *reader, unsigned depth);

static bool take_members(struct reader *reader, json_t *object, unsigned depth)
{
	size_t n = 0;

	do {
		const char *key;
		size_t len;

		if (!take(reader, '"') || !(key = take_string(reader, &len)) || !take(reader, ':') ||
		    json_object_setn_new_nocheck(object, key, len, take_value(reader, depth)) ||
		    (reader->unique && json_object_size(object) != ++n))
			return false;
	} while (take(reader, ','));
	return take(reader, '}');
}

static bool take_elements(struct reader *reader, json_t *array, unsigned depth)
{
	do {
		if (json_array_append_new(array, take_value(reader, depth)))
			return false;
	} while (take(reader, ','));
	return take(reader, ']');
}

static json_t *take_container(struct reader *reader, bool is_object, unsigned depth)
{
	json_t *container;

	if (depth == QUICK_DEPTH)
		return NULL;
	container = is_object ? json_object() : json_array();
	if (!container || take(reader, is_object ? '}' : ']') ||
	    (is_object ? take_members(reader, container, depth + 1) : take_elements(reader, container, depth + 1)))
		return container;
	json_decref(container);
	return NULL;
}

static json_t *take_value(struct reader *reader, unsigned depth)
{
	const char *text;
	size_t len;

	skip_blanks(reader);
	if (reader->at == reader->end)
		return NULL;
	switch (*reader->at) {
	case '{':
	case '[':
		return take_container(reader, *reader->at++ == '{', depth);
	case '"':
		reader->at++;
		text = take_string(reader, &len);
		return text ? json_stringn_nocheck(text, len) : NULL;
	case 't':
		return take_word(reader, "true", json_true());
	case 'f':
		return take_word(reader, "false", json_false());
	case 'n':
		return take_word(reader, "null", json_null());
	default:
		return take_number(reader);
	}
}

json_t *json_quick_loadb(const char *text, size_t len, size_t flags, json_error_t *error)
{
	struct reader reader = { .unique = (flags & JSON_REJECT_DUPLICATES) != 0 };
	unsigned failures = wipe_failures();
	json_t *json = NULL;

	reader.at = (const unsigned char *)text;
	reader.end = reader.at + len;
	skip_blanks(&reader);
	/* Only containers, since a lone value is a question of FLAGS. */
	if (!(flags & (JSON_DISABLE_EOF_CHECK | JSON_DECODE_INT_AS_REAL)) && reader.at < reader.end &&
	    (*reader.at == '{' || *reader.at == '['))
		json = take_value(&reader, 0);
	skip_blanks(&reader);
	if (json && reader.at == reader.end)
		return json;
	json_decref(json);
	json = json_loadb(text, len, flags, error);
	if (json && wipe_failures() == failures)
		return json;
	json_decref(json);
	if (wipe_failures() != failures)
		errno = ENOMEM;
	return NULL;
}

/* --- writing */

static bool has_reals(const json_t *value)
{
	json_t *members = (json_t *)(uintptr_t)value, *member; /* jansson's iterators take no const */
	const char *key;

	json_object_foreach(members, key, member)
	{
		if (has_reals(member))
			return true;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (has_reals(json_array_get(value, i)))
			return true;
	}
	return json_is_real(value);
}

char *json_quick_dumps(const json_t *value)
{
	struct buf text = { 0 };

	/* Go writes 1.0 as 1, which would be read back as a whole number. */
	if (has_reals(value))
		return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	buf_reserve(&text, USUAL_SIZE - 1);
	json_go_encode(value, &text);
	if (!text.failed)
		return buf_take(&text);
	buf_free(&text);
	return NULL;
}
