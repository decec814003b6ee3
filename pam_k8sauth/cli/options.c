/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the command line: -name=value, -name value, --name, as Go's flag package reads them. */
#include "cli/cli.h"

#include <stdio.h>

static const struct option {
	const char *name;
	enum cli_option bit;
	size_t offset; /* in struct cli */
	bool boolean;
	const char *help;
} options[] = {
	{ "address", OPT_CONNECTION, offsetof(struct cli, address), false,
	    "Address of the server: http, https or unix://. Default: VAULT_ADDR, else the\n"
	    "      daemon's own socket if there is one, else https://127.0.0.1:8200." },
	{ "ca-cert", OPT_CONNECTION, offsetof(struct cli, ca_cert), false,
	    "PEM file with the CA of the server's certificate. Default: VAULT_CACERT." },
	{ "format", OPT_FORMAT, offsetof(struct cli, format), false, "table (default) or json." },
	{ "field", OPT_FIELD, offsetof(struct cli, field), false, "Print only the field with this name." },
	{ "force", OPT_FORCE, offsetof(struct cli, force), true, "Send the request without any data." },
	{ "f", OPT_FORCE, offsetof(struct cli, force), true, "The same." },
	{ "path", OPT_PATH, offsetof(struct cli, path), false, "Where to mount it. Default: its type." },
	{ "description", OPT_DESCRIPTION, offsetof(struct cli, description), false, "A text for people." },
	{ "version", OPT_VERSION, offsetof(struct cli, version), false, "The version of the key, or of the engine." },
	{ "versions", OPT_VERSIONS, offsetof(struct cli, versions), false,
	    "The versions to delete, separated by commas. Default: the latest." },
	{ "mount", OPT_MOUNT, offsetof(struct cli, mount), false,
	    "Where the engine is mounted; PATH is then relative to it." },
	{ "self", OPT_SELF, offsetof(struct cli, self), true, "The token that the request is made with." },
	{ "status", OPT_STATUS, offsetof(struct cli, status), true,
	    "Only say whether the server is initialized: exit code 0, or 2 if it is not." },
};

void cli_print_verb_help(const struct cli_verb *verb)
{
	printf("Usage: k8sauth %s%s%s\n\n  %s\n", verb->name, *verb->usage ? " " : "", verb->usage, verb->synopsis);
	if (verb->help)
		printf("\n%s", verb->help);
	printf("\nOptions:\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (verb->options & options[i].bit)
			printf("\n  -%s%s\n      %s\n", options[i].name, options[i].boolean ? "" : "=<string>",
			    options[i].help);
	}
}

static const struct option *find_option(const struct cli_verb *verb, const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if ((verb->options & options[i].bit) && strlen(options[i].name) == len &&
		    strncmp(options[i].name, name, len) == 0)
			return &options[i];
	}
	return NULL;
}

static int set_boolean(bool *ret, const char *name, const char *value)
{
	if (!value || streq(value, "true") || streq(value, "1"))
		*ret = true;
	else if (streq(value, "false") || streq(value, "0"))
		*ret = false;
	else {
		fprintf(stderr, "invalid boolean value \"%s\" for -%s\n", value, name);
		return CLI_LOCAL;
	}
	return CLI_OK;
}

/* One option at ARGV[*AT]; moves *AT past it. */
static int parse_option(const struct cli_verb *verb, int argc, char **argv, int *at, struct cli *cli)
{
	const char *name = argv[*at] + (argv[*at][1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option *option = find_option(verb, name, len);

	(*at)++;
	if ((len == 1 && *name == 'h') || (len == 4 && strncmp(name, "help", len) == 0)) {
		cli->help = true;
		return CLI_OK;
	}
	if (len == 5 && strncmp(name, "token", len) == 0) {
		fprintf(stderr, "A token on the command line can be read by every user: set VAULT_TOKEN or write it to "
				"~/.vault-token.\n");
		return CLI_LOCAL;
	}
	if (!option) {
		fprintf(stderr, "flag provided but not defined: -%.*s (see k8sauth %s --help)\n", (int)len, name,
		    verb->name);
		return CLI_LOCAL;
	}
	if (option->boolean)
		return set_boolean((bool *)((char *)cli + option->offset), option->name, value);
	if (!value && *at == argc) {
		fprintf(stderr, "flag needs an argument: -%s\n", option->name);
		return CLI_LOCAL;
	}
	*(const char **)(void *)((char *)cli + option->offset) = value ? value : argv[(*at)++];
	return CLI_OK;
}

static int check_args(const struct cli_verb *verb, const struct cli *cli)
{
	const char *least = verb->max_args == verb->min_args ? "" : "at least ";

	for (int i = 0; i < cli->n_args; i++) {
		/* "-" is standard input. */
		if (cli->args[i][0] == '-' && cli->args[i][1]) {
			fprintf(stderr, "Options must stand before the arguments: %s\n", cli->args[i]);
			return CLI_LOCAL;
		}
	}
	if (cli->n_args < verb->min_args) {
		fprintf(stderr, "Not enough arguments (expected %s%d, got %d): k8sauth %s %s\n", least, verb->min_args,
		    cli->n_args, verb->name, verb->usage);
		return CLI_LOCAL;
	}
	if (verb->max_args >= 0 && cli->n_args > verb->max_args) {
		fprintf(stderr, "Too many arguments (expected %d, got %d): k8sauth %s %s\n", verb->max_args,
		    cli->n_args, verb->name, verb->usage);
		return CLI_LOCAL;
	}
	return CLI_OK;
}

int cli_parse(const struct cli_verb *verb, int argc, char **argv, struct cli *ret)
{
	int at = 0;

	*ret = (struct cli){ .format = "table" };
	while (at < argc && argv[at][0] == '-' && argv[at][1]) {
		if (streq(argv[at], "--")) {
			at++;
			break;
		}
		if (parse_option(verb, argc, argv, &at, ret) != CLI_OK)
			return CLI_LOCAL;
		if (ret->help)
			return CLI_OK;
	}
	ret->args = argv + at;
	ret->n_args = argc - at;
	if (!streq(ret->format, "table") && !streq(ret->format, "json")) {
		fprintf(stderr, "Invalid output format: %s\n", ret->format);
		return CLI_LOCAL;
	}
	return check_args(verb, ret);
}
