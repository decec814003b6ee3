/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's times: the handle's minute, renewal at two thirds of the token's TTL, expiry. An outage is tried again
 * until the token is dead anyway; a definite no, or the end of the maximum TTL, makes the session expired: its files
 * are removed, and it stays known until it closes.
 */
#include <stdio.h>

#include "session/login.h"

#define RENEW_RETRY_MIN_MS 2000
#define RENEW_RETRY_MAX_MS 60000
#define TIMER_MAX_MS	   (24LL * 3600 * 1000) /* then it looks again */

struct renewal {
	struct sessions *all;
	char id[SESSION_ID_LEN + 1];
	char token_session[sizeof(((struct session_record *)NULL)->token_session)]; /* whose answer it is */
};

static void session_expire(struct session *session, const char *why)
{
	log_line(LOG_NOTICE, NULL,
	    "session %s of %s has expired: %s; its files are removed; remedy: k8sauth session login",
	    session->record.id, session->record.user, why);
	session->record.state = SESSION_EXPIRED;
	session->record.renew_at = 0;
	if (session_save(session, NULL) < 0)
		log_warning("session %s: the next daemon will find out again that it has expired", session->record.id);
	session_end_step(session);
}

void session_set_lease(struct session *session, int64_t seconds)
{
	int64_t now = monotonic_ms();
	int64_t ms = (seconds < LEASE_MAX_SECONDS ? seconds : LEASE_MAX_SECONDS) * 1000;

	session->record.expires_at = now + ms;
	session->record.renew_at = now + ms * 2 / 3;
}

/* The token lives on as it is; the next try comes after a third of what is left of it. */
static void renew_later(struct session *session, const char *why)
{
	int64_t now = monotonic_ms();
	int64_t wait = (session->record.expires_at - now) / 3;

	if (wait < RENEW_RETRY_MIN_MS)
		wait = RENEW_RETRY_MIN_MS;
	if (wait > RENEW_RETRY_MAX_MS)
		wait = RENEW_RETRY_MAX_MS;
	session->record.renew_at = now + wait;
	log_warning("session %s of %s: not renewed, tried again in %lld s: %s", session->record.id,
	    session->record.user, (long long)wait / 1000, why);
	session_arm(session);
}

static void renewed(struct session *session, const json_t *auth)
{
	int64_t seconds = json_integer_value(json_object_get(auth, "lease_duration"));
	int64_t before = session->record.expires_at;

	if (seconds <= 0) {
		renew_later(session, "the answer has no lease_duration");
		return;
	}
	session_set_lease(session, seconds);
	/* Not longer than before: the maximum TTL caps it, and asking again would not help. */
	if (session->record.expires_at < before + 1000 || !json_is_true(json_object_get(auth, "renewable")))
		session->record.renew_at = 0;
	if (session_save(session, NULL) < 0)
		log_warning("session %s: the next daemon will renew it again", session->record.id);
	session_arm(session);
}

static void on_renewed(void *arg, struct vault_response *response)
{
	struct renewal *renewal = arg;
	struct sessions *all = renewal->all;
	struct session *session = all->closing ? NULL : session_find(all, renewal->id);
	char why[256];

	if (session)
		session->renewing = false;
	if (session && !streq(session->record.token_session, renewal->token_session)) {
		session_arm(session); /* it has another token meanwhile, which this says nothing of */
	} else if (session && session->record.state == SESSION_OPEN) {
		snprintf(why, sizeof(why), "%d %s", response->status,
		    response->reason ? response->reason : vault_response_error_text(response));
		if (response->status == 200 && response->auth)
			renewed(session, response->auth);
		else if (vault_response_is_outage(response))
			renew_later(session, why);
		else
			session_expire(session, why);
	}
	free(renewal);
	sessions_unref(all);
}

static void session_renew(struct session *session)
{
	struct secret *token AUTO_SECRET = session_token(session);
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "auth/token/renew-self");
	struct renewal *renewal = calloc(1, sizeof(*renewal));

	if (!token || !request || !renewal || !trail_session(request, &session->record, request->ref)) {
		vault_request_free(request);
		free(renewal);
		renew_later(session, "out of memory");
		return;
	}
	request->token = TAKE_PTR(token);
	renewal->all = sessions_ref(session->all);
	snprintf(renewal->id, sizeof(renewal->id), "%s", session->record.id);
	memcpy(renewal->token_session, session->record.token_session, sizeof(renewal->token_session));
	session->renewing = true;
	vault_send(session->all->options.vault, request, on_renewed, renewal);
}

static void open_arm(struct session *session)
{
	const struct session_record *record = &session->record;
	int64_t now = monotonic_ms();
	int64_t next = record->expires_at;

	if (now >= record->expires_at) {
		session_expire(session, "its token's time is over");
		return;
	}
	if (record->renew_at && now >= record->renew_at && !session->renewing)
		session_renew(session);
	else if (record->renew_at && !session->renewing && record->renew_at < next)
		next = record->renew_at;
	if (record->files_due && !session->refreshing && !session->removing && now >= session->refresh_at)
		session_refresh(session);
	if (record->files_due && !session->refreshing && session->refresh_at > now && session->refresh_at < next)
		next = session->refresh_at;
	session_timer(session, next - now < TIMER_MAX_MS ? next - now : TIMER_MAX_MS);
}

void session_arm(struct session *session)
{
	int64_t now = monotonic_ms();

	switch (session->record.state) {
	case SESSION_PENDING:
		if (session->record.uid == 0)
			session_end(session, "its login was cut off by the daemon's end");
		else if (now >= session->record.pending_until)
			session_end(session, "the login was not opened within a minute");
		else
			session_timer(session, session->record.pending_until - now);
		break;
	case SESSION_OPEN:
		open_arm(session);
		break;
	case SESSION_EXPIRED:
	case SESSION_ENDED:
		session_end_step(session);
		break;
	default: /* a login, an opening: they watch their own time */
		break;
	}
}
