/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of the command line, as its three files share it. */
#pragma once

#include <curl/curl.h>

#include "base/secret.h"
#include "cli/cli.h"

struct client {
	char *address;	      /* without a trailing slash: "https://127.0.0.1:8200" */
	char *socket_path;    /* unix:// */
	bool default_address; /* neither named nor found */
	const char *ca_cert, *ca_path, *client_cert, *client_key, *server_name, *proxy;
	bool skip_verify, no_redirects, policy_override;
	char *name_space;
	char *wrap_ttl; /* a Go duration; NULL for none */
	bool bad_wrap_ttl; /* it is no duration: the server says so */
	struct secret *token;
	const char *content_type;
	long timeout_ms, retries;
	struct curl_slist *connect_to; /* where another server name is asked for by URL */
	CURL *curl;
	struct buf body;
	int sink; /* of a good reply, instead of BODY; -1 for none */
};

/* The environment variable NAME; NULL where it is empty. */
const char *env_text(const char *name);
/* Reads addresses, TLS, namespace and limits from flags and environment. CLI_OK, or CLI_SERVER after the reason was
 * printed. */
int client_configure(struct cli *cli, struct client *client);
struct request {
	const char *method;
	const char *path; /* cleaned, without v1/ */
	const char *query;
	char *url;  /* the whole, as errors show it */
	char *body; /* NULL for none */
};

/* The headers of a request, "Name: value"; the caller frees the list. */
struct curl_slist *client_headers(const struct cli *cli, const struct client *client, const struct request *request);

/* Prints a request as a curl command or as the policy that it needs, where the flags ask for that. False where not. */
bool dry_run(struct cli *cli, const struct client *client, const struct request *request);
