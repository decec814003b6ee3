/* SPDX-License-Identifier: Apache-2.0 */
/* k8sauth: finds the verb, reads its options, runs it. */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <curl/curl.h>

#include "base/secret.h"
#include "cli/cli.h"

#define CONNECTED(options) (OPT_CONNECTION | (options))

const struct cli_verb cli_verbs[] = {
	{ "status", "[options]", "Tells whether the server is initialized and sealed.",
	    "  Exit code 0: unsealed, 2: sealed, 1: no answer.\n", CONNECTED(OPT_FORMAT), 0, 0, verb_status },
	{ "read", "[options] PATH", "Reads what is at PATH.", "      $ k8sauth read auth/kubernetes/role/ssh\n",
	    CONNECTED(OPT_FORMAT | OPT_FIELD), 1, 1, verb_read },
	{ "write", "[options] PATH [DATA...]", "Writes data to PATH.",
	    "  DATA is key=value, key=@file or key=- (standard input), or one @file or - that is a\n"
	    "  JSON object. Arguments can be read by every user of the machine: give secrets by file\n"
	    "  or standard input.\n\n"
	    "      $ k8sauth write auth/kubernetes/config kubernetes_host=https://10.0.0.1:6443 \\\n"
	    "            kubernetes_ca_cert=@ca.crt token_reviewer_jwt=@reviewer.jwt\n",
	    CONNECTED(OPT_FORMAT | OPT_FIELD | OPT_FORCE), 1, -1, verb_write },
	{ "list", "[options] PATH", "Lists the keys below PATH.", NULL, CONNECTED(OPT_FORMAT), 1, 1, verb_list },
	{ "delete", "[options] PATH", "Deletes what is at PATH.", NULL, CONNECTED(OPT_FORMAT), 1, 1, verb_delete },
	{ "kv put", "[options] PATH DATA...", "Writes a secret: a new version of all its keys.",
	    "  DATA as for `k8sauth write`.\n\n      $ k8sauth kv put secret/webapp/db password=@password\n",
	    CONNECTED(OPT_FORMAT | OPT_FIELD | OPT_MOUNT), 1, -1, verb_kv_put },
	{ "kv get", "[options] PATH", "Reads a secret.", "      $ k8sauth kv get -field=password secret/webapp/db\n",
	    CONNECTED(OPT_FORMAT | OPT_FIELD | OPT_MOUNT | OPT_VERSION), 1, 1, verb_kv_get },
	{ "kv list", "[options] PATH", "Lists the secrets below PATH.", NULL, CONNECTED(OPT_FORMAT | OPT_MOUNT), 0, 1,
	    verb_kv_list },
	{ "kv delete", "[options] PATH", "Deletes the latest version of a secret, or those named.", NULL,
	    CONNECTED(OPT_FORMAT | OPT_MOUNT | OPT_VERSIONS), 1, 1, verb_kv_delete },
	{ "auth enable", "[options] TYPE", "Mounts an auth method.", "      $ k8sauth auth enable kubernetes\n",
	    CONNECTED(OPT_PATH | OPT_DESCRIPTION), 1, 1, verb_auth_enable },
	{ "auth list", "[options]", "Lists the auth methods.", NULL, CONNECTED(OPT_FORMAT), 0, 0, verb_auth_list },
	{ "secrets enable", "[options] TYPE", "Mounts a secrets engine.",
	    "      $ k8sauth secrets enable -path=secret kv-v2\n", CONNECTED(OPT_PATH | OPT_DESCRIPTION | OPT_VERSION),
	    1, 1, verb_secrets_enable },
	{ "secrets list", "[options]", "Lists the secrets engines.", NULL, CONNECTED(OPT_FORMAT), 0, 0,
	    verb_secrets_list },
	{ "policy write", "[options] NAME FILE", "Writes a policy from a file, or from standard input (-).",
	    "      $ echo 'path \"secret/data/webapp/*\" { capabilities = [\"read\"] }' | \\\n"
	    "            k8sauth policy write webapp -\n",
	    CONNECTED(0), 2, 2, verb_policy_write },
	{ "policy read", "[options] NAME", "Prints a policy.", NULL, CONNECTED(OPT_FORMAT), 1, 1, verb_policy_read },
	{ "policy list", "[options]", "Lists the policies.", NULL, CONNECTED(OPT_FORMAT), 0, 0, verb_policy_list },
	{ "policy delete", "[options] NAME", "Deletes a policy.", NULL, CONNECTED(0), 1, 1, verb_policy_delete },
	{ "token lookup", "[options] [-]", "Shows the token in use, or the one on standard input (-).", NULL,
	    CONNECTED(OPT_FORMAT | OPT_FIELD), 0, 1, verb_token_lookup },
	{ "token revoke", "[options] [-]", "Revokes the token in use (-self), or the one on standard input (-).", NULL,
	    CONNECTED(OPT_SELF), 0, 1, verb_token_revoke },
	{ "operator init", "[options]", "Initializes the store and prints the first root token.",
	    "  Needs root on the machine of the daemon, through its own socket.\n", CONNECTED(OPT_FORMAT | OPT_STATUS),
	    0, 0, verb_operator_init },
	{ "accounts rebind", "[options] USER", "Lets a recreated service account in again.",
	    "  A service account that was deleted and made again is another one, and is refused. This\n"
	    "  forgets the old one: the next login proves the account anew. Needs root.\n",
	    CONNECTED(0), 1, 1, verb_accounts_rebind },
	{ "explain", "[options] REF", "Tells why a login was refused.",
	    "  REF is what the user was shown: \"k8sauth: refused, ref 7f3a2c\". Needs root.\n",
	    CONNECTED(OPT_FORMAT | OPT_FIELD), 1, 1, verb_explain },
	{ 0 },
};

static void print_help(FILE *out)
{
	fprintf(out, "Usage: k8sauth <verb> [options] [arguments]\n\n"
		     "Talks to k8sauthd, or to Vault. `k8sauth <verb> --help` tells more.\n\n");
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		fprintf(out, "    %-16s%s\n", verb->name, verb->synopsis);
	fprintf(out, "\nEnvironment:\n"
		     "    VAULT_ADDR      http://, https:// or unix:// address of the server\n"
		     "    VAULT_TOKEN     the token; else ~/.vault-token is read\n"
		     "    VAULT_CACERT    PEM file with the CA of the server's certificate\n");
}

/* The verb that ARGV starts with, of one or two words; *RET_WORDS of them. NULL if there is none. */
static const struct cli_verb *find_verb(int argc, char **argv, int *ret_words)
{
	char two[64] = "";

	if (argc > 1)
		snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]);
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
		*ret_words = streq(verb->name, two) ? 2 : 1;
		if (streq(verb->name, two) || (argc > 0 && streq(verb->name, argv[0])))
			return verb;
	}
	return NULL;
}

/* A first word whose second one is missing or unknown: its verbs. False if there are none. */
static bool print_group_help(const char *word)
{
	size_t len = strlen(word);
	bool any = false;

	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
		if (strncmp(verb->name, word, len) != 0 || verb->name[len] != ' ')
			continue;
		if (!any)
			fprintf(stderr, "Usage: k8sauth %s <verb> [options] [arguments]\n\n", word);
		fprintf(stderr, "    %-16s%s\n", verb->name, verb->synopsis);
		any = true;
	}
	return any;
}

static int run_verb(const struct cli_verb *verb, int argc, char **argv)
{
	struct cli cli;
	int r = cli_parse(verb, argc, argv, &cli);

	if (r != CLI_OK)
		return r;
	if (cli.help) {
		cli_print_verb_help(verb);
		return CLI_OK;
	}
	if (client_new(&cli, &cli.client) != CLI_OK)
		return CLI_LOCAL;
	r = verb->run(&cli);
	client_free(cli.client);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("Error writing to standard output");
		return CLI_LOCAL;
	}
	return r;
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	const struct cli_verb *verb;
	int words, r;

	/* Tokens and secrets pass through: no core files, nothing left behind in freed memory. */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	json_set_alloc_funcs(wipe_malloc, wipe_free);
	if (argc < 2 || streq(argv[1], "--help") || streq(argv[1], "-help") || streq(argv[1], "-h")) {
		print_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? CLI_NO_VERB : CLI_OK;
	}
	if (streq(argv[1], "--version") || streq(argv[1], "-version") || streq(argv[1], "version")) {
		printf("k8sauth %s\n", K8SAUTH_VERSION);
		return CLI_OK;
	}
	verb = find_verb(argc - 1, argv + 1, &words);
	if (!verb && print_group_help(argv[1]))
		return CLI_LOCAL;
	if (!verb) {
		fprintf(stderr, "k8sauth: there is no verb %s; `k8sauth --help` lists them\n", argv[1]);
		return CLI_NO_VERB;
	}
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc) !=
	    CURLE_OK)
		return CLI_LOCAL;
	r = run_verb(verb, argc - 1 - words, argv + 1 + words);
	curl_global_cleanup();
	return r;
}
