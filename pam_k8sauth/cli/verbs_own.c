/* SPDX-License-Identifier: Apache-2.0 */
/* What Vault has no verbs for: explain, accounts rebind. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/verbs.h"

int verb_explain(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	const char *ref;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	ref = cli->args[0];
	path = text_of("k8sauth/explain/%s", ref);
	if (client_send(cli, "GET", path, NULL, NULL, &reply) < 0) {
		if (reply.status == 404)
			return ui_fail(cli, CLI_SERVER,
			    "No refusal with the reference %s among the last ones; the journal may still have it:\n"
			    "    journalctl K8SAUTH_REF=%s",
			    ref, ref);
		if (reply.status == 403)
			return ui_fail(cli, CLI_SERVER,
			    "Only root may see why a login was refused, on the machine itself: sudo k8sauth explain %s",
			    ref);
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	}
	if (cli->format != FORMAT_TABLE && !cli->field)
		return print_data(cli, value_get(reply.json, "data"));
	return print_secret(cli, reply.json);
}

int verb_accounts_rebind(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/accounts/rebind/%s", cli->args[0]);
	if (client_send(cli, "PUT", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	ui_output("Success! The next login of %s proves the account anew", cli->args[0]);
	return CLI_OK;
}
