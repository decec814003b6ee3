/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a hard maximum; what it gives back is wiped, since credentials pass through. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "base/macros.h"

struct buf {
	char *data; /* NUL-terminated when not NULL */
	size_t len;
	size_t size;
	size_t max;  /* 0: no maximum */
	bool failed; /* an append failed (no memory, past max): every later one does too */
};

#define BUF_MAX(limit)         \
	{                      \
		.max = (limit) \
	}
#define AUTO_BUF CLEANUP(buf_free)

/* Append; 0, or -ENOMEM / -EMSGSIZE (sticky: test `failed` once at the end of a chain). */
int buf_add(struct buf *buf, const void *data, size_t len);
/* Makes room for EXTRA bytes more, so that a chain of appends does not make it bit by bit. */
int buf_reserve(struct buf *buf, size_t extra);
int buf_add_str(struct buf *buf, const char *text);
int buf_add_char(struct buf *buf, char c);
/* For text with a secret in it, too: asprintf leaves copies in memory that it frees. */
int buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
int buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* Wipes and empties; keeps max. */
void buf_free(struct buf *buf);

/* Hands the NUL-terminated bytes over (never NULL on success; free() it); NULL if an append failed. */
char *buf_take(struct buf *buf);
