/* SPDX-License-Identifier: Apache-2.0 */
/* k8sauth: finds the verb, reads its flags, runs it. */
#include <stdio.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <curl/curl.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"

#define WORDS_MAX 3

static bool is_help(const char *arg)
{
	return streq(arg, "-h") || streq(arg, "-help") || streq(arg, "--help");
}

/* Joins the first N arguments. The caller frees it. */
static char *join(int n, char **argv)
{
	char *text = text_of("%s", "");

	for (int i = 0; i < n; i++) {
		char *longer = text_of("%s%s%s", text, i > 0 ? " " : "", argv[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* The verb that ARGV starts with, of up to three words; *RET_WORDS of them. NULL if there is none. */
static const struct verb *find_verb(int argc, char **argv, int *ret_words)
{
	for (int n = argc < WORDS_MAX ? argc : WORDS_MAX; n > 0; n--) {
		AUTO_FREE char *words = join(n, argv);

		for (const struct verb *verb = verbs; verb->name; verb++) {
			if (streq(verb->name, words)) {
				*ret_words = n;
				return verb;
			}
		}
	}
	return NULL;
}

/* Flags before a verb. */
static bool misplaced_flags(int argc, char **argv)
{
	int words;

	for (int i = 1; i < argc && argv[0][0] == '-'; i++) {
		if (find_verb(argc - i, argv + i, &words))
			return true;
	}
	return false;
}

/* What does the work of a verb of the vault command that ARGV starts with and that is not here. Whether there was one. */
static bool point_elsewhere(char **argv, int words)
{
	for (int n = words < 2 ? words : 2; n > 0; n--) {
		AUTO_FREE char *verb = join(n, argv);
		const char *instead = verb_elsewhere(verb);

		if (instead) {
			fprintf(stderr, "There is no command `%s`. %s\n", verb, instead);
			return true;
		}
	}
	return false;
}

/* What to say where ARGV starts with no verb. An exit code. */
static int no_verb(int argc, char **argv)
{
	bool asked = false;
	int words = 0;

	for (int i = 0; i < argc; i++)
		asked |= is_help(argv[i]);
	if (misplaced_flags(argc, argv)) {
		fprintf(stderr, "Invalid flags before the subcommand: they stand behind it, before its arguments.\n");
		return CLI_LOCAL;
	}
	while (words < argc && argv[words][0] != '-')
		words++;
	if (point_elsewhere(argv, words))
		return help_is_group(argv[0]) ? CLI_LOCAL : CLI_NO_VERB;
	for (int n = words < 2 ? words : 2; n > 0; n--) {
		AUTO_FREE char *group = join(n, argv);
		AUTO_FREE char *unknown = join(words > n ? n + 1 : n, argv);

		if (!help_is_group(group))
			continue;
		if (words > n)
			help_print_unknown(unknown);
		help_print_group(group, asked);
		return asked ? CLI_OK : CLI_LOCAL;
	}
	if (words > 0)
		help_print_unknown(argv[0]);
	help_print_all(asked && words == 0);
	return asked && words == 0 ? CLI_OK : CLI_NO_VERB;
}

static bool set_format(struct cli *cli, const char *name)
{
	static const char *const names[] = { "table", "json", "yaml", "pretty", "raw", "yml" };
	static const enum format formats[] = { FORMAT_TABLE, FORMAT_JSON, FORMAT_YAML, FORMAT_PRETTY, FORMAT_RAW,
		FORMAT_YAML };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(name, names[i]) == 0) {
			cli->format = formats[i];
			return true;
		}
	}
	AUTO_FREE char *lower = text_of("%s", name);

	for (char *c = lower; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
	ui_error(cli, "Invalid output format: %s", lower);
	return false;
}

/* -format and -detailed count wherever they stand, as in the vault command. */
static bool find_format(struct cli *cli, int argc, char **argv)
{
	const char *format = NULL, *variable = getenv("VAULT_FORMAT");

	for (int i = 0; i < argc; i++) {
		const char *arg = starts_with(argv[i], "--") ? argv[i] + 1 : argv[i];

		if (starts_with(arg, "-format="))
			format = arg + strlen("-format=");
		else if (streq(arg, "-format") && i + 1 < argc)
			format = argv[++i];
		else if (streq(arg, "-detailed") || streq(arg, "-detailed=true"))
			cli->detailed = true;
	}
	if (!format || !*format)
		format = variable && *variable ? variable : "table";
	return set_format(cli, format);
}

/* How many of ARGV may be ours: all up to "--", or to another program's name. */
static int own_args(const struct verb *verb, int argc, char **argv)
{
	int n = 0;

	while (n < argc && !streq(argv[n], "--") && !(verb->takes & TAKES_COMMAND && argv[n][0] != '-'))
		n++;
	return n;
}

static int run_verb(struct cli *cli, int argc, char **argv)
{
	int own = own_args(cli->verb, argc, argv), r;

	for (int i = 0; i < own; i++) {
		if (is_help(argv[i])) {
			help_print_verb(cli->verb);
			return CLI_OK;
		}
	}
	if (!find_format(cli, own, argv))
		return CLI_LOCAL;
	if (cli->format == FORMAT_RAW && !streq(cli->verb->name, "read"))
		return ui_fail(cli, CLI_LOCAL, "This command does not support the -format=raw option.");
	r = flags_parse(cli, argc, argv);
	if (r == CLI_OK && (cli->verb->takes & TAKES_HTTP))
		r = client_new(cli);
	if (r == CLI_OK)
		r = cli->verb->run(cli);
	if (cli->quiet)
		r = CLI_OK;
	else if (flag_true(cli, FLAG_OUTPUT_CURL_STRING) || flag_true(cli, FLAG_OUTPUT_POLICY))
		fprintf(stderr, "Unable to generate %s from command\n",
		    flag_true(cli, FLAG_OUTPUT_CURL_STRING) ? "cURL string" : "policy");
	client_free(cli->client);
	flags_free(cli);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("Error writing to standard output");
		return CLI_LOCAL;
	}
	return r;
}

int main(int argc, char **argv)
{
	struct rlimit core = { 0, 0 };
	char version[] = "version";
	struct cli cli = { 0 };
	int words = 0, r;

	/* Tokens and secrets pass through: no core files, nothing left behind in freed memory. */
	prctl(PR_SET_DUMPABLE, 0);
	if (getrlimit(RLIMIT_CORE, &core) == 0)
		cli.core_limit = core.rlim_cur;
	core.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &core);
	if (argc == 2 && (streq(argv[1], "--version") || streq(argv[1], "-version") || streq(argv[1], "-v")))
		argv[1] = version;
	cli.verb = find_verb(argc - 1, argv + 1, &words);
	if (!cli.verb)
		return no_verb(argc - 1, argv + 1);
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc) !=
	    CURLE_OK)
		return CLI_LOCAL;
	r = run_verb(&cli, argc - 1 - words, argv + 1 + words);
	curl_global_cleanup();
	return r;
}
