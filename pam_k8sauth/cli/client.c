/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client of the command line: libcurl, over TCP, TLS or a unix socket. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <curl/curl.h>

#include <k8sauth/limits.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"

#define REPLY_MAX  (64 * 1024 * 1024)
#define CONNECT_MS 10000L
#define TOTAL_MS   60000L /* vault's own limit */
#define TOKEN_FILE ".vault-token"

struct client {
	char *address;	      /* without a trailing slash: "https://127.0.0.1:8200" */
	char *socket_path;    /* unix:// */
	bool default_address; /* neither named nor found */
	const char *ca_cert;
	struct secret *token;
	CURL *curl;
	struct buf body;
};

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int set_address(struct client *client, const char *address)
{
	size_t len;

	if (!address)
		address = env("VAULT_ADDR");
	if (!address && access(K8SAUTH_API_SOCKET, F_OK) == 0)
		address = "unix://" K8SAUTH_API_SOCKET;
	if (!address) {
		address = "https://127.0.0.1:8200";
		client->default_address = true;
	}
	if (starts_with(address, "unix://")) {
		client->socket_path = strdup(address + strlen("unix://"));
		address = "http://localhost";
	} else if (!starts_with(address, "http://") && !starts_with(address, "https://")) {
		fprintf(
		    stderr, "Error: %s is not an address: it must start with http://, https:// or unix://\n", address);
		return CLI_LOCAL;
	}
	len = strlen(address);
	while (len > 0 && address[len - 1] == '/')
		len--;
	client->address = strndup(address, len);
	return CLI_OK;
}

int client_set_token(struct client *client, const char *text)
{
	size_t len = strcspn(text, " \t\r\n");

	secret_free(TAKE_PTR(client->token));
	if (len == 0)
		return 0;
	client->token = secret_copy(text, len);
	return client->token ? 0 : -ENOMEM;
}

static int find_token(struct client *client)
{
	AUTO_FREE char *path = NULL;
	AUTO_BUF struct buf text = { 0 };
	const char *token = env("VAULT_TOKEN"), *home = env("HOME");
	int r;

	if (token)
		return client_set_token(client, token) == 0 ? CLI_OK : CLI_LOCAL;
	if (!home || asprintf(&path, "%s/%s", home, TOKEN_FILE) < 0) {
		path = NULL;
		return CLI_OK;
	}
	r = cli_read_text(path, &text);
	if (r == -ENOENT)
		return CLI_OK;
	if (r < 0) {
		fprintf(stderr, "Error reading the token file %s: %s\n", path, strerror(-r));
		return CLI_LOCAL;
	}
	return client_set_token(client, text.data) == 0 ? CLI_OK : CLI_LOCAL;
}

int client_new(const struct cli *cli, struct client **ret)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return CLI_LOCAL;
	client->body = (struct buf)BUF_MAX(REPLY_MAX);
	client->ca_cert = cli->ca_cert ? cli->ca_cert : env("VAULT_CACERT");
	client->curl = curl_easy_init();
	if (!client->curl || set_address(client, cli->address) != CLI_OK || find_token(client) != CLI_OK) {
		client_free(client);
		return CLI_LOCAL;
	}
	*ret = client;
	return CLI_OK;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	secret_free(client->token);
	buf_free(&client->body);
	free(client->address);
	free(client->socket_path);
	free(client);
}

void reply_free(struct reply *reply)
{
	json_decref(reply->json);
	free(reply->url);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	return buf_add(arg, data, size * n) < 0 ? 0 : size * n;
}

/* Percent-encodes everything in PATH but unreserved characters and slashes. */
static void add_path(struct buf *url, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~/", c))
			buf_add_char(url, (char)c);
		else
			buf_printf(url, "%%%02X", c);
	}
}

static struct curl_slist *make_headers(const struct client *client, bool has_body)
{
	struct curl_slist *headers = curl_slist_append(NULL, "X-Vault-Request: true");
	AUTO_BUF struct buf token = { 0 };

	if (has_body)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	if (client->token) {
		buf_add_str(&token, "X-Vault-Token: ");
		buf_add(&token, secret_reveal(client->token), secret_len(client->token));
		headers = curl_slist_append(headers, token.data);
	}
	return headers;
}

static void set_options(struct client *client, const char *method, const char *url, const char *body, char *error)
{
	CURL *curl = client->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TOTAL_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &client->body);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (client->socket_path) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	}
	if (client->ca_cert)
		curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_cert);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	}
}

/* Reads what came back into RET. */
static int take_reply(struct client *client, const char *method, const char *url, const char *prefix, struct reply *ret)
{
	json_error_t why;

	*ret = (struct reply){ .method = method, .url = strdup(url), .with_token = client->token != NULL };
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	if (client->body.len == 0)
		return CLI_OK;
	ret->json = json_loadb(client->body.data, client->body.len, JSON_DECODE_ANY, &why);
	if (ret->json || ret->status >= 400)
		return CLI_OK;
	fprintf(stderr, "%s: the reply of %s is not JSON: %s\n", prefix, url, why.text);
	reply_free(ret);
	return CLI_SERVER;
}

/* Why there is no reply, and what to do where that is not plain. */
static void print_no_reply(
    const struct client *client, const char *method, const char *url, CURLcode code, const char *error)
{
	long os_error = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_error);
	if (client->socket_path && code == CURLE_COULDNT_CONNECT)
		error = os_error ? strerror((int)os_error) : "cannot connect";
	fprintf(stderr, "%s \"%s%s\": %s\n", method, client->socket_path ? "unix://" : "",
	    client->socket_path ? client->socket_path : url, *error ? error : curl_easy_strerror(code));
	if (client->socket_path && code == CURLE_COULDNT_CONNECT)
		fprintf(stderr, "Is k8sauthd running? systemctl status k8sauthd.service k8sauth-api.socket\n");
	else if (client->default_address)
		fprintf(stderr, "VAULT_ADDR is not set, and there is no " K8SAUTH_API_SOCKET " on this machine.\n");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		fprintf(stderr, "Name the CA of the server's certificate: VAULT_CACERT or -ca-cert.\n");
	else if (code == CURLE_SSL_CONNECT_ERROR && strstr(error, "wrong version number"))
		fprintf(stderr, "Does the server speak plain HTTP? Then VAULT_ADDR must start with http://.\n");
}

int client_send(struct client *client, const char *method, const char *path, const char *query, const json_t *body,
    const char *prefix, struct reply *ret)
{
	char error[CURL_ERROR_SIZE] = "";
	AUTO_BUF struct buf url = { 0 };
	struct curl_slist *headers;
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	CURLcode code;

	buf_printf(&url, "%s/v1/", client->address);
	path += strspn(path, "/");
	add_path(&url, path);
	if (query)
		buf_printf(&url, "?%s", query);
	headers = make_headers(client, body != NULL);
	if (url.failed || !headers || (body && !text)) {
		fprintf(stderr, "%s: out of memory\n", prefix);
		curl_slist_free_all(headers);
		wipe_free(text);
		return CLI_SERVER;
	}
	buf_free(&client->body);
	set_options(client, method, url.data, text, error);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(client->curl);
	curl_slist_free_all(headers);
	wipe_free(text);
	if (code != CURLE_OK) {
		fprintf(stderr, "%s: ", prefix);
		print_no_reply(client, method, url.data, code, error);
		return CLI_SERVER;
	}
	return take_reply(client, method, url.data, prefix, ret);
}

bool reply_good(const struct reply *reply)
{
	return reply->status >= 200 && reply->status < 300;
}

bool reply_is_nothing(const struct reply *reply)
{
	/* A deleted version is a 404 with data; an unknown path, one with warnings. */
	return reply->status == 404 && !json_is_object(json_object_get(reply->json, "data")) &&
	       json_array_size(json_object_get(reply->json, "warnings")) == 0;
}

int reply_error(const struct reply *reply, const char *prefix)
{
	const json_t *errors = json_object_get(reply->json, "errors");
	const json_t *error;
	bool sealed = false, unknown = false;
	size_t i;

	if (prefix)
		fprintf(stderr, "%s: ", prefix);
	fprintf(
	    stderr, "Error making API request.\n\nURL: %s %s\nCode: %ld.", reply->method, reply->url, reply->status);
	if (json_array_size(errors) > 0)
		fprintf(stderr, " Errors:\n\n");
	else
		fprintf(stderr, "\n");
	json_array_foreach(errors, i, error)
	{
		const char *text = json_string_value(error) ? json_string_value(error) : "?";

		fprintf(stderr, "* %s\n", text);
		sealed = sealed || streq(text, "Vault is sealed");
		unknown = unknown || strstr(text, "invalid token");
	}
	if (sealed)
		fprintf(stderr, "\nSee `k8sauth status`. A new store needs `k8sauth operator init`, once, by root.\n");
	else if (reply->status == 403 && !reply->with_token)
		fprintf(stderr, "\nNo token was sent: set VAULT_TOKEN, or write it to ~/.vault-token.\n");
	else if (unknown)
		fprintf(stderr, "\nThe token has expired, was revoked, or is another server's.\n");
	return CLI_SERVER;
}
