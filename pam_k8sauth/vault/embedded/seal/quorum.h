/* SPDX-License-Identifier: Apache-2.0 */
/* Key shares that people bring one after the other, until there are enough (vault-core.md 7.2). */
#pragma once

#include "base/secret.h"
#include "base/text.h"

#define KEY_SHARE_MIN 16 /* bytes; AES's shortest key, as Vault counts */
#define KEY_SHARE_MAX 33 /* a key of 32 bytes and the x coordinate */

/*
 * Reads a share or key as text: hex if that gives KEY_SHARE_MIN to KEY_SHARE_MAX bytes, else base64. 0, -EINVAL,
 * -ENOMEM.
 */
int key_text_decode(const char *text, struct secret **ret) NODISCARD;

struct quorum {
	char nonce[UUID_SIZE]; /* of this operation; "" before it begins */
	struct secret *parts;  /* what came so far; NULL: nothing */
	size_t n;
};

/* Adds PART (KEY_SHARE_MIN to KEY_SHARE_MAX bytes). 1, 0 where it is there already, -ENOMEM, -ENOSPC. */
int quorum_add(struct quorum *quorum, const struct secret *part) NODISCARD;
/* Wipes what came; the nonce stays. */
void quorum_forget(struct quorum *quorum);
/* That, and there is no operation any more. */
void quorum_end(struct quorum *quorum);
/* The key that the parts come to (one part is the key itself), which are wiped then. 0, or -errno with WHY in Vault's
 * words. */
int quorum_combine(struct quorum *quorum, struct secret **ret, const char **ret_why) NODISCARD;
