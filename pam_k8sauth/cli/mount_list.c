/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of mounts: short, -detailed, and in the order of the vault library's members for scripts. */
#include "cli/mount_list.h"

#include <stdio.h>

#include "base/secret.h"

static const char *const members[] = { "uuid", "type", "description", "accessor", "config", "options", "local",
	"seal_wrap", "external_entropy_access", "plugin_version", "running_plugin_version", "running_sha256",
	"deprecation_status" };

static const char *const config_always[] = { "default_lease_ttl", "max_lease_ttl", "force_no_cache" };

static const char *const config_members[] = { "audit_non_hmac_request_keys", "audit_non_hmac_response_keys",
	"listing_visibility", "passthrough_request_headers", "allowed_response_headers", "token_type",
	"allowed_managed_keys", "user_lockout_config", "delegated_auth_accessors", "identity_token_key",
	"trim_request_trailing_slashes" };

static bool is_empty(const struct value *value)
{
	return !value || value->type == VALUE_NULL || value->type == VALUE_FALSE ||
	       (value->type == VALUE_STRING && value->len == 0) ||
	       ((value->type == VALUE_LIST || value->type == VALUE_MAP) && value->n == 0);
}

static struct value *config_struct(const struct value *config)
{
	struct value *shown = value_ordered();

	for (size_t i = 0; i < ARRAY_SIZE(config_always); i++) {
		const struct value *value = value_get(config, config_always[i]);

		value_set(shown, config_always[i],
		    value   ? value_copy(value)
		    : i < 2 ? value_number(0)
			    : value_bool(false));
	}
	for (size_t i = 0; i < ARRAY_SIZE(config_members); i++) {
		const struct value *value = value_get(config, config_members[i]);

		if (!is_empty(value))
			value_set(shown, config_members[i], value_copy(value));
	}
	return shown;
}

static struct value *mount_struct(const struct value *mount)
{
	struct value *shown = value_ordered();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *name = members[i];
		const struct value *value = value_get(mount, name);

		if (streq(name, "config"))
			value_set(shown, name, config_struct(value));
		else if (value)
			value_set(shown, name, value_copy(value));
		else
			value_set(shown, name,
			    streq(name, "options") ? value_new(VALUE_NULL)
			    : streq(name, "local") || streq(name, "seal_wrap") || streq(name, "external_entropy_access")
				? value_bool(false)
				: value_string(""));
	}
	return shown;
}

/* A text member, "" without: the table shows n/a. */
static void add_text(struct table *table, const struct value *map, const char *name)
{
	const char *text = value_get_text(map, name);

	table_add(table, text ? text : "");
}

static void add_bool(struct table *table, const struct value *map, const char *name)
{
	table_add(table, value_get_bool(map, name) ? "true" : "false");
}

static void add_ttl(struct table *table, const struct value *mount, const char *name)
{
	static const char *const without[] = { "system", "cubbyhole", "" };
	const char *type = value_get_text(mount, "type");
	long long seconds = value_get_number(value_get(mount, "config"), name);

	for (size_t i = 0; type && *without[i]; i++) {
		if (streq(type, without[i])) {
			table_add(table, "n/a");
			return;
		}
	}
	if (seconds == 0)
		table_add(table, "system");
	else
		table_take(table, text_of("%lld", seconds));
}

static void add_detailed(struct table *table, const char *path, const struct value *mount, bool auth)
{
	const struct value *options = value_get(mount, "options");

	table_add(table, path);
	add_text(table, mount, "type");
	add_text(table, mount, "accessor");
	add_ttl(table, mount, "default_lease_ttl");
	add_ttl(table, mount, "max_lease_ttl");
	if (auth)
		add_text(table, value_get(mount, "config"), "token_type");
	else
		add_bool(table, value_get(mount, "config"), "force_no_cache");
	table_add(table, value_get_bool(mount, "local") ? "local" : "replicated");
	add_bool(table, mount, "seal_wrap");
	add_bool(table, mount, "external_entropy_access");
	table_take(table, value_size(options) > 0 ? value_go(options) : wipe_strdup("map[]"));
	add_text(table, mount, "description");
	add_text(table, mount, "uuid");
	add_text(table, mount, "plugin_version");
	add_text(table, mount, "running_plugin_version");
	add_text(table, mount, "running_sha256");
	add_text(table, mount, "deprecation_status");
}

static void add_short(struct table *table, const char *path, const struct value *mount, bool auth)
{
	table_add(table, path);
	add_text(table, mount, "type");
	add_text(table, mount, "accessor");
	add_text(table, mount, "description");
	if (auth)
		add_text(table, mount, "plugin_version");
}

int mount_list_print(const struct cli *cli, const struct value *mounts, bool auth)
{
	static const char *const short_head[] = { "Path", "Type", "Accessor", "Description", "Version" };
	const char *const detailed_head[] = { "Path", "Plugin", "Accessor", "Default TTL", "Max TTL",
		auth ? "Token Type" : "Force No Cache", "Replication", "Seal Wrap", "External Entropy Access",
		"Options", "Description", "UUID", "Version", "Running Version", "Running SHA256",
		"Deprecation Status" };
	AUTO_VALUE struct value *shown = value_new(VALUE_MAP);
	AUTO_TABLE struct table table = { 0 };
	AUTO_FREE size_t *order = NULL;

	for (size_t i = 0; i < value_size(mounts); i++)
		value_set(shown, mounts->keys[i], mount_struct(mounts->items[i]));
	if (cli->format != FORMAT_TABLE)
		return print_data(cli, shown);
	if (cli->detailed)
		table_begin(&table, ARRAY_SIZE(detailed_head), detailed_head);
	else
		table_begin(&table, auth ? 5 : 4, short_head);
	order = value_order(shown);
	for (size_t i = 0; i < shown->n; i++) {
		const char *path = shown->keys[order[i]];

		if (cli->detailed)
			add_detailed(&table, path, shown->items[order[i]], auth);
		else
			add_short(&table, path, shown->items[order[i]], auth);
	}
	table_print(&table);
	return CLI_OK;
}
