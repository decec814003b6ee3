/* SPDX-License-Identifier: Apache-2.0 */
/* Reads flags as Go's flag package does: -name=value, -name value, --name; they stand before the arguments. */
#include "cli/flags.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/cli.h"

bool verb_takes(const struct verb *verb, enum flag_id id)
{
	if (id <= FLAG_LAST_HTTP)
		return verb->takes & TAKES_HTTP;
	if (id == FLAG_FIELD)
		return verb->takes & TAKES_FIELD;
	if (id == FLAG_FORMAT || id == FLAG_DETAILED)
		return verb->takes & TAKES_FORMAT;
	for (const enum flag_id *own = verb->flags; own && *own; own++) {
		if (*own == id)
			return true;
	}
	return false;
}

/* The flag of VERB with this name, or FLAG_END. */
static enum flag_id find(const struct verb *verb, const char *name)
{
	for (int id = FLAG_END + 1; id < FLAG_COUNT; id++) {
		const struct flag_info *info = &flag_table[id];

		if ((streq(info->name, name) || (info->alias && streq(info->alias, name))) &&
		    verb_takes(verb, (enum flag_id)id))
			return (enum flag_id)id;
	}
	return FLAG_END;
}

static void keep(struct cli *cli, enum flag_id id, const char *text)
{
	struct flag_value *value = &cli->flags[id];

	value->texts = reallocarray(value->texts, value->n + 1, sizeof(*value->texts));
	if (!value->texts)
		abort();
	value->texts[value->n++] = text;
}

/* What is wrong with a value; the caller frees it. */
static char *bad_value(const char *text, const char *name, const char *why)
{
	AUTO_BUF struct buf quoted = { 0 };

	value_add_quoted(&quoted, text);
	return text_of("invalid value %s for flag -%s: %s", quoted.data, name, why);
}

/* Go's strconv.ParseBool. */
static const char *bool_text(const char *text)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (streq(text, yes[i]))
			return "true";
		if (streq(text, no[i]))
			return "false";
	}
	return NULL;
}

static char *keep_bool(struct cli *cli, enum flag_id id, const char *name, const char *value)
{
	const char *text = bool_text(value ? value : "true");
	AUTO_BUF struct buf quoted = { 0 };

	if (text) {
		keep(cli, id, text);
		return NULL;
	}
	value_add_quoted(&quoted, value);
	return text_of("invalid boolean value %s for -%s: strconv.ParseBool: parsing %s: invalid syntax", quoted.data,
	    name, quoted.data);
}

/* Bare numbers are seconds. */
static char *with_unit(const char *text)
{
	size_t sign = *text == '-', digits = strspn(text + sign, "0123456789");

	return text_of("%s%s", text, digits > 0 && !text[sign + digits] ? "s" : "");
}

static char *check_duration(const char *text, const char *name)
{
	AUTO_FREE char *whole = with_unit(text);
	char why[DURATION_ERROR_SIZE];
	long long ns;

	/* Only Go's units, no days of Vault's own. */
	if (duration_parse_ns(whole, &ns, why, sizeof(why)) == 0)
		return NULL;
	return bad_value(text, name, why);
}

static char *check_int(const char *text, const char *name)
{
	AUTO_BUF struct buf why = { 0 };
	char *end;

	errno = 0;
	(void)strtoll(text, &end, 0);
	if (!errno && end != text && !*end && !strchr(" \t\n", *text))
		return NULL;
	buf_add_str(&why, "strconv.ParseInt: parsing ");
	value_add_quoted(&why, text);
	buf_add_str(&why, errno ? ": value out of range" : ": invalid syntax");
	return bad_value(text, name, why.data);
}

static char *keep_value(struct cli *cli, enum flag_id id, const char *name, const char *value)
{
	const struct flag_info *info = &flag_table[id];
	AUTO_BUF struct buf why = { 0 };
	char *error = NULL;

	if (info->kind == FLAG_DURATION) {
		error = check_duration(value, name);
	} else if (info->kind == FLAG_INT) {
		error = check_int(value, name);
	} else if (info->kind == FLAG_PAIRS && !strchr(value, '=')) {
		buf_add_str(&why, "missing = in KV pair: ");
		value_add_quoted(&why, value);
		error = bad_value(value, name, why.data);
	}
	if (!error)
		keep(cli, id, value);
	return error;
}

/* The flag at ARGV[*AT]; moves *AT past it. What is wrong with it, or NULL; the caller frees it. */
static char *parse_one(struct cli *cli, int argc, char **argv, int *at)
{
	const char *given = argv[*at] + (argv[*at][1] == '-' ? 2 : 1);
	AUTO_FREE char *name = strndup(given, strcspn(given, "="));
	const char *value = strchr(given, '=') ? strchr(given, '=') + 1 : NULL;
	enum flag_id id;

	if (!name)
		abort();
	if (!*given || *given == '-' || *given == '=')
		return text_of("bad flag syntax: %s", argv[*at]);
	(*at)++;
	id = find(cli->verb, name);
	if (id == FLAG_END)
		return text_of("flag provided but not defined: -%s", name);
	if (flag_table[id].kind == FLAG_BOOL)
		return keep_bool(cli, id, name, value);
	if (!value && *at == argc)
		return text_of("flag needs an argument: -%s", name);
	return keep_value(cli, id, name, value ? value : argv[(*at)++]);
}

/* Flags behind arguments are arguments; whoever wrote them wants to know. */
static void warn_of_late_flags(const struct cli *cli)
{
	AUTO_BUF struct buf list = { 0 };

	for (int i = 0; i < cli->n_args && !(cli->verb->takes & TAKES_COMMAND); i++) {
		AUTO_FREE char *name = NULL;
		const char *arg = cli->args[i];
		enum flag_id id;

		if (arg[0] != '-' || !arg[1])
			continue;
		arg += strspn(arg, "-");
		name = strndup(arg, strcspn(arg, "="));
		id = name ? find(cli->verb, name) : FLAG_END;
		if (id == FLAG_FORMAT || id == FLAG_FIELD || id == FLAG_DETAILED)
			continue;
		buf_printf(&list, "%s%s", list.len > 0 ? "," : "", cli->args[i]);
	}
	if (list.len > 0)
		ui_warn(cli,
		    "Command flags must be provided before positional arguments. The following arguments will not be "
		    "parsed as flags: [%s]",
		    list.data);
}

int flags_parse(struct cli *cli, int argc, char **argv)
{
	AUTO_FREE char *error = NULL;
	int at = 0;

	while (!error && at < argc && argv[at][0] == '-' && argv[at][1]) {
		if (streq(argv[at], "--")) {
			at++;
			break;
		}
		error = parse_one(cli, argc, argv, &at);
	}
	cli->args = argv + at;
	cli->n_args = argc - at;
	cli->field = flag_text(cli, FLAG_FIELD);
	if (cli->field && !*cli->field)
		cli->field = NULL;
	warn_of_late_flags(cli);
	return error ? ui_fail(cli, CLI_LOCAL, "%s", error) : CLI_OK;
}

void flags_free(struct cli *cli)
{
	for (size_t i = 0; i < FLAG_COUNT; i++)
		free(cli->flags[i].texts);
}

bool flag_given(const struct cli *cli, enum flag_id id)
{
	return cli->flags[id].n > 0;
}

const char *flag_text(const struct cli *cli, enum flag_id id)
{
	const struct flag_value *value = &cli->flags[id];

	return value->n > 0 ? value->texts[value->n - 1] : NULL;
}

const char *flag_or_empty(const struct cli *cli, enum flag_id id)
{
	const char *text = flag_text(cli, id);

	return text ? text : "";
}

bool flag_true(const struct cli *cli, enum flag_id id)
{
	return streq(flag_or_empty(cli, id), "true");
}

long long flag_int(const struct cli *cli, enum flag_id id, long long otherwise)
{
	const char *text = flag_text(cli, id);

	return text ? strtoll(text, NULL, 0) : otherwise;
}

long long flag_seconds(const struct cli *cli, enum flag_id id)
{
	AUTO_FREE char *whole = with_unit(flag_or_empty(cli, id));
	char why[DURATION_ERROR_SIZE];
	long long ns = 0;

	if (!*whole || duration_parse_ns(whole, &ns, why, sizeof(why)) < 0)
		return 0;
	return ns / 1000000000;
}

struct value *flag_list(const struct cli *cli, enum flag_id id)
{
	struct value *list = NULL;

	for (size_t i = 0; i < cli->flags[id].n; i++) {
		list = list ? list : value_new(VALUE_LIST);
		value_add(list, value_string(cli->flags[id].texts[i]));
	}
	return list;
}

struct value *flag_map(const struct cli *cli, enum flag_id id)
{
	struct value *map = NULL;

	for (size_t i = 0; i < cli->flags[id].n; i++) {
		const char *text = cli->flags[id].texts[i];
		size_t len = strcspn(text, "=");
		AUTO_FREE char *key = strndup(text, len);

		if (!key)
			abort();
		map = map ? map : value_new(VALUE_MAP);
		value_set(map, key, value_string(text + len + 1));
	}
	return map;
}
