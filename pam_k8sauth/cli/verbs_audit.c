/* SPDX-License-Identifier: Apache-2.0 */
/* Audit devices: enable, disable, list. */
#include <stdio.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/verbs.h"

int verb_audit_enable(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *body = value_ordered();
	AUTO_FREE char *where = NULL;
	AUTO_FREE char *path = NULL;
	struct value *options = NULL;
	const char *type;
	int r;

	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL,
		    "Error enabling audit device: audit type missing. Valid types include 'file', 'socket' and "
		    "'syslog'.");
	type = cli->args[0] + strspn(cli->args[0], " ");
	r = data_read(cli, cli->args + 1, cli->n_args - 1, &options);
	if (r != CLI_OK)
		return r;
	value_set(body, "type", value_string(type));
	value_set(body, "description", value_string(flag_or_empty(cli, FLAG_DESCRIPTION)));
	value_set(body, "options", options);
	value_set(body, "local", value_bool(flag_true(cli, FLAG_LOCAL)));
	where = text_of("%s", *flag_or_empty(cli, FLAG_PATH) ? flag_text(cli, FLAG_PATH) : type);
	trim_path(where);
	path = text_of("sys/audit/%s", where);
	if (client_send(cli, "PUT", path, NULL, body, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error enabling audit device: %s", reply.error);
	ui_output("Success! Enabled the %s audit device at: %s/", type, where);
	return CLI_OK;
}

int verb_audit_disable(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL;
	char *where;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	where = trim_path(cli->args[0]);
	path = text_of("sys/audit/%s", where);
	if (client_send(cli, "DELETE", path, NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error disabling audit device: %s", reply.error);
	ui_output("Success! Disabled audit device (if it was enabled) at: %s/", where);
	return CLI_OK;
}

/* --- list */

/* In the order of the vault library's members. */
static struct value *device_struct(const struct value *device)
{
	static const char *const members[] = { "type", "description", "options", "local", "path" };
	struct value *shown = value_ordered();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct value *value = value_get(device, members[i]);

		if (value)
			value_set(shown, members[i], value_copy(value));
	}
	return shown;
}

/* "a=b c=d", by name. */
static char *options_text(const struct value *options)
{
	AUTO_BUF struct buf text = { 0 };
	AUTO_FREE size_t *order = value_order(options);

	for (size_t i = 0; i < value_size(options); i++) {
		const char *name = options->keys[order[i]], *value = value_get_text(options, name);

		buf_printf(&text, "%s%s=%s", i ? " " : "", name, value ? value : "");
	}
	return buf_take(&text);
}

static void add_device(struct table *table, const char *path, const struct value *device, bool detailed)
{
	const char *type = value_get_text(device, "type"), *description = value_get_text(device, "description");

	table_add(table, path);
	table_add(table, type ? type : "");
	table_add(table, description ? description : "");
	if (!detailed)
		return;
	table_add(table, value_get_bool(device, "local") ? "local" : "replicated");
	table_take(table, options_text(value_get(device, "options")));
}

int verb_audit_list(struct cli *cli)
{
	static const char *const head[] = { "Path", "Type", "Description", "Replication", "Options" };
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_VALUE struct value *shown = value_new(VALUE_MAP);
	AUTO_TABLE struct table table = { 0 };
	AUTO_FREE size_t *order = NULL;
	const struct value *devices;

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", "sys/audit", NULL, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error listing audits: %s", reply.error);
	devices = value_get(reply.json, "data");
	for (size_t i = 0; i < value_size(devices); i++)
		value_set(shown, devices->keys[i], device_struct(devices->items[i]));
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, shown);
	if (shown->n == 0) {
		ui_output("No audit devices are enabled.");
		return CLI_SERVER;
	}
	table_begin(&table, cli->detailed ? 5 : 3, head);
	order = value_order(shown);
	for (size_t i = 0; i < shown->n; i++)
		add_device(&table, shown->keys[order[i]], shown->items[order[i]], cli->detailed);
	table_print(&table);
	return CLI_OK;
}
