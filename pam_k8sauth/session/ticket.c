/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket as credential (decisions 9 and 15): a response-wrapping token of a Kubernetes login. What its holder says of
 * it counts for nothing. It must come from the login path of the user's mount before it is opened; of what it holds
 * only the token counts; and the token must be one that this login path made, by its own record.
 *
 * The token was made before anybody knew of a session, so its meta does not name one, and tokens_revoke_orphans cannot
 * find it. It is in the session table from the moment that it is out of its ticket: a daemon that dies finds it there
 * and revokes it. With the machine the table goes too; so does it where the daemon stops just then. Then the token,
 * which nobody knows, lives until its TTL ends.
 *
 * Which audiences the pod's JWT had is not seen here. The login compared it with the role's, so the role must have the
 * cluster's; that the API server accepts the JWT too cannot be told (it was not sent to this machine).
 */
#include <stdio.h>

#include "base/text.h"
#include "session/login.h"

#define BATCH_TOKEN   "the token in the ticket is a batch token, which cannot be revoked (token_type must be service)"
#define TICKET_REMEDY "make a new ticket: vault write -wrap-ttl=60s auth/%s/login role=ROLE jwt=..."

/* Refuses at step "ticket"; a token that came out of it is revoked. */
static void ticket_refuse(struct login *login, const char *remedy, const char *reason)
{
	if (login->token)
		login_session_end(login, "its login is refused");
	login_refuse(login, WIRE_STATUS_REFUSED, "ticket", remedy, "%s", reason);
}

static void ticket_refuse_response(struct login *login, const struct vault_response *response)
{
	if (login->token)
		login_session_end(login, "its login is refused");
	login_refuse_response(login, response);
}

/* The ticket is refused for what it is or holds: its maker has to make another. */
static void ticket_unfit(struct login *login, const char *reason)
{
	char remedy[REMEDY_SIZE];

	snprintf(remedy, sizeof(remedy), TICKET_REMEDY, login->cluster->mount);
	ticket_refuse(login, remedy, reason);
}

static void ticket_no_memory(struct login *login)
{
	if (login->token)
		login_session_end(login, "its login is refused");
	login_refuse(login, WIRE_STATUS_INTERNAL, "ticket", NULL, "out of memory");
}

/* Whether the client still waits and the daemon goes on; if not, LOGIN is freed and its token revoked. */
static bool ticket_goes_on(struct login *login)
{
	if (!login->waiter && !login->all->closing) {
		if (login->token)
			login_session_end(login, "nobody waits for its login any more");
		else
			ticket_forget(login->all, login->session->record.id);
	}
	return login_goes_on(login);
}

/* Nobody can tell an old ticket from a stolen one, so whoever watches the journal is told of both. */
static void ticket_alarm(struct login *login)
{
	const struct caller *caller = &login->caller;

	log_line(LOG_WARNING, caller->ref,
	    "k8sauth: ALARM: a ticket of %s%s%s for service %s is not valid any more: it has expired or was opened "
	    "before, "
	    "and somebody else may have opened it",
	    caller->user, caller->rhost[0] ? " from " : "", caller->rhost, caller->service);
	ticket_refuse(login,
	    "if its pod did not use it, somebody has stolen it: look for logins of this account, and revoke its tokens",
	    "the ticket has expired, was opened before, or never was one");
}

/* What the backend did not answer well. */
static void ticket_failed(struct login *login, const struct vault_response *response)
{
	if (vault_response_is_outage(response)) {
		/* It was not opened: the next try is the first one. */
		ticket_forget(login->all, login->session->record.id);
		login_refuse_response(login, response);
	} else if (response->status == 400 || response->status == 403 || response->status == 404) {
		ticket_alarm(login);
	} else {
		login_refuse_response(login, response);
	}
}

static void ticket_send(struct login *login, struct vault_request *request, bool ready, vault_done_fn *done)
{
	if (ready) {
		vault_send(login->all->options.vault, request, done, login);
		return;
	}
	vault_request_free(request);
	ticket_no_memory(login);
}

/* --- the role -------------------------------------------------------------------------------- */

static const char *data_text(const struct vault_response *response, const char *key)
{
	const char *text = json_string_value(json_object_get(response->data, key));

	return text ? text : "";
}

static void on_role_read(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const struct cluster_config *cluster = login->cluster;
	const char *audience = data_text(response, "audience");
	char remedy[REMEDY_SIZE];

	if (!ticket_goes_on(login))
		return;
	if (response->status != 200) {
		ticket_refuse_response(login, response);
		return;
	}
	if ((!*audience && !cluster->allow_no_audience) ||
	    (*audience && cluster->audience && !streq(audience, cluster->audience))) {
		snprintf(remedy, sizeof(remedy), "k8sauth write auth/%s/role/%s audience=%s", cluster->mount,
		    login->caller.role, cluster->audience ? cluster->audience : "...");
		ticket_refuse(login, remedy,
		    *audience ? "the audience of the ticket's role is not the one of the cluster block"
			      : "the ticket's role has no audience, which logins through PAM demand");
		return;
	}
	if (login->end->proved)
		login->end->proved(login, login->auth,
		    time(NULL) + json_integer_value(json_object_get(login->auth, "lease_duration")));
	else
		login_made(login, login->auth, secret_reveal(login->token));
}

/* Whether the PAM line or the service lets ROLE, of the token's record, in. */
static bool role_allowed(const struct login *login, const char *role)
{
	for (size_t i = 0; i < login->n_candidates; i++) {
		if (streq(role, login->candidates[i]))
			return true;
	}
	return login->n_candidates == 0;
}

static void role_check(struct login *login)
{
	const char *role = json_string_value(json_object_get(json_object_get(login->auth, "metadata"), "role"));
	struct vault_request *request;
	char *tail AUTO_FREE = NULL;

	if (!role || !*role || strchr(role, '/') || strlen(role) >= sizeof(login->caller.role)) {
		ticket_unfit(login, "the token in the ticket names no role");
		return;
	}
	if (!role_allowed(login, role)) {
		ticket_unfit(login, "the ticket was made with a role that this service does not let in");
		return;
	}
	snprintf(login->caller.role, sizeof(login->caller.role), "%s", role);
	if (asprintf(&tail, "role/%s", role) < 0)
		tail = NULL;
	request = tail ? login_request_new(login, VAULT_READ, tail, NULL) : NULL;
	if (request)
		request->internal = true;
	login->step = "role";
	ticket_send(login, request, request, on_role_read);
}

/* --- the token ------------------------------------------------------------------------------- */

static bool has_root(const json_t *policies)
{
	const json_t *policy;
	size_t i;

	json_array_foreach(policies, i, policy)
	{
		if (json_is_string(policy) && streq(json_string_value(policy), "root"))
			return true;
	}
	return false;
}

/* Why the token that RESPONSE (auth/token/lookup-self) tells about is no login's of the mount; NULL: it is one. */
static const char *token_unfit(const struct login *login, const struct vault_response *response)
{
	char path[256];

	snprintf(path, sizeof(path), "auth/%s/login", login->cluster->mount);
	if (!streq(data_text(response, "path"), path))
		return "the token in the ticket is not from a login on the user's mount";
	if (has_root(json_object_get(response->data, "policies")))
		return "the token in the ticket is a root token";
	if (streq(data_text(response, "type"), "batch"))
		return BATCH_TOKEN;
	if (!streq(data_text(response, "type"), "service"))
		return "the token in the ticket is no service token";
	if (json_integer_value(json_object_get(response->data, "num_uses")) != 0)
		return "the token in the ticket has a use limit (token_num_uses must be 0)";
	return NULL;
}

static void on_token_known(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const json_t *data = response->data;
	const char *unfit;

	if (!ticket_goes_on(login))
		return;
	if (response->status != 200) {
		ticket_refuse_response(login, response);
		return;
	}
	unfit = token_unfit(login, response);
	if (unfit) {
		ticket_unfit(login, unfit);
		return;
	}
	login->auth = json_pack("{s:s, s:s, s:O?, s:b, s:i, s:O?}", "accessor", data_text(response, "accessor"),
	    "token_type", data_text(response, "type"), "lease_duration", json_object_get(data, "ttl"), "renewable",
	    json_is_true(json_object_get(data, "renewable")), "num_uses", 0, "metadata", json_object_get(data, "meta"));
	if (login->auth)
		role_check(login);
	else
		ticket_no_memory(login);
}

static void token_look_up(struct login *login)
{
	struct vault_request *request = login_request_at(login, VAULT_READ, "auth/token/lookup-self");

	if (request) {
		request->token = secret_copy(secret_reveal(login->token), secret_len(login->token));
		request->internal = true; /* a role may leave out the default policy, which allows it */
	}
	login->step = "ticket";
	ticket_send(login, request, request && request->token, on_token_known);
}

/* --- the ticket ------------------------------------------------------------------------------ */

static void on_unwrapped(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const json_t *auth = response->body ? json_object_get(response->body, "auth") : response->auth;
	const char *token = json_string_value(json_object_get(auth, "client_token"));

	if (login->all->closing || response->status != 200) {
		if (ticket_goes_on(login))
			ticket_failed(login, response);
		return;
	}
	if (!token || !*token) {
		if (ticket_goes_on(login))
			ticket_unfit(login, "what the ticket holds is no login: there is no token in it");
		return;
	}
	/* Too long for the table, and there is nothing to revoke. */
	if (starts_with(token, "hvb.")) {
		if (ticket_goes_on(login))
			ticket_unfit(login, BATCH_TOKEN);
		return;
	}
	login->token = secret_copy(token, strlen(token));
	if (!login->token || !login_keep_token(login, token)) {
		login_give_back(login, token);
		secret_free(TAKE_PTR(login->token));
		if (ticket_goes_on(login))
			login_refuse(
			    login, WIRE_STATUS_INTERNAL, "table", NULL, "the session table cannot hold this login");
		return;
	}
	if (!ticket_goes_on(login))
		return;
	/* The record tells the uses that are left, and this look takes one; the answer tells how many there were. */
	if (json_integer_value(json_object_get(auth, "num_uses")) != 0)
		ticket_unfit(login, "the token in the ticket has a use limit (token_num_uses must be 0)");
	else
		token_look_up(login);
}

static void on_looked_up(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const char *path = data_text(response, "creation_path");
	struct vault_request *request;
	char wanted[256];

	if (!ticket_goes_on(login))
		return;
	if (response->status != 200) {
		ticket_failed(login, response);
		return;
	}
	snprintf(wanted, sizeof(wanted), "auth/%s/login", login->cluster->mount);
	if (!streq(path, wanted)) {
		char reason[384];

		snprintf(reason, sizeof(reason), "the ticket was made by %.128s, not by %s", *path ? path : "(nobody)",
		    wanted);
		ticket_unfit(login, reason);
		return;
	}
	request = login_request_at(login, VAULT_UPDATE, "sys/wrapping/unwrap");
	if (request)
		request->token = secret_copy(secret_reveal(login->credential), secret_len(login->credential));
	ticket_send(login, request, request && request->token, on_unwrapped);
}

void ticket_open(struct login *login)
{
	const char *first = ticket_remember(login->all, login->credential, &login->caller, login->session->record.id);
	struct vault_request *request;
	char reason[128];

	login->step = "ticket";
	if (!first) {
		ticket_no_memory(login);
		return;
	}
	if (*first) {
		snprintf(reason, sizeof(reason),
		    "the same ticket again within a minute, see ref %s: it is not looked at", first);
		ticket_unfit(login, reason);
		return;
	}
	request = login_request_at(login, VAULT_UPDATE, "sys/wrapping/lookup");
	if (request)
		request->data = json_pack(
		    "{s:s%}", "token", secret_reveal(login->credential), secret_len(login->credential));
	ticket_send(login, request, request && request->data, on_looked_up);
}
