/* SPDX-License-Identifier: Apache-2.0 */
/* Why a login was refused, and what another one would come to. */
#include <stdio.h>

#include "base/text.h"
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
			    "Only root, and the user whose login it was, may see why it was refused, on the machine "
			    "itself: "
			    "sudo k8sauth explain %s",
			    ref);
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	}
	return print_own(cli, &reply);
}

/* The steps, one below the other; the details of a step stand on its line. */
static void print_steps(const struct value *steps)
{
	for (size_t i = 0; i < value_size(steps); i++) {
		const struct value *step = steps->items[i];
		const char *remedy = value_get_text(step, "remedy");

		ui_output("%-12s %-12s %s", value_get_text(step, "verdict"), value_get_text(step, "step"),
		    value_get_text(step, "detail"));
		if (remedy && *remedy)
			ui_output("%25s remedy: %s", "", remedy);
	}
}

int verb_explain_login(struct cli *cli)
{
	static const struct {
		enum flag_id flag;
		const char *member;
		bool needed;
	} words[] = {
		{ FLAG_USER, "user", true },
		{ FLAG_SERVICE, "service", true },
		{ FLAG_RHOST, "rhost", false },
		{ FLAG_ROLE, "role", false },
	};
	AUTO_VALUE struct value *body = value_new(VALUE_MAP);
	AUTO_REPLY struct reply reply = { 0 };
	const struct value *data;
	int r;

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *text = flag_text(cli, words[i].flag);

		if (text && *text)
			value_set(body, words[i].member, value_string(text));
		else if (words[i].needed)
			return ui_fail(cli, CLI_LOCAL, "Which %s? k8sauth explain login -user=USER -service=sshd < JWT",
			    words[i].member);
	}
	r = read_credential(cli, body);
	if (r != CLI_OK)
		return r;
	if (client_send(cli, "PUT", "k8sauth/explain/login", NULL, body, &reply) < 0)
		return fail_own(cli, &reply);
	data = value_get(reply.json, "data");
	if (cli->format != FORMAT_TABLE)
		r = print_data(cli, data);
	else
		print_steps(value_get(data, "steps"));
	return r == CLI_OK && !streq(value_get_text(data, "verdict"), "ok") ? CLI_SERVER : r;
}
