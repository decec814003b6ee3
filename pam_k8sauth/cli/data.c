/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a write, from arguments, files and standard input. Secrets belong into the last two. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/safe_open.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"

#define INPUT_MAX (16 * 1024 * 1024)

int data_read_text(const char *name, struct buf *ret)
{
	AUTO_CLOSE int fd = -1;

	if (streq(name, "-"))
		return read_all(STDIN_FILENO, INPUT_MAX, ret);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return read_all(fd, INPUT_MAX, ret);
}

/* What Go says of a file that cannot be read: "open x: no such file or directory". */
static char *file_error(const char *name, int error)
{
	char *text = text_of("%s %s: %s", error == -EISDIR ? "read" : "open", name, strerror(-error));
	char *why = strrchr(text, ':') + 2;

	*why = (char)tolower((unsigned char)*why);
	return text;
}

static int bad_pair(const struct cli *cli, const char *pair, const char *why)
{
	AUTO_BUF struct buf quoted = { 0 };

	value_add_quoted(&quoted, pair);
	return ui_fail(cli, CLI_LOCAL, "%s: invalid key/value pair %s: %s",
	    cli->data_error ? cli->data_error : "Failed to parse K=V data", quoted.data, why);
}

/* Standard input can be read once. */
static int use_stdin(struct cli *cli, const char *pair)
{
	if (cli->stdin_used)
		return bad_pair(cli, pair, "stdin already consumed");
	cli->stdin_used = true;
	return CLI_OK;
}

static void add_value(struct value *data, const char *key, struct value *value)
{
	struct value *old = value_get(data, key), *list;

	if (!old) {
		value_set(data, key, value);
		return;
	}
	if (old->type != VALUE_LIST) {
		list = value_new(VALUE_LIST);
		value_add(list, value_copy(old));
		value_set(data, key, list);
		old = list;
	}
	value_add(old, value);
}

/* Adds the members of the JSON object in a file or standard input. */
static int add_object(struct cli *cli, struct value *data, const char *arg)
{
	AUTO_BUF struct buf text = { 0 };
	AUTO_VALUE struct value *object = NULL;
	char why[256];
	int r = *arg == '-' ? use_stdin(cli, arg) : CLI_OK;

	if (r != CLI_OK)
		return r;
	r = data_read_text(*arg == '@' ? arg + 1 : arg, &text);
	if (r < 0) {
		AUTO_FREE char *error = file_error(arg + 1, r);

		return bad_pair(cli, arg, error);
	}
	object = value_parse(text.data ? text.data : "", text.len, why, sizeof(why));
	if (!object)
		return bad_pair(cli, arg, why);
	if (object->type == VALUE_NULL)
		return CLI_OK;
	if (object->type != VALUE_MAP) {
		snprintf(why, sizeof(why), "json: cannot unmarshal %s into Go value of type map[string]interface {}",
		    object->type == VALUE_LIST	   ? "array"
		    : object->type == VALUE_STRING ? "string"
		    : object->type == VALUE_NUMBER ? "number"
						   : "bool");
		return bad_pair(cli, arg, why);
	}
	for (size_t i = 0; i < object->n; i++)
		value_set(data, object->keys[i], value_copy(object->items[i]));
	return CLI_OK;
}

static int add_pair(struct cli *cli, struct value *data, const char *pair)
{
	AUTO_BUF struct buf text = { 0 };
	const char *value = strchr(pair, '=') + 1;
	AUTO_FREE char *key = strndup(pair, (size_t)(value - 1 - pair));
	int r;

	if (!key)
		abort();
	if (streq(value, "-")) {
		r = use_stdin(cli, pair);
		if (r != CLI_OK)
			return r;
		r = data_read_text("-", &text);
	} else if (*value == '@') {
		r = data_read_text(value + 1, &text);
	} else {
		r = buf_add_str(&text, starts_with(value, "\\@") ? value + 1 : value);
	}
	if (r < 0) {
		AUTO_FREE char *error = file_error(*value == '@' ? value + 1 : "/dev/stdin", r);
		AUTO_FREE char *why = text_of("error reading file: %s", error);

		return bad_pair(cli, pair, why);
	}
	add_value(data, key, value_string_n(text.data ? text.data : "", text.len));
	return CLI_OK;
}

int data_read(struct cli *cli, char *const *args, int n_args, struct value **ret)
{
	AUTO_VALUE struct value *data = value_new(VALUE_MAP);

	for (int i = 0; i < n_args; i++) {
		int r = CLI_OK;

		if (strchr(args[i], '='))
			r = add_pair(cli, data, args[i]);
		else if (streq(args[i], "-") || *args[i] == '@')
			r = add_object(cli, data, args[i]);
		else if (*args[i])
			r = bad_pair(cli, args[i], "format must be key=value");
		if (r != CLI_OK)
			return r;
	}
	*ret = TAKE_PTR(data);
	return CLI_OK;
}

static void add_encoded(struct buf *query, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c))
			buf_add_char(query, (char)c);
		else if (c == ' ')
			buf_add_char(query, '+');
		else
			buf_printf(query, "%%%02X", c);
	}
}

static void add_parameter(struct buf *query, const char *key, const struct value *value)
{
	AUTO_WIPE_STR char *text = value_go(value);

	if (query->len > 0)
		buf_add_char(query, '&');
	add_encoded(query, key);
	buf_add_char(query, '=');
	add_encoded(query, text);
}

char *data_query(const struct value *data)
{
	AUTO_BUF struct buf query = { 0 };
	AUTO_FREE size_t *order = value_order(data);

	if (data->n == 0)
		return NULL;
	for (size_t i = 0; i < data->n; i++) {
		const struct value *value = data->items[order[i]];

		if (value->type != VALUE_LIST)
			add_parameter(&query, data->keys[order[i]], value);
		for (size_t k = 0; value->type == VALUE_LIST && k < value->n; k++)
			add_parameter(&query, data->keys[order[i]], value->items[k]);
	}
	return buf_take(&query);
}

char *trim_blanks(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

char *trim_path(char *path)
{
	size_t len;

	path = trim_blanks(path);
	path += strspn(path, "/");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		path[--len] = '\0';
	return path;
}

bool args_between(const struct cli *cli, int least, int most)
{
	if (cli->n_args < least)
		ui_error(cli, "Not enough arguments (expected %d, got %d)", least, cli->n_args);
	else if (most >= 0 && cli->n_args > most)
		ui_error(cli, "Too many arguments (expected %d, got %d)", most, cli->n_args);
	else
		return true;
	return false;
}
