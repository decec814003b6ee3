/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and keys of k8sauth.hcl; every fault is refused with its line. */
#include "daemon/config_read.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <syslog.h>

#include <k8sauth/limits.h>

#include "accounts/names.h"
#include "base/text.h"

#define BODY_MIN 1024LL
#define BODY_MAX (32LL * 1024 * 1024)

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

static int read_storage(struct config_reader *reader, const struct hcl_item *item)
{
	static const struct config_key keys[] = { { "path", KEY_STRING, offsetof(struct daemon_config, store_path) } };
	const char *kind;
	int r;

	if (config_check_label(reader, item, &kind) < 0)
		return -EINVAL;
	if (reader->storage_line)
		return config_fail(reader, item->line, "storage stands twice, first at line %u", reader->storage_line);
	reader->storage_line = item->line;
	if (!streq(kind, "sqlite"))
		return config_fail(reader, item->line,
		    "storage \"%s\" is not known: the store is one file, use storage \"sqlite\" { path = \"" K8SAUTH_STATE_DIR
		    "/store.db\" }",
		    kind);
	r = config_read_keys(reader, item, keys, ARRAY_SIZE(keys), reader->config);
	if (r == 0 && reader->config->store_path && *reader->config->store_path != '/')
		return config_fail(reader, item->line, "the path of the storage must be absolute");
	return r;
}

static int read_listener(struct config_reader *reader, const struct hcl_item *item)
{
	struct daemon_config *config = reader->config;
	struct listener_config *listener;
	const char *kind;

	if (config_check_label(reader, item, &kind) < 0)
		return -EINVAL;
	if (!streq(kind, "tcp"))
		return config_fail(reader, item->line,
		    "listener \"%s\" is not known: use listener \"tcp\"; the socket " K8SAUTH_API_SOCKET
		    " is there without one",
		    kind);
	listener = grow(&config->listeners, &config->n_listeners, sizeof(*listener));
	return listener ? config_read_listener(reader, item, listener) : -ENOMEM;
}

/* --- cluster, service, consumer, export --------------------------------------------------------------------------- */

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
	static const struct {
		const char *word;
		int level;
	} vaults[] = { { "err", LOG_ERR }, { "warn", LOG_WARNING }, { "trace", LOG_DEBUG } };
	const char *text = item->value->type == HCL_STRING ? item->value->string : "";

	for (int i = 0; words[i]; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			reader->config->log_level = LOG_ERR + i;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(vaults); i++) {
		if (strcasecmp(text, vaults[i].word) == 0) {
			reader->config->log_level = vaults[i].level;
			return 0;
		}
	}
	return config_take_choice(reader, item, words, &(unsigned){ 0 });
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
	};
	const char *known[ARRAY_SIZE(items) + 1] = { NULL };

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
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		known[i] = items[i].name;
	return config_unknown(reader, item, "", "", known);
}
