/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a session: by the module's close, the leader's death, a handle that nobody redeemed, or a login that was
 * refused after its token was made. The token is revoked and the files are removed, both tried again until they are
 * gone; the record stays in the table until then, so the next daemon goes on where this one stopped.
 */
#include <stdio.h>

#include "session/state.h"

#define RETRY_FIRST_MS 2000
#define RETRY_MAX_MS   60000

/* A module or an administrator that waits for the end, but not for ever. */
struct close_waiter {
	struct close_waiter *next;
	struct session *session;
	struct wire_conn *conn; /* NULL: DONE is called instead */
	session_ended_fn *done;
	void *arg;
	struct event *timer;
};

/* A call of which only the answer matters: the session may be gone when it comes. */
struct end_call {
	struct sessions *all;
	char id[SESSION_ID_LEN + 1];
};

static struct end_call *end_call_new(struct sessions *all, const char *id)
{
	struct end_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->all = sessions_ref(all);
	snprintf(call->id, sizeof(call->id), "%s", id);
	return call;
}

/* Frees CALL; its session, if it is still there to be ended. */
static struct session *end_call_take(struct end_call *call)
{
	struct session *session = call->all->closing ? NULL : session_find(call->all, call->id);

	sessions_unref(call->all);
	free(call);
	return session;
}

static void retry_later(struct session *session)
{
	session->retry_ms = session->retry_ms ? session->retry_ms * 2 : RETRY_FIRST_MS;
	if (session->retry_ms > RETRY_MAX_MS)
		session->retry_ms = RETRY_MAX_MS;
	session_timer(session, session->retry_ms);
}

/* --- files ----------------------------------------------------------------------------------- */

static bool remove_answered(int r, const struct wire_frame *reply, const char *id)
{
	uint32_t status = WIRE_STATUS_INTERNAL;

	if (r < 0) {
		log_warning("session %s: its files are not removed yet: helper: %s", id, strerror(-r));
		return false;
	}
	if (wire_get_u32(reply, WIRE_STATUS, &status) && (status == WIRE_STATUS_OK || status == WIRE_STATUS_NOT_FOUND))
		return true;
	log_warning("session %s: its files are not removed yet: helper: %s", id, wire_status_name(status));
	return false;
}

static void on_removed(void *arg, int r, const struct wire_frame *reply)
{
	struct end_call *call = arg;
	bool gone = remove_answered(r, reply, call->id);
	struct session *session = end_call_take(call);

	if (!session)
		return;
	session->removing = false;
	/* It has logged in again meanwhile: now its files can be written. */
	if (session->record.state == SESSION_OPEN) {
		session_arm(session);
		return;
	}
	session->files_gone = gone;
	if (gone)
		session_end_step(session);
	else
		retry_later(session);
}

bool files_remove(struct sessions *all, const char *id)
{
	struct end_call *call = end_call_new(all, id);
	AUTO_BUF struct buf request = { 0 };

	if (!call)
		return false;
	wire_begin(&request, WIRE_HELPER_REMOVE);
	wire_add_str(&request, WIRE_SESSION | WIRE_CRITICAL, id);
	if (wire_end(&request) < 0) {
		(void)end_call_take(call);
		return false;
	}
	wire_call_async(all->options.base, all->helper_socket, &request, -1, HELPER_CALL_MS, on_removed, call);
	return true;
}

void session_files_remove(struct session *session)
{
	if (session->files_gone || session->removing)
		return;
	session->removing = files_remove(session->all, session->record.id);
	if (!session->removing)
		retry_later(session);
}

/* --- token ----------------------------------------------------------------------------------- */

static bool revoke_answered(const struct session *session, const struct vault_response *response)
{
	bool outage = response->failure == VAULT_FAILED_OUTAGE || response->status >= 500 || response->status == 429;

	/* 403: the token is dead already. */
	if (response->status < 300 || response->status == 403)
		return true;
	if (outage && monotonic_ms() < session->record.expires_at) {
		log_warning("session %s: its token is not revoked yet: %d %s", session->record.id, response->status,
		    vault_response_error_text(response));
		return false;
	}
	if (!outage)
		log_warning("session %s: revoking its token was answered with %d %s", session->record.id,
		    response->status, vault_response_error_text(response));
	return true;
}

static void on_revoked(void *arg, struct vault_response *response)
{
	struct session *session = end_call_take(arg);

	if (!session)
		return;
	session->revoking = false;
	session->token_gone = revoke_answered(session, response);
	if (session->token_gone)
		session_end_step(session);
	else
		retry_later(session);
}

static void revoke_send(struct session *session)
{
	struct secret *token AUTO_SECRET = session_token(session);
	struct vault_request *request;
	struct end_call *call;

	if (!token) {
		log_error("session %s: its token is lost and lives until it expires", session->record.id);
		session->token_gone = true;
		return;
	}
	request = vault_request_new(VAULT_UPDATE, "auth/token/revoke-self");
	call = request && trail_session(request, &session->record, request->ref) ? end_call_new(session->all, session->record.id) : NULL;
	if (!call) {
		vault_request_free(request);
		retry_later(session);
		return;
	}
	request->token = TAKE_PTR(token);
	request->internal = true; /* a role without the policy "default" makes tokens that may not revoke themselves */
	session->revoking = true;
	vault_send(session->all->options.vault, request, on_revoked, call);
}

/* --- the end --------------------------------------------------------------------------------- */

static void waiter_answer(struct close_waiter *waiter, bool over)
{
	struct close_waiter **at = &waiter->session->waiters;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	event_free(waiter->timer);
	if (waiter->conn) {
		wire_conn_on_gone(waiter->conn, NULL, NULL);
		wire_reply_status(waiter->conn, WIRE_CLOSE, WIRE_STATUS_OK, NULL, NULL);
	} else {
		waiter->done(waiter->arg, over);
	}
	free(waiter);
}

static void on_waiter_late(evutil_socket_t fd, short events, void *arg)
{
	waiter_answer(arg, false); /* it goes on without the module */
}

static void on_waiter_gone(void *arg)
{
	waiter_answer(arg, false);
}

void session_waiters_answer(struct session *session, bool over)
{
	while (session->waiters)
		waiter_answer(session->waiters, over);
}

/* One that waits for SESSION's end at most as long as a module does; NULL without memory. */
static struct close_waiter *waiter_new(struct session *session)
{
	static const struct timeval limit = { .tv_sec = CLOSE_TOTAL_MS / 1000,
		.tv_usec = CLOSE_TOTAL_MS % 1000 * 1000 };
	struct close_waiter *waiter = calloc(1, sizeof(*waiter));

	if (waiter)
		waiter->timer = evtimer_new(session->all->options.base, on_waiter_late, waiter);
	if (!waiter || !waiter->timer || event_add(waiter->timer, &limit) < 0) {
		if (waiter && waiter->timer)
			event_free(waiter->timer);
		free(waiter);
		return NULL;
	}
	waiter->session = session;
	waiter->next = session->waiters;
	session->waiters = waiter;
	return waiter;
}

void session_end_step(struct session *session)
{
	session_files_remove(session);
	if (session->record.state != SESSION_ENDED)
		return;
	if (!session->token_gone && !session->revoking)
		revoke_send(session);
	if (session->files_gone && session->token_gone)
		session_waiters_answer(session, true);
	if (session->record.kill_due != KILL_NONE && !session->ending)
		processes_end(session);
	else if (session->files_gone && session->token_gone && session->record.kill_due == KILL_NONE)
		session_drop(session);
}

void session_end(struct session *session, const char *why)
{
	struct session_record *record = &session->record;

	if (record->state == SESSION_ENDED) {
		if (session->files_gone && session->token_gone)
			session_waiters_answer(session, true); /* only processes are left */
		return;
	}
	log_info("session %s of %s ends: %s", record->id, record->user, why);
	session->files_gone = session->files_gone || record->state == SESSION_PENDING;
	/* One that could not be renewed lives until its time is over. */
	session->token_gone = record->state == SESSION_EXPIRED && monotonic_ms() >= record->expires_at;
	processes_decide(session);
	record->state = SESSION_ENDED;
	leader_unwatch(session);
	event_del(session->timer);
	if (session_save(session, NULL) < 0)
		log_warning("session %s: if the daemon dies now, the next one takes it for a live one", record->id);
	session_end_step(session);
}

void session_end_then(struct session *session, const char *why, session_ended_fn *done, void *arg)
{
	struct close_waiter *waiter = waiter_new(session);

	if (waiter) {
		waiter->done = done;
		waiter->arg = arg;
	}
	session_end(session, why);
	if (!waiter)
		done(arg, false);
}

void close_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	char *id AUTO_FREE = wire_get_str(request, WIRE_SESSION);
	struct session *session = id ? session_find(all, id) : NULL;
	struct close_waiter *waiter;

	if (!session || session->record.state < SESSION_OPENING) {
		wire_reply_status(conn, request->type, WIRE_STATUS_NOT_FOUND, NULL, NULL);
		return;
	}
	waiter = waiter_new(session);
	if (waiter) {
		waiter->conn = conn;
		wire_conn_on_gone(conn, on_waiter_gone, waiter);
	} else {
		wire_reply_status(conn, request->type, WIRE_STATUS_OK, NULL, NULL);
	}
	session->closer = peer->pid;
	session_end(session, "closed");
}
