/* SPDX-License-Identifier: Apache-2.0 */
/* A quick way through plain JSON text; jansson decides about everything else. */
#pragma once

#include <stddef.h>
#include <jansson.h>

/*
 * json_loadb(): the same values and errors for every text and all FLAGS, but several times as fast for plain text (an
 * object or array of ASCII strings without escapes, whole numbers, words), which is what logins read. The caller owns
 * the value; NULL with ERROR (which may be NULL).
 */
json_t *json_quick_loadb(const char *text, size_t len, size_t flags, json_error_t *error);

/*
 * Text that json_quick_loadb() reads back as VALUE: as json_dumps() with JSON_COMPACT and JSON_ENCODE_ANY, in a quarter
 * of its time. The caller frees it, and wipes it where it is secret. NULL without memory.
 */
char *json_quick_dumps(const json_t *value);

/* How many bytes of TEXT, from its beginning, are printable ASCII that a JSON string holds as it is: no '"', no '\\'.
 */
size_t json_plain_len(const char *text, size_t len);
