/* SPDX-License-Identifier: Apache-2.0 */
/* The seal that is configured, shares and recovery keys; see seal.h. */
#include "vault/embedded/seal/seal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "vault/embedded/seal/shamir.h"

#define RECOVERY_PATH "core/recovery-key"
#define HASH_SIZE     32

int seal_new(struct core *core, const struct seal_config *config, const struct seal_config *old, char *why,
    size_t why_size)
{
	struct seal *seal = calloc(1, sizeof(*seal));

	if (!seal) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	core->seal = seal;
	seal->config = config;
	seal->old_config = old;
	seal->kind = config ? seal_kind_of(config->kind->type) : &seal_shamir;
	return seal->kind->open ? seal->kind->open(core->base, config, &seal->state, why, why_size) : 0;
}

void seal_free(struct core *core)
{
	struct seal *seal = core->seal;

	if (!seal)
		return;
	seal_op_end(&seal->opening.op);
	secret_free(seal->opening.key);
	if (seal->opening.again)
		event_free(seal->opening.again);
	quorum_end(&seal->unseal);
	rekey_end(&seal->rekey);
	rekey_end(&seal->recovery_rekey);
	root_generation_end(&seal->generation);
	if (seal->state)
		seal->kind->close(seal->state);
	if (seal->from_state)
		seal->from->close(seal->from_state);
	free(seal->keyring.data);
	free(seal->root_key.data);
	free(seal->recovery.data);
	free(seal);
	core->seal = NULL;
}

const struct seal_kind *seal_opener(const struct seal *seal)
{
	return seal->from ? seal->from : seal->kind;
}

const char *seal_shape_fault(const struct seal_shape *shape)
{
	if (shape->shares < 1)
		return "shares must be at least one";
	if (shape->threshold < 1)
		return "threshold must be at least one";
	if (shape->shares > 1 && shape->threshold == 1)
		return "threshold must be greater than one for multiple shares";
	if (shape->shares > SHAMIR_SHARES_MAX)
		return "shares must be less than 256";
	if (shape->threshold > shape->shares)
		return "threshold cannot be larger than shares";
	return NULL;
}

int seal_make_shares(const struct secret *key, const struct seal_shape *shape, struct secret **ret)
{
	size_t n = (size_t)shape->shares;
	struct secret *shares;
	int r;

	if (n == 1) {
		*ret = secret_copy(secret_reveal(key), secret_len(key));
		return *ret ? 0 : -ENOMEM;
	}
	shares = secret_new(n * KEY_SHARE_LEN(n));
	if (!shares)
		return -ENOMEM;
	r = shamir_split((const uint8_t *)secret_reveal(key), secret_len(key), n, (size_t)shape->threshold,
	    (uint8_t *)secret_reveal(shares));
	if (r < 0)
		secret_free(shares);
	else
		*ret = shares;
	return r;
}

/* --- recovery keys: random like the others, so a plain hash says nothing about one */

static int hash(const struct secret *key, uint8_t ret[static HASH_SIZE])
{
	unsigned len;

	return EVP_Digest(secret_reveal(key), secret_len(key), ret, &len, EVP_sha256(), NULL) > 0 && len == HASH_SIZE
		   ? 0
		   : -EIO;
}

int seal_recovery_seal(const struct secret *key, const struct secret *root_key, struct store_blob *ret)
{
	uint8_t digest[HASH_SIZE];
	int r = hash(key, digest);

	return r < 0 ? r : aead_seal(root_key, 0, RECOVERY_PATH, digest, sizeof(digest), ret);
}

int seal_recovery_check(const struct secret *key, const struct secret *root_key, const struct store_blob *sealed)
{
	struct secret *kept AUTO_SECRET = NULL;
	uint8_t digest[HASH_SIZE];
	int r = sealed->data ? aead_open(root_key, RECOVERY_PATH, sealed->data, sealed->len, &kept) : -EBADMSG;

	if (r == 0)
		r = hash(key, digest);
	if (r < 0)
		return r;
	return secret_len(kept) == HASH_SIZE && equal_constant_time(secret_reveal(kept), digest, HASH_SIZE) ? 0
													    : -EBADMSG;
}

/* --- what people agree on */

int seal_check_key(const struct core *core, const struct secret *key, size_t *ret_len)
{
	const struct seal *seal = core->seal;
	struct secret *root_key AUTO_SECRET = NULL;
	size_t len = secret_len(key);

	*ret_len = 0;
	if (!seal->kind->by_shares)
		return seal_recovery_check(key, barrier_root_key(core->barrier), &seal->recovery);
	/* Vault knows AES keys of three lengths. */
	if (len != 16 && len != 24 && len != 32)
		*ret_len = len;
	return len == BARRIER_KEY_SIZE ? seal_key_unwrap(key, &seal->root_key, &root_key) : -EBADMSG;
}

void rekey_end(struct rekey *rekey)
{
	quorum_end(&rekey->quorum);
	quorum_end(&rekey->verifying);
	secret_free(rekey->new_key);
	*rekey = (struct rekey){ 0 };
}

void root_generation_end(struct root_generation *generation)
{
	quorum_end(&generation->quorum);
	secret_free(generation->otp);
	generation->otp = NULL;
}
