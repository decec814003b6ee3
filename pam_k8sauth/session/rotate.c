/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks again and again at the secrets of living sessions, and has the helper replace what changed. Each session has
 * its own time, so that many do not come at once, and few are under way together. What cannot be read because something
 * is down stays as it is; what is gone, or not allowed any more, goes. The journal gets a line for each change, never a
 * value, and one in a minute for an outage.
 */
#include <stdio.h>

#include "base/text.h"
#include "session/rotate.h"

#define ROTATIONS_MAX	8 /* at once */
#define OUTAGE_QUIET_MS 60000
#define UNREAD_LOOKS	3 /* then those that are read are written again */

static int64_t interval_ms(const struct sessions *all)
{
	return all->options.config->export_interval * 1000;
}

static void run_start(struct rotation *rotation);

static void rotation_arm(struct rotation *rotation, int64_t ms)
{
	struct timeval after;

	if (ms < 1)
		ms = 1;
	after = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	if (event_add(rotation->timer, &after) < 0)
		log_error(
		    "session %s: out of memory: its secrets are not looked at again", rotation->session->record.id);
}

/* --- one after the other --------------------------------------------------------------------- */

static void unqueue(struct rotation *rotation)
{
	struct sessions *all = rotation->session->all;
	struct rotation **at = &all->rotations.first;

	if (!rotation->waiting)
		return;
	while (*at != rotation)
		at = &(*at)->next;
	*at = rotation->next;
	if (all->rotations.last == &rotation->next)
		all->rotations.last = at;
	rotation->next = NULL;
	rotation->waiting = false;
}

static void on_due(evutil_socket_t fd, short events, void *arg)
{
	struct rotation *rotation = arg;
	struct sessions *all = rotation->session->all;

	if (rotation->session->record.state != SESSION_OPEN || rotation->waiting || rotation->run)
		return;
	if (all->rotations.running < ROTATIONS_MAX) {
		run_start(rotation);
		return;
	}
	rotation->waiting = true;
	*all->rotations.last = rotation;
	all->rotations.last = &rotation->next;
}

static void start_next(struct sessions *all)
{
	/* A look at nothing is over before run_start comes back: the one who is here already goes on. */
	if (all->rotations.starting)
		return;
	all->rotations.starting = true;
	while (all->rotations.first && !all->closing && all->rotations.running < ROTATIONS_MAX) {
		struct rotation *rotation = all->rotations.first;

		unqueue(rotation);
		if (rotation->session->record.state == SESSION_OPEN)
			run_start(rotation);
	}
	all->rotations.starting = false;
}

/* --- the end of a look ----------------------------------------------------------------------- */

static void notes_keep(struct rotation *rotation, const struct export *export)
{
	struct export_notes *notes = &rotation->notes;

	/* What was not looked at may still be as it was. */
	if (!export->incomplete && !export->outage[0])
		notes->n = 0;
	for (unsigned i = 0; i < export->notes.n && notes->n < EXPORT_NOTES_MAX; i++)
		notes->hashes[notes->n++] = export->notes.hashes[i];
	rotation->quiet = false;
}

static void say_outage(struct run *run)
{
	struct sessions *all = run->all;
	const struct session_record *record = &run->export.record;

	if (!run->export.outage[0] ||
	    (all->rotations.outage_said && monotonic_ms() - all->rotations.outage_said < OUTAGE_QUIET_MS))
		return;
	all->rotations.outage_said = monotonic_ms();
	log_warning("session %s of %s, and maybe others: secrets are not looked at, what is there stays, tried again "
		    "every %lld s: %s",
	    record->id, record->user, all->options.config->export_interval, run->export.outage);
}

/* Frees RUN. Whoever waits is next, and this session again in its time. */
static void run_finish(struct run *run)
{
	struct sessions *all = run->all;
	struct rotation *rotation = run->rotation;

	if (rotation) {
		say_outage(run);
		notes_keep(rotation, &run->export);
		rotation->run = NULL;
		rotation_arm(rotation, run->started + interval_ms(all) - monotonic_ms());
	}
	export_clear(&run->export);
	buf_free(&run->files);
	buf_free(&run->changed);
	buf_free(&run->gone);
	free(run);
	all->rotations.running--;
	start_next(all);
	sessions_unref(all);
}

/* RUN's files are what lies there. */
static void manifest_adopt(struct run *run)
{
	struct rotation *rotation = run->rotation;

	for (size_t i = 0; i < rotation->manifest.n; i++) {
		if (run_got_meanwhile(run, rotation->manifest.files[i].name) &&
		    !manifest_add_copy(&run->export.manifest, &rotation->manifest.files[i]))
			log_error(
			    "session %s: out of memory: a secret will be written again", rotation->session->record.id);
	}
	manifest_clear(&rotation->manifest);
	rotation->manifest = run->export.manifest;
	run->export.manifest = (struct manifest){ 0 };
	rotation->known = true;
}

static void on_rotated(void *arg, int r, const struct wire_frame *reply)
{
	struct run *run = arg;
	struct rotation *rotation = run->rotation;
	char *message AUTO_FREE = r == 0 ? wire_get_str(reply, WIRE_MESSAGE) : NULL;
	uint32_t status = WIRE_STATUS_INTERNAL;
	struct session *session;

	if (!rotation) {
		run_finish(run);
		return;
	}
	session = rotation->session;
	if (r == 0 && wire_get_u32(reply, WIRE_STATUS, &status) && status == WIRE_STATUS_OK) {
		log_info("session %s of %s: secrets changed:%s%s%s", session->record.id, session->record.user,
		    run->changed.len > 0 ? run->changed.data : " none", run->gone.len > 0 ? "; gone:" : "",
		    run->gone.len > 0 ? run->gone.data : "");
		manifest_adopt(run);
		manifest_digest(&rotation->manifest, session->record.exported);
	} else {
		export_note(&run->export, "changed secrets are not written: helper: %s",
		    r < 0     ? strerror(-r)
		    : message ? message
			      : wire_status_name(status));
		/* Some may be: all are written the next time. */
		rotation->known = false;
		memset(session->record.exported, 0, sizeof(session->record.exported));
	}
	if (session_save(session, NULL) < 0)
		log_warning("session %s: the next daemon will write its secrets again", session->record.id);
	run_finish(run);
}

/* Some secret may never be readable again, and must not keep the others from being replaced. */
static bool wait_for_unread(struct run *run)
{
	unsigned looks = run->rotation->unread_looks++;

	if (looks == 0)
		export_note(&run->export, "the secrets are not compared after the restart yet: one of them was not read");
	return looks < UNREAD_LOOKS || run->export.incomplete;
}

/* After a restart: whether what lies there is what was found, or cannot be told yet. */
static bool as_before(struct run *run)
{
	unsigned char digest[MANIFEST_MAC];

	if (!run_complete(run))
		return wait_for_unread(run);
	manifest_digest(&run->export.manifest, digest);
	if (memcmp(digest, run->rotation->session->record.exported, sizeof(digest)) != 0)
		return false;
	manifest_adopt(run);
	return true;
}

static void on_exported(void *arg)
{
	struct run *run = arg;
	struct rotation *rotation = run->rotation;

	if (!rotation || rotation->session->record.state != SESSION_OPEN || (!rotation->known && as_before(run))) {
		run_finish(run);
		return;
	}
	if (!run_compare(run) || (rotation->known && run->changed.len == 0 && run->gone.len == 0)) {
		run_finish(run);
		return;
	}
	run_keep_blocks(run);
	if (wire_end(&run->files) < 0 || run->changed.failed || run->gone.failed) {
		export_note(&run->export, "changed secrets are not written: too large, or no memory");
		run_finish(run);
		return;
	}
	wire_call_async(
	    run->all->options.base, run->all->helper_socket, &run->files, -1, HELPER_CALL_MS, on_rotated, run);
}

/* --- a look ---------------------------------------------------------------------------------- */

static void run_start(struct rotation *rotation)
{
	struct session *session = rotation->session;
	struct sessions *all = session->all;
	struct run *run = calloc(1, sizeof(*run));
	struct export *export = run ? &run->export : NULL;

	if (export)
		export->token = session_token(session);
	if (!export || !export->token) {
		free(run);
		log_error("session %s: out of memory, or its token is lost: its secrets are not looked at",
		    session->record.id);
		rotation_arm(rotation, interval_ms(all));
		return;
	}
	run->all = sessions_ref(all);
	run->rotation = rotation;
	run->started = monotonic_ms();
	rotation->run = run;
	all->rotations.running++;
	run->files.max = WIRE_HELPER_MAX;
	wire_begin(&run->files, WIRE_HELPER_ROTATE);
	wire_add_str(&run->files, WIRE_SESSION | WIRE_CRITICAL, session->record.id);
	wire_add_str(&run->files, WIRE_USER | WIRE_CRITICAL, session->record.user);
	wire_add_u32(&run->files, WIRE_UID | WIRE_CRITICAL, session->record.uid);
	wire_add_u32(&run->files, WIRE_GID | WIRE_CRITICAL, session->record.gid);
	export->all = all;
	export->record = session->record;
	log_new_ref(export->ref);
	export->kind = EXPORT_ROTATE;
	export->before = rotation->known ? &rotation->manifest : NULL;
	export->silent = rotation->quiet ? NULL : &rotation->notes;
	export->files = &run->files;
	export->until = deadline_after_ms(EXPORT_MS);
	export->done = on_exported;
	export->arg = run;
	export_start(export);
}

static struct rotation *rotation_new(struct session *session)
{
	struct rotation *rotation = calloc(1, sizeof(*rotation));

	if (!rotation)
		return NULL;
	rotation->session = session;
	rotation->timer = evtimer_new(session->all->options.base, on_due, rotation);
	if (rotation->timer)
		return rotation;
	free(rotation);
	return NULL;
}

/* The first look comes after between HALF of the interval and all of it. */
static void rotation_set(struct session *session, bool half)
{
	int64_t interval = interval_ms(session->all), least = half ? interval / 2 : 0;
	uint32_t random;

	random_bytes(&random, sizeof(random));
	session->rotation = rotation_new(session);
	if (session->rotation)
		rotation_arm(session->rotation, least + (int64_t)random % (interval - least));
	else
		log_error("session %s: out of memory: its secrets are not looked at again", session->record.id);
}

void rotation_begin(struct session *session, struct export *export)
{
	bool marked = true;

	rotation_end(session);
	block_leases_drop(session);
	memset(session->record.blocks, 0, sizeof(session->record.blocks));
	manifest_digest(&export->manifest, session->record.exported);
	for (size_t i = 0; i < export->n_items; i++) {
		struct export_item *item = &export->items[i];

		if (!item->lease)
			continue;
		marked = block_mark(&session->record, item->block, BLOCK_LEASED) && marked;
		block_lease_keep(session, TAKE_PTR(item->lease));
	}
	if (session->all->options.config->export_interval == 0 || session->all->options.config->n_exports == 0)
		return;
	if (!marked) {
		export_note(export, "more than %d blocks with a lease: no secret is looked at again", SESSION_BLOCKS);
		return;
	}
	rotation_set(session, true);
	if (!session->rotation)
		return;
	session->rotation->known = true;
	session->rotation->manifest = export->manifest;
	export->manifest = (struct manifest){ 0 };
	session->rotation->notes = export->notes;
}

void rotation_resume(struct session *session)
{
	if (session->rotation || session->all->options.config->export_interval == 0)
		return;
	rotation_set(session, false);
	if (session->rotation)
		session->rotation->quiet = true;
}

void rotation_wrote(struct session *session, const struct manifest *files)
{
	struct rotation *rotation = session->rotation;
	bool kept = rotation && rotation->known;

	for (size_t i = 0; kept && i < files->n; i++) {
		size_t at = 0;
		const struct manifest_file *old = manifest_find(&rotation->manifest, files->files[i].name, &at);

		if (old)
			memcpy(rotation->manifest.files[old - rotation->manifest.files].mac, files->files[i].mac,
			    sizeof(old->mac));
		else
			kept = manifest_add_copy(&rotation->manifest, &files->files[i]);
	}
	if (kept) {
		manifest_digest(&rotation->manifest, session->record.exported);
		return;
	}
	if (rotation)
		rotation->known = false;
	memset(session->record.exported, 0, sizeof(session->record.exported)); /* all are written the next time */
}

void rotation_end(struct session *session)
{
	struct rotation *rotation = TAKE_PTR(session->rotation);

	if (!rotation)
		return;
	unqueue(rotation);
	if (rotation->run) {
		rotation->run->rotation = NULL;
		rotation->run->export.stopped = true;
		rotation->run->export.before = NULL;
		rotation->run->export.silent = NULL;
	}
	manifest_clear(&rotation->manifest);
	event_free(rotation->timer);
	free(rotation);
}
