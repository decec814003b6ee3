/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial 0x11b, as Vault's shares are made: a share is
 * one byte for each of the key's, and its x coordinate (1 to 255) behind them (vault-core.md 7.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define SHAMIR_SHARES_MAX 255

/*
 * Splits the LEN bytes at KEY into N shares of LEN + 1 bytes each at RET, one behind the other; any THRESHOLD of them
 * give it back, fewer say nothing. 2 <= THRESHOLD <= N <= 255, or -EINVAL; -ENOMEM.
 */
int shamir_split(const uint8_t *key, size_t len, size_t n, size_t threshold, uint8_t *ret) NODISCARD;

/*
 * The key of LEN - 1 bytes that N shares of LEN bytes each, one behind the other, come to; any bytes where they do not
 * belong together. -EEXIST: two have the same x coordinate; -EINVAL: LEN < 2 or N < 2.
 */
int shamir_combine(const uint8_t *shares, size_t n, size_t len, uint8_t *ret) NODISCARD;
