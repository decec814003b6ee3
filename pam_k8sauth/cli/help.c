/* SPDX-License-Identifier: Apache-2.0 */
/* Help, from the tables of verbs and flags; and what was probably meant where there is no such verb. */
#include <stdio.h>

#include "base/text.h"
#include "cli/cli.h"

static const char *kind_text(enum flag_kind kind)
{
	static const char *const texts[] = {
		[FLAG_STRING] = "=<string>",
		[FLAG_BOOL] = "",
		[FLAG_INT] = "=<int>",
		[FLAG_DURATION] = "=<duration>",
		[FLAG_STRINGS] = "=<string>",
		[FLAG_PAIRS] = "=<key=value>",
	};

	return texts[kind];
}

static void print_flag(const struct flag_info *info)
{
	const char *line = info->help;

	printf("\n  -%s%s\n", info->name, kind_text(info->kind));
	if (info->alias)
		printf("      (also -%s) ", info->alias);
	while (line) {
		int len = (int)strcspn(line, "\n");

		printf("%s%.*s\n", line == info->help && info->alias ? "" : "      ", len, line);
		line = line[len] ? line + len + 1 : NULL;
	}
}

static void print_flags(const struct verb *verb, const char *title, int from, int to)
{
	bool any = false;

	for (int id = from; id < to; id++) {
		if (!verb_takes(verb, (enum flag_id)id))
			continue;
		if (!any)
			printf("\n%s:\n", title);
		any = true;
		print_flag(&flag_table[id]);
	}
}

void help_print_verb(const struct verb *verb)
{
	printf("Usage: k8sauth %s%s%s\n\n  %s.\n", verb->name, *verb->usage ? " " : "", verb->usage, verb->synopsis);
	if (verb->help)
		printf("\n%s", verb->help);
	print_flags(verb, "Command Options", FLAG_FORMAT + 1, FLAG_COUNT);
	print_flags(verb, "Output Options", FLAG_LAST_HTTP + 1, FLAG_FORMAT + 1);
	print_flags(verb, "HTTP Options", FLAG_END + 1, FLAG_LAST_HTTP + 1);
}

/* The word of NAME behind PREFIX (of LEN bytes, "" or "kv "), and whether more follow it. */
static int next_word(const char *name, size_t len, bool *ret_more)
{
	int word = (int)strcspn(name + len, " ");

	*ret_more = name[len + (size_t)word] != '\0';
	return word;
}

static void print_children(FILE *out, const char *prefix)
{
	const char *last = "";
	size_t len = strlen(prefix);

	for (const struct verb *verb = verbs; verb->name; verb++) {
		bool more;
		int word;

		if (!starts_with(verb->name, prefix))
			continue;
		word = next_word(verb->name, len, &more);
		if (strncmp(last, verb->name + len, (size_t)word) == 0 && (last[word] == ' ' || !last[word]))
			continue;
		last = verb->name + len;
		if (more)
			fprintf(out, "    %-20.*sMore verbs: k8sauth %s%.*s -h\n", word, last, prefix, word, last);
		else
			fprintf(out, "    %-20.*s%s\n", word, last, verb->synopsis);
	}
}

bool help_is_group(const char *words)
{
	AUTO_FREE char *prefix = text_of("%s ", words);

	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (starts_with(verb->name, prefix))
			return true;
	}
	return false;
}

void help_print_group(const char *words, bool asked)
{
	AUTO_FREE char *prefix = text_of("%s ", words);
	FILE *out = asked ? stdout : stderr;

	fprintf(out, "Usage: k8sauth %s <subcommand> [options] [args]\n\nSubcommands:\n", words);
	print_children(out, prefix);
}

void help_print_all(bool asked)
{
	FILE *out = asked ? stdout : stderr;

	fprintf(out,
	    "Usage: k8sauth <command> [args]\n\nTalks to k8sauthd, or to Vault. `k8sauth <command> -h` tells more.\n\n"
	    "Commands:\n");
	print_children(out, "");
	fprintf(out, "\nEnvironment:\n"
		     "    VAULT_ADDR      http://, https:// or unix:// address of the server\n"
		     "    VAULT_TOKEN     the token; else ~/.vault-token is read\n"
		     "    VAULT_CACERT    PEM file with the CA of the server's certificate\n"
		     "    VAULT_FORMAT    table, json or yaml\n"
		     "  and the others of the vault command: k8sauth(1)\n");
}

/* The first WORDS words of a verb; the caller frees it. */
static char *first_words(const struct verb *verb, int words)
{
	const char *end = verb->name;

	for (int i = 0; i < words && *end; i++)
		end += strcspn(end + (i > 0), " ") + (i > 0);
	return text_of("%.*s", (int)(end - verb->name), verb->name);
}

void help_print_unknown(const char *text)
{
	AUTO_FREE char *last = text_of("%s", "");
	size_t best = 3; /* more letters apart, and it is another word */
	int words = 1;

	for (const char *c = text; *c; c++)
		words += *c == ' ';
	for (const struct verb *verb = verbs; verb->name; verb++) {
		AUTO_FREE char *near = first_words(verb, words);

		best = text_distance(text, near) < best ? text_distance(text, near) : best;
	}
	fprintf(stderr, "There is no command `%s`.\n", text);
	for (const struct verb *verb = verbs; best < 3 && verb->name; verb++) {
		char *near = first_words(verb, words);

		if (text_distance(text, near) == best && !streq(near, last))
			fprintf(stderr, "Did you mean: k8sauth %s\n", near);
		free(last);
		last = near;
	}
	fputc('\n', stderr);
}
