/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The barrier: what the store gets to see (decision 2, vault-core.md 7.1). A sealed record is
 *     term (4 bytes, big-endian) | version (1) | nonce (12) | AES-256-GCM ciphertext | tag (16)
 * with the storage path as additional data, so that records cannot be swapped. Key names are hashed. The keyring is
 * itself sealed in this form under the root key (term 0), and the root key under the seal's key (seal.h).
 */
#pragma once

#include "base/secret.h"
#include "vault/embedded/store.h"

#define BARRIER_KEY_SIZE 32
#define BARRIER_OVERHEAD (4 + 1 + 12 + 16)
#define BARRIER_VERSION	 2 /* as Vault counts: the path is additional data */
#define BARRIER_TERMS_MAX 65536 /* one a day for 179 years; the keyring must fit into one record */

/* --- one key's sealing, for the keyring and for wrapped keys
 * ----------------------------------------------------------- */

/* RET->data is the caller's. 0, -ENOMEM, -EIO. KEY is BARRIER_KEY_SIZE bytes. */
int aead_seal(const struct secret *key, uint32_t term, const char *path, const void *plain, size_t len,
    struct store_blob *ret) NODISCARD;
/* -EBADMSG: not sealed by KEY under PATH, or changed since. */
int aead_open(
    const struct secret *key, const char *path, const void *sealed, size_t len, struct secret **ret) NODISCARD;

/* --- the barrier
 * -------------------------------------------------------------------------------------------------------- */

struct barrier;

/* A new root key, and a keyring with term 1 and the key that hashes names. */
int barrier_new(struct barrier **ret) NODISCARD;
/* As BARRIER, with one more term, which seals from then on: the others go on opening. -E2BIG: it has as many as fit. */
int barrier_rotated(const struct barrier *barrier, struct barrier **ret) NODISCARD;
/* As BARRIER, under a new root key. */
int barrier_rekeyed(const struct barrier *barrier, struct barrier **ret) NODISCARD;
/* The keyring that barrier_save gave. -EBADMSG where ROOT_KEY does not open it, -EPROTO where its form is unknown. */
int barrier_load(const struct secret *root_key, const void *sealed, size_t len, struct barrier **ret) NODISCARD;
/* The keyring, sealed under the root key. RET->data is the caller's. */
int barrier_save(const struct barrier *barrier, struct store_blob *ret) NODISCARD;
/* The barrier's own. */
const struct secret *barrier_root_key(const struct barrier *barrier);
void barrier_free(struct barrier *barrier);

/* The store's key of PATH (LEN bytes). 0 or -ENOMEM. */
int barrier_hash(const struct barrier *barrier, const char *path, size_t len, struct store_key *ret) NODISCARD;

/* Seals under the latest term. PATH has PATH_LEN bytes. 0, -ENOMEM, -EIO. */
int barrier_seal(struct barrier *barrier, const char *path, size_t path_len, const void *plain, size_t len,
    struct store_blob *ret) NODISCARD;
struct barrier_term_info {
	uint32_t term;
	int64_t installed; /* unix ns */
	uint64_t sealed;   /* records, by this process */
};

/* Of the latest term. */
void barrier_term(const struct barrier *barrier, struct barrier_term_info *ret);
/*
 * RET->data: NUL-terminated, the caller's (wipe it). -EBADMSG: not a record of PATH, changed, or of a term that the
 * keyring lacks.
 */
int barrier_open(const struct barrier *barrier, const char *path, size_t path_len, const struct store_blob *sealed,
    struct store_blob *ret) NODISCARD;
