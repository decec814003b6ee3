/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of nsswitch.conf; see nsswitch.h. */
#include "cli/nsswitch.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static size_t skip_blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (text[n] == ' ' || text[n] == '\t'))
		n++;
	return n;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* Whether one STATUS=ACTION ends the search where nothing was found. */
static bool returns(const char *text, size_t len)
{
	bool not = len > 0 && *text == '!';
	const char *equals = memchr(text, '=', len);
	size_t status;

	if (!equals)
		return false;
	text += not;
	len -= not;
	status = (size_t)(equals - text);
	return is_word(equals + 1, len - status - 1, "return") && is_word(text, status, "notfound") != not;
}

/* What is in the brackets at TEXT; *RET_LEN bytes with them. */
static bool actions_return(const char *text, size_t len, size_t *ret_len)
{
	const char *close = memchr(text, ']', len);
	size_t inside = close ? (size_t)(close - text) : len, i = 1;
	bool any = false;

	while (i < inside) {
		size_t word = i += skip_blanks(text + i, inside - i);

		while (i < inside && text[i] != ' ' && text[i] != '\t')
			i++;
		any |= returns(text + word, i - word);
	}
	*ret_len = close ? inside + 1 : len;
	return any;
}

/* The services of one line. */
static enum nsswitch_place find_service(const char *text, size_t len, const char *service)
{
	bool cut = false;

	for (size_t i = 0; i < len;) {
		size_t word = i += skip_blanks(text + i, len - i), n = 0;

		if (i < len && text[i] == '[') {
			cut |= actions_return(text + i, len - i, &n);
			i += n;
			continue;
		}
		while (i < len && text[i] != ' ' && text[i] != '\t' && text[i] != '[')
			i++;
		/* Names of services are files: their case counts. */
		if (i - word == strlen(service) && memcmp(text + word, service, i - word) == 0)
			return cut ? NSSWITCH_CUT_OFF : NSSWITCH_THERE;
	}
	return NSSWITCH_ABSENT;
}

enum nsswitch_place nsswitch_find(
    const char *text, size_t len, const char *database, const char *service, unsigned *ret_line)
{
	enum nsswitch_place place = NSSWITCH_NO_LINE;
	const char *end = text + len;

	*ret_line = 0;
	for (unsigned line = 1; text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text)), *comment, *colon;
		size_t all = (size_t)((stop ? stop : end) - text), start;

		comment = memchr(text, '#', all);
		all = comment ? (size_t)(comment - text) : all;
		start = skip_blanks(text, all);
		colon = memchr(text, ':', all);
		if (colon && is_word(text + start, (size_t)(colon - text) - start, database)) {
			place = find_service(colon + 1, all - (size_t)(colon - text) - 1, service);
			*ret_line = line;
		}
		text = stop ? stop + 1 : end;
	}
	return place;
}
