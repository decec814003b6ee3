/* SPDX-License-Identifier: Apache-2.0 */
/* Unix nanoseconds and their RFC 3339 text. */
#include "vault/embedded/nanotime.h"

#include <stdio.h>
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

void nanotime_format(int64_t time, char ret[static NANOTIME_SIZE])
{
	time_t seconds = (time_t)(time / NANOTIME_SECOND);
	int fraction = (int)(time % NANOTIME_SECOND), digits = 9;
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(ret, NANOTIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	if (fraction) {
		for (; fraction % 10 == 0; fraction /= 10)
			digits--;
		snprintf(ret + len, NANOTIME_SIZE - len, ".%0*dZ", digits, fraction);
	} else {
		snprintf(ret + len, NANOTIME_SIZE - len, "Z");
	}
}
