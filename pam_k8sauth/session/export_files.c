/* SPDX-License-Identifier: Apache-2.0 */
/* From a secret to files and variables: a file per key, strings as they are, everything else as compact JSON. */
#include <stdio.h>

#include "base/text.h"
#include "session/export.h"

const json_t *export_members(const json_t *data)
{
	if (json_object_size(data) == 2 && json_object_get(data, "data") &&
	    json_is_object(json_object_get(data, "metadata")))
		return json_object_get(data, "data");
	return data;
}

/* Compact JSON with as few digits as tell the same numbers: 0.1 stays 0.1. NULL without memory. */
static char *json_text(const json_t *value)
{
	for (unsigned digits = 15;; digits++) {
		size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits);
		char *text = json_dumps(value, flags);
		json_t *back = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
		bool same = json_equal(back, value);

		json_decref(back);
		if (same || digits == 17 || !text)
			return text;
		cleanup_wipe_str(&text);
	}
}

/* VALUE as bytes: *RET into the value itself or into *RET_OWNED (JSON, which the caller wipes and frees). */
static bool value_text(const json_t *value, const char **ret, size_t *ret_len, char **ret_owned)
{
	if (json_is_string(value)) {
		*ret = json_string_value(value);
		*ret_len = json_string_length(value);
		return true;
	}
	*ret_owned = json_text(value);
	*ret = *ret_owned;
	*ret_len = *ret ? strlen(*ret) : 0;
	return *ret != NULL;
}

/* Whether a file lies there as FILE says. */
static bool unchanged(struct export *export, const struct manifest_file *file)
{
	const struct manifest_file *before = export->before
						 ? manifest_find(export->before, file->name, &export->at_before)
						 : NULL;

	return before && memcmp(before->mac, file->mac, sizeof(before->mac)) == 0;
}

static void add_file(struct export *export, bool leased, const char *name, const char *content, size_t len)
{
	AUTO_BUF struct buf item = { 0 };
	const struct manifest_file *file = NULL;
	uint16_t name_len = (uint16_t)strlen(name);
	const char head[2] = { (char)(name_len & 0xff), (char)(name_len >> 8) };

	buf_add(&item, head, sizeof(head));
	buf_add_str(&item, name);
	buf_add(&item, content, len);
	if (!item.failed && !leased)
		file = manifest_add(&export->manifest, name, export->token, item.data, item.len);
	if (item.failed || (!leased && !file)) {
		export_note(export, "out of memory for %s", name);
		return;
	}
	export->n_files++;
	if (export->kind == EXPORT_ROTATE && file && unchanged(export, file)) {
		wire_add_str(export->files, WIRE_KEEP | WIRE_CRITICAL, name);
		return;
	}
	wire_add(export->files, WIRE_FILE | WIRE_CRITICAL, item.data, item.len);
	export->n_changed++;
}

static void write_member(struct export *export, const struct export_item *item, const char *key, const json_t *value)
{
	char *owned AUTO_WIPE_STR = NULL;
	char name[2 * EXPORT_NAME_MAX + sizeof("secrets//")];
	const char *text;
	size_t len;

	if (item->no_file)
		return;
	if (export->n_files >= EXPORT_FILES_MAX) {
		export_note(export, "%s: a key is left out: more than %d files", item->path, EXPORT_FILES_MAX);
		return;
	}
	if (!export_name_safe(key, strlen(key))) {
		export_note(export, "%s: a key is left out: its name is no safe file name", item->path);
		return;
	}
	if (!value_text(value, &text, &len, &owned)) {
		export_note(export, "%s: out of memory for a key", item->path);
		return;
	}
	if (item->block && item->block->field && item->block->file)
		snprintf(name, sizeof(name), "secrets/%s", item->name);
	else
		snprintf(name, sizeof(name), "secrets/%s/%s", item->name, key);
	add_file(export, item->leased, name, text, len);
}

static bool variable_name_valid(const char *name)
{
	static const char *const ours[] = { "K8SAUTH_SESSION", "K8SAUTH_DIR", "K8SAUTH_TOKEN_FILE", "K8SAUTH_SECRETS",
		"VAULT_ADDR", "VAULT_CACERT", "VAULT_TOKEN" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (streq(name, ours[i]))
			return false;
	}
	if (!name[0] || (name[0] >= '0' && name[0] <= '9'))
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* The value itself, where the block asks for it: one variable, one value. */
static void write_variable(struct export *export, const struct export_config *block, const json_t *value)
{
	AUTO_BUF struct buf item = { 0 };
	char *owned AUTO_WIPE_STR = NULL;
	const char *text;
	size_t len;

	if (export->kind != EXPORT_OPEN)
		return; /* no process takes a changed environment */
	if (!variable_name_valid(block->variable)) {
		export_note(export, "block \"%s\": %s cannot be its variable", block->name, block->variable);
		return;
	}
	if (!value_text(value, &text, &len, &owned))
		return;
	if (memchr(text, '\0', len) || export->env_bytes + len > ENV_TOTAL_MAX) {
		export_note(export,
		    "block \"%s\": %s is left out: its value has a NUL, or variables are over %d KiB together",
		    block->name, block->variable, ENV_TOTAL_MAX / 1024);
		return;
	}
	buf_add_str(&item, block->variable);
	buf_add_char(&item, '=');
	buf_add(&item, text, len);
	if (item.failed)
		return;
	export->env_bytes += item.len;
	wire_add(export->env, WIRE_ENV, item.data, item.len);
}

/* What a secret adds up to; 0 if it is too large by itself. */
static size_t secret_size(const json_t *secret)
{
	size_t total = 1;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)secret, key, value)
	{
		char *owned AUTO_WIPE_STR = NULL;
		const char *text;
		size_t len;

		if (!value_text(value, &text, &len, &owned))
			return 0;
		total += len + strlen(key);
		if (total > EXPORT_SECRET_MAX)
			return 0;
	}
	return total;
}

void export_write(struct export *export, const struct export_item *item, const json_t *data)
{
	const struct export_config *block = item->block;
	const json_t *secret = export_members(data);
	size_t size = secret_size(secret);
	const char *key;
	json_t *value;

	if (size == 0 || export->bytes + size > EXPORT_TOTAL_MAX) {
		export_note(export, "%s is left out: more than %d KiB, or %d KiB together", item->path,
		    EXPORT_SECRET_MAX / 1024, EXPORT_TOTAL_MAX / 1024);
		return;
	}
	export->bytes += size;
	if (block && block->field) {
		value = json_object_get(secret, block->field);
		if (!value) {
			export_note(export, "block \"%s\": %s has no field %s", block->name, item->path, block->field);
			return;
		}
		write_member(export, item, block->field, value);
		if (block->variable)
			write_variable(export, block, value);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)secret, key, value) write_member(export, item, key, value);
	if (block && block->variable)
		export_note(export, "block \"%s\": a variable needs a field", block->name);
}
