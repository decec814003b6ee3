/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing of records, and the keyring. */
#include "vault/embedded/barrier.h"

#include <endian.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "vault/embedded/nanotime.h"

#define NONCE_SIZE  12
#define TAG_SIZE    16
#define HEADER_SIZE (4 + 1 + NONCE_SIZE)

#define KEYRING_PATH	"core/keyring"
#define KEYRING_VERSION 2
#define KEYRING_SECONDS 1 /* the version whose times are whole seconds */

/* Layout of the keyring before it is sealed; integers are big-endian. */
struct keyring_head {
	uint8_t version;
	uint8_t hash_key[BARRIER_KEY_SIZE];
	uint32_t n_terms;
} __attribute__((packed));

struct keyring_term {
	uint32_t term;
	uint64_t install_time; /* unix ns */
	uint8_t key[BARRIER_KEY_SIZE];
} __attribute__((packed));

struct barrier_term {
	uint32_t term;
	EVP_CIPHER_CTX *open; /* NULL until a record of it is opened: a store may have thousands */
};

struct barrier {
	struct secret *root_key;
	struct secret *keyring; /* keyring_head, then n keyring_term */
	struct barrier_term *terms;
	size_t n_terms;
	EVP_CIPHER_CTX *seal; /* of the latest term */
	uint64_t sealed;      /* records, since it was made or loaded */
	EVP_MAC_CTX *mac;
};

/* --- AES-256-GCM */

static int crypt_failed(int ok)
{
	return ok > 0 ? 0 : -EIO;
}

/* OUT has room for BARRIER_OVERHEAD more than LEN. */
static int seal_with(
    EVP_CIPHER_CTX *ctx, uint32_t term, const char *path, size_t path_len, const void *plain, size_t len, uint8_t *out)
{
	uint32_t be = htobe32(term);
	int n = 0;

	memcpy(out, &be, sizeof(be));
	out[4] = BARRIER_VERSION;
	random_bytes(out + 5, NONCE_SIZE);
	if (EVP_EncryptInit_ex2(ctx, NULL, NULL, out + 5, NULL) <= 0 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)path, (int)path_len) <= 0 ||
	    EVP_EncryptUpdate(ctx, out + HEADER_SIZE, &n, plain, (int)len) <= 0 ||
	    EVP_EncryptFinal_ex(ctx, out + HEADER_SIZE + len, &n) <= 0)
		return -EIO;
	return crypt_failed(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, out + HEADER_SIZE + len));
}

/* OUT has room for LEN - BARRIER_OVERHEAD; wiped where the tag does not match. */
static int open_with(
    EVP_CIPHER_CTX *ctx, const char *path, size_t path_len, const uint8_t *sealed, size_t len, uint8_t *out)
{
	size_t plain = len - BARRIER_OVERHEAD;
	uint8_t tag[TAG_SIZE];
	int n = 0;

	memcpy(tag, sealed + HEADER_SIZE + plain, TAG_SIZE);
	if (EVP_DecryptInit_ex2(ctx, NULL, NULL, sealed + 5, NULL) <= 0 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)path, (int)path_len) <= 0 ||
	    EVP_DecryptUpdate(ctx, out, &n, sealed + HEADER_SIZE, (int)plain) <= 0 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) <= 0 ||
	    EVP_DecryptFinal_ex(ctx, out + plain, &n) <= 0) {
		wipe(out, plain);
		return -EBADMSG;
	}
	return 0;
}

static bool has_form(const uint8_t *sealed, size_t len)
{
	return len >= BARRIER_OVERHEAD && len <= STORE_VALUE_MAX && sealed[4] == BARRIER_VERSION;
}

static uint32_t term_of(const uint8_t *sealed)
{
	uint32_t be;

	memcpy(&be, sealed, sizeof(be));
	return be32toh(be);
}

/* A context with KEY set, for ENCRYPT 1 or 0. */
static EVP_CIPHER_CTX *context_new(const uint8_t *key, int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), key, NULL, encrypt, NULL) > 0)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

static int blob_alloc(size_t len, struct store_blob *ret)
{
	ret->data = malloc(len + 1);
	if (!ret->data)
		return -ENOMEM;
	ret->data[len] = '\0';
	ret->len = len;
	return 0;
}

int aead_seal(
    const struct secret *key, uint32_t term, const char *path, const void *plain, size_t len, struct store_blob *ret)
{
	EVP_CIPHER_CTX *ctx;
	struct store_blob blob;
	int r;

	if (secret_len(key) != BARRIER_KEY_SIZE || len > STORE_VALUE_MAX - BARRIER_OVERHEAD)
		return -EIO;
	r = blob_alloc(len + BARRIER_OVERHEAD, &blob);
	if (r < 0)
		return r;
	ctx = context_new((const uint8_t *)secret_reveal(key), 1);
	r = ctx ? seal_with(ctx, term, path, strlen(path), plain, len, blob.data) : -ENOMEM;
	EVP_CIPHER_CTX_free(ctx);
	if (r < 0)
		free(blob.data);
	else
		*ret = blob;
	return r;
}

int aead_open(const struct secret *key, const char *path, const void *sealed, size_t len, struct secret **ret)
{
	struct secret *plain AUTO_SECRET = NULL;
	EVP_CIPHER_CTX *ctx;
	int r;

	if (secret_len(key) != BARRIER_KEY_SIZE)
		return -EIO;
	if (!has_form(sealed, len))
		return -EBADMSG;
	plain = secret_new(len - BARRIER_OVERHEAD);
	ctx = context_new((const uint8_t *)secret_reveal(key), 0);
	r = plain && ctx ? open_with(ctx, path, strlen(path), sealed, len, (uint8_t *)secret_reveal(plain)) : -ENOMEM;
	EVP_CIPHER_CTX_free(ctx);
	if (r == 0)
		*ret = TAKE_PTR(plain);
	return r;
}

/* --- the keyring */

static struct keyring_head *head_of(const struct barrier *barrier)
{
	return (struct keyring_head *)(void *)secret_reveal(barrier->keyring);
}

static struct keyring_term *terms_of(const struct barrier *barrier)
{
	return (struct keyring_term *)(void *)(secret_reveal(barrier->keyring) + sizeof(struct keyring_head));
}

static int make_mac(struct barrier *barrier)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	barrier->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	if (!barrier->mac)
		return -ENOMEM;
	return crypt_failed(EVP_MAC_init(barrier->mac, head_of(barrier)->hash_key, BARRIER_KEY_SIZE, params));
}

static bool keyring_has_form(const struct barrier *barrier)
{
	const struct keyring_head *head = head_of(barrier);
	size_t len = secret_len(barrier->keyring), n;

	if (len < sizeof(*head) + sizeof(struct keyring_term) ||
	    (head->version != KEYRING_VERSION && head->version != KEYRING_SECONDS))
		return false;
	n = be32toh(head->n_terms);
	return n >= 1 && n <= BARRIER_TERMS_MAX && len == sizeof(*head) + n * sizeof(struct keyring_term);
}

/* A keyring of the first version becomes one of the present version. */
static void update_keyring(struct barrier *barrier)
{
	struct keyring_term *terms = terms_of(barrier);

	for (size_t i = 0; head_of(barrier)->version == KEYRING_SECONDS && i < barrier->n_terms; i++)
		terms[i].install_time = htobe64(be64toh(terms[i].install_time) * NANOTIME_SECOND);
	head_of(barrier)->version = KEYRING_VERSION;
}

/* Makes the contexts of BARRIER's keyring. */
static int use_keyring(struct barrier *barrier)
{
	const struct keyring_term *terms = terms_of(barrier);

	if (!keyring_has_form(barrier))
		return -EPROTO;
	barrier->n_terms = be32toh(head_of(barrier)->n_terms);
	update_keyring(barrier);
	barrier->terms = calloc(barrier->n_terms, sizeof(*barrier->terms));
	if (!barrier->terms)
		return -ENOMEM;
	for (size_t i = 0; i < barrier->n_terms; i++)
		barrier->terms[i].term = be32toh(terms[i].term);
	barrier->seal = context_new(terms[barrier->n_terms - 1].key, 1);
	return barrier->seal ? make_mac(barrier) : -ENOMEM;
}

/* ROOT_KEY is copied, KEYRING taken over. */
static int barrier_of(const struct secret *root_key, struct secret *keyring, struct barrier **ret)
{
	struct barrier *barrier = calloc(1, sizeof(*barrier));
	int r;

	if (!barrier) {
		secret_free(keyring);
		return -ENOMEM;
	}
	barrier->keyring = keyring;
	barrier->root_key = secret_copy(secret_reveal(root_key), secret_len(root_key));
	r = barrier->root_key ? use_keyring(barrier) : -ENOMEM;
	if (r < 0)
		barrier_free(barrier);
	else
		*ret = barrier;
	return r;
}

static struct secret *new_root_key(void)
{
	struct secret *key = secret_new(BARRIER_KEY_SIZE);

	if (key)
		random_bytes(secret_reveal(key), BARRIER_KEY_SIZE);
	return key;
}

static void fill_term(struct keyring_term *term, uint32_t number)
{
	term->term = htobe32(number);
	term->install_time = htobe64((uint64_t)nanotime_now());
	random_bytes(term->key, sizeof(term->key));
}

int barrier_new(struct barrier **ret)
{
	struct secret *root_key AUTO_SECRET = new_root_key();
	struct secret *keyring = secret_new(sizeof(struct keyring_head) + sizeof(struct keyring_term));
	struct keyring_head *head;

	if (!keyring || !root_key) {
		secret_free(keyring);
		return -ENOMEM;
	}
	head = (struct keyring_head *)(void *)secret_reveal(keyring);
	head->version = KEYRING_VERSION;
	random_bytes(head->hash_key, sizeof(head->hash_key));
	head->n_terms = htobe32(1);
	fill_term((struct keyring_term *)(head + 1), 1);
	return barrier_of(root_key, keyring, ret);
}

int barrier_rotated(const struct barrier *barrier, struct barrier **ret)
{
	size_t len = secret_len(barrier->keyring);
	struct secret *keyring;
	struct keyring_head *head;

	if (barrier->n_terms >= BARRIER_TERMS_MAX)
		return -E2BIG;
	keyring = secret_new(len + sizeof(struct keyring_term));
	if (!keyring)
		return -ENOMEM;
	memcpy(secret_reveal(keyring), secret_reveal(barrier->keyring), len);
	head = (struct keyring_head *)(void *)secret_reveal(keyring);
	head->n_terms = htobe32((uint32_t)barrier->n_terms + 1);
	fill_term((struct keyring_term *)(void *)(secret_reveal(keyring) + len),
	    barrier->terms[barrier->n_terms - 1].term + 1);
	return barrier_of(barrier->root_key, keyring, ret);
}

int barrier_rekeyed(const struct barrier *barrier, struct barrier **ret)
{
	struct secret *root_key AUTO_SECRET = new_root_key();
	struct secret *keyring = secret_copy(secret_reveal(barrier->keyring), secret_len(barrier->keyring));

	if (!root_key || !keyring) {
		secret_free(keyring);
		return -ENOMEM;
	}
	return barrier_of(root_key, keyring, ret);
}

int barrier_load(const struct secret *root_key, const void *sealed, size_t len, struct barrier **ret)
{
	struct secret *keyring;
	int r = aead_open(root_key, KEYRING_PATH, sealed, len, &keyring);

	return r < 0 ? r : barrier_of(root_key, keyring, ret);
}

int barrier_save(const struct barrier *barrier, struct store_blob *ret)
{
	return aead_seal(barrier->root_key, 0, KEYRING_PATH, secret_reveal(barrier->keyring),
	    secret_len(barrier->keyring), ret);
}

const struct secret *barrier_root_key(const struct barrier *barrier)
{
	return barrier->root_key;
}

void barrier_free(struct barrier *barrier)
{
	if (!barrier)
		return;
	for (size_t i = 0; barrier->terms && i < barrier->n_terms; i++)
		EVP_CIPHER_CTX_free(barrier->terms[i].open);
	free(barrier->terms);
	EVP_CIPHER_CTX_free(barrier->seal);
	EVP_MAC_CTX_free(barrier->mac);
	secret_free(barrier->keyring);
	secret_free(barrier->root_key);
	free(barrier);
}

/* --- records */

int barrier_hash(const struct barrier *barrier, const char *path, size_t len, struct store_key *ret)
{
	size_t n;

	if (EVP_MAC_init(barrier->mac, NULL, 0, NULL) > 0 &&
	    EVP_MAC_update(barrier->mac, (const uint8_t *)path, len) > 0 &&
	    EVP_MAC_final(barrier->mac, ret->bytes, &n, sizeof(ret->bytes)) > 0)
		return 0;
	return -ENOMEM; /* nothing else can fail there */
}

int barrier_seal(
    struct barrier *barrier, const char *path, size_t path_len, const void *plain, size_t len, struct store_blob *ret)
{
	const struct barrier_term *term = &barrier->terms[barrier->n_terms - 1];
	struct store_blob blob;
	int r;

	if (len > STORE_VALUE_MAX - BARRIER_OVERHEAD)
		return -E2BIG;
	r = blob_alloc(len + BARRIER_OVERHEAD, &blob);
	if (r < 0)
		return r;
	r = seal_with(barrier->seal, term->term, path, path_len, plain, len, blob.data);
	if (r < 0)
		free(blob.data);
	else
		*ret = blob;
	barrier->sealed += r == 0;
	return r;
}

void barrier_term(const struct barrier *barrier, struct barrier_term_info *ret)
{
	const struct keyring_term *term = &terms_of(barrier)[barrier->n_terms - 1];

	ret->term = be32toh(term->term);
	ret->installed = (int64_t)be64toh(term->install_time);
	ret->sealed = barrier->sealed;
}

/* The context that opens records of the term NUMBER. 0, -EBADMSG (the keyring has no such term), -ENOMEM. */
static int opening(const struct barrier *barrier, uint32_t number, EVP_CIPHER_CTX **ret)
{
	size_t at = number - barrier->terms[0].term; /* they follow each other */
	struct barrier_term *term = at < barrier->n_terms ? &barrier->terms[at] : NULL;

	if (!term || term->term != number)
		return -EBADMSG;
	if (!term->open)
		term->open = context_new(terms_of(barrier)[at].key, 0);
	*ret = term->open;
	return term->open ? 0 : -ENOMEM;
}

int barrier_open(const struct barrier *barrier, const char *path, size_t path_len, const struct store_blob *sealed,
    struct store_blob *ret)
{
	EVP_CIPHER_CTX *ctx;
	struct store_blob blob;
	int r;

	if (!has_form(sealed->data, sealed->len))
		return -EBADMSG;
	r = opening(barrier, term_of(sealed->data), &ctx);
	if (r == 0)
		r = blob_alloc(sealed->len - BARRIER_OVERHEAD, &blob);
	if (r < 0)
		return r;
	r = open_with(ctx, path, path_len, sealed->data, sealed->len, blob.data);
	if (r < 0)
		free(blob.data);
	else
		*ret = blob;
	return r;
}
