/* SPDX-License-Identifier: Apache-2.0 */
/* Replies as people read them: the tables of the vault command. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"

bool is_json(const struct cli *cli)
{
	return streq(cli->format, "json");
}

void go_duration(long long seconds, char *ret, size_t size)
{
	size_t len;

	duration_format(seconds, ret, size);
	len = strlen(ret);
	if (len > 3 && streq(ret + len - 3, "m0s"))
		ret[len - 2] = '\0';
	len = strlen(ret);
	if (len > 3 && streq(ret + len - 3, "h0m"))
		ret[len - 2] = '\0';
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of OBJECT, sorted; they belong to it. NULL where there are none, or without memory. */
static const char **sorted_keys(const json_t *object)
{
	size_t n = json_object_size(object), i = 0;
	const char **keys = n > 0 ? calloc(n, sizeof(*keys)) : NULL;
	const char *key;
	json_t *value;

	if (!keys)
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)object, key, value) keys[i++] = key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	return keys;
}

/* Whether 15 digits, which have no noise at their end, give VALUE back. */
static bool fits_in_15(double value)
{
	char shown[40];

	snprintf(shown, sizeof(shown), "%.15g", value);
	return !(strtod(shown, NULL) < value) && !(strtod(shown, NULL) > value);
}

/* The digits that every real in VALUE needs. */
static int real_digits(const json_t *value)
{
	const char *key;
	json_t *member;

	if (json_is_real(value))
		return fits_in_15(json_real_value(value)) ? 15 : 17;
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		if (real_digits(member) > 15)
			return 17;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (real_digits(json_array_get(value, i)) > 15)
			return 17;
	}
	return 15;
}

static char *json_text(const json_t *value)
{
	return json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(real_digits(value)));
}

static void add_go_text(struct buf *text, const json_t *value)
{
	AUTO_FREE const char **keys = NULL;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		keys = sorted_keys(value);
		buf_add_str(text, "map[");
		for (size_t i = 0; keys && i < json_object_size(value); i++) {
			buf_printf(text, "%s%s:", i > 0 ? " " : "", keys[i]);
			add_go_text(text, json_object_get(value, keys[i]));
		}
		buf_add_char(text, ']');
		break;
	case JSON_ARRAY:
		buf_add_char(text, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			buf_add_str(text, i > 0 ? " " : "");
			add_go_text(text, json_array_get(value, i));
		}
		buf_add_char(text, ']');
		break;
	case JSON_STRING:
		buf_add(text, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_printf(text, "%lld", json_integer_value(value));
		break;
	case JSON_REAL:
		buf_printf(text, "%.*g", real_digits(value), json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_add_str(text, json_is_true(value) ? "true" : "false");
		break;
	default:
		buf_add_str(text, "<nil>");
	}
}

char *go_text(const json_t *value)
{
	AUTO_BUF struct buf text = { 0 };

	if (value)
		add_go_text(&text, value);
	else
		buf_add_str(&text, "<nil>");
	return buf_take(&text);
}

/* A list of strings as Go's %q prints it: ["a" "b"]. */
static char *quoted_list(const json_t *list)
{
	AUTO_BUF struct buf text = { 0 };

	buf_add_char(&text, '[');
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_printf(&text, "%s\"%s\"", i > 0 ? " " : "", json_string_value(json_array_get(list, i)));
	buf_add_char(&text, ']');
	return buf_take(&text);
}

static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void print_table(char *const *cells, size_t rows, size_t columns)
{
	for (size_t row = 0; row < rows; row++) {
		for (size_t column = 0; column < columns; column++) {
			const char *cell = cells[row * columns + column];
			size_t width = 0;

			if (!cell || !*cell)
				cell = "n/a";
			fputs(cell, stdout);
			if (column + 1 == columns)
				break;
			for (size_t r = 0; r < rows; r++) {
				size_t w = width_of(cells[r * columns + column]);

				width = w > width ? w : width;
			}
			printf("%*s", (int)(width - width_of(cell) + 4), "");
		}
		putchar('\n');
	}
}

/* Keys and values in the order in which they are added. */
struct rows {
	char **cells;
	size_t n, size;
};

/* Takes VALUE over. */
static void rows_add(struct rows *rows, const char *key, char *value)
{
	if (rows->n + 2 > rows->size) {
		rows->size = rows->size ? rows->size * 2 : 32;
		rows->cells = reallocarray(rows->cells, rows->size, sizeof(*rows->cells));
		if (!rows->cells)
			abort();
	}
	rows->cells[rows->n++] = wipe_strdup(key);
	rows->cells[rows->n++] = value;
}

static void rows_begin(struct rows *rows)
{
	*rows = (struct rows){ 0 };
	rows_add(rows, "Key", wipe_strdup("Value"));
	rows_add(rows, "---", wipe_strdup("-----"));
}

static void rows_print(struct rows *rows)
{
	if (rows->n > 4)
		print_table(rows->cells, rows->n / 2, 2);
	for (size_t i = 0; i < rows->n; i++)
		wipe_free(rows->cells[i]);
	free(rows->cells);
}

static char *duration_text(const json_t *value)
{
	char text[40];

	go_duration(json_integer_value(value), text, sizeof(text));
	return wipe_strdup(text);
}

/* Keys whose numbers are durations in seconds. */
static bool is_duration(const char *key)
{
	static const char *const names[] = { "period", "duration", "ttl" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(key), tail = strlen(names[i]);

		if (streq(key, names[i]) || (ends_with(key, names[i]) && key[len - tail - 1] == '_'))
			return true;
	}
	return false;
}

static void rows_add_map(struct rows *rows, const json_t *object)
{
	AUTO_FREE const char **keys = sorted_keys(object);

	for (size_t i = 0; keys && i < json_object_size(object); i++) {
		const json_t *value = json_object_get(object, keys[i]);

		rows_add(rows, keys[i],
		    json_is_integer(value) && is_duration(keys[i]) ? duration_text(value) : go_text(value));
	}
}

void print_map(const json_t *object)
{
	struct rows rows;

	rows_begin(&rows);
	rows_add_map(&rows, object);
	rows_print(&rows);
}

void print_title(const char *title, size_t width)
{
	size_t signs = width > strlen(title) + 2 ? (width - strlen(title) - 1) / 2 : 2;

	for (size_t i = 0; i < signs; i++)
		putchar('=');
	printf(" %s ", title);
	for (size_t i = 0; i < signs; i++)
		putchar('=');
	putchar('\n');
}

void print_titled_map(const char *title, const json_t *object)
{
	const char *key;
	json_t *value;
	size_t longest = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) longest = strlen(key) > longest ? strlen(key)
												     : longest;
	/* As wide as the head of the table below: key, 4 blanks, "Value". */
	print_title(title, longest + 9);
	print_map(object);
}

void print_keys(const json_t *keys)
{
	const json_t *key;
	size_t i;

	printf("Keys\n----\n");
	json_array_foreach(keys, i, key) printf("%s\n", json_string_value(key) ? json_string_value(key) : "");
}

/* A copy with the members of every object sorted. */
static json_t *sorted(const json_t *value)
{
	AUTO_FREE const char **keys = NULL;
	json_t *copy;

	if (json_is_array(value)) {
		copy = json_array();
		for (size_t i = 0; i < json_array_size(value); i++)
			json_array_append_new(copy, sorted(json_array_get(value, i)));
		return copy;
	}
	if (!json_is_object(value))
		return json_copy((json_t *)(uintptr_t)value);
	copy = json_object();
	keys = sorted_keys(value);
	for (size_t i = 0; keys && i < json_object_size(value); i++)
		json_object_set_new(copy, keys[i], sorted(json_object_get(value, keys[i])));
	return copy;
}

void print_json(const json_t *value)
{
	char *text = json_text(value);

	puts(text ? text : "null");
	wipe_free(text);
}

void print_sorted_json(const json_t *value)
{
	json_t *copy = sorted(value);

	print_json(copy);
	json_decref(copy);
}

/* The members of a login's token, in the vault command's order. */
static json_t *auth_json(const json_t *auth)
{
	static const char *const members[] = { "client_token", "accessor", "policies", "token_policies",
		"identity_policies", "metadata", "orphan", "entity_id", "lease_duration", "renewable",
		"mfa_requirement" };
	json_t *shown = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(auth, members[i]);

		json_object_set(shown, members[i], value ? value : json_null());
	}
	return shown;
}

/* The members of a reply in the vault command's order, those below data sorted. */
static void print_secret_json(const json_t *secret)
{
	static const struct {
		const char *name;
		bool always;
	} members[] = {
		{ "request_id", true },
		{ "lease_id", true },
		{ "lease_duration", true },
		{ "renewable", true },
		{ "data", true },
		{ "warnings", true },
		{ "wrap_info", false },
		{ "auth", false },
		{ "mount_type", false },
	};
	json_t *shown = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *value = json_object_get(secret, members[i].name);

		if (streq(members[i].name, "data") && value)
			json_object_set_new(shown, "data", sorted(value));
		else if (streq(members[i].name, "auth") && json_is_object(value))
			json_object_set_new(shown, "auth", auth_json(value));
		else if (members[i].always || json_is_object(value) || json_string_length(value) > 0)
			json_object_set(shown, members[i].name, value ? value : json_null());
	}
	print_json(shown);
	json_decref(shown);
}

int print_field(const struct cli *cli, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	char *text;

	if (!value || json_is_null(value)) {
		fprintf(stderr, "Field \"%s\" not present in secret\n", name);
		return CLI_LOCAL;
	}
	text = is_json(cli) ? json_text(value) : go_text(value);
	fputs(text ? text : "", stdout);
	if (isatty(STDOUT_FILENO))
		putchar('\n');
	wipe_free(text);
	return CLI_OK;
}

void print_warnings(const json_t *secret)
{
	const json_t *warnings = json_object_get(secret, "warnings"), *warning;
	size_t i;

	if (json_array_size(warnings) == 0)
		return;
	fprintf(stderr, "WARNING! The following warnings were returned from Vault:\n\n");
	json_array_foreach(warnings, i, warning)
	    fprintf(stderr, "  * %s\n\n", json_string_value(warning) ? json_string_value(warning) : "");
}

static void rows_add_auth(struct rows *rows, const json_t *auth)
{
	const json_t *metadata = json_object_get(auth, "metadata");
	AUTO_FREE const char **keys = sorted_keys(metadata);

	rows_add(rows, "token", go_text(json_object_get(auth, "client_token")));
	rows_add(rows, "token_accessor", go_text(json_object_get(auth, "accessor")));
	rows_add(rows, "token_duration",
	    json_integer_value(json_object_get(auth, "lease_duration")) == 0
		? wipe_strdup("\xe2\x88\x9e")
		: duration_text(json_object_get(auth, "lease_duration")));
	rows_add(rows, "token_renewable", go_text(json_object_get(auth, "renewable")));
	rows_add(rows, "token_policies", quoted_list(json_object_get(auth, "token_policies")));
	rows_add(rows, "identity_policies", quoted_list(json_object_get(auth, "identity_policies")));
	rows_add(rows, "policies", quoted_list(json_object_get(auth, "policies")));
	for (size_t i = 0; keys && i < json_object_size(metadata); i++) {
		AUTO_FREE char *key = NULL;

		if (asprintf(&key, "token_meta_%s", keys[i]) < 0)
			abort();
		rows_add(rows, key, go_text(json_object_get(metadata, keys[i])));
	}
}

/* -field finds the token of a login by these names, as it does in the table. */
static const json_t *auth_field(const json_t *auth, const char *name)
{
	static const char *const names[][2] = {
		{ "token", "client_token" },
		{ "token_accessor", "accessor" },
		{ "token_duration", "lease_duration" },
		{ "token_renewable", "renewable" },
		{ "token_policies", "token_policies" },
		{ "identity_policies", "identity_policies" },
		{ "policies", "policies" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(name, names[i][0]))
			return json_object_get(auth, names[i][1]);
	}
	return NULL;
}

static int print_secret_field(const struct cli *cli, const json_t *secret)
{
	const json_t *auth = json_object_get(secret, "auth");
	const json_t *value = json_is_object(auth) ? auth_field(auth, cli->field) : NULL;
	json_t *one;
	int r;

	if (!value)
		return print_field(cli, json_object_get(secret, "data"), cli->field);
	one = json_object();
	json_object_set(one, cli->field, (json_t *)(uintptr_t)value);
	r = print_field(cli, one, cli->field);
	json_decref(one);
	return r;
}

int print_secret(const struct cli *cli, const json_t *secret)
{
	const json_t *auth = json_object_get(secret, "auth");
	const json_t *duration = json_object_get(secret, "lease_duration");
	const char *lease = json_string_value(json_object_get(secret, "lease_id"));
	struct rows rows;

	if (cli->field)
		return print_secret_field(cli, secret);
	if (is_json(cli)) {
		print_secret_json(secret);
		return CLI_OK;
	}
	print_warnings(secret);
	rows_begin(&rows);
	if (lease && *lease) {
		rows_add(&rows, "lease_id", wipe_strdup(lease));
		rows_add(&rows, "lease_duration", duration_text(duration));
		rows_add(&rows, "lease_renewable", go_text(json_object_get(secret, "renewable")));
	} else if (json_integer_value(duration) > 0) {
		rows_add(&rows, "refresh_interval", duration_text(duration));
	}
	if (json_is_object(auth))
		rows_add_auth(&rows, auth);
	rows_add_map(&rows, json_object_get(secret, "data"));
	rows_print(&rows);
	return CLI_OK;
}
