/* SPDX-License-Identifier: Apache-2.0 */
/* Wall-clock times as the embedded backend keeps and shows them: unix nanoseconds, RFC 3339 in UTC as Go prints it. */
#pragma once

#include <stdint.h>

#define NANOTIME_SECOND INT64_C(1000000000)
#define NANOTIME_SIZE	32 /* "2026-11-25T01:06:50.427059021Z" and a NUL, with room for any year that fits */

/* The lives and delays that are added to a time are cut at this many seconds (100 years), so that no sum overflows. */
#define NANOTIME_LIFE_MAX (INT64_C(100) * 365 * 86400)

int64_t nanotime_now(void);

/* TIME plus SECONDS, which are cut at 0 and NANOTIME_LIFE_MAX. */
int64_t nanotime_after(int64_t time, int64_t seconds);

/* RFC 3339 with as many digits of the fraction as are needed (Go's RFC3339Nano); TIME is after 1970. */
void nanotime_format(int64_t time, char ret[static NANOTIME_SIZE]);
