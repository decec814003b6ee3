/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's side of all devices: what they get, what they give back, which of them hangs. */
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/deadline.h"
#include "vault/embedded/audit/audit_internal.h"

#define WATCH_S	       1
#define STUCK_AFTER_MS 1000 /* beyond twice the time limit of a write, which is tried again once */
#define STOP_MS	       3000
#define TELL_AGAIN_MS  10000

/* --- results */

/* One device has given ITEM back with R, or is not waited for any longer. */
static void item_result(struct audit_item *item, int r)
{
	item->pending--;
	if (item->answered)
		return;
	if (r < 0)
		item->r = r;
	if (r < 0 && item->pending > 0)
		return;
	item->answered = true;
	if (item->done)
		item->done(item->arg, r < 0 ? item->r : 0);
}

static void item_drop(struct audit_item *item)
{
	if (--item->held > 0)
		return;
	buf_free(&item->draft);
	free(item);
}

/* For the journal: a line when a device begins to fail, then now and then, and one when it works again. */
static void log_result(struct audit_device *device, int r)
{
	char why[SINK_WHY_SIZE];

	if (r == 0) {
		if (device->failing)
			log_notice("audit device %s works again", device->path);
		device->failing = false;
		return;
	}
	if (device->failing && monotonic_ms() - device->told_ms < TELL_AGAIN_MS)
		return;
	pthread_mutex_lock(&device->lock);
	snprintf(why, sizeof(why), "%s", device->why);
	pthread_mutex_unlock(&device->lock);
	log_error("audit device %s: %s; mend that: requests are refused while no device accepts their entries",
	    device->path, *why ? why : strerror(-r));
	device->failing = true;
	device->told_ms = monotonic_ms();
}

static void task_back(struct audit_task *task)
{
	struct audit_device *device = task->device;
	struct audit_item *item = task->item;

	TAILQ_REMOVE(&device->given, task, given);
	device->given_bytes -= item->draft.len;
	device->since_ms = monotonic_ms();
	if (device->stuck)
		log_notice("audit device %s goes on", device->path);
	device->stuck = false;
	log_result(device, task->r);
	if (!task->given_up)
		item_result(item, task->r);
	item_drop(item);
	free(task);
}

/* Frees the devices whose threads have ended. */
static void reap(struct audit *audit)
{
	struct audit_device *device, *next;

	for (device = STAILQ_FIRST(&audit->ending); device; device = next) {
		bool ended;

		next = STAILQ_NEXT(device, ending);
		pthread_mutex_lock(&audit->results.lock);
		ended = device->ended;
		pthread_mutex_unlock(&audit->results.lock);
		/* It has nothing left to do but to return. */
		if (!ended || !audit_device_join(device, STOP_MS))
			continue;
		STAILQ_REMOVE(&audit->ending, device, audit_device, ending);
		audit_device_free(device);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct audit_tasks done = STAILQ_HEAD_INITIALIZER(done);
	struct audit *audit = arg;
	struct audit_task *task;
	uint64_t count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		continue;
	pthread_mutex_lock(&audit->results.lock);
	STAILQ_CONCAT(&done, &audit->results.done);
	pthread_mutex_unlock(&audit->results.lock);
	while ((task = STAILQ_FIRST(&done))) {
		STAILQ_REMOVE_HEAD(&done, link);
		task_back(task);
	}
	reap(audit);
}

/* --- devices that hang */

/* What DEVICE has is not waited for any longer, and it gets nothing until it gives something back. */
static void give_up(struct audit_device *device)
{
	struct audit_task *task;

	device->stuck = true;
	log_error("audit device %s hangs: it gets no entries until it goes on; mend what it writes to", device->path);
	TAILQ_FOREACH(task, &device->given, given)
	{
		if (task->given_up)
			continue;
		task->given_up = true;
		item_result(task->item, -ETIMEDOUT);
	}
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct audit *audit = arg;
	int64_t now = monotonic_ms();

	for (size_t i = 0; i < audit->n; i++) {
		struct audit_device *device = audit->devices[i];
		int64_t limit = device->since_ms + 2 * (int64_t)device->sink->timeout_ms + STUCK_AFTER_MS;

		if (!device->stuck && !TAILQ_EMPTY(&device->given) && now > limit)
			give_up(device);
	}
}

/* --- giving */

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct audit *audit = arg;

	for (size_t i = 0; i < audit->n; i++)
		audit_device_flush(audit->devices[i]);
}

static int give_all(struct audit *audit, struct audit_item *item)
{
	int r = -ENOBUFS;

	for (size_t i = 0; i < audit->n; i++) {
		struct audit_device *device = audit->devices[i];
		int given = audit_device_takes(device, item->draft.len) ? audit_device_give(device, item) : -ENOBUFS;

		if (given == 0)
			r = 0;
		else
			log_result(device, given);
	}
	return r;
}

int audit_submit(struct audit *audit, struct audit_device *only, struct audit_draft *draft,
    void (*done)(void *arg, int r), void *arg)
{
	struct audit_item *item = draft->buf.failed ? NULL : calloc(1, sizeof(*item));
	int r;

	if (!item) {
		buf_free(&draft->buf);
		return -ENOMEM;
	}
	*item = (struct audit_item){ .draft = draft->buf, .done = done, .arg = arg };
	draft->buf = (struct buf){ 0 };
	r = only ? audit_device_give(only, item) : give_all(audit, item);
	if (r < 0) {
		item->held = 1;
		item_drop(item);
	} else if (only) {
		audit_device_flush(only);
	} else {
		event_active(audit->turn, EV_TIMEOUT, 0);
	}
	return r;
}

/* --- which devices there are */

int audit_add(struct audit *audit, struct audit_device *device)
{
	struct audit_device **more = reallocarray(audit->devices, audit->n + 1, sizeof(struct audit_device *));
	const struct timeval every = { .tv_sec = WATCH_S };

	if (!more)
		return -ENOMEM;
	audit->devices = more;
	if (audit->n == 0 && event_add(audit->watch, &every) < 0)
		return -ENOMEM;
	audit->devices[audit->n++] = device;
	audit_headers_changed(audit);
	return 0;
}

void audit_drop(struct audit *audit, struct audit_device *device)
{
	for (size_t i = 0; i < audit->n; i++) {
		if (audit->devices[i] != device)
			continue;
		memmove(audit->devices + i, audit->devices + i + 1,
		    (audit->n - i - 1) * sizeof(struct audit_device *));
		audit->n--;
		break;
	}
	if (audit->n == 0)
		event_del(audit->watch);
	audit_headers_changed(audit);
	if (!device->started) {
		audit_device_free(device);
		return;
	}
	STAILQ_INSERT_TAIL(&audit->ending, device, ending);
	audit_device_stop(device);
}

void audit_unload(struct audit *audit)
{
	while (audit->n)
		audit_drop(audit, audit->devices[audit->n - 1]);
}

void audit_reopen(struct audit *audit)
{
	for (size_t i = 0; i < audit->n; i++)
		audit_device_reopen(audit->devices[i]);
}

bool audit_enabled(const struct audit *audit)
{
	return audit->n > 0;
}

/* --- all of it */

int audit_new(struct core *core, struct audit **ret)
{
	struct audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return -ENOMEM;
	audit->core = core;
	STAILQ_INIT(&audit->ending);
	STAILQ_INIT(&audit->results.done);
	pthread_mutex_init(&audit->results.lock, NULL);
	audit->results.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	audit->wake = event_new(
	    core->base, audit->results.wake_fd, EV_READ | EV_PERSIST, on_wake, audit);
	audit->headers = audit_default_headers();
	audit->turn = event_new(core->base, -1, 0, on_turn, audit);
	audit->watch = event_new(core->base, -1, EV_PERSIST, on_watch, audit);
	if (audit->results.wake_fd < 0 || !audit->headers || !audit->wake || !audit->turn || !audit->watch ||
	    event_add(audit->wake, NULL) < 0) {
		audit_free(audit);
		return -ENOMEM;
	}
	*ret = audit;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void audit_free(struct audit *audit)
{
	struct audit_device *device;
	bool hangs = false;

	if (!audit)
		return;
	audit_unload(audit);
	STAILQ_FOREACH(device, &audit->ending, ending)
	{
		/* Together, and each of them at least that long. */
		if (!audit_device_join(device, hangs ? 0 : STOP_MS)) {
			log_error("audit device %s hangs at the end: its last entries are lost", device->path);
			hangs = true;
		}
	}
	if (hangs)
		return; /* its thread still uses all that */
	on_wake(audit->results.wake_fd, 0, audit);
	while ((device = STAILQ_FIRST(&audit->ending))) {
		STAILQ_REMOVE_HEAD(&audit->ending, ending);
		audit_device_free(device);
	}
	free_event(audit->wake);
	free_event(audit->turn);
	free_event(audit->watch);
	cleanup_close(&audit->results.wake_fd);
	pthread_mutex_destroy(&audit->results.lock);
	free(audit->devices);
	json_decref(audit->headers);
	free(audit);
}
