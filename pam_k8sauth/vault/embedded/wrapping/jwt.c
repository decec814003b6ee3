/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wrapping tokens in the form of a JWT (X-Vault-Wrap-Format: jwt): the token's id as the claim "jti", signed ES512 with
 * a key that is made when the first one is asked for. Only what this key has signed is ever looked into.
 */
#include <errno.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/wrapping/wrapping_internal.h"

#define KEY_RECORD    "wrapping/key"
#define HEADER	      "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCJ9." /* {"alg":"ES512","typ":"JWT"} */
#define COORDINATE    66
#define SIGNATURE_LEN (2 * COORDINATE)
#define BEFORE	      5 /* seconds that another clock may be behind, as Vault gives */

static void cleanup_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void cleanup_digest(EVP_MD_CTX **digest)
{
	EVP_MD_CTX_free(*digest);
	ERR_clear_error();
}

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void cleanup_pair(ECDSA_SIG **pair)
{
	ECDSA_SIG_free(*pair);
}

/* --- the key */

static int store_key(struct call *call, EVP_PKEY *key)
{
	CLEANUP(cleanup_bio) BIO *bio = BIO_new(BIO_s_secmem());
	json_auto_t *record = NULL;
	char *pem;
	long len;

	if (!bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return -EIO;
	len = BIO_get_mem_data(bio, &pem);
	record = json_pack("{s:s%}", "pem", pem, (size_t)len);
	return record ? core_put(call, KEY_RECORD, record) : -ENOMEM;
}

/* 0, -ENOENT where none was made yet, -EAGAIN, -errno. */
static int load_key(struct call *call, EVP_PKEY **ret)
{
	CLEANUP(cleanup_bio) BIO *bio = NULL;
	json_auto_t *record = NULL;
	const char *pem;
	int r = core_get(call, KEY_RECORD, &record);

	if (r < 0)
		return r;
	pem = json_string_value(json_object_get(record, "pem"));
	bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	*ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	ERR_clear_error();
	return *ret ? 0 : -EIO;
}

static int make_key(struct call *call, EVP_PKEY **ret)
{
	int r = load_key(call, ret);

	if (r != -ENOENT)
		return r;
	*ret = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	return *ret ? store_key(call, *ret) : -EIO;
}

/* --- signatures: r and s side by side (RFC 7518, 3.4) */

static int sign(EVP_PKEY *key, const char *text, unsigned char ret[static SIGNATURE_LEN])
{
	CLEANUP(cleanup_digest) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	CLEANUP(cleanup_pair) ECDSA_SIG *pair = NULL;
	unsigned char der[SIGNATURE_LEN + 16];
	const unsigned char *at = der;
	size_t len = sizeof(der);

	if (!digest || EVP_DigestSignInit(digest, NULL, EVP_sha512(), NULL, key) != 1 ||
	    EVP_DigestSign(digest, der, &len, (const unsigned char *)text, strlen(text)) != 1)
		return -EIO;
	pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	return pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret, COORDINATE) == COORDINATE &&
		       BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret + COORDINATE, COORDINATE) == COORDINATE
		   ? 0
		   : -EIO;
}

static bool verify(EVP_PKEY *key, const char *text, size_t len, const unsigned char signature[static SIGNATURE_LEN])
{
	CLEANUP(cleanup_digest) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	CLEANUP(cleanup_pair) ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, COORDINATE, NULL), *s = BN_bin2bn(signature + COORDINATE, COORDINATE, NULL);
	unsigned char *der = NULL;
	int der_len = -1;
	bool ok;

	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL; /* the pair's now */
		der_len = i2d_ECDSA_SIG(pair, &der);
	}
	BN_free(r);
	BN_free(s);
	ok = der_len > 0 && digest && EVP_DigestVerifyInit(digest, NULL, EVP_sha512(), NULL, key) == 1 &&
	     EVP_DigestVerify(digest, der, (size_t)der_len, (const unsigned char *)text, len) == 1;
	OPENSSL_free(der);
	return ok;
}

/* --- making */

/* The header and the claims, encoded. NULL without memory. */
static char *make_text(const struct token *token, const char *id)
{
	json_int_t issued = token->creation_time / 1000000000;
	json_auto_t *claims = json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:s}", "accessor", "", "addr", "", "exp",
	    issued + token->ttl, "iat", issued, "jti", id, "nbf", issued - BEFORE, "type", "wrapping");
	char *json AUTO_WIPE_STR = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
	size_t len = json ? strlen(json) : 0;
	char *text = json ? malloc(sizeof(HEADER) + base64url_size(len)) : NULL;

	if (!text)
		return NULL;
	memcpy(text, HEADER, sizeof(HEADER));
	base64url_encode(json, len, text + sizeof(HEADER) - 1);
	return text;
}

int wrapping_jwt_make(struct call *call, const struct token *token, const char *id, char **ret)
{
	CLEANUP(cleanup_key) EVP_PKEY *key = NULL;
	char *text AUTO_WIPE_STR = make_text(token, id);
	char encoded[base64url_size(SIGNATURE_LEN)];
	unsigned char signature[SIGNATURE_LEN];
	int r = text ? make_key(call, &key) : -ENOMEM;

	if (r == 0)
		r = sign(key, text, signature);
	if (r < 0)
		return r;
	base64url_encode(signature, sizeof(signature), encoded);
	return asprintf(ret, "%s.%s", text, encoded) < 0 ? -ENOMEM : 0;
}

/* --- reading */

bool wrapping_jwt_looks_so(const struct secret *presented)
{
	const char *first, *text = secret_reveal(presented);

	if (!starts_with(text, "eyJ"))
		return false;
	first = strchr(text, '.');
	return first && strchr(first + 1, '.') && !strchr(strchr(first + 1, '.') + 1, '.');
}

/* The id in the claims of the signed TEXT of LEN bytes, header included. */
static int read_id(const char *text, size_t len, struct secret **ret)
{
	const char *encoded = text + sizeof(HEADER) - 1, *id;
	size_t encoded_len = len - (sizeof(HEADER) - 1);
	json_auto_t *claims = NULL;
	char *json = malloc(encoded_len + 1);
	ssize_t json_len = json ? base64url_decode(encoded, encoded_len, json) : -ENOMEM;

	claims = json_len < 0 ? NULL : json_loadb(json, (size_t)json_len, 0, NULL);
	if (json)
		wipe(json, encoded_len + 1);
	free(json);
	id = json_string_value(json_object_get(claims, "jti"));
	*ret = id ? secret_copy(id, strlen(id)) : NULL;
	return *ret ? 0 : json_len == -ENOMEM || id ? -ENOMEM : -EACCES;
}

int wrapping_jwt_read(struct call *call, const struct secret *presented, struct secret **ret)
{
	CLEANUP(cleanup_key) EVP_PKEY *key = NULL;
	const char *text = secret_reveal(presented), *end = strrchr(text, '.');
	unsigned char signature[base64url_size(SIGNATURE_LEN)];
	int r;

	/* The header is the one that is made here, to the byte: nobody else says how to verify. */
	if (!starts_with(text, HEADER) || end < text + sizeof(HEADER) - 1 ||
	    strlen(end + 1) != base64url_size(SIGNATURE_LEN) - 1 ||
	    base64url_decode(end + 1, strlen(end + 1), signature) != SIGNATURE_LEN)
		return -EACCES;
	r = load_key(call, &key);
	if (r < 0)
		return r == -ENOENT ? -EACCES : r;
	return verify(key, text, (size_t)(end - text), signature) ? read_id(text, (size_t)(end - text), ret) : -EACCES;
}
