/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids that are pure functions of a service account (decisions 11 and 12), so every host agrees on them. */
#include "accounts/names.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/sha.h>

#include "base/text.h"

#define HASHED_BYTES 10 /* 80 bits are 16 base32 characters */
#define ID_BITS	     28

/* "<prefix>_" and the hash of TEXT. The longest prefix makes 27 bytes. */
static void hashed_name(const char *prefix, const char *text, char ret[static ACCOUNT_NAME_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char base32[HASHED_BYTES * 8 / 5 + 1];

	SHA256((const unsigned char *)text, strlen(text), digest);
	base32_encode(digest, HASHED_BYTES, base32);
	snprintf(ret, ACCOUNT_NAME_SIZE, "%s_%s", prefix, base32);
}

int account_unix_name(
    const char *prefix, const char *ns, const char *service_account, char ret[static ACCOUNT_NAME_SIZE])
{
	char text[512]; /* both valid names together are at most 316 bytes */

	if (!account_prefix_valid(prefix) || !account_namespace_valid(ns) ||
	    !account_service_account_valid(service_account))
		return -EINVAL;
	if (snprintf(ret, ACCOUNT_NAME_SIZE, "%s%s_%s", prefix, ns, service_account) <= ACCOUNT_NAME_MAX)
		return 0;
	snprintf(text, sizeof(text), "%s/%s", ns, service_account);
	hashed_name(prefix, text, ret);
	return 0;
}

int account_group_name(const char *prefix, const char *ns, char ret[static ACCOUNT_NAME_SIZE])
{
	if (!account_prefix_valid(prefix) || !account_namespace_valid(ns))
		return -EINVAL;
	if (snprintf(ret, ACCOUNT_NAME_SIZE, "%s%s", prefix, ns) > ACCOUNT_NAME_MAX)
		hashed_name(prefix, ns, ret);
	return 0;
}

/* COUNT bits of DIGEST from bit AT on, the most significant first. */
static uint64_t digest_bits(const unsigned char *digest, unsigned at, unsigned count)
{
	uint64_t bits = 0;

	for (unsigned i = at; i < at + count; i++)
		bits = bits << 1 | ((digest[i / 8] >> (7 - i % 8)) & 1);
	return bits;
}

uint32_t account_hashed_id(const char *unix_name)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	uint32_t id = ACCOUNT_ID_BASE;

	SHA256((const unsigned char *)unix_name, strlen(unix_name), digest);
	for (unsigned at = 0; at + ID_BITS <= sizeof(digest) * 8; at += ID_BITS) {
		id = ACCOUNT_ID_BASE + (uint32_t)digest_bits(digest, at, ID_BITS);
		if (id < ACCOUNT_ID_LIMIT)
			break;
	}
	return id; /* nine windows of one in 2048 each: a forbidden id is refused by everybody who reads it */
}

uint32_t account_hashed_id_in(const char *unix_name, uint32_t from, uint32_t to)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)unix_name, strlen(unix_name), digest);
	return from + (uint32_t)(digest_bits(digest, 0, 64) % ((uint64_t)to - from + 1));
}
