/* SPDX-License-Identifier: Apache-2.0 */
/* The seal: the key that wraps the root key, and where it comes from (decision 6). */
#pragma once

#include "base/secret.h"
#include "vault/embedded/store.h"

/*
 * The key in $CREDENTIALS_DIRECTORY/NAME: 32 bytes as they are, or 64 hex digits, or their base64 (white space at the
 * end is fine). 0, or a negative errno with WHY (-ENOENT: no credential; -EINVAL: not a key).
 */
int seal_credential_key(const char *name, struct secret **ret, char *why, size_t why_size) NODISCARD;

/* Wraps the root key; the result belongs to the caller. */
int seal_wrap(const struct secret *seal_key, const struct secret *root_key, struct store_blob *ret) NODISCARD;
/* -EBADMSG: wrapped by another key. */
int seal_unwrap(const struct secret *seal_key, const struct store_blob *wrapped, struct secret **ret) NODISCARD;
