/* SPDX-License-Identifier: Apache-2.0 */
/* What changed between two looks at a session's secrets; see rotate.h. */
#include <stdio.h>

#include "session/rotate.h"

#define NAMES_MAX 512 /* bytes of secrets' names in a line of the journal */

/* The secret of the file NAME: "secrets/a" of "secrets/a/key". */
static size_t secret_len_of(const char *name)
{
	const char *slash = strchr(name + strlen("secrets/"), '/');

	return slash ? (size_t)(slash - name) : strlen(name);
}

bool run_got_meanwhile(const struct run *run, const char *name)
{
	const struct session_config *config = run->all->options.config;
	size_t head = strlen("secrets/"), len = secret_len_of(name) - head;

	for (size_t i = 0; i < config->n_exports; i++) {
		const struct export_config *block = &config->exports[i];

		if (block->file && strlen(block->file) == len && strncmp(block->file, name + head, len) == 0 &&
		    block_marks(&run->rotation->session->record, block) && !block_marks(&run->export.record, block))
			return true;
	}
	return false;
}

/* Adds the secret of the file NAME to a line of the journal, once. */
static void name_add(struct buf *list, const char *name)
{
	size_t head = strlen("secrets/"), len = secret_len_of(name) - head;

	for (const char *at = list->data; at && *at; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strcspn(at, " ") == len && strncmp(at, name + head, len) == 0)
			return;
	}
	if (list->len + len < NAMES_MAX)
		buf_printf(list, " %.*s", (int)len, name + head);
	else if (list->len < NAMES_MAX)
		buf_printf(list, "%*s", (int)(NAMES_MAX - list->len), " ...");
}

/* The item whose files NAME is one of; NULL. One that was not read wins: its files stay. */
static const struct export_item *item_of(const struct export *export, const char *name)
{
	const struct export_item *found = NULL;
	size_t head = strlen("secrets/"), len = secret_len_of(name) - head;

	for (size_t i = 0; i < export->n_items; i++) {
		const struct export_item *item = &export->items[i];

		if (strlen(item->name) == len && strncmp(item->name, name + head, len) == 0 &&
		    (!found || item->state == EXPORT_UNREAD))
			found = item;
	}
	return found;
}

static void keep(struct run *run, const char *name)
{
	char path[sizeof("secrets/") + EXPORT_NAME_MAX];

	snprintf(path, sizeof(path), "secrets/%s", name);
	wire_add_str(&run->files, WIRE_KEEP | WIRE_CRITICAL, path);
}

/* Whether OLD, which this look did not find, stays. */
static bool stays(const struct run *run, const struct manifest_file *old)
{
	const struct export_item *item = item_of(&run->export, old->name);

	return item ? item->state == EXPORT_UNREAD : run->export.incomplete;
}

bool run_compare(struct run *run)
{
	const struct manifest *before = run->export.before;
	struct manifest *now = &run->export.manifest;
	size_t found = now->n, at = 0;

	for (size_t i = 0; i < found; i++) {
		const struct manifest_file *old = before ? manifest_find(before, now->files[i].name, &at) : NULL;

		if (!old || memcmp(old->mac, now->files[i].mac, sizeof(old->mac)) != 0)
			name_add(&run->changed, now->files[i].name);
	}
	at = 0;
	for (size_t i = 0; before && i < before->n; i++) {
		const struct manifest_file *old = &before->files[i];

		if (manifest_find(now, old->name, &at) || run_got_meanwhile(run, old->name))
			continue;
		if (!stays(run, old)) {
			name_add(&run->gone, old->name);
			continue;
		}
		wire_add_str(&run->files, WIRE_KEEP | WIRE_CRITICAL, old->name);
		if (!manifest_add_copy(now, old))
			return false;
	}
	return true;
}

void run_keep_blocks(struct run *run)
{
	const struct session_config *config = run->all->options.config;
	const struct session_record *now = &run->rotation->session->record;

	for (size_t i = 0; i < run->export.n_items; i++) {
		/* One that was not read may lie there from before a restart, which MANIFEST does not tell. */
		if (run->export.items[i].leased || run->export.items[i].state == EXPORT_UNREAD)
			keep(run, run->export.items[i].name);
	}
	for (size_t i = 0; i < config->n_exports; i++) {
		const struct export_config *block = &config->exports[i];

		if (block->file && block_marks(now, block) && !block_marks(&run->export.record, block))
			keep(run, block->file);
	}
}

bool run_complete(const struct run *run)
{
	const struct export *export = &run->export;

	for (size_t i = 0; i < export->n_items; i++) {
		if (export->items[i].state == EXPORT_UNREAD && !export->items[i].leased)
			return false;
	}
	return !export->incomplete;
}
