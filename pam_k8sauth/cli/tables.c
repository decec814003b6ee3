/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills the tables of verbs and flags into the completions for bash and zsh, and into k8sauth(1), when they are built:
 * what completes, what is documented and what is understood cannot drift apart.
 */
#include <stdio.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/doctor.h"

/* The words that may follow PREFIX ("" or "kv "). */
static void print_next_words(const char *prefix)
{
	const char *last = "", *separator = "";
	size_t len = strlen(prefix);

	for (const struct verb *verb = verbs; verb->name; verb++) {
		size_t word;

		if (!starts_with(verb->name, prefix))
			continue;
		word = strcspn(verb->name + len, " ");
		if (strncmp(last, verb->name + len, word) == 0 && (last[word] == ' ' || !last[word]))
			continue;
		last = verb->name + len;
		printf("%s%.*s", separator, (int)word, last);
		separator = " ";
	}
}

/* Each group of verbs, such as "kv metadata", with what may follow. */
static void print_groups(void)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		for (const char *blank = strchr(verb->name, ' '); blank; blank = strchr(blank + 1, ' ')) {
			AUTO_FREE char *prefix = text_of("%.*s ", (int)(blank - verb->name), verb->name);
			const struct verb *first = verbs;

			while (!starts_with(first->name, prefix))
				first++;
			if (first != verb)
				continue;
			printf("\t'%.*s') next='", (int)(blank - verb->name), verb->name);
			print_next_words(prefix);
			printf("' ;;\n");
		}
	}
}

/* A shell function that sets next, flags and arguments for the verb "$1". */
static void print_shell_verbs(void)
{
	printf("\tcase $1 in\n\t'') next='");
	print_next_words("");
	printf("' ;;\n");
	print_groups();
	for (const struct verb *verb = verbs; verb->name; verb++) {
		printf("\t'%s')\n\t\tflags='-help", verb->name);
		for (int id = FLAG_END + 1; id < FLAG_COUNT; id++) {
			if (verb_takes(verb, (enum flag_id)id))
				printf(" -%s%s", flag_table[id].name, flag_table[id].kind == FLAG_BOOL ? "" : "=");
		}
		printf("'\n");
		if (verb->completes)
			printf("\t\targuments='%s'\n", verb->completes);
		printf("\t\t;;\n");
	}
	printf("\tesac\n");
}

/* One that sets values for the flag "$1". */
static void print_shell_values(void)
{
	printf("\tcase $1 in\n");
	for (int id = FLAG_END + 1; id < FLAG_COUNT; id++) {
		if (flag_table[id].completes)
			printf("\t-%s) values='%s' ;;\n", flag_table[id].name, flag_table[id].completes);
	}
	printf("\tesac\n");
}

/* TEXT with what roff would take for its own escaped. */
static void print_roff(const char *text)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void print_man_flag(const struct flag_info *info)
{
	static const char *const kinds[] = {
		[FLAG_STRING] = "text",
		[FLAG_BOOL] = NULL,
		[FLAG_INT] = "number",
		[FLAG_DURATION] = "duration",
		[FLAG_STRINGS] = "text",
		[FLAG_PAIRS] = "key=value",
	};

	printf(".TP\n.BI \\-");
	print_roff(info->name);
	if (kinds[info->kind])
		printf("= %s", kinds[info->kind]);
	if (info->alias)
		printf(" \\fR,\\ \\fP \\-%s", info->alias);
	putchar('\n');
	print_roff(info->help);
	putchar('\n');
}

static void print_man_flags(int from, int to)
{
	for (int id = from; id < to; id++)
		print_man_flag(&flag_table[id]);
}

static void print_man_verbs(void)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		bool any = false;

		printf(".TP\n.BR \"");
		print_roff(verb->name);
		printf("\" \" ");
		print_roff(verb->usage);
		printf("\"\n");
		print_roff(verb->synopsis);
		printf(".\n");
		for (const enum flag_id *own = verb->flags; own && *own; own++) {
			printf("%s\\fB\\-", any ? ", " : "Flags: ");
			print_roff(flag_table[*own].name);
			printf("\\fR");
			any = true;
		}
		printf(any ? ".\n" : "");
	}
}

/* What the doctor finds. */
static void print_man_findings(void)
{
	for (int id = 0; id < FINDINGS; id++) {
		const struct finding_info *info = &finding_table[id];

		printf(".TP\n.BR ");
		print_roff(info->id);
		printf(" \" (%s)\"\n", severity_name(info->severity));
		print_roff(info->meaning);
		printf(".\n.br\nTo do: ");
		print_roff(info->remedy);
		printf(".\n");
	}
}

/* What stands for the line NAME of a template; false if it is an ordinary one. */
static bool print_table(const char *name)
{
	if (streq(name, "@SHELL VERBS@\n"))
		print_shell_verbs();
	else if (streq(name, "@SHELL VALUES@\n"))
		print_shell_values();
	else if (streq(name, "@VERBS@\n"))
		print_man_verbs();
	else if (streq(name, "@FINDINGS@\n"))
		print_man_findings();
	else if (streq(name, "@HTTP FLAGS@\n"))
		print_man_flags(FLAG_END + 1, FLAG_LAST_HTTP + 1);
	else if (streq(name, "@OUTPUT FLAGS@\n"))
		print_man_flags(FLAG_LAST_HTTP + 1, FLAG_FORMAT + 1);
	else if (streq(name, "@VERB FLAGS@\n"))
		print_man_flags(FLAG_FORMAT + 1, FLAG_COUNT);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[1024];

	if (!template)
		return 1;
	while (fgets(line, sizeof(line), template)) {
		if (!print_table(line))
			fputs(line, stdout);
	}
	return ferror(template) || fclose(template) || fflush(stdout) ? 1 : 0;
}
