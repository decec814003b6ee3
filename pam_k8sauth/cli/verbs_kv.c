/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of key-value secrets: they ask first where the engine is mounted and which version it has. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

struct kv_place {
	char *mount; /* "secret/" */
	char *rest;  /* the key below it, no leading slash */
	bool v2;
};

static void cleanup_place(struct kv_place *place)
{
	free(place->mount);
	free(place->rest);
}

#define AUTO_PLACE CLEANUP(cleanup_place)

static int split_path(const char *path, const char *mount, const char *under, struct kv_place *ret)
{
	size_t len = strlen(mount);

	if (under) {
		ret->rest = strdup(path);
	} else if (strncmp(path, mount, len) == 0) {
		ret->rest = strdup(path + len);
	} else if (len > 0 && strncmp(path, mount, len - 1) == 0 && !path[len - 1]) {
		ret->rest = strdup(""); /* the mount itself, without its slash */
	} else {
		fprintf(stderr, "Error: the server says that %s is mounted at %s\n", path, mount);
		return CLI_SERVER;
	}
	ret->mount = strdup(mount);
	return CLI_OK;
}

/* Where the key of the arguments lives. */
static int find_place(const struct cli *cli, struct kv_place *ret)
{
	const char *path = cli->n_args > 0 ? cli->args[0] + strspn(cli->args[0], "/") : "";
	AUTO_FREE char *ask = NULL;
	AUTO_REPLY struct reply reply = { 0 };
	const json_t *data;
	const char *mount, *version;

	if (asprintf(&ask, "sys/internal/ui/mounts/%s", cli->mount ? cli->mount : path) < 0)
		abort();
	if (client_send(cli->client, "GET", ask, NULL, NULL, "Error", &reply) != CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply))
		return reply_error(&reply, NULL);
	data = json_object_get(reply.json, "data");
	mount = json_string_value(json_object_get(data, "path"));
	version = json_string_value(json_object_get(json_object_get(data, "options"), "version"));
	if (!mount) {
		fprintf(stderr, "Error: %s did not say where the engine is mounted\n", reply.url);
		return CLI_SERVER;
	}
	ret->v2 = version && streq(version, "2");
	return split_path(path, mount, cli->mount, ret);
}

/* The API's path of the key: FOLDER ("data") comes between mount and key in version 2. */
static char *api_path(const struct kv_place *place, const char *folder)
{
	char *path;
	int len = asprintf(&path, "%s%s%s%s", place->mount, place->v2 ? folder : "",
	    place->v2 && *place->rest ? "/" : "", place->rest);

	if (len < 0)
		abort();
	return path;
}

static void print_secret_path(const char *path)
{
	print_title("Secret Path", strlen(path));
	printf("%s\n\n", path);
}

/* The reply to a write of version 2: its metadata. */
static int print_written(const struct cli *cli, const char *path, const json_t *secret)
{
	if (cli->field || is_json(cli))
		return print_secret(cli, secret);
	print_secret_path(path);
	print_warnings(secret);
	print_titled_map("Metadata", json_object_get(secret, "data"));
	return CLI_OK;
}

int verb_kv_put(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *prefix = NULL;
	json_t *data = NULL, *body;
	int r;

	if (cli->n_args < 2) {
		fprintf(stderr, "Must supply data\n");
		return CLI_LOCAL;
	}
	if (cli_read_data(cli->args + 1, cli->n_args - 1, &data) != CLI_OK)
		return CLI_LOCAL;
	r = find_place(cli, &place);
	if (r != CLI_OK) {
		json_decref(data);
		return r;
	}
	path = api_path(&place, "data");
	body = place.v2 ? json_pack("{s:o,s:{}}", "data", data, "options") : data;
	if (asprintf(&prefix, "Error writing data to %s", path) < 0)
		abort();
	r = client_send(cli->client, "PUT", path, NULL, body, prefix, &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	if (reply.json)
		return print_written(cli, path, reply.json);
	if (!is_json(cli))
		printf("Success! Data written to: %s\n", path);
	return CLI_OK;
}

static int print_kv(const struct cli *cli, const struct kv_place *place, const char *path, const json_t *secret)
{
	const json_t *data = json_object_get(secret, "data");
	const json_t *values = place->v2 ? json_object_get(data, "data") : data;

	if (cli->field) {
		if (json_is_object(values))
			return print_field(cli, values, cli->field);
		fprintf(stderr, "No data found at %s\n", path);
		return CLI_SERVER;
	}
	if (is_json(cli))
		return print_secret(cli, secret);
	print_warnings(secret);
	if (place->v2) {
		print_secret_path(path);
		if (json_object_get(data, "metadata")) {
			print_titled_map("Metadata", json_object_get(data, "metadata"));
			putchar('\n');
		}
	}
	if (json_object_size(values) > 0)
		print_titled_map("Data", values);
	return CLI_OK;
}

/* Digits only, so that the value needs no encoding in a query. */
static int check_version(const char *version)
{
	if (*version && strspn(version, "0123456789") == strlen(version))
		return CLI_OK;
	fprintf(stderr, "invalid value \"%s\" for flag -version: not a number\n", version);
	return CLI_LOCAL;
}

int verb_kv_get(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *prefix = NULL;
	AUTO_FREE char *query = NULL;
	int r;

	if (cli->version && check_version(cli->version) != CLI_OK)
		return CLI_LOCAL;
	r = find_place(cli, &place);
	if (r != CLI_OK)
		return r;
	path = api_path(&place, "data");
	if (asprintf(&prefix, "Error reading %s", path) < 0)
		abort();
	if (cli->version && asprintf(&query, "version=%s", cli->version) < 0)
		abort();
	if (client_send(cli->client, "GET", path, query, NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (reply_is_nothing(&reply)) {
		fprintf(stderr, "No value found at %s\n", path);
		return CLI_SERVER;
	}
	if (!reply_good(&reply) && reply.status != 404)
		return reply_error(&reply, prefix);
	return print_kv(cli, &place, path, reply.json);
}

int verb_kv_list(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_FREE char *path = NULL;
	int r;

	/* -mount alone is enough: its root. */
	if (cli->n_args == 0 && !cli->mount) {
		fprintf(stderr, "Not enough arguments (expected 1, got 0)\n");
		return CLI_LOCAL;
	}
	r = find_place(cli, &place);
	if (r != CLI_OK)
		return r;
	path = api_path(&place, "metadata");
	cli->args = &path;
	return verb_list(cli);
}

/* "1,2" as [1,2]. NULL after the reason was printed. */
static json_t *version_list(const char *text)
{
	json_t *list = json_array();

	while (list && *text) {
		char *end;
		long long n = strtoll(text, &end, 10);

		if (end == text || n < 1 || (*end && *end != ',')) {
			fprintf(stderr, "invalid value for flag -versions: not numbers separated by commas\n");
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, json_integer(n));
		text = end + (*end == ',');
	}
	return list;
}

static int delete_versions(struct cli *cli, const struct kv_place *place, const char *shown)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = api_path(place, "delete");
	AUTO_FREE char *prefix = NULL;
	json_t *list = version_list(cli->versions), *body;
	int r;

	if (!list)
		return CLI_LOCAL;
	body = json_pack("{s:o}", "versions", list);
	if (asprintf(&prefix, "Error deleting %s", path) < 0)
		abort();
	r = client_send(cli->client, "PUT", path, NULL, body, prefix, &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	printf("Success! Data deleted (if it existed) at: %s\n", shown);
	return CLI_OK;
}

int verb_kv_delete(struct cli *cli)
{
	AUTO_PLACE struct kv_place place = { 0 };
	AUTO_FREE char *path = NULL;
	int r = find_place(cli, &place);

	if (r != CLI_OK)
		return r;
	path = api_path(&place, "data");
	if (cli->versions && place.v2)
		return delete_versions(cli, &place, path);
	cli->args = &path;
	return verb_delete(cli);
}
