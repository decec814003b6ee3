/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates in PEM: pem_keys, and signatures checked with them (jwt.h). */
#include <errno.h>
#include <stdio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "kube/jwt.h"
#include "kube/pem.h"

#define KEYS_MAX 64

struct jwt_keys {
	EVP_PKEY **keys;
	size_t n;
};

void jwt_keys_free(struct jwt_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->n; i++)
		EVP_PKEY_free(keys->keys[i]);
	free(keys->keys);
	free(keys);
}

/* The public key in DER: a PKIX key, else a certificate's. NULL if it is neither. */
static EVP_PKEY *key_of_der(const unsigned char *der, long len)
{
	const unsigned char *at = der;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, len);
	X509 *certificate;

	if (key && at == der + len)
		return key;
	EVP_PKEY_free(key);
	key = NULL;
	at = der;
	certificate = d2i_X509(NULL, &at, len);
	if (certificate && at == der + len)
		key = X509_get_pubkey(certificate);
	X509_free(certificate);
	return key;
}

/* Go's text for what is no certificate: a SEQUENCE (tag 0x30) in one, or not even that. */
static const char *certificate_fault(const unsigned char *der, size_t len)
{
	long content;
	int tag, class;
	const unsigned char *at = der;
	bool outer = len > 0 && !(ASN1_get_object(&at, &content, &tag, &class, (long)len) & 0x80) && *der == 0x30;

	return outer && !(content > 0 && *at == 0x30) ? "x509: malformed tbs certificate"
						      : "x509: malformed certificate";
}

/* 0, -EINVAL with ERROR, -ENOMEM. */
static int key_of_pem(const char *text, EVP_PKEY **ret, char *error, size_t error_size)
{
	struct pem pem;
	EVP_PKEY *key;
	int r = pem_next(&text, &pem);

	if (r < 0)
		return r;
	key = r > 0 ? key_of_der(pem.der, (long)pem.len) : NULL;
	if (r > 0 && !key) {
		snprintf(error, error_size, "%s", certificate_fault(pem.der, pem.len));
	} else if (!key || (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA && EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)) {
		snprintf(error, error_size, "data does not contain any valid RSA or ECDSA public keys");
		EVP_PKEY_free(key);
		key = NULL;
	}
	if (r > 0)
		pem_free(&pem);
	ERR_clear_error();
	if (!key)
		return -EINVAL;
	*ret = key;
	return 0;
}

int jwt_keys_new(const json_t *pem_keys, struct jwt_keys **ret, char *error, size_t error_size)
{
	size_t n = json_array_size(pem_keys);
	struct jwt_keys *keys = calloc(1, sizeof(*keys));
	int r = 0;

	if (n > KEYS_MAX) {
		snprintf(error, error_size, "more than %d keys in pem_keys", KEYS_MAX);
		free(keys);
		return -EINVAL;
	}
	if (!keys || !(keys->keys = calloc(n + 1, sizeof(EVP_PKEY *)))) {
		free(keys);
		return -ENOMEM;
	}
	while (r == 0 && keys->n < n) {
		const char *pem = json_string_value(json_array_get(pem_keys, keys->n));

		r = key_of_pem(pem ? pem : "", &keys->keys[keys->n], error, error_size);
		if (r == 0)
			keys->n++;
	}
	if (r < 0) {
		jwt_keys_free(keys);
		return r;
	}
	*ret = keys;
	return 0;
}

struct alg_info {
	int type; /* of the key */
	const EVP_MD *(*digest)(void);
	bool pss;
	const char *curve;
	size_t coordinate; /* bytes of r and of s */
};

static const struct alg_info algs[] = {
	[JWT_RS256] = { EVP_PKEY_RSA, EVP_sha256, false, NULL, 0 },
	[JWT_RS384] = { EVP_PKEY_RSA, EVP_sha384, false, NULL, 0 },
	[JWT_RS512] = { EVP_PKEY_RSA, EVP_sha512, false, NULL, 0 },
	[JWT_PS256] = { EVP_PKEY_RSA, EVP_sha256, true, NULL, 0 },
	[JWT_PS384] = { EVP_PKEY_RSA, EVP_sha384, true, NULL, 0 },
	[JWT_PS512] = { EVP_PKEY_RSA, EVP_sha512, true, NULL, 0 },
	[JWT_ES256] = { EVP_PKEY_EC, EVP_sha256, false, "prime256v1", 32 },
	[JWT_ES384] = { EVP_PKEY_EC, EVP_sha384, false, "secp384r1", 48 },
	[JWT_ES512] = { EVP_PKEY_EC, EVP_sha512, false, "secp521r1", 66 },
};

static bool key_fits(EVP_PKEY *key, const struct alg_info *alg)
{
	char curve[64];

	if (EVP_PKEY_get_base_id(key) != alg->type)
		return false;
	return !alg->curve ||
	       (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 && streq(curve, alg->curve));
}

/* JWS has r and s side by side (RFC 7518 section 3.4), OpenSSL wants DER. NULL without memory. */
static unsigned char *der_of_raw(const unsigned char *raw, size_t coordinate, size_t *ret_len)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, (int)coordinate, NULL), *s = BN_bin2bn(raw + coordinate, (int)coordinate, NULL);
	unsigned char *der = NULL;
	int len = -1;

	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL; /* the pair's now */
		len = i2d_ECDSA_SIG(pair, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	if (len < 0)
		return NULL;
	*ret_len = (size_t)len;
	return der;
}

static bool verify_with(EVP_PKEY *key, const struct alg_info *alg, const struct jwt *jwt,
    const unsigned char *signature, size_t signature_len)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings = NULL; /* the digest context's */
	bool ok = digest && EVP_DigestVerifyInit(digest, &settings, alg->digest(), NULL, key) == 1;

	if (ok && alg->pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(
		       digest, signature, signature_len, (const unsigned char *)jwt->signed_part, jwt->signed_len) == 1;
	EVP_MD_CTX_free(digest);
	ERR_clear_error();
	return ok;
}

int jwt_verify(const struct jwt *jwt, const struct jwt_keys *keys)
{
	const struct alg_info *alg = &algs[jwt->alg];
	unsigned char *der = NULL;
	const unsigned char *signature = jwt->signature;
	size_t len = jwt->signature_len;
	bool ok = false;

	if (jwt->critical || len == 0)
		return -EKEYREJECTED;
	if (alg->coordinate) {
		if (len != 2 * alg->coordinate)
			return -EKEYREJECTED;
		der = der_of_raw(jwt->signature, alg->coordinate, &len);
		if (!der)
			return -EKEYREJECTED;
		signature = der;
	}
	for (size_t i = 0; !ok && i < keys->n; i++)
		ok = key_fits(keys->keys[i], alg) && verify_with(keys->keys[i], alg, jwt, signature, len);
	OPENSSL_free(der);
	return ok ? 0 : -EKEYREJECTED;
}
