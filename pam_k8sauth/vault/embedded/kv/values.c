/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as JSON: numbers as Vault keeps them, merging, and their shape without their values. */
#include "vault/embedded/kv/kv.h"

#include <stdio.h>

#define EXACT_INTEGER (INT64_C(1) << 53) /* beyond it a 64-bit float does not hold every integer */

static bool same(double a, double b)
{
	return !(a < b) && !(a > b);
}

/* The integer of the fewest digits that VALUE, a whole number beyond EXACT_INTEGER, is read back from: what Go prints.
 */
static json_t *large_integer(double value)
{
	char text[40];
	long long digits = 0;
	int precision = 13, exponent;

	do
		snprintf(text, sizeof(text), "%.*e", ++precision, value);
	while (precision < 17 && !same(strtod(text, NULL), value));
	for (const char *c = text; *c && *c != 'e'; c++) {
		if (*c >= '0' && *c <= '9')
			digits = digits * 10 + (*c - '0');
	}
	exponent = atoi(strchr(text, 'e') + 1) - precision;
	for (; exponent < 0; exponent++)
		digits /= 10;
	for (; exponent > 0; exponent--) {
		if (__builtin_mul_overflow(digits, 10, &digits))
			return json_real(value);
	}
	return json_integer(value < 0 ? -digits : digits);
}

/* Vault keeps every number as a 64-bit float and prints whole ones without a fraction. */
static json_t *normalize_number(double value)
{
	json_int_t whole;

	if (!(value < 0x1p63 && value > -0x1p63))
		return json_real(value);
	whole = (json_int_t)value;
	if (!same((double)whole, value))
		return json_real(value);
	return whole > EXACT_INTEGER || whole < -EXACT_INTEGER ? large_integer(value) : json_integer(whole);
}

static json_t *normalize_object(const json_t *data)
{
	json_t *object = json_object(), *member;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)data, name, member)
	{
		if (json_object_set_new_nocheck(object, name, kv_normalize(member))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *normalize_array(const json_t *data)
{
	json_t *array = json_array(), *element;
	size_t i;

	json_array_foreach(data, i, element)
	{
		if (json_array_append_new(array, kv_normalize(element))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *kv_normalize(const json_t *data)
{
	json_int_t integer = json_integer_value(data);

	switch (json_typeof(data)) {
	case JSON_OBJECT:
		return normalize_object(data);
	case JSON_ARRAY:
		return normalize_array(data);
	case JSON_REAL:
		return normalize_number(json_real_value(data));
	case JSON_INTEGER:
		if (integer > EXACT_INTEGER || integer < -EXACT_INTEGER)
			return normalize_number((double)integer);
		return json_integer(integer);
	default:
		return json_copy((json_t *)(uintptr_t)data);
	}
}

json_t *kv_merge(const json_t *target, const json_t *patch)
{
	json_t *merged, *member;
	const char *name;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	merged = json_is_object(target) ? json_copy((json_t *)(uintptr_t)target) : json_object();
	json_object_foreach((json_t *)(uintptr_t)patch, name, member)
	{
		if (json_is_null(member)) {
			json_object_del(merged, name);
		} else if (json_object_set_new_nocheck(merged, name, kv_merge(json_object_get(merged, name), member))) {
			json_decref(merged);
			return NULL;
		}
	}
	return merged;
}

json_t *kv_subkeys(const json_t *data, long long depth)
{
	json_t *object, *member;
	const char *name;

	if (!json_is_object(data) || json_object_size(data) == 0)
		return json_null();
	object = json_object();
	json_object_foreach((json_t *)(uintptr_t)data, name, member)
	{
		json_t *below = depth == 1 || depth < 0 ? json_null() : kv_subkeys(member, depth ? depth - 1 : 0);

		if (json_object_set_new_nocheck(object, name, below)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
