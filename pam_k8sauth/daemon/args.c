/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of k8sauthd; see args.h. The -dev options are spelled as those of `vault server`. */
#include "daemon/args.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include <k8sauth/limits.h>

#include "base/macros.h"

#define DEV_LISTEN "127.0.0.1:8200"

static const struct option {
	const char *name;
	bool valued;
	size_t offset;		   /* of a const char * (valued) or a bool in struct daemon_args; unused for actions */
	enum daemon_action action; /* not DAEMON_RUN: the option is this action */
	const char *help;
} options[] = {
	{ "config", true, offsetof(struct daemon_args, config), DAEMON_RUN,
	    "=FILE               configuration, default " K8SAUTH_CONFIG },
	{ "check-config", false, 0, DAEMON_CHECK, "               check the configuration and end" },
	{ "debug", false, offsetof(struct daemon_args, debug), DAEMON_RUN, "                      log every request" },
	{ "dev", false, offsetof(struct daemon_args, dev), DAEMON_RUN,
	    "                        development server: in memory, unsealed, plain HTTP" },
	{ "dev-root-token-id", true, offsetof(struct daemon_args, dev_root_token), DAEMON_RUN,
	    "=ID       its root token, default a random one" },
	{ "dev-listen-address", true, offsetof(struct daemon_args, dev_listen), DAEMON_RUN,
	    "=HOST:PORT  its address, default " DEV_LISTEN },
	{ "version", false, 0, DAEMON_VERSION, "                    print the version and end" },
	{ "help", false, 0, DAEMON_HELP, "                       print this and end" },
};

void args_print_help(void)
{
	printf("Usage: k8sauthd [options]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		printf("  -%s%s\n", options[i].name, options[i].help);
}

static int bad(const char *what, const char *name, size_t len)
{
	fprintf(stderr, "k8sauthd: %s: -%.*s (see k8sauthd --help)\n", what, (int)len, name);
	return -EINVAL;
}

static int take_option(int argc, char **argv, int *at, struct daemon_args *args)
{
	const char *name = argv[*at], *value;
	size_t len, i = 0;

	if (name[0] != '-' || !name[1]) {
		fprintf(stderr, "k8sauthd: this is no option: %s (%s)\n", name,
		    streq(name, "server") ? "leave the word out: k8sauthd is the server" : "see k8sauthd --help");
		return -EINVAL;
	}
	name += name[1] == '-' ? 2 : 1;
	len = strcspn(name, "=");
	value = name[len] ? name + len + 1 : NULL;
	(*at)++;
	while (i < ARRAY_SIZE(options) && (strlen(options[i].name) != len || strncmp(options[i].name, name, len) != 0))
		i++;
	if (i == ARRAY_SIZE(options))
		return bad("there is no such option", name, len);
	if (!options[i].valued && value)
		return bad("this option takes no value", name, len);
	if (options[i].action != DAEMON_RUN) {
		args->action = options[i].action;
	} else if (!options[i].valued) {
		*(bool *)((char *)args + options[i].offset) = true;
	} else {
		if (!value && *at == argc)
			return bad("this option needs a value", name, len);
		*(const char **)(void *)((char *)args + options[i].offset) = value ? value : argv[(*at)++];
	}
	return 0;
}

int args_parse(int argc, char **argv, struct daemon_args *ret)
{
	struct daemon_args args = { .config = K8SAUTH_CONFIG };

	for (int at = 1; at < argc;) {
		int r = take_option(argc, argv, &at, &args);

		if (r < 0)
			return r;
	}
	if (!args.dev && (args.dev_root_token || args.dev_listen)) {
		fprintf(stderr, "k8sauthd: the -dev-... options go with -dev only\n");
		return -EINVAL;
	}
	if (args.dev && args.dev_root_token && !*args.dev_root_token)
		args.dev_root_token = NULL;
	if (args.dev && !args.dev_listen)
		args.dev_listen = DEV_LISTEN;
	*ret = args;
	return 0;
}
