/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as KV keeps them: a target and a patch, one JSON text each, between them a line that is empty. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/embedded/kv/kv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keeping what is kept already changes nothing. */
static void check_normal(const json_t *value)
{
	json_t *once = kv_normalize(value), *twice = kv_normalize(once);

	if (!json_equal(once, twice))
		abort();
	json_decref(once);
	json_decref(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *gap = memmem(data, size, "\n\n", 2);
	size_t len = gap ? (size_t)(gap - data) : size;
	json_t *target = json_loadb((const char *)data, len, JSON_DECODE_ANY, NULL);
	json_t *patch = gap ? json_loadb((const char *)gap, size - len, JSON_DECODE_ANY, NULL) : NULL;

	if (target) {
		json_t *subkeys = kv_subkeys(target, (long long)(size % 5) - 1);

		check_normal(target);
		json_decref(subkeys);
	}
	if (target && patch) {
		json_t *merged = kv_merge(target, patch), *again = kv_merge(merged, patch);

		if (!json_equal(merged, again))
			abort();
		json_decref(merged);
		json_decref(again);
	}
	json_decref(target);
	json_decref(patch);
	return 0;
}
