/* SPDX-License-Identifier: Apache-2.0 */
/* The seal block of k8sauth.hcl: which kinds and settings there are is the backend's table. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "daemon/config_read.h"

#define DISABLED "disabled"

static int fail_kind(struct config_reader *reader, const struct hcl_item *block, const char *type)
{
	char kinds[256] = "";
	size_t len = 0;

	for (const struct seal_settings *kind = seal_settings; kind->type && len < sizeof(kinds); kind++)
		len += (size_t)snprintf(kinds + len, sizeof(kinds) - len, "%s\"%s\"", len ? ", " : "", kind->type);
	return config_fail(reader, block->line, "seal \"%s\" is not known: there are %s", type, kinds);
}

static int check_value(struct config_reader *reader, const struct hcl_item *item, enum seal_value kind, const char *value)
{
	switch (kind) {
	case SEAL_NAME:
		if (strchr(value, '/') || *value == '.')
			return config_fail(
			    reader, item->line, "%s is the name of a systemd credential, not a path", item->keys[0]);
		break;
	case SEAL_FILE:
		if (*value != '/')
			return config_fail(reader, item->line, "%s must be an absolute path", item->keys[0]);
		break;
	case SEAL_URL:
		if (!starts_with(value, "https://") && !starts_with(value, "http://"))
			return config_fail(
			    reader, item->line, "%s must begin with https:// (or http://)", item->keys[0]);
		break;
	case SEAL_TEXT:
		break;
	}
	return 0;
}

static int refuse_setting(
    struct config_reader *reader, const struct hcl_item *item, const struct seal_settings *kind)
{
	const char *known[SEAL_SETTINGS_MAX + 1] = { NULL };
	char where[96];

	for (size_t i = 0; i < SEAL_SETTINGS_MAX && kind->settings[i].name; i++)
		known[i] = kind->settings[i].name;
	snprintf(where, sizeof(where), " in seal \"%.64s\"", kind->type);
	return config_unknown(reader, item, "seal", where, known);
}

static int read_setting(struct config_reader *reader, const struct hcl_item *item, struct seal_config *seal)
{
	const struct seal_setting *settings = seal->kind->settings;
	size_t i = 0;
	int r;

	while (i < SEAL_SETTINGS_MAX && settings[i].name && !streq(settings[i].name, item->keys[0]))
		i++;
	if (i == SEAL_SETTINGS_MAX || !settings[i].name)
		return refuse_setting(reader, item, seal->kind);
	if (item->block || item->n_keys != 1)
		return config_fail(reader, item->line, "write %s = VALUE", item->keys[0]);
	r = config_take_string(reader, item, &seal->values[i]);
	return r < 0 ? r : check_value(reader, item, settings[i].value, seal->values[i]);
}

static bool is_disabled(const struct hcl_item *item)
{
	return item->n_keys == 1 && !item->block && streq(item->keys[0], DISABLED);
}

/* `disabled = true`, as Vault marks the seal that a store moves away from. */
static int read_disabled(struct config_reader *reader, const struct hcl_item *block, bool *ret)
{
	static const struct config_key keys[] = { { DISABLED, KEY_BOOL, 0 } };
	struct hcl_value one = { .type = HCL_OBJECT };
	struct hcl_item only = { .line = block->line, .value = &one };

	for (size_t i = 0; i < block->value->object.n; i++) {
		int r;

		if (!is_disabled(&block->value->object.items[i]))
			continue;
		one.object.items = &block->value->object.items[i];
		one.object.n = 1;
		r = config_read_keys(reader, &only, keys, ARRAY_SIZE(keys), ret);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_settings(struct config_reader *reader, const struct hcl_item *block, struct seal_config *seal)
{
	const struct seal_setting *settings = seal->kind->settings;
	int r = 0;

	for (size_t i = 0; r != -ENOMEM && i < block->value->object.n; i++) {
		int one = is_disabled(&block->value->object.items[i])
			      ? 0
			      : read_setting(reader, &block->value->object.items[i], seal);

		r = one < 0 ? one : r;
	}
	for (size_t i = 0; r == 0 && i < SEAL_SETTINGS_MAX && settings[i].name; i++)
		if (settings[i].required && !seal->values[i])
			return config_fail(
			    reader, block->line, "seal \"%s\" needs %s", seal->kind->type, settings[i].name);
	return r;
}

int config_read_seal(struct config_reader *reader, const struct hcl_item *block)
{
	const struct seal_settings *kind;
	struct seal_config *seal;
	bool disabled = false;
	unsigned *line;
	const char *type;
	int r = config_check_label(reader, block, &type);

	if (r == 0)
		r = read_disabled(reader, block, &disabled);
	if (r < 0)
		return r;
	seal = disabled ? &reader->config->old_seal : &reader->config->seal;
	line = disabled ? &reader->old_seal_line : &reader->seal_line;
	if (*line)
		return config_fail(reader, block->line, "seal stands twice, first at line %u", *line);
	*line = block->line;
	kind = seal_settings_of(type);
	if (!kind)
		return fail_kind(reader, block, type);
	seal->kind = kind;
	return read_settings(reader, block, seal);
}
