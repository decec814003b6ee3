/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of JSON bodies beside jansson: the strict one takes what jansson takes, and says why where it does not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char loose_error[HTTP_JSON_ERROR_SIZE] = "", strict_error[HTTP_JSON_ERROR_SIZE] = "", type = 0;
	json_error_t why;
	json_t *json = NULL, *object = NULL;
	int loose, strict, status;

	check(text != NULL);
	memcpy(text, data, size);
	loose = http_json_check_loosely(text, size, loose_error);
	check(loose == 0 ? !*loose_error : loose == 500 && *loose_error);
	if (loose == 0) {
		strict = http_json_check(text, size, &type, strict_error);
		check(strict == 0 ? !*strict_error : strict == 400 && *strict_error);
		json = json_loadb(text, size, JSON_DECODE_INT_AS_REAL, &why);
		/* Grammar is grammar, but jansson overlooks a NUL behind a word; what it refuses besides is text that
		   is no UTF-8 or has a NUL. */
		check(!json || strict == 0 || memchr(text, '\0', size));
		if (!json && strict == 0 && (type == '{' || type == '['))
			check(json_error_code(&why) == json_error_invalid_utf8 ||
			      json_error_code(&why) == json_error_null_character ||
			      json_error_code(&why) == json_error_null_byte_in_key ||
			      json_error_code(&why) == json_error_invalid_syntax);
		json_decref(json);
	}
	status = http_json_decode(text, size, &object, strict_error);
	check(status == 0 || !object);
	check(loose == 0 || status == loose);
	json_decref(object);
	free(text);
	return 0;
}
