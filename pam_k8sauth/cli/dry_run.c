/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are shown instead of sent: -output-curl-string and -output-policy. */
#include <stdio.h>

#include "base/text.h"
#include "cli/client.h"

/* In single quotes, as one word of a shell whatever is in it. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++)
		printf(*text == '\'' ? "'\"'\"'" : "%c", *text);
	putchar('\'');
}

static void print_option(const char *option, const char *value)
{
	if (!value)
		return;
	printf("%s ", option);
	print_quoted(value);
	putchar(' ');
}

/* In double quotes, as vault prints headers, with what a shell would still read in them escaped. */
static void print_header(const char *header)
{
	printf("-H \"");
	for (; *header; header++)
		printf(strchr("\\\"$`", *header) ? "\\%c" : "%c", *header);
	printf("\" ");
}

/* Bare, as vault prints it, unless a shell would run a part of it. */
static void print_url(const char *url)
{
	if (strpbrk(url, "&;$'()*!#|<>`\\\""))
		print_quoted(url);
	else
		printf("%s", url);
	putchar('\n');
}

/* The token stays where it is: the shell puts it in. */
static void print_curl(const struct cli *cli, const struct client *client, const struct request *request)
{
	struct curl_slist *headers = client_headers(cli, client, request);

	printf("curl ");
	if (client->skip_verify)
		printf("--insecure ");
	if (!streq(request->method, "GET"))
		printf("-X %s ", request->method);
	print_option("--unix-socket", client->socket_path);
	print_option("--cacert", client->ca_cert);
	print_option("--capath", client->ca_path);
	print_option("--cert", client->client_cert);
	print_option("--key", client->client_key);
	for (const struct curl_slist *header = headers; header; header = header->next) {
		if (starts_with(header->data, "X-Vault-Token:"))
			printf("-H \"X-Vault-Token: $(k8sauth print token)\" ");
		else
			print_header(header->data);
	}
	print_option("-d", request->body);
	print_url(request->url);
	curl_slist_free_all(headers);
}

/* Paths that need sudo; a part "*" stands for any one. */
static const char *const sudo_paths[] = { "auth/token/accessors", "auth/token/revoke-orphan", "sys/audit",
	"sys/audit/*", "sys/auth/*", "sys/auth/*/tune", "sys/config/auditing/request-headers",
	"sys/config/auditing/request-headers/*", "sys/config/cors", "sys/config/ui/headers", "sys/config/ui/headers/*",
	"sys/leases", "sys/leases/lookup/", "sys/leases/lookup/*", "sys/leases/revoke-force/*",
	"sys/leases/revoke-prefix/*", "pki/root", "pki/root/sign-self-issued", "sys/plugins/catalog/*/*", "sys/raw",
	"sys/raw/*", "sys/remount", "sys/revoke-force/*", "sys/revoke-prefix/*", "sys/rotate",
	"sys/internal/inspect/router/*", "sys/seal", "sys/step-down" };

static bool path_matches(const char *path, const char *pattern)
{
	for (;;) {
		size_t len = strcspn(path, "/"), parts = strcspn(pattern, "/");
		bool last = !pattern[parts];

		if (parts == 1 && *pattern == '*') {
			if (last)
				return *path;
		} else if (len != parts || strncmp(path, pattern, len) != 0) {
			return false;
		}
		if (last || !path[len])
			return last && !path[len];
		path += len + 1;
		pattern += parts + 1;
	}
}

static void print_policy(const struct request *request)
{
	bool list = request->query && strstr(request->query, "list=true");
	const char *capability = "\"create\", \"update\"";

	if (streq(request->method, "GET"))
		capability = list ? "\"list\"" : "\"read\"";
	else if (streq(request->method, "DELETE"))
		capability = "\"delete\"";
	else if (streq(request->method, "PATCH"))
		capability = "\"patch\"";
	printf("path \"%s\" {\n  capabilities = [%s", request->path, capability);
	for (size_t i = 0; i < ARRAY_SIZE(sudo_paths); i++) {
		if (path_matches(request->path, sudo_paths[i])) {
			printf(", \"sudo\"");
			break;
		}
	}
	printf("]\n}\n");
}

bool dry_run(struct cli *cli, const struct client *client, const struct request *request)
{
	if (cli->asking)
		return false;
	if (cli->quiet)
		return true;
	if (flag_true(cli, FLAG_OUTPUT_CURL_STRING))
		print_curl(cli, client, request);
	else if (flag_true(cli, FLAG_OUTPUT_POLICY))
		print_policy(request);
	else
		return false;
	cli->quiet = true;
	return true;
}
