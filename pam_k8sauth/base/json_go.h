/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as Go's encoder writes it, so that what clients and auditors get is Vault's to the byte. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/*
 * Appends VALUE: members in their order, no blanks, `<`, `>` and `&` escaped, the shortest form of a real that reads
 * back as the same one. Errors stick in RET (buf->failed).
 */
void json_go_encode(const json_t *value, struct buf *ret);

/* The same for a string of LEN bytes of UTF-8, with its quotation marks. */
void json_go_string(const char *text, size_t len, struct buf *ret);

/* What Go's decoder calls the kind of VALUE where it is of the wrong one: "object", "bool", "null". */
const char *json_go_kind(const json_t *value);
