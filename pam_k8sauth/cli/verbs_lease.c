/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: lookup, renew, revoke. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/verbs.h"

int verb_lease_lookup(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	char *id;

	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Missing ID!");
	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	id = trim_blanks(cli->args[0]);
	value_set(body, "lease_id", value_string(id));
	if (client_secret(cli, "PUT", "sys/leases/lookup", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "error looking up lease id %s: %s", id, reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "error looking up lease id %s: the reply is empty", id);
	return print_whole_secret(cli, reply.json);
}

int verb_lease_renew(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	char *id;

	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Missing ID!");
	if (cli->n_args > 1)
		return ui_fail(cli, CLI_LOCAL, "Too many arguments (expected 1-2, got %d)", cli->n_args);
	id = trim_blanks(cli->args[0]);
	value_set(body, "increment", value_number(flag_seconds(cli, FLAG_INCREMENT)));
	value_set(body, "lease_id", value_string(id));
	if (client_secret(cli, "PUT", "sys/leases/renew", NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error renewing %s: %s", id, reply.error);
	if (!reply.json)
		return ui_fail(cli, CLI_SERVER, "Error renewing %s: the reply is empty", id);
	return print_secret(cli, reply.json);
}

int verb_lease_revoke(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_FREE char *path = NULL, *copy = NULL;
	bool force = flag_true(cli, FLAG_FORCE), prefix = flag_true(cli, FLAG_PREFIX), sync = flag_true(cli, FLAG_SYNC);
	const char *with = prefix ? "with prefix: " : "";
	char *id;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	if (force && !prefix)
		return ui_fail(cli, CLI_LOCAL, "Specifying -force requires also specifying -prefix");
	id = trim_blanks(cli->args[0]);
	copy = text_of("%s", id);
	if (force)
		ui_warn(
		    cli, "Warning! Force-removing leases can cause Vault to become out of sync with\nsecret engines!");
	path = text_of("sys/leases/%s/%s", force ? "revoke-force" : prefix ? "revoke-prefix" : "revoke", trim_path(copy));
	value_set(body, "sync", value_bool(sync));
	if (client_send(cli, "PUT", path, NULL, force ? NULL : body, &reply) < 0)
		return force
			   ? ui_fail(cli, CLI_SERVER, "Error force revoking leases with prefix %s: %s", id, reply.error)
		       : prefix ? ui_fail(cli, CLI_SERVER, "Error revoking leases with prefix %s: %s", id, reply.error)
				: ui_fail(cli, CLI_SERVER, "Error revoking lease %s: %s", id, reply.error);
	if (force)
		ui_output("Success! Force revoked any leases with prefix: %s", id);
	else if (!sync)
		ui_output("All revocation operations queued successfully!");
	else
		ui_output("Success! Revoked %s%s%s", prefix ? "any leases " : "lease: ", with, id);
	return CLI_OK;
}
