/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server is and how to talk to it: flags first, then the environment. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include <k8sauth/limits.h>

#include "base/safe_open.h"
#include "base/text.h"
#include "cli/client.h"

#define PEM_MAX    (1024 * 1024)
#define TIMEOUT_MS 60000L /* vault's own limit */

const char *env_text(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static const char *setting(const struct cli *cli, enum flag_id id, const char *variable)
{
	const char *text = flag_text(cli, id);

	return text && *text ? text : env_text(variable);
}

static int env_bool(const struct cli *cli, const char *name, bool *ret)
{
	const char *text = env_text(name);

	if (!text)
		return CLI_OK;
	if (strlen(text) <= 5 && strchr("1tT", *text))
		*ret = true;
	else if (!strchr("0fF", *text))
		return ui_fail(cli, CLI_SERVER, "failed to read environment: could not parse %s", name);
	return CLI_OK;
}

static int set_address(struct cli *cli, struct client *client)
{
	const char *address = setting(cli, FLAG_ADDRESS, "VAULT_ADDR");
	const char *agent = setting(cli, FLAG_AGENT_ADDRESS, "VAULT_AGENT_ADDR");
	size_t len;

	if (agent)
		address = agent;
	/* A session's VAULT_ADDR is where its secrets are. */
	if (address && cli->verb->takes & TAKES_LOCAL && !flag_given(cli, FLAG_ADDRESS) &&
	    !flag_given(cli, FLAG_AGENT_ADDRESS) && !starts_with(address, "unix://"))
		address = NULL;
	if (!address && access(K8SAUTH_API_SOCKET, F_OK) == 0)
		address = "unix://" K8SAUTH_API_SOCKET;
	if (!address) {
		address = "https://127.0.0.1:8200";
		client->default_address = true;
	}
	if (starts_with(address, "unix://")) {
		client->socket_path = strdup(address + strlen("unix://"));
		address = "http://localhost";
	} else if (!strstr(address, "://") && memchr(address, ':', strcspn(address, "/"))) {
		return ui_fail(
		    cli, CLI_SERVER, "parse \"%s\": first path segment in URL cannot contain colon", address);
	}
	len = strlen(address);
	while (len > 0 && address[len - 1] == '/')
		len--;
	client->address = strndup(address, len);
	return client->address ? CLI_OK : CLI_SERVER;
}

static int set_limits(struct cli *cli, struct client *client)
{
	const char *timeout = env_text("VAULT_CLIENT_TIMEOUT"), *retries = env_text("VAULT_MAX_RETRIES");
	long long seconds;
	char *end;

	client->timeout_ms = TIMEOUT_MS;
	if (timeout) {
		if (duration_parse(timeout, &seconds) < 0 || seconds < 0 || seconds > LONG_MAX / 1000)
			return ui_fail(
			    cli, CLI_SERVER, "failed to read environment: could not parse \"VAULT_CLIENT_TIMEOUT\"");
		client->timeout_ms = (long)seconds * 1000;
	}
	if (retries) {
		client->retries = strtol(retries, &end, 10);
		if (*end || client->retries < 0 || client->retries > 100)
			return ui_fail(cli, CLI_SERVER,
			    "failed to read environment: strconv.ParseUint: parsing \"%s\": invalid syntax", retries);
	}
	return CLI_OK;
}

static int set_wrapping(struct cli *cli, struct client *client)
{
	const char *text = setting(cli, FLAG_WRAP_TTL, "VAULT_WRAP_TTL");
	char shown[64], error[DURATION_ERROR_SIZE];
	long long ns;

	if (!text)
		return CLI_OK;
	if (duration_parse_ns(text, &ns, error, sizeof(error)) < 0) {
		if (flag_given(cli, FLAG_WRAP_TTL))
			return ui_fail(cli, CLI_LOCAL,
			    "invalid value \"%s\" for flag -wrap-ttl: time: invalid duration \"%s\"", text, text);
		/* VAULT_WRAP_TTL: the server's to refuse, and with the first request. */
		client->bad_wrap_ttl = true;
		ns = -1;
	}
	if (ns == 0)
		return CLI_OK;
	/* What is no number of seconds is the server's to judge: whoever asked for wrapping gets no answer in clear. */
	if (ns > 0 && ns % 1000000000 == 0) {
		duration_format(ns / 1000000000, shown, sizeof(shown));
		text = shown;
	}
	client->wrap_ttl = strdup(text);
	if (!client->wrap_ttl)
		abort();
	return CLI_OK;
}

/* Where a setting of TLS came from, as the vault command says it. */
static const char *tls_from(const struct cli *cli, enum flag_id a, enum flag_id b)
{
	return flag_given(cli, a) || flag_given(cli, b) ? "setup TLS config" : "read environment";
}

/* Whether PATH can be read and has something in PEM form; *RET_ERROR is errno's where it cannot be opened, else 0. */
static bool has_pem(const char *path, int *ret_error)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_BUF struct buf text = { 0 };
	int r = fd < 0 ? -errno : read_all(fd, PEM_MAX, &text);

	*ret_error = r < 0 ? -r : 0;
	return r == 0 && memmem(text.data ? text.data : "", text.len, "-----BEGIN", strlen("-----BEGIN"));
}

/* The reason as Go has it. The caller frees it. */
static char *go_error(int error)
{
	char *why = text_of("%s", strerror(error));

	*why = (char)tolower((unsigned char)*why);
	return why;
}

static int check_client_file(const struct cli *cli, const char *from, const char *path, const char *what)
{
	AUTO_FREE char *why = NULL;
	int error;

	if (has_pem(path, &error))
		return CLI_OK;
	if (!error)
		return ui_fail(cli, CLI_SERVER, "failed to %s: tls: failed to find any PEM data in %s input", from, what);
	why = go_error(error);
	return ui_fail(cli, CLI_SERVER, "failed to %s: open %s: %s", from, path, why);
}

static int check_client_files(const struct cli *cli, const struct client *client)
{
	const char *from = tls_from(cli, FLAG_CLIENT_CERT, FLAG_CLIENT_KEY);
	int r;

	if (!client->client_cert != !client->client_key)
		return ui_fail(
		    cli, CLI_SERVER, "failed to %s: both client cert and client key must be provided", from);
	if (!client->client_cert)
		return CLI_OK;
	r = check_client_file(cli, from, client->client_cert, "certificate");
	return r == CLI_OK ? check_client_file(cli, from, client->client_key, "key") : r;
}

/* Files that cannot be read are told before anything is sent, also where no TLS will come. */
static int check_files(const struct cli *cli, const struct client *client)
{
	const char *from = tls_from(cli, FLAG_CA_CERT, FLAG_CA_PATH);
	int r = check_client_files(cli, client), error;
	AUTO_FREE char *why = NULL;

	if (r != CLI_OK || (!client->ca_cert && !client->ca_path))
		return r;
	if (!client->ca_cert) {
		if (access(client->ca_path, F_OK) == 0)
			return CLI_OK;
		why = go_error(errno);
		return ui_fail(cli, CLI_SERVER, "failed to %s: lstat %s: %s", from, client->ca_path, why);
	}
	if (has_pem(client->ca_cert, &error))
		return CLI_OK;
	if (!error)
		return ui_fail(
		    cli, CLI_SERVER, "failed to %s: Error loading CA File: Couldn't parse PEM in: %s", from, client->ca_cert);
	why = go_error(error);
	return ui_fail(cli, CLI_SERVER, "failed to %s: Error loading CA File: open %s: %s", from, client->ca_cert, why);
}

/* Headers of the protocol are ours to set. */
static int check_headers(const struct cli *cli)
{
	AUTO_VALUE struct value *own = flag_map(cli, FLAG_HEADER);

	for (size_t i = 0; i < value_size(own); i++) {
		if (strncasecmp(own->keys[i], "X-Vault-", strlen("X-Vault-")) == 0)
			return ui_fail(cli, CLI_SERVER,
			    "failed to setup Headers[%s]: Header starting by 'X-Vault-' are for internal usage only",
			    own->keys[i]);
		if (strpbrk(own->keys[i], " :\r\n") || strpbrk(own->items[i]->text, "\r\n"))
			return ui_fail(cli, CLI_SERVER, "failed to setup Headers: not a header: %s", own->keys[i]);
	}
	return CLI_OK;
}

/* A namespace ends in a slash and starts without one; NULL for none. The caller frees it. */
static char *name_space(const char *text)
{
	AUTO_FREE char *copy = text ? text_of("%s", text) : NULL;
	const char *name = copy ? trim_path(copy) : "";

	return *name ? text_of("%s/", name) : NULL;
}

int client_configure(struct cli *cli, struct client *client)
{
	int r;

	client->ca_cert = setting(cli, FLAG_CA_CERT, "VAULT_CACERT");
	client->ca_path = setting(cli, FLAG_CA_PATH, "VAULT_CAPATH");
	client->client_cert = setting(cli, FLAG_CLIENT_CERT, "VAULT_CLIENT_CERT");
	client->client_key = setting(cli, FLAG_CLIENT_KEY, "VAULT_CLIENT_KEY");
	client->server_name = setting(cli, FLAG_TLS_SERVER_NAME, "VAULT_TLS_SERVER_NAME");
	client->name_space = name_space(setting(cli, FLAG_NAMESPACE, "VAULT_NAMESPACE"));
	client->proxy = env_text("VAULT_PROXY_ADDR") ? env_text("VAULT_PROXY_ADDR") : env_text("VAULT_HTTP_PROXY");
	client->policy_override = flag_true(cli, FLAG_POLICY_OVERRIDE);
	r = env_bool(cli, "VAULT_SKIP_VERIFY", &client->skip_verify);
	if (r == CLI_OK)
		r = env_bool(cli, "VAULT_DISABLE_REDIRECTS", &client->no_redirects);
	if (r != CLI_OK)
		return r;
	if (flag_given(cli, FLAG_TLS_SKIP_VERIFY))
		client->skip_verify = flag_true(cli, FLAG_TLS_SKIP_VERIFY);
	if (flag_given(cli, FLAG_DISABLE_REDIRECTS))
		client->no_redirects = flag_true(cli, FLAG_DISABLE_REDIRECTS);
	r = check_files(cli, client);
	if (r == CLI_OK)
		r = check_headers(cli);
	if (r == CLI_OK)
		r = set_address(cli, client);
	if (r == CLI_OK)
		r = set_limits(cli, client);
	return r == CLI_OK ? set_wrapping(cli, client) : r;
}

/* Go writes header names with capitals. */
static void add_header(struct curl_slist **headers, const char *name, const char *value)
{
	AUTO_WIPE_STR char *line = text_of("%s: %s", name, value);
	struct curl_slist *more;
	bool first = true;

	for (char *c = line; *c != ':'; c++) {
		*c = (char)(first ? toupper((unsigned char)*c) : tolower((unsigned char)*c));
		first = *c == '-';
	}
	more = curl_slist_append(*headers, line);
	if (!more)
		abort();
	*headers = more;
}

struct curl_slist *client_headers(const struct cli *cli, const struct client *client, const struct request *request)
{
	const char *wrap_ttl = client->wrap_ttl;
	AUTO_VALUE struct value *own = flag_map(cli, FLAG_HEADER);
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < value_size(own); i++)
		add_header(&headers, own->keys[i], own->items[i]->text);
	if (client->content_type)
		add_header(&headers, "Content-Type", client->content_type);
	if (client->name_space)
		add_header(&headers, "X-Vault-Namespace", client->name_space);
	if (client->policy_override)
		add_header(&headers, "X-Vault-Policy-Override", "true");
	add_header(&headers, "X-Vault-Request", "true");
	if (client->token)
		add_header(&headers, "X-Vault-Token", secret_reveal(client->token));
	/* Wrapping is what this path is for. */
	if (!wrap_ttl && streq(request->path, "sys/wrapping/wrap") && !streq(request->method, "GET"))
		wrap_ttl = "5m";
	if (wrap_ttl && (!cli->asking || client->bad_wrap_ttl))
		add_header(&headers, "X-Vault-Wrap-TTL", wrap_ttl);
	return headers;
}
