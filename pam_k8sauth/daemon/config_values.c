/* SPDX-License-Identifier: Apache-2.0 */
/* Values of k8sauth.hcl: of the right type and harmless, or refused with their line. */
#include "daemon/config_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"

#define INTERVAL_MIN 5
#define INTERVAL_MAX (24 * 3600)

int config_fail(struct config_reader *reader, unsigned line, const char *format, ...)
{
	size_t used = strlen(reader->why), left = reader->why_size - used;
	const char *next = used > 0 ? "\n" : "";
	int len = line ? snprintf(reader->why + used, left, "%s%s:%u: ", next, reader->path, line)
		       : snprintf(reader->why + used, left, "%s%s: ", next, reader->path);
	va_list args;

	if (len >= 0 && (size_t)len < left) {
		va_start(args, format);
		vsnprintf(reader->why + used + len, left - (size_t)len, format, args);
		va_end(args);
	}
	return -EINVAL;
}

bool config_plain_text(const char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	}
	return *text && utf8_valid(text, strlen(text));
}

int config_take_string(struct config_reader *reader, const struct hcl_item *item, char **ret)
{
	if (item->value->type != HCL_STRING)
		return config_fail(reader, item->line, "%s must be a string", item->keys[0]);
	if (!config_plain_text(item->value->string))
		return config_fail(reader, item->line, "%s is empty or has control bytes", item->keys[0]);
	if (*ret)
		return config_fail(reader, item->line, "%s stands twice", item->keys[0]);
	*ret = strdup(item->value->string);
	return *ret ? 0 : -ENOMEM;
}

/* A list of strings, NULL-terminated. */
static int take_strings(struct config_reader *reader, const struct hcl_item *item, char ***ret)
{
	const struct hcl_value *value = item->value;

	if (value->type != HCL_LIST || value->list.n == 0)
		return config_fail(
		    reader, item->line, "%s must be a list of strings, like [\"a\", \"b\"]", item->keys[0]);
	if (*ret)
		return config_fail(reader, item->line, "%s stands twice", item->keys[0]);
	*ret = calloc(value->list.n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < value->list.n; i++) {
		const struct hcl_value *element = value->list.values[i];

		if (element->type != HCL_STRING || !config_plain_text(element->string))
			return config_fail(reader, element->line, "%s must hold non-empty strings only", item->keys[0]);
		(*ret)[i] = strdup(element->string);
		if (!(*ret)[i])
			return -ENOMEM;
	}
	return 0;
}

/* true and false, also as Vault's documentation writes them: "true", 1. */
static int take_bool(struct config_reader *reader, const struct hcl_item *item, bool *ret)
{
	static const char *const words[] = { "0", "false", "1", "true" };
	const struct hcl_value *value = item->value;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if ((value->type == HCL_STRING && strcasecmp(value->string, words[i]) == 0) ||
		    (value->type == HCL_INT && value->integer == (long long)i / 2 && i % 2 == 0)) {
			*ret = i >= 2;
			return 0;
		}
	}
	if (value->type != HCL_BOOL)
		return config_fail(reader, item->line, "%s must be true or false", item->keys[0]);
	*ret = value->boolean;
	return 0;
}

/* One of the words CHOICES (NULL-terminated): its number. */
int config_take_choice(
    struct config_reader *reader, const struct hcl_item *item, const char *const *choices, unsigned *ret)
{
	char all[128] = "";

	for (unsigned i = 0; choices[i]; i++) {
		if (item->value->type == HCL_STRING && streq(item->value->string, choices[i])) {
			*ret = i;
			return 0;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\"%s\"", i > 0 ? ", " : "", choices[i]);
	}
	return config_fail(reader, item->line, "%s must be one of %s", item->keys[0], all);
}

/* One of two words: whether it is the second one. */
static int take_either(struct config_reader *reader, const struct hcl_item *item, const char *const *words, bool *ret)
{
	unsigned choice;
	int r = config_take_choice(reader, item, words, &choice);

	if (r == 0)
		*ret = choice == 1;
	return r;
}

static int take_session_end(struct config_reader *reader, const struct hcl_item *item, enum session_kill *ret)
{
	static const char *const words[] = { "none", "kill-session", "kill-user", NULL }; /* in their order */
	unsigned choice;
	int r = config_take_choice(reader, item, words, &choice);

	if (r == 0)
		*ret = (enum session_kill)choice;
	return r;
}

int config_take_interval(struct config_reader *reader, const struct hcl_item *item, long long *ret)
{
	const struct hcl_value *value = item->value;
	long long seconds = -1;

	if (value->type == HCL_INT)
		seconds = value->integer;
	else if (value->type == HCL_STRING && duration_parse(value->string, &seconds) < 0)
		seconds = -1;
	if (seconds != 0 && (seconds < INTERVAL_MIN || seconds > INTERVAL_MAX))
		return config_fail(reader, item->line, "%s must be a time like \"5m\", from %ds to %dh, or 0 for never",
		    item->keys[0], INTERVAL_MIN, INTERVAL_MAX / 3600);
	*ret = seconds;
	return 0;
}

static int read_key(
    struct config_reader *reader, const struct config_key *key, const struct hcl_item *item, void *target)
{
	static const char *const keys[] = { "deny", "allow", NULL }, *const times[] = { "login", "use", NULL };
	static const char *const versions[] = { "tls12", "tls13", NULL };
	void *member = (char *)target + key->offset;

	if (key->type == KEY_BLOCK && (!item->block || item->n_keys != 1))
		return config_fail(reader, item->line, "write %s { }", item->keys[0]);
	if (key->type == KEY_BLOCK)
		return config_read_keys(reader, item, key->keys, key->n_keys, target);
	if (item->block || item->n_keys != 1)
		return config_fail(reader, item->line, "write %s = VALUE", item->keys[0]);
	switch (key->type) {
	case KEY_STRING:
		return config_take_string(reader, item, member);
	case KEY_STRINGS:
		return take_strings(reader, item, member);
	case KEY_BOOL:
		return take_bool(reader, item, member);
	case KEY_ALLOW:
		return take_either(reader, item, keys, member);
	case KEY_TLS:
		return take_either(reader, item, versions, member);
	case KEY_USE:
		return take_either(reader, item, times, member);
	case KEY_END:
		return take_session_end(reader, item, member);
	case KEY_TIME:
		return config_take_interval(reader, item, member);
	default:
		return config_fail(reader, item->line, "%s is not built yet: take this line out", item->keys[0]);
	}
}

/* A word in a block that has no such key. */
static int refuse_key(struct config_reader *reader, const struct hcl_item *item, const char *block,
    const struct config_key *keys, size_t n_keys)
{
	const char *known[CONFIG_KEYS_MAX + 1] = { NULL };
	char where[96];

	snprintf(where, sizeof(where), " in a %.64s block", block);
	for (size_t i = 0; i < n_keys && i < CONFIG_KEYS_MAX; i++)
		known[i] = keys[i].name;
	return config_unknown(reader, item, block, where, known);
}

int config_read_keys(struct config_reader *reader, const struct hcl_item *block, const struct config_key *keys,
    size_t n_keys, void *target)
{
	int all = 0;

	for (size_t i = 0; i < block->value->object.n; i++) {
		const struct hcl_item *item = &block->value->object.items[i];
		size_t k = 0;
		int r;

		while (k < n_keys && !streq(keys[k].name, item->keys[0]))
			k++;
		r = k < n_keys ? read_key(reader, &keys[k], item, target)
			       : refuse_key(reader, item, block->keys[0], keys, n_keys);
		if (r < 0 && r != -EINVAL)
			return r;
		all = r < 0 ? r : all;
	}
	return all;
}
