/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and the command itself are: status, version, print token. */
#include <stdio.h>

#include "base/secret.h"
#include "cli/cli.h"
#include "cli/verbs.h"

/* A member of the seal's status; the order is that of the vault command. */
struct member {
	const char *name, *title;
	bool always; /* in JSON, also where it is empty */
};

static const struct member members[] = {
	{ "type", "Seal Type", true },
	{ "initialized", "Initialized", true },
	{ "sealed", "Sealed", true },
	{ "t", NULL, true },
	{ "n", NULL, true },
	{ "progress", NULL, true },
	{ "nonce", NULL, true },
	{ "version", "Version", true },
	{ "build_date", "Build Date", true },
	{ "migration", NULL, true },
	{ "cluster_name", NULL, false },
	{ "cluster_id", NULL, false },
	{ "recovery_seal", NULL, true },
	{ "storage_type", "Storage Type", false },
	{ "hcp_link_status", NULL, false },
	{ "hcp_link_resource_ID", NULL, false },
};

/* Those that come from sys/leader. */
static const struct member leader_members[] = {
	{ "ha_enabled", NULL, true },
	{ "is_self", NULL, false },
	{ "active_time", NULL, true },
	{ "leader_address", NULL, false },
	{ "leader_cluster_address", NULL, false },
	{ "performance_standby", NULL, false },
	{ "performance_standby_last_remote_wal", NULL, false },
};

static bool is_empty(const struct value *value)
{
	return !value || value->type == VALUE_NULL || value->type == VALUE_FALSE ||
	       (value->type == VALUE_STRING && value->len == 0) ||
	       (value->type == VALUE_NUMBER && streq(value->text, "0"));
}

static void pick(struct value *out, const struct value *from, const struct member *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct value *value = value_get(from, list[i].name);

		if (value && (list[i].always || !is_empty(value)))
			value_set(out, list[i].name, value_copy(value));
	}
}

static void add_row(struct table *table, const char *title, const struct value *value)
{
	table_add(table, title);
	table_take(table, value_go(value));
}

static void add_shares(struct table *table, const struct value *status)
{
	bool recovery = value_get_bool(status, "recovery_seal");

	add_row(table, recovery ? "Total Recovery Shares" : "Total Shares", value_get(status, "n"));
	add_row(table, "Threshold", value_get(status, "t"));
	if (!value_get_bool(status, "sealed"))
		return;
	table_add(table, "Unseal Progress");
	table_take(table, text_of("%lld/%lld", value_get_number(status, "progress"), value_get_number(status, "t")));
	table_add(table, "Unseal Nonce");
	table_take(table, value_go(value_get(status, "nonce")));
}

static void add_leader(struct table *table, const struct value *status)
{
	const char *address = value_get_text(status, "leader_address");
	bool standby = !value_get_bool(status, "is_self");

	table_add(table, "HA Enabled");
	table_add(table, value_get_bool(status, "ha_enabled") ? "true" : "false");
	if (!value_get_bool(status, "ha_enabled") || value_get_bool(status, "sealed"))
		return;
	table_add(table, "HA Cluster");
	table_take(table, value_go(value_get(status, "leader_cluster_address")));
	table_add(table, "HA Mode");
	table_add(table, standby ? "standby" : "active");
	table_add(table, standby ? "Active Node Address" : "Active Since");
	if (standby)
		table_add(table, address && *address ? address : "<none>");
	else
		table_take(table, value_go(value_get(status, "active_time")));
}

static void print_table(const struct value *status)
{
	static const char *const head[] = { "Key", "Value" };
	AUTO_TABLE struct table table;

	table_begin(&table, 2, head);
	if (value_get_bool(status, "recovery_seal")) {
		add_row(&table, "Seal Type", value_get(status, "type"));
		table_add(&table, "Recovery Seal Type");
		table_add(&table, "shamir");
	} else {
		add_row(&table, "Seal Type", value_get(status, "type"));
	}
	for (size_t i = 1; i < ARRAY_SIZE(members); i++) {
		if (streq(members[i].name, "t"))
			add_shares(&table, status);
		else if (members[i].title && (members[i].always || value_has(status, members[i].name)))
			add_row(&table, members[i].title, value_get(status, members[i].name));
	}
	if (value_has(status, "cluster_name")) {
		add_row(&table, "Cluster Name", value_get(status, "cluster_name"));
		add_row(&table, "Cluster ID", value_get(status, "cluster_id"));
	}
	add_leader(&table, status);
	table_print(&table);
}

int show_seal_status(struct cli *cli, const struct value *seal)
{
	AUTO_REPLY struct reply leader = { 0 };
	AUTO_VALUE struct value *status = value_ordered();

	pick(status, seal, members, ARRAY_SIZE(members));
	if (!value_get_bool(seal, "sealed")) {
		if (client_send(cli, "GET", "sys/leader", NULL, NULL, &leader) < 0)
			return ui_fail(cli, CLI_LOCAL, "Error checking leader status: %s", leader.error);
		pick(status, leader.json, leader_members, ARRAY_SIZE(leader_members));
	}
	value_set(status, "ha_enabled", value_bool(value_get_bool(leader.json, "ha_enabled")));
	if (!value_has(status, "active_time"))
		value_set(status, "active_time", value_string("0001-01-01T00:00:00Z"));
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, status);
	print_table(status);
	return CLI_OK;
}

/* A sealed or new server answers status too; only no answer is an error: exit code 1, as the vault command's. */
int verb_status(struct cli *cli)
{
	AUTO_REPLY struct reply seal = { 0 };
	int code;

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	if (client_send(cli, "GET", "sys/seal-status", NULL, NULL, &seal) < 0)
		return ui_fail(cli, CLI_LOCAL, "Error checking seal status: %s", seal.error);
	code = show_seal_status(cli, seal.json);
	return code == CLI_OK && value_get_bool(seal.json, "sealed") ? CLI_SERVER : code;
}

int verb_version(struct cli *cli)
{
	(void)cli;
	printf("k8sauth %s\n", K8SAUTH_VERSION);
	return CLI_OK;
}

int verb_print_token(struct cli *cli)
{
	const char *token = getenv("VAULT_TOKEN");
	AUTO_WIPE_STR char *stored = NULL;

	(void)cli;
	if ((!token || !*token) && token_file_read(&stored) == 0)
		token = stored;
	ui_output("%.*s", token ? (int)strcspn(token, "\r\n") : 0, token ? token : "");
	return CLI_OK;
}
