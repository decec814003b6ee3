/* SPDX-License-Identifier: Apache-2.0 */
/* JSON request bodies, with the statuses and texts that Vault 1.21.4 answers to broken ones (vault-1.21.4.md, HTTP). */
#pragma once

#include <stddef.h>
#include <jansson.h>

#include "base/buf.h"
#include "daemon/http_json_check.h"

/*
 * Decodes the LEN bytes of a body into an object; *RET is NULL for an empty body, blanks and `null`. Whole numbers stay
 * integers (1e3 is 1000), those beyond 64 bits become reals, as Vault's clients get them back. 0 and *RET (the
 * caller's), or the HTTP status with the text for the client in ERROR. Refused besides: repeated keys, more than
 * HTTP_JSON_DEPTH_MAX levels, HTTP_JSON_COUNT_MAX in one container or HTTP_JSON_TOKENS_MAX in all, \u0000, invalid
 * UTF-8.
 */
int http_json_decode(const char *text, size_t len, json_t **ret, char error[static HTTP_JSON_ERROR_SIZE]) NODISCARD;
