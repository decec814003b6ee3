/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client of the command line: libcurl, over TCP, TLS or a unix socket. */
#include "cli/client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include <k8sauth/limits.h>

#include "base/text.h"
#include "cli/secret.h"

#define REPLY_MAX  (64 * 1024 * 1024)
#define CONNECT_MS 30000L /* Go's dialler */
#define FETCH_SILENT_S 600L /* a large store is copied before its first byte comes */

void client_set_token(struct client *client, const char *text)
{
	size_t blanks = strspn(text, " \t\r\n"), len = strcspn(text + blanks, " \t\r\n");

	secret_free(TAKE_PTR(client->token));
	if (len == 0)
		return;
	client->token = secret_copy(text + blanks, len);
	if (!client->token)
		abort();
}

void client_no_wrapping(struct client *client)
{
	free(TAKE_PTR(client->wrap_ttl));
}

bool client_wraps(const struct client *client)
{
	return client->wrap_ttl != NULL;
}

void client_content_type(struct client *client, const char *type)
{
	client->content_type = type;
}

static int find_token(struct cli *cli, struct client *client)
{
	const char *token = env_text("VAULT_TOKEN");
	AUTO_WIPE_STR char *stored = NULL;
	int r;

	if (token) {
		client_set_token(client, token);
		return CLI_OK;
	}
	r = token_file_read(&stored);
	if (r < 0 && r != -ENOENT)
		return ui_fail(cli, CLI_SERVER, "failed to get token from token helper: %s", strerror(-r));
	client_set_token(client, stored ? stored : "");
	return CLI_OK;
}

int client_new(struct cli *cli)
{
	struct client *client = wipe_calloc(1, sizeof(*client));
	int r;

	if (!client)
		abort();
	cli->client = client;
	client->body = (struct buf)BUF_MAX(REPLY_MAX);
	client->sink = -1;
	client->curl = curl_easy_init();
	if (!client->curl)
		abort();
	r = client_configure(cli, client);
	return r == CLI_OK ? find_token(cli, client) : r;
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
	free(client->name_space);
	free(client->wrap_ttl);
	curl_slist_free_all(client->connect_to);
	wipe_free(client);
}

void reply_free(struct reply *reply)
{
	value_free(reply->json);
	wipe_free(reply->raw);
	free(reply->error);
	*reply = (struct reply){ 0 };
}

/* PATH as Go's path.Join leaves it: one slash between parts, no ".", no "..", none at its end. */
static char *clean_path(const char *path)
{
	AUTO_BUF struct buf clean = { 0 };

	buf_add_str(&clean, "");
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (clean.len > 0 && clean.data[--clean.len] != '/') {
			}
			clean.data[clean.len] = '\0';
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			if (clean.len > 0)
				buf_add_char(&clean, '/');
			buf_add(&clean, path, len);
		}
		path += len + (path[len] == '/');
	}
	return buf_take(&clean);
}

/* Percent-encodes PATH as Go's net/url does. */
static void add_path(struct buf *url, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (isalnum(c) || strchr("-._~/$&+,:;=@", c))
			buf_add_char(url, (char)c);
		else
			buf_printf(url, "%%%02X", c);
	}
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct client *client = arg;
	size_t len = size * n, done = 0;
	long status = 0;

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (client->sink < 0 || status != 200)
		return buf_add(&client->body, data, len) < 0 ? 0 : len;
	while (done < len) {
		ssize_t written = write(client->sink, data + done, len - done);

		if (written < 0 && errno != EINTR)
			return 0;
		done += written > 0 ? (size_t)written : 0;
	}
	return len;
}

/* Go's errors begin with the method as a word. */
static const char *method_word(const char *method)
{
	static const char *const words[] = { "Get", "Put", "Post", "Patch", "Delete" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i], method) == 0)
			return words[i];
	}
	return method;
}

/* What is wrong with a request before it is sent, as a text that the caller frees; NULL for nothing. */
static char *cannot_send(const struct client *client, const struct request *request)
{
	const char *scheme = strstr(request->url, "://");

	for (size_t i = 0; client->token && i < secret_len(client->token); i++) {
		if (secret_reveal(client->token)[i] < 0x20 || secret_reveal(client->token)[i] == 0x7f)
			return text_of("configured Vault token contains non-printable characters and cannot be used");
	}
	if (starts_with(request->url, "http://") || starts_with(request->url, "https://"))
		return NULL;
	return text_of("%s \"%s\": unsupported protocol scheme \"%.*s\"", method_word(request->method), request->url,
	    scheme ? (int)(scheme - request->url) : 0, request->url);
}

/* "127.0.0.1:8200" of "http://127.0.0.1:8200/v1/x". */
static char *host_and_port(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	int len = (int)strcspn(host, "/?");
	bool port = memchr(host, ':', (size_t)len) && host[len - 1] != ']';

	return text_of("%.*s%s", len, host, port ? "" : starts_with(url, "https") ? ":443" : ":80");
}

/* A server name of its own: the URL asks for it, the connection goes to the address. */
static void set_server_name(struct client *client, const char *url)
{
	AUTO_FREE char *host = host_and_port(url);
	AUTO_FREE char *to = text_of("::%s", host);
	const char *rest = strstr(url, "://") + 3;
	AUTO_FREE char *named = text_of(
	    "https://%s%s%s", client->server_name, strrchr(host, ':'), rest + strcspn(rest, "/?"));

	curl_slist_free_all(client->connect_to);
	client->connect_to = curl_slist_append(NULL, to);
	curl_easy_setopt(client->curl, CURLOPT_URL, named);
	curl_easy_setopt(client->curl, CURLOPT_CONNECT_TO, client->connect_to);
}

static void set_tls(struct client *client, const char *url)
{
	CURL *curl = client->curl;

	if (client->server_name && starts_with(url, "https://"))
		set_server_name(client, url);

	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (client->ca_cert)
		curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_cert);
	if (client->ca_path) {
		curl_easy_setopt(curl, CURLOPT_CAPATH, client->ca_path);
		if (!client->ca_cert)
			curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	}
	if (client->client_cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, client->client_cert);
	if (client->client_key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, client->client_key);
	if (client->skip_verify) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_options(struct client *client, const struct request *request, char *error)
{
	CURL *curl = client->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	if (client->sink < 0) {
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, client->timeout_ms);
	} else { /* as long as something comes */
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, FETCH_SILENT_S);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	if (client->socket_path) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	} else if (client->proxy) {
		curl_easy_setopt(curl, CURLOPT_PROXY, client->proxy);
	}
	set_tls(client, request->url);
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
	}
}

/* What Go's net says about a connection that could not be made. */
static char *connect_error(const struct client *client, const char *url, const char *otherwise)
{
	AUTO_FREE char *host = host_and_port(url);
	AUTO_FREE char *why = NULL;
	long code = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &code);
	why = strdup(code ? strerror((int)code) : otherwise);
	if (!why)
		abort();
	*why = (char)tolower((unsigned char)*why);
	if (client->socket_path)
		return text_of("dial unix %s: connect: %s", client->socket_path, why);
	return text_of("dial tcp %s: connect: %s", host, why);
}

/* Why there is no reply, in Go's words where they are known, and what to do where that is not plain. */
static char *no_reply(const struct client *client, const struct request *request, CURLcode code, const char *error)
{
	AUTO_FREE char *why = NULL;
	AUTO_FREE char *host = host_and_port(request->url);
	const char *hint = "";

	if (code == CURLE_COULDNT_CONNECT)
		why = connect_error(client, request->url, *error ? error : curl_easy_strerror(code));
	else if (code == CURLE_COULDNT_RESOLVE_HOST)
		why = text_of("dial tcp: lookup %.*s: no such host", (int)strcspn(host, ":"), host);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		why = text_of("context deadline exceeded");
	else if (code == CURLE_SSL_CONNECT_ERROR && strstr(error, "wrong version number"))
		why = text_of("http: server gave HTTP response to HTTPS client");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		why = text_of("tls: failed to verify certificate: %s", error);
	else if (code == CURLE_GOT_NOTHING)
		why = text_of("EOF");
	else
		why = strdup(*error ? error : curl_easy_strerror(code));
	if (client->socket_path && streq(client->socket_path, K8SAUTH_API_SOCKET) && code == CURLE_COULDNT_CONNECT)
		hint = "\nIs k8sauthd running? systemctl status k8sauthd.service k8sauth-api.socket";
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		hint = "\nName the CA of the server's certificate: VAULT_CACERT or -ca-cert.";
	return text_of("%s \"%s\": %s%s", method_word(request->method), request->url, why, hint);
}

/* The text of a reply that is an error, as the vault library makes it. */
static char *api_error(const struct client *client, const struct request *request, const struct reply *reply)
{
	const struct value *errors = value_get(reply->json, "errors");
	AUTO_BUF struct buf text = { 0 };
	bool raw = !value_is(reply->json, VALUE_MAP) ||
		   (errors && errors->type != VALUE_LIST && errors->type != VALUE_NULL);

	for (size_t i = 0; i < value_size(errors); i++)
		raw |= errors->items[i]->type != VALUE_STRING;
	buf_add_str(&text, "Error making API request.\n\n");
	if (client->name_space && !streq(client->name_space, "root/"))
		buf_printf(&text, "Namespace: %s\n", client->name_space);
	buf_printf(&text, "URL: %s %s\nCode: %ld. %s:\n\n", request->method, request->url, reply->status,
	    raw ? "Raw Message" : "Errors");
	if (raw)
		buf_add(&text, reply->raw, reply->raw_len);
	for (size_t i = 0; !raw && i < value_size(errors); i++)
		buf_printf(&text, "* %s", errors->items[i]->text);
	return buf_take(&text);
}

/* 429, 472 and 473 are what a healthy standby says. */
static bool is_good(const struct request *request, long status)
{
	return (status >= 200 && status < 400) ||
	       ((status == 429 || status == 472 || status == 473) && streq(request->path, "sys/health"));
}

static int take_reply(struct client *client, const struct request *request, struct reply *ret)
{
	char why[256] = "";

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	ret->raw_len = client->body.len;
	ret->raw = buf_take(&client->body);
	client->body = (struct buf)BUF_MAX(REPLY_MAX);
	if (!ret->raw)
		abort();
	if (ret->raw_len > 0)
		ret->json = value_parse(ret->raw, ret->raw_len, why, sizeof(why));
	if (!is_good(request, ret->status)) {
		ret->error = api_error(client, request, ret);
		return -1;
	}
	return 0;
}

/* One try, after a redirect as well. The library's verdict. */
static CURLcode perform(struct cli *cli, struct client *client, struct request *request, char *error)
{
	struct curl_slist *headers = client_headers(cli, client, request);
	char *location = NULL;
	long status = 0;
	CURLcode code;

	headers = curl_slist_append(headers, "Expect:");
	if (!client->content_type)
		headers = curl_slist_append(headers, "Content-Type:");
	for (int turn = 0; turn < 2; turn++) {
		buf_free(&client->body);
		set_options(client, request, error);
		curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
		code = curl_easy_perform(client->curl);
		curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
		if (code != CURLE_OK || client->no_redirects || (status != 301 && status != 302 && status != 307))
			break;
		curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_URL, &location);
		/* A token never goes from TLS to plain text. */
		if (!location || (starts_with(request->url, "https://") && !starts_with(location, "https://")))
			break;
		location = strdup(location);
		free(request->url);
		request->url = location;
	}
	curl_slist_free_all(headers);
	return code;
}

static int send_request(struct cli *cli, struct request *request, struct reply *ret)
{
	struct client *client = cli->client;
	char error[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OK;

	ret->error = cannot_send(client, request);
	if (ret->error)
		return -1;
	if (dry_run(cli, client, request)) {
		ret->error = text_of("printed");
		return -1;
	}
	for (long turn = 0;; turn++) {
		long status = 0;

		code = perform(cli, client, request, error);
		curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
		if (turn >= client->retries || (code == CURLE_OK && (status < 500 || status == 501) && status != 412))
			break;
		sleep(1);
	}
	if (code == CURLE_OK)
		return take_reply(client, request, ret);
	ret->error = no_reply(client, request, code, error);
	return -1;
}

int client_send(struct cli *cli, const char *method, const char *path, const char *query, const struct value *body,
    struct reply *ret)
{
	AUTO_FREE char *clean = clean_path(path);
	struct request request = { .method = method, .path = clean, .query = query };
	AUTO_BUF struct buf url = { 0 };
	int r;

	*ret = (struct reply){ 0 };
	if (!clean)
		abort();
	buf_printf(&url, "%s/v1%s", cli->client->address, *clean ? "/" : "");
	add_path(&url, clean);
	if (query && *query)
		buf_printf(&url, "?%s", query);
	request.url = buf_take(&url);
	request.body = body ? value_json(body, false) : NULL;
	if (!request.url)
		abort();
	r = send_request(cli, &request, ret);
	wipe_free(request.body);
	free(request.url);
	return r;
}

int client_fetch(struct cli *cli, const char *path, int fd, struct reply *ret)
{
	long retries = cli->client->retries;
	int r;

	/* A second answer would be appended to the first one's start. */
	cli->client->retries = 0;
	cli->client->sink = fd;
	r = client_send(cli, "GET", path, NULL, NULL, ret);
	cli->client->sink = -1;
	cli->client->retries = retries;
	return r;
}

int client_secret(struct cli *cli, const char *method, const char *path, const char *query, const struct value *body,
    struct reply *ret)
{
	int r = client_send(cli, method, path, query, body, ret);
	bool has_more;

	if (ret->json && !value_is(ret->json, VALUE_MAP))
		value_free(TAKE_PTR(ret->json));
	/* What is no secret is data as a whole: sys/health and such. */
	if (r == 0 && ret->json && !secret_like(ret->json) && ret->json->n > 0 && !value_get(ret->json, "errors")) {
		struct value *data = ret->json;

		ret->json = value_new(VALUE_MAP);
		value_set(ret->json, "data", data);
	}
	if (ret->status != 404)
		return r;
	has_more = value_size(value_get(ret->json, "data")) > 0 || value_size(value_get(ret->json, "warnings")) > 0;
	if (!has_more)
		value_free(TAKE_PTR(ret->json));
	/* A read that finds nothing is none; a write is an error. */
	if (streq(method, "GET")) {
		free(TAKE_PTR(ret->error));
		return 0;
	}
	return r;
}
