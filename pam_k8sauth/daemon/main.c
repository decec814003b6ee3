/* SPDX-License-Identifier: Apache-2.0 */
/* k8sauthd: command line, configuration, sockets, rights; then daemon.c takes over. */
#include <stdio.h>
#include <string.h>

#include <k8sauth/limits.h>

#include "accounts/conf.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/process.h"
#include "daemon/tls.h"
#include "vault/embedded/seal/kind.h"

/* WHY has a line for each fault. */
static void print_faults(const char *why)
{
	while (*why) {
		int len = (int)strcspn(why, "\n");

		fprintf(stderr, "k8sauthd: %.*s\n", len, why);
		why += why[len] ? len + 1 : len;
	}
}

static int check_seals(const struct daemon_config *config, char *why, size_t why_size)
{
	int r = seal_config_check(&config->seal, why, why_size);

	return r == 0 && config->old_seal.kind ? seal_config_check(&config->old_seal, why, why_size) : r;
}

/* What a start would refuse, without touching a socket. Keys are looked at as the user that will read them. */
static int check(const struct daemon_args *args)
{
	struct daemon_config *config = NULL;
	struct accounts_conf *accounts = NULL;
	char why[CONFIG_WHY_SIZE] = "";
	int r = config_load(args->config, &config, why, sizeof(why));

	if (r == 0)
		r = conf_load(K8SAUTH_ACCOUNTS_CONF, 0, &accounts, why, sizeof(why));
	if (r == 0)
		r = process_become_user(why, sizeof(why));
	for (size_t i = 0; r == 0 && i < config->n_listeners; i++) {
		SSL_CTX *ctx;

		r = tls_load(&config->listeners[i], &ctx, why, sizeof(why));
		if (r == 0)
			SSL_CTX_free(ctx);
	}
	if (r == 0)
		r = check_seals(config, why, sizeof(why));
	conf_free(accounts);
	config_free(config);
	if (r < 0) {
		print_faults(*why ? why : strerror(-r));
		return 1;
	}
	printf("%s: good\n", args->config);
	return 0;
}

/* A line of the journal for each fault, so that each has its level and its filters. */
static void log_faults(char *why)
{
	char *rest = why, *line;

	while ((line = strsep(&rest, "\n")))
		log_error("cannot start: %s", line);
}

static int run(const struct daemon_args *args)
{
	struct daemon_config *config = NULL;
	struct sockets sockets;
	char why[CONFIG_WHY_SIZE] = "";
	int r = config_load(args->config, &config, why, sizeof(why));

	if (r < 0) {
		log_faults(why);
		return 1;
	}
	log_set_level(args->debug ? LOG_DEBUG : config->log_level);
	r = sockets_open(config, &sockets, why, sizeof(why));
	if (r == 0) {
		r = process_drop_root(why, sizeof(why));
		if (r < 0)
			sockets_close(&sockets);
	}
	if (r < 0)
		log_error("cannot start: %s", why);
	r = r < 0 ? 1 : daemon_run(config, &sockets);
	config_free(config);
	return r;
}

int main(int argc, char **argv)
{
	struct daemon_args args;

	if (args_parse(argc, argv, &args) < 0)
		return 2;
	if (args.action == DAEMON_HELP) {
		args_print_help();
		return 0;
	}
	if (args.action == DAEMON_VERSION) {
		printf("k8sauthd %s\n", K8SAUTH_VERSION);
		return 0;
	}
	if (process_harden() < 0) {
		fprintf(stderr, "k8sauthd: cannot harden the process\n");
		return 1;
	}
	if (args.action == DAEMON_CHECK)
		return check(&args);
	if (getenv("JOURNAL_STREAM"))
		log_set_sink(log_journal_sink);
	if (args.dev) {
		log_set_level(args.debug ? LOG_DEBUG : LOG_INFO);
		return daemon_run_dev(&args);
	}
	return run(&args);
}
