/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 as Go's encoding/base64 takes it from Vault's clients: line ends anywhere, bits behind the end whatever they
 * are, and the place of a fault, which is told. What is ours alone is read more strictly (base/text.h).
 */
#include <stdbool.h>
#include <string.h>

#include "vault/embedded/go_text.h"

static int digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static size_t skip_line_ends(const char *text, size_t i)
{
	return i + strspn(text + i, "\r\n");
}

/* What follows the first '=' at I - 1, after N digits of a group of four: the place of the fault, or -1. */
static ssize_t check_padding(const char *text, size_t i, unsigned n)
{
	if (n < 2)
		return (ssize_t)i - 1;
	i = skip_line_ends(text, i);
	if (n == 2) {
		if (!text[i])
			return (ssize_t)i;
		if (text[i] != '=')
			return (ssize_t)i - 1;
		i = skip_line_ends(text, i + 1);
	}
	return text[i] ? (ssize_t)i : -1;
}

static ssize_t decode(const char *text, bool padded, uint8_t *ret, size_t *ret_len)
{
	uint32_t group = 0;
	unsigned n = 0; /* digits in it */
	size_t i = skip_line_ends(text, 0), len = 0;
	ssize_t fault = -1;

	for (; text[i] && !(padded && text[i] == '='); i = skip_line_ends(text, i + 1)) {
		int digit = digit_of(text[i]);

		if (digit < 0)
			return (ssize_t)i;
		group = group << 6 | (uint32_t)digit;
		if (++n < 4)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8)
			ret[len++] = (uint8_t)(group >> shift);
		group = n = 0;
	}
	if (text[i] == '=')
		fault = check_padding(text, i + 1, n);
	else if (padded ? n > 0 : n == 1)
		fault = (ssize_t)(i - n);
	if (fault >= 0)
		return fault;
	group <<= 6 * (4 - n);
	for (unsigned k = 0; n && k < n - 1; k++)
		ret[len++] = (uint8_t)(group >> (16 - 8 * k));
	*ret_len = len;
	return -1;
}

ssize_t go_base64_decode(const char *text, uint8_t *ret, size_t *ret_len)
{
	return decode(text, true, ret, ret_len);
}

ssize_t go_base64_decode_unpadded(const char *text, uint8_t *ret, size_t *ret_len)
{
	return decode(text, false, ret, ret_len);
}
