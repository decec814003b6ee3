/* SPDX-License-Identifier: Apache-2.0 */
/* operator generate-root: a root token by key shares, hidden by a one-time password. */
#include <stdio.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#define ATTEMPT	  "sys/generate-root/attempt"
#define TOKEN_MAX 256

static int show(const struct cli *cli, const struct value *status)
{
	static const char *const names[] = { "nonce", "started", "progress", "required", "complete", "encoded_token",
		"encoded_root_token", "pgp_fingerprint", "otp", "otp_length" };
	static const struct {
		const char *member, *title;
	} texts[] = { { "encoded_token", "Encoded Token" }, { "otp", "OTP" } };
	const char *nonce = value_get_text(status, "nonce");
	AUTO_VALUE struct value *shown = value_ordered();
	AUTO_TABLE struct table table;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (value_get(status, names[i]))
			value_set(shown, names[i], value_copy(value_get(status, names[i])));
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, shown);
	table_begin_bare(&table, 2);
	table_row(&table, "Nonce", text_of("%s", nonce ? nonce : ""));
	table_row(&table, "Started", text_of("%s", value_get_bool(status, "started") ? "true" : "false"));
	table_row(&table, "Progress",
	    text_of("%lld/%lld", value_get_number(status, "progress"), value_get_number(status, "required")));
	table_row(&table, "Complete", text_of("%s", value_get_bool(status, "complete") ? "true" : "false"));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = value_get_text(status, texts[i].member);

		if (text && *text)
			table_row(&table, texts[i].title, text_of("%s", text));
	}
	if (value_get_number(status, "otp_length"))
		table_row(&table, "OTP Length", text_of("%lld", value_get_number(status, "otp_length")));
	table_print(&table);
	return CLI_OK;
}

static int get_status(struct cli *cli, struct reply *ret)
{
	if (client_send(cli, "GET", ATTEMPT, NULL, NULL, ret) < 0)
		return ui_fail(cli, CLI_SERVER, "Error getting root generation status: %s", ret->error);
	return CLI_OK;
}

/* A value alone, as -field prints one; as a map of NAME for scripts. */
static int print_one(const struct cli *cli, const char *name, const char *text, long long length)
{
	AUTO_VALUE struct value *shown = value_ordered();

	if (cli->format == FORMAT_TABLE) {
		ui_write(text, strlen(text));
		if (ui_is_terminal())
			ui_write("\n", 1);
		return CLI_OK;
	}
	value_set(shown, name, value_string(text));
	if (length)
		value_set(shown, "otp_length", value_number(length));
	return print_data(cli, shown);
}

/* --- what needs no shares */

/* Go's base64 without padding: the place of the first fault, or -1. */
static long fault_of(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

	return text[len] ? (long)len : len % 4 == 1 ? (long)len - 1 : -1;
}

static int decode(const struct cli *cli, const char *encoded, const char *otp)
{
	static const char *const padding[] = { "", "", "==", "=" };
	size_t len = strlen(encoded);
	AUTO_BUF struct buf padded = { 0 };
	char token[TOKEN_MAX + 4];
	ssize_t n;
	int r;

	if (fault_of(encoded) >= 0 || len > TOKEN_MAX)
		return ui_fail(cli, CLI_LOCAL,
		    "Error decoding root token: error decoding base64'd token: illegal base64 data at input byte %ld",
		    fault_of(encoded) >= 0 ? fault_of(encoded) : (long)TOKEN_MAX);
	buf_add_str(&padded, encoded);
	buf_add_str(&padded, padding[len % 4]);
	n = padded.failed ? -1 : base64_decode(padded.data, padded.len, token);
	if (n < 0)
		return ui_fail(cli, CLI_LOCAL, "Error decoding root token: its last character is not one of base64");
	if ((size_t)n != strlen(otp))
		return ui_fail(cli, CLI_LOCAL,
		    "Error decoding root token: error xoring token: length of byte slices is not equivalent: %zd != %zu",
		    n, strlen(otp));
	for (ssize_t i = 0; i < n; i++)
		token[i] ^= otp[i];
	token[n] = '\0';
	r = print_one(cli, "token", token, 0);
	wipe(token, sizeof(token));
	return r;
}

static int generate_otp(struct cli *cli)
{
	AUTO_REPLY struct reply status = { 0 };
	char otp[TOKEN_MAX + 1];
	long long length;
	int r = get_status(cli, &status);

	if (r != CLI_OK)
		return r;
	length = value_get_number(status.json, "otp_length");
	if (length < 1 || length > TOKEN_MAX)
		return ui_fail(cli, CLI_SERVER, "The server does not say how long a one-time password must be");
	random_base62(otp, (size_t)length);
	r = print_one(cli, "otp", otp, length);
	wipe(otp, sizeof(otp));
	return r;
}

static int begin(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_REPLY struct reply reply = { 0 };
	const char *otp;

	value_set(body, "otp", value_string(flag_or_empty(cli, FLAG_OTP)));
	value_set(body, "pgp_key", value_string(""));
	if (client_send(cli, "PUT", ATTEMPT, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error initializing root generation: %s", reply.error);
	otp = value_get_text(reply.json, "otp");
	if (otp && *otp && cli->format == FORMAT_TABLE) {
		warn_wrapped(cli, "A One-Time-Password has been generated for you and is shown in the OTP field.");
		warn_wrapped(
		    cli, "You will need this value to decode the resulting root token, so keep it safe.");
	}
	return show(cli, reply.json);
}

static int cancel(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };

	if (client_send(cli, "DELETE", ATTEMPT, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error canceling root token generation: %s", reply.error);
	ui_output("Success! Root token generation canceled (if it was started)");
	return CLI_OK;
}

/* --- shares */

static int not_begun(const struct cli *cli, const struct value *status)
{
	AUTO_FREE char *text = text_of("If starting root generation using the OTP method and generating your own OTP, the "
				       "length of the OTP string needs to be %lld characters in length.",
	    value_get_number(status, "otp_length"));

	fail_wrapped(cli, CLI_LOCAL,
	    "No root generation is in progress. Start a root generation by running \"k8sauth operator generate-root "
	    "-init\".");
	warn_wrapped(cli, text);
	return CLI_LOCAL;
}

static int provide(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_REPLY struct reply status = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	int r = get_status(cli, &status);

	if (r != CLI_OK)
		return r;
	if (!value_get_bool(status.json, "started"))
		return not_begun(cli, status.json);
	r = take_share(cli, "Operation", status.json, body);
	if (r != CLI_OK)
		return r;
	if (client_send(cli, "PUT", "sys/generate-root/update", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error posting unseal key: %s", reply.error);
	return show(cli, reply.json);
}

int verb_operator_generate_root(struct cli *cli)
{
	AUTO_REPLY struct reply status = { 0 };
	const char *encoded = flag_or_empty(cli, FLAG_DECODE);
	int r;

	if (*encoded) {
		if (!*flag_or_empty(cli, FLAG_OTP))
			return ui_fail(cli, CLI_LOCAL, "Missing otp: use -otp to supply it");
		return decode(cli, encoded, flag_text(cli, FLAG_OTP));
	}
	if (flag_true(cli, FLAG_GENERATE_OTP))
		return generate_otp(cli);
	if (flag_true(cli, FLAG_CANCEL))
		return cancel(cli);
	if (flag_true(cli, FLAG_INIT))
		return begin(cli);
	if (flag_true(cli, FLAG_STATUS)) {
		r = get_status(cli, &status);
		return r == CLI_OK ? show(cli, status.json) : r;
	}
	if (cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 0-1, got %d)", cli->n_args);
	return provide(cli);
}
