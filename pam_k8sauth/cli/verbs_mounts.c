/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of secrets engines and of auth methods: enable, disable, list, tune, move; auth help. */
#include <stdio.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/mount_list.h"
#include "cli/verbs.h"

/* Whether the verb is about auth methods. */
static bool is_auth(const struct cli *cli)
{
	return starts_with(cli->verb->name, "auth ");
}

static struct value *duration_text(const struct cli *cli, enum flag_id id)
{
	char text[64];

	duration_format(flag_seconds(cli, id), text, sizeof(text));
	return value_string(text);
}

static void set_list(const struct cli *cli, struct value *map, enum flag_id id, const char *key)
{
	struct value *list = flag_list(cli, id);

	if (list)
		value_set(map, key, list);
}

static void set_text(const struct cli *cli, struct value *map, enum flag_id id, const char *key)
{
	if (flag_given(cli, id))
		value_set(map, key, value_string(flag_text(cli, id)));
}

/* The members of a mount's configuration that enable and tune share. */
static void set_config(const struct cli *cli, struct value *config)
{
	set_list(cli, config, FLAG_AUDIT_NON_HMAC_REQUEST_KEYS, "audit_non_hmac_request_keys");
	set_list(cli, config, FLAG_AUDIT_NON_HMAC_RESPONSE_KEYS, "audit_non_hmac_response_keys");
	set_text(cli, config, FLAG_LISTING_VISIBILITY, "listing_visibility");
	set_list(cli, config, FLAG_PASSTHROUGH_REQUEST_HEADERS, "passthrough_request_headers");
	set_list(cli, config, FLAG_ALLOWED_RESPONSE_HEADERS, "allowed_response_headers");
	set_list(cli, config, FLAG_ALLOWED_MANAGED_KEYS, "allowed_managed_keys");
	set_text(cli, config, FLAG_TOKEN_TYPE, "token_type");
	set_text(cli, config, FLAG_PLUGIN_VERSION, "plugin_version");
}

/* -options, and -version as one of them; null without. */
static struct value *options(const struct cli *cli)
{
	struct value *map = flag_map(cli, FLAG_OPTIONS);

	if (flag_int(cli, FLAG_VERSION, 0) > 0) {
		char text[32];

		snprintf(text, sizeof(text), "%lld", flag_int(cli, FLAG_VERSION, 0));
		map = map ? map : value_new(VALUE_MAP);
		value_set(map, "version", value_string(text));
	}
	return map ? map : value_new(VALUE_NULL);
}

static struct value *enable_body(const struct cli *cli, const char *type)
{
	struct value *body = value_ordered(), *config = value_ordered();

	value_set(config, "options", value_new(VALUE_NULL));
	value_set(config, "default_lease_ttl", duration_text(cli, FLAG_DEFAULT_LEASE_TTL));
	value_set(config, "max_lease_ttl", duration_text(cli, FLAG_MAX_LEASE_TTL));
	value_set(config, "force_no_cache", value_bool(flag_true(cli, FLAG_FORCE_NO_CACHE)));
	set_config(cli, config);
	value_set(body, "type", value_string(type));
	value_set(body, "description", value_string(flag_or_empty(cli, FLAG_DESCRIPTION)));
	value_set(body, "config", config);
	value_set(body, "local", value_bool(flag_true(cli, FLAG_LOCAL)));
	value_set(body, "seal_wrap", value_bool(flag_true(cli, FLAG_SEAL_WRAP)));
	value_set(body, "external_entropy_access", value_bool(flag_true(cli, FLAG_EXTERNAL_ENTROPY_ACCESS)));
	value_set(body, "options", options(cli));
	return body;
}

int verb_mounts_enable(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = NULL;
	AUTO_FREE char *plugin = NULL;
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *where = NULL;
	bool auth = is_auth(cli);
	char *type;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	type = cli->args[0] + strspn(cli->args[0], " ");
	if (streq(type, "plugin")) {
		plugin = text_of("%s", flag_or_empty(cli, FLAG_PLUGIN_NAME));
		type = plugin;
	}
	body = enable_body(cli, type);
	where = text_of("%s", *flag_or_empty(cli, FLAG_PATH) ? flag_text(cli, FLAG_PATH) : type);
	for (size_t len = strlen(where); len > 0 && where[len - 1] == '/'; len--)
		where[len - 1] = '\0';
	path = text_of("sys/%s/%s", auth ? "auth" : "mounts", where);
	if (client_send(cli, "POST", path, NULL, body, &reply) < 0)
		return auth ? ui_fail(cli, CLI_SERVER, "Error enabling %s auth: %s", type, reply.error)
			    : ui_fail(cli, CLI_SERVER, "Error enabling: %s", reply.error);
	if (auth)
		ui_output("Success! Enabled %s auth method at: %s/", type, where);
	else
		ui_output("Success! Enabled the %s secrets engine at: %s/", type, where);
	return CLI_OK;
}

int verb_mounts_disable(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *api = NULL;
	bool auth = is_auth(cli);
	char *where;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	where = trim_path(cli->args[0]);
	api = text_of("sys/%s/%s", auth ? "auth" : "mounts", where);
	if (client_send(cli, "DELETE", api, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error disabling %s at %s/: %s",
		    auth ? "auth method" : "secrets engine", where, reply.error);
	ui_output("Success! Disabled the %s (if it existed) at: %s/", auth ? "auth method" : "secrets engine", where);
	return CLI_OK;
}

int verb_mounts_tune(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_FREE char *api = NULL;
	bool auth = is_auth(cli);
	const char *what = auth ? "auth method" : "secrets engine";
	char *where;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	where = trim_path(cli->args[0]);
	api = text_of("sys/mounts/%s%s/tune", auth ? "auth/" : "", where);
	value_set(body, "options", options(cli));
	value_set(body, "default_lease_ttl",
	    flag_given(cli, FLAG_DEFAULT_LEASE_TTL) ? duration_text(cli, FLAG_DEFAULT_LEASE_TTL) : value_string(""));
	set_text(cli, body, FLAG_DESCRIPTION, "description");
	value_set(body, "max_lease_ttl",
	    flag_given(cli, FLAG_MAX_LEASE_TTL) ? duration_text(cli, FLAG_MAX_LEASE_TTL) : value_string(""));
	if (!auth)
		value_set(body, "force_no_cache", value_bool(false));
	set_config(cli, body);
	if (client_send(cli, "POST", api, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error tuning %s %s/: %s", what, where, reply.error);
	ui_output("Success! Tuned the %s at: %s/", what, where);
	return CLI_OK;
}

/* What a move that is still going on says, or how it ended. */
static int wait_for_move(struct cli *cli, const char *id, const char *from, const char *to)
{
	AUTO_FREE char *api = text_of("sys/remount/status/%s", id);
	const char *what = is_auth(cli) ? "auth method" : "secrets engine";

	ui_output("Started moving %s %s to %s, with migration ID %s", what, from, to, id);
	for (;;) {
		AUTO_REPLY struct reply reply = { 0 };
		const char *status;

		if (client_send(cli, "GET", api, NULL, NULL, &reply) < 0)
			return ui_fail(cli, CLI_SERVER, "Error checking migration status of %s %s to %s: %s", what,
			    from, to, reply.error);
		status = value_get_text(value_get(value_get(reply.json, "data"), "migration_info"), "status");
		if (status && streq(status, "success")) {
			ui_output("Success! Finished moving %s %s to %s, with migration ID %s", what, from, to, id);
			return CLI_OK;
		}
		if (!status || streq(status, "failure"))
			return ui_fail(cli, CLI_OK,
			    "Failure! Error encountered moving %s %s to %s, with migration ID %s", what, from, to, id);
		ui_output("Waiting for terminal status in migration of %s %s to %s, with migration ID %s", what, from,
		    to, id);
		sleep(10);
	}
}

int verb_mounts_move(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *to = NULL;
	bool auth = is_auth(cli);
	const char *id;

	if (!args_between(cli, 2, 2))
		return CLI_LOCAL;
	from = text_of("%s/", trim_path(cli->args[0]));
	to = text_of("%s/", trim_path(cli->args[1]));
	value_set(body, "from", value_string(from));
	value_set(body, "to", value_string(to));
	if (client_send(cli, "POST", "sys/remount", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error moving %s %s to %s: %s", auth ? "auth method" : "secrets engine",
		    from, to, reply.error);
	id = value_get_text(value_get(reply.json, "data"), "migration_id");
	return wait_for_move(cli, id ? id : "", from, to);
}

int verb_mounts_list(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	bool auth = is_auth(cli);

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", auth ? "sys/auth" : "sys/mounts", NULL, NULL, &reply) < 0)
		return auth ? ui_fail(cli, CLI_SERVER, "Error listing enabled authentications: %s", reply.error)
			    : ui_fail(cli, CLI_SERVER, "Error listing secrets engines: %s", reply.error);
	return mount_list_print(cli, value_get(reply.json, "data"), auth);
}

int verb_auth_help(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	const struct value *mount;
	const char *type;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("%s/", trim_path(cli->args[0]));
	if (client_send(cli, "GET", "sys/auth", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error listing authentications: %s", reply.error);
	mount = value_get(value_get(reply.json, "data"), path);
	if (!mount)
		return ui_fail(cli, CLI_LOCAL, "No auth method available on the server at \"%s\"", path);
	type = value_get_text(mount, "type");
	if (type && streq(type, "token")) {
		ui_output("Usage: k8sauth login TOKEN\n\n  The token is looked up and stored. - reads it from standard "
			  "input.");
		return CLI_OK;
	}
	if (type && streq(type, "kubernetes")) {
		ui_output("Usage: k8sauth login -method=kubernetes [-path=%s] role=ROLE jwt=@FILE\n\n"
			  "  Logs in with a service account token, and stores the token that it gives.",
		    trim_path(cli->args[0]));
		return CLI_OK;
	}
	return ui_fail(cli, CLI_LOCAL, "No help for auth method \"%s\" at \"%s\": it has the HTTP API only",
	    type ? type : "", path);
}
