/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as Vault's clients look at it (sys/config/state/sanitized). */
#include "daemon/config.h"

#include "base/log.h"
#include "daemon/http_parse.h"

#define SYSTEM_LEASE_TTL 2764800 /* 768h */

static json_t *frame(const char *log_level, size_t max_body, const char *seal, json_t *storage, json_t *listeners)
{
	return json_pack("{s:s, s:s, s:i, s:b, s:o?, s:s, s:i, s:I, s:b, s:[{s:b, s:s, s:s}], s:o?}", "api_addr", "",
	    "cluster_name", "", "default_lease_ttl", SYSTEM_LEASE_TTL, "enable_ui", 0, "listeners", listeners, "log_level",
	    log_level, "max_lease_ttl", SYSTEM_LEASE_TTL, "max_request_size", (json_int_t)max_body,
	    "raw_storage_endpoint", 0, "seals", "disabled", 0, "name", seal, "type", seal, "storage", storage);
}

static json_t *listener_show(const struct listener_config *listener)
{
	json_t *config = json_pack("{s:s, s:s, s:s, s:s, s:b, s:{s:b}}", "address", listener->address, "tls_cert_file",
	    listener->tls_cert_file, "tls_key_file", listener->tls_key_file, "tls_min_version",
	    listener->tls13 ? "tls13" : "tls12", "tls_require_and_verify_client_cert", listener->tls_require_client,
	    "telemetry", "unauthenticated_metrics_access", listener->open_metrics);

	if (config && listener->tls_client_ca_file)
		json_object_set_new(config, "tls_client_ca_file", json_string(listener->tls_client_ca_file));
	return json_pack("{s:o?, s:s}", "config", config, "type", "tcp");
}

json_t *config_show(const struct daemon_config *config)
{
	static const char *const levels[] = { "error", "warning", "notice", "info", "debug" };
	json_t *listeners = json_array();

	for (size_t i = 0; i < config->n_listeners; i++)
		json_array_append_new(listeners, listener_show(&config->listeners[i]));
	return frame(levels[config->log_level - LOG_ERR], config->max_body, config->seal.kind->type,
	    json_pack("{s:s, s:s}", "path", config->store_path, "type", "sqlite"), listeners);
}

json_t *config_show_dev(const char *address)
{
	return frame("info", HTTP_BODY_MAX, "shamir", json_pack("{s:s}", "type", "inmem"),
	    json_pack("[{s:{s:s, s:b}, s:s}]", "config", "address", address, "tls_disable", 1, "type", "tcp"));
}
