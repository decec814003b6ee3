/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that Vault's clients see and that Go's libraries make: values, quoted strings. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* fmt's %v of a JSON value: map[a:1 b:[x y]], <nil>. */
void go_value(struct buf *text, const json_t *value);
/* strconv.Quote. */
void go_quote(struct buf *text, const char *string);
