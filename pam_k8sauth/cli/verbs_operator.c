/* SPDX-License-Identifier: Apache-2.0 */
/* operator init, unseal, seal, rotate, key-status, step-down. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#define SHARE_MAX 1024

static int ask_share(const struct cli *cli, const char *what, bool dash, char **ret)
{
	AUTO_BUF struct buf text = BUF_MAX(SHARE_MAX);
	AUTO_FREE char *wrapped = NULL;

	switch (ui_ask_hidden(stdout, "Unseal Key (will be hidden): ", &text)) {
	case 0:
		*ret = wipe_strdup(text.data ? text.data : "");
		return *ret ? CLI_OK : CLI_LOCAL;
	case -ENOTTY:
		wrapped = text_of("An error occurred attempting to ask for %s. The raw error message is shown below, but "
				  "usually this is because you attempted to pipe a value into the %s or you are "
				  "executing outside of a terminal (tty). %s file descriptor 0 is not a terminal",
		    what, dash ? "command" : "unseal command",
		    dash ? "If you want to pipe the value, pass \"-\" as the argument to read from stdin. The raw error "
			   "was:"
			 : "You should run the unseal command from a terminal for maximum security. If this is not an "
			   "option, the unseal key can be provided as the first argument to the unseal command. The "
			   "raw error was: ");
		return fail_wrapped(cli, CLI_LOCAL, wrapped);
	default:
		return ui_fail(cli, CLI_LOCAL, "user interrupted");
	}
}

static int read_share(const struct cli *cli, char **ret)
{
	AUTO_BUF struct buf text = BUF_MAX(SHARE_MAX);
	int r;

	if (!streq(cli->args[0], "-")) {
		*ret = wipe_strdup(trim_blanks(cli->args[0]));
		return *ret ? CLI_OK : CLI_LOCAL;
	}
	r = data_read_text("-", &text);
	if (r < 0)
		return ui_fail(cli, CLI_LOCAL, "Failed to read from stdin: %s", strerror(-r));
	*ret = wipe_strdup(text.data ? trim_blanks(text.data) : "");
	return *ret ? CLI_OK : CLI_LOCAL;
}

int take_share(const struct cli *cli, const char *operation, const struct value *status, struct value *body)
{
	const char *nonce = flag_text(cli, FLAG_NONCE);
	AUTO_WIPE_STR char *share = NULL;
	int r;

	if (!cli->n_args) {
		nonce = value_get_text(status, "nonce");
		ui_output("%s nonce: %s", operation, nonce ? nonce : "");
		r = ask_share(cli, "the unseal key", true, &share);
	} else if (!nonce || !*nonce) {
		return ui_fail(cli, CLI_LOCAL, "Missing nonce value: specify it via the -nonce flag");
	} else {
		r = read_share(cli, &share);
	}
	if (r != CLI_OK)
		return r;
	value_set(body, "key", value_string(share));
	value_set(body, "nonce", value_string(nonce ? nonce : ""));
	return CLI_OK;
}

void warn_wrapped(const struct cli *cli, const char *text)
{
	AUTO_FREE char *wrapped = wrap_text(text, 0);

	ui_warn(cli, "%s", wrapped);
}

int fail_wrapped(const struct cli *cli, int code, const char *text)
{
	AUTO_FREE char *wrapped = wrap_text(text, 0);

	return ui_fail(cli, code, "%s", wrapped);
}

static int init_status(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *shown = NULL;
	bool initialized;

	if (client_send(cli, "GET", "sys/init", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_LOCAL, "Error checking init status: %s", reply.error);
	initialized = value_get_bool(reply.json, "initialized");
	if (cli->format == FORMAT_TABLE) {
		ui_output(initialized ? "Vault is initialized" : "Vault is not initialized");
	} else {
		shown = value_ordered();
		value_set(shown, "Initialized", value_bool(initialized));
		if (print_data(cli, shown) != CLI_OK)
			return CLI_LOCAL;
	}
	return initialized ? CLI_OK : CLI_SERVER;
}

static void print_keys(const struct value *keys, const char *what)
{
	for (size_t i = 0; i < value_size(keys); i++)
		printf("%s %zu: %s\n", what, i + 1, keys->items[i]->text ? keys->items[i]->text : "");
	if (value_size(keys) > 0)
		putchar('\n');
}

/* The defaults depend on the seal: with one that opens itself, the shares are for recovery. */
static int init_body(struct cli *cli, struct value *body)
{
	AUTO_REPLY struct reply reply = { 0 };
	bool recovery;
	int r;

	cli->asking = true;
	r = client_send(cli, "GET", "sys/seal-status", NULL, NULL, &reply);
	cli->asking = false;
	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "%s", reply.error);
	recovery = value_get_bool(reply.json, "recovery_seal");
	value_set(body, "secret_shares", value_number(flag_int(cli, FLAG_KEY_SHARES, recovery ? 0 : 5)));
	value_set(body, "secret_threshold", value_number(flag_int(cli, FLAG_KEY_THRESHOLD, recovery ? 0 : 3)));
	value_set(body, "stored_shares", value_number(0));
	value_set(body, "pgp_keys", value_new(VALUE_NULL));
	value_set(body, "recovery_shares", value_number(flag_int(cli, FLAG_RECOVERY_SHARES, recovery ? 5 : 0)));
	value_set(body, "recovery_threshold", value_number(flag_int(cli, FLAG_RECOVERY_THRESHOLD, recovery ? 3 : 0)));
	value_set(body, "recovery_pgp_keys", value_new(VALUE_NULL));
	value_set(body, "root_token_pgp_key", value_string(""));
	return CLI_OK;
}

/* What scripts get. */
static int print_init_data(const struct cli *cli, const struct value *reply, const struct value *asked)
{
	static const char *const names[][2] = {
		{ "unseal_keys_b64", "keys_base64" },
		{ "unseal_keys_hex", "keys" },
		{ "unseal_shares", "secret_shares" },
		{ "unseal_threshold", "secret_threshold" },
		{ "recovery_keys_b64", "recovery_keys_base64" },
		{ "recovery_keys_hex", "recovery_keys" },
		{ "recovery_keys_shares", "recovery_shares" },
		{ "recovery_keys_threshold", "recovery_threshold" },
		{ "root_token", "root_token" },
	};
	AUTO_VALUE struct value *shown = value_ordered();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct value *value = value_get(reply, names[i][1]);

		value = value ? value : value_get(asked, names[i][1]);
		value_set(shown, names[i][0], value ? value_copy(value) : value_new(VALUE_LIST));
	}
	return print_data(cli, shown);
}

static void print_init(const struct value *reply)
{
	const char *token = value_get_text(reply, "root_token");

	print_keys(value_get(reply, "keys_base64"), "Unseal Key");
	print_keys(value_get(reply, "recovery_keys_base64"), "Recovery Key");
	printf("Initial Root Token: %s\n\nSuccess! Vault is initialized\n\n", token ? token : "");
	if (value_size(value_get(reply, "keys_base64")) > 0)
		printf("The unseal keys open the store after every restart: give each to another person.\n");
	else if (value_size(value_get(reply, "recovery_keys_base64")) > 0)
		printf("The seal of the configuration opens the store from now on. The recovery keys open nothing: they\n"
		       "say that people agree, where a root token is made, or keys are replaced. Give each to another\n"
		       "person, and back up what the seal needs, apart from the store.\n");
	else
		printf("The seal key of the configuration opens the store from now on: back it up, apart from\n"
		       "the store.\n");
	printf("The root token may do everything: make the policies and roles with it,\n"
	       "then revoke it (k8sauth token revoke -self).\n");
}

int verb_operator_init(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_ordered();
	int r;

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	r = init_body(cli, body);
	if (r != CLI_OK)
		return r;
	if (flag_true(cli, FLAG_STATUS))
		return init_status(cli);
	if (client_send(cli, "PUT", "sys/init", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error initializing: %s", reply.error);
	if (cli->format != FORMAT_TABLE)
		return print_init_data(cli, reply.json, body);
	print_init(reply.json);
	return CLI_OK;
}

/* --- unseal, seal */

int verb_operator_unseal(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_WIPE_STR char *share = NULL;
	int r;

	if (!args_between(cli, 0, 1))
		return CLI_LOCAL;
	if (flag_true(cli, FLAG_RESET)) {
		value_set(body, "reset", value_bool(true));
		if (client_send(cli, "PUT", "sys/unseal", NULL, body, &reply) < 0)
			return ui_fail(cli, CLI_SERVER, "Error resetting unseal process: %s", reply.error);
		return show_seal_status(cli, reply.json);
	}
	r = cli->n_args ? read_share(cli, &share) : ask_share(cli, "an unseal key", false, &share);
	if (r != CLI_OK)
		return r;
	value_set(body, "key", value_string(share));
	value_set(body, "reset", value_bool(false));
	value_set(body, "migrate", value_bool(flag_true(cli, FLAG_MIGRATE)));
	if (client_send(cli, "PUT", "sys/unseal", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error unsealing: %s", reply.error);
	return show_seal_status(cli, reply.json);
}

int verb_operator_seal(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "PUT", "sys/seal", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error sealing: %s", reply.error);
	ui_output("Success! Vault is sealed.");
	return CLI_OK;
}

/* --- the keys of the barrier */

/* "2026-11-26T12:51:42.487Z" as Go's RFC 822 has it; the caller frees it. */
static char *short_time(const char *text)
{
	struct tm tm = { 0 };
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return text_of("%s", text ? text : "");
	return text_of("%02d %.3s %02d %02d:%02d UTC", tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year % 100, tm.tm_hour,
	    tm.tm_min);
}

static int show_key_status(const struct cli *cli, const struct value *reply)
{
	static const char *const names[] = { "term", "install_time", "encryptions" };
	const struct value *data = value_get(reply, "data");
	AUTO_VALUE struct value *shown = value_ordered();
	AUTO_TABLE struct table table;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		value_set(shown, names[i], value_has(data, names[i]) ? value_copy(value_get(data, names[i])) : value_number(0));
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, shown);
	table_begin_bare(&table, 2);
	table_row(&table, "Key Term", text_of("%lld", value_get_number(shown, "term")));
	table_row(&table, "Install Time", short_time(value_get_text(shown, "install_time")));
	table_row(&table, "Encryption Count", text_of("%lld", value_get_number(shown, "encryptions")));
	table_print(&table);
	return CLI_OK;
}

int verb_operator_key_status(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", "sys/key-status", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error reading key status: %s", reply.error);
	return show_key_status(cli, reply.json);
}

int verb_operator_rotate(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_REPLY struct reply status = { 0 };

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "POST", "sys/rotate", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error rotating key: %s", reply.error);
	if (client_send(cli, "GET", "sys/key-status", NULL, NULL, &status) < 0)
		return ui_fail(cli, CLI_SERVER, "Error reading key status: %s", status.error);
	if (cli->format == FORMAT_TABLE)
		ui_output("Success! Rotated key\n");
	return show_key_status(cli, status.json);
}
