/* SPDX-License-Identifier: Apache-2.0 */
/* Secret sharing; see shamir.h. Nothing here takes a time that depends on a key: no tables, no branches on its bytes. */
#include "vault/embedded/seal/shamir.h"

#include <errno.h>

#include "base/secret.h"
#include "base/text.h"

#define POLYNOMIAL 0x1bu /* x^8 + x^4 + x^3 + x + 1, without its x^8 */

static uint8_t multiply(uint8_t a, uint8_t b)
{
	unsigned product = 0, shifted = a;

	for (unsigned bit = 0; bit < 8; bit++) {
		product ^= shifted & -((unsigned)b >> bit & 1u);
		shifted = (shifted << 1 ^ (POLYNOMIAL & -(shifted >> 7 & 1u))) & 0xffu;
	}
	return (uint8_t)product;
}

/* a^254; 0 for 0. */
static uint8_t inverse(uint8_t a)
{
	uint8_t result = 1, power = a;

	for (unsigned exponent = 254; exponent; exponent >>= 1) {
		if (exponent & 1u)
			result = multiply(result, power);
		power = multiply(power, power);
	}
	return result;
}

/* The polynomial of N coefficients, the constant first, at X. */
static uint8_t evaluate(const uint8_t *coefficients, size_t n, uint8_t x)
{
	uint8_t y = 0;

	while (n-- > 0)
		y = (uint8_t)(multiply(y, x) ^ coefficients[n]);
	return y;
}

/* A number below LIMIT, all equally likely. */
static size_t random_below(size_t limit)
{
	uint8_t byte;

	do
		random_bytes(&byte, sizeof(byte));
	while (byte >= 256 / limit * limit);
	return byte % limit;
}

/* Each of 1 to 255 once, in a random order. */
static void shuffle(uint8_t xs[SHAMIR_SHARES_MAX])
{
	for (size_t i = 0; i < SHAMIR_SHARES_MAX; i++)
		xs[i] = (uint8_t)(i + 1);
	for (size_t i = SHAMIR_SHARES_MAX - 1; i > 0; i--) {
		size_t j = random_below(i + 1);
		uint8_t x = xs[i];

		xs[i] = xs[j];
		xs[j] = x;
	}
}

int shamir_split(const uint8_t *key, size_t len, size_t n, size_t threshold, uint8_t *ret)
{
	struct secret *secret AUTO_SECRET = NULL;
	uint8_t xs[SHAMIR_SHARES_MAX], *coefficients;

	if (threshold < 2 || n < threshold || n > SHAMIR_SHARES_MAX)
		return -EINVAL;
	secret = secret_new(threshold);
	if (!secret)
		return -ENOMEM;
	coefficients = (uint8_t *)secret_reveal(secret);
	shuffle(xs);
	for (size_t i = 0; i < n; i++)
		ret[i * (len + 1) + len] = xs[i];
	for (size_t at = 0; at < len; at++) {
		coefficients[0] = key[at];
		random_bytes(coefficients + 1, threshold - 1);
		for (size_t i = 0; i < n; i++)
			ret[i * (len + 1) + at] = evaluate(coefficients, threshold, xs[i]);
	}
	return 0;
}

/* What share I counts for at x = 0: the product of x_j / (x_j - x_i) over the others. */
static uint8_t weight(const uint8_t *shares, size_t n, size_t len, size_t i)
{
	uint8_t xi = shares[i * len + len - 1], product = 1;

	for (size_t j = 0; j < n; j++) {
		uint8_t xj = shares[j * len + len - 1];

		if (j != i)
			product = multiply(product, multiply(xj, inverse(xj ^ xi)));
	}
	return product;
}

int shamir_combine(const uint8_t *shares, size_t n, size_t len, uint8_t *ret)
{
	uint8_t seen[256] = { 0 };

	if (n < 2 || len < 2)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (seen[shares[i * len + len - 1]]++)
			return -EEXIST;
	for (size_t at = 0; at + 1 < len; at++)
		ret[at] = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t share_weight = weight(shares, n, len, i);

		for (size_t at = 0; at + 1 < len; at++)
			ret[at] ^= multiply(shares[i * len + at], share_weight);
	}
	return 0;
}
