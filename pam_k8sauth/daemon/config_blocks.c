/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and keys of k8sauth.hcl; every fault is refused with its line. */
#include "daemon/config_read.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include "accounts/names.h"
#include "base/text.h"

#define BODY_MIN 1024LL
#define BODY_MAX (32LL * 1024 * 1024)

/* Seconds: what a small backend can bear of a few hundred sessions, and what nobody would wait longer for. */

int config_check_label(struct config_reader *reader, const struct hcl_item *item, const char **ret)
{
	if (!item->block || item->n_keys != 2 || !config_plain_text(item->keys[1]))
		return config_fail(reader, item->line, "write %s \"NAME\" { }", item->keys[0]);
	*ret = item->keys[1];
	return 0;
}

/* Makes room for one more record of SIZE bytes, zeroed. */
static void *grow(void *array, size_t *n, size_t size)
{
	char *fresh = reallocarray(*(void **)array, *n + 1, size);

	if (!fresh)
		return NULL;
	*(void **)array = fresh;
	memset(fresh + *n * size, 0, size);
	return fresh + (*n)++ * size;
}

static int stands_twice(struct config_reader *reader, const struct hcl_item *item)
{
	return config_fail(reader, item->line, "%s \"%s\" stands twice", item->keys[0], item->keys[1]);
}

/* --- storage, seal, listener -------------------------------------------------------------------------------------- */

/* The kind of a block that may stand once: KNOWN is built, LATER (NULL-terminated) is not yet. */
static int check_kind(struct config_reader *reader, const struct hcl_item *item, const char *known,
    const char *const *later, unsigned *line)
{
	const char *kind;

	if (config_check_label(reader, item, &kind) < 0)
		return -EINVAL;
	if (line && *line)
		return config_fail(reader, item->line, "%s stands twice, first at line %u", item->keys[0], *line);
	if (line)
		*line = item->line;
	if (streq(kind, known))
		return 0;
	for (size_t i = 0; later[i]; i++) {
		if (streq(kind, later[i]))
			return config_fail(reader, item->line, "%s \"%s\" is not built yet: use %s \"%s\"",
			    item->keys[0], kind, item->keys[0], known);
	}
	return config_fail(reader, item->line, "%s \"%s\" is not known: use \"%s\"", item->keys[0], kind, known);
}

static int read_storage(struct config_reader *reader, const struct hcl_item *item)
{
	static const char *const later[] = { "raft", "postgresql", "inmem", "file", NULL };
	static const struct config_key keys[] = { { "path", KEY_STRING, offsetof(struct daemon_config, store_path) } };
	int r = check_kind(reader, item, "sqlite", later, &reader->storage_line);

	if (r == 0)
		r = config_read_keys(reader, item, keys, ARRAY_SIZE(keys), reader->config);
	if (r == 0 && reader->config->store_path && *reader->config->store_path != '/')
		return config_fail(reader, item->line, "the path of the storage must be absolute");
	return r;
}

static int read_listener(struct config_reader *reader, const struct hcl_item *item)
{
	static const char *const later[] = { "unix", NULL };
	static const struct config_key telemetry[] = { { "unauthenticated_metrics_access", KEY_BOOL,
	    offsetof(struct listener_config, open_metrics) } };
	static const struct config_key keys[] = {
		{ "address", KEY_STRING, offsetof(struct listener_config, address) },
		{ "tls_cert_file", KEY_STRING, offsetof(struct listener_config, tls_cert_file) },
		{ "tls_key_file", KEY_STRING, offsetof(struct listener_config, tls_key_file) },
		{ "tls_client_ca_file", KEY_STRING, offsetof(struct listener_config, tls_client_ca_file) },
		{ "tls_require_and_verify_client_cert", KEY_BOOL, offsetof(struct listener_config, tls_require_client) },
		{ "tls_min_version", KEY_TLS, offsetof(struct listener_config, tls13) },
		{ "telemetry", KEY_BLOCK, 0, telemetry, ARRAY_SIZE(telemetry) },
		{ "tls_disable", KEY_LATER, 0 },
	};
	struct daemon_config *config = reader->config;
	struct listener_config *listener;
	int r = check_kind(reader, item, "tcp", later, NULL);

	if (r < 0)
		return r;
	listener = grow(&config->listeners, &config->n_listeners, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	r = config_read_keys(reader, item, keys, ARRAY_SIZE(keys), listener);
	if (r < 0)
		return r;
	if (!listener->address || !listener->tls_cert_file || !listener->tls_key_file)
		return config_fail(reader, item->line,
		    "a listener needs address, tls_cert_file and tls_key_file: tokens never cross a network in the "
		    "clear");
	if (!strchr(listener->address, ':'))
		return config_fail(reader, item->line, "address must be HOST:PORT, like \"0.0.0.0:8200\"");
	if (listener->tls_require_client && !listener->tls_client_ca_file)
		return config_fail(reader, item->line,
		    "tls_require_and_verify_client_cert needs tls_client_ca_file: whose certificates clients must have");
	return 0;
}

/* --- cluster, service, consumer, export
 * ------------------------------------------------------------------------------------- */

static int read_cluster(struct config_reader *reader, const struct hcl_item *item)
{
	static const struct config_key keys[] = {
		{ "unix_prefix", KEY_STRING, offsetof(struct cluster_config, unix_prefix) },
		{ "audience", KEY_STRING, offsetof(struct cluster_config, audience) },
		{ "api_audiences", KEY_STRINGS, offsetof(struct cluster_config, api_audiences) },
		{ "allow_no_audience", KEY_BOOL, offsetof(struct cluster_config, allow_no_audience) },
		{ "allow_api_audience", KEY_BOOL, offsetof(struct cluster_config, allow_api_audience) },
		{ "recheck", KEY_TIME, offsetof(struct cluster_config, recheck) },
		{ "raw_tokens", KEY_LATER, 0 },
	};
	struct session_config *session = &reader->config->session;
	struct cluster_config *cluster;
	const char *mount;
	int r = config_check_label(reader, item, &mount);

	if (r < 0)
		return r;
	for (size_t i = 0; i < session->n_clusters; i++) {
		if (streq(session->clusters[i].mount, mount))
			return stands_twice(reader, item);
	}
	if (*mount == '/' || ends_with(mount, "/") ||
	    strspn(mount, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "0123456789-_./") != strlen(mount))
		return config_fail(
		    reader, item->line, "the label of a cluster is the mount under auth/: \"kubernetes\"");
	cluster = grow(&session->clusters, &session->n_clusters, sizeof(*cluster));
	if (!cluster || !(cluster->mount = strdup(mount)))
		return -ENOMEM;
	r = config_read_keys(reader, item, keys, ARRAY_SIZE(keys), cluster);
	if (r == 0 && !cluster->unix_prefix && !(cluster->unix_prefix = strdup("k8s_")))
		return -ENOMEM;
	if (r == 0 && !account_prefix_valid(cluster->unix_prefix))
		return config_fail(reader, item->line,
		    "unix_prefix must be k8s, up to 6 of a-z 0-9, and an underscore: k8s_, k8sprod_");
	if (r == 0 && !cluster->audience && !cluster->allow_no_audience)
		return config_fail(reader, item->line,
		    "a cluster needs an audience of its own, like \"k8sauth:prod\": without one, a token for any other "
		    "service opens a login here (allow_no_audience = true says that this is meant)");
	for (size_t i = 0; r == 0 && i + 1 < session->n_clusters; i++) {
		if (streq(session->clusters[i].unix_prefix, cluster->unix_prefix))
			return config_fail(reader, item->line,
			    "cluster \"%s\" has the unix_prefix %s too: each cluster needs its own, or the same name "
			    "would be two identities",
			    session->clusters[i].mount, cluster->unix_prefix);
	}
	return r;
}

static int read_service(struct config_reader *reader, const struct hcl_item *item)
{
	static const struct config_key keys[] = {
		{ "roles", KEY_STRINGS, offsetof(struct service_config, roles) },
		{ "export_token", KEY_BOOL, offsetof(struct service_config, export_token) },
		{ "keys", KEY_ALLOW, offsetof(struct service_config, keys_allow) },
		{ "on_session_end", KEY_END, offsetof(struct service_config, on_session_end) },
	};
	struct session_config *session = &reader->config->session;
	struct service_config *service;
	const char *name;
	int r = config_check_label(reader, item, &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i < session->n_services; i++) {
		if (streq(session->services[i].name, name))
			return stands_twice(reader, item);
	}
	service = grow(&session->services, &session->n_services, sizeof(*service));
	if (!service || !(service->name = strdup(name)))
		return -ENOMEM;
	return config_read_keys(reader, item, keys, ARRAY_SIZE(keys), service);
}

static int read_consumer(struct config_reader *reader, const struct hcl_item *item)
{
	struct session_config *session = &reader->config->session;
	struct consumer_config *consumer;
	const char *name;
	int r = config_check_label(reader, item, &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i < session->n_consumers; i++) {
		if (streq(session->consumers[i].service, name))
			return stands_twice(reader, item);
	}
	consumer = grow(&session->consumers, &session->n_consumers, sizeof(*consumer));
	if (!consumer || !(consumer->service = strdup(name)))
		return -ENOMEM;
	return config_read_consumer(reader, item, consumer);
}

/* Templates of paths: {namespace} {service_account} {host} {user}. */
static bool templates_known(const char *path)
{
	static const char *const names[] = { "{namespace}", "{service_account}", "{host}", "{user}" };

	for (; *path; path++) {
		size_t i = 0;

		if (*path == '}')
			return false;
		if (*path != '{')
			continue;
		while (i < ARRAY_SIZE(names) && !starts_with(path, names[i]))
			i++;
		if (i == ARRAY_SIZE(names))
			return false;
		path += strlen(names[i]) - 1;
	}
	return true;
}

static bool is_variable(const char *name)
{
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name) && !(*name >= '0' && *name <= '9');
}

static bool is_file_name(const char *name)
{
	return *name != '.' && strlen(name) <= 255 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

static int check_export(struct config_reader *reader, unsigned line, const struct export_config *export)
{
	if (export->policy && (export->path || export->field || export->file || export->variable || export->at_use))
		return config_fail(reader, line,
		    "export \"policy\" takes its paths from the policies of the token: it may have services only");
	if (export->policy)
		return 0;
	if (!export->path || *export->path == '/' || ends_with(export->path, "/"))
		return config_fail(reader, line, "an export needs a path, like \"secret/data/{namespace}/db\"");
	if (!templates_known(export->path))
		return config_fail(
		    reader, line, "path: only {namespace}, {service_account}, {host} and {user} stand for something");
	if (export->file && !is_file_name(export->file))
		return config_fail(reader, line, "file must be a name of letters, digits, '.', '_' and '-'");
	if (export->variable && !is_variable(export->variable))
		return config_fail(reader, line, "variable must be a name of A-Z, 0-9 and '_'");
	if (export->variable && !export->field)
		return config_fail(reader, line, "variable holds one value: say with field which one");
	if (export->variable && export->at_use)
		return config_fail(reader, line,
		    "variable is set at login: with at = \"use\" there is none, `k8sauth get` prints the value");
	return 0;
}

static int read_export(struct config_reader *reader, const struct hcl_item *item)
{
	static const struct config_key keys[] = {
		{ "path", KEY_STRING, offsetof(struct export_config, path) },
		{ "field", KEY_STRING, offsetof(struct export_config, field) },
		{ "file", KEY_STRING, offsetof(struct export_config, file) },
		{ "variable", KEY_STRING, offsetof(struct export_config, variable) },
		{ "services", KEY_STRINGS, offsetof(struct export_config, services) },
		{ "at", KEY_USE, offsetof(struct export_config, at_use) },
	};
	struct session_config *session = &reader->config->session;
	struct export_config *export;
	const char *name;
	int r = config_check_label(reader, item, &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i < session->n_exports; i++) {
		if (streq(session->exports[i].name, name))
			return stands_twice(reader, item);
	}
	export = grow(&session->exports, &session->n_exports, sizeof(*export));
	if (!export || !(export->name = strdup(name)))
		return -ENOMEM;
	export->policy = streq(name, "policy");
	r = config_read_keys(reader, item, keys, ARRAY_SIZE(keys), export);
	return r < 0 ? r : check_export(reader, item->line, export);
}

/* --- the top level ------------------------------------------------------------------------------------------------ */

static int read_mode(struct config_reader *reader, const struct hcl_item *item)
{
	static const char *const modes[] = { "both", "agent", "server", NULL };
	unsigned mode;
	int r = config_take_choice(reader, item, modes, &mode);

	if (r == 0 && mode == MODE_AGENT)
		return config_fail(reader, item->line, "mode \"agent\" is not built yet: use \"both\" or \"server\"");
	if (r == 0)
		reader->config->mode = mode;
	return r;
}

static int read_host(struct config_reader *reader, const struct hcl_item *item)
{
	int r = config_take_string(reader, item, &reader->config->session.host);

	if (r == 0 && !config_host_valid(reader->config->session.host))
		return config_fail(reader, item->line, "host must be of a-z, 0-9, '.' and '-', like \"web-1\"");
	return r;
}

static int read_vault_addr(struct config_reader *reader, const struct hcl_item *item)
{
	const char *address;
	int r = config_take_string(reader, item, &reader->config->session.vault_addr);

	if (r < 0)
		return r;
	address = reader->config->session.vault_addr;
	if (!starts_with(address, "https://") && !starts_with(address, "unix:///"))
		return config_fail(reader, item->line,
		    "vault_addr goes to sessions as VAULT_ADDR: it must start with https:// or unix:///");
	return 0;
}

static int read_vault_cacert(struct config_reader *reader, const struct hcl_item *item)
{
	int r = config_take_string(reader, item, &reader->config->session.vault_cacert);

	if (r == 0 && *reader->config->session.vault_cacert != '/')
		return config_fail(reader, item->line, "vault_cacert must be an absolute path");
	return r;
}

static int read_max_request_size(struct config_reader *reader, const struct hcl_item *item)
{
	if (item->value->type != HCL_INT || item->value->integer < BODY_MIN || item->value->integer > BODY_MAX)
		return config_fail(reader, item->line, "max_request_size must be a number of bytes from %lld to %lld",
		    BODY_MIN, BODY_MAX);
	reader->config->max_body = (size_t)item->value->integer;
	return 0;
}

static int read_export_interval(struct config_reader *reader, const struct hcl_item *item)
{
	return config_take_interval(reader, item, &reader->config->session.export_interval);
}

static int read_log_level(struct config_reader *reader, const struct hcl_item *item)
{
	static const char *const words[] = { "error", "warning", "notice", "info", "debug", NULL };
	unsigned level;
	int r = config_take_choice(reader, item, words, &level);

	if (r == 0)
		reader->config->log_level = (int)level + LOG_ERR;
	return r;
}

static int read_later(struct config_reader *reader, const struct hcl_item *item)
{
	return config_fail(
	    reader, item->line, "%s is not built yet: take this %s out", item->keys[0], item->block ? "block" : "line");
}

int config_read_item(struct config_reader *reader, const struct hcl_item *item)
{
	static const struct {
		const char *name;
		bool block;
		int (*read)(struct config_reader *reader, const struct hcl_item *item);
	} items[] = {
		{ "mode", false, read_mode },
		{ "host", false, read_host },
		{ "vault_addr", false, read_vault_addr },
		{ "vault_cacert", false, read_vault_cacert },
		{ "max_request_size", false, read_max_request_size },
		{ "log_level", false, read_log_level },
		{ "export_interval", false, read_export_interval },
		{ "storage", true, read_storage },
		{ "seal", true, config_read_seal },
		{ "listener", true, read_listener },
		{ "cluster", true, read_cluster },
		{ "service", true, read_service },
		{ "consumer", true, read_consumer },
		{ "export", true, read_export },
		{ "remote", true, read_later },
		{ "audit", true, read_later },
	};

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		if (!streq(items[i].name, item->keys[0]))
			continue;
		if (!items[i].block && (item->block || item->n_keys != 1))
			return config_fail(reader, item->line, "write %s = VALUE", item->keys[0]);
		if (items[i].block && !item->block)
			return config_fail(
			    reader, item->line, "%s is a block: write %s { }", item->keys[0], item->keys[0]);
		return items[i].read(reader, item);
	}
	return config_fail(reader, item->line, "%s is not known", item->keys[0]);
}
