/* SPDX-License-Identifier: Apache-2.0 */
/* Which secrets a session gets: named blocks with their templates, and paths that the token's policies allow. */
#include <stdio.h>

#include "base/text.h"
#include "session/export.h"
#include "session/path.h"

bool export_serves(const struct export_config *block, const char *service)
{
	for (size_t i = 0; block->services && block->services[i]; i++) {
		if (streq(block->services[i], service))
			return true;
	}
	return !block->services;
}

bool export_wants_policy(const struct export *export)
{
	const struct session_config *config = export->all->options.config;

	for (size_t i = 0; i < config->n_exports; i++) {
		if (config->exports[i].policy && export_serves(&config->exports[i], export->record.service))
			return true;
	}
	return false;
}

/* --- templates ------------------------------------------------------------------------------- */

/* TEXT with its templates filled in; NULL with WHY. The caller frees it. */
static char *template_fill(const struct export *export, const char *text, const char **why)
{
	const struct path_value values[] = {
		{ "namespace", export->record.namespace_name },
		{ "service_account", export->record.service_account },
		{ "host", export->all->options.config->host },
		{ "user", export->record.user },
	};

	return path_fill(values, ARRAY_SIZE(values), text, why);
}

static void plan_block(struct export *export, const struct export_config *block)
{
	const char *why = "it has no path";
	char *path AUTO_FREE = block->path ? template_fill(export, block->path, &why) : NULL;

	size_t before = export->n_items;

	if (!path)
		export_note(export, "block \"%s\" is left out: %s", block->name, why);
	else
		export_add(export, path, block->file, block);
	if (export->n_items > before) {
		struct export_item *item = &export->items[before];

		item->leased = export->kind == EXPORT_ROTATE && block_marks(&export->record, block) & BLOCK_LEASED;
		item->no_file = block->at_use && !block->file;
	}
}

/* Whether BLOCK is part of this export: what is fetched on use only once it was, and has a file. */
static bool wanted(const struct export *export, const struct export_config *block)
{
	if (export->kind == EXPORT_GET)
		return block == export->only;
	if (block->policy || !export_serves(block, export->record.service))
		return false;
	return !block->at_use || (export->kind == EXPORT_ROTATE && block_marks(&export->record, block) & BLOCK_USED);
}

void export_plan_named(struct export *export)
{
	const struct session_config *config = export->all->options.config;

	for (size_t i = 0; i < config->n_exports; i++) {
		if (wanted(export, &config->exports[i]))
			plan_block(export, &config->exports[i]);
	}
}

/* --- policies -------------------------------------------------------------------------------- */

bool export_take_mounts(struct export *export, const json_t *mounts)
{
	size_t n = 0;
	const char *path;
	json_t *mount;

	export->mounts = calloc(json_object_size(mounts) + 1, sizeof(*export->mounts));
	if (!export->mounts)
		return false;
	/* Jansson wants to iterate over something that it could change. */
	json_object_foreach((json_t *)(uintptr_t)mounts, path, mount)
	{
		const char *type = json_string_value(json_object_get(mount, "type"));
		const char *version = json_string_value(json_object_get(json_object_get(mount, "options"), "version"));

		if (!type || !streq(type, "kv") || !version || !streq(version, "2") || !ends_with(path, "/"))
			continue;
		export->mounts[n] = strdup(path);
		if (!export->mounts[n++])
			return false;
	}
	return true;
}

static bool rule_reads(const json_t *rule)
{
	const json_t *capabilities = json_object_get(rule, "capabilities");
	bool read = false;

	for (size_t i = 0; i < json_array_size(capabilities); i++) {
		const char *name = json_string_value(json_array_get(capabilities, i));

		if (name && streq(name, "deny"))
			return false;
		read = read || (name && streq(name, "read"));
	}
	return read;
}

/* The rule for PATH as far as the resultant ACL tells: exact, else the longest glob. The read itself has the last word.
 */
static bool acl_reads(const json_t *acl, const char *path)
{
	const json_t *best = json_object_get(json_object_get(acl, "exact_paths"), path);
	json_t *globs = json_object_get(acl, "glob_paths"), *rule;
	size_t best_len = 0;
	const char *glob;

	if (best)
		return rule_reads(best);
	json_object_foreach(globs, glob, rule)
	{
		size_t len = strlen(glob);

		if (len >= best_len && starts_with(path, glob)) {
			best = rule;
			best_len = len;
		}
	}
	return best && rule_reads(best);
}

/* PATH is MOUNT's "data/" and more: what comes behind it; NULL. */
static const char *below_data(const char *path, const char *mount)
{
	size_t len = strlen(mount);

	if (!starts_with(path, mount) || !starts_with(path + len, "data/") || !path[len + 5])
		return NULL;
	return path + len + 5;
}

static void plan_exact(struct export *export, const char *path)
{
	for (size_t i = 0; export->mounts[i]; i++) {
		if (below_data(path, export->mounts[i]) && !ends_with(path, "/"))
			export_add(export, path, NULL, NULL);
	}
}

/* A LIST of the folder DIR (relative to the mount's data, "" or ending in '/') for paths that begin with GLOB. */
static void plan_list(struct export *export, const char *mount, const char *dir, size_t dir_len, const char *glob)
{
	struct export_list *list = &export->lists[export->n_lists];

	if (export->n_lists == EXPORT_LISTS_MAX) {
		export_note(export, "more than %d paths with *: %s* is left out", EXPORT_LISTS_MAX, glob);
		return;
	}
	*list = (struct export_list){ 0 };
	if (asprintf(&list->path, "%smetadata/%.*s", mount, (int)dir_len, dir) < 0)
		list->path = NULL;
	if (asprintf(&list->data, "%sdata/%.*s", mount, (int)dir_len, dir) < 0)
		list->data = NULL;
	list->begin = strdup(glob);
	if (list->path && list->data && list->begin) {
		export->n_lists++;
		return;
	}
	free(list->path);
	free(list->data);
	free(list->begin);
	export_note(export, "out of memory for %s*", glob);
}

static void plan_glob(struct export *export, const char *glob)
{
	for (size_t i = 0; export->mounts[i]; i++) {
		const char *mount = export->mounts[i], *rest = below_data(glob, mount), *slash;
		char *data AUTO_FREE = NULL;

		if (rest) {
			slash = strrchr(rest, '/');
			plan_list(export, mount, rest, slash ? (size_t)(slash - rest + 1) : 0, glob);
		} else if (asprintf(&data, "%sdata/", mount) >= 0 && starts_with(data, glob)) {
			plan_list(export, mount, "", 0, glob); /* the whole mount or more: its first level */
		}
	}
}

void export_plan_policy(struct export *export)
{
	json_t *rule;
	const char *path;

	json_object_foreach(json_object_get(export->acl, "exact_paths"), path, rule)
	{
		if (rule_reads(rule))
			plan_exact(export, path);
	}
	json_object_foreach(json_object_get(export->acl, "glob_paths"), path, rule)
	{
		if (!rule_reads(rule))
			continue;
		if (!strchr(path, '+'))
			plan_glob(export, path);
		else
			for (size_t i = 0; export->mounts[i]; i++) {
				if (starts_with(path, export->mounts[i]))
					export_note(export,
					    "%s: paths with + are not followed; name it in an export block", path);
			}
	}
}

void export_plan_listed(struct export *export, const struct export_list *list, const json_t *keys)
{
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *name = json_string_value(json_array_get(keys, i));
		char *path AUTO_FREE = NULL;

		if (!name || !name[0] || ends_with(name, "/") || asprintf(&path, "%s%s", list->data, name) < 0)
			continue;
		if (starts_with(path, list->begin) && acl_reads(export->acl, path))
			export_add(export, path, NULL, NULL);
	}
}

/* --- names ----------------------------------------------------------------------------------- */

bool export_name_safe(const char *name, size_t len)
{
	if (len == 0 || len > EXPORT_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
			c == '_' || c == '-'))
			return false;
	}
	return true;
}

/* Whether ITEM is one file with a name of its own; else its files lie in a directory named after the secret. */
static bool single_file(const struct export_item *item)
{
	return item->block && item->block->field && item->block->file;
}

static const char *field_of(const struct export_item *item)
{
	return item->block ? item->block->field : NULL;
}

/* Whether A writes all that B writes. They have the same name. */
static bool covers(const struct export_item *a, const struct export_item *b)
{
	const char *field = field_of(a), *other = field_of(b);

	if (!streq(a->path, b->path) || single_file(a) != single_file(b))
		return false;
	return !field || (other && streq(field, other));
}

/* Whether A and B, which have the same name, would lie in one place and are not the same secret. */
static bool clashes(const struct export_item *a, const struct export_item *b)
{
	if (single_file(a) || single_file(b))
		return !covers(a, b);
	return !streq(a->path, b->path);
}

static void check_name(struct export *export, size_t i)
{
	struct export_item *item = &export->items[i];
	bool clash = false;

	for (size_t j = 0; j < export->n_items; j++) {
		const struct export_item *other = &export->items[j];

		if (j == i || !streq(other->name, item->name))
			continue;
		clash = clash || clashes(item, other);
		if (covers(other, item) && (j < i || !covers(item, other)))
			item->no_file = true;
	}
	if (clash)
		export_note(export, "%s is left out: another secret has the same name, %s", item->path, item->name);
	else if (!export_name_safe(item->name, strlen(item->name)))
		export_note(export, "%s is left out: its name is no safe file name (at most %d of A-Z a-z 0-9 . _ -)",
		    item->path, EXPORT_NAME_MAX);
	else
		return;
	item->dropped = true;
	item->state = EXPORT_GONE;
}

void export_check_names(struct export *export)
{
	/* All that share a name are dropped: else whoever may write a.b could stand in for a/b. */
	for (size_t i = 0; i < export->n_items; i++)
		check_name(export, i);
}
