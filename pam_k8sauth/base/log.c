/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines with a reference id; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/text.h"

#define LINE_SIZE 2048

static void log_stderr_sink(int level, const char *ref, const char *line)
{
	bool journal = getenv("JOURNAL_STREAM") != NULL;
	char prefix[4] = "";

	if (journal)
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	if (ref)
		fprintf(stderr, "%s%s [ref %s]\n", prefix, line, ref);
	else
		fprintf(stderr, "%s%s\n", prefix, line);
}

static log_sink *current_sink = log_stderr_sink;
static int current_level = LOG_INFO, usual_level = LOG_INFO;

void log_set_level(int level)
{
	current_level = usual_level = level;
}

void log_change_level(int level)
{
	current_level = level < 0 ? usual_level : level;
}

int log_level(void)
{
	return current_level;
}

void log_set_sink(log_sink *sink)
{
	current_sink = sink ? sink : log_stderr_sink;
}

void log_new_ref(char ret_ref[static REF_SIZE])
{
	unsigned char bytes[REF_LEN / 2];

	random_bytes(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), ret_ref);
}

bool log_allowed(struct log_limit *limit, const char *what)
{
	int64_t now = monotonic_ms();

	if (limit->lines == 0 || now - limit->window >= LOG_LIMIT_MS)
		*limit = (struct log_limit){ .window = now };
	if (limit->lines <= LOG_LIMIT_LINES)
		limit->lines++;
	if (limit->lines == LOG_LIMIT_LINES)
		log_warning(
		    "%s: more than %d in %d s, the others are left out", what, LOG_LIMIT_LINES, LOG_LIMIT_MS / 1000);
	return limit->lines < LOG_LIMIT_LINES;
}

void log_line(int level, const char *ref, const char *format, ...)
{
	static const char mark[] = " [cut]";
	char line[LINE_SIZE];
	va_list args;
	int len;

	if (level > current_level)
		return;
	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(line))
		memcpy(line + sizeof(line) - sizeof(mark), mark, sizeof(mark));
	/* A client's text must not start a line of its own. */
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	current_sink(level, ref, line);
}
