/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes of text looked at at once, in a word (SWAR). */
#pragma once

#include <stdint.h>

/* A byte of C in each place. */
#define SWAR_EACH(c) (UINT64_C(0x0101010101010101) * (c))

/* The highest bit of a byte of X that is 0; of bytes behind such a one it may be set, too. */
static inline uint64_t swar_zeros(uint64_t x)
{
	return (x - SWAR_EACH(1)) & ~x & SWAR_EACH(0x80);
}

/* Not 0 where a byte of X is below ' ' or no ASCII. */
static inline uint64_t swar_unprintable(uint64_t x)
{
	return (x & SWAR_EACH(0x80)) | ((x - SWAR_EACH(' ')) & ~x & SWAR_EACH(0x80));
}
