/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/k8sauth/k8sauth.hcl: read once at start; every fault is refused with file, line and reason. */
#pragma once

#include "base/macros.h"
#include "session/config.h"

enum daemon_mode {
	MODE_BOTH,
	MODE_AGENT,  /* not built yet: refused by name */
	MODE_SERVER, /* not built yet: refused by name */
};

struct listener_config {
	char *address; /* "0.0.0.0:8200" */
	char *tls_cert_file, *tls_key_file;
};

struct daemon_config {
	enum daemon_mode mode;
	char *store_path;
	char *seal_credential;
	struct listener_config *listeners;
	size_t n_listeners;
	size_t max_body; /* HTTP body, bytes; default 1 MiB */
	struct session_config session;
};

/* 0, or -EINVAL / -EPERM / ... with WHY: "/etc/k8sauth/k8sauth.hcl:12: ...". The file must be root's alone (safe_open).
 */
int config_load(const char *path, struct daemon_config **ret, char *why, size_t why_size) NODISCARD;
void config_free(struct daemon_config *config);
