/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a JSON body, as Vault 1.21.4 says it (asked of a running one). Vault reads a body twice: a loose
 * check of every request's body, whose refusals are 500 with a bare text; then Go's decoder, 400 with a prefix.
 */
#pragma once

#include <stddef.h>

#include "base/macros.h"

#define HTTP_JSON_DEPTH_MAX  300
#define HTTP_JSON_COUNT_MAX  10000  /* members of one object, elements of one array: Vault's limits, as the next one */
#define HTTP_JSON_TOKENS_MAX 250000 /* keys, values and containers: a tree takes many times the bytes of its text */
#define HTTP_JSON_ERROR_SIZE 384

/* 0, or 500 with the text in ERROR. Looks only at what starts like an object or an array. */
int http_json_check_loosely(const char *text, size_t len, char error[static HTTP_JSON_ERROR_SIZE]) NODISCARD;

/*
 * 0 if the LEN bytes begin with a JSON value (blanks before it), or 400 with the text in ERROR. *RET_TYPE is the first
 * character of the value, 0 for nothing but blanks. Depth and counts were bounded by the loose check.
 */
int http_json_check(const char *text, size_t len, char *ret_type, char error[static HTTP_JSON_ERROR_SIZE]) NODISCARD;
