/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `k8sauth get NAME`: an export block is read when somebody wants it, with the session's token. What has no lease is
 * read anew each time; what has one (a database role) is made once, and the same for all who ask while it lives. Who
 * asks while another one's answer is awaited gets its turn after that.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "session/export.h"

#define RESTARTING "k8sauthd is restarting: try again"

struct get {
	struct get *next; /* in the sessions' list */
	struct sessions *all;
	char id[SESSION_ID_LEN + 1];
	const struct export_config *block;
	sessions_got_fn *done; /* NULL: it was answered */
	void *arg;
	bool begun; /* else another one of this block is under way */
	struct buf files;
	struct export export;
};

static void get_begin(struct get *get);

static struct get **get_find(struct get *get)
{
	struct get **at = &get->all->gets;

	while (*at != get)
		at = &(*at)->next;
	return at;
}

/* The next one that waits for GET's block of its session; NULL. */
static struct get *get_behind(const struct get *get)
{
	for (struct get *other = get->all->gets; other; other = other->next) {
		if (other != get && !other->begun && other->block == get->block && streq(other->id, get->id))
			return other;
	}
	return NULL;
}

/* Answers with REPLY (taken over), or with WHY; frees GET. */
static void get_end(struct get *get, int status, json_t *reply, const char *why)
{
	struct sessions *all = get->all;
	struct get *behind = all->closing ? NULL : get_behind(get); /* gets_stop ends those then */

	*get_find(get) = get->next;
	if (get->done)
		get->done(get->arg, status, reply, why);
	else
		json_decref(reply);
	export_clear(&get->export);
	buf_free(&get->files);
	free(get);
	if (behind)
		get_begin(behind);
	sessions_unref(all);
}

PRINTF_LIKE(3, 4)
static void get_fail(struct get *get, int status, const char *format, ...)
{
	char why[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	get_end(get, status, NULL, why);
}

/* The session while it is open; NULL: GET was answered. */
static struct session *get_session(struct get *get)
{
	struct session *session = get->all->closing ? NULL : session_find(get->all, get->id);

	if (session && session->record.state == SESSION_OPEN)
		return session;
	get_fail(get, get->all->closing ? 503 : 404, "%s", get->all->closing ? RESTARTING : "the session has ended");
	return NULL;
}

void gets_stop(struct sessions *all)
{
	for (struct get *get = all->gets; get; get = get->next) {
		sessions_got_fn *done = get->done;

		get->done = NULL;
		get->export.stopped = true;
		done(get->arg, 503, NULL, RESTARTING);
	}
	/* What waits for nothing is over; the others for what they asked. */
	for (struct get *get = all->gets, *next; get; get = next) {
		next = get->next;
		if (!get->begun)
			get_end(get, 503, NULL, NULL);
	}
}

/* --- the answer ------------------------------------------------------------------------------ */

/* The reply's data: the secret's members, or the one that the block names. NULL: it is not there. */
static json_t *wanted_data(const struct get *get, const json_t *data)
{
	const json_t *members = export_members(data);
	json_t *value;

	if (!get->block->field)
		return json_deep_copy(members);
	value = json_object_get(members, get->block->field);
	return value ? json_pack("{s:O}", get->block->field, value) : NULL;
}

static void get_answer(struct get *get, const json_t *data, const struct block_lease *lease)
{
	json_t *reply = json_pack("{s:o}", "data", wanted_data(get, data));

	if (!reply) {
		get_fail(get, get->block->field ? 404 : 500,
		    get->block->field ? "%s has no field %s" : "%s: out of memory",
		    get->export.n_items > 0 ? get->export.items[0].path : get->block->name, get->block->field);
		return;
	}
	if (get->block->field)
		json_object_set_new(reply, "field", json_string(get->block->field));
	if (lease) {
		json_object_set_new(reply, "lease_id", json_string(lease->id));
		json_object_set_new(reply, "lease_duration", json_integer(lease->duration));
		json_object_set_new(reply, "renewable", json_boolean(lease->renewable));
	}
	get_end(get, 200, reply, NULL);
}

/* --- its file -------------------------------------------------------------------------------- */

static void on_written(void *arg, int r, const struct wire_frame *reply)
{
	struct get *get = arg;
	char *message AUTO_FREE = r == 0 ? wire_get_str(reply, WIRE_MESSAGE) : NULL;
	struct session *session = get_session(get);
	const struct block_lease *lease;
	uint32_t status;

	if (!session)
		return;
	if (r < 0 || !wire_get_u32(reply, WIRE_STATUS, &status) || status != WIRE_STATUS_OK) {
		get_fail(get, 503, "the file %s cannot be written: helper: %s", get->block->file,
		    r < 0     ? strerror(-r)
		    : message ? message
			      : "it refuses");
		return;
	}
	rotation_wrote(session, &get->export.manifest);
	if (session_save(session, NULL) < 0)
		log_warning("session %s: the next daemon will write its secrets again", session->record.id);
	lease = block_lease_find(session, get->block);
	get_answer(get, lease ? lease->data : get->export.answer.data, lease);
}

static void file_write(struct get *get, struct session *session)
{
	unsigned marks = BLOCK_USED | (block_lease_find(session, get->block) ? BLOCK_LEASED : 0);

	if (get->export.n_files == 0) {
		get_fail(get, 400, "no file can be made of it: %s",
		    get->export.answer.why[0] ? get->export.answer.why : "it is empty");
		return;
	}
	/* Before it is written: a rotation that is under way leaves it alone then. */
	if (!block_mark(&session->record, get->block, marks)) {
		get_fail(get, 400, "the session has files of %d blocks already", SESSION_BLOCKS);
		return;
	}
	if (session_save(session, NULL) < 0 || wire_end(&get->files) < 0) {
		get_fail(get, 500, "out of memory, or the session's table cannot be written");
		return;
	}
	wire_call_async(
	    get->all->options.base, get->all->helper_socket, &get->files, -1, HELPER_CALL_MS, on_written, get);
}

/* --- the secret ------------------------------------------------------------------------------ */

/* The session has another token meanwhile, and what was read with the old one may have died with it. */
static bool get_is_late(const struct get *get, const struct session *session)
{
	return !streq(session->record.token_session, get->export.record.token_session);
}

static void get_anew(struct get *get)
{
	export_clear(&get->export);
	buf_free(&get->files);
	get->export = (struct export){ 0 };
	get->files = (struct buf){ 0 };
	get_begin(get);
}

static void on_read(void *arg)
{
	struct get *get = arg;
	struct export *export = &get->export;
	struct session *session = get_session(get);
	const struct block_lease *lease;

	if (!session)
		return;
	if (get_is_late(get, session)) {
		get_anew(get);
		return;
	}
	if (!export->answer.data) {
		/* What the block is wrong about, or what the backend says. */
		get_fail(get, export->answer.status >= 400 ? export->answer.status : 400, "export block \"%s\": %s",
		    get->block->name, export->answer.why[0] ? export->answer.why : "it cannot be read in time");
		return;
	}
	if (export->n_items > 0 && export->items[0].lease)
		block_lease_keep(session, TAKE_PTR(export->items[0].lease));
	if (get->block->at_use && get->block->file) {
		file_write(get, session);
		return;
	}
	lease = block_lease_find(session, get->block);
	get_answer(get, export->answer.data, lease);
}

/* The same secret as for the one who asked first; its file may have failed to be written then. */
static void get_leased(struct get *get, const struct block_lease *lease)
{
	struct export *export = &get->export;

	export_plan_named(export);
	export_check_names(export);
	if (export->n_items > 0) {
		export->items[0].leased = true;
		export_write(export, &export->items[0], lease->data);
	}
	export->answer.data = json_incref(lease->data);
	on_read(get);
}

static void get_begin(struct get *get)
{
	struct session *session = get_session(get);
	struct export *export = &get->export;
	const struct block_lease *lease;

	if (!session)
		return;
	get->begun = true;
	export->token = session_token(session);
	if (!export->token) {
		get_fail(get, 500, "out of memory, or the session's token is lost");
		return;
	}
	get->files.max = WIRE_HELPER_MAX;
	wire_begin(&get->files, WIRE_HELPER_UPDATE);
	wire_add_str(&get->files, WIRE_SESSION | WIRE_CRITICAL, session->record.id);
	wire_add_str(&get->files, WIRE_USER | WIRE_CRITICAL, session->record.user);
	wire_add_u32(&get->files, WIRE_UID | WIRE_CRITICAL, session->record.uid);
	wire_add_u32(&get->files, WIRE_GID | WIRE_CRITICAL, session->record.gid);
	export->all = get->all;
	export->record = session->record;
	log_new_ref(export->ref);
	export->kind = EXPORT_GET;
	export->only = get->block;
	export->files = &get->files;
	export->until = deadline_after_ms(EXPORT_MS);
	export->done = on_read;
	export->arg = get;
	lease = block_lease_find(session, get->block);
	if (lease)
		get_leased(get, lease);
	else
		export_start(export);
}

/* --- the request ----------------------------------------------------------------------------- */

/* The session that UID means; NULL with an HTTP status and WHY. */
static struct session *session_meant(
    struct sessions *all, uid_t uid, const char *id, int *ret_status, char *why, size_t size)
{
	struct session *session = NULL;
	unsigned n = 0;
	int r;

	if (*id) {
		r = session_for(all, uid, id, &session);
		*ret_status = r == -EACCES ? 403 : 404;
		snprintf(why, size,
		    r == -EACCES ? "permission denied: session %s is not yours, or has ended" : "no session %s here",
		    id);
		return r < 0 ? NULL : session;
	}
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (struct session *s = all->hash[i]; s; s = s->next) {
			if (s->record.state != SESSION_OPEN || !session_visible(s, uid))
				continue;
			session = s;
			n++;
		}
	}
	*ret_status = n == 0 ? 404 : 400;
	snprintf(why, size,
	    n == 0 ? "no open session of yours on this machine: log in with a service account token"
		   : "several sessions are open: say which one (-session, or K8SAUTH_SESSION)");
	return n == 1 ? session : NULL;
}

static const struct export_config *block_named(const struct sessions *all, const char *name, const char *service)
{
	const struct session_config *config = all->options.config;

	for (size_t i = 0; i < config->n_exports; i++) {
		const struct export_config *block = &config->exports[i];

		if (!block->policy && streq(block->name, name) && export_serves(block, service))
			return block;
	}
	return NULL;
}

void sessions_admin_get(void *arg, uid_t uid, const char *name, const char *id, sessions_got_fn *done, void *done_arg)
{
	struct sessions *all = arg;
	const struct export_config *block;
	struct session *session;
	struct get *get, **last;
	char why[256];
	int status;

	session = session_meant(all, uid, id, &status, why, sizeof(why));
	if (!session) {
		done(done_arg, status, NULL, why);
		return;
	}
	if (session->record.state != SESSION_OPEN) {
		snprintf(why, sizeof(why), "session %s %s", session->record.id,
		    session->record.state == SESSION_EXPIRED ? "has expired: k8sauth session login gives it a new token"
							     : "is not open");
		done(done_arg, 400, NULL, why);
		return;
	}
	block = block_named(all, name, session->record.service);
	get = block ? calloc(1, sizeof(*get)) : NULL;
	if (!get) {
		snprintf(why, sizeof(why),
		    block ? "out of memory" : "no export block of that name for service %s in k8sauth.hcl",
		    session->record.service);
		done(done_arg, block ? 500 : 404, NULL, why);
		return;
	}
	get->all = sessions_ref(all);
	memcpy(get->id, session->record.id, sizeof(get->id));
	get->block = block;
	get->done = done;
	get->arg = done_arg;
	for (last = &all->gets; *last; last = &(*last)->next)
		;
	*last = get;
	for (const struct get *other = all->gets; other != get; other = other->next) {
		if (other->begun && other->block == block && streq(other->id, get->id))
			return; /* whoever is before begins it */
	}
	get_begin(get);
}
