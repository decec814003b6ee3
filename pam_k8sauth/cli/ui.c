/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to the terminal: results to standard output, everything else to standard error, coloured as by the vault
 * command. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/secret.h"
#include "cli/cli.h"

#define LINE_MAX_WIDTH 78

bool ui_is_terminal(void)
{
	static int terminal = -1;
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	if (terminal < 0)
		terminal = isatty(STDOUT_FILENO) && !(term && streq(term, "dumb")) && !(no_colour && *no_colour);
	return terminal;
}

static bool coloured(void)
{
	const char *off = getenv("VAULT_CLI_NO_COLOR");

	return ui_is_terminal() && !(off && *off);
}

PRINTF_LIKE(1, 0) static char *text_va(const char *format, va_list args)
{
	struct buf text = { 0 };

	if (buf_vprintf(&text, format, args) < 0)
		abort();
	return buf_take(&text);
}

char *text_of(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = text_va(format, args);
	va_end(args);
	return text;
}

void ui_write(const char *text, size_t len)
{
	const char *end = text + len;

	if (isatty(STDOUT_FILENO)) {
		fwrite(text, 1, len, stdout);
		return;
	}
	while (text < end) {
		if (*text != '\033') {
			putchar(*text++);
			continue;
		}
		text += 2;
		/* ESC [ goes up to its letter, any other ESC takes one character with it. */
		if (text <= end && text[-1] == '[') {
			while (text < end && !isalpha((unsigned char)*text) && *text != '@')
				text++;
			text++;
		}
	}
}

void ui_output(const char *format, ...)
{
	AUTO_WIPE_STR char *text = NULL;
	va_list args;

	fputs(coloured() ? "\033[0m" : "", stdout);
	va_start(args, format);
	text = text_va(format, args);
	va_end(args);
	ui_write(text, strlen(text));
	fputs(coloured() ? "\033[0m\n" : "\n", stdout);
}

PRINTF_LIKE(3, 0)
static void print_error(const struct cli *cli, const char *colour, const char *format, va_list args)
{
	if (cli && cli->quiet)
		return;
	fflush(stdout);
	if (coloured())
		fprintf(stderr, "\033[%sm", colour);
	vfprintf(stderr, format, args);
	fputs(coloured() ? "\033[0m\n" : "\n", stderr);
}

void ui_error(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(cli, "91", format, args);
	va_end(args);
}

void ui_warn(const struct cli *cli, const char *format, ...)
{
	va_list args;

	/* A request that is only shown warns of nothing. */
	if (flag_true(cli, FLAG_OUTPUT_CURL_STRING) || flag_true(cli, FLAG_OUTPUT_POLICY))
		return;
	va_start(args, format);
	print_error(cli, "93", format, args);
	va_end(args);
}

int ui_fail(const struct cli *cli, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(cli, "91", format, args);
	va_end(args);
	return code;
}

/* Reads one line from FD, without its end, into LINE; false where it was interrupted (its last character is INTERRUPT).
 */
static bool read_line(int fd, char interrupt, struct buf *line)
{
	char c;

	while (read(fd, &c, 1) == 1 && c != '\n') {
		if (c == interrupt)
			return false;
		buf_add_char(line, c);
	}
	return !line->failed;
}

bool ui_confirm(const char *question)
{
	AUTO_BUF struct buf line = { 0 };

	fprintf(stderr, "%s (yes or no): ", question);
	return read_line(STDIN_FILENO, '\0', &line) && line.data && streq(line.data, "yes");
}

int ui_ask_hidden(FILE *prompts, const char *prompt, struct buf *ret)
{
	struct termios shown, hidden;
	bool done;

	fputs(prompt, prompts);
	fflush(prompts);
	if (tcgetattr(STDIN_FILENO, &shown) < 0) {
		fputs("\n", prompts);
		return -ENOTTY;
	}
	/* The interrupt key ends the line instead of the program, so that the terminal shows what is typed again. */
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	hidden.c_cc[VEOL] = shown.c_cc[VINTR];
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	done = read_line(STDIN_FILENO, (char)shown.c_cc[VINTR], ret);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputs("\n", prompts);
	return done ? 0 : -EINTR;
}

/* A text cut into words, one blank between two; two blanks make an empty one. */
struct words {
	char *text;
	const char **list;
	size_t *widths, n;
};

static void words_split(struct words *words, const char *text)
{
	size_t room = 1;

	words->text = text_of("%s", text);
	for (char *c = words->text; *c; c++) {
		if (*c == '\n')
			*c = ' ';
		room += *c == ' ';
	}
	words->list = calloc(room, sizeof(*words->list));
	words->widths = calloc(room, sizeof(*words->widths));
	if (!words->list || !words->widths)
		abort();
	for (char *c = words->text; c;) {
		char *blank = strchr(c, ' ');

		if (blank)
			*blank++ = '\0';
		words->list[words->n] = c;
		for (; *c; c++)
			words->widths[words->n] += ((unsigned char)*c & 0xc0) != 0x80;
		words->n++;
		c = blank;
	}
}

static void words_free(struct words *words)
{
	free(words->text);
	free(words->list);
	free(words->widths);
}

/*
 * Where the line that starts with each word ends, so that the squares of what is left free on all lines but the last
 * one are least, as in Go's kr/text. The caller frees it.
 */
static size_t *best_breaks(const struct words *words, size_t width)
{
	const long too_wide = 100000;
	AUTO_FREE long *cost = calloc(words->n + 1, sizeof(*cost));
	size_t *ends = calloc(words->n + 1, sizeof(*ends));

	if (!cost || !ends)
		abort();
	for (size_t i = words->n; i-- > 0;) {
		size_t used = 0;

		cost[i] = LONG_MAX;
		for (size_t j = i; j < words->n; j++) {
			long left, sum;

			used += words->widths[j] + (j > i);
			left = (long)width - (long)used;
			sum = left * left + cost[j + 1] + (left < 0 ? too_wide : 0);
			if (j + 1 == words->n && left >= 0)
				sum = 0;
			if (sum < cost[i] || (j + 1 == words->n && left >= 0)) {
				cost[i] = sum;
				ends[i] = j + 1;
			}
			if (left < 0)
				break;
		}
	}
	return ends;
}

char *wrap_text(const char *text, int pad)
{
	CLEANUP(words_free) struct words words = { 0 };
	AUTO_BUF struct buf out = { 0 };
	AUTO_FREE size_t *ends = NULL;
	char *wrapped;

	words_split(&words, text);
	ends = best_breaks(&words, (size_t)(LINE_MAX_WIDTH - pad));
	for (size_t i = 0; i < words.n; i = ends[i]) {
		buf_printf(&out, "%s%*s", i > 0 ? "\n" : "", pad, "");
		for (size_t j = i; j < ends[i]; j++)
			buf_printf(&out, "%s%s", j > i ? " " : "", words.list[j]);
	}
	wrapped = buf_take(&out);
	if (!wrapped)
		abort();
	return wrapped;
}
