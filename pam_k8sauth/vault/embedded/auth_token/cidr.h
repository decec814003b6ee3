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
