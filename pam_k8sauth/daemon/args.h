/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of k8sauthd. */
#pragma once

#include <stdbool.h>

enum daemon_action {
	DAEMON_RUN,
	DAEMON_CHECK,	/* --check-config */
	DAEMON_VERSION, /* --version */
	DAEMON_HELP,	/* --help */
};

struct daemon_args {
	enum daemon_action action;
	const char *config; /* default /etc/k8sauth/k8sauth.hcl */
	bool dev;
	const char *dev_root_token; /* NULL: a random one */
	const char *dev_listen;	    /* HOST:PORT, default 127.0.0.1:8200 */
	bool debug;
};

/* Reads -name VALUE, -name=VALUE and --name. 0, or -EINVAL after the reason went to standard error. */
int args_parse(int argc, char **argv, struct daemon_args *ret);
void args_print_help(void);
