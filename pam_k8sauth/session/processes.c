/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session leaves running when it ends (`on_session_end` of its service): told to end, and killed a little later.
 * The helper does it; the record says that it is due, so the next daemon begins again where this one was stopped. Token
 * and files do not wait for it, nor does whoever closes the session.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/text.h"
#include "session/state.h"

#define LOOK_MS	     500
#define TERM_LOOKS   6 /* as often it is looked whether they end by themselves */
#define KILL_LOOKS   10
#define HELPER_TRIES 10
#define HELPER_WAIT  5000

struct ending {
	struct session *session;
	struct event *timer;
	unsigned looks; /* that there were */
	unsigned failures;
	uint32_t first; /* how many there were */
};

/* The helper's answer finds its session by name. */
struct look {
	struct sessions *all;
	char id[SESSION_ID_LEN + 1];
};

uint32_t audit_session_of(int32_t pid)
{
	char path[32], text[32] = "";
	uint32_t id;
	int fd AUTO_CLOSE = -1;

	snprintf(path, sizeof(path), "/proc/%d/sessionid", pid);
	fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%u", &id) != 1 || id == 0)
		return AUDIT_SESSION_UNSET;
	return id;
}

/* Whether another session, whose user is still there, would lose processes too. */
static bool is_shared(const struct session *session, enum session_kill kill)
{
	const struct session_record *record = &session->record;

	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = session->all->hash[i]; s; s = s->next) {
			if (s == session || s->record.uid != record->uid || s->record.state < SESSION_PENDING ||
			    s->record.state > SESSION_EXPIRED)
				continue;
			if (kill == KILL_USER || s->record.audit_session == record->audit_session)
				return true;
		}
	}
	return false;
}

void processes_decide(struct session *session)
{
	const struct service_config *service = sessions_service(session->all, session->record.service);
	struct session_record *record = &session->record;
	enum session_kill kill = service ? service->on_session_end : KILL_NONE;

	record->kill_due = KILL_NONE;
	if (kill == KILL_NONE || record->state < SESSION_OPEN || record->uid == 0)
		return;
	if (kill == KILL_SESSION && record->audit_session == AUDIT_SESSION_UNSET)
		log_warning("session %s of %s: nothing of it is killed: it had no audit session id; pam_loginuid.so "
			    "must stand before pam_k8sauth.so in the session lines of service %s",
		    record->id, record->user, record->service);
	else if (is_shared(session, kill))
		log_info("session %s of %s: nothing of it is killed: %s", record->id, record->user,
		    kill == KILL_USER ? "the user has another session" : "another session has its processes too");
	else
		record->kill_due = kill;
}

static void ending_over(struct session *session)
{
	session->record.kill_due = KILL_NONE;
	processes_forget(session);
	session_end_step(session);
}

static void ending_again(struct session *session, int64_t ms)
{
	struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (event_add(session->ending->timer, &after) == 0)
		return;
	log_error("session %s: out of memory: its processes are left alone", session->record.id);
	ending_over(session);
}

static void ending_failed(struct session *session, bool refused, const char *why)
{
	const struct session_record *record = &session->record;

	if (!refused && ++session->ending->failures < HELPER_TRIES) {
		ending_again(session, HELPER_WAIT);
		return;
	}
	log_warning(
	    "session %s of %s: what is left of its processes is not killed: helper: %s", record->id, record->user, why);
	ending_over(session);
}

/* N of them were there at this look. */
static void ending_looked(struct session *session, uint32_t n)
{
	struct ending *ending = session->ending;
	const struct session_record *record = &session->record;

	if (ending->looks++ == 0)
		ending->first = n;
	if (n > 0 && ending->looks < TERM_LOOKS + KILL_LOOKS) {
		ending_again(session, LOOK_MS);
		return;
	}
	if (n > 0)
		log_warning(
		    "session %s of %s: %u of its processes cannot be killed", record->id, record->user, (unsigned)n);
	else if (ending->first > 0)
		log_info("session %s of %s: %u processes that it left are ended", record->id, record->user,
		    (unsigned)ending->first);
	ending_over(session);
}

static void on_looked(void *arg, int r, const struct wire_frame *reply)
{
	struct look *look = arg;
	struct session *session = look->all->closing ? NULL : session_find(look->all, look->id);
	uint32_t status = WIRE_STATUS_INTERNAL, n = 0;
	char *message AUTO_FREE = NULL;

	sessions_unref(look->all);
	free(look);
	if (!session || !session->ending)
		return;
	if (r < 0) {
		ending_failed(session, false, strerror(-r));
		return;
	}
	message = wire_get_str(reply, WIRE_MESSAGE);
	if (wire_get_u32(reply, WIRE_STATUS, &status) && status == WIRE_STATUS_OK &&
	    wire_get_u32(reply, WIRE_COUNT, &n))
		ending_looked(session, n);
	else
		ending_failed(session, status == WIRE_STATUS_REFUSED, message ? message : wire_status_name(status));
}

static void request_fill(struct buf *request, const struct session *session)
{
	const struct session_record *record = &session->record;
	unsigned looks = session->ending->looks;

	wire_begin(request, WIRE_HELPER_SIGNAL);
	wire_add_str(request, WIRE_USER | WIRE_CRITICAL, record->user);
	wire_add_u32(request, WIRE_UID | WIRE_CRITICAL, record->uid);
	wire_add_u32(request, WIRE_GID | WIRE_CRITICAL, record->gid);
	wire_add_u32(request, WIRE_SIGNAL | WIRE_CRITICAL, looks == 0 ? SIGTERM : looks < TERM_LOOKS ? 0 : SIGKILL);
	if (record->kill_due == KILL_SESSION)
		wire_add_u32(request, WIRE_AUDIT_SESSION | WIRE_CRITICAL, record->audit_session);
	/* The PAM program itself, which is about to close the session, or has just done so. */
	if (record->leader > 0 && leader_lives(session))
		wire_add_u32(request, WIRE_PID | WIRE_CRITICAL, (uint32_t)record->leader);
	if (session->closer > 0 && session->closer != record->leader)
		wire_add_u32(request, WIRE_PID | WIRE_CRITICAL, (uint32_t)session->closer);
}

static void look_send(struct session *session)
{
	struct look *look = calloc(1, sizeof(*look));
	AUTO_BUF struct buf request = { 0 };

	request_fill(&request, session);
	if (!look || wire_end(&request) < 0) {
		free(look);
		ending_again(session, HELPER_WAIT);
		return;
	}
	look->all = sessions_ref(session->all);
	memcpy(look->id, session->record.id, sizeof(look->id));
	wire_call_async(
	    look->all->options.base, look->all->helper_socket, &request, -1, HELPER_CALL_MS, on_looked, look);
}

static void on_look(evutil_socket_t fd, short events, void *arg)
{
	struct session *session = arg;

	if (!is_shared(session, session->record.kill_due)) {
		look_send(session);
		return;
	}
	/* The user is back: what is left of this one ends with that one, and that one's processes do not. */
	log_info("session %s of %s: its processes are let go on: the user has another session by now",
	    session->record.id, session->record.user);
	ending_over(session);
}

void processes_end(struct session *session)
{
	struct ending *ending;

	ending = calloc(1, sizeof(*ending));
	if (ending)
		ending->timer = evtimer_new(session->all->options.base, on_look, session);
	if (!ending || !ending->timer) {
		free(ending);
		log_error("session %s: out of memory: its processes are left alone", session->record.id);
		session->record.kill_due = KILL_NONE;
		session_end_step(session);
		return;
	}
	session->ending = ending;
	on_look(-1, 0, session);
}

void processes_forget(struct session *session)
{
	struct ending *ending = TAKE_PTR(session->ending);

	if (!ending)
		return;
	event_free(ending->timer);
	free(ending);
}
