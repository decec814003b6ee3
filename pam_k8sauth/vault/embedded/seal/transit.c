/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transit mount of another Vault: it encrypts the root key and decrypts it at a start, by a key that never leaves it.
 * The token is renewed here, and read anew each time, so that somebody else (a Vault Agent) may replace it.
 */
#include <errno.h>
#include <stdio.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "vault/embedded/barrier.h"
#include "vault/embedded/seal/kind.h"
#include "vault/embedded/seal/transit.h"

#define TOKEN_MAX     4096
#define CIPHERTEXT_MAX 4096

struct transit_seal {
	struct event_base *base;
	const struct seal_config *config;
	char *url; /* up to "encrypt/KEY" */
	struct transit_token *token;
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

static int check_settings(const struct seal_config *config, char *why, size_t why_size)
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

	transit_token_free(transit->token);
	free(transit->url);
	free(transit);
}

/* What is asked of the other Vault begins with the address and "/v1/". 0 or -ENOMEM. */
static int make_urls(struct transit_seal *transit)
{
	const char *address = seal_config_value(transit->config, "address");
	const char *mount = seal_config_value(transit->config, "mount_path");
	int address_len = (int)strlen(address), mount_len = (int)strlen(mount);
	char *api AUTO_FREE = NULL;

	address_len -= address[address_len - 1] == '/';
	mount_len -= mount[mount_len - 1] == '/';
	if (asprintf(&api, "%.*s/v1/", address_len, address) < 0)
		api = NULL;
	if (!api || asprintf(&transit->url, "%s%.*s/", api, mount_len, mount) < 0)
		transit->url = NULL;
	if (transit->url)
		transit->token = transit_token_keep(transit->base, transit->config, api);
	return transit->token ? 0 : -ENOMEM;
}

static int check_ca(const char *path, char *why, size_t why_size)
{
	X509_STORE *store = X509_STORE_new();
	int r = !store ? -ENOMEM : X509_STORE_load_file(store, path) == 1 ? 0 : -EINVAL;

	X509_STORE_free(store);
	ERR_clear_error();
	if (r < 0)
		snprintf(why, why_size, "seal \"transit\": ca_file: %s cannot be read, or has no certificates", path);
	return r;
}

static int check_files(void *seal, char *why, size_t why_size)
{
	const struct seal_config *config = ((struct transit_seal *)seal)->config;
	const char *ca_file = seal_config_value(config, "ca_file");
	struct secret *token AUTO_SECRET = NULL;
	int r = seal_file_read(seal_config_value(config, "token_file"), TOKEN_MAX, &token, why, why_size);

	return r == 0 && ca_file ? check_ca(ca_file, why, why_size) : r;
}

static int open_transit(
    struct event_base *base, const struct seal_config *config, void **ret, char *why, size_t why_size)
{
	struct transit_seal *transit;
	int r = check_settings(config, why, why_size);

	if (r < 0)
		return r;
	snprintf(why, why_size, "no memory");
	transit = calloc(1, sizeof(*transit));
	if (!transit)
		return -ENOMEM;
	transit->base = base;
	transit->config = config;
	r = make_urls(transit);
	if (r < 0)
		close_transit(transit);
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

void transit_tell(
    char *why, size_t why_size, const char *url, int status, const char *answer, size_t len, const char *error)
{
	json_auto_t *json = status ? json_loadb(answer, len, 0, NULL) : NULL;
	const char *text = json_string_value(json_array_get(json_object_get(json, "errors"), 0));

	if (status)
		snprintf(why, why_size, "%s: HTTP %d: %s", url, status, text ? text : "no text");
	else
		snprintf(why, why_size, "%s: %s", url, error);
	for (char *c = why; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = ' ';
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
		op->renew = call->unwrap; /* the key may have been rotated since: its next ciphertext tells */
		if (op->r < 0)
			snprintf(op->why, sizeof(op->why), "%s: the answer is not one of a transit mount", url);
	} else {
		transit_tell(op->why, sizeof(op->why), url, status, answer, len, error);
	}
	op->cancel = NULL;
	call_free(call);
	op->done(op->arg);
}

/* --- requests */

struct https_call *transit_post(struct event_base *base, const struct seal_config *config, const char *url,
    struct buf *body, https_done_fn *done, void *arg, int *ret_r, char *why, size_t why_size)
{
	const char *file = seal_config_value(config, "token_file");
	struct secret *token AUTO_SECRET = NULL;
	struct https_request request = { .url = url, .ca_file = seal_config_value(config, "ca_file"),
		.namespace_name = seal_config_value(config, "namespace"),
		.body = body };
	struct https_call *call;

	*ret_r = seal_file_read(file, TOKEN_MAX, &token, why, why_size);
	if (*ret_r < 0)
		return NULL;
	request.token = token;
	call = https_call_new(base, &request, done, arg);
	*ret_r = call ? 0 : -EINVAL;
	if (!call)
		snprintf(why, why_size, "no memory, or %s has no token in it", file);
	return call;
}

/* MEMBER is what is sent, TEXT its value, which has nothing to escape. */
static int post(struct transit_call *call, const char *member, const char *text)
{
	const struct transit_seal *seal = call->seal;
	struct buf url AUTO_BUF = { 0 }, body AUTO_BUF = { 0 };
	struct seal_op *op = call->op;
	int r;

	buf_printf(&url, "%s%scrypt/%s", seal->url, call->unwrap ? "de" : "en",
	    seal_config_value(seal->config, "key_name"));
	buf_printf(&body, "{\"%s\":\"%s\"}", member, text);
	snprintf(op->why, sizeof(op->why), "no memory");
	if (url.failed || body.failed)
		return -ENOMEM;
	call->http = transit_post(
	    seal->base, seal->config, url.data, &body, on_answer, call, &r, op->why, sizeof(op->why));
	return r;
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

/* "vault:v3:...": the version of the key. */
static bool same_key(const struct store_blob *a, const struct store_blob *b)
{
	const char *behind = a->len > 6 ? memchr(a->data + 6, ':', a->len - 6) : NULL;
	size_t len = behind ? (size_t)(behind - (const char *)a->data) + 1 : a->len;

	return b->len >= len && memcmp(a->data, b->data, len) == 0;
}

const struct seal_kind seal_transit = {
	.type = "transit",
	.remote = true,
	.open = open_transit,
	.close = close_transit,
	.check = check_files,
	.wrap = wrap,
	.unwrap = unwrap,
	.same_key = same_key,
};
