/* SPDX-License-Identifier: Apache-2.0 */
/* Unix nanoseconds and their RFC 3339 text. */
#include "vault/embedded/nanotime.h"

#include <time.h>

int64_t nanotime_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NANOTIME_SECOND + now.tv_nsec;
}

int64_t nanotime_after(int64_t time, int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds > NANOTIME_LIFE_MAX)
		seconds = NANOTIME_LIFE_MAX;
	return time + seconds * NANOTIME_SECOND;
}

/* LEN decimal digits of NUMBER, and what is behind them. */
static char *add_digits(char *to, int64_t number, int len)
{
	for (int i = len - 1; i >= 0; i--, number /= 10)
		to[i] = (char)('0' + number % 10);
	return to + len;
}

/*
 * The date of DAYS since 1970 by the proleptic Gregorian calendar, counted in years that begin in March, so that the
 * leap day is the last: each 400 years have 146097 days. Without libc, whose gmtime and strftime cost a microsecond,
 * and each reply and entry has several times.
 */
static char *add_date(char *to, int64_t days)
{
	int64_t from_0 = days + 719468, era = from_0 / 146097, day = from_0 % 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153; /* 0: March */
	int64_t of_month = of_year - (153 * month + 2) / 5 + 1;

	to = add_digits(to, year + era * 400 + (month >= 10), 4);
	*to++ = '-';
	to = add_digits(to, month < 10 ? month + 3 : month - 9, 2);
	*to++ = '-';
	return add_digits(to, of_month, 2);
}

void nanotime_format(int64_t time, char ret[static NANOTIME_SIZE])
{
	int64_t seconds = time / NANOTIME_SECOND, fraction = time % NANOTIME_SECOND, of_day = seconds % 86400;
	char *to = add_date(ret, seconds / 86400);
	int digits = 9;

	*to++ = 'T';
	to = add_digits(to, of_day / 3600, 2);
	*to++ = ':';
	to = add_digits(to, of_day / 60 % 60, 2);
	*to++ = ':';
	to = add_digits(to, of_day % 60, 2);
	if (fraction) {
		for (; fraction % 10 == 0; fraction /= 10)
			digits--;
		*to++ = '.';
		to = add_digits(to, fraction, digits);
	}
	*to++ = 'Z';
	*to = '\0';
}
