/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the audit trail tells of a request that was made for a PAM service (docs/audit.md): who asked, beside what was
 * asked. The entries have it among the headers, under names that no client can send.
 */
#include <inttypes.h>
#include <stdio.h>

#include "session/login.h"

struct told {
	const char *name, *text;
};

/* False without memory. Empty ones are left out. */
static bool tell(struct vault_request *request, const struct told *told, size_t n)
{
	if (!request->headers)
		request->headers = json_object();
	for (size_t i = 0; i < n; i++) {
		json_t *text = *told[i].text ? json_pack("[s]", told[i].text) : NULL;

		if (*told[i].text && (!text || json_object_set_new(request->headers, told[i].name, text)))
			return false;
	}
	return request->headers;
}

bool trail_caller(struct vault_request *request, const struct caller *caller)
{
	const struct told told[] = {
		{ VAULT_TOLD_REF, caller->ref },
		{ VAULT_TOLD_REMEMBERED, caller->remembered ? "true" : "" },
		{ VAULT_TOLD_RHOST, caller->rhost },
		{ VAULT_TOLD_SERVICE, caller->service },
		{ VAULT_TOLD_SESSION, caller->session },
		{ VAULT_TOLD_TTY, caller->tty },
		{ VAULT_TOLD_USER, caller->user },
	};

	return tell(request, told, ARRAY_SIZE(told));
}

bool trail_session(struct vault_request *request, const struct session_record *record, const char *ref)
{
	const struct told told[] = {
		{ VAULT_TOLD_REF, ref },
		{ VAULT_TOLD_RHOST, record->rhost },
		{ VAULT_TOLD_SERVICE, record->service },
		{ VAULT_TOLD_SESSION, record->id },
		{ VAULT_TOLD_TTY, record->tty },
		{ VAULT_TOLD_USER, record->user },
	};

	return tell(request, told, ARRAY_SIZE(told));
}

bool trail_path(struct vault_request *request, const char *path, const char *capability)
{
	request->told_path = strdup(path);
	request->told_capability = strdup(capability);
	return request->told_path && request->told_capability;
}

/* As k8sauth/VERB/SERVICE. */
static bool trail_service(struct vault_request *request, const char *verb, const struct caller *caller)
{
	char path[sizeof(caller->service) + 32];

	snprintf(path, sizeof(path), "k8sauth/%s/%s", verb, caller->service);
	return trail_path(request, path, "update");
}

bool trail_verify(struct vault_request *request, const struct caller *caller)
{
	return trail_service(request, "verify", caller);
}

/* --- what the backend is not asked about ------------------------------------------------------ */

/* While it is sealed there is none. */
static bool has_trail(const struct sessions *all)
{
	return !all->closing && all->options.vault->audited_headers;
}

static bool tell_path(struct vault_request *request, uint8_t type, const struct caller *caller)
{
	switch (type) {
	case WIRE_VERIFY:
		return trail_verify(request, caller);
	case WIRE_CHECK:
		return trail_path(request, caller->path ? caller->path : TRAIL_ANY_PATH,
		    caller->path && caller->capability ? caller->capability : "update");
	case WIRE_OPEN:
		return trail_service(request, "open", caller);
	case WIRE_ACCOUNT:
		return trail_service(request, "account", caller);
	default:
		return true; /* a login is a request of its mount */
	}
}

/* NULL without memory. */
static struct vault_request *told_request(const struct sessions *all, uint8_t type, const struct caller *caller)
{
	const struct cluster_config *cluster = sessions_login_cluster(all, caller->user);
	struct vault_request *request;
	char *path AUTO_FREE = NULL;

	/* A name that could not even be read is looked for where all logins would be. */
	if (!cluster && all->options.config->n_clusters > 0)
		cluster = &all->options.config->clusters[0];
	if (type == WIRE_LOGIN && cluster && asprintf(&path, "auth/%s/login", cluster->mount) < 0)
		return NULL;
	request = vault_request_new(VAULT_TELL, path ? path : "k8sauth");
	if (!request)
		return NULL;
	request->internal = true;
	memcpy(request->ref, caller->ref, sizeof(request->ref));
	login_peer(&request->peer, caller->rhost);
	if (trail_caller(request, caller) && tell_path(request, type, caller))
		return request;
	vault_request_free(request);
	return NULL;
}

static enum trail_kind kind_of(uint8_t type, const struct caller *caller)
{
	if (caller->uid != 0)
		return TRAIL_OTHERS;
	return type == WIRE_CHECK ? TRAIL_CHECKS : type == WIRE_VERIFY ? TRAIL_VERIFIES : TRAIL_LOGINS;
}

/* Whether it is one too many; if not, REQUEST says how many there were. */
static bool is_left_out(struct trail_limit *limit, struct vault_request *request)
{
	char text[24];

	if (!log_allowed(&limit->limit, "audit entries of refusals")) {
		limit->left_out++;
		return true;
	}
	if (limit->left_out) {
		snprintf(text, sizeof(text), "%" PRIu64, limit->left_out);
		if (tell(request, &(struct told){ VAULT_TOLD_LEFT_OUT, text }, 1))
			limit->left_out = 0;
	}
	return false;
}

/* What became of it, the journal has: what is refused stays so. */
static void on_refusal_told(void *arg, struct vault_response *response)
{
}

void trail_refused(struct sessions *all, uint8_t type, const struct caller *caller, const char *reason)
{
	struct vault_request *request;

	if (caller->told || !has_trail(all))
		return;
	request = told_request(all, type, caller);
	if (request)
		request->told_refusal = strdup(reason);
	if (!request || !request->told_refusal || is_left_out(&all->told[kind_of(type, caller)], request))
		vault_request_free(request);
	else
		vault_send(all->options.vault, request, on_refusal_told, NULL);
}

/* A request that is allowed as soon as the trail has it. CONN is NULL once the client has left. */
struct allowed {
	struct sessions *all;
	struct wire_conn *conn;
	uint8_t type;
	struct caller caller;
	void (*yes)(struct wire_conn *conn);
};

static void on_allowed_gone(void *arg)
{
	struct allowed *allowed = arg;
	struct wire_conn *conn = TAKE_PTR(allowed->conn);

	wire_conn_on_gone(conn, NULL, NULL);
	wire_reply_status(conn, allowed->type, WIRE_STATUS_UNAVAILABLE, NULL, NULL);
}

static void untold(struct sessions *all, struct wire_conn *conn, uint8_t type, const struct caller *caller, const char *why)
{
	session_refuse(all, conn, type, WIRE_STATUS_UNAVAILABLE, caller, type == WIRE_VERIFY ? "verify" : "account",
	    "audit", NULL, "%s", why);
}

static void on_allowed_told(void *arg, struct vault_response *response)
{
	struct allowed *allowed = arg;
	struct sessions *all = allowed->all;
	struct wire_conn *conn = TAKE_PTR(allowed->conn);

	if (conn)
		wire_conn_on_gone(conn, NULL, NULL);
	if (conn && all->closing)
		wire_reply_status(
		    conn, allowed->type, WIRE_STATUS_UNAVAILABLE, NULL, "k8sauth: stopping, try again");
	else if (conn && response->status < 300)
		allowed->yes(conn);
	else if (conn)
		untold(all, conn, allowed->type, &allowed->caller,
		    response->reason ? response->reason : vault_response_error_text(response));
	sessions_unref(all);
	free(allowed);
}

void trail_allow(struct sessions *all, struct wire_conn *conn, uint8_t type, const struct caller *caller,
    void (*yes)(struct wire_conn *conn))
{
	struct vault_request *request;
	struct allowed *allowed;

	if (!has_trail(all)) {
		yes(conn);
		return;
	}
	request = told_request(all, type, caller);
	allowed = malloc(sizeof(*allowed));
	if (!request || !allowed) {
		vault_request_free(request);
		free(allowed);
		untold(all, conn, type, caller, "out of memory");
		return;
	}
	*allowed = (struct allowed){ sessions_ref(all), conn, type, *caller, yes };
	wire_conn_on_gone(conn, on_allowed_gone, allowed);
	vault_send(all->options.vault, request, on_allowed_told, allowed);
}
