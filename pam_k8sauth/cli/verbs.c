/* SPDX-License-Identifier: Apache-2.0 */
/* The plain verbs: status, read, write, list, delete. */
#include "cli/cli.h"

#include <stdio.h>

#include "base/secret.h"

/* A sealed or new server answers status too; only no answer is an error: exit code 1, as the vault command's. */
int verb_status(struct cli *cli)
{
	static const char *const rows[][2] = {
		{ "type", "Seal Type" },
		{ "initialized", "Initialized" },
		{ "sealed", "Sealed" },
		{ "n", "Total Shares" },
		{ "t", "Threshold" },
		{ "version", "Version" },
		{ "build_date", "Build Date" },
		{ "storage_type", "Storage Type" },
		{ "cluster_name", "Cluster Name" },
		{ "cluster_id", "Cluster ID" },
		{ "ha_enabled", "HA Enabled" },
	};
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_REPLY struct reply leader = { 0 };
	char *cells[2 * (ARRAY_SIZE(rows) + 2)] = { 0 };
	size_t n = 0;

	if (client_send(cli->client, "GET", "sys/seal-status", NULL, NULL, "Error checking seal status", &reply) !=
	    CLI_OK)
		return CLI_LOCAL;
	if (!reply_good(&reply)) {
		reply_error(&reply, "Error checking seal status");
		return CLI_LOCAL;
	}
	if (client_send(cli->client, "GET", "sys/leader", NULL, NULL, "Error checking leader status", &leader) !=
	    CLI_OK)
		return CLI_LOCAL;
	if (reply_good(&leader))
		json_object_set(reply.json, "ha_enabled", json_object_get(leader.json, "ha_enabled"));
	if (is_json(cli)) {
		print_json(reply.json);
		return json_is_true(json_object_get(reply.json, "sealed")) ? CLI_SERVER : CLI_OK;
	}
	cells[n++] = wipe_strdup("Key");
	cells[n++] = wipe_strdup("Value");
	cells[n++] = wipe_strdup("---");
	cells[n++] = wipe_strdup("-----");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *value = json_object_get(reply.json, rows[i][0]);

		if (!value)
			continue;
		cells[n++] = wipe_strdup(rows[i][1]);
		cells[n++] = go_text(value);
	}
	print_table(cells, n / 2, 2);
	while (n > 0)
		wipe_free(cells[--n]);
	return json_is_true(json_object_get(reply.json, "sealed")) ? CLI_SERVER : CLI_OK;
}

static int nothing_at(const char *path)
{
	fprintf(stderr, "No value found at %s\n", path);
	return CLI_SERVER;
}

/* Slashes around PATH are a habit, not a part of it. */
static const char *trim_path(char *path)
{
	size_t len;

	path += strspn(path, "/");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		path[--len] = '\0';
	return path;
}

int verb_read(struct cli *cli)
{
	const char *path = trim_path(cli->args[0]);
	AUTO_FREE char *prefix = NULL;
	AUTO_REPLY struct reply reply = { 0 };

	if (asprintf(&prefix, "Error reading %s", path) < 0)
		abort();
	if (client_send(cli->client, "GET", path, NULL, NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (reply_is_nothing(&reply) || reply.status == 204)
		return nothing_at(path);
	if (!reply_good(&reply) && reply.status != 404)
		return reply_error(&reply, prefix);
	return print_secret(cli, reply.json);
}

int verb_write(struct cli *cli)
{
	const char *path = trim_path(cli->args[0]);
	AUTO_FREE char *prefix = NULL;
	AUTO_REPLY struct reply reply = { 0 };
	json_t *data = NULL;
	int r;

	if (cli->n_args == 1 && !cli->force) {
		fprintf(stderr, "Must supply data or use -force\n");
		return CLI_LOCAL;
	}
	if (cli_read_data(cli->args + 1, cli->n_args - 1, &data) != CLI_OK)
		return CLI_LOCAL;
	if (asprintf(&prefix, "Error writing data to %s", path) < 0)
		abort();
	r = client_send(cli->client, "PUT", path, NULL, data, prefix, &reply);
	json_decref(data);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	if (reply.json)
		return print_secret(cli, reply.json);
	if (!is_json(cli) && !cli->field)
		printf("Success! Data written to: %s\n", path);
	return CLI_OK;
}

int verb_list(struct cli *cli)
{
	const char *path = trim_path(cli->args[0]);
	AUTO_FREE char *prefix = NULL;
	AUTO_REPLY struct reply reply = { 0 };
	const json_t *keys;

	if (asprintf(&prefix, "Error listing %s", path) < 0)
		abort();
	if (client_send(cli->client, "GET", path, "list=true", NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply) && reply.status != 404)
		return reply_error(&reply, prefix);
	keys = json_object_get(json_object_get(reply.json, "data"), "keys");
	if (!keys && is_json(cli)) {
		puts("{}");
		return CLI_SERVER;
	}
	if (!keys) {
		print_warnings(reply.json);
		return nothing_at(path);
	}
	if (is_json(cli))
		print_json(keys);
	else
		print_keys(keys);
	return CLI_OK;
}

int verb_delete(struct cli *cli)
{
	const char *path = trim_path(cli->args[0]);
	AUTO_FREE char *prefix = NULL;
	AUTO_REPLY struct reply reply = { 0 };

	if (asprintf(&prefix, "Error deleting %s", path) < 0)
		abort();
	if (client_send(cli->client, "DELETE", path, NULL, NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	if (!is_json(cli))
		printf("Success! Data deleted (if it existed) at: %s\n", path);
	return CLI_OK;
}
