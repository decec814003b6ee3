/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: create, lookup, renew, revoke, capabilities. */
#include <errno.h>
#include <stdio.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"

/* Go's text of the duration in flag ID. */
static struct value *duration_text(const struct cli *cli, enum flag_id id)
{
	char text[64];

	duration_format(flag_seconds(cli, id), text, sizeof(text));
	return value_string(text);
}

static struct value *create_body(const struct cli *cli)
{
	struct value *body = value_ordered(), *policies = flag_list(cli, FLAG_POLICY),
		     *meta = flag_map(cli, FLAG_METADATA);

	if (*flag_or_empty(cli, FLAG_ID))
		value_set(body, "id", value_string(flag_text(cli, FLAG_ID)));
	if (policies)
		value_set(body, "policies", policies);
	if (meta)
		value_set(body, "meta", meta);
	value_set(body, "ttl", duration_text(cli, FLAG_TTL));
	value_set(body, "explicit_max_ttl", duration_text(cli, FLAG_EXPLICIT_MAX_TTL));
	value_set(body, "period", duration_text(cli, FLAG_PERIOD));
	if (flag_true(cli, FLAG_ORPHAN))
		value_set(body, "no_parent", value_bool(true));
	if (flag_true(cli, FLAG_NO_DEFAULT_POLICY))
		value_set(body, "no_default_policy", value_bool(true));
	value_set(body, "display_name", value_string(flag_or_empty(cli, FLAG_DISPLAY_NAME)));
	value_set(body, "num_uses", value_number(flag_int(cli, FLAG_USE_LIMIT, 0)));
	value_set(body, "renewable", value_bool(!flag_given(cli, FLAG_RENEWABLE) || flag_true(cli, FLAG_RENEWABLE)));
	value_set(body, "type", value_string(flag_given(cli, FLAG_TYPE) ? flag_text(cli, FLAG_TYPE) : "service"));
	value_set(body, "entity_alias", value_string(flag_or_empty(cli, FLAG_ENTITY_ALIAS)));
	return body;
}

int verb_token_create(struct cli *cli)
{
	AUTO_VALUE struct value *body = NULL;
	AUTO_REPLY struct reply reply = { 0 };
	const char *role = flag_or_empty(cli, FLAG_ROLE);
	AUTO_FREE char *path = text_of("auth/token/create%s%s", *role ? "/" : "", role);

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	body = create_body(cli);
	if (client_secret(cli, "POST", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error creating token: %s", reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "Error creating token: the reply is empty");
	return print_secret(cli, reply.json);
}

/*
 * Puts the token or accessor of argument INDEX into BODY as KEY. "-" is standard input: arguments can be read by every
 * user of the machine.
 */
static int put_token(const struct cli *cli, int index, struct value *body, const char *key)
{
	AUTO_BUF struct buf text = { 0 };
	const char *token = cli->args[index];
	size_t blanks;
	int r;

	if (streq(token, "-")) {
		r = data_read_text("-", &text);
		if (r < 0)
			return ui_fail(cli, CLI_LOCAL, "Error reading standard input: %s", strerror(-r));
		token = text.data ? text.data : "";
	}
	blanks = strspn(token, " \t\r\n");
	value_set(body, key, value_string_n(token + blanks, strcspn(token + blanks, " \t\r\n")));
	return CLI_OK;
}

int verb_token_lookup(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_REPLY struct reply reply = { 0 };
	bool accessor = flag_true(cli, FLAG_ACCESSOR);
	int r;

	if (accessor && cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Not enough arguments with -accessor (expected 1, got %d)", cli->n_args);
	if (accessor && cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments with -accessor (expected 1, got %d)", cli->n_args);
	if (cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 0-1, got %d)", cli->n_args);
	if (cli->n_args == 0 || !*cli->args[0]) {
		r = client_secret(cli, "GET", "auth/token/lookup-self", NULL, NULL, &reply);
	} else {
		r = put_token(cli, 0, body, accessor ? "accessor" : "token");
		if (r != CLI_OK)
			return r;
		r = client_secret(
		    cli, "POST", accessor ? "auth/token/lookup-accessor" : "auth/token/lookup", NULL, body, &reply);
	}
	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "Error looking up token: %s", reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "Error looking up token: the reply is empty");
	return print_secret(cli, reply.json);
}

int verb_token_renew(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_REPLY struct reply reply = { 0 };
	bool accessor = flag_true(cli, FLAG_ACCESSOR);
	const char *path = "auth/token/renew-self";
	int r;

	if (cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 1, got %d)", cli->n_args);
	if (cli->n_args == 1 && *cli->args[0]) {
		path = accessor ? "auth/token/renew-accessor" : "auth/token/renew";
		r = put_token(cli, 0, body, accessor ? "accessor" : "token");
		if (r != CLI_OK)
			return r;
	}
	value_set(body, "increment", value_number(flag_seconds(cli, FLAG_INCREMENT)));
	r = client_secret(cli, value_get(body, "accessor") ? "POST" : "PUT", path, NULL, body, &reply);
	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "Error renewing token: %s", reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "Error renewing token: the reply is empty");
	return print_secret(cli, reply.json);
}

/* Flags and arguments that do not go together. */
static int check_revoke(const struct cli *cli)
{
	bool self = flag_true(cli, FLAG_SELF), accessor = flag_true(cli, FLAG_ACCESSOR);
	const char *mode = flag_or_empty(cli, FLAG_MODE);

	if (self && cli->n_args > 0)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments with -self (expected 0, got %d)", cli->n_args);
	if (!self && cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 1 or -self, got %d)", cli->n_args);
	if (!self && cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Not enough arguments (expected 1 or -self, got %d)", cli->n_args);
	if (self && accessor)
		return ui_fail(cli, CLI_LOCAL, "Cannot use -self with -accessor!");
	if (self && *mode)
		return ui_fail(cli, CLI_LOCAL, "Cannot use -self with -mode!");
	if (accessor && (streq(mode, "orphan") || streq(mode, "path")))
		return ui_fail(cli, CLI_LOCAL, "Cannot use -accessor with -mode=%s!", mode);
	return CLI_OK;
}

static int send_revoke(struct cli *cli, struct value *body, struct reply *reply)
{
	const char *mode = flag_or_empty(cli, FLAG_MODE);
	AUTO_FREE char *prefix = NULL;

	if (flag_true(cli, FLAG_SELF))
		return client_send(cli, "PUT", "auth/token/revoke-self", NULL, NULL, reply);
	if (flag_true(cli, FLAG_ACCESSOR))
		return client_send(cli, "POST", "auth/token/revoke-accessor", NULL, body, reply);
	if (streq(mode, "orphan"))
		return client_send(cli, "PUT", "auth/token/revoke-orphan", NULL, body, reply);
	if (streq(mode, "path")) {
		prefix = text_of("sys/leases/revoke-prefix/%s", value_get_text(body, "token"));
		return client_send(cli, "PUT", prefix, NULL, NULL, reply);
	}
	return client_send(cli, "PUT", "auth/token/revoke", NULL, body, reply);
}

int verb_token_revoke(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_REPLY struct reply reply = { 0 };
	const char *mode = flag_or_empty(cli, FLAG_MODE);
	int r = check_revoke(cli);

	if (r == CLI_OK && *mode && !streq(mode, "orphan") && !streq(mode, "path"))
		return ui_fail(cli, CLI_LOCAL, "Invalid mode: %s", mode);
	if (r == CLI_OK && cli->n_args > 0)
		r = put_token(cli, 0, body, flag_true(cli, FLAG_ACCESSOR) ? "accessor" : "token");
	if (r != CLI_OK)
		return r;
	if (send_revoke(cli, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error revoking token: %s", reply.error);
	ui_output("Success! Revoked token (if it existed)");
	return CLI_OK;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp((*(struct value *const *)a)->text, (*(struct value *const *)b)->text);
}

/* The texts of LIST in their order, ", " between them. */
static void print_capabilities(struct value *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!list->items[i]->text)
			return;
	}
	qsort(list->items, list->n, sizeof(*list->items), compare_texts);
	for (size_t i = 0; i < list->n; i++)
		printf("%s%s", i > 0 ? ", " : "", list->items[i]->text);
	putchar('\n');
}

int verb_token_capabilities(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_REPLY struct reply reply = { 0 };
	bool accessor = flag_true(cli, FLAG_ACCESSOR);
	const char *path = "sys/capabilities-self";
	struct value *list;
	int r = CLI_OK;

	if (accessor && cli->n_args != 2)
		return ui_fail(cli, CLI_LOCAL, "%s arguments with -accessor (expected 2, got %d)",
		    cli->n_args < 2 ? "Not enough" : "Too many", cli->n_args);
	if (cli->n_args < 1 || cli->n_args > 2)
		return ui_fail(cli, CLI_LOCAL, "%s arguments (expected 1-2, got %d)",
		    cli->n_args < 1 ? "Not enough" : "Too many", cli->n_args);
	if (cli->n_args == 2 && *cli->args[0]) {
		path = accessor ? "sys/capabilities-accessor" : "sys/capabilities";
		r = put_token(cli, 0, body, accessor ? "accessor" : "token");
	}
	if (r != CLI_OK)
		return r;
	value_set(body, "path", value_string(cli->args[cli->n_args - 1]));
	if (client_secret(cli, "POST", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error listing capabilities: %s", reply.error);
	list = value_get(value_get(reply.json, "data"), "capabilities");
	if (!value_is(list, VALUE_LIST))
		return ui_fail(cli, CLI_LOCAL, "No capabilities found");
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, list);
	print_capabilities(list);
	return CLI_OK;
}
