/* SPDX-License-Identifier: Apache-2.0 */
/* Growing byte buffer; see buf.h. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/secret.h"

static int buf_fail(struct buf *buf, int error)
{
	buf->failed = true;
	return error;
}

int buf_reserve(struct buf *buf, size_t extra)
{
	size_t need, size;
	char *data;

	if (buf->failed)
		return -ENOMEM;
	if (__builtin_add_overflow(buf->len, extra, &need) || need >= SIZE_MAX / 2)
		return buf_fail(buf, -ENOMEM);
	if (buf->max && need > buf->max)
		return buf_fail(buf, -EMSGSIZE);
	if (need < buf->size)
		return 0;
	size = buf->size ? buf->size : 128;
	while (size <= need)
		size *= 2;
	data = wipe_realloc(buf->data, size);
	if (!data)
		return buf_fail(buf, -ENOMEM);
	buf->data = data;
	buf->size = size;
	return 0;
}

int buf_add(struct buf *buf, const void *data, size_t len)
{
	int r = buf_reserve(buf, len);

	if (r < 0)
		return r;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_add_str(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

int buf_add_char(struct buf *buf, char c)
{
	/* Parsers add byte by byte: nearly always there is room. */
	if (buf->failed || buf->len + 1 >= buf->size || (buf->max && buf->len >= buf->max))
		return buf_add(buf, &c, 1);
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	int len, r;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	r = len < 0 ? buf_fail(buf, -EINVAL) : buf_reserve(buf, (size_t)len);
	if (r == 0) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	return r;
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = buf_vprintf(buf, format, args);
	va_end(args);
	return r;
}

void buf_free(struct buf *buf)
{
	if (buf->data)
		wipe_free(buf->data);
	*buf = (struct buf){ .max = buf->max };
}

char *buf_take(struct buf *buf)
{
	char *data;

	if (buf_add(buf, "", 0) < 0)
		return NULL;
	data = buf->data;
	*buf = (struct buf){ .max = buf->max };
	return data;
}
