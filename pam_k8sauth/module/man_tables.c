/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the option and return code tables of pam_k8sauth(8) in from options.def and codes.def, when it is built. */
#include <stdio.h>
#include <string.h>

static void print_option(const char *kind, const char *name, const char *value, const char *text)
{
	if (strcmp(kind, "LATER") == 0)
		return;
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

static void print_later(void)
{
	const char *comma = "";

#define OPTION_FLAG(name)
#define OPTION_TEXT(name)
#define OPTION_ALLOW(name)
#define OPTION_LATER(name)                  \
	printf("%s.Cm " #name "\n", comma); \
	comma = "";
#define OPTION(kind, name, ...) OPTION_##kind(name)
#include "module/options.def"
#undef OPTION
}

/* PAM_AUTH_ERR as it is; NONE as a dash. */
static void print_code(const char *phase, const char *code)
{
	if (strcmp(code, "NONE") != 0)
		printf(".It Li %s Ta Dv %s\n", phase, code);
}

static void print_codes(void)
{
#define CODE(situation, text, auth, cred, account, open, close, password) \
	puts(".It " text);                                                \
	puts(".Bl -column close_session PAM_AUTHINFO_UNAVAIL -compact");  \
	print_code("authenticate", #auth);                                \
	print_code("setcred", #cred);                                     \
	print_code("acct_mgmt", #account);                                \
	print_code("open_session", #open);                                \
	print_code("close_session", #close);                              \
	print_code("chauthtok", #password);                               \
	puts(".El");
	puts(".Bl -tag -width Ds");
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
		else if (strcmp(line, "@LATER@\n") == 0)
			print_later();
		else if (strcmp(line, "@CODES@\n") == 0)
			print_codes();
		else
			fputs(line, stdout);
	}
	return ferror(template) || fclose(template) || fflush(stdout) ? 1 : 0;
}
