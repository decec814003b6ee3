/* SPDX-License-Identifier: Apache-2.0 */
/* Bound CIDRs: of tokens, and of login roles (vault-core.md 3.5, kubernetes-auth.md 3.2 step 4). */
#pragma once

#include <stdbool.h>
#include <jansson.h>

/*
 * Whether ADDRESS (IPv4 or IPv6 text, "" if unknown) is in one of CIDRS (array of strings: an address, or address and
 * prefix length). What is no address (Vault accepts UNIX paths there) never matches. IPv4 mapped into IPv6 counts as
 * IPv4.
 */
bool cidrs_match(const json_t *cidrs, const char *address);

/*
 * How a bound CIDR is shown (kubernetes-auth.md 2.6, 2.7): "10.0.0.1/32" is "10.0.0.1", "::ffff:10.0.0.0/104" is
 * "10.0.0.0/8". 0, or -EINVAL for what is neither an address nor an address and a prefix length.
 */
#define CIDR_SIZE 64
int cidr_canonical(const char *cidr, char ret[static CIDR_SIZE]);
