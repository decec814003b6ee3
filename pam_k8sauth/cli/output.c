/* SPDX-License-Identifier: Apache-2.0 */
/* Replies as people and scripts read them: table, JSON, YAML, or one field. */
#include <stdio.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/secret.h"

static const char *const key_value[] = { "Key", "Value" };

char *go_duration(long long seconds)
{
	char text[64], *at;
	size_t len;

	duration_format(seconds, text, sizeof(text));
	len = strlen(text);
	if (len > 3 && streq(text + len - 3, "m0s"))
		text[len - 2] = '\0';
	at = strstr(text, "h0m");
	if (at)
		memmove(at + 1, at + 3, strlen(at + 3) + 1);
	return wipe_strdup(text);
}

/* Keys whose whole numbers are durations in seconds. */
static bool is_duration(const char *key)
{
	static const char *const names[] = { "period", "duration", "ttl" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(key), tail = strlen(names[i]);

		if (streq(key, names[i]) || (ends_with(key, names[i]) && key[len - tail - 1] == '_'))
			return true;
	}
	return streq(key, "lease_max") || streq(key, "ttl_max");
}

static char *cell_of(const char *key, const struct value *value)
{
	if (value_is(value, VALUE_NUMBER) && is_duration(key) && !strpbrk(value->text, ".eE"))
		return go_duration(strtoll(value->text, NULL, 10));
	return value_go(value);
}

static void add_pair(struct table *table, const char *key, char *value)
{
	table_add(table, key);
	table_take(table, value);
}

static void add_map(struct table *table, const struct value *map)
{
	AUTO_FREE size_t *order = map ? value_order(map) : NULL;

	for (size_t i = 0; i < value_size(map); i++) {
		const char *key = map->keys[order[i]];

		add_pair(table, key, cell_of(key, map->items[order[i]]));
	}
}

void print_warnings(const struct cli *cli, const struct value *secret)
{
	const struct value *warnings = value_get(secret, "warnings");

	if (value_size(warnings) == 0)
		return;
	ui_warn(cli, "WARNING! The following warnings were returned from Vault:\n");
	for (size_t i = 0; i < warnings->n; i++) {
		AUTO_FREE char *line = text_of("* %s", warnings->items[i]->text ? warnings->items[i]->text : "");
		AUTO_FREE char *wrapped = wrap_text(line, 2);

		ui_warn(cli, "%s", wrapped);
		ui_warn(cli, "%s", "");
	}
}

/* A list of strings as Go's %q prints it: ["a" "b"]. */
static char *quoted_list(const struct value *list)
{
	AUTO_BUF struct buf text = { 0 };

	buf_add_char(&text, '[');
	for (size_t i = 0; i < value_size(list); i++) {
		if (i > 0)
			buf_add_char(&text, ' ');
		value_add_quoted(&text, list->items[i]->text ? list->items[i]->text : "");
	}
	buf_add_char(&text, ']');
	return buf_take(&text);
}

static char *go_member(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);

	return value_is(value, VALUE_NULL) || !value ? wipe_strdup("") : value_go(value);
}

static void add_auth(struct table *table, const struct value *auth)
{
	const struct value *metadata = value_get(auth, "metadata");
	AUTO_FREE size_t *order = metadata ? value_order(metadata) : NULL;
	long long duration = value_get_number(auth, "lease_duration");

	add_pair(table, "token", go_member(auth, "client_token"));
	add_pair(table, "token_accessor", go_member(auth, "accessor"));
	add_pair(table, "token_duration", duration == 0 ? wipe_strdup("\xe2\x88\x9e") : go_duration(duration));
	add_pair(table, "token_renewable", wipe_strdup(value_get_bool(auth, "renewable") ? "true" : "false"));
	add_pair(table, "token_policies", quoted_list(value_get(auth, "token_policies")));
	add_pair(table, "identity_policies", quoted_list(value_get(auth, "identity_policies")));
	add_pair(table, "policies", quoted_list(value_get(auth, "policies")));
	for (size_t i = 0; i < value_size(metadata); i++) {
		AUTO_FREE char *key = text_of("token_meta_%s", metadata->keys[order[i]]);

		add_pair(table, key, value_go(metadata->items[order[i]]));
	}
}

static void add_wrap_info(struct table *table, const struct value *info)
{
	const char *accessor = value_get_text(info, "wrapped_accessor");

	add_pair(table, "wrapping_token:", go_member(info, "token"));
	add_pair(table, "wrapping_accessor:", go_member(info, "accessor"));
	add_pair(table, "wrapping_token_ttl:", go_duration(value_get_number(info, "ttl")));
	add_pair(table, "wrapping_token_creation_time:", secret_time_text(value_get_text(info, "creation_time")));
	add_pair(table, "wrapping_token_creation_path:", go_member(info, "creation_path"));
	if (accessor && *accessor)
		add_pair(table, "wrapped_accessor:", wipe_strdup(accessor));
}

static void print_secret_table(const struct cli *cli, const struct value *secret)
{
	const struct value *auth = value_get(secret, "auth"), *info = value_get(secret, "wrap_info");
	const char *lease = value_get_text(secret, "lease_id");
	long long duration = value_get_number(secret, "lease_duration");
	AUTO_TABLE struct table table;

	print_warnings(cli, secret);
	table_begin(&table, 2, key_value);
	if (duration > 0 && lease && *lease) {
		add_pair(&table, "lease_id", wipe_strdup(lease));
		add_pair(&table, "lease_duration", go_duration(duration));
		add_pair(
		    &table, "lease_renewable", wipe_strdup(value_get_bool(secret, "renewable") ? "true" : "false"));
	} else if (duration > 0) {
		add_pair(&table, "refresh_interval", go_duration(duration));
	}
	if (value_is(auth, VALUE_MAP))
		add_auth(&table, auth);
	if (value_is(info, VALUE_MAP))
		add_wrap_info(&table, info);
	add_map(&table, value_get(secret, "data"));
	if (table.n > 4)
		table_print(&table);
}

/* In JSON or YAML; false for the other formats. */
static bool print_structured(const struct cli *cli, const struct value *value)
{
	AUTO_BUF struct buf text = { 0 };

	if (cli->format == FORMAT_YAML)
		value_add_yaml(&text, value);
	else if (cli->format == FORMAT_JSON)
		value_add_json(&text, value, true);
	else
		return false;
	if (text.failed)
		abort();
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	text.data[text.len] = '\0';
	ui_output("%s", text.data);
	return true;
}

static int unusable_format(const struct cli *cli)
{
	return ui_fail(cli, CLI_LOCAL, "Could not parse output: cannot use the pretty formatter for this type");
}

int show_not_found(const struct cli *cli, const struct reply *reply)
{
	if (reply->json && reply->status == 404)
		print_whole_secret(cli, reply->json);
	return CLI_SERVER;
}

int print_whole_secret(const struct cli *cli, const struct value *secret)
{
	AUTO_VALUE struct value *shown = NULL;

	if (cli->format == FORMAT_TABLE) {
		print_secret_table(cli, secret);
		return CLI_OK;
	}
	shown = secret_struct(secret);
	return print_structured(cli, shown) ? CLI_OK : unusable_format(cli);
}

/* One value without anything around it, or in JSON or YAML. */
static int print_value(const struct cli *cli, const struct value *value)
{
	AUTO_BUF struct buf text = { 0 };

	if (!value || value->type == VALUE_NULL) {
		value_add_quoted(&text, cli->field);
		return ui_fail(cli, CLI_LOCAL, "Field %s not present in secret", text.data);
	}
	if (cli->format == FORMAT_JSON)
		value_add_json(&text, value, true);
	else if (cli->format == FORMAT_YAML)
		value_add_yaml(&text, value);
	else
		value_add_go(&text, value);
	if (text.failed)
		abort();
	if (ui_is_terminal())
		ui_output("%s", text.data ? text.data : "");
	else
		ui_write(text.data ? text.data : "", text.len);
	return CLI_OK;
}

int print_field(const struct cli *cli, const struct value *map)
{
	const struct value *value = value_get(map, cli->field);

	return print_value(cli, !value && streq(cli->field, "data") ? map : value);
}

int print_secret_field(const struct cli *cli, const struct value *secret)
{
	AUTO_VALUE struct value *field = secret_field(secret, cli->field);

	return print_value(cli, field);
}

int print_secret(const struct cli *cli, const struct value *secret)
{
	return cli->field ? print_secret_field(cli, secret) : print_whole_secret(cli, secret);
}

int print_data(const struct cli *cli, const struct value *value)
{
	AUTO_TABLE struct table table = { 0 };

	if (print_structured(cli, value))
		return CLI_OK;
	if (cli->format != FORMAT_TABLE)
		return unusable_format(cli);
	table_begin(&table, 2, key_value);
	add_map(&table, value);
	if (table.n > 4)
		table_print(&table);
	return CLI_OK;
}

static int compare_cells(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int print_list(const struct cli *cli, const struct value *secret)
{
	static const char *const head[] = { "Keys" };
	const struct value *keys = value_get(value_get(secret, "data"), "keys");
	AUTO_TABLE struct table table = { 0 };

	if (cli->format != FORMAT_TABLE && cli->detailed)
		return print_whole_secret(cli, secret);
	if (print_structured(cli, keys))
		return CLI_OK;
	if (cli->format != FORMAT_TABLE)
		return unusable_format(cli);
	print_warnings(cli, secret);
	table_begin(&table, 1, head);
	for (size_t i = 0; i < keys->n; i++)
		table_take(&table, value_go(keys->items[i]));
	qsort(table.cells + 2, table.n - 2, sizeof(*table.cells), compare_cells);
	table_print(&table);
	return CLI_OK;
}

static void print_title(const char *title, size_t width)
{
	size_t signs = width > strlen(title) + 2 ? (width - strlen(title) - 1) / 2 : 2;
	AUTO_BUF struct buf line = { 0 };

	for (size_t i = 0; i < signs; i++)
		buf_add_char(&line, '=');
	ui_output("%s %s %s", line.data ? line.data : "", title, line.data ? line.data : "");
}

void print_map_title(const char *title, const struct value *map)
{
	size_t longest = 0;

	for (size_t i = 0; i < value_size(map); i++)
		longest = strlen(map->keys[i]) > longest ? strlen(map->keys[i]) : longest;
	/* As wide as the head of the table below it: key, 4 blanks, "Value". */
	print_title(title, longest + 9);
}

void print_path_title(const char *title, const char *text)
{
	print_title(title, strlen(text));
	ui_output("%s", text);
	ui_output("%s", "");
}
