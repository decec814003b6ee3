/* SPDX-License-Identifier: Apache-2.0 */
/* What Vault has no verbs for: sessions and accounts. */
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"

int print_own(struct cli *cli, const struct reply *reply)
{
	if (cli->format != FORMAT_TABLE && !cli->field)
		return print_data(cli, value_get(reply->json, "data"));
	return print_secret(cli, reply->json);
}

int fail_own(struct cli *cli, const struct reply *reply)
{
	if (reply->status == 403)
		return ui_fail(cli, CLI_SERVER, "Error: %s\n\nRoot may, on the machine itself: sudo k8sauth %s ...",
		    reply->error, cli->verb->name);
	return ui_fail(cli, CLI_SERVER, "Error: %s", reply->error);
}

static int fail_session(struct cli *cli)
{
	return ui_fail(cli, CLI_SERVER,
	    "No session %s on this machine (k8sauth session list tells those that are there)", cli->args[0]);
}

/* --- sessions -------------------------------------------------------------------------------- */

/* A listing: a line for each key with COLUMNS of its info, the keys themselves under HEAD[0]. */
static int print_listing(struct cli *cli, const struct reply *reply, size_t columns, const char *const *head,
    const char *const *fields, const char *none)
{
	const struct value *info = value_get(value_get(reply->json, "data"), "key_info");
	AUTO_TABLE struct table table = { 0 };
	AUTO_FREE size_t *order = NULL;

	if (cli->format != FORMAT_TABLE)
		return print_data(cli, info);
	if (value_size(info) == 0) {
		ui_output("%s", none);
		return CLI_OK;
	}
	table_begin(&table, columns, head);
	order = value_order(info);
	for (size_t i = 0; i < value_size(info); i++) {
		table_add(&table, info->keys[order[i]]);
		for (size_t c = 1; c < columns; c++) {
			const struct value *cell = value_get(info->items[order[i]], fields[c]);

			table_add(&table, cell && cell->text ? cell->text : "");
		}
	}
	table_print(&table);
	return CLI_OK;
}

int verb_session_list(struct cli *cli)
{
	static const char *const head[] = { "ID", "State", "User", "Service", "TTY", "From", "Opened", "Expires" };
	static const char *const fields[] = { NULL, "state", "user", "service", "tty", "rhost", "opened", "expires" };
	AUTO_REPLY struct reply reply = { 0 };

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", "k8sauth/session", "list=true", NULL, &reply) < 0)
		return fail_own(cli, &reply);
	return print_listing(cli, &reply, ARRAY_SIZE(head), head, fields, "No sessions");
}

int verb_session_show(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/session/%s", cli->args[0]);
	if (client_send(cli, "GET", path, NULL, NULL, &reply) < 0)
		return reply.status == 404 ? fail_session(cli) : fail_own(cli, &reply);
	return print_own(cli, &reply);
}

/* Says what was ended; an exit code. */
static int report_ended(struct cli *cli, const struct reply *reply, const char *what)
{
	const struct value *data = value_get(reply->json, "data");
	long long ended = value_get_number(data, "ended"), unfinished = value_get_number(data, "unfinished");
	long long under_way = value_get_number(data, "under_way");

	if (unfinished > 0)
		ui_warn(cli,
		    "%lld of them not ended within seconds: k8sauthd goes on trying; journalctl -u k8sauthd tells why",
		    unfinished);
	if (under_way > 0)
		ui_warn(cli, "%lld logins are under way: say it again, and take away what lets them in", under_way);
	ui_output("Success! Ended: %lld of %s", ended, what);
	return unfinished > 0 || under_way > 0 ? CLI_SERVER : CLI_OK;
}

int verb_session_kill(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *what = NULL;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/session/%s", cli->args[0]);
	what = text_of("session %s", cli->args[0]);
	if (client_send(cli, "DELETE", path, NULL, NULL, &reply) < 0)
		return reply.status == 404 ? fail_session(cli) : fail_own(cli, &reply);
	return report_ended(cli, &reply, what);
}

int read_credential(const struct cli *cli, struct value *body)
{
	const char *file = flag_text(cli, FLAG_TOKEN_FILE), *start;
	AUTO_BUF struct buf text = { 0 };
	int r;

	if (!file && isatty(STDIN_FILENO))
		r = ui_ask_hidden(stderr, "Token (will be hidden): ", &text);
	else
		r = data_read_text(file ? file : "-", &text);
	if (r < 0)
		return ui_fail(cli, CLI_LOCAL, "Error reading the token from %s: %s", file ? file : "standard input",
		    strerror(-r));
	start = text.data ? text.data + strspn(text.data, " \t\r\n") : "";
	value_set(body, "credential", value_string_n(start, strcspn(start, " \t\r\n")));
	return CLI_OK;
}

/* What of the shell's environment is another one by now: nobody else can change it. */
static void say_environment(const struct value *data)
{
	const char *file = value_get_text(data, "token_file");

	if (value_get_bool(data, "exported_token") && file)
		ui_output(
		    "VAULT_TOKEN still is the old token here. For the new one:\n    export VAULT_TOKEN=\"$(cat %s)\"",
		    file);
}

int verb_session_login(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	const char *session = flag_given(cli, FLAG_SESSION) ? flag_text(cli, FLAG_SESSION) : getenv("K8SAUTH_SESSION");
	const struct value *data;
	int r = args_between(cli, 0, 0) ? read_credential(cli, body) : CLI_LOCAL;

	if (r != CLI_OK)
		return r;
	if (session && *session)
		value_set(body, "session", value_string(session));
	if (client_send(cli, "PUT", "k8sauth/session/login", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	data = value_get(reply.json, "data");
	ui_output(
	    "Success! Session %s has a new token for %llds", value_get_text(data, "id"), value_get_number(data, "ttl"));
	if (!value_get_bool(data, "files_written"))
		ui_warn(
		    cli, "Its files are not written yet: k8sauthd goes on trying; journalctl -u k8sauthd tells why");
	say_environment(data);
	return CLI_OK;
}

int verb_revoke(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *what = NULL;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/revoke/%s", cli->args[0]);
	what = text_of("the sessions of %s", cli->args[0]);
	if (client_send(cli, "PUT", path, NULL, NULL, &reply) < 0)
		return fail_own(cli, &reply);
	return report_ended(cli, &reply, what);
}

/* --- accounts -------------------------------------------------------------------------------- */

int verb_accounts_list(struct cli *cli)
{
	static const char *const head[] = { "User", "UID", "GID", "Service account" };
	static const char *const fields[] = { NULL, "uid", "gid", "identity" };
	AUTO_REPLY struct reply reply = { 0 };

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", "k8sauth/accounts", "list=true", NULL, &reply) < 0)
		return fail_own(cli, &reply);
	return print_listing(cli, &reply, ARRAY_SIZE(head), head, fields, "No accounts");
}

int verb_accounts_name(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/accounts/name/%s", cli->args[0]);
	if (client_send(cli, "GET", path, NULL, NULL, &reply) < 0)
		return fail_own(cli, &reply);
	return print_own(cli, &reply);
}

int verb_accounts_rebind(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/accounts/rebind/%s", cli->args[0]);
	if (client_send(cli, "PUT", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	ui_output("Success! The next login of %s proves the account anew", cli->args[0]);
	return CLI_OK;
}
