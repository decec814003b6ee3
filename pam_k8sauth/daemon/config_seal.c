/* SPDX-License-Identifier: Apache-2.0 */
/* The seal block of k8sauth.hcl: which kinds and settings there are is the backend's table. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "daemon/config_read.h"

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

static int read_setting(struct config_reader *reader, const struct hcl_item *item)
{
	struct seal_config *seal = &reader->config->seal;
	const struct seal_setting *settings = seal->kind->settings;
	size_t i = 0;
	int r;

	while (i < SEAL_SETTINGS_MAX && settings[i].name && !streq(settings[i].name, item->keys[0]))
		i++;
	if (i == SEAL_SETTINGS_MAX || !settings[i].name)
		return config_fail(
		    reader, item->line, "%s is not known in seal \"%s\"", item->keys[0], seal->kind->type);
	if (item->block || item->n_keys != 1)
		return config_fail(reader, item->line, "write %s = VALUE", item->keys[0]);
	r = config_take_string(reader, item, &seal->values[i]);
	return r < 0 ? r : check_value(reader, item, settings[i].value, seal->values[i]);
}

int config_read_seal(struct config_reader *reader, const struct hcl_item *block)
{
	struct seal_config *seal = &reader->config->seal;
	const char *type;
	int r = config_check_label(reader, block, &type);

	if (r < 0)
		return r;
	if (reader->seal_line)
		return config_fail(reader, block->line, "seal stands twice, first at line %u", reader->seal_line);
	reader->seal_line = block->line;
	seal->kind = seal_settings_of(type);
	if (!seal->kind)
		return fail_kind(reader, block, type);
	for (size_t i = 0; r == 0 && i < block->value->object.n; i++)
		r = read_setting(reader, &block->value->object.items[i]);
	for (size_t i = 0; r == 0 && i < SEAL_SETTINGS_MAX && seal->kind->settings[i].name; i++)
		if (seal->kind->settings[i].required && !seal->values[i])
			return config_fail(reader, block->line, "seal \"%s\" needs %s", type, seal->kind->settings[i].name);
	return r;
}
