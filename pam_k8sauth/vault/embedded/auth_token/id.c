/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token ids. No id is ever stored: the accessor is a keyed hash of the id, and the record's key a keyed hash of the
 * accessor, so that both lead to the record without an index beside it. What is handed out is Vault's signed form
 * (vault-core.md 3.1).
 */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"

#define KEYS_RECORD "token/keys"
#define KEY_LEN	    32
#define MAC_LEN	    32
#define PREFIX	    "hvs."
#define PREFIX_LEN  4

/* The signed form, a protobuf: 1: version 1; 2: HMAC of 3; 3: { 1: internal id }. */
struct signed_id {
	unsigned char head[4]; /* 08 01 12 20 */
	unsigned char mac[MAC_LEN];
	unsigned char inner_head[2]; /* 1a 1e */
	unsigned char id_head[2];    /* 0a 1c */
	char id[TOKEN_ID_LEN];
};
#define SIGNED_INNER_LEN (2 + TOKEN_ID_LEN)

_Static_assert(sizeof(struct signed_id) == 68, "no padding");
_Static_assert(PREFIX_LEN + base64url_size(sizeof(struct signed_id)) == TOKEN_SIGNED_LEN + 1, "95 characters");

static const struct signed_id signed_template = {
	.head = { 0x08, 0x01, 0x12, MAC_LEN },
	.inner_head = { 0x1a, SIGNED_INNER_LEN },
	.id_head = { 0x0a, TOKEN_ID_LEN },
};

static int mac_compute(EVP_MAC_CTX *mac, const void *data, size_t len, unsigned char ret[static MAC_LEN])
{
	size_t ret_len;

	/* Without a key, EVP_MAC_init goes back to the state after the last key: no key schedule again. */
	if (!mac || !EVP_MAC_init(mac, NULL, 0, NULL) || !EVP_MAC_update(mac, data, len) ||
	    !EVP_MAC_final(mac, ret, &ret_len, MAC_LEN) || ret_len != MAC_LEN)
		return -EIO;
	return 0;
}

/* A context keyed by member NAME of RECORD. */
static int mac_keyed(EVP_MAC *mac, const json_t *record, const char *name, EVP_MAC_CTX **ret)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	const char *hex = json_string_value(json_object_get(record, name));
	unsigned char key[KEY_LEN];
	EVP_MAC_CTX *ctx;
	int ok;

	if (!hex || hex_decode(hex, strlen(hex), key, sizeof(key)) != KEY_LEN)
		return -EIO;
	ctx = EVP_MAC_CTX_new(mac);
	ok = ctx && EVP_MAC_init(ctx, key, sizeof(key), params);
	wipe(key, sizeof(key));
	if (!ok) {
		EVP_MAC_CTX_free(ctx);
		return -EIO;
	}
	EVP_MAC_CTX_free(*ret);
	*ret = ctx;
	return 0;
}

static json_t *random_key(void)
{
	unsigned char key[KEY_LEN];
	char hex[2 * KEY_LEN + 1];
	json_t *text;

	random_bytes(key, sizeof(key));
	hex_encode(key, sizeof(key), hex);
	text = json_string(hex);
	wipe(key, sizeof(key));
	wipe(hex, sizeof(hex));
	return text;
}

int token_keys_start(struct call *call, struct tokens *tokens)
{
	json_auto_t *record = NULL;
	int r = core_get(call, KEYS_RECORD, &record);

	if (r == -ENOENT) {
		record = json_pack(
		    "{s:o, s:o, s:o}", "accessor", random_key(), "salt", random_key(), "sign", random_key());
		r = record ? core_put(call, KEYS_RECORD, record) : -ENOMEM;
	}
	if (r < 0)
		return r;
	if (!tokens->mac)
		tokens->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!tokens->mac)
		return -EIO;
	r = mac_keyed(tokens->mac, record, "accessor", &tokens->accessor_mac);
	if (r == 0)
		r = mac_keyed(tokens->mac, record, "salt", &tokens->salt_mac);
	if (r == 0)
		r = mac_keyed(tokens->mac, record, "sign", &tokens->sign_mac);
	return r;
}

void token_keys_free(struct tokens *tokens)
{
	EVP_MAC_CTX_free(tokens->accessor_mac);
	EVP_MAC_CTX_free(tokens->salt_mac);
	EVP_MAC_CTX_free(tokens->sign_mac);
	EVP_MAC_free(tokens->mac);
}

int token_id_accessor(struct tokens *tokens, const char *id, size_t len, char ret[static TOKEN_ACCESSOR_LEN + 1])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t parts[MAC_LEN / sizeof(uint64_t)];
	int r = mac_compute(tokens->accessor_mac, id, len, (unsigned char *)parts);

	if (r < 0)
		return r;
	/* Six digits of each 64 bits: 2^35.7 values, so that the bias is below 2^-28. */
	for (size_t i = 0; i < TOKEN_ACCESSOR_LEN; i++) {
		uint64_t *part = &parts[i / 6];

		ret[i] = digits[*part % 62];
		*part /= 62;
	}
	ret[TOKEN_ACCESSOR_LEN] = 0;
	return 0;
}

void token_bytes_salted(const unsigned char bytes[static EXPIRY_KEY_LEN], char ret[static TOKEN_SALTED_SIZE])
{
	ret[0] = 'h';
	hex_encode(bytes, EXPIRY_KEY_LEN, ret + 1);
}

int token_accessor_salted(struct tokens *tokens, const char *accessor, char ret[static TOKEN_SALTED_SIZE])
{
	unsigned char bytes[MAC_LEN];
	int r = mac_compute(tokens->salt_mac, accessor, strlen(accessor), bytes);

	if (r == 0)
		token_bytes_salted(bytes, ret);
	return r;
}

/* TEXT has TOKEN_SIGNED_LEN characters and the prefix. */
static bool read_form(const char *text, size_t len, struct signed_id *ret)
{
	return base64url_decode(text + PREFIX_LEN, len - PREFIX_LEN, ret) == sizeof(*ret) &&
	       memcmp(ret->head, signed_template.head, sizeof(ret->head)) == 0 &&
	       memcmp(ret->inner_head, signed_template.inner_head, sizeof(ret->inner_head)) == 0 &&
	       memcmp(ret->id_head, signed_template.id_head, sizeof(ret->id_head)) == 0;
}

/* Checks the signed form and copies the internal id out of it. */
static int unsign(struct tokens *tokens, const char *text, size_t len, char ret_id[static TOKEN_ID_LEN])
{
	struct signed_id form;
	unsigned char mac[MAC_LEN];
	int r = -ENOENT;

	if (read_form(text, len, &form))
		r = mac_compute(tokens->sign_mac, form.id_head, SIGNED_INNER_LEN, mac);
	if (r == 0 && !equal_constant_time(mac, form.mac, sizeof(mac)))
		r = -ENOENT;
	if (r == 0)
		memcpy(ret_id, form.id, TOKEN_ID_LEN);
	wipe(&form, sizeof(form));
	return r;
}

bool token_inner_id(const char *presented, size_t len, char ret[static TOKEN_ID_LEN])
{
	struct signed_id form;
	bool found = len == TOKEN_SIGNED_LEN && memcmp(presented, PREFIX, PREFIX_LEN) == 0 &&
		     read_form(presented, len, &form);

	if (found)
		memcpy(ret, form.id, TOKEN_ID_LEN);
	wipe(&form, sizeof(form));
	return found;
}

int token_presented_salted(struct tokens *tokens, const char *presented, size_t len, char ret[static TOKEN_SALTED_SIZE])
{
	char accessor[TOKEN_ACCESSOR_LEN + 1], id[TOKEN_ID_LEN];
	int r;

	if (len == 0 || len > TOKEN_PRESENTED_MAX)
		return -ENOENT;
	if (len == TOKEN_SIGNED_LEN && memcmp(presented, PREFIX, PREFIX_LEN) == 0) {
		r = unsign(tokens, presented, len, id);
		if (r == 0)
			r = token_id_accessor(tokens, id, sizeof(id), accessor);
		wipe(id, sizeof(id));
	} else {
		r = token_id_accessor(tokens, presented, len, accessor);
	}
	return r < 0 ? r : token_accessor_salted(tokens, accessor, ret);
}

int token_sign(struct tokens *tokens, const char *id, char ret[static TOKEN_SIGNED_LEN + 1])
{
	struct signed_id form = signed_template;
	int r;

	memcpy(form.id, id, sizeof(form.id));
	r = mac_compute(tokens->sign_mac, form.id_head, SIGNED_INNER_LEN, form.mac);
	if (r == 0) {
		memcpy(ret, PREFIX, PREFIX_LEN);
		base64url_encode(&form, sizeof(form), ret + PREFIX_LEN);
	}
	wipe(&form, sizeof(form));
	return r;
}

void token_salted_bytes(const char *salted, unsigned char ret[static EXPIRY_KEY_LEN])
{
	if (hex_decode(salted + 1, 2 * EXPIRY_KEY_LEN, ret, EXPIRY_KEY_LEN) < 0)
		memset(ret, 0, EXPIRY_KEY_LEN);
}

void token_key(const char *salted, char ret[static TOKEN_KEY_SIZE])
{
	static const char folder[] = "token/";
	char *end = mempcpy(ret, folder, sizeof(folder) - 1);

	end = mempcpy(end, salted + 1, 2);
	*end++ = '/';
	end = mempcpy(end, salted + 3, 62);
	*end = 0;
}
