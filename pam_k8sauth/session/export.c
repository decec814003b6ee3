/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an export: plan, lists, reads, one request at a time, within its time; see export.h. */
#include "session/export.h"

#include <stdarg.h>
#include <stdio.h>

/* Remembers TEXT; whether it has to be said. */
static bool note_is_new(struct export *export, const char *text)
{
	struct export_notes *notes = &export->notes;
	uint32_t hash = text_hash(text);

	if (notes->n == EXPORT_NOTES_MAX)
		return export->kind == EXPORT_OPEN; /* else it would be new every time */
	notes->hashes[notes->n++] = hash;
	if (export->kind == EXPORT_OPEN)
		return true;
	for (unsigned i = 0; export->silent && i < export->silent->n; i++) {
		if (export->silent->hashes[i] == hash)
			return false;
	}
	return export->silent != NULL;
}

void export_note(struct export *export, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (export->kind == EXPORT_GET)
		memcpy(export->answer.why, text, sizeof(text));
	else if (note_is_new(export, text))
		log_line(LOG_NOTICE, export->ref, "session %s of %s: export: %s", export->record.id,
		    export->record.user, text);
}

void export_add(struct export *export, const char *path, const char *name, const struct export_config *block)
{
	struct export_item *item = &export->items[export->n_items];

	/* A secret that a named block exports whole needs no second copy. */
	for (size_t i = 0; i < export->n_items; i++) {
		if (!block && streq(export->items[i].path, path) &&
		    !(export->items[i].block && export->items[i].block->field))
			return;
	}
	if (export->n_items == EXPORT_SECRETS_MAX) {
		if (!export->over)
			export_note(export, "more than %d secrets: %s and what comes after it is left out",
			    EXPORT_SECRETS_MAX, path);
		export->over = true;
		return;
	}
	*item = (struct export_item){ .path = strdup(path), .name = strdup(name ? name : path), .block = block };
	if (!item->path || !item->name) {
		free(item->path);
		free(item->name);
		export_note(export, "out of memory for %s", path);
		return;
	}
	for (char *c = name ? NULL : item->name; c && *c; c++) {
		if (*c == '/')
			*c = '.';
	}
	export->n_items++;
}

void export_clear(struct export *export)
{
	for (size_t i = 0; i < export->n_items; i++) {
		free(export->items[i].path);
		free(export->items[i].name);
		block_lease_free(export->items[i].lease);
	}
	for (size_t i = 0; i < export->n_lists; i++) {
		free(export->lists[i].path);
		free(export->lists[i].data);
		free(export->lists[i].begin);
	}
	for (size_t i = 0; export->mounts && export->mounts[i]; i++)
		free(export->mounts[i]);
	free(export->mounts);
	json_decref(export->acl);
	json_decref(export->answer.data);
	manifest_clear(&export->manifest);
	secret_free(export->token);
}

/* What is no fault of the secret: a session that begins goes without, one that has its files keeps them. */
PRINTF_LIKE(2, 3)
static void export_fail(struct export *export, const char *format, ...)
{
	char text[sizeof(export->outage)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (export->kind != EXPORT_ROTATE)
		export_note(export, "%s", text);
	else if (!export->outage[0])
		memcpy(export->outage, text, sizeof(text));
}

/* Whether EXPORT goes on; false after DONE was called. */
static bool export_goes_on(struct export *export)
{
	if (!export->stopped && !export->all->closing && !deadline_passed(export->until))
		return true;
	export->incomplete = true;
	if (!export->stopped && !export->all->closing)
		export_fail(export, "not done within %d s: the rest is left out", EXPORT_MS / 1000);
	export->done(export->arg);
	return false;
}

static void export_send(struct export *export, enum vault_op op, const char *path, vault_done_fn *done)
{
	struct vault_request *request = vault_request_new(op, path);

	if (request)
		request->token = secret_copy(secret_reveal(export->token), secret_len(export->token));
	if (!request || !request->token || !trail_session(request, &export->record, export->ref)) {
		vault_request_free(request);
		export->incomplete = true;
		export_fail(export, "out of memory: the rest is left out");
		export->done(export->arg);
		return;
	}
	memcpy(request->ref, export->ref, sizeof(request->ref));
	vault_send(export->all->options.vault, request, done, export);
}

static void note_response(struct export *export, const char *what, const struct vault_response *response)
{
	const char *text = response->reason ? response->reason : vault_response_error_text(response);

	if (vault_response_is_outage(response))
		export_fail(export, "%s: %d %s", what, response->status, text);
	else
		export_note(export, "%s: %d %s", what, response->status, text);
}

/* --- reads ----------------------------------------------------------------------------------- */

static void read_next(struct export *export);

/* The answer itself, for who asked for it. */
static void answer_take(struct export *export, const struct vault_response *response)
{
	export->answer.status = response->status;
	if (response->status == 200)
		export->answer.data = json_incref(response->data);
}

static void on_read(void *arg, struct vault_response *response)
{
	struct export *export = arg;
	struct export_item *item = &export->items[export->at_item++];
	char what[384];

	if (!export_goes_on(export))
		return;
	if (export->kind == EXPORT_GET)
		answer_take(export, response);
	if (response->status == 200 && response->data) {
		item->state = EXPORT_READ;
		item->leased = item->block && response->lease_id && response->lease_id[0];
		if (item->leased)
			item->lease = block_lease_new(item->block, response);
		export_write(export, item, response->data);
	} else {
		if (response->status == 403 || response->status == 404)
			item->state = EXPORT_GONE;
		snprintf(what, sizeof(what), "%.256s cannot be read and is left out", item->path);
		/* Where files of it lay, their removal is said. */
		if (item->state != EXPORT_GONE || export->kind != EXPORT_ROTATE)
			note_response(export, what, response);
	}
	read_next(export);
}

static void read_next(struct export *export)
{
	while (export->at_item < export->n_items &&
	       (export->items[export->at_item].dropped || export->items[export->at_item].leased))
		export->at_item++;
	if (export->at_item == export->n_items)
		export->done(export->arg);
	else
		export_send(export, VAULT_READ, export->items[export->at_item].path, on_read);
}

static void reads_start(struct export *export)
{
	export_check_names(export);
	read_next(export);
}

/* --- the policies ---------------------------------------------------------------------------- */

static void list_next(struct export *export);

static void on_listed(void *arg, struct vault_response *response)
{
	struct export *export = arg;
	const struct export_list *list = &export->lists[export->at_list++];
	char what[384];

	if (!export_goes_on(export))
		return;
	if (response->status == 200) {
		export_plan_listed(export, list, json_object_get(response->data, "keys"));
	} else if (response->status != 404) {
		export->incomplete = export->incomplete || response->status != 403;
		snprintf(what, sizeof(what),
		    "%.256s cannot be listed (the policy needs list there), nothing of it is exported", list->path);
		note_response(export, what, response);
	}
	list_next(export);
}

static void list_next(struct export *export)
{
	if (export->at_list < export->n_lists)
		export_send(export, VAULT_LIST, export->lists[export->at_list].path, on_listed);
	else
		reads_start(export);
}

static void on_mounts(void *arg, struct vault_response *response)
{
	struct export *export = arg;

	if (!export_goes_on(export))
		return;
	export->incomplete = true;
	if (response->status != 200) {
		note_response(export, "the mounts cannot be read, nothing is derived from the policies", response);
	} else if (!export_take_mounts(export, json_object_get(response->data, "secret"))) {
		export_fail(export, "out of memory, nothing is derived from the policies");
	} else {
		export->incomplete = false;
		export_plan_policy(export);
	}
	list_next(export);
}

static void on_acl(void *arg, struct vault_response *response)
{
	struct export *export = arg;

	if (!export_goes_on(export))
		return;
	if (response->status == 200 && !json_is_true(json_object_get(response->data, "root"))) {
		export->acl = json_incref(response->data);
		export_send(export, VAULT_READ, "sys/internal/ui/mounts", on_mounts);
		return;
	}
	export->incomplete = response->status != 200 && response->status != 403;
	if (response->status == 200)
		export_note(export, "a root token allows everything, nothing is derived from it");
	else
		note_response(export,
		    "the policies cannot be read (sys/internal/ui/resultant-acl), nothing is derived from them",
		    response);
	reads_start(export);
}

void export_start(struct export *export)
{
	export_plan_named(export);
	if (export->kind != EXPORT_GET && export_wants_policy(export))
		export_send(export, VAULT_READ, "sys/internal/ui/resultant-acl", on_acl);
	else
		reads_start(export);
}
