/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that administer: auth, secrets, policy, token, operator, explain. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>

#include <k8sauth/limits.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"

/* Enables TYPE at sys/FOLDER/PATH; *RET_PATH ends without a slash. */
static int enable(struct cli *cli, const char *folder, const char *prefix, char **ret_path)
{
	const char *type = cli->args[0], *at = cli->path ? cli->path : type;
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *where = NULL;
	AUTO_FREE char *path = NULL;
	size_t len;
	json_t *body = json_pack("{s:s,s:s}", "type", type, "description", cli->description ? cli->description : "");
	int r;

	at += strspn(at, "/");
	len = strlen(at);
	while (len > 0 && at[len - 1] == '/')
		len--;
	where = strndup(at, len);
	if (cli->version)
		json_object_set_new(body, "options", json_pack("{s:s}", "version", cli->version));
	if (asprintf(&path, "sys/%s/%s", folder, where) < 0)
		abort();
	r = client_send(cli->client, "POST", path, NULL, body, prefix, &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	*ret_path = TAKE_PTR(where);
	return CLI_OK;
}

int verb_auth_enable(struct cli *cli)
{
	AUTO_FREE char *prefix = NULL;
	AUTO_FREE char *path = NULL;
	int r;

	if (asprintf(&prefix, "Error enabling %s auth", cli->args[0]) < 0)
		abort();
	r = enable(cli, "auth", prefix, &path);
	if (r == CLI_OK)
		printf("Success! Enabled %s auth method at: %s/\n", cli->args[0], path);
	return r;
}

int verb_secrets_enable(struct cli *cli)
{
	AUTO_FREE char *path = NULL;
	int r = enable(cli, "mounts", "Error enabling", &path);

	if (r == CLI_OK)
		printf("Success! Enabled the %s secrets engine at: %s/\n", cli->args[0], path);
	return r;
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The mounts of DATA as a table with COLUMNS of Path, Type, Accessor, Description, Version. */
static void print_mounts(json_t *data, size_t columns)
{
	static const char *const members[] = { "type", "accessor", "description", "plugin_version" };
	static const char *const heads[] = { "Path", "Type", "Accessor", "Description", "Version" };
	static const char *const lines[] = { "----", "----", "--------", "-----------", "-------" };
	size_t rows = json_object_size(data) + 2, row = 2;
	char **cells = calloc(rows * columns, sizeof(*cells));
	const char *path;
	json_t *mount;

	if (!cells)
		abort();
	for (size_t c = 0; c < columns; c++) {
		cells[c] = wipe_strdup(heads[c]);
		cells[columns + c] = wipe_strdup(lines[c]);
	}
	json_object_foreach(data, path, mount)
	{
		char **row_cells = cells + row++ * columns;

		row_cells[0] = wipe_strdup(path);
		for (size_t c = 1; c < columns; c++) {
			json_t *value = json_object_get(mount, members[c - 1]);

			row_cells[c] = value ? go_text(value) : wipe_strdup("n/a");
			if (row_cells[c] && !*row_cells[c]) {
				wipe_free(row_cells[c]);
				row_cells[c] = wipe_strdup("n/a");
			}
		}
	}
	qsort(cells + 2 * columns, rows - 2, columns * sizeof(*cells), compare_rows);
	print_table(cells, rows, columns);
	for (size_t i = 0; i < rows * columns; i++)
		wipe_free(cells[i]);
	free(cells);
}

static int list_mounts(struct cli *cli, const char *path, const char *prefix, size_t columns)
{
	AUTO_REPLY struct reply reply = { 0 };
	json_t *data;

	if (client_send(cli->client, "GET", path, NULL, NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	data = json_object_get(reply.json, "data");
	if (is_json(cli))
		print_sorted_json(data);
	else
		print_mounts(data, columns);
	return CLI_OK;
}

int verb_auth_list(struct cli *cli)
{
	return list_mounts(cli, "sys/auth", "Error listing enabled authentications", 5);
}

int verb_secrets_list(struct cli *cli)
{
	return list_mounts(cli, "sys/mounts", "Error listing secrets engines", 4);
}

static char *policy_path(const char *name)
{
	char *path;

	if (asprintf(&path, "sys/policies/acl/%s", name) < 0)
		abort();
	return path;
}

int verb_policy_write(struct cli *cli)
{
	AUTO_FREE char *path = policy_path(cli->args[0]);
	AUTO_BUF struct buf text = { 0 };
	AUTO_REPLY struct reply reply = { 0 };
	json_t *body;
	int r = cli_read_text(cli->args[1], &text);

	if (r < 0) {
		fprintf(stderr, "Error opening policy file: open %s: %s\n", cli->args[1], strerror(-r));
		return CLI_SERVER;
	}
	body = json_pack("{s:s%}", "policy", text.data, text.len);
	if (!body) {
		fprintf(stderr, "Error uploading policy: %s is not UTF-8 text\n", cli->args[1]);
		return CLI_LOCAL;
	}
	r = client_send(cli->client, "PUT", path, NULL, body, "Error uploading policy", &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, "Error uploading policy");
	printf("Success! Uploaded policy: %s\n", cli->args[0]);
	return CLI_OK;
}

int verb_policy_read(struct cli *cli)
{
	AUTO_FREE char *path = policy_path(cli->args[0]);
	AUTO_FREE char *prefix = NULL;
	AUTO_REPLY struct reply reply = { 0 };
	json_t *policy;

	if (asprintf(&prefix, "Error reading policy named %s", cli->args[0]) < 0)
		abort();
	if (client_send(cli->client, "GET", path, NULL, NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (reply.status == 404) {
		fprintf(stderr, "No policy named: %s\n", cli->args[0]);
		return CLI_SERVER;
	}
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	policy = json_object_get(json_object_get(reply.json, "data"), "policy");
	if (is_json(cli)) {
		json_t *shown = json_pack("{s:O?}", "policy", policy);

		print_json(shown);
		json_decref(shown);
	} else {
		const char *text = json_string_value(policy) ? json_string_value(policy) : "";

		printf("%s%s", text, ends_with(text, "\n") ? "" : "\n");
	}
	return CLI_OK;
}

int verb_policy_list(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	const json_t *keys, *key;
	size_t i;

	if (client_send(cli->client, "GET", "sys/policies/acl", "list=true", NULL, "Error listing policies", &reply) !=
	    CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply))
		return reply_error(&reply, "Error listing policies");
	keys = json_object_get(json_object_get(reply.json, "data"), "keys");
	if (is_json(cli))
		print_json(keys);
	else
		json_array_foreach(keys, i, key) printf("%s\n", json_string_value(key));
	return CLI_OK;
}

int verb_policy_delete(struct cli *cli)
{
	AUTO_FREE char *path = policy_path(cli->args[0]);
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *prefix = NULL;

	if (asprintf(&prefix, "Error deleting %s", cli->args[0]) < 0)
		abort();
	if (client_send(cli->client, "DELETE", path, NULL, NULL, prefix, &reply) != CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply))
		return reply_error(&reply, prefix);
	printf("Success! Deleted policy: %s\n", cli->args[0]);
	return CLI_OK;
}

/*
 * A token may come by standard input ("-"), never as an argument: those can be read by every user. *RET is a request
 * body, or NULL where no argument was given.
 */
static int token_argument(const struct cli *cli, json_t **ret)
{
	AUTO_BUF struct buf text = { 0 };
	int r;

	*ret = NULL;
	if (cli->n_args == 0)
		return CLI_OK;
	if (!streq(cli->args[0], "-")) {
		fprintf(
		    stderr, "A token on the command line can be read by every user: give it by standard input (-).\n");
		return CLI_LOCAL;
	}
	r = cli_read_text("-", &text);
	if (r < 0) {
		fprintf(stderr, "Error reading standard input: %s\n", strerror(-r));
		return CLI_LOCAL;
	}
	*ret = json_pack("{s:s%}", "token", text.data, strcspn(text.data, " \t\r\n"));
	return *ret ? CLI_OK : CLI_LOCAL;
}

int verb_token_lookup(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	json_t *body;
	int r = token_argument(cli, &body);

	if (r != CLI_OK)
		return r;
	r = client_send(cli->client, body ? "POST" : "GET", body ? "auth/token/lookup" : "auth/token/lookup-self", NULL,
	    body, "Error looking up token", &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, "Error looking up token");
	return print_secret(cli, reply.json);
}

int verb_token_revoke(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	json_t *body;
	int r;

	if (cli->self == (cli->n_args > 0)) {
		fprintf(stderr,
		    cli->self ? "Too many arguments with -self (expected 0, got %d)\n"
			      : "Not enough arguments (expected 1 or -self, got %d)\n",
		    cli->n_args);
		return CLI_LOCAL;
	}
	r = token_argument(cli, &body);
	if (r != CLI_OK)
		return r;
	r = client_send(cli->client, "PUT", body ? "auth/token/revoke" : "auth/token/revoke-self", NULL, body,
	    "Error revoking token", &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, "Error revoking token");
	printf("Success! Revoked token (if it existed)\n");
	return CLI_OK;
}

static int init_status(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	bool initialized;

	if (client_send(cli->client, "GET", "sys/init", NULL, NULL, "Error checking init status", &reply) != CLI_OK)
		return CLI_LOCAL;
	if (!reply_good(&reply)) {
		reply_error(&reply, "Error checking init status");
		return CLI_LOCAL;
	}
	initialized = json_is_true(json_object_get(reply.json, "initialized"));
	printf("Vault is %sinitialized\n", initialized ? "" : "not ");
	return initialized ? CLI_OK : CLI_SERVER;
}

int verb_operator_init(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	const char *token;
	json_t *body;
	int r;

	if (cli->status)
		return init_status(cli);
	body = json_object();
	r = client_send(cli->client, "PUT", "sys/init", NULL, body, "Error initializing", &reply);
	json_decref(body);
	if (r != CLI_OK)
		return r;
	if (!reply_good(&reply))
		return reply_error(&reply, "Error initializing");
	if (is_json(cli)) {
		print_json(reply.json);
		return CLI_OK;
	}
	token = json_string_value(json_object_get(reply.json, "root_token"));
	printf("Initial Root Token: %s\n\nSuccess! Vault is initialized\n\n"
	       "The seal key of the configuration opens the store from now on: back it up, apart from\n"
	       "the store. The root token may do everything: make the policies and roles with it,\n"
	       "then revoke it (k8sauth token revoke -self).\n",
	    token ? token : "");
	return CLI_OK;
}

int verb_explain(struct cli *cli)
{
	AUTO_FREE char *path = NULL;
	AUTO_REPLY struct reply reply = { 0 };

	if (asprintf(&path, "k8sauth/explain/%s", cli->args[0]) < 0)
		abort();
	if (client_send(cli->client, "GET", path, NULL, NULL, "Error", &reply) != CLI_OK)
		return CLI_SERVER;
	if (reply.status == 404) {
		fprintf(stderr,
		    "No refusal with the reference %s among the last ones; the journal may still have it:\n"
		    "    journalctl K8SAUTH_REF=%s\n",
		    cli->args[0], cli->args[0]);
		return CLI_SERVER;
	}
	if (reply.status == 403) {
		fprintf(stderr,
		    "Only root may see why a login was refused, on the machine itself: sudo k8sauth explain %s\n",
		    cli->args[0]);
		return CLI_SERVER;
	}
	if (!reply_good(&reply))
		return reply_error(&reply, "Error");
	if (is_json(cli) && !cli->field) {
		print_json(json_object_get(reply.json, "data"));
		return CLI_OK;
	}
	return print_secret(cli, reply.json);
}

int verb_accounts_rebind(struct cli *cli)
{
	AUTO_FREE char *path = NULL;
	AUTO_REPLY struct reply reply = { 0 };

	if (asprintf(&path, "k8sauth/accounts/rebind/%s", cli->args[0]) < 0)
		abort();
	if (client_send(cli->client, "PUT", path, NULL, NULL, "Error", &reply) != CLI_OK)
		return CLI_SERVER;
	if (!reply_good(&reply))
		return reply_error(&reply, "Error");
	printf("Success! The next login of %s proves the account anew\n", cli->args[0]);
	return CLI_OK;
}
