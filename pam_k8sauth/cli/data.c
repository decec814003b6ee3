/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a write, from arguments, files and standard input. Secrets belong into the last two. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/safe_open.h"
#include "base/text.h"

#define INPUT_MAX (16 * 1024 * 1024)

int cli_read_text(const char *name, struct buf *ret)
{
	AUTO_CLOSE int fd = -1;

	if (streq(name, "-"))
		return read_all(STDIN_FILENO, INPUT_MAX, ret);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return read_all(fd, INPUT_MAX, ret);
}

static int bad_pair(const char *pair, const char *why)
{
	/* The key only: a value may be a secret, and this may end in a log. */
	fprintf(stderr, "Failed to parse K=V data: invalid key/value pair \"%.*s\": %s\n", (int)strcspn(pair, "="),
	    pair, why);
	return CLI_LOCAL;
}

/* A file or standard input that is a JSON object. */
static int read_object(const char *arg, json_t **ret)
{
	AUTO_BUF struct buf text = { 0 };
	json_error_t why;
	int r = cli_read_text(*arg == '@' ? arg + 1 : arg, &text);

	if (r < 0)
		return bad_pair(arg, strerror(-r));
	*ret = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &why);
	if (!*ret)
		return bad_pair(arg, why.text);
	if (!json_is_object(*ret)) {
		json_decref(TAKE_PTR(*ret));
		return bad_pair(arg, "not a JSON object");
	}
	return CLI_OK;
}

static int add_value(json_t *data, const char *key, json_t *value)
{
	json_t *old = json_object_get(data, key);

	if (!value)
		return -EINVAL;
	if (!old)
		return json_object_set_new(data, key, value);
	if (!json_is_array(old)) {
		old = json_pack("[O]", old);
		json_object_set_new(data, key, old);
	}
	return json_array_append_new(old, value);
}

static int add_pair(json_t *data, const char *pair)
{
	AUTO_BUF struct buf text = { 0 };
	const char *equals = strchr(pair, '='), *value;
	AUTO_FREE char *key = NULL;
	int r = 0;

	if (!equals)
		return bad_pair(pair, "format must be key=value");
	key = strndup(pair, (size_t)(equals - pair));
	value = equals + 1;
	if (streq(value, "-"))
		r = cli_read_text("-", &text);
	else if (*value == '@')
		r = cli_read_text(value + 1, &text);
	else
		r = buf_add_str(&text, starts_with(value, "\\@") ? value + 1 : value);
	if (r < 0) {
		char why[256];

		snprintf(why, sizeof(why), "error reading %s: %s", *value == '@' ? value + 1 : "standard input",
		    strerror(-r));
		return bad_pair(pair, why);
	}
	if (!key || add_value(data, key, json_stringn(text.data, text.len)) < 0)
		return bad_pair(pair, "not valid UTF-8 text");
	return CLI_OK;
}

int cli_read_data(char *const *args, int n_args, json_t **ret)
{
	int n_stdin = 0;
	json_t *data;

	if (n_args == 1 && (streq(args[0], "-") || (args[0][0] == '@' && !strchr(args[0], '='))))
		return read_object(args[0], ret);
	data = json_object();
	for (int i = 0; i < n_args; i++) {
		n_stdin += ends_with(args[i], "=-") && strchr(args[i], '=') == args[i] + strlen(args[i]) - 2;
		if (n_stdin > 1) {
			json_decref(data);
			fprintf(stderr, "Failed to parse K=V data: standard input can be used once only\n");
			return CLI_LOCAL;
		}
		if (add_pair(data, args[i]) != CLI_OK) {
			json_decref(data);
			return CLI_LOCAL;
		}
	}
	*ret = data;
	return CLI_OK;
}
