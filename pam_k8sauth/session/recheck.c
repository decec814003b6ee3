/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the API server now and then whether the service accounts of living sessions are still there (`recheck` of a
 * cluster): one that was deleted, or deleted and made again, has no session here any more. Only a definite answer ends
 * one. Each service account has its own moment in the interval, by its name, so that many do not come at once; sessions
 * of one share the question.
 */
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "session/state.h"

#define ASKED_MAX 8  /* at once */
#define TICKS	  60 /* in an interval */

/* Of a cluster with `recheck`. */
struct recheck_clock {
	struct sessions *all;
	const struct cluster_config *cluster;
	struct event *timer;
	int64_t until;	 /* monotonic ms: the moments before are over */
	bool unanswered; /* as far as the journal knows */
};

/* A service account to ask about. */
struct recheck {
	struct sessions *all;
	struct recheck *next;
	struct recheck_clock *clock; /* of no use once the daemon ends */
	bool sent;
	int64_t when; /* unix: an answer says nothing about sessions that began since */
	char namespace_name[64], service_account[254];
};

static bool is_about(const struct recheck *recheck, const struct session_record *record)
{
	return streq(recheck->clock->cluster->mount, record->mount) &&
	       streq(recheck->namespace_name, record->namespace_name) &&
	       streq(recheck->service_account, record->service_account);
}

/* Whether SESSION lives, in CLOCK's cluster. */
static bool is_watched(const struct recheck_clock *clock, const struct session *session)
{
	return session_settled(session) && session->record.state <= SESSION_EXPIRED &&
	       streq(session->record.mount, clock->cluster->mount);
}

/* --- the answer ------------------------------------------------------------------------------ */

/* UID "": there is none of that name. */
static void recheck_end(const struct recheck *recheck, const char *uid)
{
	struct session *next;

	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (struct session *s = recheck->all->hash[i]; s; s = next) {
			next = s->next;
			if (is_watched(recheck->clock, s) && is_about(recheck, &s->record) &&
			    s->record.created < recheck->when && !streq(s->record.service_account_uid, uid))
				session_end(s, *uid ? "its service account was deleted, and another one made"
						    : "its service account is deleted");
		}
	}
}

/* Said when it changes, not every time. */
static void recheck_say(struct recheck_clock *clock, const struct vault_response *response, bool answered)
{
	if (answered && clock->unanswered)
		log_notice("cluster \"%s\": the API server tells about service accounts of sessions again",
		    clock->cluster->mount);
	else if (!answered && !clock->unanswered)
		log_warning("cluster \"%s\": the API server does not tell whether service accounts of sessions are "
			    "still there; the sessions go on: %d %s",
		    clock->cluster->mount, response->status,
		    response->reason ? response->reason : vault_response_error_text(response));
	clock->unanswered = !answered;
}

static void recheck_free(struct recheck *recheck)
{
	struct recheck **at = &recheck->all->rechecks;

	while (*at != recheck)
		at = &(*at)->next;
	*at = recheck->next;
	sessions_unref(recheck->all);
	free(recheck);
}

static void ask_waiting(struct sessions *all);

static void on_asked(void *arg, struct vault_response *response)
{
	struct recheck *recheck = arg;
	struct sessions *all = sessions_ref(recheck->all);
	const json_t *uid = json_object_get(response->data, "uid");
	bool answered = response->status == 200 && (json_is_string(uid) || json_is_null(uid));

	if (!all->closing) {
		recheck_say(recheck->clock, response, answered);
		if (answered)
			recheck_end(recheck, json_is_string(uid) ? json_string_value(uid) : "");
	}
	recheck_free(recheck);
	if (!all->closing)
		ask_waiting(all);
	sessions_unref(all);
}

/* --- the question ---------------------------------------------------------------------------- */

static void recheck_ask(struct recheck *recheck)
{
	char path[512];
	struct vault_request *request;

	snprintf(path, sizeof(path), "k8sauth/auth/%s/serviceaccount/%s/%s", recheck->clock->cluster->mount,
	    recheck->namespace_name, recheck->service_account);
	request = vault_request_new(VAULT_READ, path);
	if (!request) {
		recheck_free(recheck);
		return;
	}
	request->internal = true;
	recheck->sent = true;
	recheck->when = time(NULL);
	vault_send(recheck->all->options.vault, request, on_asked, recheck);
}

/* Those that wait their turn, as far as there is one. */
static void ask_waiting(struct sessions *all)
{
	struct recheck *next;
	unsigned sent = 0;

	for (const struct recheck *r = all->rechecks; r; r = r->next)
		sent += r->sent;
	for (struct recheck *r = all->rechecks; r && sent < ASKED_MAX; r = next) {
		next = r->next;
		if (r->sent)
			continue;
		recheck_ask(r);
		sent++;
	}
}

static void recheck_add(struct recheck_clock *clock, const struct session_record *record)
{
	struct recheck *recheck, **end = &clock->all->rechecks;

	for (; *end; end = &(*end)->next) {
		if ((*end)->clock == clock && is_about(*end, record))
			return;
	}
	recheck = calloc(1, sizeof(*recheck));
	if (!recheck)
		return; /* again in the next interval */
	recheck->all = sessions_ref(clock->all);
	recheck->clock = clock;
	memcpy(recheck->namespace_name, record->namespace_name, sizeof(recheck->namespace_name));
	memcpy(recheck->service_account, record->service_account, sizeof(recheck->service_account));
	*end = recheck;
}

/* When in the interval a service account is asked about. */
static int64_t moment_of(const struct session_record *record, int64_t interval)
{
	char name[sizeof(record->namespace_name) + sizeof(record->service_account)];

	snprintf(name, sizeof(name), "%s/%s", record->namespace_name, record->service_account);
	return text_hash(name) % interval;
}

static void on_tick(evutil_socket_t fd, short events, void *arg)
{
	struct recheck_clock *clock = arg;
	int64_t interval = clock->cluster->recheck * 1000, now = monotonic_ms(), from = clock->until;

	clock->until = now;
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = clock->all->hash[i]; s; s = s->next) {
			int64_t moment;

			if (!is_watched(clock, s))
				continue;
			/* Its last moment up to now: was it since the last tick? */
			moment = now - (now - moment_of(&s->record, interval)) % interval;
			if (moment > from)
				recheck_add(clock, &s->record);
		}
	}
	ask_waiting(clock->all);
}

static int clock_start(struct recheck_clock *clock)
{
	int64_t ms = clock->cluster->recheck * 1000 / TICKS;
	struct timeval every;

	if (ms < 250)
		ms = 250;
	every = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	clock->until = monotonic_ms();
	clock->timer = event_new(clock->all->options.base, -1, EV_PERSIST, on_tick, clock);
	return clock->timer && event_add(clock->timer, &every) == 0 ? 0 : -1;
}

void recheck_start(struct sessions *all)
{
	const struct session_config *config = all->options.config;

	if (all->clocks || config->n_clusters == 0)
		return;
	all->clocks = calloc(config->n_clusters, sizeof(*all->clocks));
	for (size_t i = 0; i < config->n_clusters; i++) {
		if (all->clocks) {
			all->clocks[i].all = all;
			all->clocks[i].cluster = &config->clusters[i];
		}
		if (config->clusters[i].recheck > 0 && (!all->clocks || clock_start(&all->clocks[i]) < 0))
			log_error("cluster \"%s\": out of memory: service accounts of sessions are not looked at again",
			    config->clusters[i].mount);
	}
}

void recheck_stop(struct sessions *all)
{
	for (size_t i = 0; all->clocks && i < all->options.config->n_clusters; i++) {
		if (all->clocks[i].timer)
			event_free(all->clocks[i].timer);
	}
	free(TAKE_PTR(all->clocks));
	/* What is sent comes back; the rest never goes. */
	for (struct recheck *r = all->rechecks, *next; r; r = next) {
		next = r->next;
		if (!r->sent)
			recheck_free(r);
	}
}
