/* SPDX-License-Identifier: Apache-2.0 */
/* After a start: takes up what the table holds, and removes files of sessions that are gone. */
#include <stdio.h>

#include "base/text.h"
#include "session/state.h"

#define SWEEP_RETRY_SECONDS 60

/* Files may lie there for sessions that are open, and for those that are just being opened. */
static bool may_have_files(struct sessions *all, const char *id)
{
	const struct session *session = session_find(all, id);

	return session && session->record.state <= SESSION_OPEN;
}

static void on_sweep_timer(evutil_socket_t fd, short events, void *arg);

static void sweep_later(struct sessions *all, const char *why)
{
	static const struct timeval after = { .tv_sec = SWEEP_RETRY_SECONDS };

	log_warning(
	    "sessions: leftover files not looked for yet, next try in %d s: helper: %s", SWEEP_RETRY_SECONDS, why);
	if (!all->sweep_timer)
		all->sweep_timer = evtimer_new(all->options.base, on_sweep_timer, all);
	if (!all->sweep_timer || event_add(all->sweep_timer, &after) < 0)
		log_error("sessions: out of memory: leftover files stay until the next start");
}

static void on_listed(void *arg, int r, const struct wire_frame *reply)
{
	struct sessions *all = arg;
	uint32_t status = WIRE_STATUS_INTERNAL;
	struct wire_item item;
	size_t at = 0;

	all->sweeping = false;
	if (all->closing) {
		sessions_unref(all);
		return;
	}
	if (r < 0 || !wire_get_u32(reply, WIRE_STATUS, &status) || status != WIRE_STATUS_OK) {
		sweep_later(all, r < 0 ? strerror(-r) : wire_status_name(status));
		sessions_unref(all);
		return;
	}
	while (wire_next(reply, &at, &item)) {
		char id[SESSION_ID_LEN + 1];

		if (item.tag != WIRE_SESSION || item.len != SESSION_ID_LEN)
			continue;
		memcpy(id, item.value, SESSION_ID_LEN);
		id[SESSION_ID_LEN] = '\0';
		if (may_have_files(all, id))
			continue;
		log_notice("session %s: not a session of ours (any more): its files are removed", id);
		if (session_find(all, id))
			session_files_remove(session_find(all, id));
		else if (!files_remove(all, id))
			log_error("session %s: out of memory: its files stay until the next start", id);
	}
	sessions_unref(all);
}

static void sweep(struct sessions *all)
{
	AUTO_BUF struct buf request = { 0 };

	if (all->sweeping)
		return;
	wire_begin(&request, WIRE_HELPER_LIST);
	if (wire_end(&request) < 0) {
		sweep_later(all, "out of memory");
		return;
	}
	all->sweeping = true;
	wire_call_async(
	    all->options.base, all->helper_socket, &request, -1, HELPER_CALL_MS, on_listed, sessions_ref(all));
}

static void on_sweep_timer(evutil_socket_t fd, short events, void *arg)
{
	sweep(arg);
}

/* Whether the token of SESSION is another one's, whose login it was: the daemon ended before its record did. */
static bool is_taken(const struct sessions *all, const struct session *session)
{
	if (session->record.state != SESSION_PENDING || session->record.uid != 0)
		return false;
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = all->hash[i]; s; s = s->next) {
			if (s != session && streq(s->record.token_session, session->record.id))
				return true;
		}
	}
	return false;
}

/* Records of logins that have given their token to a session. */
static void drop_taken(struct sessions *all)
{
	struct session *next;

	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (struct session *s = all->hash[i]; s; s = next) {
			next = s->next;
			if (is_taken(all, s))
				session_drop(s);
		}
	}
}

void sessions_resume(struct sessions *all)
{
	size_t n = 0;

	drop_taken(all);
	for (size_t i = 0; i < HASH_SIZE; i++) {
		struct session *next;

		for (struct session *s = all->hash[i]; s; s = next) {
			char id[SESSION_ID_LEN + 1];

			next = s->next;
			memcpy(id, s->record.id, sizeof(id));
			n++;
			if (s->record.state == SESSION_OPENING && !s->opening)
				session_end(s, "the daemon ended before it was open");
			else if (s->record.state == SESSION_OPEN || s->record.state == SESSION_EXPIRED)
				leader_watch(s, -1);
			if (session_find(all, id) != s)
				continue;
			session_arm(s);
			if (session_find(all, id) == s && s->record.state == SESSION_OPEN && !s->record.files_due)
				rotation_resume(s);
		}
	}
	if (n > 0)
		log_info("sessions: %zu taken up from the daemon before", n);
	recheck_start(all);
	sweep(all);
}
