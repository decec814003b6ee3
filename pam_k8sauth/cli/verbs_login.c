/* SPDX-License-Identifier: Apache-2.0 */
/* login: by a token, or by the JWT of a Kubernetes service account; the token is kept for later commands. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#define TOKEN_MAX 65536

/* Asks at the terminal without showing what is typed. CLI_OK, or CLI_SERVER after the reason was printed. */
static int ask_token(const struct cli *cli, struct buf *ret)
{
	switch (ui_ask_hidden(stderr, "Token (will be hidden): ", ret)) {
	case 0:
		return CLI_OK;
	case -ENOTTY:
		return ui_fail(cli, CLI_SERVER,
		    "Error authenticating: An error occurred attempting to ask for a token. The raw error message is "
		    "shown "
		    "below, but usually this is because you attempted to pipe a value into the command or you are "
		    "executing outside of a terminal (tty). If you want to pipe the value, pass \"-\" as the argument "
		    "to "
		    "read from stdin. The raw error was: file descriptor 0 is not a terminal");
	default:
		return ui_fail(cli, CLI_SERVER, "Error authenticating: user interrupted");
	}
}

/* What a login by token shows: what is known of the token, in the form of a login's reply. */
static struct value *as_login(const struct value *looked_up)
{
	const struct value *data = value_get(looked_up, "data"), *meta = value_get(data, "meta");
	const struct value *policies = value_get(data, "policies");
	const char *token = value_get_text(data, "id"), *accessor = value_get_text(data, "accessor");
	struct value *secret = value_new(VALUE_MAP), *auth = value_new(VALUE_MAP);

	value_set(auth, "client_token", value_string(token ? token : ""));
	value_set(auth, "accessor", value_string(accessor ? accessor : ""));
	value_set(auth, "policies", policies ? value_copy(policies) : value_new(VALUE_NULL));
	value_set(auth, "token_policies", policies ? value_copy(policies) : value_new(VALUE_NULL));
	value_set(auth, "metadata", meta ? value_copy(meta) : value_new(VALUE_NULL));
	value_set(auth, "lease_duration", value_number(value_get_number(data, "ttl")));
	value_set(auth, "renewable", value_bool(value_get_bool(data, "renewable")));
	value_set(secret, "auth", auth);
	return secret;
}

static int login_by_token(struct cli *cli, const struct value *config, struct value **ret)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_BUF struct buf asked = BUF_MAX(TOKEN_MAX);
	const char *token = value_get_text(config, "token");

	if (!token) {
		int r = ask_token(cli, &asked);

		if (r != CLI_OK)
			return r;
		token = asked.data ? asked.data : "";
	}
	if (!token[strspn(token, " \t\r\n")])
		return ui_fail(cli, CLI_SERVER,
		    "Error authenticating: a token must be passed to auth, please view the help for more information");
	client_set_token(cli->client, token);
	client_no_wrapping(cli->client);
	if (client_secret(cli, "GET", "auth/token/lookup-self", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error authenticating: error looking up token: %s", reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "Error authenticating: empty response from lookup-self");
	*ret = as_login(reply.json);
	return CLI_OK;
}

static int login_by_jwt(struct cli *cli, const struct value *config, struct value **ret)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_copy(config);
	AUTO_FREE char *mount = text_of("%s", flag_given(cli, FLAG_PATH) ? flag_text(cli, FLAG_PATH) : "kubernetes");
	AUTO_FREE char *path = NULL;
	const char *jwt = value_get_text(body, "jwt");

	if (!jwt || !value_get_text(body, "role"))
		return ui_fail(
		    cli, CLI_LOCAL, "Error authenticating: a Kubernetes login needs role=NAME and jwt=@FILE");
	/* A file ends in a newline; a JWT has no blanks. */
	jwt += strspn(jwt, " \t\r\n");
	value_set(body, "jwt", value_string_n(jwt, strcspn(jwt, " \t\r\n")));
	path = text_of("auth/%s/login", trim_path(mount));
	client_set_token(cli->client, "");
	if (client_secret(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error authenticating: %s", reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "Vault returned an empty secret");
	*ret = TAKE_PTR(reply.json);
	return CLI_OK;
}

/* A wrapped reply is opened, unless only the wrapping token is wanted. */
static int unwrap(struct cli *cli, struct value **secret)
{
	AUTO_REPLY struct reply reply = { 0 };
	const char *token = value_get_text(value_get(*secret, "wrap_info"), "token");

	if (!token)
		return CLI_OK;
	client_set_token(cli->client, token);
	client_no_wrapping(cli->client);
	if (client_secret(cli, "PUT", "sys/wrapping/unwrap", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error extracting token: %s", reply.error);
	value_free(*secret);
	*secret = TAKE_PTR(reply.json);
	return CLI_OK;
}

static int store(struct cli *cli, const char *token)
{
	int r = token_file_write(token);

	if (r < 0)
		return ui_fail(cli, CLI_SERVER,
		    "Error storing token: %s\n\nAuthentication was successful, but the token was not persisted. The "
		    "resulting token\nis shown below for your records.",
		    strerror(-r));
	if (getenv("VAULT_TOKEN") && *getenv("VAULT_TOKEN")) {
		AUTO_FREE char *text = wrap_text(
		    "WARNING! The VAULT_TOKEN environment variable is set! The value of this variable will take "
		    "precedence; if this is unwanted please unset VAULT_TOKEN or update its value accordingly.",
		    0);

		ui_warn(cli, "%s\n", text);
	}
	return CLI_OK;
}

/* Keeps the token of SECRET and prints what was asked for. */
static int finish(struct cli *cli, const struct value *secret)
{
	const char *token = value_get_text(value_get(secret, "auth"), "client_token");
	bool only = flag_true(cli, FLAG_TOKEN_ONLY);
	AUTO_FREE char *text = NULL;
	int r;

	if (!token)
		return ui_fail(cli, CLI_SERVER,
		    "Vault returned a secret, but the secret has no authentication information\nattached. This should "
		    "never happen and is likely a bug.");
	if (!flag_true(cli, FLAG_NO_STORE) && !only) {
		r = store(cli, token);
		if (r != CLI_OK) {
			print_whole_secret(cli, secret);
			return r;
		}
	} else if (!only) {
		text = wrap_text(
		    "The token was not stored in token helper. Set the VAULT_TOKEN environment variable or pass "
		    "the token below with each request to Vault.",
		    0);
		ui_warn(cli, "%s\n", text);
	}
	if (flag_true(cli, FLAG_NO_PRINT))
		return CLI_OK;
	if (only)
		cli->field = "token";
	if (cli->field)
		return print_secret_field(cli, secret);
	if (cli->format == FORMAT_TABLE)
		ui_output("Success! You are now authenticated. The token information displayed below\n"
			  "is already stored in the token helper. You do NOT need to run \"k8sauth login\"\n"
			  "again. Future Vault requests will automatically use this token.\n");
	return print_whole_secret(cli, secret);
}

/* "-" and a bare word are a token. */
static int read_config(struct cli *cli, bool by_token, struct value **ret)
{
	AUTO_BUF struct buf text = { 0 };
	int r;

	cli->data_error = "Error parsing configuration";
	if (!by_token || cli->n_args == 0 || strchr(cli->args[0], '='))
		return data_read(cli, cli->args, cli->n_args, ret);
	r = data_read(cli, cli->args + 1, cli->n_args - 1, ret);
	if (r != CLI_OK)
		return r;
	if (streq(cli->args[0], "-")) {
		r = data_read_text("-", &text);
		if (r < 0)
			return ui_fail(cli, CLI_LOCAL, "Error parsing configuration: %s", strerror(-r));
	}
	value_set(*ret, "token", value_string(text.data ? text.data : streq(cli->args[0], "-") ? "" : cli->args[0]));
	return CLI_OK;
}

int verb_login(struct cli *cli)
{
	AUTO_VALUE struct value *config = NULL;
	AUTO_VALUE struct value *secret = NULL;
	const char *method = *flag_or_empty(cli, FLAG_METHOD) ? flag_text(cli, FLAG_METHOD) : "token";
	bool by_token = streq(method, "token");
	int r;

	if (flag_true(cli, FLAG_NO_STORE) && flag_true(cli, FLAG_NO_PRINT))
		return ui_fail(cli, CLI_LOCAL, "-no-store and -no-print cannot be used together");
	if (!by_token && !streq(method, "kubernetes")) {
		AUTO_FREE char *text = text_of(
		    "Unknown auth method: %s. Use \"k8sauth auth list\" to see the complete list of "
		    "auth methods. Additionally, some auth methods are only available via the HTTP API.",
		    method);
		AUTO_FREE char *wrapped = wrap_text(text, 0);

		return ui_fail(cli, CLI_LOCAL, "%s", wrapped);
	}
	r = read_config(cli, by_token, &config);
	if (r == CLI_OK)
		r = by_token ? login_by_token(cli, config, &secret) : login_by_jwt(cli, config, &secret);
	if (r == CLI_OK && !flag_true(cli, FLAG_TOKEN_ONLY) && !client_wraps(cli->client))
		r = unwrap(cli, &secret);
	if (r != CLI_OK)
		return r;
	if (value_has(secret, "wrap_info"))
		return print_secret(cli, secret);
	return finish(cli, secret);
}
