/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The export's view of a backend's answers: mounts, resultant ACL, a list, a secret, each JSON, NUL between them. Every
 * file name that comes out must be safe, and the limits must hold.
 */
#include <stdint.h>
#include <stdio.h>

#include "session/export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(int level, const char *ref, const char *line)
{
}

static json_t *next_json(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	size_t len = end ? (size_t)(end - *data) : *size;
	json_t *value = json_loadb((const char *)*data, len, 0, NULL);

	*data += len + (end ? 1 : 0);
	*size -= len + (end ? 1 : 0);
	return value ? value : json_object();
}

/* "token", "secrets/NAME" or "secrets/NAME/NAME", of safe names. */
static void check_file(const struct wire_item *item)
{
	size_t len = (unsigned char)item->value[0] | (size_t)(unsigned char)item->value[1] << 8;
	const char *name = item->value + 2, *slash;

	if (item->len < len + 2 || len < 9 || memcmp(name, "secrets/", 8) != 0)
		abort();
	name += 8;
	len -= 8;
	slash = memchr(name, '/', len);
	if (slash && (!export_name_safe(name, (size_t)(slash - name)) ||
			 !export_name_safe(slash + 1, len - (size_t)(slash - name) - 1)))
		abort();
	if (!slash && !export_name_safe(name, len))
		abort();
}

static void check_files(struct buf *files)
{
	struct wire_frame frame;
	struct wire_item item;
	const char *why;
	size_t at = 0;

	if (wire_end(files) < 0 || wire_parse(files->data, files->len, &frame, &why) < 0)
		abort();
	while (wire_next(&frame, &at, &item)) {
		if (item.tag == WIRE_FILE)
			check_file(&item);
	}
}

/* The same look again finds nothing that changed: what is kept is what was written. */
static void check_again(const struct export *first, const json_t *secret)
{
	AUTO_BUF struct buf files = BUF_MAX(WIRE_HELPER_MAX);
	static struct export again;
	struct wire_frame frame;
	struct wire_item item;
	const char *why;
	size_t at = 0, kept = 0;

	again = (struct export){ .all = first->all,
		.record = first->record,
		.token = secret_copy("token", 5),
		.kind = EXPORT_ROTATE,
		.before = &first->manifest,
		.files = &files };
	wire_begin(&files, WIRE_HELPER_ROTATE);
	for (size_t i = 0; i < first->n_items; i++)
		export_add(&again, first->items[i].path, first->items[i].name, first->items[i].block);
	export_check_names(&again);
	for (size_t i = 0; i < again.n_items; i++) {
		if (!again.items[i].dropped)
			export_write(&again, &again.items[i], secret);
	}
	if (wire_end(&files) < 0 || wire_parse(files.data, files.len, &frame, &why) < 0)
		abort();
	while (wire_next(&frame, &at, &item)) {
		AUTO_FREE char *name = strndup(item.value, item.len);

		if (item.tag != WIRE_KEEP || !manifest_find(&first->manifest, name, &(size_t){ 0 }))
			abort();
		kept++;
	}
	if (kept != first->manifest.n || again.manifest.n != first->manifest.n)
		abort();
	export_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct export_config blocks[] = {
		{ .name = (char[]){ "policy" }, .policy = true },
		{ .name = (char[]){ "one" },
		    .path = (char[]){ "secret/data/{namespace}/a" },
		    .field = (char[]){ "k" },
		    .file = (char[]){ "one" },
		    .variable = (char[]){ "ONE" } },
		{ .name = (char[]){ "two" }, .path = (char[]){ "kv/{user}" } },
	};
	const struct session_config config = { .exports = blocks, .n_exports = ARRAY_SIZE(blocks) };
	struct sessions all = { .options.config = &config };
	AUTO_BUF struct buf files = BUF_MAX(WIRE_HELPER_MAX), env = BUF_MAX(WIRE_REPLY_MAX);
	static struct export export;
	json_t *mounts, *keys, *secret;

	log_set_sink(quiet);
	export = (struct export){ .all = &all, .files = &files, .env = &env, .token = secret_copy("token", 5) };
	snprintf(export.record.namespace_name, sizeof(export.record.namespace_name), "web");
	snprintf(export.record.user, sizeof(export.record.user), "k8s_web_app");
	wire_begin(&files, WIRE_HELPER_SESSION);
	wire_begin(&env, WIRE_OPEN | WIRE_REPLY);
	mounts = next_json(&data, &size);
	export.acl = next_json(&data, &size);
	keys = next_json(&data, &size);
	secret = next_json(&data, &size);
	export_plan_named(&export);
	if (export_take_mounts(&export, mounts))
		export_plan_policy(&export);
	for (size_t i = 0; i < export.n_lists; i++)
		export_plan_listed(&export, &export.lists[i], keys);
	export_check_names(&export);
	for (size_t i = 0; i < export.n_items; i++) {
		if (!export.items[i].dropped)
			export_write(&export, &export.items[i], secret);
	}
	if (export.bytes > EXPORT_TOTAL_MAX || export.n_files > EXPORT_FILES_MAX || export.env_bytes > ENV_TOTAL_MAX)
		abort();
	check_files(&files);
	if (wire_end(&env) < 0)
		abort();
	check_again(&export, secret);
	export_clear(&export);
	json_decref(mounts);
	json_decref(keys);
	json_decref(secret);
	return 0;
}
