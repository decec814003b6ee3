/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that Vault's clients see and that Go's libraries make: values, quoted strings. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <jansson.h>

#include "base/buf.h"

/* fmt's %v of a JSON value: map[a:1 b:[x y]], <nil>. */
void go_value(struct buf *text, const json_t *value);
/* strconv.Quote. */
void go_quote(struct buf *text, const char *string);

/* What LEN characters of base64 may become. */
#define GO_BASE64_SIZE(len) ((len) / 4 * 3 + 3)
/* Decodes TEXT into RET, GO_BASE64_SIZE of its length. -1 with *RET_LEN, or the index at which Go finds a fault. */
ssize_t go_base64_decode(const char *text, uint8_t *ret, size_t *ret_len);
/* The same without padding at the end, where '=' is none of the digits. */
ssize_t go_base64_decode_unpadded(const char *text, uint8_t *ret, size_t *ret_len);
