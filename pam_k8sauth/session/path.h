/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of export blocks and of the gate: their placeholders get the values of a session. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

struct path_value {
	const char *name;  /* "host" for {host} */
	const char *value; /* NULL: not known here */
};

/*
 * TEXT with its placeholders filled in, at most 1024 bytes; each value stays one segment and no pattern, since it is
 * another party's text. NULL with WHY (words that follow "the path: "). The caller frees it.
 */
char *path_fill(const struct path_value *values, size_t n, const char *text, const char **why) NODISCARD;
