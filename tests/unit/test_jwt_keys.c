/* SPDX-License-Identifier: Apache-2.0 */
/* kube/jwt: signatures of all nine algorithms, and what must not pass for one. */
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "jwt_fixture.h"

static EVP_PKEY *rsa_key, *other_rsa_key, *p256, *p384, *p521, *k256;

static const struct alg {
	const char *name;
	EVP_PKEY **key;
	const EVP_MD *(*digest)(void);
	bool pss;
	size_t coordinate;
} algs[] = {
	{ "RS256", &rsa_key, EVP_sha256, false, 0 },
	{ "RS384", &rsa_key, EVP_sha384, false, 0 },
	{ "RS512", &rsa_key, EVP_sha512, false, 0 },
	{ "PS256", &rsa_key, EVP_sha256, true, 0 },
	{ "PS384", &rsa_key, EVP_sha384, true, 0 },
	{ "PS512", &rsa_key, EVP_sha512, true, 0 },
	{ "ES256", &p256, EVP_sha256, false, 32 },
	{ "ES384", &p384, EVP_sha384, false, 48 },
	{ "ES512", &p521, EVP_sha512, false, 66 },
};

static int make_keys(void **state)
{
	(void)state;
	rsa_key = EVP_RSA_gen(2048);
	other_rsa_key = EVP_RSA_gen(2048);
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	p521 = EVP_EC_gen("P-521");
	k256 = EVP_EC_gen("secp256k1");
	return rsa_key && other_rsa_key && p256 && p384 && p521 && k256 ? 0 : -1;
}

static int drop_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(other_rsa_key);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(k256);
	return 0;
}

/* Signs BUF so far with KEY by the ways of ALG; RAW: r and s side by side, as JWS wants it. */
static size_t sign(
    const struct buf *buf, const struct alg *alg, EVP_PKEY *key, bool raw, unsigned char *ret, size_t size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;
	size_t len = size;

	assert_int_equal(EVP_DigestSignInit(ctx, &settings, alg->digest(), NULL, key), 1);
	if (alg->pss) {
		EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
	}
	assert_int_equal(EVP_DigestSign(ctx, ret, &len, (const unsigned char *)buf->data, buf->len), 1);
	EVP_MD_CTX_free(ctx);
	if (alg->coordinate && raw) {
		const unsigned char *at = ret;
		ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);

		BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret, (int)alg->coordinate);
		BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret + alg->coordinate, (int)alg->coordinate);
		ECDSA_SIG_free(pair);
		len = 2 * alg->coordinate;
	}
	return len;
}

static struct secret *signed_token(
    const char *header, const char *payload, const struct alg *alg, EVP_PKEY *key, bool raw)
{
	AUTO_BUF struct buf buf = { 0 };
	unsigned char signature[512];
	size_t len;

	add_base64url(&buf, header, strlen(header));
	buf_add_char(&buf, '.');
	add_base64url(&buf, payload, strlen(payload));
	len = sign(&buf, alg, key, raw, signature, sizeof(signature));
	buf_add_char(&buf, '.');
	add_base64url(&buf, signature, len);
	return secret_of(&buf);
}

static void add_key(json_t *list, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(json_array_append_new(list, json_stringn(text, (size_t)len)), 0);
	BIO_free(bio);
}

static void add_certificate(json_t *list, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *certificate = X509_new();
	char *text;
	long len;

	/* long expired: only its key counts */
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
	X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(json_array_append_new(list, json_stringn(text, (size_t)len)), 0);
	BIO_free(bio);
	X509_free(certificate);
}

static struct jwt_keys *keys_of(json_t *list)
{
	struct jwt_keys *keys = NULL;
	char error[256];

	assert_int_equal(jwt_keys_new(list, &keys, error, sizeof(error)), 0);
	json_decref(list);
	return keys;
}

static int verify(struct secret *secret, const struct jwt_keys *keys)
{
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;
	int r;

	assert_int_equal(jwt_read(secret, true, &jwt, &error), 0);
	r = jwt_verify(jwt, keys);
	jwt_free(jwt);
	return r;
}

static struct jwt_keys *all_keys(void)
{
	json_t *list = json_array();

	add_key(list, other_rsa_key);
	add_key(list, k256);
	add_key(list, p521);
	add_certificate(list, p384);
	add_key(list, p256);
	add_certificate(list, rsa_key);
	return keys_of(list);
}

static void test_signatures(void **state)
{
	struct jwt_keys *keys = all_keys();
	char header[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		AUTO_SECRET struct secret *good = NULL;
		AUTO_SECRET struct secret *bad = NULL;
		char *text;

		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[i].name);
		good = signed_token(header, GOOD, &algs[i], *algs[i].key, true);
		assert_int_equal(verify(good, keys), 0);
		/* another payload under the same signature */
		bad = secret_copy(secret_reveal(good), secret_len(good));
		text = strchr(secret_reveal(bad), '.') + 20;
		*text = *text == 'A' ? 'B' : 'A';
		{
			struct jwt_error error = { 0 };
			struct jwt *jwt = NULL;

			if (jwt_read(bad, false, &jwt, &error) == 0)
				assert_int_equal(jwt_verify(jwt, keys), -EKEYREJECTED);
			jwt_free(jwt);
		}
	}
	jwt_keys_free(keys);
}

/* Every algorithm's signature under every other algorithm's name. */
static void test_algorithm_confusion(void **state)
{
	struct jwt_keys *keys = all_keys();
	char header[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		for (size_t named = 0; named < ARRAY_SIZE(algs); named++) {
			AUTO_SECRET struct secret *secret = NULL;

			snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[named].name);
			secret = signed_token(header, GOOD, &algs[i], *algs[i].key, true);
			assert_int_equal(verify(secret, keys), i == named ? 0 : -EKEYREJECTED);
		}
	}
	jwt_keys_free(keys);
}

static void test_bad_signatures(void **state)
{
	/* A curve with coordinates of the same length: the curve itself is bound to the algorithm. */
	static const struct alg k256_es256 = { "ES256", &k256, EVP_sha256, false, 32 };
	static const struct alg p256_wide = { "ES256", &p256, EVP_sha256, false, 33 };
	struct jwt_keys *keys = all_keys(), *none = keys_of(json_array()), *other;
	AUTO_SECRET struct secret *der = signed_token("{\"alg\":\"ES256\"}", GOOD, &algs[6], p256, false);
	AUTO_SECRET struct secret *curve = signed_token("{\"alg\":\"ES256\"}", GOOD, &k256_es256, k256, true);
	AUTO_SECRET struct secret *wide = signed_token("{\"alg\":\"ES256\"}", GOOD, &p256_wide, p256, true);
	AUTO_SECRET struct secret *good = signed_token(HEADER, GOOD, &algs[0], rsa_key, true);
	AUTO_SECRET struct secret *crit = signed_token(
	    "{\"alg\":\"RS256\",\"crit\":[\"x\"]}", GOOD, &algs[0], rsa_key, true);
	AUTO_SECRET struct secret *empty = secret_copy("eyJhbGciOiJSUzI1NiJ9.e30.", 25);
	AUTO_SECRET struct secret *spaced = secret_new(secret_len(good) + 2);
	json_t *list = json_array();

	(void)state;
	add_key(list, other_rsa_key);
	other = keys_of(list);
	assert_int_equal(verify(der, keys), -EKEYREJECTED);
	assert_int_equal(verify(curve, keys), -EKEYREJECTED);
	assert_int_equal(verify(wide, keys), -EKEYREJECTED);
	assert_int_equal(verify(crit, keys), -EKEYREJECTED);
	assert_int_equal(verify(empty, keys), -EKEYREJECTED);
	assert_int_equal(verify(good, none), -EKEYREJECTED);
	assert_int_equal(verify(good, other), -EKEYREJECTED);
	assert_int_equal(verify(good, keys), 0);
	/* what a reader with keys tolerates does not break the signature */
	snprintf(secret_reveal(spaced), secret_len(spaced) + 1, " %s\n", secret_reveal(good));
	assert_int_equal(verify(spaced, keys), 0);
	jwt_keys_free(keys);
	jwt_keys_free(none);
	jwt_keys_free(other);
}

static void test_bad_keys(void **state)
{
	static const struct {
		const char *pem, *error;
	} bad[] = {
		{ "", "data does not contain any valid RSA or ECDSA public keys" },
		{ "not pem", "data does not contain any valid RSA or ECDSA public keys" },
		/* Ed25519 */
		{ "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END "
		  "PUBLIC KEY-----\n",
		    "data does not contain any valid RSA or ECDSA public keys" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "x509: malformed certificate" },
	};
	char error[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *list = json_pack("[s]", bad[i].pem);
		struct jwt_keys *keys = NULL;

		assert_int_equal(jwt_keys_new(list, &keys, error, sizeof(error)), -EINVAL);
		assert_null(keys);
		assert_string_equal(error, bad[i].error);
		json_decref(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_algorithm_confusion),
		cmocka_unit_test(test_bad_signatures),
		cmocka_unit_test(test_bad_keys),
	};

	return cmocka_run_group_tests_name("jwt_keys", tests, make_keys, drop_keys);
}
