/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of an audit device and its queue; see device.h. */
#include "vault/embedded/audit/device.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/secret.h"
#include "base/thread.h"

#define WRITE_MAX (1024 * 1024) /* bytes of lines in one write, as far as single entries fit */

/* --- the thread */

static void give_back(struct audit_device *device, struct audit_tasks *tasks)
{
	struct audit_results *results = device->results;
	uint64_t one = 1;

	pthread_mutex_lock(&results->lock);
	STAILQ_CONCAT(&results->done, tasks);
	pthread_mutex_unlock(&results->lock);
	/* Cannot fail but for a full counter, and then the loop wakes anyhow. */
	if (write(results->wake_fd, &one, sizeof(one)) != sizeof(one))
		log_debug("audit: the loop has many results waiting");
}

/* Puts the device's prefix before each of the lines from BEFORE on. */
static int prefix_lines(const struct audit_device *device, struct buf *lines, size_t before)
{
	struct buf bare AUTO_BUF = { 0 };
	const char *line, *end;

	if (buf_add(&bare, lines->data + before, lines->len - before) < 0)
		return -ENOMEM;
	lines->len = before;
	for (line = bare.data; *line; line = end + 1) {
		end = strchr(line, '\n');
		buf_add_str(lines, device->form.prefix);
		buf_add(lines, line, (size_t)(end - line) + 1);
	}
	return lines->failed ? -ENOMEM : 0;
}

/* Moves tasks from TASKS to BATCH and their lines to LINES, until that is enough. */
static void make_lines(
    struct audit_device *device, struct audit_tasks *tasks, struct audit_tasks *batch, struct buf *lines)
{
	struct audit_task *task;

	while ((task = STAILQ_FIRST(tasks)) && lines->len < WRITE_MAX) {
		size_t before = lines->len;

		STAILQ_REMOVE_HEAD(tasks, link);
		STAILQ_INSERT_TAIL(batch, task, link);
		task->r = draft_render(task->item->draft.data, task->item->draft.len, &device->form, lines);
		if (task->r == 0 && device->form.prefix)
			task->r = prefix_lines(device, lines, before);
		task->end = task->r == 0 ? lines->len : 0;
		if (task->r < 0) {
			lines->len = before;
			lines->failed = false;
		}
	}
}

static void note_failure(struct audit_device *device, const char *why)
{
	pthread_mutex_lock(&device->lock);
	snprintf(device->why, sizeof(device->why), "%s", why);
	pthread_mutex_unlock(&device->lock);
}

static void write_batch(struct audit_device *device, struct audit_tasks *batch, const struct buf *lines)
{
	char why[SINK_WHY_SIZE] = "no memory, or no hash, for the entry";
	struct audit_task *task;
	size_t written = 0;
	bool failed = false;
	int r = lines->len ? device->sink->kind->write(device->sink, lines->data, lines->len, &written, why) : 0;

	STAILQ_FOREACH(task, batch, link)
	{
		if (task->r == 0 && task->end > written)
			task->r = r < 0 ? r : -EIO;
		failed = failed || task->r < 0;
	}
	if (failed)
		note_failure(device, why);
}

static void do_tasks(struct audit_device *device, struct audit_tasks *tasks, struct buf *lines)
{
	while (!STAILQ_EMPTY(tasks)) {
		struct audit_tasks batch = STAILQ_HEAD_INITIALIZER(batch);

		make_lines(device, tasks, &batch, lines);
		write_batch(device, &batch, lines);
		if (device->form.log_raw && lines->data)
			wipe(lines->data, lines->len);
		lines->len = 0;
		give_back(device, &batch);
	}
}

/* Takes the next tasks; false: stop, and none is left. */
static bool next(struct audit_device *device, struct audit_tasks *tasks, bool *ret_reopen)
{
	bool more;

	pthread_mutex_lock(&device->lock);
	while (STAILQ_EMPTY(&device->queue) && !device->stop && !device->reopen)
		pthread_cond_wait(&device->changed, &device->lock);
	STAILQ_CONCAT(tasks, &device->queue);
	*ret_reopen = device->reopen;
	device->reopen = false;
	more = !STAILQ_EMPTY(tasks) || !device->stop;
	pthread_mutex_unlock(&device->lock);
	return more;
}

static void *thread_main(void *arg)
{
	struct audit_device *device = arg;
	struct audit_results *results = device->results;
	struct audit_tasks tasks = STAILQ_HEAD_INITIALIZER(tasks), none = STAILQ_HEAD_INITIALIZER(none);
	struct buf lines AUTO_BUF = { 0 };
	bool reopen;

	while (next(device, &tasks, &reopen)) {
		if (reopen)
			device->sink->kind->close(device->sink);
		do_tasks(device, &tasks, &lines);
	}
	pthread_mutex_lock(&results->lock);
	device->ended = true;
	results->ended++;
	pthread_mutex_unlock(&results->lock);
	give_back(device, &none);
	return NULL;
}

/* --- made and freed */

void audit_device_free(struct audit_device *device)
{
	if (!device)
		return;
	free(device->path);
	free(device->type);
	free(device->description);
	json_decref(device->options);
	EVP_MAC_CTX_free(device->mac);
	EVP_MAC_CTX_free(device->form.mac);
	if (device->sink)
		device->sink->kind->free(device->sink);
	wipe(device->salt, sizeof(device->salt));
	pthread_cond_destroy(&device->changed);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

/* Go's strconv.ParseBool of option NAME; WISHED is what it is without. */
static int read_bool(const json_t *options, const char *name, bool wished, bool *ret, char why[static SINK_WHY_SIZE])
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
	const char *text = sink_option(options, name);

	*ret = wished;
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (streq(text, yes[i]) || streq(text, no[i])) {
			*ret = streq(text, yes[i]);
			return 0;
		}
	}
	snprintf(why, SINK_WHY_SIZE, "unable to parse \"%s\": invalid configuration", name);
	return -EINVAL;
}

/* Entries are JSON; the XML of "jsonx" is one format too many, and nobody's default. */
static int read_form(const json_t *options, struct audit_form *form, char why[static SINK_WHY_SIZE])
{
	const char *format = sink_option(options, "format");
	bool hash_accessors = true;
	int r = 0;

	if (format && strcasecmp(format, "json") != 0) {
		snprintf(why, SINK_WHY_SIZE, "unsupported \"format\": invalid configuration");
		r = -EINVAL;
	}
	if (r == 0)
		r = read_bool(options, "hmac_accessor", true, &hash_accessors, why);
	if (r == 0)
		r = read_bool(options, "log_raw", false, &form->log_raw, why);
	if (r == 0)
		r = read_bool(options, "elide_list_responses", false, &form->elide_lists, why);
	form->clear_accessors = !hash_accessors;
	form->prefix = sink_option(options, "prefix");
	if (form->prefix && !*form->prefix)
		form->prefix = NULL;
	return r;
}

static int fill(struct audit_device *device, const struct audit_settings *settings, char why[static SINK_WHY_SIZE])
{
	const struct sink_kind *kind = sink_kind_of(settings->type);
	int r;

	if (settings->salt)
		snprintf(device->salt, sizeof(device->salt), "%s", settings->salt);
	else
		random_uuid(device->salt);
	device->path = strdup(settings->path);
	device->type = strdup(settings->type);
	device->description = strdup(settings->description);
	device->options = json_deep_copy(settings->options);
	device->local = settings->local;
	device->mac = audit_mac_new(device->salt);
	device->form.mac = audit_mac_new(device->salt);
	if (!kind || !device->path || !device->type || !device->description || !device->options || !device->mac ||
	    !device->form.mac)
		return -ENOMEM;
	r = read_form(device->options, &device->form, why);
	return r == 0 ? kind->make(device->options, &device->sink, why) : r;
}

int audit_device_new(const struct audit_settings *settings, struct audit_results *results, struct audit_device **ret,
    char why[static SINK_WHY_SIZE])
{
	struct audit_device *device = calloc(1, sizeof(*device));
	int r;

	if (!device)
		return -ENOMEM;
	device->results = results;
	TAILQ_INIT(&device->given);
	STAILQ_INIT(&device->turn);
	STAILQ_INIT(&device->queue);
	pthread_mutex_init(&device->lock, NULL);
	pthread_cond_init(&device->changed, NULL);
	r = fill(device, settings, why);
	if (r < 0)
		audit_device_free(device);
	else
		*ret = device;
	return r;
}

int audit_device_start(struct audit_device *device)
{
	int r = thread_start(&device->thread, thread_main, device);

	device->started = r == 0;
	return r;
}

/* --- the loop's side of the queue */

bool audit_device_takes(const struct audit_device *device, size_t len)
{
	return !device->stuck && device->given_bytes + len <= DEVICE_QUEUE_MAX;
}

int audit_device_give(struct audit_device *device, struct audit_item *item)
{
	struct audit_task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	task->item = item;
	task->device = device;
	item->pending++;
	item->held++;
	if (TAILQ_EMPTY(&device->given))
		device->since_ms = monotonic_ms();
	TAILQ_INSERT_TAIL(&device->given, task, given);
	device->given_bytes += item->draft.len;
	STAILQ_INSERT_TAIL(&device->turn, task, link);
	return 0;
}

void audit_device_flush(struct audit_device *device)
{
	if (STAILQ_EMPTY(&device->turn))
		return;
	pthread_mutex_lock(&device->lock);
	STAILQ_CONCAT(&device->queue, &device->turn);
	pthread_mutex_unlock(&device->lock);
	/* After the lock is free: the thread would wake only to wait for it. */
	pthread_cond_signal(&device->changed);
}

static void tell(struct audit_device *device, bool *what)
{
	pthread_mutex_lock(&device->lock);
	*what = true;
	pthread_mutex_unlock(&device->lock);
	pthread_cond_signal(&device->changed);
}

void audit_device_reopen(struct audit_device *device)
{
	tell(device, &device->reopen);
}

void audit_device_stop(struct audit_device *device)
{
	audit_device_flush(device);
	tell(device, &device->stop);
}

bool audit_device_join(struct audit_device *device, int timeout_ms)
{
	struct timespec until;

	if (!device->started)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	if (pthread_timedjoin_np(device->thread, NULL, &until) != 0)
		return false;
	device->started = false;
	return true;
}
