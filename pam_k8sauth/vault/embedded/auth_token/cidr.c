/* SPDX-License-Identifier: Apache-2.0 */
/* Matching an address against a list of networks. */
#include "vault/embedded/auth_token/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct address {
	unsigned char bytes[16];
	unsigned bits; /* 32 or 128; 0: not an address */
};

static struct address parse_address(const char *text)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct address address = { .bits = 0 };

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.bits = 32;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.bits = 128;
	if (address.bits == 128 && memcmp(address.bytes, mapped, sizeof(mapped)) == 0) {
		memmove(address.bytes, address.bytes + sizeof(mapped), 4);
		address.bits = 32;
	}
	return address;
}

static bool same_prefix(const struct address *a, const struct address *b, unsigned bits)
{
	unsigned char mask = (unsigned char)(0xff00 >> (bits % 8));

	return memcmp(a->bytes, b->bytes, bits / 8) == 0 &&
	       (bits % 8 == 0 || ((a->bytes[bits / 8] ^ b->bytes[bits / 8]) & mask) == 0);
}

/* The network of CIDR and its prefix length. False for what is none. */
static bool parse_cidr(const char *cidr, struct address *ret, unsigned *ret_bits)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(cidr, "/");

	if (len >= sizeof(text))
		return false;
	memcpy(text, cidr, len);
	text[len] = 0;
	*ret = parse_address(text);
	*ret_bits = ret->bits;
	if (cidr[len] == '/') {
		const char *digits = cidr + len + 1;
		unsigned long given = strtoul(digits, NULL, 10);

		if (digits[0] == 0 || strlen(digits) > 3 || strspn(digits, "0123456789") != strlen(digits))
			return false;
		/* "::ffff:10.0.0.0/104": the length counts the mapping's 96 bits. */
		if (strchr(text, ':') && ret->bits == 32)
			given = given < 96 ? 33 : given - 96;
		if (given > ret->bits)
			return false;
		*ret_bits = (unsigned)given;
	}
	return ret->bits != 0;
}

static bool cidr_match(const char *cidr, const struct address *address)
{
	struct address network;
	unsigned bits;

	return parse_cidr(cidr, &network, &bits) && network.bits == address->bits &&
	       same_prefix(&network, address, bits);
}

int cidr_canonical(const char *cidr, char ret[static CIDR_SIZE])
{
	struct address network;
	char text[INET6_ADDRSTRLEN];
	unsigned bits;

	if (!parse_cidr(cidr, &network, &bits) ||
	    !inet_ntop(network.bits == 32 ? AF_INET : AF_INET6, network.bytes, text, sizeof(text)))
		return -EINVAL;
	if (bits == network.bits)
		snprintf(ret, CIDR_SIZE, "%s", text);
	else
		snprintf(ret, CIDR_SIZE, "%s/%u", text, bits);
	return 0;
}

bool cidrs_match(const json_t *cidrs, const char *text)
{
	struct address address = parse_address(text);
	size_t i;
	json_t *cidr;

	if (!address.bits)
		return false;
	json_array_foreach(cidrs, i, cidr)
	{
		if (json_is_string(cidr) && cidr_match(json_string_value(cidr), &address))
			return true;
	}
	return false;
}
