/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values: making, finding, freeing. */
#include "cli/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/secret.h"

static void *must(void *data)
{
	if (!data)
		abort();
	return data;
}

struct value *value_new(enum value_type type)
{
	struct value *value = must(wipe_calloc(1, sizeof(*value)));

	value->type = type;
	return value;
}

struct value *value_string_n(const char *text, size_t len)
{
	struct value *value = value_new(VALUE_STRING);

	value->text = must(wipe_malloc(len + 1));
	if (len > 0)
		memcpy(value->text, text, len);
	value->text[len] = '\0';
	value->len = len;
	return value;
}

struct value *value_string(const char *text)
{
	return value_string_n(text, strlen(text));
}

struct value *value_number(long long number)
{
	char text[32];
	struct value *value;

	snprintf(text, sizeof(text), "%lld", number);
	value = value_string(text);
	value->type = VALUE_NUMBER;
	return value;
}

struct value *value_bool(bool truth)
{
	return value_new(truth ? VALUE_TRUE : VALUE_FALSE);
}

struct value *value_ordered(void)
{
	struct value *value = value_new(VALUE_MAP);

	value->ordered = true;
	return value;
}

struct value *value_copy(const struct value *value)
{
	struct value *copy;

	if (value->text) {
		copy = value_string_n(value->text, value->len);
		copy->type = value->type;
		return copy;
	}
	copy = value_new(value->type);
	copy->ordered = value->ordered;
	for (size_t i = 0; i < value->n; i++) {
		if (value->type == VALUE_MAP)
			value_set(copy, value->keys[i], value_copy(value->items[i]));
		else
			value_add(copy, value_copy(value->items[i]));
	}
	return copy;
}

void value_free(struct value *value)
{
	if (!value)
		return;
	for (size_t i = 0; i < value->n; i++) {
		value_free(value->items[i]);
		if (value->keys)
			wipe_free(value->keys[i]);
	}
	wipe_free(value->text);
	free(value->keys);
	free(value->items);
	wipe_free(value);
}

static void grow(struct value *value)
{
	if (value->n < value->size)
		return;
	value->size = value->size > 0 ? value->size * 2 : 8;
	value->items = must(reallocarray(value->items, value->size, sizeof(*value->items)));
	if (value->type == VALUE_MAP)
		value->keys = must(reallocarray(value->keys, value->size, sizeof(*value->keys)));
}

/* The place of KEY, or the number of members. */
static size_t find(const struct value *map, const char *key)
{
	size_t i = 0;

	while (i < map->n && !streq(map->keys[i], key))
		i++;
	return i;
}

void value_set(struct value *map, const char *key, struct value *item)
{
	size_t i = find(map, key);

	if (i < map->n) {
		value_free(map->items[i]);
		map->items[i] = item;
		return;
	}
	grow(map);
	map->keys[map->n] = must(wipe_strdup(key));
	map->items[map->n++] = item;
}

void value_add(struct value *list, struct value *item)
{
	grow(list);
	list->items[list->n++] = item;
}

void value_unset(struct value *map, const char *key)
{
	size_t i = find(map, key);

	if (i == map->n)
		return;
	value_free(map->items[i]);
	wipe_free(map->keys[i]);
	map->n--;
	memmove(map->items + i, map->items + i + 1, (map->n - i) * sizeof(*map->items));
	memmove(map->keys + i, map->keys + i + 1, (map->n - i) * sizeof(*map->keys));
}

bool value_is(const struct value *value, enum value_type type)
{
	return value && value->type == type;
}

struct value *value_get(const struct value *map, const char *key)
{
	size_t i;

	if (!value_is(map, VALUE_MAP))
		return NULL;
	i = find(map, key);
	return i < map->n ? map->items[i] : NULL;
}

const char *value_get_text(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);

	return value_is(value, VALUE_STRING) ? value->text : NULL;
}

long long value_get_number(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);
	char *end;
	long long number;

	if (!value_is(value, VALUE_NUMBER))
		return 0;
	errno = 0;
	number = strtoll(value->text, &end, 10);
	return errno || *end ? 0 : number;
}

bool value_get_bool(const struct value *map, const char *key)
{
	return value_is(value_get(map, key), VALUE_TRUE);
}

bool value_has(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);

	return value && value->type != VALUE_NULL;
}

size_t value_size(const struct value *value)
{
	return value ? value->n : 0;
}

static int compare_members(const void *a, const void *b, void *arg)
{
	const struct value *map = arg;

	return strcmp(map->keys[*(const size_t *)a], map->keys[*(const size_t *)b]);
}

size_t *value_order(const struct value *map)
{
	size_t *order = must(calloc(map->n + 1, sizeof(*order)));

	for (size_t i = 0; i < map->n; i++)
		order[i] = i;
	if (!map->ordered)
		qsort_r(order, map->n, sizeof(*order), compare_members, (void *)(uintptr_t)map);
	return order;
}
