/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each client of one quota may ask: so many requests in each interval, and where that was exceeded, for a
 * time not at all. Pure: the time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

/* More clients at once share one allowance: an attacker with many addresses costs no memory, and gets no more. */
#define LIMITER_CLIENTS_MAX 4096

struct limiter;

struct limiter_verdict {
	bool allowed;
	bool blocked; /* from before: nothing was counted, and the three numbers below are not set */
	uint64_t limit, remaining;
	int64_t reset;	     /* seconds until all are there again */
	int64_t retry_after; /* seconds until one that was not allowed may be repeated; 0 where it was */
};

/* RATE requests (rounded; at least one) in INTERVAL seconds; who exceeds them waits BLOCK seconds. NULL
 * without memory. */
struct limiter *limiter_new(double rate, int64_t interval, int64_t block) NODISCARD;
void limiter_free(struct limiter *limiter);

/* One request of CLIENT, at NOW (monotonic ms, never decreasing). */
struct limiter_verdict limiter_take(struct limiter *limiter, const char *client, int64_t now);
