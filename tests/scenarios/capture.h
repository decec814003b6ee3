/* SPDX-License-Identifier: Apache-2.0 */
/* What libpam and the module do in this process behind the application's back: log lines, and memory that they free. */
#pragma once

#include <stddef.h>

#define LINES_MAX 64

struct log_line {
	int level;
	char text[1024];
};

/* Lines of this thread since the last capture_reset(). */
size_t capture_lines(const struct log_line **ret);
void capture_reset(void);

/* Watches ANSWER, malloc'ed text that the module must wipe and free. */
void capture_watch(const char *answer);
/* Watched answers that were freed with a byte of text in them, and those that were not freed at all. */
unsigned capture_unwiped(void);
unsigned capture_unfreed(void);
