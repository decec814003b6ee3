/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings and random text; see text.h. */
#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/buf.h"

static const char base62_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char hex_digits[] = "0123456789abcdef";

void random_bytes(void *data, size_t len)
{
	unsigned char *at = data;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

void random_base62(char *ret, size_t len)
{
	size_t done = 0;

	while (done < len) {
		unsigned char bytes[64];

		random_bytes(bytes, sizeof(bytes));
		/* 248 is the largest multiple of 62 in a byte: what lies above would favour the first digits. */
		for (size_t i = 0; i < sizeof(bytes) && done < len; i++) {
			if (bytes[i] < 248)
				ret[done++] = base62_digits[bytes[i] % 62];
		}
		explicit_bzero(bytes, sizeof(bytes));
	}
	ret[len] = '\0';
}

void hex_encode(const void *data, size_t len, char *ret)
{
	const unsigned char *in = data;

	for (size_t i = 0; i < len; i++) {
		*ret++ = hex_digits[in[i] >> 4];
		*ret++ = hex_digits[in[i] & 15];
	}
	*ret = '\0';
}

void random_uuid(char ret[static UUID_SIZE])
{
	static const unsigned char lengths[] = { 4, 2, 2, 2, 6 };
	unsigned char b[16];
	size_t at = 0;

	random_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(lengths); i++) {
		hex_encode(b + at, lengths[i], ret);
		ret += 2 * lengths[i];
		at += lengths[i];
		*ret++ = '-';
	}
	ret[-1] = '\0';
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

ssize_t hex_decode(const char *text, size_t len, void *ret, size_t size)
{
	unsigned char *out = ret;

	if (len % 2 || len / 2 > size)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i / 2] = (unsigned char)(high << 4 | low);
	}
	return (ssize_t)(len / 2);
}

static char *base64_encode_with(const char *digits, const void *data, size_t len, char *ret)
{
	const unsigned char *in = data;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 6; have -= 6)
			*ret++ = digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*ret++ = digits[bits << (6 - have) & 63];
	*ret = '\0';
	return ret;
}

static ssize_t base64_decode_with(const char *digits, const char *text, size_t len, void *ret)
{
	unsigned char values[256], *out = ret, all = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	if (len % 4 == 1)
		return -EINVAL;
	/* Not by comparing: letters of either case and digits come in no order that a processor could foresee. */
	memset(values, 64, sizeof(values));
	for (unsigned char i = 0; i < 64; i++)
		values[(unsigned char)digits[i]] = i;
	for (size_t i = 0; i < len; i++) {
		unsigned char value = values[(unsigned char)text[i]];

		all |= value;
		bits = bits << 6 | value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (unsigned char)(bits >> have);
		}
	}
	if (all & 64 || bits & ((1u << have) - 1))
		return -EINVAL;
	return out - (unsigned char *)ret;
}

void base64url_encode(const void *data, size_t len, char *ret)
{
	(void)base64_encode_with(base64url_digits, data, len, ret);
}

ssize_t base64url_decode(const char *text, size_t len, void *ret)
{
	return base64_decode_with(base64url_digits, text, len, ret);
}

void base64_encode(const void *data, size_t len, char *ret)
{
	char *end = base64_encode_with(base64_digits, data, len, ret);

	while ((end - ret) % 4)
		*end++ = '=';
	*end = '\0';
}

ssize_t base64_decode(const char *text, size_t len, void *ret)
{
	if (len % 4)
		return -EINVAL;
	for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
		len--;
	return base64_decode_with(base64_digits, text, len, ret);
}

void base32_encode(const void *data, size_t len, char *ret)
{
	const unsigned char *in = data;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 5; have -= 5)
			*ret++ = base32_digits[bits >> (have - 5) & 31];
	}
	if (have > 0)
		*ret++ = base32_digits[bits << (5 - have) & 31];
	*ret = '\0';
}

/* The length of the UTF-8 sequence that starts with LEAD, 0 if none does. */
static size_t utf8_sequence(unsigned char lead)
{
	if (lead >= 0x01 && lead <= 0x7f)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool utf8_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence(s[i]);
		unsigned char low = 0x80, high = 0xbf;

		if (n == 0 || n > len - i)
			return false;
		if (s[i] == 0xe0)
			low = 0xa0;
		else if (s[i] == 0xed)
			high = 0x9f;
		else if (s[i] == 0xf0)
			low = 0x90;
		else if (s[i] == 0xf4)
			high = 0x8f;
		for (size_t k = 1; k < n; k++, low = 0x80, high = 0xbf) {
			if (s[i + k] < low || s[i + k] > high)
				return false;
		}
		i += n;
	}
	return true;
}

void utf8_mend(const char *text, size_t len, struct buf *ret)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence((unsigned char)text[i]);

		if (n > 0 && n <= len - i && utf8_valid(text + i, n)) {
			buf_add(ret, text + i, n);
			i += n;
		} else {
			buf_add_str(ret, "\xef\xbf\xbd");
			i++;
		}
	}
}

bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && streq(text + len - tail, suffix);
}

void strings_free(char **list)
{
	for (char **each = list; each && *each; each++)
		free(*each);
	free(list);
}

char **strings_copy(const char *const *list)
{
	size_t n = 0;
	char **copy;

	while (list[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			strings_free(copy);
			return NULL;
		}
	}
	return copy;
}

bool utf8_printable(const char *text)
{
	static const struct {
		unsigned first, last;
	} hidden[] = { { 0, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x1680, 0x1680 }, { 0x180e, 0x180e },
		{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xe000, 0xf8ff },
		{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xffff, 0xffff }, { 0xe0000, 0x10ffff } };

	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		unsigned more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		unsigned rune = more ? *at & (0x3fu >> more) : *at;

		for (at++; more && *at; more--)
			rune = rune << 6 | (*at++ & 0x3f);
		for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
			if (rune >= hidden[i].first && rune <= hidden[i].last)
				return false;
		}
	}
	return true;
}

bool is_service_token(const char *text, size_t len)
{
	if ((len != 28 && len != 95) || memcmp(text, "hvs.", 4) != 0)
		return false;
	for (size_t i = 4; i < len; i++) {
		char c = text[i];

		if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_')
			return false;
	}
	return true;
}

size_t text_distance(const char *a, const char *b)
{
	size_t row[65], n = strlen(b);

	if (n >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
		return ARRAY_SIZE(row);
	for (size_t i = 0; i <= n; i++)
		row[i] = i;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t k = 1; k <= n; k++) {
			size_t change = corner + (a[i - 1] != b[k - 1]), best = row[k] + 1;

			best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
			corner = row[k];
			row[k] = change < best ? change : best;
		}
	}
	return row[n];
}
