/* SPDX-License-Identifier: Apache-2.0 */
/* operator rekey: begun, given up, shares of the old key, shares of the new one. */
#include <stdio.h>

#include "base/secret.h"
#include "cli/cli.h"
#include "cli/verbs.h"

/* The path of STEP ("init"), for the key that is meant; the caller frees it. */
static char *path_of(const struct cli *cli, const char *step)
{
	const char *target = flag_or_empty(cli, FLAG_TARGET);

	return text_of("sys/rekey%s/%s", streq(target, "recovery") || streq(target, "hsm") ? "-recovery-key" : "", step);
}

static void add_number(struct table *table, const char *name, const struct value *status, const char *member)
{
	table_row(table, name, text_of("%lld", value_get_number(status, member)));
}

static void add_text(struct table *table, const char *name, const struct value *status, const char *member)
{
	const char *text = value_get_text(status, member);

	table_row(table, name, text_of("%s", text ? text : ""));
}

static void add_bool(struct table *table, const char *name, const struct value *status, const char *member)
{
	table_row(table, name, text_of("%s", value_get_bool(status, member) ? "true" : "false"));
}

static int show_structured(const struct cli *cli, const struct value *status, const char *const *names, size_t n)
{
	AUTO_VALUE struct value *shown = value_ordered();

	for (size_t i = 0; i < n; i++) {
		const struct value *value = value_get(status, names[i]);

		value_set(shown, names[i], value ? value_copy(value) : value_string(""));
	}
	return print_data(cli, shown);
}

static int show_status(const struct cli *cli, const struct value *status)
{
	static const char *const head[] = { "Key", "Value" };
	static const char *const names[] = { "nonce", "started", "t", "n", "progress", "required", "pgp_fingerprints",
		"backup", "verification_required", "verification_nonce" };
	const char *verification = value_get_text(status, "verification_nonce");
	AUTO_TABLE struct table table;

	if (cli->format != FORMAT_TABLE)
		return show_structured(cli, status, names, ARRAY_SIZE(names));
	table_begin(&table, 2, head);
	add_text(&table, "Nonce", status, "nonce");
	add_bool(&table, "Started", status, "started");
	if (value_get_bool(status, "started")) {
		table_row(&table, "Rekey Progress",
		    text_of("%lld/%lld", value_get_number(status, "progress"), value_get_number(status, "required")));
		add_number(&table, "New Shares", status, "n");
		add_number(&table, "New Threshold", status, "t");
		add_bool(&table, "Verification Required", status, "verification_required");
		if (verification && *verification)
			add_text(&table, "Verification Nonce", status, "verification_nonce");
	}
	table_print(&table);
	return CLI_OK;
}

static int show_verification(const struct cli *cli, const struct value *status)
{
	static const char *const head[] = { "Key", "Value" };
	static const char *const names[] = { "nonce", "started", "t", "n", "progress" };
	AUTO_TABLE struct table table;

	if (cli->format != FORMAT_TABLE)
		return show_structured(cli, status, names, ARRAY_SIZE(names));
	table_begin(&table, 2, head);
	add_bool(&table, "Started", status, "started");
	add_number(&table, "New Shares", status, "n");
	add_number(&table, "New Threshold", status, "t");
	add_text(&table, "Verification Nonce", status, "nonce");
	table_row(&table, "Verification Progress",
	    text_of("%lld/%lld", value_get_number(status, "progress"), value_get_number(status, "t")));
	table_print(&table);
	return CLI_OK;
}

static int show_either(const struct cli *cli, bool verify, const struct value *status)
{
	return verify ? show_verification(cli, status) : show_status(cli, status);
}

static int print_status(struct cli *cli, bool verify)
{
	AUTO_FREE char *path = path_of(cli, verify ? "verify" : "init");
	AUTO_REPLY struct reply reply = { 0 };

	if (client_send(cli, "GET", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error reading rekey status: %s", reply.error);
	return show_either(cli, verify, reply.json);
}

static int cancel(struct cli *cli)
{
	bool verify = flag_true(cli, FLAG_VERIFY);
	AUTO_FREE char *path = path_of(cli, verify ? "verify" : "init");
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_REPLY struct reply reply = { 0 };
	const char *nonce = flag_text(cli, FLAG_NONCE);

	if (nonce)
		value_set(body, "nonce", value_string(nonce));
	if (client_send(cli, "DELETE", path, NULL, nonce && !verify ? body : NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error canceling rekey: %s", reply.error);
	ui_output("Success! Canceled rekeying (if it was started)");
	return CLI_OK;
}

static int begin(struct cli *cli)
{
	AUTO_FREE char *path = path_of(cli, "init");
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_REPLY struct reply reply = { 0 };

	value_set(body, "secret_shares", value_number(flag_int(cli, FLAG_KEY_SHARES, 5)));
	value_set(body, "secret_threshold", value_number(flag_int(cli, FLAG_KEY_THRESHOLD, 3)));
	value_set(body, "require_verification", value_bool(flag_true(cli, FLAG_VERIFY)));
	if (client_send(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error initializing rekey: %s", reply.error);
	if (cli->format == FORMAT_TABLE) {
		ui_warn(cli, "WARNING! If you lose the keys after they are returned, there is no recovery.");
		ui_output("%s", "");
	}
	return show_status(cli, reply.json);
}

/* --- shares */

/* What becomes of the new shares. */
static void tell_new_keys(const struct cli *cli, const struct value *status, bool verify)
{
	bool recovery = *flag_or_empty(cli, FLAG_TARGET) == 'r';
	long long n = value_get_number(status, "n"), t = value_get_number(status, "t");
	AUTO_FREE char *text = NULL, *wrapped = NULL;

	if (verify)
		text = text_of("Vault has created a new %s key, split into %lld key shares and a key threshold of %lld. "
			       "These will not be active until after verification is complete. Please securely distribute "
			       "the key shares printed above.%s",
		    recovery ? "recovery" : "unseal", n, t, "");
	else
		text = text_of("Vault %s keys rekeyed with %lld key shares and a key threshold of %lld. Please securely "
			       "distribute the key shares printed above.",
		    recovery ? "recovery" : "unseal", n, t);
	if (!recovery) {
		char *longer = text_of("%s When Vault is re-sealed, restarted, or stopped, you must supply at least %lld "
				       "of these keys to unseal it before it can start servicing requests.",
		    text, t);

		free(text);
		text = longer;
	}
	wrapped = wrap_text(text, 0);
	ui_output("%s", wrapped);
}

static int print_keys(struct cli *cli, const struct value *status, const struct value *reply)
{
	static const char *const names[] = { "nonce", "complete", "keys", "keys_base64", "pgp_fingerprints", "backup",
		"verification_required", "verification_nonce" };
	bool verify = value_get_bool(status, "verification_required");
	const struct value *keys = value_get(reply, "keys_base64");
	const char *nonce = value_get_text(reply, "nonce");

	if (cli->format != FORMAT_TABLE)
		return show_structured(cli, reply, names, verify ? ARRAY_SIZE(names) : ARRAY_SIZE(names) - 1);
	ui_output("%s", "");
	for (size_t i = 0; i < value_size(keys); i++)
		ui_output("Key %zu: %s", i + 1, keys->items[i]->text ? keys->items[i]->text : "");
	ui_output("\nOperation nonce: %s\n", nonce ? nonce : "");
	tell_new_keys(cli, status, verify);
	if (!verify)
		return CLI_OK;
	ui_output("%s", "");
	warn_wrapped(cli,
	    "Again, these key shares are _not_ valid until verification is performed. Do not lose or discard your "
	    "current key shares until after verification is complete or you will be unable to unseal Vault. If you "
	    "cancel the rekey process or seal Vault before verification is complete the new shares will be discarded "
	    "and the current shares will remain valid.");
	ui_output("%s", "");
	warn_wrapped(cli, "The current verification status, including initial nonce, is shown below.");
	ui_output("%s", "");
	return print_status(cli, true);
}

static int provide(struct cli *cli)
{
	bool verify = flag_true(cli, FLAG_VERIFY);
	AUTO_FREE char *status_path = path_of(cli, verify ? "verify" : "init");
	AUTO_FREE char *path = path_of(cli, verify ? "verify" : "update");
	AUTO_REPLY struct reply status = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_ordered();
	int r;

	if (client_send(cli, "GET", status_path, NULL, NULL, &status) < 0)
		return ui_fail(cli, CLI_SERVER, "Error getting rekey status: %s", status.error);
	if (!value_get_bool(status.json, "started"))
		return fail_wrapped(cli, CLI_LOCAL,
		    "No rekey is in progress. Start a rekey process by running \"k8sauth operator rekey -init\".");
	r = take_share(cli, "Rekey operation", status.json, body);
	if (r != CLI_OK)
		return r;
	if (client_send(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error posting unseal key: %s", reply.error);
	if (!value_get_bool(reply.json, "complete"))
		return show_either(cli, verify, reply.json);
	if (!verify)
		return print_keys(cli, status.json, reply.json);
	ui_output("Rekey verification successful. The rekey operation is complete and the new\nkeys are now active.");
	return CLI_OK;
}

int verb_operator_rekey(struct cli *cli)
{
	const char *target = flag_or_empty(cli, FLAG_TARGET);

	if (*target && !streq(target, "barrier") && !streq(target, "recovery") && !streq(target, "hsm"))
		return ui_fail(cli, CLI_LOCAL, "Unknown target: %s", target);
	if (flag_true(cli, FLAG_CANCEL))
		return cancel(cli);
	if (flag_true(cli, FLAG_INIT))
		return begin(cli);
	if (flag_true(cli, FLAG_STATUS))
		return print_status(cli, flag_true(cli, FLAG_VERIFY));
	if (cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 0-1, got %d)", cli->n_args);
	return provide(cli);
}
