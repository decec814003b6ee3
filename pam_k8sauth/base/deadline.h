/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic deadlines: a total for a whole exchange, not a time-out that every byte restarts. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct deadline {
	int64_t at_ms; /* CLOCK_MONOTONIC */
};

static inline int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline struct deadline deadline_after_ms(int ms)
{
	return (struct deadline){ monotonic_ms() + ms };
}

/* Milliseconds left, 0 when past: fit for poll(). */
static inline int deadline_left_ms(struct deadline deadline)
{
	int64_t left = deadline.at_ms - monotonic_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static inline bool deadline_passed(struct deadline deadline)
{
	return deadline_left_ms(deadline) == 0;
}
