/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate (decision 18): may this user do that here? The policies of the user's live sessions decide, asked with the
 * sessions' own tokens at the moment of the question: a policy that was changed counts at once, and a token that was
 * revoked allows nothing. One session that allows it is enough, since the boundary is the uid.
 */
#include <stdio.h>

#include "base/metrics.h"
#include "base/text.h"
#include "session/path.h"
#include "session/state.h"

#define REMEDY_LOGIN "log in again with a service account token"
#define RELOGIN	     "run `k8sauth session login`"
#define REMEDY_LINE  "mend require= on the PAM line, see pam_k8sauth(8)"

/* One question under way. CONN is NULL once the client has left; the answer that is still to come ends it then. */
struct gate {
	struct sessions *all;
	struct wire_conn *conn;
	struct caller caller;
	char *path, *capability; /* NULL: a live session is enough */
	char (*ids)[SESSION_ID_LEN + 1];
	size_t n, at;
	bool outage;
	char why[256]; /* what the last session's answer was */
};

static void gate_free(struct gate *gate)
{
	if (gate->conn) {
		wire_conn_on_gone(gate->conn, NULL, NULL);
		wire_reply_status(
		    gate->conn, WIRE_CHECK, WIRE_STATUS_UNAVAILABLE, NULL, "k8sauth: stopping, try again");
	}
	sessions_unref(gate->all);
	free(gate->path);
	free(gate->capability);
	free(gate->ids);
	free(gate);
}

static void on_gate_gone(void *arg)
{
	struct gate *gate = arg;
	struct wire_conn *conn = TAKE_PTR(gate->conn);

	wire_conn_on_gone(conn, NULL, NULL);
	wire_reply_status(conn, WIRE_CHECK, WIRE_STATUS_UNAVAILABLE, NULL, NULL);
}

static void gate_refuse(
    struct gate *gate, enum wire_status status, const char *step, const char *remedy, const char *why)
{
	session_refuse(gate->all, TAKE_PTR(gate->conn), WIRE_CHECK, status, &gate->caller, "gate", step, remedy,
	    "%s%s%s%s%s", gate->path ? gate->path : "session", gate->capability ? ":" : "",
	    gate->capability ? gate->capability : "", *why ? ": " : "", why);
	gate_free(gate);
}

static void gate_allow(struct gate *gate)
{
	struct wire_conn *conn = TAKE_PTR(gate->conn);

	log_info("gate of %s for service %s allows %s%s%s", gate->caller.user, gate->caller.service,
	    gate->path ? gate->path : "a live session", gate->capability ? ":" : "",
	    gate->capability ? gate->capability : "");
	metric_count(METRIC_PAM_REQUESTS, METRIC_LABELS("check", "success", ""));
	wire_conn_on_gone(conn, NULL, NULL);
	wire_reply_status(conn, WIRE_CHECK, WIRE_STATUS_OK, NULL, NULL);
	gate_free(gate);
}

static bool has_expired(const struct gate *gate)
{
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = gate->all->hash[i]; s; s = s->next) {
			if ((s->record.state == SESSION_EXPIRED || s->record.state == SESSION_OPEN) &&
			    streq(s->record.user, gate->caller.user))
				return true;
		}
	}
	return false;
}

/* The one refusal that the user can mend, and so is told more than its reference. */
static void gate_refuse_expired(struct gate *gate)
{
	gate->caller.hint = RELOGIN;
	gate_refuse(gate, WIRE_STATUS_REFUSED, "session", RELOGIN, "the user's session has expired");
}

static void gate_over(struct gate *gate)
{
	if (gate->outage)
		gate_refuse(gate, WIRE_STATUS_UNAVAILABLE, "policy", NULL, gate->why);
	else if (gate->n == 0 && has_expired(gate))
		gate_refuse_expired(gate);
	else if (gate->n == 0)
		gate_refuse(gate, WIRE_STATUS_REFUSED, "session", REMEDY_LOGIN, "the user has no live session");
	else
		gate_refuse(gate, WIRE_STATUS_REFUSED, "policy",
		    "give a policy of the session's role this capability on this path; where the session's token was "
		    "revoked, " RELOGIN,
		    gate->why);
}

/* Whether ANSWER, the data of sys/capabilities-self, has what GATE asks for. */
static bool allows(const struct gate *gate, const json_t *data)
{
	const json_t *list = json_object_get(data, gate->path ? gate->path : TRAIL_ANY_PATH), *name;
	bool found = false;
	size_t i;

	if (!json_is_array(list))
		return false;
	if (!gate->path)
		return true;
	json_array_foreach(list, i, name)
	{
		const char *text = json_string_value(name);

		if (!text || streq(text, "deny"))
			return false;
		found = found || streq(text, gate->capability) || streq(text, "root");
	}
	return found;
}

static void gate_next(struct gate *gate);

static void on_capabilities(void *arg, struct vault_response *response)
{
	struct gate *gate = arg;
	const struct session *session = gate->all->closing ? NULL : session_find(gate->all, gate->ids[gate->at]);
	bool allowed;

	if (!gate->conn || gate->all->closing) {
		gate_free(gate);
		return;
	}
	allowed = response->status == 200 && allows(gate, response->data);
	/* It may have ended while the backend answered. */
	if (session && session->record.state >= SESSION_PENDING && session->record.state <= SESSION_OPEN && allowed) {
		gate_allow(gate);
		return;
	}
	if (response->status != 200) {
		gate->outage = gate->outage || vault_response_is_outage(response);
		snprintf(gate->why, sizeof(gate->why), "session %s: its token was answered %d %s", gate->ids[gate->at],
		    response->status, response->reason ? response->reason : vault_response_error_text(response));
	} else {
		snprintf(gate->why, sizeof(gate->why), "session %s: its policies do not allow it", gate->ids[gate->at]);
	}
	gate->caller.told = !allowed && !vault_response_is_outage(response);
	gate->at++;
	gate_next(gate);
}

/* The audit trail has what was asked for, not how; the service and terminal are those of the question. */
static bool gate_tell(const struct gate *gate, struct vault_request *request)
{
	return trail_caller(request, &gate->caller) &&
	       (!gate->path || trail_path(request, gate->path, gate->capability));
}

/* Asks the backend about the next session that still lives, or says no. */
static void gate_next(struct gate *gate)
{
	for (; gate->at < gate->n; gate->at++) {
		const struct session *session = session_find(gate->all, gate->ids[gate->at]);
		struct secret *token AUTO_SECRET = session ? session_token(session) : NULL;
		struct vault_request *request;

		if (!token)
			continue;
		request = vault_request_new(VAULT_UPDATE, "sys/capabilities-self");
		if (request)
			request->data = json_pack("{s:[s]}", "paths", gate->path ? gate->path : TRAIL_ANY_PATH);
		if (!request || !request->data || !trail_session(request, &session->record, gate->caller.ref) ||
		    !gate_tell(gate, request)) {
			vault_request_free(request);
			gate->outage = true;
			break;
		}
		request->token = TAKE_PTR(token);
		memcpy(request->ref, gate->caller.ref, sizeof(request->ref));
		vault_send(gate->all->options.vault, request, on_capabilities, gate);
		return;
	}
	gate_over(gate);
}

/* A login that is proven but not open yet lives for its own transaction only, which has the handle. */
static bool lives(const struct session *session, const char *user)
{
	const struct session_record *record = &session->record;

	return (record->state == SESSION_OPENING || record->state == SESSION_OPEN) && record->uid != 0 &&
	       monotonic_ms() < record->expires_at && streq(record->user, user);
}

/* Collects the sessions that may allow it: the login's own where HANDLE proves it, else all that the user has. */
static bool gate_collect(struct gate *gate, const struct secret *handle)
{
	const struct session *own = session_by_handle(gate->all, handle);
	size_t max = 0;

	if (own && own->record.uid != 0 && streq(own->record.user, gate->caller.user) &&
	    streq(own->record.service, gate->caller.service)) {
		gate->ids = calloc(1, sizeof(*gate->ids));
		if (gate->ids)
			memcpy(gate->ids[gate->n++], own->record.id, sizeof(*gate->ids));
		return gate->ids != NULL;
	}
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = gate->all->hash[i]; s; s = s->next) {
			if (!lives(s, gate->caller.user))
				continue;
			if (gate->n == max) {
				void *more = reallocarray(gate->ids, max + 16, sizeof(*gate->ids));

				if (!more)
					return false;
				gate->ids = more;
				max += 16;
			}
			memcpy(gate->ids[gate->n++], s->record.id, sizeof(*gate->ids));
		}
	}
	return true;
}

/* Fills in what is asked; false with WHY. */
static bool gate_read(struct gate *gate, const struct wire_frame *request, const char **why)
{
	char *template AUTO_FREE = wire_get_str(request, WIRE_PATH);
	char *target AUTO_FREE = wire_get_str(request, WIRE_TARGET);
	const struct path_value values[] = {
		{ "host", gate->all->options.config->host },
		{ "user", gate->caller.user },
		{ "service", gate->caller.service },
		{ "target", target },
	};
	struct wire_item item;

	gate->capability = wire_get_str(request, WIRE_CAPABILITY);
	*why = "path and capability go together";
	if (!wire_get(request, WIRE_PATH, &item) && !wire_get(request, WIRE_CAPABILITY, &item))
		return true;
	if (!template || !*template || !gate->capability || !*gate->capability)
		return false;
	gate->path = path_fill(values, ARRAY_SIZE(values), template, why);
	gate->caller.path = gate->path;
	gate->caller.capability = gate->capability;
	return gate->path && *gate->path;
}

void check_request(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request)
{
	struct secret *handle AUTO_SECRET = wire_get_secret(request, WIRE_HANDLE);
	struct gate *gate = calloc(1, sizeof(*gate));
	const char *why;

	if (!gate) {
		wire_reply_status(conn, request->type, WIRE_STATUS_INTERNAL, NULL, "k8sauth: out of memory");
		return;
	}
	gate->all = sessions_ref(all);
	gate->conn = conn;
	wire_conn_on_gone(conn, on_gate_gone, gate);
	if (!caller_read(request, &gate->caller, &why)) {
		gate_refuse(
		    gate, WIRE_STATUS_REFUSED, "request", "report this: the PAM module sends what it should not", why);
	} else if (!sessions_login_cluster(all, gate->caller.user)) {
		wire_conn_on_gone(conn, NULL, NULL);
		wire_reply_status(TAKE_PTR(gate->conn), request->type, WIRE_STATUS_NOT_OURS, NULL, NULL);
		gate_free(gate);
	} else if (!gate_read(gate, request, &why)) {
		gate_refuse(gate, WIRE_STATUS_REFUSED, "path", REMEDY_LINE, why);
	} else if (!gate_collect(gate, handle)) {
		gate_refuse(gate, WIRE_STATUS_INTERNAL, "memory", NULL, "out of memory");
	} else {
		gate_next(gate);
	}
}
