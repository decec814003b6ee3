/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: list, read, write, delete, fmt. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/hcl_tree.h"
#include "cli/verbs.h"
#include "vault/embedded/acl.h"

/* Names are lower-case. */
static char *policy_name(char *arg)
{
	char *name = trim_path(arg);

	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

int verb_policy_list(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	const struct value *keys;

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", "sys/policies/acl", "list=true", NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error listing policies: %s", reply.error);
	keys = value_get(value_get(reply.json, "data"), "keys");
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, keys);
	for (size_t i = 0; i < value_size(keys); i++)
		ui_output("%s", keys->items[i]->text ? keys->items[i]->text : "");
	return CLI_OK;
}

int verb_policy_read(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *shown = value_new(VALUE_MAP);
	AUTO_FREE char *path = NULL;
	const char *text;
	char *name;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	name = policy_name(cli->args[0]);
	path = text_of("sys/policies/acl/%s", name);
	if (client_send(cli, "GET", path, NULL, NULL, &reply) < 0 && reply.status != 404)
		return ui_fail(cli, CLI_SERVER, "Error reading policy named %s: %s", name, reply.error);
	text = value_get_text(value_get(reply.json, "data"), "policy");
	if (!text || !*text)
		return ui_fail(cli, CLI_SERVER, "No policy named: %s", name);
	if (cli->format == FORMAT_TABLE) {
		size_t len = strlen(text), blanks = strspn(text, " \t\r\n");

		while (len > blanks && isspace((unsigned char)text[len - 1]))
			len--;
		ui_output("%.*s", (int)(len - blanks), text + blanks);
		return CLI_OK;
	}
	value_set(shown, "policy", value_string(text));
	return print_data(cli, shown);
}

int verb_policy_write(struct cli *cli)
{
	AUTO_BUF struct buf text = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *given = NULL;
	const char *file;
	char *name;
	int r;

	if (!args_between(cli, 2, 2))
		return CLI_LOCAL;
	given = text_of("%s", trim_path(cli->args[0]));
	name = policy_name(cli->args[0]);
	file = cli->args[1] + strspn(cli->args[1], " ");
	r = data_read_text(file, &text);
	if (r < 0) {
		AUTO_FREE char *why = text_of("%s", strerror(-r));

		*why = (char)tolower((unsigned char)*why);
		return r == -EISDIR ? ui_fail(cli, CLI_SERVER, "Error reading policy: read %s: %s", file, why)
				    : ui_fail(cli, CLI_SERVER, "Error opening policy file: open %s: %s", file, why);
	}
	if (!streq(given, name))
		ui_warn(cli, "Policy name was converted from \"%s\" to \"%s\"", given, name);
	path = text_of("sys/policies/acl/%s", name);
	value_set(body, "policy", value_string_n(text.data ? text.data : "", text.len));
	if (client_send(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error uploading policy: %s", reply.error);
	if (value_size(value_get(reply.json, "warnings")) > 0)
		print_warnings(cli, reply.json);
	ui_output("Success! Uploaded policy: %s", name);
	return CLI_OK;
}

int verb_policy_delete(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	char *name;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	name = policy_name(cli->args[0]);
	path = text_of("sys/policies/acl/%s", name);
	if (client_send(cli, "DELETE", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error deleting %s: %s", name, reply.error);
	ui_output("Success! Deleted policy: %s", name);
	return CLI_OK;
}

/* Whether TEXT is a policy; says what is wrong with it. */
static bool is_policy(const struct cli *cli, const char *text)
{
	struct policy *policy = NULL;
	AUTO_FREE char *why = NULL;

	if (policy_parse(text, &policy, &why) < 0) {
		ui_error(cli, "failed to parse policy: %s", why ? why : "out of memory");
		return false;
	}
	policy_free(policy);
	return true;
}

int verb_policy_fmt(struct cli *cli)
{
	CLEANUP(hcl_tree_free) struct hcl_tree tree = { 0 };
	AUTO_BUF struct buf text = { 0 };
	AUTO_FREE char *formatted = NULL;
	const char *file;
	FILE *out;
	int r;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	file = cli->args[0];
	r = streq(file, "-") ? -ENOENT : data_read_text(file, &text);
	if (r < 0) {
		AUTO_FREE char *why = text_of("%s", strerror(-r));

		*why = (char)tolower((unsigned char)*why);
		return ui_fail(cli, CLI_LOCAL, "Error reading source file: open %s: %s", file, why);
	}
	if (!is_policy(cli, text.data ? text.data : ""))
		return CLI_LOCAL;
	if (!hcl_tree_read(text.data ? text.data : "", &tree))
		return ui_fail(cli, CLI_LOCAL, "failed to format policy: JSON and heredocs are left as they are");
	formatted = hcl_tree_print(&tree);
	/* The file is replaced: never by what is no policy. */
	if (!is_policy(cli, formatted))
		return CLI_LOCAL;
	out = fopen(file, "we");
	if (!out || fputs(formatted, out) < 0 || fclose(out) != 0)
		return ui_fail(cli, CLI_LOCAL, "Error writing result: %s", strerror(errno));
	ui_output("Success! Formatted policy: %s", file);
	return CLI_OK;
}
