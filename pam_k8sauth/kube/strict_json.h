/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from strangers: one object, no duplicate member, no NUL, UTF-8, integers within int64, bounded nesting. */
#pragma once

#include <stddef.h>
#include <jansson.h>

#include "base/macros.h"

/* The object that the LEN bytes at TEXT are, nested at most DEPTH deep. NULL for anything else (or without memory). */
json_t *strict_json_object(const char *text, size_t len, unsigned depth) NODISCARD;
