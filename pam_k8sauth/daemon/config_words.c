/* SPDX-License-Identifier: Apache-2.0 */
/* Words of k8sauth.hcl that are not known: what Vault's mean here, and which known word was probably meant. */
#include <stdio.h>

#include "base/text.h"
#include "daemon/config_read.h"

#define TAKE_OUT     "take this line out"
#define NO_CLUSTER   "there is one server and no cluster: take it out"
#define NO_PLUGINS   "there are no plugins: " TAKE_OUT
#define JOURNAL	     "the log goes to the journal (journalctl -u k8sauthd): " TAKE_OUT
#define AUTO_TTL     "768h is the system's, a mount has its own (k8sauth auth tune, secrets tune): " TAKE_OUT
#define FIXED	     "this is fixed here, see k8sauthd(8): " TAKE_OUT
#define NO_PROXY     "headers and protocols of proxies are not believed: " TAKE_OUT
#define TLS_GO	     "OpenSSL's defaults for TLS 1.2 and 1.3 hold: " TAKE_OUT
#define ENTERPRISE   "this is of Vault Enterprise: take it out"

/* What Vault 1.21 has in its configuration and we have not, by the block that it stands in ("": the top of the file). */
static const struct {
	const char *block, *word, *remedy;
} vaults[] = {
	{ "", "ui", "there is no web interface: " TAKE_OUT },
	{ "", "enable_ui", "there is no web interface: " TAKE_OUT },
	{ "", "disable_mlock", "keys are locked in memory as far as systemd's LimitMEMLOCK lets us: " TAKE_OUT },
	{ "", "api_addr", "nobody is sent elsewhere (VAULT_ADDR of sessions is vault_addr): " TAKE_OUT },
	{ "", "cluster_addr", NO_CLUSTER },
	{ "", "cluster_name", NO_CLUSTER },
	{ "", "disable_clustering", NO_CLUSTER },
	{ "", "ha_storage", NO_CLUSTER },
	{ "", "service_registration", NO_CLUSTER },
	{ "", "backend", "write storage \"sqlite\" { }" },
	{ "", "default_lease_ttl", AUTO_TTL },
	{ "", "max_lease_ttl", AUTO_TTL },
	{ "", "telemetry",
	    "sys/metrics needs no setting: take this block out; who may read it without a token is in a telemetry block "
	    "of a listener" },
	{ "", "audit", "devices are enabled at the running server: k8sauth audit enable file file_path=..." },
	{ "", "log_format", JOURNAL },
	{ "", "log_file", JOURNAL },
	{ "", "log_rotate_bytes", JOURNAL },
	{ "", "log_rotate_duration", JOURNAL },
	{ "", "log_rotate_max_files", JOURNAL },
	{ "", "log_requests_level", "k8sauthd -debug logs requests: " TAKE_OUT },
	{ "", "pid_file", "systemd knows the process: " TAKE_OUT },
	{ "", "plugin_directory", NO_PLUGINS },
	{ "", "plugin_tmpdir", NO_PLUGINS },
	{ "", "plugin_file_uid", NO_PLUGINS },
	{ "", "plugin_file_permissions", NO_PLUGINS },
	{ "", "cache_size", FIXED },
	{ "", "disable_cache", FIXED },
	{ "", "default_max_request_duration", FIXED },
	{ "", "raw_storage_endpoint", "there is no sys/raw: " TAKE_OUT },
	{ "", "introspection_endpoint", FIXED },
	{ "", "user_lockout", "there are no user names to lock; quotas limit logins (see k8sauthd(8)): take it out" },
	{ "", "entropy", ENTERPRISE },
	{ "", "license_path", ENTERPRISE },
	{ "", "reporting", ENTERPRISE },
	{ "", "kms_library", ENTERPRISE },
	{ "", "disable_sealwrap", ENTERPRISE },
	{ "", "disable_performance_standby", ENTERPRISE },
	{ "listener", "cluster_address", NO_CLUSTER },
	{ "listener", "max_request_size", "it stands at the top of the file, for all listeners" },
	{ "listener", "max_request_duration", FIXED },
	{ "listener", "max_json_depth", FIXED },
	{ "listener", "max_json_string_value_length", FIXED },
	{ "listener", "http_idle_timeout", FIXED },
	{ "listener", "http_read_timeout", FIXED },
	{ "listener", "http_read_header_timeout", FIXED },
	{ "listener", "http_write_timeout", FIXED },
	{ "listener", "proxy_protocol_behavior", NO_PROXY },
	{ "listener", "proxy_protocol_authorized_addrs", NO_PROXY },
	{ "listener", "x_forwarded_for_authorized_addrs", NO_PROXY },
	{ "listener", "x_forwarded_for_hop_skips", NO_PROXY },
	{ "listener", "x_forwarded_for_reject_not_authorized", NO_PROXY },
	{ "listener", "x_forwarded_for_reject_not_present", NO_PROXY },
	{ "listener", "tls_cipher_suites", TLS_GO },
	{ "listener", "tls_prefer_server_cipher_suites", TLS_GO },
	{ "listener", "tls_max_version", TLS_GO },
	{ "listener", "tls_disable_client_certs",
	    "without tls_client_ca_file nobody is asked for a certificate: " TAKE_OUT },
	{ "listener", "tls_ca_file", "write tls_client_ca_file" },
	{ "listener", "custom_response_headers", FIXED },
	{ "listener", "require_request_header", FIXED },
	{ "listener", "profiling", "there is no sys/pprof: take it out" },
	{ "storage", "node_id", NO_CLUSTER },
	{ "storage", "retry_join", NO_CLUSTER },
	{ "storage", "performance_multiplier", NO_CLUSTER },
	{ "seal", "current_key", "write current_key_file = \"/PATH\": a key does not stand in the configuration" },
	{ "seal", "previous_key", "write previous_key_file = \"/PATH\": a key does not stand in the configuration" },
	{ "seal", "token", "write token_file = \"/PATH\": a token does not stand in the configuration" },
	{ "seal", "tls_ca_cert", "write ca_file" },
	{ "seal", "tls_skip_verify", "name the authority with ca_file" },
	{ "seal", "disable_renewal", "nothing here renews the token (a Vault Agent can): " TAKE_OUT },
};

static const char *remedy_of(const char *block, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(vaults); i++) {
		if (streq(vaults[i].block, block) && streq(vaults[i].word, word))
			return vaults[i].remedy;
	}
	return NULL;
}

/* The one of KNOWN that is a slip of the hand away from WORD; NULL. */
static const char *nearest(const char *word, const char *const *known)
{
	size_t best = strlen(word) < 5 ? 2 : 3;
	const char *near = NULL;

	for (size_t i = 0; known[i]; i++) {
		size_t apart = text_distance(word, known[i]);

		if (apart < best) {
			best = apart;
			near = known[i];
		}
	}
	return near;
}

int config_unknown(struct config_reader *reader, const struct hcl_item *item, const char *block, const char *where,
    const char *const *known)
{
	const char *word = item->keys[0], *remedy = remedy_of(block, word), *near = nearest(word, known);
	char all[256] = "";

	if (remedy)
		return config_fail(reader, item->line, "%s is not known%s: %s", word, where, remedy);
	if (near)
		return config_fail(reader, item->line, "%s is not known%s: did you mean %s?", word, where, near);
	for (size_t i = 0; known[i]; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? ", " : "", known[i]);
	return config_fail(reader, item->line, "%s is not known%s%s%s", word, where,
	    *all ? ": there are " : ", which has no settings", all);
}
