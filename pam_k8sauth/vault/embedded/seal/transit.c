/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transit mount of another Vault: it encrypts the root key and decrypts it at a start, by a key that never leaves it.
 * The token is read anew each time, so that somebody else (a Vault Agent) may keep it alive.
 */
#include <errno.h>
#include <stdio.h>
#include <jansson.h>

#include "base/text.h"
#include "vault/embedded/barrier.h"
#include "vault/embedded/seal/https_call.h"
#include "vault/embedded/seal/kind.h"

#define TOKEN_MAX     4096
#define CIPHERTEXT_MAX 4096

struct transit_seal {
	struct event_base *base;
	const struct seal_config *config;
	char *url; /* up to "encrypt/KEY" */
};

/* One operation under way; the op's state. */
struct transit_call {
	const struct transit_seal *seal;
	struct seal_op *op;
	struct https_call *http;
	bool unwrap;
};

/* --- the configuration */

/* Only what needs no encoding in a URL, so that the configured path is the one that is asked. */
static bool plain_path(const char *text, bool slashes)
{
	return *text && *text != '/' && !strstr(text, "..") && !strstr(text, "//") &&
	       strspn(text, slashes ? "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
				    : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(text);
}

static bool is_loopback(const char *address)
{
	static const char *const hosts[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		size_t len = strlen(hosts[i]);

		if (strncmp(address, hosts[i], len) == 0 && (!address[len] || strchr(":/", address[len])))
			return true;
	}
	return false;
}

static int check(const struct seal_config *config, char *why, size_t why_size)
{
	const char *address = seal_config_value(config, "address");

	if (!plain_path(seal_config_value(config, "key_name"), false))
		snprintf(why, why_size, "seal \"transit\": key_name has characters that no transit key has");
	else if (!plain_path(seal_config_value(config, "mount_path"), true))
		snprintf(why, why_size, "seal \"transit\": mount_path is not the path of a mount");
	else if (starts_with(address, "http://") && !is_loopback(address))
		snprintf(why, why_size,
		    "seal \"transit\": address must begin with https://: the root key would cross the network in the "
		    "clear");
	else
		return 0;
	return -EINVAL;
}

static void close_transit(void *seal)
{
	struct transit_seal *transit = seal;

	free(transit->url);
	free(transit);
}

static int open_transit(
    struct event_base *base, const struct seal_config *config, void **ret, char *why, size_t why_size)
{
	struct transit_seal *transit = calloc(1, sizeof(*transit));
	int r = check(config, why, why_size);

	if (r == 0 && transit) {
		const char *address = seal_config_value(config, "address"), *mount = seal_config_value(config, "mount_path");
		size_t address_len = strlen(address), mount_len = strlen(mount);

		transit->base = base;
		transit->config = config;
		address_len -= address[address_len - 1] == '/';
		mount_len -= mount[mount_len - 1] == '/';
		if (asprintf(&transit->url, "%.*s/v1/%.*s/", (int)address_len, address, (int)mount_len, mount) < 0)
			transit->url = NULL;
	}
	if (r == 0 && (!transit || !transit->url)) {
		snprintf(why, why_size, "no memory");
		r = -ENOMEM;
	}
	if (r < 0)
		free(transit);
	else
		*ret = transit;
	return r;
}

/* --- answers */

static void call_free(void *state)
{
	struct transit_call *call = state;

	https_call_free(call->http);
	free(call);
}

static int read_answer(struct transit_call *call, const char *answer, size_t len)
{
	json_auto_t *json = json_loadb(answer, len, 0, NULL);
	const char *text = json_string_value(
	    json_object_get(json_object_get(json, "data"), call->unwrap ? "plaintext" : "ciphertext"));
	struct seal_op *op = call->op;

	if (!text)
		return -EPROTO;
	if (!call->unwrap) {
		op->wrapped.len = strlen(text);
		op->wrapped.data = op->wrapped.len <= CIPHERTEXT_MAX ? (uint8_t *)strdup(text) : NULL;
		return op->wrapped.data ? 0 : -EPROTO;
	}
	if (strlen(text) != base64_size(BARRIER_KEY_SIZE) - 1)
		return -EPROTO;
	op->root_key = secret_new(base64_size(BARRIER_KEY_SIZE)); /* decoding writes no more than that */
	if (!op->root_key)
		return -ENOMEM;
	if (base64_decode(text, strlen(text), secret_reveal(op->root_key)) != BARRIER_KEY_SIZE)
		return -EPROTO;
	return 0;
}

/* As it is, but of the right length. */
static int trim_root_key(struct seal_op *op)
{
	struct secret *key = secret_copy(secret_reveal(op->root_key), BARRIER_KEY_SIZE);

	secret_free(op->root_key);
	op->root_key = key;
	return key ? 0 : -ENOMEM;
}

/* The first error of Vault's answer, in its own words, of what can be printed. */
static void tell_errors(struct seal_op *op, const char *url, int status, const char *answer, size_t len)
{
	json_auto_t *json = json_loadb(answer, len, 0, NULL);
	const char *text = json_string_value(json_array_get(json_object_get(json, "errors"), 0));
	size_t n;

	snprintf(op->why, sizeof(op->why), "%s: HTTP %d: %s", url, status, text ? text : "no text");
	for (n = 0; op->why[n]; n++)
		if ((unsigned char)op->why[n] < ' ' || (unsigned char)op->why[n] >= 0x7f)
			op->why[n] = ' ';
}

static void on_answer(void *arg, int status, const char *answer, size_t len, const char *error)
{
	struct transit_call *call = arg;
	struct seal_op *op = call->op;
	const char *url = call->seal->url;

	op->r = -EIO;
	if (status == 200) {
		op->r = read_answer(call, answer, len);
		if (op->r == 0 && call->unwrap)
			op->r = trim_root_key(op);
		if (op->r < 0)
			snprintf(op->why, sizeof(op->why), "%s: the answer is not one of a transit mount", url);
	} else if (status) {
		tell_errors(op, url, status, answer, len);
	} else {
		snprintf(op->why, sizeof(op->why), "%s: %s", url, error);
	}
	op->cancel = NULL;
	call_free(call);
	op->done(op->arg);
}

/* --- requests */

/* MEMBER is what is sent, TEXT its value, which has nothing to escape. */
static int post(struct transit_call *call, const char *member, const char *text)
{
	const struct seal_config *config = call->seal->config;
	struct secret *token AUTO_SECRET = NULL;
	struct buf url AUTO_BUF = { 0 }, body AUTO_BUF = { 0 };
	struct seal_op *op = call->op;
	struct https_request request = { .ca_file = seal_config_value(config, "ca_file"),
		.namespace_name = seal_config_value(config, "namespace"),
		.body = &body };
	int r = seal_file_read(
	    seal_config_value(config, "token_file"), TOKEN_MAX, &token, op->why, sizeof(op->why));

	if (r < 0)
		return r;
	buf_printf(&url, "%s%scrypt/%s", call->seal->url, call->unwrap ? "de" : "en",
	    seal_config_value(config, "key_name"));
	buf_printf(&body, "{\"%s\":\"%s\"}", member, text);
	snprintf(op->why, sizeof(op->why), "no memory, or %s has no token in it",
	    seal_config_value(config, "token_file"));
	if (url.failed || body.failed)
		return -ENOMEM;
	request.url = url.data;
	request.token = token;
	call->http = https_call_new(call->seal->base, &request, on_answer, call);
	return call->http ? 0 : -EINVAL;
}

static void start(const struct transit_seal *seal, struct seal_op *op, const char *member, const char *text, bool unwrap)
{
	struct transit_call *call = calloc(1, sizeof(*call));

	op->r = -ENOMEM;
	snprintf(op->why, sizeof(op->why), "no memory");
	if (!call)
		return;
	*call = (struct transit_call){ .seal = seal, .op = op, .unwrap = unwrap };
	op->r = post(call, member, text);
	if (op->r < 0) {
		call_free(call);
		return;
	}
	op->r = -EINPROGRESS;
	op->state = call;
	op->cancel = call_free;
}

static void wrap(void *seal, const struct secret *root_key, struct seal_op *op)
{
	char text[base64_size(BARRIER_KEY_SIZE)];

	base64_encode(secret_reveal(root_key), BARRIER_KEY_SIZE, text);
	start(seal, op, "plaintext", text, false);
	wipe(text, sizeof(text));
}

static void unwrap(void *seal, const struct store_blob *wrapped, struct seal_op *op)
{
	char text[CIPHERTEXT_MAX + 1];

	snprintf(text, sizeof(text), "%.*s", (int)wrapped->len, (const char *)wrapped->data);
	if (strlen(text) != wrapped->len || !starts_with(text, "vault:") || strpbrk(text, "\"\\ \t\r\n")) {
		op->r = -EBADMSG;
		snprintf(op->why, sizeof(op->why), "what the store has of the root key is not from a transit mount");
		return;
	}
	start(seal, op, "ciphertext", text, true);
}

const struct seal_kind seal_transit = {
	.type = "transit",
	.remote = true,
	.open = open_transit,
	.close = close_transit,
	.wrap = wrap,
	.unwrap = unwrap,
};
