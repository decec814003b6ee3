/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Vault reads them and Go prints them; declared in text.h. */
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define MAX_SECONDS 9223372036LL /* Go's Duration ends at 2^63 ns */

static const struct {
	const char *name;
	long long per_second; /* for units below a second */
	long long seconds;    /* for units from a second up */
} units[] = {
	{ "ns", 1000000000, 0 },
	{ "us", 1000000, 0 },
	{ "ms", 1000, 0 },
	{ "s", 0, 1 },
	{ "m", 0, 60 },
	{ "h", 0, 3600 },
};

/* The unit at *TEXT (longest name first where one starts another), or -1; moves *TEXT past it. */
static int unit_at(const char **text)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*text, units[i].name, len) == 0 && (*text)[len] != 's') {
			*text += len;
			return (int)i;
		}
	}
	return -1;
}

static int whole_number(const char **text, long long *ret, bool *ret_any)
{
	long long value = 0;

	*ret_any = false;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		*ret_any = true;
		if (value > MAX_SECONDS)
			return -EINVAL;
		value = value * 10 + (**text - '0');
	}
	*ret = value;
	return 0;
}

/* One "<number><unit>" of a Go duration, in nanoseconds. */
static int component(const char **text, long long *ret_ns)
{
	long long whole, scale, fraction = 0, divisor = 1;
	bool any, any_fraction = false;
	int unit;

	if (whole_number(text, &whole, &any) < 0)
		return -EINVAL;
	if (**text == '.') {
		for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
			any_fraction = true;
			if (divisor < 100000) {
				fraction = fraction * 10 + (**text - '0');
				divisor *= 10;
			}
		}
	}
	unit = unit_at(text);
	if ((!any && !any_fraction) || unit < 0)
		return -EINVAL;
	scale = units[unit].seconds ? units[unit].seconds * 1000000000LL : 1000000000LL / units[unit].per_second;
	if (__builtin_mul_overflow(whole, scale, ret_ns) ||
	    __builtin_add_overflow(*ret_ns, scale / divisor * fraction, ret_ns))
		return -EINVAL;
	return 0;
}

int duration_parse(const char *text, long long *ret_seconds)
{
	bool negative = *text == '-', any;
	const char *at = text + (*text == '-' || *text == '+');
	const char *start = at;
	long long total = 0, value;

	if (*text == '\0') {
		*ret_seconds = 0;
		return 0;
	}
	if (whole_number(&at, &value, &any) < 0)
		return -EINVAL;
	if (any && (*at == '\0' || (*at == 'd' && at[1] == '\0'))) {
		if (*at == 'd' && (value > MAX_SECONDS / 86400))
			return -EINVAL;
		total = *at == 'd' ? value * 86400 : value;
		*ret_seconds = negative ? -total : total;
		return 0;
	}
	at = start;
	do {
		if (component(&at, &value) < 0 || __builtin_add_overflow(total, value, &total))
			return -EINVAL;
	} while (*at);
	total /= 1000000000LL;
	*ret_seconds = negative ? -total : total;
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
