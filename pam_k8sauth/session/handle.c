/* SPDX-License-Identifier: Apache-2.0 */
/* What a login's token becomes: a session in the table, an account, and the handle that PAM carries to the session. */
#include <stdio.h>

#include "base/metrics.h"
#include "base/text.h"
#include "session/login.h"

static const char *metadata(const json_t *auth, const char *key)
{
	const char *value = json_string_value(json_object_get(json_object_get(auth, "metadata"), key));

	return value ? value : "";
}

static bool field_set(char *ret, size_t size, const char *value)
{
	if (!value || strlen(value) >= size)
		return false;
	memcpy(ret, value, strlen(value) + 1);
	return true;
}

/* Why the token of AUTH cannot be a session's; NULL: it can. */
static const char *auth_unfit(const json_t *auth)
{
	const char *type = json_string_value(json_object_get(auth, "token_type"));

	if (json_object_get(auth, "mfa_requirement") && !json_is_null(json_object_get(auth, "mfa_requirement")))
		return "the mount demands a second factor, which PAM logins do not have";
	if (type && !streq(type, "service"))
		return "the role makes tokens that cannot be revoked (token_type must be service)";
	if (json_integer_value(json_object_get(auth, "num_uses")) != 0)
		return "the role makes tokens with a use limit (token_num_uses must be 0)";
	if (json_integer_value(json_object_get(auth, "lease_duration")) <= 0)
		return "the token has no TTL";
	if (!metadata(auth, "service_account_name")[0] || !metadata(auth, "service_account_namespace")[0] ||
	    !metadata(auth, "service_account_uid")[0])
		return "the answer names no service account";
	return NULL;
}

/* A token that found no place in the table: nobody else will revoke it. */
static void on_given_back(void *arg, struct vault_response *response)
{
	if (response->status >= 300)
		log_error("session %s: its token is not revoked and lives until it expires: %d %s", (const char *)arg,
		    response->status, vault_response_error_text(response));
	free(arg);
}

void login_give_back(const struct login *login, const char *token)
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "auth/token/revoke-self");
	char *id = strdup(login->session->record.id);

	if (request)
		request->token = secret_copy(token, strlen(token));
	if (request)
		request->internal = true;
	if (!request || !request->token || !id || !trail_session(request, &login->session->record, login->caller.ref)) {
		vault_request_free(request);
		free(id);
		return;
	}
	vault_send(login->all->options.vault, request, on_given_back, id);
}

static bool caller_keep(const struct login *login, struct session_record *record)
{
	record->role_named = login->role_named;
	return field_set(record->user, sizeof(record->user), login->caller.user) &&
	       field_set(record->service, sizeof(record->service), login->caller.service) &&
	       field_set(record->rhost, sizeof(record->rhost), login->caller.rhost) &&
	       field_set(record->mount, sizeof(record->mount), login->cluster->mount);
}

static bool pending_save(struct session *session, const struct session_secrets *secrets)
{
	session->record.state = SESSION_PENDING;
	if (session_save(session, secrets) == 0)
		return true;
	session->record.state = SESSION_LOGIN;
	return false;
}

bool login_keep_token(struct login *login, const char *token)
{
	struct session_record *record = &login->session->record;
	struct session_secrets secrets AUTO_SECRETS = { 0 };

	record->created = time(NULL);
	record->pending_until = record->expires_at = monotonic_ms() + HANDLE_MS;
	return caller_keep(login, record) && field_set(secrets.token, sizeof(secrets.token), token) &&
	       pending_save(login->session, &secrets);
}

/* Puts the token into the table, as a session that has no handle yet. */
static bool session_begin(struct login *login, const json_t *auth, const char *token)
{
	struct session *session = login->session;
	struct session_record *record = &session->record;
	struct session_secrets secrets AUTO_SECRETS = { 0 };
	const char *accessor = json_string_value(json_object_get(auth, "accessor"));

	record->created = time(NULL);
	record->pending_until = monotonic_ms() + HANDLE_MS;
	session_set_lease(session, json_integer_value(json_object_get(auth, "lease_duration")));
	if (!json_is_true(json_object_get(auth, "renewable")))
		record->renew_at = 0;
	if (record->pending_until > record->expires_at)
		record->pending_until = record->expires_at;
	if (!field_set(secrets.token, sizeof(secrets.token), token) || !caller_keep(login, record) ||
	    !field_set(record->role, sizeof(record->role), login->caller.role) ||
	    !field_set(record->accessor, sizeof(record->accessor), accessor ? accessor : "") ||
	    !field_set(
		record->namespace_name, sizeof(record->namespace_name), metadata(auth, "service_account_namespace")) ||
	    !field_set(
		record->service_account, sizeof(record->service_account), metadata(auth, "service_account_name")) ||
	    !field_set(record->service_account_uid, sizeof(record->service_account_uid),
		metadata(auth, "service_account_uid")))
		return false;
	return pending_save(session, &secrets);
}

void login_session_end(struct login *login, const char *why)
{
	session_end(TAKE_PTR(login->session), why);
}

static void reply_handle(struct login *login, const char *handle)
{
	AUTO_BUF struct buf reply = { 0 };

	wire_begin(&reply, WIRE_LOGIN | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_OK);
	wire_add_str(&reply, WIRE_REF, login->caller.ref);
	wire_add_str(&reply, WIRE_HANDLE, handle);
	if (wire_end(&reply) < 0)
		buf_free(&reply); /* an empty reply closes the connection; the session's minute passes */
	wire_conn_on_gone(login->waiter, NULL, NULL);
	wire_reply(TAKE_PTR(login->waiter), &reply);
}

static void login_say(const struct login *login, const struct session_record *record)
{
	const char *rhost = login->caller.rhost;

	metric_count(METRIC_PAM_REQUESTS, METRIC_LABELS("login", "success", ""));
	log_line(LOG_INFO, login->caller.ref,
	    "k8sauth: login of %s for service %s%s%s: %s/%s of %s as role %s, session %s, accessor %s%s", record->user,
	    record->service, rhost[0] ? " from " : "", rhost, record->namespace_name, record->service_account,
	    record->mount, record->role, record->id, record->accessor[0] ? record->accessor : "(none)",
	    login->refusals);
}

static void handle_refuse(struct sessions *all, void *waiter, enum wire_status status, const struct caller *caller,
    const char *step, const char *remedy, const char *reason)
{
	struct wire_conn *conn = waiter;

	if (reason) {
		session_refuse(all, conn, WIRE_LOGIN, status, caller, "login", step, remedy, "%s", reason);
		return;
	}
	wire_conn_on_gone(conn, NULL, NULL);
	wire_reply_status(conn, WIRE_LOGIN, status, NULL, "k8sauth: restarting, try again");
}

static void handle_made(struct login *login, const struct account *account)
{
	char handle[SESSION_ID_LEN + HANDLE_SECRET_LEN + 1];
	struct session_secrets secrets AUTO_SECRETS = { 0 };
	struct session_record record;
	struct session *session = login->session;

	memcpy(handle, session->record.id, SESSION_ID_LEN);
	random_base62(handle + SESSION_ID_LEN, HANDLE_SECRET_LEN);
	session->record.uid = account->uid;
	session->record.gid = account->gid;
	if (table_get(login->all->table, session->slot, &record, &secrets) < 0)
		goto fail;
	memcpy(secrets.handle, handle + SESSION_ID_LEN, HANDLE_SECRET_LEN + 1);
	if (session_save(session, &secrets) < 0)
		goto fail;
	session_arm(session);
	login_say(login, &session->record);
	login->session = NULL;
	reply_handle(login, handle);
	wipe(handle, sizeof(handle));
	login_free(login);
	return;
fail:
	wipe(handle, sizeof(handle));
	login_session_end(login, "its record cannot be written");
	login_refuse(login, WIRE_STATUS_INTERNAL, "table", NULL, "the session table cannot be written");
}

const struct login_end login_for_handle = { .refuse = handle_refuse, .made = handle_made };

static void on_claimed(void *arg, enum account_verdict verdict, const struct account *account, const char *why)
{
	struct login *login = arg;
	bool outage = verdict == ACCOUNT_HELPER_DOWN || verdict == ACCOUNT_INDEX_BROKEN;
	const char *cure = NULL;
	char unreal[256];

	if (login->all->closing) {
		login_free(login);
		return;
	}
	if (!login->waiter) {
		login_session_end(login, "nobody waits for its login any more");
		login_free(login);
		return;
	}
	if (verdict == ACCOUNT_OK && account->uid != 0 && account_exists_here(account, unreal, sizeof(unreal), &cure)) {
		login->end->made(login, account);
		return;
	}
	login_session_end(login, "its login is refused");
	if (verdict == ACCOUNT_OK && account->uid == 0)
		login_refuse(
		    login, WIRE_STATUS_REFUSED, "account", "take root out of accounts.conf", "the account is root");
	else if (verdict == ACCOUNT_OK)
		login_refuse(login, WIRE_STATUS_REFUSED, "account", cure, "%s", unreal);
	else
		login_refuse(login, outage ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_REFUSED, "account",
		    verdict == ACCOUNT_HELPER_DOWN ? "systemctl status k8sauth-helper.socket k8sauth-helper" : NULL,
		    "%s", why ? why : "the account is refused");
}

/* Pod and node of the token, where the backend tells them, behind the journal's line. */
static void note_pod(struct login *login, const json_t *auth)
{
	const char *pod = metadata(auth, "pod_name"), *node = metadata(auth, "node_name");

	snprintf(login->refusals, sizeof(login->refusals), "%s%s%s%s", pod[0] ? ", pod " : "", pod,
	    node[0] ? ", node " : "", node);
}

struct account_identity login_identity(const struct login *login, const json_t *auth)
{
	return (struct account_identity){
		.mount = login->cluster->mount,
		.prefix = login->cluster->unix_prefix,
		.namespace_name = metadata(auth, "service_account_namespace"),
		.service_account = metadata(auth, "service_account_name"),
		.service_account_uid = metadata(auth, "service_account_uid"),
	};
}

void login_made(struct login *login, const json_t *auth, const char *token)
{
	const char *unfit = auth_unfit(auth);
	struct account_identity identity = login_identity(login, auth);

	if (!session_begin(login, auth, token)) {
		login_give_back(login, token);
		login_refuse(login, WIRE_STATUS_INTERNAL, "table", NULL, "the session table cannot hold this login");
		return;
	}
	if (!login->waiter) {
		login_session_end(login, "nobody waits for its login any more");
		login_free(login);
		return;
	}
	if (unfit) {
		login_session_end(login, "its login is refused");
		login_refuse(login, WIRE_STATUS_REFUSED, "exchange", NULL, "%s", unfit);
		return;
	}
	note_pod(login, auth);
	login->step = "account";
	accounts_claim(login->all->options.accounts, login->caller.user, &identity, on_claimed, login);
}
