/* SPDX-License-Identifier: Apache-2.0 */
/* The running daemon: its loop and everything on it, from start to graceful stop. */
#pragma once

#include "daemon/args.h"
#include "daemon/config.h"
#include "daemon/sockets.h"

/*
 * Serves until SIGTERM or SIGINT. SOCKETS' descriptors are taken over. Returns the process's exit code: 0 after a
 * graceful stop, 1 after a reason that was logged.
 */
int daemon_run(const struct daemon_config *config, struct sockets *sockets);

/* The development server: in memory, plain HTTP on one address, a banner on standard output. */
int daemon_run_dev(const struct daemon_args *args);
