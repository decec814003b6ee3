/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets, queries and forms: percent-decoding and path cleaning, strict, as Vault's clients see it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

#include "base/macros.h"

struct http_target {
	char *path;	   /* decoded; starts with '/' */
	char *redirect;	   /* NULL, or the target without "//", "/./" and "/../" that the client is sent to (307) */
	const char *query; /* inside the target, without the '?'; "" if there is none */
};

/*
 * Splits and decodes a target in origin form ("/v1/a?b=c") or absolute form ("http://host/v1/a"). 0, or -EBADMSG with
 * a static WHY: bad percent-encoding or invalid UTF-8 behind it, a fragment, another form; NULL for characters that
 * cannot be printed, about which Vault says nothing. -ENOMEM.
 * Encoded dots and slashes are decoded as bytes of a name and never cleaned away.
 */
int http_target_parse(const char *target, struct http_target *ret, const char **ret_why) NODISCARD;
void http_target_free(struct http_target *target);

#define HTTP_FORM_PAIRS_MAX 10000 /* as members of a JSON object (http_json_check.h) */

/*
 * Decodes "a=b&c=d" into an object of strings. A repeated name gives an array of strings, or with FORM its values
 * joined by ',' (Vault's two ways). 0, or -EBADMSG (bad percent-encoding, invalid UTF-8, NUL), -E2BIG (a form of
 * more than HTTP_FORM_PAIRS_MAX), -ENOMEM.
 */
int http_query_parse(const char *text, size_t len, bool form, json_t **ret) NODISCARD;
