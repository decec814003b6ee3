/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redeems a handle: the login becomes a session of the process that asks. Its secrets are read, the helper writes its
 * files, and the module gets its environment. What fails here ends the session: nothing is left half open.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/metrics.h"
#include "session/export.h"

struct opening {
	struct sessions *all;
	char id[SESSION_ID_LEN + 1]; /* the session itself may end at any time */
	struct wire_conn *conn;	     /* NULL once the client is answered or gone */
	struct caller caller;
	struct event *deadline;
	struct buf files, reply;
	struct export export;
};

static void opening_free(struct opening *opening)
{
	if (opening->conn) {
		wire_conn_on_gone(opening->conn, NULL, NULL);
		wire_reply_status(
		    opening->conn, WIRE_OPEN, WIRE_STATUS_UNAVAILABLE, NULL, "k8sauth: restarting, try again");
	}
	if (opening->deadline)
		event_free(opening->deadline);
	export_clear(&opening->export);
	buf_free(&opening->files);
	buf_free(&opening->reply);
	sessions_unref(opening->all);
	free(opening);
}

/* The session while it is being opened; NULL: it has ended, or the daemon does. */
static struct session *opening_session(const struct opening *opening)
{
	struct session *session = opening->all->closing ? NULL : session_find(opening->all, opening->id);

	return session && session->record.state == SESSION_OPENING ? session : NULL;
}

static struct wire_conn *opening_take_conn(struct opening *opening)
{
	if (opening->conn)
		wire_conn_on_gone(opening->conn, NULL, NULL);
	return TAKE_PTR(opening->conn);
}

/* Answers with a refusal and ends the session; OPENING lives until what it waits for has come. */
static void opening_fail(
    struct opening *opening, enum wire_status status, const char *step, const char *remedy, const char *reason)
{
	struct session *session = opening_session(opening);

	opening->export.stopped = true;
	session_refuse(opening->all, opening_take_conn(opening), WIRE_OPEN, status, &opening->caller, "session", step,
	    remedy, "%s", reason);
	if (session)
		session_end(session, "it could not be opened");
}

static void on_open_gone(void *arg)
{
	struct opening *opening = arg;
	struct wire_conn *conn = TAKE_PTR(opening->conn);

	opening_fail(opening, WIRE_STATUS_UNAVAILABLE, "open", NULL, "the client left before the answer");
	wire_reply_status(conn, WIRE_OPEN, WIRE_STATUS_UNAVAILABLE, NULL, NULL);
}

static void on_open_deadline(evutil_socket_t fd, short events, void *arg)
{
	struct opening *opening = arg;
	char reason[64];

	if (!opening->conn)
		return;
	snprintf(reason, sizeof(reason), "not ready within %d s", OPEN_TOTAL_MS / 1000);
	opening_fail(opening, WIRE_STATUS_UNAVAILABLE, "open", "see `k8sauth status`", reason);
}

/* --- the environment ------------------------------------------------------------------------- */

PRINTF_LIKE(2, 3)
static void env_add(struct buf *reply, const char *format, ...)
{
	AUTO_BUF struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	if (text.failed)
		reply->failed = true;
	else
		wire_add(reply, WIRE_ENV, text.data, text.len);
}

static void env_add_all(struct opening *opening)
{
	const struct session_config *config = opening->all->options.config;
	const struct service_config *service = sessions_service(opening->all, opening->caller.service);
	const char *dir = K8SAUTH_SESSIONS_DIR, *id = opening->id;

	env_add(&opening->reply, "K8SAUTH_SESSION=%s", id);
	env_add(&opening->reply, "K8SAUTH_DIR=%s/%s", dir, id);
	env_add(&opening->reply, "K8SAUTH_TOKEN_FILE=%s/%s/token", dir, id);
	if (opening->export.n_files > 0)
		env_add(&opening->reply, "K8SAUTH_SECRETS=%s/%s/secrets", dir, id);
	if (config->vault_addr)
		env_add(&opening->reply, "VAULT_ADDR=%s", config->vault_addr);
	if (config->vault_cacert)
		env_add(&opening->reply, "VAULT_CACERT=%s", config->vault_cacert);
	if (service && service->export_token)
		env_add(&opening->reply, "VAULT_TOKEN=%s", secret_reveal(opening->export.token));
}

/* --- files ----------------------------------------------------------------------------------- */

static void opening_done(struct opening *opening, struct session *session)
{
	const struct session_record *record = &opening->export.record;

	env_add_all(opening);
	if (wire_end(&opening->reply) < 0) {
		opening_fail(
		    opening, WIRE_STATUS_INTERNAL, "open", "export fewer variables", "the environment is too large");
		return;
	}
	session->record.state = SESSION_OPEN;
	rotation_begin(session, &opening->export);
	if (session_save(session, NULL) < 0) {
		session->record.state = SESSION_OPENING;
		opening_fail(opening, WIRE_STATUS_INTERNAL, "open", NULL, "the session table cannot be written");
		return;
	}
	session->opening = false;
	session_arm(session);
	metric_count(METRIC_PAM_REQUESTS, METRIC_LABELS("open", "success", ""));
	log_line(LOG_INFO, opening->caller.ref,
	    "k8sauth: session %s of %s for service %s%s%s is open: %zu secret files", record->id, record->user,
	    record->service, record->rhost[0] ? " from " : "", record->rhost, opening->export.n_files);
	wire_reply(opening_take_conn(opening), &opening->reply);
}

static void on_written(void *arg, int r, const struct wire_frame *reply)
{
	static const char *const full = "end sessions, or give " K8SAUTH_SESSIONS_DIR
					" more room: systemctl edit run-k8sauth-sessions.mount (size=, "
					"nr_inodes=)";
	static const char *const remedy =
	    "systemctl status k8sauth-helper.socket k8sauth-helper; journalctl -u k8sauth-helper";
	struct opening *opening = arg;
	struct session *session = opening_session(opening);
	uint32_t status = WIRE_STATUS_INTERNAL;
	char *message AUTO_FREE = NULL;
	char reason[256];

	if (session && opening->conn) {
		message = r == 0 ? wire_get_str(reply, WIRE_MESSAGE) : NULL;
		if (r == 0 && wire_get_u32(reply, WIRE_STATUS, &status) && status == WIRE_STATUS_OK) {
			opening_done(opening, session);
		} else {
			snprintf(reason, sizeof(reason), "the helper did not write the session's files: %s",
			    r < 0     ? strerror(-r)
			    : message ? message
				      : wire_status_name(status));
			opening_fail(opening,
			    status == WIRE_STATUS_REFUSED ? WIRE_STATUS_REFUSED : WIRE_STATUS_UNAVAILABLE, "files",
			    message && strstr(message, strerror(ENOSPC)) ? full : remedy, reason);
		}
	} else if (!opening->all->closing) {
		/* Its end may have overtaken the writing. */
		if (!files_remove(opening->all, opening->id))
			log_warning("session %s: out of memory: its files stay until the next start", opening->id);
		if (opening->conn)
			opening_fail(
			    opening, WIRE_STATUS_REFUSED, "open", NULL, "the session ended while it was opened");
	}
	opening_free(opening);
}

static void token_file_add(struct buf *files, const struct secret *token)
{
	static const char name[] = "token";
	AUTO_BUF struct buf item = { 0 };
	const char head[2] = { sizeof(name) - 1, 0 };

	buf_add(&item, head, sizeof(head));
	buf_add_str(&item, name);
	buf_add(&item, secret_reveal(token), secret_len(token));
	if (item.failed)
		files->failed = true;
	else
		wire_add(files, WIRE_FILE | WIRE_CRITICAL, item.data, item.len);
}

void session_files_begin(
    struct buf *files, uint8_t type, const struct session_record *record, const struct secret *token)
{
	files->max = WIRE_HELPER_MAX;
	wire_begin(files, type);
	wire_add_str(files, WIRE_SESSION | WIRE_CRITICAL, record->id);
	wire_add_str(files, WIRE_USER | WIRE_CRITICAL, record->user);
	wire_add_u32(files, WIRE_UID | WIRE_CRITICAL, record->uid);
	wire_add_u32(files, WIRE_GID | WIRE_CRITICAL, record->gid);
	token_file_add(files, token);
}

static void on_exported(void *arg)
{
	struct opening *opening = arg;

	if (!opening->conn || !opening_session(opening)) {
		if (opening->conn && !opening->all->closing)
			opening_fail(
			    opening, WIRE_STATUS_REFUSED, "open", NULL, "the session ended while it was opened");
		opening_free(opening);
		return;
	}
	if (wire_end(&opening->files) < 0) {
		opening_fail(
		    opening, WIRE_STATUS_INTERNAL, "export", NULL, "the session's files are too large, or no memory");
		opening_free(opening);
		return;
	}
	wire_call_async(opening->all->options.base, opening->all->helper_socket, &opening->files, -1, HELPER_CALL_MS,
	    on_written, opening);
}

/* --- the request ----------------------------------------------------------------------------- */

static bool opening_prepare(struct opening *opening, const struct session *session)
{
	static const struct timeval limit = { .tv_sec = OPEN_TOTAL_MS / 1000, .tv_usec = OPEN_TOTAL_MS % 1000 * 1000 };
	const struct session_record *record = &session->record;
	struct export *export = &opening->export;

	opening->deadline = evtimer_new(opening->all->options.base, on_open_deadline, opening);
	export->token = session_token(session);
	if (!opening->deadline || event_add(opening->deadline, &limit) < 0 || !export->token)
		return false;
	session_files_begin(&opening->files, WIRE_HELPER_SESSION, record, export->token);
	opening->reply.max = WIRE_REPLY_MAX;
	wire_begin(&opening->reply, WIRE_OPEN | WIRE_REPLY);
	wire_add_u32(&opening->reply, WIRE_STATUS, WIRE_STATUS_OK);
	wire_add_str(&opening->reply, WIRE_REF, opening->caller.ref);
	wire_add_str(&opening->reply, WIRE_SESSION, record->id);
	export->all = opening->all;
	export->record = *record;
	memcpy(export->ref, opening->caller.ref, sizeof(export->ref));
	export->files = &opening->files;
	export->env = &opening->reply;
	export->until = deadline_after_ms(EXPORT_MS);
	export->done = on_exported;
	export->arg = opening;
	return true;
}

/* The handle is spent: the session is PEER's process's now. */
static int session_redeem(struct session *session, struct wire_conn *conn, const struct wire_peer *peer)
{
	struct session_secrets secrets AUTO_SECRETS = { 0 };
	struct session_record record;
	int r = table_get(session->all->table, session->slot, &record, &secrets);

	if (r < 0)
		return r;
	wipe(secrets.handle, sizeof(secrets.handle));
	session->record.state = SESSION_OPENING;
	session->opening = true;
	session->record.leader = peer->pid;
	session->record.leader_start = peer->pid > 0 ? leader_start_time(peer->pid) : 0;
	session->record.audit_session = audit_session_of(peer->pid);
	r = session_save(session, &secrets);
	if (r < 0)
		return r;
	ticket_forget(session->all, session->record.id);
	leader_watch(session, wire_conn_take_pidfd(conn));
	return session->record.state == SESSION_OPENING ? 0 : -ESRCH;
}

static void open_begin(
    struct sessions *all, struct wire_conn *conn, struct session *session, const struct caller *caller)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening) {
		session_end(session, "out of memory");
		session_refuse(
		    all, conn, WIRE_OPEN, WIRE_STATUS_INTERNAL, caller, "session", "open", NULL, "out of memory");
		return;
	}
	opening->all = sessions_ref(all);
	opening->caller = *caller;
	opening->conn = conn;
	snprintf(opening->id, sizeof(opening->id), "%s", session->record.id);
	wire_conn_on_gone(conn, on_open_gone, opening);
	if (opening_prepare(opening, session)) {
		export_start(&opening->export);
		return;
	}
	opening_fail(opening, WIRE_STATUS_INTERNAL, "open", NULL, "out of memory, or its token is lost");
	opening_free(opening);
}

void open_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	struct secret *handle AUTO_SECRET = wire_get_secret(request, WIRE_HANDLE);
	struct session *session = session_by_handle(all, handle);
	char id[SESSION_ID_LEN + 1] = "";
	struct caller caller;
	const char *why;
	int r;

	if (!caller_read(request, &caller, &why)) {
		session_refuse(
		    all, conn, WIRE_OPEN, WIRE_STATUS_REFUSED, &caller, "session", "request", NULL, "%s", why);
		return;
	}
	if (!session) {
		session_refuse(all, conn, WIRE_OPEN, WIRE_STATUS_REFUSED, &caller, "session", "handle", "log in again",
		    "the login's handle is absent, unknown, used, or older than a minute");
		return;
	}
	memcpy(caller.session, session->record.id, sizeof(caller.session));
	if (!streq(session->record.user, caller.user) || !streq(session->record.service, caller.service) ||
	    !streq(session->record.rhost, caller.rhost)) {
		session_refuse(all, conn, WIRE_OPEN, WIRE_STATUS_REFUSED, &caller, "session", "handle",
		    "log in again; if you did not try this, somebody got hold of a login's handle",
		    "the handle is of a login of %s for service %s from %s; that login is ended", session->record.user,
		    session->record.service, session->record.rhost[0] ? session->record.rhost : "here");
		session_end(session, "its handle was used for another user, service or host");
		return;
	}
	memcpy(id, session->record.id, sizeof(id)); /* it may end inside, and be gone */
	memcpy(session->record.tty, caller.tty, sizeof(caller.tty));
	r = session_redeem(session, conn, peer);
	if (r == 0) {
		open_begin(all, conn, session, &caller);
		return;
	}
	session_refuse(all, conn, WIRE_OPEN, WIRE_STATUS_INTERNAL, &caller, "session", "open", "log in again",
	    "the session cannot be opened: %s", strerror(-r));
	session = session_find(all, id);
	if (session)
		session_end(session, "it could not be opened");
}
