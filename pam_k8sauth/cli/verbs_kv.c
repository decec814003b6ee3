/* SPDX-License-Identifier: Apache-2.0 */
/* Key-value secrets: get, put, list, delete, undelete, destroy, enable-versioning. */
#include <stdio.h>

#include "cli/kv.h"
#include "cli/verbs.h"

/* Data of a write: the arguments after the path. */
static int read_pairs(struct cli *cli, struct value **ret)
{
	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Not enough arguments (expected >1, got %d)", cli->n_args);
	if (cli->n_args == 1)
		return ui_fail(cli, CLI_LOCAL, "Must supply data");
	return data_read(cli, cli->args + 1, cli->n_args - 1, ret);
}

int verb_kv_put(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_FREE char *path = NULL;
	int r = read_pairs(cli, &body);

	if (r == CLI_OK)
		r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	path = kv_api_path(&place, "data");
	if (place.v2) {
		struct value *data = body, *options = value_new(VALUE_MAP);

		if (flag_int(cli, FLAG_CAS, -1) > -1)
			value_set(options, "cas", value_number(flag_int(cli, FLAG_CAS, -1)));
		body = value_new(VALUE_MAP);
		value_set(body, "data", data);
		value_set(body, "options", options);
	}
	if (client_secret(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	if (!reply.json)
		return kv_written(cli, path, &reply);
	if (cli->field || cli->format != FORMAT_TABLE || value_has(reply.json, "wrap_info"))
		return print_secret(cli, reply.json);
	print_path_title("Secret Path", path);
	print_map_title("Metadata", value_get(reply.json, "data"));
	return print_data(cli, value_get(reply.json, "data"));
}

static int print_get(const struct cli *cli, const struct kv_place *place, const char *path, const struct value *secret)
{
	const struct value *data = value_get(secret, "data"), *metadata = value_get(data, "metadata");
	const struct value *values = place->v2 ? value_get(data, "data") : data;

	/* As Vault's: with VAULT_WRAP_TTL, not with the flag. */
	if (cli->field && value_has(secret, "wrap_info") && !flag_given(cli, FLAG_WRAP_TTL))
		return print_secret_field(cli, secret);
	if (cli->field && place->v2 && !value_has(data, "data"))
		return ui_fail(cli, CLI_SERVER, "No data found at %s", path);
	if (cli->field && place->v2)
		return print_field(cli, values);
	if (cli->field)
		return print_secret_field(cli, secret);
	if (value_has(secret, "wrap_info") || cli->format != FORMAT_TABLE)
		return print_whole_secret(cli, secret);
	print_warnings(cli, secret);
	if (place->v2)
		print_path_title("Secret Path", path);
	if (value_is(metadata, VALUE_MAP)) {
		print_map_title("Metadata", metadata);
		print_data(cli, metadata);
		ui_output("%s", "");
	}
	if (value_is(values, VALUE_MAP)) {
		print_map_title("Data", values);
		print_data(cli, values);
	}
	return CLI_OK;
}

int verb_kv_get(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *query = NULL;
	int r;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	path = kv_api_path(&place, "data");
	if (place.v2 && flag_int(cli, FLAG_VERSION, 0) > 0)
		query = text_of("version=%lld", flag_int(cli, FLAG_VERSION, 0));
	if (client_secret(cli, "GET", path, query, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error reading %s: %s", path, reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "No value found at %s", path);
	return print_get(cli, &place, path, reply.json);
}

int verb_kv_list(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_FREE char *path = NULL;
	char *args[2] = { 0 };
	int r;

	/* -mount alone is enough: its root. */
	if (cli->n_args > 1 || !flag_given(cli, FLAG_MOUNT)) {
		if (!args_between(cli, 1, 1))
			return CLI_LOCAL;
	}
	r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	path = kv_api_path(&place, "metadata");
	args[0] = path;
	cli->args = args;
	cli->n_args = 1;
	return verb_list(cli);
}

int verb_kv_delete(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *shown = NULL;
	bool listed = flag_given(cli, FLAG_VERSIONS);
	int r;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	shown = kv_api_path(&place, "data");
	path = kv_api_path(&place, place.v2 && listed ? "delete" : "data");
	if (place.v2 && listed) {
		body = kv_versions(cli);
		r = client_secret(cli, "PUT", path, NULL, body, &reply);
	} else {
		r = client_secret(cli, "DELETE", path, NULL, NULL, &reply);
	}
	if (r < 0) {
		ui_fail(cli, CLI_SERVER, "Error deleting %s: %s", shown, reply.error);
		return show_not_found(cli, &reply);
	}
	if (reply.json)
		return print_secret(cli, reply.json);
	if (cli->format == FORMAT_TABLE)
		ui_output("Success! Data deleted (if it existed) at: %s", shown);
	return CLI_OK;
}

/* Undeletes or destroys (FOLDER) the versions that are named. */
static int change_versions(struct cli *cli, const char *folder, const char *name)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_FREE char *path = NULL;
	int r;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	if (!flag_given(cli, FLAG_VERSIONS))
		return ui_fail(cli, CLI_LOCAL,
		    "No versions provided, use the \"-versions\" flag to specify the version to %s.", folder);
	r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	if (!place.v2)
		return ui_fail(cli, CLI_LOCAL, "%s not supported on KV Version 1", name);
	path = kv_api_path(&place, folder);
	body = kv_versions(cli);
	if (client_secret(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	return kv_written(cli, path, &reply);
}

int verb_kv_undelete(struct cli *cli)
{
	return change_versions(cli, "undelete", "Undelete");
}

int verb_kv_destroy(struct cli *cli)
{
	return change_versions(cli, "destroy", "Destroy");
}

int verb_kv_enable_versioning(struct cli *cli)
{
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_REPLY struct reply reply = { 0 };
	struct value *options = value_new(VALUE_MAP);
	AUTO_FREE char *path = NULL;
	char *mount;

	value_set(options, "version", value_string("2"));
	value_set(body, "options", options);
	value_set(body, "default_lease_ttl", value_string(""));
	value_set(body, "max_lease_ttl", value_string(""));
	value_set(body, "force_no_cache", value_bool(false));
	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	mount = trim_path(cli->args[0]);
	path = text_of("sys/mounts/%s/tune", mount);
	if (client_send(cli, "POST", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error tuning secrets engine %s/: %s", mount, reply.error);
	ui_output("Success! Tuned the secrets engine at: %s/", mount);
	return CLI_OK;
}
