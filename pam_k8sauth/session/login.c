/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login: credential, mount, role, exchange, account, handle. Nothing that an exchange made may be lost: the session's
 * slot is taken before it, its id goes into the token, and a token that nobody can use any more is revoked.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "session/login.h"

void login_free(struct login *login)
{
	if (login->end->over)
		login->end->over(login);
	/* After the owner left, its sessions are gone. */
	if (login->session && !login->all->closing)
		session_drop(login->session);
	if (login->waiter)
		login->end->refuse(login->all, TAKE_PTR(login->waiter), WIRE_STATUS_UNAVAILABLE, &login->caller,
		    login->step, NULL, NULL);
	event_free(login->deadline);
	secret_free(login->credential);
	secret_free(login->token);
	json_decref(login->auth);
	roles_free(login->candidates, login->n_candidates);
	roles_free(login->roles, login->n_roles);
	sessions_unref(login->all);
	free(login);
}

void login_refuse(
    struct login *login, enum wire_status status, const char *step, const char *remedy, const char *format, ...)
{
	char reason[768];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	login->end->refuse(login->all, TAKE_PTR(login->waiter), status, &login->caller, step, remedy, reason);
	login_free(login);
}

void login_refuse_response(struct login *login, const struct vault_response *response)
{
	char remedy[REMEDY_SIZE];
	const char *reason = response->reason ? response->reason : vault_response_error_text(response);

	login_cure(login, response, login->caller.role, remedy);
	login_refuse(login, vault_response_is_outage(response) ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_REFUSED,
	    response->step ? response->step : login->step, remedy[0] ? remedy : NULL, "%s (status %d)",
	    reason[0] ? reason : "no reason given", response->status);
}

bool login_goes_on(struct login *login)
{
	if (login->waiter && !login->all->closing)
		return true;
	login_free(login);
	return false;
}

/* Whoever waited gets no answer any more, or got one already; the callback that is still to come frees LOGIN. */
static void on_login_gone(void *arg)
{
	struct login *login = arg;

	login->end->refuse(login->all, TAKE_PTR(login->waiter), WIRE_STATUS_UNAVAILABLE, &login->caller, login->step,
	    NULL, "the client left before the answer");
}

static void on_login_deadline(evutil_socket_t fd, short events, void *arg)
{
	struct login *login = arg;
	char reason[64];

	if (!login->waiter)
		return;
	snprintf(reason, sizeof(reason), "no answer within %d s", LOGIN_TOTAL_MS / 1000);
	login->end->refuse(login->all, TAKE_PTR(login->waiter), WIRE_STATUS_UNAVAILABLE, &login->caller, login->step,
	    "see `k8sauth status`", reason);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* What makes a login through PAM stricter than a plain one (decision 8), and ties the token to the session. */
static struct vault_pam_login *pam_context(const struct login *login)
{
	const struct cluster_config *cluster = login->cluster;
	struct vault_pam_login *pam = calloc(1, sizeof(*pam));

	if (!pam)
		return NULL;
	pam->allow_no_audience = cluster->allow_no_audience;
	pam->allow_api_audience = cluster->allow_api_audience;
	pam->audience = cluster->audience ? strdup(cluster->audience) : NULL;
	pam->api_audiences = cluster->api_audiences ? strings_copy((const char *const *)cluster->api_audiences) : NULL;
	pam->session_id = login->session ? strdup(login->session->record.id) : NULL;
	pam->boot_id = strdup(login->all->boot_id);
	if ((cluster->audience && !pam->audience) || (cluster->api_audiences && !pam->api_audiences) ||
	    (login->session && !pam->session_id) || !pam->boot_id) {
		vault_pam_login_free(pam);
		return NULL;
	}
	return pam;
}

/* A role with bound CIDRs fails closed without an address. */
void login_peer(struct vault_peer *peer, const char *rhost)
{
	unsigned char address[sizeof(struct in6_addr)];

	peer->kind = VAULT_PEER_INTERNAL;
	if (inet_pton(AF_INET, rhost, address) == 1 || inet_pton(AF_INET6, rhost, address) == 1)
		snprintf(peer->address, sizeof(peer->address), "%s", rhost);
}

struct vault_request *login_request_at(const struct login *login, enum vault_op op, const char *path)
{
	struct vault_request *request = vault_request_new(op, path);

	if (!request)
		return NULL;
	memcpy(request->ref, login->caller.ref, sizeof(request->ref));
	login_peer(&request->peer, login->caller.rhost);
	if (trail_caller(request, &login->caller))
		return request;
	vault_request_free(request);
	return NULL;
}

struct vault_request *login_request_new(const struct login *login, enum vault_op op, const char *tail, const char *role)
{
	char *path AUTO_FREE = NULL;
	struct vault_request *request;

	if (asprintf(&path, "auth/%s/%s", login->cluster->mount, tail) < 0)
		return NULL;
	request = login_request_at(login, op, path);
	if (!request || !role)
		return request;
	request->data = json_pack(
	    "{s:s, s:s%}", "role", role, "jwt", secret_reveal(login->credential), secret_len(login->credential));
	request->pam = pam_context(login);
	if (!request->data || !request->pam) {
		vault_request_free(request);
		return NULL;
	}
	return request;
}

/* --- the answer ------------------------------------------------------------------------------ */

/* This role does not fit: the next one of the list, or the end of it. */
static void login_other_role(struct login *login, const struct vault_response *response)
{
	char remedy[REMEDY_SIZE];

	roles_note(login->refusals, sizeof(login->refusals), login->caller.role,
	    response->reason ? response->reason : vault_response_error_text(response));
	if (login->next < login->n_candidates) {
		login_try(login);
		return;
	}
	login_cure(login, response, login->caller.role, remedy);
	login->caller.role[0] = '\0';
	login_refuse(login, WIRE_STATUS_REFUSED, response->step ? response->step : "role", remedy,
	    "no role of service \"%s\" fits: %s", login->caller.service, login->refusals);
}

static void on_login_answered(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const char *token = json_string_value(json_object_get(response->auth, "client_token"));

	if (response->status == 200 && token && token[0] && !login->all->closing) {
		login_made(login, response->auth, token);
		return;
	}
	if (!login_goes_on(login))
		return;
	if (login->end->proved && response->status == 200) {
		login->end->proved(
		    login, response->auth, json_integer_value(json_object_get(response->data, "expires")));
		return;
	}
	if (response->status < 400) {
		login_refuse(login, WIRE_STATUS_REFUSED, "exchange", NULL,
		    "the login was answered without a token (status %d)", response->status);
		return;
	}
	login->caller.told = true;
	if (response->failure == VAULT_FAILED_OTHER_ROLE && login->n_roles == 1)
		roles_only_refused(login, response);
	else if (response->failure == VAULT_FAILED_OTHER_ROLE && login->n_candidates > 1)
		login_other_role(login, response);
	else
		login_refuse_response(login, response);
}

void login_try(struct login *login)
{
	struct vault_request *request;

	snprintf(login->caller.role, sizeof(login->caller.role), "%s", login->candidates[login->next++]);
	request = login_request_new(
	    login, login->end->proved ? VAULT_VERIFY : VAULT_UPDATE, "login", login->caller.role);
	/* The audit trail has what is only verified by the service that asks: it gives no token. */
	if (request && login->end->proved && !trail_verify(request, &login->caller)) {
		vault_request_free(request);
		request = NULL;
	}
	if (!request) {
		login_refuse(login, WIRE_STATUS_INTERNAL, "exchange", NULL, "out of memory");
		return;
	}
	login->step = "exchange";
	login->caller.told = false;
	vault_send(login->all->options.vault, request, on_login_answered, login);
}

/* --- the request ----------------------------------------------------------------------------- */

/* The PAM line's role, or the service's, if LOGIN has none yet. False: there is none to try, or no memory. */
static bool choose_roles(struct login *login)
{
	const struct service_config *service = sessions_service(login->all, login->caller.service);
	char *only[] = { login->caller.role, NULL };
	char *const *roles = login->role_named ? only : service ? service->roles : NULL;

	return login->n_candidates > 0 || login->end->proved || !roles ||
	       (roles_set(login, roles) && login->n_candidates > 0);
}

static void exchange_start(struct login *login)
{
	if (!choose_roles(login))
		login_refuse(login, WIRE_STATUS_INTERNAL, "role", NULL, "no role to try, or out of memory");
	else if (is_service_token(secret_reveal(login->credential), secret_len(login->credential)))
		ticket_open(login);
	else if (login->n_candidates > 0)
		login_try(login);
	else
		roles_find(login);
}

struct login *login_new(struct sessions *all, const struct caller *caller, const struct cluster_config *cluster,
    const struct login_end *end, void *waiter)
{
	static const struct timeval limit = { .tv_sec = LOGIN_TOTAL_MS / 1000,
		.tv_usec = LOGIN_TOTAL_MS % 1000 * 1000 };
	struct login *login = calloc(1, sizeof(*login));

	if (!login)
		return NULL;
	login->deadline = evtimer_new(all->options.base, on_login_deadline, login);
	if (!login->deadline || event_add(login->deadline, &limit) < 0) {
		if (login->deadline)
			event_free(login->deadline);
		free(login);
		return NULL;
	}
	login->all = sessions_ref(all);
	login->caller = *caller;
	login->role_named = caller->role[0];
	login->cluster = cluster;
	login->end = end;
	login->waiter = waiter;
	login->step = "request";
	return login;
}

void login_start(struct login *login, struct secret *credential)
{
	struct sessions *all = login->all;
	const char *remedy = NULL;
	char reason[128] = "there is no credential";
	bool placeless;

	login->credential = credential;
	if (!credential || !credential_check(credential, reason, sizeof(reason), &remedy)) {
		login_refuse(login, WIRE_STATUS_REFUSED, "credential", remedy, "%s", reason);
		return;
	}
	/* Where no token is to be made, only the one in a ticket needs a place. */
	placeless = login->end->proved && !is_service_token(secret_reveal(credential), secret_len(credential));
	if (!placeless)
		login->session = session_new(all);
	if (login->session && !login->caller.session[0])
		memcpy(login->caller.session, login->session->record.id, sizeof(login->caller.session));
	if (login->session || placeless)
		exchange_start(login);
	else
		login_refuse(login, WIRE_STATUS_LIMIT, "table",
		    "close sessions, or look for a flood of logins in the journal",
		    "there are %u sessions and logins already, or no memory",
		    TABLE_RECORDS - table_free_slots(all->table));
}

void login_request(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request)
{
	const struct cluster_config *cluster;
	struct login *login;
	struct caller caller;
	const char *why;

	if (!caller_read(request, &caller, &why)) {
		session_refuse(
		    all, conn, request->type, WIRE_STATUS_REFUSED, &caller, "login", "request", NULL, "%s", why);
		return;
	}
	cluster = sessions_login_cluster(all, caller.user);
	if (!cluster) {
		wire_reply_status(conn, request->type, WIRE_STATUS_NOT_OURS, NULL, NULL);
		return;
	}
	login = login_new(all, &caller, cluster, &login_for_handle, conn);
	if (!login) {
		session_refuse(
		    all, conn, request->type, WIRE_STATUS_INTERNAL, &caller, "login", "request", NULL, "out of memory");
		return;
	}
	wire_conn_on_gone(conn, on_login_gone, login);
	login_start(login, wire_get_secret(request, WIRE_CREDENTIAL));
}
