/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as JSON: numbers as Vault keeps them, merging, and their shape without their values. */
#include "vault/embedded/kv/kv.h"

#include <math.h>

#define EXACT_INTEGER (INT64_C(1) << 53) /* beyond it a 64-bit float does not hold every integer */

/* Vault keeps every number as a 64-bit float and prints whole ones without a fraction. */
static json_t *normalize_number(double value)
{
	if (fabs(value) < 0x1p63 && fabs(value - trunc(value)) <= 0)
		return json_integer((json_int_t)value);
	return json_real(value);
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
