/* SPDX-License-Identifier: Apache-2.0 */
/* sys/audit: enable, disable, list; sys/audit-hash; and the table of devices in the store. */
#include <errno.h>
#include <stdio.h>

#include "vault/embedded/audit/audit_internal.h"

#define DEVICES_MAX 32
#define PATH_MAX_LEN 512

/* --- the table */

static json_t *device_record(const struct audit_device *device)
{
	return json_pack("{s:s, s:s, s:s, s:O, s:b, s:s}", "path", device->path, "type", device->type, "description",
	    device->description, "options", device->options, "local", device->local, "salt", device->salt);
}

/* The table without OLD and with NEW (each may be NULL). */
static int put_table(struct call *call, const struct audit_device *old, const struct audit_device *new)
{
	const struct audit *audit = core_audit(call->core);
	json_t *table = json_array();
	int r = table ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < audit->n; i++)
		if (audit->devices[i] != old && json_array_append_new(table, device_record(audit->devices[i])))
			r = -ENOMEM;
	if (r == 0 && new && json_array_append_new(table, device_record(new)))
		r = -ENOMEM;
	if (r == 0)
		r = core_put(call, AUDIT_KEY, table);
	json_decref(table);
	return r;
}

static int load_device(struct audit *audit, const json_t *record)
{
	struct audit_settings settings = { 0 };
	struct audit_device *device = NULL;
	char why[SINK_WHY_SIZE] = "no memory";
	int r, local;

	if (json_unpack((json_t *)(uintptr_t)record, "{s:s, s:s, s:s, s:o, s:b, s:s}", "path", &settings.path, "type",
		&settings.type, "description", &settings.description, "options", &settings.options, "local", &local,
		"salt", &settings.salt) < 0)
		return -EIO;
	settings.local = local;
	r = audit_device_new(&settings, &audit->results, &device, why);
	if (r == 0)
		r = audit_device_start(device);
	if (r == 0)
		r = audit_add(audit, device);
	if (r < 0) {
		log_error("audit device %s of the store cannot be used: %s", settings.path, why);
		/* Left out, its entries would be missing without a word. */
		if (device && device->started)
			audit_drop(audit, device);
		else
			audit_device_free(device);
	}
	return r;
}

int audit_load(struct call *call)
{
	struct audit *audit = core_audit(call->core);
	json_auto_t *table = NULL;
	int r = audit_headers_load(call);

	if (r == 0)
		r = core_get(call, AUDIT_KEY, &table);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* The call may be run again for others. */
	audit_unload(audit);
	for (size_t i = 0; r == 0 && i < json_array_size(table); i++)
		r = load_device(audit, json_array_get(table, i));
	return r;
}

/* --- list */

static int compare_devices(const void *a, const void *b)
{
	return strcmp((*(struct audit_device *const *)a)->path, (*(struct audit_device *const *)b)->path);
}

int audit_list(struct call *call)
{
	const struct audit *audit = core_audit(call->core);
	struct audit_device **sorted AUTO_FREE = calloc(audit->n + 1, sizeof(*sorted));
	json_t *data = json_object();

	if (!sorted || !data) {
		json_decref(data);
		return -ENOMEM;
	}
	if (audit->n)
		memcpy(sorted, audit->devices, audit->n * sizeof(*sorted));
	qsort(sorted, audit->n, sizeof(*sorted), compare_devices);
	for (size_t i = 0; i < audit->n; i++) {
		json_t *info = json_pack("{s:s, s:b, s:o, s:s, s:s}", "description", sorted[i]->description, "local",
		    sorted[i]->local, "options", json_deep_copy(sorted[i]->options), "path", sorted[i]->path, "type",
		    sorted[i]->type);

		if (!info || json_object_set_new(data, sorted[i]->path, info)) {
			json_decref(data);
			return -ENOMEM;
		}
	}
	call->response->data_on_top = true;
	return call_data(call, data);
}

/* --- enable */

/* A device on its way: kept between the runs of its call. */
struct enabling {
	struct core *core;
	struct call *call;
	struct audit_device *device; /* NULL: taken over */
	bool tried, trying;
	int r; /* of the trial */
};

static void enabling_free(void *state)
{
	struct enabling *enabling = state;

	if (enabling->device && enabling->device->started)
		audit_drop(core_audit(enabling->core), enabling->device);
	else
		audit_device_free(enabling->device);
	free(enabling);
}

static struct audit_device *device_at(const struct audit *audit, const char *path)
{
	for (size_t i = 0; i < audit->n; i++)
		if (streq(audit->devices[i]->path, path))
			return audit->devices[i];
	return NULL;
}

/* PATH ends in '/'. */
static bool path_is_taken(const struct audit *audit, const char *path)
{
	for (size_t i = 0; i < audit->n; i++)
		if (starts_with(audit->devices[i]->path, path) || starts_with(path, audit->devices[i]->path))
			return true;
	return false;
}

static bool file_is_taken(const struct audit *audit, const json_t *options)
{
	const char *path = sink_file_path(options);

	for (size_t i = 0; *path && i < audit->n; i++)
		if (streq(audit->devices[i]->type, "file") && streq(sink_file_path(audit->devices[i]->options), path))
			return true;
	return false;
}

/* Option skip_test, as Go's strconv.ParseBool, or empty; it becomes the text of what was read. 0, -EINVAL, -ENOMEM. */
static int read_skip_test(json_t *options, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
	const char *text = sink_option(options, "skip_test");

	bool read = text && !*text;

	*ret = false;
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		*ret = *ret || streq(text, yes[i]);
		read = read || streq(text, yes[i]) || streq(text, no[i]);
	}
	if (!read)
		return -EINVAL;
	return json_object_set_new(options, "skip_test", json_string(*ret ? "true" : "false")) ? -ENOMEM : 0;
}

/* What Vault's enterprise edition leaves out of a trail by: whoever asks for it must not believe to have it. */
static bool has_foreign_option(const json_t *options)
{
	return json_object_get(options, "exclude") || json_object_get(options, "fallback") ||
	       json_object_get(options, "filter");
}

/* 0, 1 after a refusal. */
static int check_new(struct call *call, const struct audit_settings *settings)
{
	const struct audit *audit = core_audit(call->core);

	const char *prefix = sink_option(settings->options, "prefix");

	if (prefix && *prefix && streq(settings->type, "file"))
		call_error(call, 400,
		    "audit prefixing is not enabled in configuration, audit prefixing may not be configured for file "
		    "sinks");
	else if (has_foreign_option(settings->options))
		call_error(call, 400, "enterprise-only options supplied: invalid configuration");
	else if (path_is_taken(audit, settings->path))
		call_error(call, 400, "path already in use: invalid configuration");
	else if (!sink_kind_of(settings->type))
		call_error(call, 400, "unknown backend type: \"%s\": invalid configuration", settings->type);
	else if (streq(settings->type, "file") && file_is_taken(audit, settings->options))
		call_error(call, 400, "file_path already in use: invalid configuration");
	else if (audit->n >= DEVICES_MAX || strlen(settings->path) > PATH_MAX_LEN)
		call_error(call, 400, "at most %d audit devices, with paths of at most %d bytes", DEVICES_MAX,
		    PATH_MAX_LEN);
	else
		return 0;
	return 1;
}

/* 0 with a device that was started, 1 after a refusal, or an errno. */
static int make_device(struct call *call, const struct audit_settings *settings, struct audit_device **ret)
{
	struct audit_device *device = NULL;
	char why[SINK_WHY_SIZE] = "";
	int r = audit_device_new(settings, &core_audit(call->core)->results, &device, why);

	if (r == -EINVAL) {
		call_error(call, 400, "unable to create new audit backend: %s", why);
		return 1;
	}
	if (r == 0)
		r = audit_device_start(device);
	if (r < 0)
		audit_device_free(device);
	else
		*ret = device;
	return r;
}

static void on_tried(void *arg, int r)
{
	struct enabling *enabling = arg;

	enabling->tried = true;
	enabling->r = r;
	call_resume(enabling->call);
}

/* -EAGAIN, or an errno. */
static int try_device(struct call *call, struct enabling *enabling)
{
	struct audit_draft draft = draft_new();
	int r;

	audit_test_entry(&draft);
	call_hold(call);
	r = audit_submit(core_audit(call->core), enabling->device, &draft, on_tried, enabling);
	if (r == 0)
		return -EAGAIN;
	enabling->tried = true;
	enabling->r = r;
	call_resume(call);
	return -EAGAIN;
}

/* The first run: the device is made and, unless its options say otherwise, tried. 0, 1 after a refusal, or an errno. */
static int begin(struct call *call, const struct audit_settings *settings)
{
	struct enabling *enabling;
	bool skip_test;
	int r;

	r = read_skip_test(settings->options, &skip_test);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		call_error(call, 400, "cannot parse supplied 'skip_test' setting: invalid configuration");
		return 1;
	}
	enabling = calloc(1, sizeof(*enabling));
	if (!enabling)
		return -ENOMEM;
	enabling->core = call->core;
	enabling->call = call;
	r = make_device(call, settings, &enabling->device);
	if (r) {
		enabling_free(enabling);
		return r;
	}
	call->state = enabling;
	call->state_free = enabling_free;
	enabling->tried = skip_test;
	return skip_test ? 0 : try_device(call, enabling);
}

static void after_enable(struct core *core, int r, void *arg)
{
	struct enabling *enabling = arg;

	if (r < 0)
		return;
	if (audit_add(core_audit(core), enabling->device) < 0) {
		log_error("no memory for an audit device that the store has: restart k8sauthd");
		return;
	}
	log_notice("enabled audit device %s of type %s", enabling->device->path, enabling->device->type);
	enabling->device = NULL;
}

/* 0, or 1 after the refusal of a device that could not write. */
static int check_trial(struct call *call, struct enabling *enabling)
{
	char why[SINK_WHY_SIZE];

	if (enabling->r == 0)
		return 0;
	pthread_mutex_lock(&enabling->device->lock);
	snprintf(why, sizeof(why), "%s", enabling->device->why);
	pthread_mutex_unlock(&enabling->device->lock);
	if (streq(enabling->device->type, "file"))
		call_error(call, 400,
		    "unable to create new audit backend: file sink creation failed for path \"%s\": sanity check "
		    "failed; %s",
		    sink_file_path(enabling->device->options), why);
	else if (streq(enabling->device->type, "syslog"))
		call_error(call, 400, "unable to create new audit backend: %s", why);
	else
		call_error(call, 400, "audit backend failed test message: %s", why);
	return 1;
}

int audit_enable(struct call *call)
{
	struct audit_settings settings = { .description = "", .type = "" };
	char *path AUTO_FREE = NULL;
	json_auto_t *options = NULL;
	struct enabling *enabling;
	int r = call_field_string(call, "type", &settings.type, NULL);

	if (r == 0)
		r = call_field_string(call, "description", &settings.description, NULL);
	if (r == 0)
		r = call_field_bool(call, "local", &settings.local, NULL);
	if (r == 0)
		r = call_field_pairs(call, "options", &options, NULL);
	if (r)
		return r < 0 ? r : 0;
	if (!options)
		options = json_object();
	if (!options || asprintf(&path, "%s/", call_capture(call, "path")) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	settings.path = path;
	settings.options = options;
	r = check_new(call, &settings);
	if (r == 0 && !call->state)
		r = begin(call, &settings);
	if (r)
		return r < 0 ? r : 0;
	enabling = call->state;
	if (!enabling->tried)
		return -EAGAIN;
	if (check_trial(call, enabling))
		return 0;
	r = put_table(call, NULL, enabling->device);
	if (r < 0)
		return r;
	call_on_commit(call, after_enable, enabling);
	return call_done(call);
}

/* --- disable */

static void after_disable(struct core *core, int r, void *arg)
{
	struct audit_device *device = arg;

	if (r < 0)
		return;
	log_notice("disabled audit device %s", device->path);
	audit_drop(core_audit(core), device);
}

int audit_disable(struct call *call)
{
	const struct audit *audit = core_audit(call->core);
	char *path AUTO_FREE = NULL;
	struct audit_device *device;
	int r;

	if (asprintf(&path, "%s/", call_capture(call, "path")) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	device = device_at(audit, path);
	if (!device)
		return call_done(call);
	r = put_table(call, device, NULL);
	if (r < 0)
		return r;
	call_on_commit(call, after_disable, device);
	return call_done(call);
}

/* --- sys/audit-hash */

int audit_hash_input(struct call *call)
{
	const char *input = "";
	char *path AUTO_FREE = NULL;
	char hash[AUDIT_HASH_LEN + 1];
	struct audit_device *device;
	int r = call_field_string(call, "input", &input, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (!*input)
		return call_error(call, 400, "the \"input\" parameter is empty");
	if (asprintf(&path, "%s/", call_capture(call, "path")) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	device = device_at(core_audit(call->core), path);
	if (!device)
		return call_error(call, 400, "unknown audit backend \"%s\"", path);
	r = audit_hash(device->mac, input, strlen(input), hash);
	call->response->data_on_top = true;
	return r < 0 ? r : call_data(call, json_pack("{s:s}", "hash", hash));
}
