/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a reply: status line, the header fields that every reply has, and those of this one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <event2/buffer.h>

#include "base/macros.h"

/*
 * Adds the head of a reply with LEN bytes of body to OUT. TYPE is its content type, HEADERS are whole lines ("A: b\r\n");
 * NULL: none. CLOSE tells the client that the connection ends. 0 or -ENOMEM.
 */
int http_head_add(struct evbuffer *out, int status, const char *type, const char *headers, size_t len, bool close)
    NODISCARD;
