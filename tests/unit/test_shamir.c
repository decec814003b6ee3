/* SPDX-License-Identifier: Apache-2.0 */
/* Secret sharing: whatever the numbers, enough shares give the key back, fewer or others do not; collected shares. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "vault/embedded/seal/quorum.h"
#include "vault/embedded/seal/shamir.h"

#define LEN   32
#define SHARE (LEN + 1)

static uint8_t key[LEN], shares[SHAMIR_SHARES_MAX * SHARE], some[SHAMIR_SHARES_MAX * SHARE], back[LEN];

/* N of the TOTAL shares, at random, into SOME. */
static void pick(size_t n, size_t total)
{
	bool taken[SHAMIR_SHARES_MAX] = { false };

	for (size_t i = 0; i < n;) {
		uint8_t at;

		random_bytes(&at, 1);
		if (at >= total || taken[at])
			continue;
		taken[at] = true;
		memcpy(some + i++ * SHARE, shares + at * SHARE, SHARE);
	}
}

static void test_all_shapes(void **state)
{
	static const size_t shapes[][2] = { { 2, 2 }, { 3, 2 }, { 5, 3 }, { 5, 5 }, { 10, 7 }, { 100, 3 }, { 255, 2 },
		{ 255, 128 }, { 255, 255 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		size_t n = shapes[i][0], threshold = shapes[i][1];

		random_bytes(key, LEN);
		assert_int_equal(shamir_split(key, LEN, n, threshold, shares), 0);
		for (int round = 0; round < 5; round++) {
			pick(threshold, n);
			assert_int_equal(shamir_combine(some, threshold, SHARE, back), 0);
			assert_memory_equal(back, key, LEN);
			/* More than needed is fine. */
			pick(n, n);
			assert_int_equal(shamir_combine(some, n, SHARE, back), 0);
			assert_memory_equal(back, key, LEN);
			if (threshold == 2)
				continue;
			pick(threshold - 1, n);
			assert_int_equal(shamir_combine(some, threshold - 1, SHARE, back), 0);
			assert_memory_not_equal(back, key, LEN);
		}
		/* One bit of one share is enough. */
		pick(threshold, n);
		some[SHARE * (threshold - 1) + 7] ^= 0x10;
		assert_int_equal(shamir_combine(some, threshold, SHARE, back), 0);
		assert_memory_not_equal(back, key, LEN);
	}
}

/* Each x coordinate once, none of them 0. */
static void test_coordinates(void **state)
{
	uint8_t seen[256] = { 0 };

	(void)state;
	assert_int_equal(shamir_split(key, LEN, 255, 3, shares), 0);
	for (size_t i = 0; i < 255; i++)
		assert_int_equal(seen[shares[i * SHARE + LEN]]++, 0);
	assert_int_equal(seen[0], 0);
}

/* A line through the key, computed by hand with the polynomial. */
static void test_known(void **state)
{
	/* key 0x42, line y = 0x42 + 0xd7 x: at x = 1, 0x95; at x = 2, 0x42 ^ 0xb5 (0xd7 doubled, reduced) = 0xf7 */
	static const uint8_t two[] = { 0x95, 1, 0xf7, 2 };
	uint8_t one;

	(void)state;
	assert_int_equal(shamir_combine(two, 2, 2, &one), 0);
	assert_int_equal(one, 0x42);
}

static void test_refused(void **state)
{
	static const uint8_t twins[] = { 1, 2, 7, 3, 4, 7 };

	(void)state;
	assert_int_equal(shamir_split(key, LEN, 1, 1, shares), -EINVAL);
	assert_int_equal(shamir_split(key, LEN, 3, 1, shares), -EINVAL);
	assert_int_equal(shamir_split(key, LEN, 2, 3, shares), -EINVAL);
	assert_int_equal(shamir_split(key, LEN, 256, 3, shares), -EINVAL);
	assert_int_equal(shamir_combine(twins, 2, 3, back), -EEXIST);
	assert_int_equal(shamir_combine(twins, 1, 3, back), -EINVAL);
	assert_int_equal(shamir_combine(twins, 2, 1, back), -EINVAL);
}

/* --- texts and collected shares */

static void test_texts(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: refused */
	} texts[] = {
		{ "", 0 },
		{ "zz!", 0 },
		{ "00", 0 },
		{ "000000000000000000000000000000", 0 },		 /* 15 bytes of hex, and no base64 either */
		{ "00000000000000000000000000000000", 16 },		 /* hex wins */
		{ "ABCDEF00000000000000000000000000abcdef", 19 },	 /* in either case */
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 32 }, /* base64 */
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 22 }, /* 44 characters that are hex first */
		{ "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 33 },
		{ "YWFh", 3 }, /* too short is said later */
		{ "YWF", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct secret *share AUTO_SECRET = NULL;
		int r = key_text_decode(texts[i].text, &share);

		assert_int_equal(r, texts[i].len ? 0 : -EINVAL);
		if (r == 0)
			assert_int_equal(secret_len(share), texts[i].len);
	}
}

static int add(struct quorum *quorum, const uint8_t *bytes, size_t len)
{
	struct secret *part AUTO_SECRET = secret_copy(bytes, len);

	return quorum_add(quorum, part);
}

static void test_quorum(void **state)
{
	struct quorum quorum = { .nonce = "n" };
	struct secret *whole AUTO_SECRET = NULL;
	const char *why;

	(void)state;
	assert_int_equal(quorum_combine(&quorum, &whole, &why), -EINVAL);
	assert_int_equal(shamir_split(key, LEN, 5, 3, shares), 0);
	assert_int_equal(add(&quorum, shares, SHARE), 1);
	assert_int_equal(add(&quorum, shares, SHARE), 0);
	assert_int_equal(add(&quorum, shares + SHARE, SHARE), 1);
	assert_int_equal(add(&quorum, shares + SHARE, SHARE - 1), 1); /* another length is another part */
	assert_int_equal(quorum_combine(&quorum, &whole, &why), -EINVAL);
	assert_string_equal(why, "all parts must be the same length");
	assert_int_equal(quorum.n, 0);
	assert_null(quorum.parts);
	assert_string_equal(quorum.nonce, "n");
	for (size_t i = 2; i < 5; i++)
		assert_int_equal(add(&quorum, shares + i * SHARE, SHARE), 1);
	assert_int_equal(quorum_combine(&quorum, &whole, &why), 0);
	assert_int_equal(secret_len(whole), LEN);
	assert_memory_equal(secret_reveal(whole), key, LEN);
	assert_int_equal(add(&quorum, shares, SHARE + 1), -ENOSPC);
	assert_int_equal(add(&quorum, shares, SHARE), 1);
	shares[5] ^= 1;
	assert_int_equal(add(&quorum, shares, SHARE), 1);
	secret_free(whole);
	whole = NULL;
	assert_int_equal(quorum_combine(&quorum, &whole, &why), -EEXIST);
	assert_string_equal(why, "duplicate part detected");
	for (size_t i = 0; i < SHAMIR_SHARES_MAX; i++) {
		memset(some, (int)i, SHARE);
		assert_int_equal(add(&quorum, some, SHARE), 1);
	}
	some[0] = 0xff;
	assert_int_equal(add(&quorum, some, SHARE), -ENOSPC);
	quorum_end(&quorum);
	assert_string_equal(quorum.nonce, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_shapes),
		cmocka_unit_test(test_coordinates),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_quorum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
