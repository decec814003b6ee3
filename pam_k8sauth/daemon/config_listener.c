/* SPDX-License-Identifier: Apache-2.0 */
/* The block listener "tcp" { }: an address, and the files of its TLS. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "daemon/config_read.h"

/* "HOST:PORT" with a port that there is; an IPv6 address has brackets. */
static bool is_address(const char *address)
{
	const char *colon = strrchr(address, ':');
	const char *first = strchr(address, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

	if (digits == 0 || digits > 5 || colon[1 + digits] || strtoul(colon + 1, NULL, 10) > UINT16_MAX ||
	    strtoul(colon + 1, NULL, 10) == 0)
		return false;
	return first == colon || (*address == '[' && colon[-1] == ']');
}

static int check_listener(struct config_reader *reader, unsigned line, const struct listener_config *listener)
{
	const struct daemon_config *config = reader->config;

	if (listener->tls_disable)
		return config_fail(reader, line,
		    "tls_disable: tokens never cross a network in the clear; give tls_cert_file and tls_key_file (plain HTTP "
		    "is on the socket of this machine, VAULT_ADDR=unix:///run/k8sauth/api, and with k8sauthd -dev)");
	if (!listener->address || !listener->tls_cert_file || !listener->tls_key_file)
		return config_fail(reader, line,
		    "a listener needs address, tls_cert_file and tls_key_file: tokens never cross a network in the clear");
	if (!is_address(listener->address))
		return config_fail(reader, line, "address must be HOST:PORT, like \"0.0.0.0:8200\" or \"[::]:8200\"");
	for (size_t i = 0; i + 1 < config->n_listeners; i++) {
		if (config->listeners[i].address && streq(config->listeners[i].address, listener->address))
			return config_fail(reader, line, "address %s is that of another listener too", listener->address);
	}
	if (listener->tls_require_client && !listener->tls_client_ca_file)
		return config_fail(reader, line,
		    "tls_require_and_verify_client_cert needs tls_client_ca_file: whose certificates clients must have");
	return 0;
}

int config_read_listener(struct config_reader *reader, const struct hcl_item *block, struct listener_config *listener)
{
	static const struct config_key telemetry[] = { { "unauthenticated_metrics_access", KEY_BOOL,
	    offsetof(struct listener_config, open_metrics) } };
	static const struct config_key keys[] = {
		{ "address", KEY_STRING, offsetof(struct listener_config, address) },
		{ "tls_cert_file", KEY_STRING, offsetof(struct listener_config, tls_cert_file) },
		{ "tls_key_file", KEY_STRING, offsetof(struct listener_config, tls_key_file) },
		{ "tls_client_ca_file", KEY_STRING, offsetof(struct listener_config, tls_client_ca_file) },
		{ "tls_require_and_verify_client_cert", KEY_BOOL, offsetof(struct listener_config, tls_require_client) },
		{ "tls_min_version", KEY_TLS, offsetof(struct listener_config, tls13) },
		{ "tls_disable", KEY_BOOL, offsetof(struct listener_config, tls_disable) },
		{ "telemetry", KEY_BLOCK, 0, telemetry, ARRAY_SIZE(telemetry) },
	};
	int r = config_read_keys(reader, block, keys, ARRAY_SIZE(keys), listener);

	if (r == 0 && asprintf(&listener->where, "%s:%u", reader->path, block->line) < 0) {
		listener->where = NULL;
		return -ENOMEM;
	}
	return r < 0 ? r : check_listener(reader, block->line, listener);
}
