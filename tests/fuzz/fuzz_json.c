/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick JSON reader beside jansson, whose values it must give for every text; what the quick writer writes is read
 * back as the same. First byte: which flags.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_quick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_writer(const json_t *json)
{
	char *text = json_quick_dumps(json);
	json_t *back = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;

	if (!back || !json_equal(back, json))
		abort();
	json_decref(back);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t choices[] = { 0, JSON_REJECT_DUPLICATES, JSON_DECODE_ANY | JSON_ALLOW_NUL,
		JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL };
	json_error_t quick_error = { 0 }, error = { 0 };
	json_t *quick, *json;
	size_t flags;

	if (size < 1)
		return 0;
	flags = choices[data[0] % (sizeof(choices) / sizeof(*choices))];
	quick = json_quick_loadb((const char *)data + 1, size - 1, flags, &quick_error);
	json = json_loadb((const char *)data + 1, size - 1, flags, &error);
	if (!quick != !json || (json && !json_equal(quick, json)))
		abort();
	if (json) {
		/* The order of members, which json_equal() does not see. */
		char *one = json_dumps(quick, JSON_ENCODE_ANY), *other = json_dumps(json, JSON_ENCODE_ANY);

		if (!one || !other || strcmp(one, other) != 0)
			abort();
		free(one);
		free(other);
		check_writer(json);
	} else if (json_error_code(&quick_error) != json_error_code(&error)) {
		abort();
	}
	json_decref(quick);
	json_decref(json);
	return 0;
}
