/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the option and return code tables of pam_k8sauth(8) in from options.def and codes.def, when it is built. */
#include <stdio.h>
#include <string.h>

static void print_option(const char *kind, const char *name, const char *value, const char *text)
{
	if (strcmp(kind, "TEXT") == 0)
		printf(".It Cm %s Ns = Ns Ar %s\n", name, value);
	else if (strcmp(kind, "ALLOW") == 0)
		printf(".It Cm %s Ns = Ns Cm %s\n", name, value);
	else
		printf(".It Cm %s\n", name);
	fputs(text, stdout);
}

static void print_options(void)
{
	puts(".Bl -tag -width Ds");
#define OPTION(kind, name, value, text) print_option(#kind, #name, value, text);
#include "module/options.def"
#undef OPTION
	puts(".El");
}

static void print_never(void)
{
	const char *start = ".Ev ";

#define NEVER(pattern)               \
	printf("%s" pattern, start); \
	start = " ,\n.Ev ";
#include "module/env_never.def"
#undef NEVER
	puts(" .");
}

/* Each code with the entry points that return it, in their order. */
static void print_situation(const char *text, const char *const codes[static 6])
{
	static const char *const phases[] = { "authenticate", "setcred", "acct_mgmt", "open_session", "close_session",
		"chauthtok" };
	const char *separator = "";

	printf(".It %s\n", text);
	for (int i = 0; i < 6; i++) {
		int same = 0, before = 0;

		for (int k = 0; k < 6; k++) {
			same += strcmp(codes[k], codes[i]) == 0;
			before += k < i && strcmp(codes[k], codes[i]) == 0;
		}
		if (before || strcmp(codes[i], "NONE") == 0)
			continue;
		printf("%s.Dv %s\n", separator, codes[i]);
		separator = ",\n";
		if (same == 6) {
			printf("from each");
			continue;
		}
		printf("from");
		for (int k = i, left = same; k < 6; k++) {
			if (strcmp(codes[k], codes[i]) == 0)
				printf(" %s%s", phases[k], --left > 1 ? "," : left == 1 ? " and" : "");
		}
	}
	puts("");
}

static void print_codes(void)
{
	puts(".Bl -tag -width Ds");
#define CODE(situation, text, auth, cred, account, open, close, password) \
	print_situation(text, (const char *const[]){ #auth, #cred, #account, #open, #close, #password });
#include "module/codes.def"
#undef CODE
	puts(".El");
}

int main(int argc, char **argv)
{
	FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[1024];

	if (!template)
		return 1;
	while (fgets(line, sizeof(line), template)) {
		if (strcmp(line, "@OPTIONS@\n") == 0)
			print_options();
		else if (strcmp(line, "@NEVER@\n") == 0)
			print_never();
		else if (strcmp(line, "@CODES@\n") == 0)
			print_codes();
		else
			fputs(line, stdout);
	}
	return ferror(template) || fclose(template) || fflush(stdout) ? 1 : 0;
}
