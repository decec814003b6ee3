/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM as people paste it, read as Go's encoding/pem reads it: text around the blocks, blanks, empty lines and lines of
 * any length inside, blocks that are broken or have no end skipped. OpenSSL's reader stops at the first of these, and a
 * CA that works with Vault would not work here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct pem {
	const char *type; /* of the text, TYPE_LEN bytes */
	size_t type_len;
	bool headers; /* there are "Name: value" lines */
	unsigned char *der;
	size_t len;
};

/* The next block of the text at *AT, which is moved behind it. 1, 0 without one, -ENOMEM; pem_free() after 1. */
int pem_next(const char **at, struct pem *ret) NODISCARD;
void pem_free(struct pem *pem);

/*
 * The certificates of TEXT that can be read, one behind the other in OpenSSL's own form: free() it. "" where there is
 * none, NULL without memory.
 */
char *pem_certificates(const char *text) NODISCARD;
