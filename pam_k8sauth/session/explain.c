/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals: one journal line, an entry in the ring for `k8sauth explain`, and a short answer (decision 24). */
#include <stdarg.h>
#include <stdio.h>

#include "base/metrics.h"
#include "session/state.h"

#define LATE_MS 1000

#define FURTHER "; this user fails often from there: more of them are not written for a minute"

/* An answer that waits its second, so that failing often is slow. */
struct late_reply {
	struct late_reply *next, **self;
	struct wire_conn *conn;
	struct event *timer;
	struct buf reply;
};

static void late_send(struct late_reply *late)
{
	*late->self = late->next;
	if (late->next)
		late->next->self = late->self;
	event_free(late->timer);
	wire_conn_on_gone(late->conn, NULL, NULL);
	wire_reply(late->conn, &late->reply);
	free(late);
}

static void on_late(evutil_socket_t fd, short events, void *arg)
{
	late_send(arg);
}

/* The client does not wait any more: neither do we. */
static void on_late_gone(void *arg)
{
	late_send(arg);
}

void late_replies_flush(struct sessions *all)
{
	while (all->late)
		late_send(all->late);
}

static void reply_late(struct sessions *all, struct wire_conn *conn, struct buf *reply)
{
	static const struct timeval after = { .tv_sec = LATE_MS / 1000 };
	struct late_reply *late = calloc(1, sizeof(*late));

	if (late)
		late->timer = evtimer_new(all->options.base, on_late, late);
	if (!late || !late->timer || event_add(late->timer, &after) < 0) {
		if (late && late->timer)
			event_free(late->timer);
		free(late);
		wire_reply(conn, reply);
		return;
	}
	late->conn = conn;
	late->reply = *reply;
	*reply = (struct buf){ 0 };
	late->next = all->late;
	late->self = &all->late;
	if (all->late)
		all->late->self = &late->next;
	all->late = late;
	wire_conn_on_gone(conn, on_late_gone, late);
}

/* OTHERS: any user can cause as many as he likes. */
static struct refusal *ring_add(
    struct sessions *all, const struct caller *caller, bool others, const char *step, const char *remedy)
{
	struct refusal_ring *ring = &all->refusals[others];
	struct refusal *refusal = &ring->entries[ring->next];

	ring->next = (ring->next + 1) % REFUSALS;
	*refusal = (struct refusal){ .when = time(NULL) };
	memcpy(refusal->ref, caller->ref, sizeof(refusal->ref));
	snprintf(refusal->user, sizeof(refusal->user), "%s", caller->user);
	snprintf(refusal->service, sizeof(refusal->service), "%s", caller->service);
	snprintf(refusal->rhost, sizeof(refusal->rhost), "%s", caller->rhost);
	snprintf(refusal->step, sizeof(refusal->step), "%s", step);
	snprintf(refusal->remedy, sizeof(refusal->remedy), "%s", remedy ? remedy : "");
	return refusal;
}

static const struct refusal *ring_find(const struct refusal_ring *ring, const char *ref)
{
	/* The youngest first: a reference has 24 bits and may come again. */
	for (unsigned i = 1; i <= REFUSALS; i++) {
		const struct refusal *refusal = &ring->entries[(ring->next + REFUSALS - i) % REFUSALS];

		if (refusal->ref[0] && streq(refusal->ref, ref))
			return refusal;
	}
	return NULL;
}

const struct refusal *sessions_explain(const struct sessions *all, const char *ref)
{
	const struct refusal *refusal = ring_find(&all->refusals[0], ref);

	return refusal ? refusal : ring_find(&all->refusals[1], ref);
}

static void refusal_log(
    const struct caller *caller, const char *verb, const struct refusal *refusal, const char *reason, const char *note)
{
	bool role = caller->role[0], from = caller->rhost[0];

	log_line(LOG_WARNING, caller->ref, "k8sauth: %s of %s%s%s for service %s%s%s refused at %s: %s%s%s%s", verb,
	    caller->user[0] ? caller->user : "(no user)", role ? " as role " : "", role ? caller->role : "",
	    caller->service[0] ? caller->service : "(no service)", from ? " from " : "", from ? caller->rhost : "",
	    refusal->step, reason, refusal->remedy[0] ? "; remedy: " : "", refusal->remedy, note);
}

/* STEP: where it was refused. */
static const char *answer_text(enum wire_status status, const char *step)
{
	switch (status) {
	case WIRE_STATUS_REFUSED:
		return "refused";
	case WIRE_STATUS_DENIED:
		return "not allowed to ask";
	default:
		return streq(step, "seal") ? "sealed, try again later" : "unavailable, try again later";
	}
}

/* LATE: failing often is slow. An outage is nobody's guess, and says so at once. */
static void refusal_reply(struct sessions *all, struct wire_conn *conn, uint8_t type, enum wire_status status,
    const struct caller *caller, const char *step, bool late)
{
	AUTO_BUF struct buf reply = { 0 };
	char message[128];

	snprintf(message, sizeof(message), "k8sauth: %s, ref %s%s%s", answer_text(status, step), caller->ref,
	    caller->hint ? ": " : "", caller->hint ? caller->hint : "");
	wire_begin(&reply, type | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, status);
	wire_add_str(&reply, WIRE_REF, caller->ref);
	wire_add_str(&reply, WIRE_MESSAGE, message);
	if (wire_end(&reply) < 0)
		buf_free(&reply); /* an empty reply closes the connection */
	wire_conn_on_gone(conn, NULL, NULL);
	if (late && !all->closing)
		reply_late(all, conn, &reply);
	else
		wire_reply(conn, &reply);
}

/* Whether a refusal is counted, and one too many for its caller by now. */
static bool fails_often(struct sessions *all, uint8_t type, enum wire_status status, const struct caller *caller)
{
	return (type == WIRE_LOGIN || type == WIRE_VERIFY) && status == WIRE_STATUS_REFUSED &&
	       rate_failure(all, caller);
}

/* Whether the journal has had enough: of a flood of wrong credentials it gets one line a minute, and of a flood of
 * users and hosts no more than of other things that anybody can cause. */
static bool is_quiet(struct sessions *all, const struct caller *caller, bool often)
{
	return caller->quiet || (often && !rate_say_failures(all, caller)) ||
	       !log_allowed(&all->verify_lines, "k8sauth: refusals of verify");
}

static void count_refusal(uint8_t type, enum wire_status status, const char *step)
{
	static const char *const requests[] = { [WIRE_LOGIN] = "login",
		[WIRE_OPEN] = "open",
		[WIRE_CHECK] = "check",
		[WIRE_VERIFY] = "verify",
		[WIRE_CLOSE] = "close" };
	const char *request = type < ARRAY_SIZE(requests) ? requests[type] : NULL;
	bool refused = status == WIRE_STATUS_REFUSED || status == WIRE_STATUS_DENIED;

	metric_count(METRIC_PAM_REQUESTS,
	    METRIC_LABELS(request ? request : "account", refused ? "refused" : "unavailable", step));
}

void session_refuse(struct sessions *all, struct wire_conn *conn, uint8_t type, enum wire_status status,
    const struct caller *caller, const char *verb, const char *step, const char *remedy, const char *format, ...)
{
	bool often = conn && fails_often(all, type, status, caller), verify = type == WIRE_VERIFY;
	/* The gate's are root's program's, which a user starts again and again. */
	struct refusal *refusal = ring_add(all, caller, caller->uid != 0 || type == WIRE_CHECK, step, remedy);
	char reason[768];
	va_list args;

	count_refusal(type, status, step);
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	snprintf(refusal->reason, sizeof(refusal->reason), "%.*s", (int)sizeof(refusal->reason) - 1, reason);
	if (!verify || !is_quiet(all, caller, often))
		refusal_log(caller, verb, refusal, reason, often && verify ? FURTHER : "");
	trail_refused(all, type, caller, reason);
	/* A program that verifies may have one thread for all its users: who fails often must not make it wait. */
	if (conn)
		refusal_reply(all, conn, type, status, caller, step, often && !verify);
}

void session_refuse_again(
    struct sessions *all, struct wire_conn *conn, uint8_t type, enum wire_status status, const struct caller *caller)
{
	const struct refusal *first = sessions_explain(all, caller->ref);
	struct caller again = *caller;

	again.told = false;
	again.remembered = true;
	trail_refused(all, type, &again, first ? first->reason : "refused as before");
	refusal_reply(all, conn, type, status, caller, "", false);
}
