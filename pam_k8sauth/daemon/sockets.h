/* SPDX-License-Identifier: Apache-2.0 */
/* Where the daemon's listening sockets come from: systemd, or a plain start as root that binds them itself. */
#pragma once

#include <stddef.h>

#include "base/macros.h"
#include "daemon/config.h"

struct sockets {
	int pam, api; /* unix sockets; a server has no pam: -1 */
	int table;    /* the session table from systemd's fd store; -1 where there is none */
	int *tcp;     /* one per listener of the configuration */
	size_t n_tcp;
};

/*
 * Takes systemd's descriptors (`pam`, `api`, `sessions`) and binds what is missing. 0, or a negative errno with WHY.
 * What was not used by the caller is closed by sockets_close.
 */
int sockets_open(const struct daemon_config *config, struct sockets *ret, char *why, size_t why_size) NODISCARD;
void sockets_close(struct sockets *sockets);

/* A listening TCP socket at ADDRESS (HOST:PORT). 0, or a negative errno with WHY. */
int sockets_bind_tcp(const char *address, int *ret, char *why, size_t why_size) NODISCARD;
