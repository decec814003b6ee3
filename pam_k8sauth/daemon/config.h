/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/k8sauth/k8sauth.hcl: read once at start; every fault is refused with file, line and reason. */
#pragma once

#include <jansson.h>

#include "base/macros.h"
#include "session/config.h"
#include "vault/embedded/seal/settings.h"

enum daemon_mode {
	MODE_BOTH,   /* one machine: PAM and the embedded backend */
	MODE_AGENT,  /* not built yet: refused by name */
	MODE_SERVER, /* the embedded backend behind TLS, no PAM */
};

struct listener_config {
	char *where;   /* "FILE:LINE", for errors */
	char *address; /* "0.0.0.0:8200" */
	char *tls_cert_file, *tls_key_file;
	char *tls_client_ca_file; /* clients may show certificates of these authorities; NULL: none is asked for */
	bool tls_require_client;  /* ... and must */
	bool tls13;		  /* nothing older than TLS 1.3 */
	bool open_metrics;	  /* sys/metrics without a token */
	bool tls_disable;	  /* always false: true is refused */
};

struct daemon_config {
	enum daemon_mode mode;
	char *store_path;
	struct seal_config seal;
	struct seal_config old_seal; /* that the store moves away from: the block with disabled = true; no kind: none */
	struct listener_config *listeners;
	size_t n_listeners;
	size_t max_body; /* HTTP body, bytes; default 1 MiB */
	int log_level;	 /* syslog's; default LOG_INFO */
	struct session_config session;
};

#define CONFIG_SIZE_MAX (1024 * 1024)

/* Room for the reasons of a file with many faults. */
#define CONFIG_WHY_SIZE 4096

/*
 * 0, or -EINVAL / -EPERM / ... with WHY: "/etc/k8sauth/k8sauth.hcl:12: ...", a line for each fault. The file must be root's
 * alone (safe_open).
 */
int config_load(const char *path, struct daemon_config **ret, char *why, size_t why_size) NODISCARD;

/* The same for LEN bytes of text that PATH names in errors. */
int config_parse(
    const char *text, size_t len, const char *path, struct daemon_config **ret, char *why, size_t why_size) NODISCARD;

void config_free(struct daemon_config *config);

/* What CONFIG says, for sys/config/state/sanitized: paths, addresses and kinds, no secrets. NULL without memory. */
json_t *config_show(const struct daemon_config *config) NODISCARD;
/* The same of a development server at ADDRESS. */
json_t *config_show_dev(const char *address) NODISCARD;
