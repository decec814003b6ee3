/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Vault reads them and Go prints them, with Go's error texts; declared in text.h. */
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#define SECOND 1000000000LL

/* What stays of a text while it is read, and where its errors go. */
struct reader {
	const char *whole;
	const char *at;
	char *error;
	size_t error_size;
};

/* Go's quotation marks around LEN bytes of TEXT; package time escapes every byte that is not plain ASCII. */
static void quote(const char *text, size_t len, char *ret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 7 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (n == 0)
			ret[n++] = '"';
		if (c < ' ' || c >= 0x80)
			n += (size_t)snprintf(ret + n, size - n, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)snprintf(ret + n, size - n, "\\%c", c);
		else
			ret[n++] = (char)c;
	}
	snprintf(ret + n, size - n, n ? "\"" : "\"\"");
}

static int fail(const struct reader *in, const char *what)
{
	char whole[160];

	quote(in->whole, strlen(in->whole), whole, sizeof(whole));
	snprintf(in->error, in->error_size, "time: %s duration %s", what, whole);
	return -EINVAL;
}

static int unit_scale(const char *name, size_t len, long long *ret)
{
	static const struct {
		const char *name;
		long long ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 }, /* micro sign */
		{ "\xce\xbcs", 1000 }, /* Greek mu */
		{ "ms", 1000000 },
		{ "s", SECOND },
		{ "m", 60 * SECOND },
		{ "h", 3600 * SECOND },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0) {
			*ret = units[i].ns;
			return 0;
		}
	}
	return -ENOENT;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One "<number><unit>" of a Go duration. */
static int component(struct reader *in, long long *ret_ns)
{
	long long whole = 0, scale = 1, ns;
	double fraction = 0, place = 1;
	const char *start = in->at, *unit;
	bool any;

	for (; is_digit(*in->at); in->at++) {
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *in->at - '0', &whole))
			return fail(in, "invalid");
	}
	any = in->at > start;
	if (*in->at == '.') {
		for (in->at++; is_digit(*in->at); in->at++, any = true) {
			place *= 10;
			fraction = fraction * 10 + (*in->at - '0');
		}
	}
	if (!any)
		return fail(in, "invalid");
	for (unit = in->at; *in->at && *in->at != '.' && !is_digit(*in->at); in->at++)
		;
	if (in->at == unit)
		return fail(in, "missing unit in");
	if (unit_scale(unit, (size_t)(in->at - unit), &scale) < 0) {
		char what[120] = "unknown unit ";

		quote(unit, (size_t)(in->at - unit), what + strlen(what), 80);
		memcpy(what + strlen(what), " in", sizeof(" in"));
		return fail(in, what);
	}
	if (__builtin_mul_overflow(whole, scale, &ns) ||
	    __builtin_add_overflow(ns, (long long)(fraction * ((double)scale / place)), &ns))
		return fail(in, "invalid");
	*ret_ns = ns;
	return 0;
}

static int go_duration(struct reader *in, long long *ret_ns)
{
	bool negative = *in->at == '-';
	long long total = 0, ns = 0;

	if (*in->at == '-' || *in->at == '+')
		in->at++;
	do {
		int r = component(in, &ns);

		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, ns, &total))
			return fail(in, "invalid");
	} while (*in->at);
	*ret_ns = negative ? -total : total;
	return 0;
}

/* A whole decimal number of LEN bytes, signed. 0, -EINVAL, -ERANGE. */
static int whole_number(const char *text, size_t len, long long *ret)
{
	size_t sign = len > 0 && (*text == '-' || *text == '+');
	long long value = 0;

	if (len == sign)
		return -EINVAL;
	for (size_t i = sign; i < len; i++) {
		if (!is_digit(text[i]))
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[i] - '0', &value))
			return -ERANGE;
	}
	*ret = *text == '-' ? -value : value;
	return 0;
}

int duration_parse_ns(const char *text, long long *ret_ns, char *ret_error, size_t size)
{
	struct reader in = { .whole = text, .at = text, .error = ret_error, .error_size = size };
	size_t len = strlen(text);
	bool days = len > 0 && text[len - 1] == 'd';
	long long value = 0, ns;
	int r = 0;

	if (len > 0)
		r = whole_number(text, len - days, &value);
	if (r < 0 && !days)
		return go_duration(&in, ret_ns);
	if (r < 0) {
		char quoted[160];

		quote(text, len - 1, quoted, sizeof(quoted));
		snprintf(ret_error, size, "strconv.ParseInt: parsing %s: %s", quoted,
		    r == -ERANGE ? "value out of range" : "invalid syntax");
		return -EINVAL;
	}
	if (__builtin_mul_overflow(value, (days ? 86400 : 1) * SECOND, &ns)) {
		snprintf(ret_error, size, "%s",
		    "multiplication of durations resulted in overflow, one operand may be too large");
		return -EINVAL;
	}
	*ret_ns = ns;
	return 0;
}

int duration_parse(const char *text, long long *ret_seconds)
{
	char error[DURATION_ERROR_SIZE];
	long long ns;
	int r = duration_parse_ns(text, &ns, error, sizeof(error));

	if (r < 0)
		return r;
	*ret_seconds = ns / SECOND;
	return 0;
}

void duration_format(long long seconds, char *ret, size_t size)
{
	const char *sign = seconds < 0 ? "-" : "";
	long long s = seconds < 0 ? -seconds : seconds;

	if (s >= 3600)
		snprintf(ret, size, "%s%lldh%lldm%llds", sign, s / 3600, s / 60 % 60, s % 60);
	else if (s >= 60)
		snprintf(ret, size, "%s%lldm%llds", sign, s / 60, s % 60);
	else
		snprintf(ret, size, "%s%llds", sign, s);
}
