/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of k8sauth.hcl: reading it safely, defaults, freeing. */
#include "daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include <k8sauth/limits.h>

#include "base/safe_open.h"
#include "base/text.h"
#include "daemon/config_read.h"
#include "daemon/http_parse.h"

#define DEFAULT_SEAL	"systemd-credential" /* a single machine opens its store by itself */
#define SERVER_SEAL	"shamir"	     /* a server starts as Vault does */
#define EXPORT_INTERVAL 300 /* seconds, as Vault Agent's static_secret_render_interval */

bool config_host_valid(const char *host)
{
	size_t len = strlen(host);

	return len > 0 && len <= 63 && *host != '-' && *host != '.' && host[len - 1] != '.' && !strstr(host, "..") &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

/* The short host name in lower case. */
static char *default_host(void)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		return NULL;
	name[strcspn(name, ".")] = '\0';
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return config_host_valid(name) ? strdup(name) : NULL;
}

/* A session on this machine reaches a listener on every address by the host's name, so that its certificate fits. */
static char *default_vault_addr(const struct daemon_config *config)
{
	const char *address, *port;
	char *text;

	if (config->n_listeners == 0)
		return strdup("unix://" K8SAUTH_API_SOCKET);
	address = config->listeners[0].address;
	port = strrchr(address, ':');
	if (starts_with(address, "0.0.0.0:") || starts_with(address, "[::]:") || *address == ':')
		return asprintf(&text, "https://%s%s", config->session.host, port) < 0 ? NULL : text;
	return asprintf(&text, "https://%s", address) < 0 ? NULL : text;
}

/* VALUE where *MEMBER is not set. False without memory. */
static bool set_default(char **member, const char *value)
{
	if (!*member)
		*member = strdup(value);
	return *member != NULL;
}

static int set_defaults(struct config_reader *reader)
{
	struct daemon_config *config = reader->config;

	if (!config->session.host)
		config->session.host = default_host();
	if (!config->session.host)
		return config_fail(
		    reader, 0, "the host name of this machine cannot stand in policy paths: set host = \"NAME\"");
	if (!config->session.vault_addr)
		config->session.vault_addr = default_vault_addr(config);
	if (!config->seal.kind && config->old_seal.kind)
		return config_fail(reader, reader->old_seal_line,
		    "this seal is disabled: another block says what takes its place (seal \"shamir\" { } for key shares)");
	if (config->old_seal.kind && config->old_seal.kind == config->seal.kind)
		return config_fail(reader, reader->old_seal_line,
		    "a store moves from one type of seal to another, and both blocks are of one");
	if (!config->seal.kind)
		config->seal.kind = seal_settings_of(config->mode == MODE_SERVER ? SERVER_SEAL : DEFAULT_SEAL);
	return config->session.vault_addr && set_default(&config->store_path, K8SAUTH_STATE_DIR "/store.db") ? 0
													     : -ENOMEM;
}

/* What a server cannot do without, and what it has no use for: a line that does nothing is refused. */
static int check_server(struct config_reader *reader)
{
	const struct session_config *session = &reader->config->session;

	if (reader->config->mode != MODE_SERVER)
		return 0;
	if (session->n_clusters > 0 || session->n_services > 0 || session->n_consumers > 0 || session->n_exports > 0)
		return config_fail(reader, 0,
		    "mode \"server\" has no logins through PAM: take the %s blocks out, or use mode \"both\"",
		    session->n_clusters > 0    ? "cluster"
		    : session->n_services > 0  ? "service"
		    : session->n_consumers > 0 ? "consumer"
					       : "export");
	if (reader->config->n_listeners == 0)
		return config_fail(reader, 0, "mode \"server\" needs a listener \"tcp\" { }: it serves the network");
	return 0;
}

static int read_file(struct config_reader *reader, const char *text, size_t len)
{
	AUTO_HCL struct hcl_value *top = NULL;
	struct hcl_error error = { 0 };
	int r, all = 0;

	/* HCL1's JSON may end early: half a file must not pass for a whole one. */
	if (text[strspn(text, " \t\r\n")] == '{')
		return config_fail(reader, 1, "write HCL, not JSON");
	r = hcl_parse(text, len, &top, &error);
	if (r == -EINVAL)
		return config_fail(reader, error.line, "%s", error.text);
	/* All faults are told: a file that was made for Vault has several. */
	for (size_t i = 0; r == 0 && i < top->object.n; i++) {
		r = config_read_item(reader, &top->object.items[i]);
		if (r == -EINVAL) {
			all = r;
			r = 0;
		}
	}
	r = r < 0 ? r : all;
	if (r == 0)
		r = check_server(reader);
	return r < 0 ? r : set_defaults(reader);
}

int config_parse(const char *text, size_t len, const char *path, struct daemon_config **ret, char *why, size_t why_size)
{
	struct config_reader reader = { .path = path, .why = why, .why_size = why_size };
	int r;

	*why = '\0';
	reader.config = calloc(1, sizeof(*reader.config));
	if (!reader.config) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	reader.config->max_body = HTTP_BODY_MAX;
	reader.config->log_level = LOG_INFO;
	reader.config->session.export_interval = EXPORT_INTERVAL;
	r = read_file(&reader, text, len);
	if (r == -ENOMEM)
		snprintf(why, why_size, "%s: out of memory", path);
	if (r < 0) {
		config_free(reader.config);
		return r;
	}
	*ret = reader.config;
	return 0;
}

int config_load(const char *path, struct daemon_config **ret, char *why, size_t why_size)
{
	AUTO_BUF struct buf text = { 0 };
	int r = safe_read(path, 0, CONFIG_SIZE_MAX, &text, why, why_size);

	return r < 0 ? r : config_parse(text.data, text.len, path, ret, why, why_size);
}

static void free_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static void free_session(struct session_config *session)
{
	for (size_t i = 0; i < session->n_clusters; i++) {
		free(session->clusters[i].mount);
		free(session->clusters[i].unix_prefix);
		free(session->clusters[i].audience);
		free_strings(session->clusters[i].api_audiences);
	}
	for (size_t i = 0; i < session->n_services; i++) {
		free(session->services[i].name);
		free_strings(session->services[i].roles);
	}
	for (size_t i = 0; i < session->n_consumers; i++) {
		free(session->consumers[i].service);
		free(session->consumers[i].uid);
		free(session->consumers[i].unit);
		free(session->consumers[i].users);
		free_strings(session->consumers[i].roles);
	}
	for (size_t i = 0; i < session->n_exports; i++) {
		free(session->exports[i].name);
		free(session->exports[i].path);
		free(session->exports[i].field);
		free(session->exports[i].file);
		free(session->exports[i].variable);
		free_strings(session->exports[i].services);
	}
	free(session->clusters);
	free(session->services);
	free(session->consumers);
	free(session->exports);
	free(session->host);
	free(session->vault_addr);
	free(session->vault_cacert);
}

void config_free(struct daemon_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_listeners; i++) {
		free(config->listeners[i].where);
		free(config->listeners[i].address);
		free(config->listeners[i].tls_cert_file);
		free(config->listeners[i].tls_key_file);
		free(config->listeners[i].tls_client_ca_file);
	}
	free(config->listeners);
	free(config->store_path);
	for (size_t i = 0; i < SEAL_SETTINGS_MAX; i++) {
		free(config->seal.values[i]);
		free(config->old_seal.values[i]);
	}
	free_session(&config->session);
	free(config);
}
