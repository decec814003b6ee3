/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes syslog() and free() over: this program exports its own, and the loader prefers a program's symbols to libc's.
 * See capture.h.
 */
#include "capture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "sanitized.h"

#define EXPORT	    __attribute__((visibility("default")))
#define WATCHED_MAX 64

static _Thread_local struct log_line lines[LINES_MAX];
static _Thread_local size_t n_lines;

struct watched {
	const char *text;
	size_t len;
};

static _Thread_local struct watched watched[WATCHED_MAX];
static _Thread_local size_t n_watched;
static _Thread_local unsigned unwiped;

static void add_line(int level, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void add_line(int level, const char *format, va_list args)
{
	if (n_lines == LINES_MAX)
		return;
	lines[n_lines].level = level & 7 /* without the facility */;
	vsnprintf(lines[n_lines].text, sizeof(lines[n_lines].text), format, args);
	n_lines++;
}

/* Under names of their own here, since the headers have inline ones for these. */
EXPORT void captured_syslog(int level, const char *format, ...) __asm__("syslog") PRINTF_LIKE(2, 3);
EXPORT void captured_syslog_chk(int level, int flag, const char *format, ...) __asm__("__syslog_chk") PRINTF_LIKE(3, 4);

EXPORT void captured_syslog(int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(level, format, args);
	va_end(args);
}

EXPORT void captured_syslog_chk(int level, int flag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(level, format, args);
	va_end(args);
}

size_t capture_lines(const struct log_line **ret)
{
	*ret = lines;
	return n_lines;
}

void capture_reset(void)
{
	n_lines = 0;
	n_watched = 0;
	unwiped = 0;
}

void capture_watch(const char *answer)
{
	if (!SANITIZED && n_watched < WATCHED_MAX)
		watched[n_watched++] = (struct watched){ answer, strlen(answer) };
}

unsigned capture_unwiped(void)
{
	return unwiped;
}

unsigned capture_unfreed(void)
{
	return (unsigned)n_watched;
}

#if !SANITIZED /* the sanitizer has its own free(), and looks for leaks by itself */
extern void __libc_free(void *data);

EXPORT void free(void *data)
{
	for (size_t i = 0; i < n_watched; i++) {
		if (watched[i].text != data)
			continue;
		for (size_t k = 0; k < watched[i].len; k++) {
			if (watched[i].text[k]) {
				unwiped++;
				break;
			}
		}
		watched[i] = watched[--n_watched];
		break;
	}
	__libc_free(data);
}
#endif
