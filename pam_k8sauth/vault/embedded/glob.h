/* SPDX-License-Identifier: Apache-2.0 */
/* Vault's globs of names (kubernetes-auth.md 2.3). */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* '*' is any run, everything else itself, anchored at both ends. */
bool glob_match(const char *pattern, const char *text);
/* Whether any of PATTERNS (array of strings, or NULL) matches. */
bool globs_match(const json_t *patterns, const char *text);
