/* SPDX-License-Identifier: Apache-2.0 */
/* What a key-value secret has besides its data: kv metadata get, put, patch, delete. */
#include <stdio.h>

#include "base/text.h"
#include "cli/kv.h"
#include "cli/verbs.h"

/* The API's path of the metadata of the first argument; the caller frees it. */
static int find_metadata(struct cli *cli, char **ret)
{
	AUTO_PLACE struct kv_place place = { 0 };
	int r;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	r = kv_find(cli, &place);
	if (r != CLI_OK)
		return r;
	if (!place.v2)
		return ui_fail(cli, CLI_LOCAL, "Metadata not supported on KV Version 1");
	*ret = kv_api_path(&place, "metadata");
	return CLI_OK;
}

/* Who made a version is shown as JSON there. */
static void print_version(const struct cli *cli, const struct value *version)
{
	AUTO_VALUE struct value *shown = value_copy(version);

	for (size_t i = 0; i < shown->n; i++) {
		if (shown->items[i]->type == VALUE_MAP) {
			AUTO_FREE char *text = value_json(shown->items[i], false);

			value_set(shown, shown->keys[i], value_string(text));
		}
	}
	print_data(cli, shown);
}

static int compare_numbers(const void *a, const void *b, void *arg)
{
	const struct value *map = arg;
	long left = strtol(map->keys[*(const size_t *)a], NULL, 10);
	long right = strtol(map->keys[*(const size_t *)b], NULL, 10);

	return left < right ? -1 : left > right;
}

static void print_versions(const struct cli *cli, struct value *versions)
{
	AUTO_FREE size_t *order = value_order(versions);

	qsort_r(order, versions->n, sizeof(*order), compare_numbers, versions);
	for (size_t i = 0; i < versions->n; i++) {
		AUTO_FREE char *title = text_of("Version %s", versions->keys[order[i]]);

		ui_output("%s", "");
		print_map_title(title, versions->items[order[i]]);
		print_version(cli, versions->items[order[i]]);
	}
}

int verb_kv_metadata_get(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *versions = NULL;
	AUTO_FREE char *path = NULL;
	struct value *data;
	int r = find_metadata(cli, &path);

	if (r != CLI_OK)
		return r;
	if (client_secret(cli, "GET", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error reading %s: %s", path, reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "No value found at %s", path);
	if (cli->format != FORMAT_TABLE || value_has(reply.json, "wrap_info"))
		return print_whole_secret(cli, reply.json);
	data = value_get(reply.json, "data");
	if (!value_is(value_get(data, "versions"), VALUE_MAP))
		return ui_fail(cli, CLI_SERVER, "No value found at %s", path);
	versions = value_copy(value_get(data, "versions"));
	value_unset(data, "versions");
	print_path_title("Metadata Path", path);
	print_map_title("Metadata", data);
	print_data(cli, data);
	print_versions(cli, versions);
	return CLI_OK;
}

/* The members that the flags set. */
static struct value *settings(const struct cli *cli)
{
	struct value *body = value_new(VALUE_MAP), *custom = flag_map(cli, FLAG_CUSTOM_METADATA);
	char text[64];

	if (flag_int(cli, FLAG_MAX_VERSIONS, -1) >= 0)
		value_set(body, "max_versions", value_number(flag_int(cli, FLAG_MAX_VERSIONS, 0)));
	if (flag_given(cli, FLAG_CAS_REQUIRED))
		value_set(body, "cas_required", value_bool(flag_true(cli, FLAG_CAS_REQUIRED)));
	if (flag_given(cli, FLAG_DELETE_VERSION_AFTER) && flag_seconds(cli, FLAG_DELETE_VERSION_AFTER) >= 0) {
		duration_format(flag_seconds(cli, FLAG_DELETE_VERSION_AFTER), text, sizeof(text));
		value_set(body, "delete_version_after", value_string(text));
	}
	if (custom)
		value_set(body, "custom_metadata", custom);
	return body;
}

int verb_kv_metadata_put(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_FREE char *path = NULL;
	int r = find_metadata(cli, &path);

	if (r != CLI_OK)
		return r;
	body = settings(cli);
	if (client_secret(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	return kv_written(cli, path, &reply);
}

int verb_kv_metadata_patch(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_VALUE struct value *removed = flag_list(cli, FLAG_REMOVE_CUSTOM_METADATA);
	AUTO_FREE char *path = NULL;
	int r = find_metadata(cli, &path);

	if (r != CLI_OK)
		return r;
	body = settings(cli);
	if (!value_get(body, "custom_metadata"))
		value_set(body, "custom_metadata", value_new(VALUE_MAP));
	for (size_t i = 0; i < value_size(removed); i++)
		value_set(value_get(body, "custom_metadata"), removed->items[i]->text, value_new(VALUE_NULL));
	client_content_type(cli->client, "application/merge-patch+json");
	if (client_secret(cli, "PATCH", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error writing data to %s: %s", path, reply.error);
	return kv_written(cli, path, &reply);
}

int verb_kv_metadata_delete(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	int r = find_metadata(cli, &path);

	if (r != CLI_OK)
		return r;
	if (client_secret(cli, "DELETE", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error deleting %s: %s", path, reply.error);
	ui_output("Success! Data deleted (if it existed) at: %s", path);
	return CLI_OK;
}
