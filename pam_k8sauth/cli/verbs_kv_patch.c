/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to parts of a key-value secret: patch, rollback. */
#include <stdio.h>

#include "cli/kv.h"
#include "cli/verbs.h"

/* The latest version, or VERSION, before it is changed; its data and metadata are there. */
static int read_before(struct cli *cli, const char *path, long long version, struct reply *ret)
{
	AUTO_FREE char *query = version > 0 ? text_of("version=%lld", version) : NULL;
	const struct value *data;
	int r;

	cli->asking = true;
	r = client_secret(cli, "GET", path, query, NULL, ret);
	cli->asking = false;
	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "Error doing pre-read at %s: %s", path, ret->error);
	data = value_get(ret->json, "data");
	if (!ret->json || value_size(data) == 0)
		return ui_fail(cli, CLI_SERVER, "No value found at %s", path);
	if (!value_has(data, "metadata"))
		return ui_fail(cli, CLI_SERVER, "No metadata found at %s; patch only works on existing data", path);
	return CLI_OK;
}

/* {"data": DATA, "options": {"cas": CAS}}; takes DATA over. */
static struct value *versioned(struct value *data, long long cas)
{
	struct value *body = value_new(VALUE_MAP), *options = value_new(VALUE_MAP);

	if (cas > -1)
		value_set(options, "cas", value_number(cas));
	value_set(body, "data", data);
	value_set(body, "options", options);
	return body;
}

static int print_written(const struct cli *cli, const char *path, const struct reply *reply)
{
	if (!reply->json)
		return kv_written(cli, path, reply);
	if (cli->field || cli->format != FORMAT_TABLE || value_has(reply->json, "wrap_info"))
		return print_secret(cli, reply->json);
	print_path_title("Secret Path", path);
	print_map_title("Metadata", value_get(reply->json, "data"));
	return print_data(cli, value_get(reply->json, "data"));
}

/* Reads, merges and writes, for servers and policies without patch. */
static int read_then_write(struct cli *cli, const char *path, const struct value *changes)
{
	AUTO_REPLY struct reply before = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *removed = flag_list(cli, FLAG_REMOVE_DATA);
	AUTO_VALUE struct value *body = NULL;
	struct value *merged;
	long long cas = flag_int(cli, FLAG_CAS, -1);
	int r = read_before(cli, path, 0, &before);

	if (r != CLI_OK)
		return r;
	if (!value_has(value_get(before.json, "data"), "data"))
		return ui_fail(cli, CLI_SERVER, "No data found at %s; patch only works on existing data", path);
	if (cas < 0)
		cas = value_get_number(value_get(value_get(before.json, "data"), "metadata"), "version");
	merged = value_copy(value_get(value_get(before.json, "data"), "data"));
	for (size_t i = 0; i < changes->n; i++)
		value_set(merged, changes->keys[i], value_copy(changes->items[i]));
	for (size_t i = 0; i < value_size(removed); i++)
		value_set(merged, removed->items[i]->text, value_new(VALUE_NULL));
	body = versioned(merged, cas);
	if (client_secret(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	return print_written(cli, path, &reply);
}

static int merge_patch(struct cli *cli, const char *path, const struct value *changes, bool may_fall_back)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *removed = flag_list(cli, FLAG_REMOVE_DATA);
	AUTO_VALUE struct value *body = NULL;
	struct value *patch = value_copy(changes);
	int r;

	for (size_t i = 0; i < value_size(removed); i++)
		value_set(patch, removed->items[i]->text, value_new(VALUE_NULL));
	body = versioned(patch, flag_int(cli, FLAG_CAS, -1));
	client_content_type(cli->client, "application/merge-patch+json");
	r = client_secret(cli, "PATCH", path, NULL, body, &reply);
	client_content_type(cli->client, NULL);
	/* A server that knows no patch, or a policy that does not allow it. */
	if (r < 0 && may_fall_back && (reply.status == 405 || reply.status == 403))
		return read_then_write(cli, path, changes);
	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	return print_written(cli, path, &reply);
}

int verb_kv_patch(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_VALUE struct value *changes = NULL;
	AUTO_FREE char *path = NULL;
	const char *method = flag_or_empty(cli, FLAG_METHOD);
	int r;

	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Not enough arguments (expected >1, got %d)", cli->n_args);
	if (cli->n_args == 1 && !flag_given(cli, FLAG_REMOVE_DATA))
		return ui_fail(cli, CLI_LOCAL, "Must supply data");
	r = data_read(cli, cli->args + 1, cli->n_args - 1, &changes);
	if (r == CLI_OK)
		r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	if (!place.v2)
		return ui_fail(cli, CLI_SERVER, "KV engine mount must be version 2 for patch support");
	path = kv_api_path(&place, "data");
	if (streq(method, "rw"))
		return read_then_write(cli, path, changes);
	if (*method && !streq(method, "patch"))
		return ui_fail(cli, CLI_SERVER, "Unsupported method provided to -method flag: %s", method);
	return merge_patch(cli, path, changes, !*method);
}

int verb_kv_rollback(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply latest = { 0 };
	AUTO_REPLY struct reply old = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_FREE char *path = NULL;
	long long version = flag_int(cli, FLAG_VERSION, 0);
	const struct value *metadata, *data;
	int r;

	if (cli->n_args != 1)
		return ui_fail(cli, CLI_LOCAL, "Invalid number of arguments (expected 1, got %d)", cli->n_args);
	if (!flag_given(cli, FLAG_VERSION))
		return ui_fail(cli, CLI_LOCAL, "Version flag must be specified");
	if (version <= 0)
		return ui_fail(cli, CLI_LOCAL, "Invalid value %lld for the version flag", version);
	r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	if (!place.v2)
		return ui_fail(cli, CLI_SERVER, "KV engine mount must be version 2 for rollback support");
	path = kv_api_path(&place, "data");
	r = read_before(cli, path, 0, &latest);
	if (r == CLI_OK)
		r = read_before(cli, path, version, &old);
	if (r != CLI_OK)
		return r;
	metadata = value_get(value_get(old.json, "data"), "metadata");
	data = value_get(value_get(old.json, "data"), "data");
	if (value_get_bool(metadata, "destroyed"))
		return ui_fail(cli, CLI_SERVER, "Cannot roll back to a version that has been destroyed");
	if (!value_is(data, VALUE_MAP))
		return ui_fail(cli, CLI_SERVER, "Cannot roll back to a version that has been deleted");
	body = versioned(
	    value_copy(data), value_get_number(value_get(value_get(latest.json, "data"), "metadata"), "version"));
	if (client_secret(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	return kv_written(cli, path, &reply);
}
