/* SPDX-License-Identifier: Apache-2.0 */
/* The plain verbs: read, write, patch, list, delete, unwrap, path-help. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/verbs.h"

static int nothing_at(const struct cli *cli, const char *path)
{
	return ui_fail(cli, CLI_SERVER, "No value found at %s", path);
}

/* The query of a read or delete: its arguments after the path. */
static int read_query(struct cli *cli, char **ret)
{
	AUTO_VALUE struct value *data = NULL;
	int r = data_read(cli, cli->args + 1, cli->n_args - 1, &data);

	if (r == CLI_OK)
		*ret = data_query(data);
	return r;
}

int verb_read(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *query = NULL;
	char *path;
	int r;

	if (!args_between(cli, 1, -1))
		return CLI_LOCAL;
	path = trim_path(cli->args[0]);
	r = read_query(cli, &query);
	if (r != CLI_OK)
		return r;
	if (cli->format == FORMAT_RAW)
		r = client_send(cli, "GET", path, query, NULL, &reply);
	else
		r = client_secret(cli, "GET", path, query, NULL, &reply);
	if (r < 0)
		return ui_fail(
		    cli, CLI_SERVER, "Error reading%s %s: %s", cli->format == FORMAT_RAW ? ":" : "", path, reply.error);
	if (cli->format == FORMAT_RAW) {
		ui_output("%s", reply.raw);
		return CLI_OK;
	}
	if (!reply.json)
		return nothing_at(cli, path);
	return print_secret(cli, reply.json);
}

/* Writes or patches, and prints what came back. */
static int put(struct cli *cli, const char *method)
{
	AUTO_VALUE struct value *data = NULL;
	AUTO_REPLY struct reply reply = { 0 };
	char *path;
	int r;

	if (!args_between(cli, 1, -1))
		return CLI_LOCAL;
	if (cli->n_args == 1 && !flag_true(cli, FLAG_FORCE))
		return ui_fail(cli, CLI_LOCAL, "Must supply data or use -force");
	path = trim_path(cli->args[0]);
	r = data_read(cli, cli->args + 1, cli->n_args - 1, &data);
	if (r != CLI_OK)
		return r;
	if (client_secret(cli, method, path, NULL, data, &reply) < 0) {
		ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
		return show_not_found(cli, &reply);
	}
	if (reply.json)
		return print_secret(cli, reply.json);
	if (cli->format == FORMAT_TABLE)
		ui_output("Success! Data written to: %s", path);
	return CLI_OK;
}

int verb_write(struct cli *cli)
{
	return put(cli, "PUT");
}

int verb_patch(struct cli *cli)
{
	client_content_type(cli->client, "application/merge-patch+json");
	return put(cli, "PATCH");
}

int verb_list(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	char *path;
	bool has_keys;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = trim_path(cli->args[0]);
	if (client_secret(cli, "GET", path, "list=true", NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error listing %s: %s", path, reply.error);
	if (value_has(reply.json, "wrap_info"))
		return print_whole_secret(cli, reply.json);
	has_keys = value_is(value_get(value_get(reply.json, "data"), "keys"), VALUE_LIST);
	if (cli->format != FORMAT_TABLE && !has_keys) {
		AUTO_VALUE struct value *empty = value_new(VALUE_MAP);

		print_data(cli, empty);
		return CLI_SERVER;
	}
	if (!reply.json)
		return nothing_at(cli, path);
	if (!value_has(reply.json, "data"))
		return print_whole_secret(cli, reply.json);
	if (!has_keys)
		return ui_fail(cli, CLI_SERVER, "No entries found at %s", path);
	return print_list(cli, reply.json);
}

int verb_delete(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *query = NULL;
	char *path;
	int r;

	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Not enough arguments (expected at least 1, got 0)");
	path = trim_path(cli->args[0]);
	cli->data_error = "Failed to parse string list data";
	r = read_query(cli, &query);
	if (r != CLI_OK)
		return r;
	if (client_secret(cli, "DELETE", path, query, NULL, &reply) < 0) {
		ui_fail(cli, CLI_SERVER, "Error deleting %s: %s", path, reply.error);
		return show_not_found(cli, &reply);
	}
	if (reply.json)
		return print_secret(cli, reply.json);
	if (cli->format == FORMAT_TABLE)
		ui_output("Success! Data deleted (if it existed) at: %s", path);
	return CLI_OK;
}

int verb_unwrap(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;

	if (cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 0-1, got %d)", cli->n_args);
	if (cli->n_args == 1) {
		body = value_new(VALUE_MAP);
		value_set(body, "token", value_string(cli->args[0]));
	} else {
		body = value_new(VALUE_NULL);
	}
	/* A 404 with data may be what was wrapped: a secret that was deleted. */
	if (client_secret(cli, "PUT", "sys/wrapping/unwrap", NULL, body, &reply) < 0 &&
	    !(reply.status == 404 && reply.json))
		return ui_fail(cli, CLI_SERVER, "Error unwrapping: %s", reply.error);
	if (!reply.json) {
		if (cli->format == FORMAT_TABLE)
			ui_output("Successfully unwrapped. There was no data in the wrapped secret.");
		return CLI_OK;
	}
	return print_secret(cli, reply.json);
}

int verb_path_help(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	const char *help;
	char *path;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = trim_path(cli->args[0]);
	if (client_send(cli, "GET", path, "help=1", NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error retrieving help: %s", reply.error);
	if (cli->format == FORMAT_JSON) {
		AUTO_FREE char *text = value_has(reply.json, "openapi")
					   ? value_json(value_get(reply.json, "openapi"), false)
					   : text_of("null");

		ui_output("%s", text);
		return CLI_OK;
	}
	help = value_get_text(reply.json, "help");
	ui_output("%s", help ? help : "");
	return CLI_OK;
}
