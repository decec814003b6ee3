/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens from strangers. The first byte chooses: bit 0 the loose reader; bit 1 that the rest is header, payload and
 * signature in clear, a line each, which are encoded first (so that mutations reach the JSON behind base64).
 */
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "kube/jwt.h"

#define PART_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_encoded(struct buf *buf, const uint8_t *data, size_t len)
{
	char text[base64url_size(PART_MAX)];

	if (len > PART_MAX)
		len = PART_MAX;
	base64url_encode(data, len, text);
	buf_add_str(buf, text);
}

static void encode(struct buf *buf, const uint8_t *data, size_t size)
{
	for (int part = 0; part < 3; part++) {
		const uint8_t *end = part < 2 ? memchr(data, '\n', size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;

		add_encoded(buf, data, len);
		if (part < 2)
			buf_add_char(buf, '.');
		data += len + (end ? 1 : 0);
		size -= len + (end ? 1 : 0);
	}
}

static struct jwt_keys *some_keys(void)
{
	static const char rsa[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n"
				  "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n"
				  "-----END PUBLIC KEY-----\n";
	static const char ec[] = "-----BEGIN PUBLIC KEY-----\n"
				 "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
				 "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n"
				 "-----END PUBLIC KEY-----\n";
	json_t *list = json_pack("[s, s]", rsa, ec);
	struct jwt_keys *keys = NULL;
	char error[256];

	if (jwt_keys_new(list, &keys, error, sizeof(error)) < 0)
		abort();
	json_decref(list);
	return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jwt_keys *keys;
	AUTO_BUF struct buf buf = { 0 };
	AUTO_SECRET struct secret *token = NULL;
	struct jwt_error error = { 0 };
	struct jwt *jwt = NULL;

	if (!keys)
		keys = some_keys();
	if (size == 0)
		return 0;
	if (data[0] & 2)
		encode(&buf, data + 1, size - 1);
	else
		buf_add(&buf, data + 1, size - 1);
	token = secret_copy(buf.data ? buf.data : "", buf.len);
	if (!token)
		return 0;
	if (jwt_read(token, data[0] & 1, &jwt, &error) == 0) {
		/* Nobody can sign for these keys. */
		if (jwt_verify(jwt, keys) == 0)
			abort();
		(void)!jwt_check(jwt, 1700000000, "https://k", "a", &error);
		jwt_free(jwt);
	} else if (error.status != 403) {
		abort();
	}
	return 0;
}
