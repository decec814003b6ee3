/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own API below /v1/k8sauth/ (design.md 4), on the api socket: sessions, why a login was refused, accounts. Root
 * may ask everything; another uid about its own sessions and refusals.
 */
#include <errno.h>
#include <stdio.h>

#include "daemon/api.h"
#include "base/json_go.h"
#include "base/text.h"

#define ONLY_OWN "permission denied: only root, and the user whom it concerns, may ask that"

/* Who asks for what. */
struct own_call {
	const struct api *api;
	struct http_exchange *exchange;
	uid_t uid;
	const char *name;   /* what follows the entry's path */
	const json_t *data; /* of a write its body, else its query; NULL: none */
};

/* Takes REPLY over; NULL: there was no memory for it. */
static void reply_json(struct http_exchange *exchange, json_t *reply)
{
	AUTO_BUF struct buf body = { 0 };

	if (reply)
		json_go_encode(reply, &body);
	json_decref(reply);
	if (!reply || body.failed)
		http_reply_error(exchange, 500, NULL, "internal error");
	else
		http_reply(exchange, 200, NULL, &body);
}

/* Takes DATA over. */
static void reply_data(struct http_exchange *exchange, json_t *data)
{
	reply_json(exchange, json_pack("{s:o}", "data", data));
}

/* WHY may be NULL: the usual words. */
static void reply_failure(struct http_exchange *exchange, int r, const char *why)
{
	switch (r) {
	case -EACCES:
		http_reply_error(exchange, 403, NULL, ONLY_OWN);
		break;
	case -ENOENT:
		http_reply_error(exchange, 404, NULL, why);
		break;
	case -EINVAL:
		http_reply_error(exchange, 400, NULL, why);
		break;
	case -EBADMSG: /* files that an administrator can mend */
		http_reply_error(exchange, 503, NULL, why);
		break;
	default:
		http_reply_error(exchange, 500, NULL, "internal error");
	}
}

/* DATA where R is 0, else why not. */
static void reply_found(const struct own_call *call, int r, json_t *data, const char *why)
{
	if (r < 0)
		reply_failure(call->exchange, r, why);
	else
		reply_data(call->exchange, data);
}

static void explain(const struct own_call *call)
{
	json_t *data = NULL;
	int r = call->api->ask->explain(call->api->sessions, call->uid, call->name, &data);

	reply_found(call, r, data, NULL);
}

static void session_list(const struct own_call *call)
{
	json_t *data = NULL;
	int r = call->api->ask->list(call->api->sessions, call->uid, &data);

	reply_found(call, r, data, NULL);
}

static void session_show(const struct own_call *call)
{
	json_t *data = NULL;
	int r = call->api->ask->show(call->api->sessions, call->uid, call->name, &data);

	reply_found(call, r, data, NULL);
}

static void on_got(void *arg, int status, json_t *reply, const char *why)
{
	if (status == 200)
		reply_json(arg, reply);
	else
		http_reply_error(arg, status, NULL, why);
}

static void session_get(const struct own_call *call)
{
	const char *session = json_string_value(json_object_get(call->data, "session"));

	call->api->ask->get(call->api->sessions, call->uid, call->name, session ? session : "", on_got, call->exchange);
}

static void on_session_login(void *arg, const struct session_login_result *result)
{
	AUTO_BUF struct buf text = { 0 };

	if (result->status == WIRE_STATUS_OK) {
		reply_data(arg, result->data);
		return;
	}
	buf_printf(&text, "%s, ref %s: %s%s%s", result->status == WIRE_STATUS_REFUSED ? "refused" : "unavailable",
	    result->ref, result->reason, *result->remedy ? "; remedy: " : "", result->remedy);
	http_reply_error(
	    arg, result->status == WIRE_STATUS_REFUSED ? 403 : 503, NULL, text.failed ? "out of memory" : text.data);
}

/* A member of the body as text; NULL where there is none. */
static const char *text_member(const struct own_call *call, const char *name)
{
	return json_string_value(json_object_get(call->data, name));
}

/* The credential in the body; NULL after the answer. */
static struct secret *credential_of(const struct own_call *call)
{
	const json_t *credential = json_object_get(call->data, "credential");
	struct secret *secret = NULL;

	if (!json_is_string(credential)) {
		http_reply_error(call->exchange, 400, NULL, "missing credential: a JWT or a ticket");
		return NULL;
	}
	secret = secret_copy(json_string_value(credential), json_string_length(credential));
	if (!secret)
		reply_failure(call->exchange, -ENOMEM, NULL);
	return secret;
}

static void session_login(const struct own_call *call)
{
	struct secret *secret = credential_of(call);
	char why[256];
	int r = 0;

	if (secret)
		r = call->api->ask->login(
		    call->api->sessions, call->uid, text_member(call, "session"), secret, on_session_login,
		    call->exchange, why, sizeof(why));
	if (r < 0)
		reply_failure(call->exchange, r, why);
}

static void on_explained(void *arg, json_t *data)
{
	reply_data(arg, data);
}

static void explain_login(const struct own_call *call)
{
	const struct session_dry_login what = {
		.user = text_member(call, "user"),
		.service = text_member(call, "service"),
		.rhost = text_member(call, "rhost"),
		.role = text_member(call, "role"),
	};
	struct secret *secret = credential_of(call);
	char why[256];
	int r = 0;

	if (secret)
		r = call->api->ask->explain_login(
		    call->api->sessions, &what, secret, on_explained, call->exchange, why, sizeof(why));
	if (r < 0)
		reply_failure(call->exchange, r, why);
}

static void on_ended(void *arg, const struct sessions_ended *result)
{
	reply_data(arg, json_pack("{s:i,s:i,s:i}", "ended", (int)result->ended, "unfinished", (int)result->unfinished,
			    "under_way", (int)result->under_way));
}

static void session_kill(const struct own_call *call)
{
	int r = call->api->ask->kill(call->api->sessions, call->uid, call->name, on_ended, call->exchange);

	if (r < 0)
		reply_failure(call->exchange, r, NULL);
}

static void session_revoke(const struct own_call *call)
{
	int r = call->api->ask->revoke(call->api->sessions, call->name, on_ended, call->exchange);

	if (r < 0)
		reply_failure(call->exchange, r, "not NAMESPACE/SERVICEACCOUNT, as Kubernetes names them");
}

/* --- accounts -------------------------------------------------------------------------------- */

struct listing {
	json_t *keys, *info;
};

static int see_account(void *arg, const struct index_user *user)
{
	struct listing *listing = arg;
	json_t *info = json_pack("{s:I,s:I,s:s,s:s}", "uid", (json_int_t)user->uid, "gid", (json_int_t)user->gid,
	    "identity", user->identity, "service_account_uid", user->service_account_uid);

	if (json_array_append_new(listing->keys, json_string(user->name)) < 0) {
		json_decref(info);
		return -ENOMEM;
	}
	return json_object_set_new(listing->info, user->name, info) < 0 ? -ENOMEM : 0;
}

static void accounts_list(const struct own_call *call)
{
	struct listing listing = { json_array(), json_object() };
	char why[512] = "out of memory";
	int r = listing.keys && listing.info
		    ? accounts_each(call->api->accounts, see_account, &listing, why, sizeof(why))
		    : -ENOMEM;

	if (r == 0) {
		reply_data(call->exchange, json_pack("{s:o,s:o}", "keys", listing.keys, "key_info", listing.info));
		return;
	}
	json_decref(listing.keys);
	json_decref(listing.info);
	reply_failure(call->exchange, r, why);
}

static void accounts_name_of(const struct own_call *call)
{
	char why[512] = "";
	json_t *data = NULL;
	int r = call->api->ask->name(call->api->sessions, call->name, &data, why, sizeof(why));

	reply_found(call, r, data, why);
}

static void on_rebound(void *arg, enum account_verdict verdict, const struct account *account, const char *why)
{
	struct http_exchange *exchange = arg;
	AUTO_BUF struct buf nothing = { 0 };

	switch (verdict) {
	case ACCOUNT_OK:
		http_reply(exchange, 204, NULL, &nothing);
		break;
	case ACCOUNT_HELPER_DOWN:
		http_reply_error(exchange, 503, NULL, why);
		break;
	default:
		http_reply_error(exchange, 400, NULL, why);
	}
}

static void rebind(const struct own_call *call)
{
	/* What was refused because the account is another's may be right from now on. */
	call->api->ask->forget_verified(call->api->sessions);
	accounts_rebind(call->api->accounts, call->name, on_rebound, call->exchange);
}

/* --- the store ------------------------------------------------------------------------------- */

static void on_copied(void *arg, int r, int fd, uint64_t size, const char *why)
{
	struct http_exchange *exchange = arg;

	if (r == 0) {
		log_notice("made a backup of the store: %llu bytes", (unsigned long long)size);
		http_reply_file(exchange, "application/octet-stream", fd, size);
		return;
	}
	log_error("cannot make a backup of the store: %s", why);
	http_reply_error(exchange, r == -ENOSPC ? 507 : 500, NULL, why);
}

static void store_backup_file(const struct own_call *call)
{
	int r = call->api->backup ? call->api->backup(call->api->core, on_copied, call->exchange) : -EOPNOTSUPP;

	switch (r) {
	case 0:
		break;
	case -EPERM:
		http_reply_error(call->exchange, 503, NULL, "k8sauthd is sealed: unseal it first");
		break;
	case -EBUSY:
		http_reply_error(call->exchange, 503, NULL, "another backup is being made: wait for it");
		break;
	case -EOPNOTSUPP:
		http_reply_error(call->exchange, 404, NULL, "there is no store on a disk here");
		break;
	default:
		reply_failure(call->exchange, r, NULL);
	}
}

/* --- where it goes --------------------------------------------------------------------------- */

static const struct entry {
	const char *path; /* what ends in '/' has a name behind it */
	enum vault_op op;
	bool own; /* others than root may ask: it looks at their uid */
	void (*answer)(const struct own_call *call);
	bool everywhere; /* also where there are no logins */
	bool told;	 /* to the audit trail, before it is done: it ends or changes something, or takes everything along */
} entries[] = {
	{ "explain/", VAULT_READ, true, explain },
	{ "explain/login", VAULT_UPDATE, false, explain_login },
	{ "session", VAULT_LIST, true, session_list },
	{ "session/", VAULT_LIST, true, session_list },
	{ "session/login", VAULT_UPDATE, true, session_login },
	{ "session/", VAULT_READ, true, session_show },
	{ "session/", VAULT_DELETE, true, session_kill, .told = true },
	{ "get/", VAULT_READ, true, session_get },
	{ "revoke/", VAULT_UPDATE, false, session_revoke, .told = true },
	{ "accounts/rebind/", VAULT_UPDATE, false, rebind, .told = true },
	{ "accounts/name/", VAULT_READ, false, accounts_name_of },
	{ "accounts", VAULT_LIST, false, accounts_list },
	{ "accounts/", VAULT_LIST, false, accounts_list },
	{ "store/backup", VAULT_READ, false, store_backup_file, .everywhere = true, .told = true },
};

/* Whether PATH is ENTRY's, and what follows: nothing where it is a list, something otherwise. */
static bool entry_has(const struct entry *entry, const char *path, const char **ret_name)
{
	size_t len = strlen(entry->path);

	if (!ends_with(entry->path, "/") || entry->op == VAULT_LIST)
		return streq(path, entry->path);
	*ret_name = path + len;
	return starts_with(path, entry->path) && path[len];
}

/* --- the audit trail ------------------------------------------------------------------------- */

/* A call that is done when the trail has it. */
struct told_call {
	struct own_call call;
	const struct entry *entry;
	char name[]; /* the call's */
};

static void on_told(void *arg, struct vault_response *response)
{
	struct told_call *told = arg;

	if (response->status < 300)
		told->entry->answer(&told->call);
	else
		http_reply_error(told->call.exchange, 500, NULL, "internal error");
	free(told);
}

/* What the trail gets of REQUEST; NULL without memory. */
static struct vault_request *entry_of(const struct vault_request *request, const struct vault_peer *peer)
{
	struct vault_request *entry = vault_request_new(VAULT_TELL, "k8sauth");
	const char *capability = request->op == VAULT_READ ? "read" : request->op == VAULT_DELETE ? "delete" : "update";
	char uid[16];

	if (!entry)
		return NULL;
	snprintf(uid, sizeof(uid), "%u", peer->uid);
	entry->internal = true;
	entry->peer = *peer;
	entry->told_path = strdup(request->path);
	entry->told_capability = strdup(capability);
	entry->headers = json_pack("{s:[s], s:[s]}", VAULT_TOLD_REF, entry->ref, VAULT_TOLD_UID, uid);
	if (entry->told_path && entry->told_capability && entry->headers)
		return entry;
	vault_request_free(entry);
	return NULL;
}

static void tell_and_answer(const struct entry *entry, const struct own_call *call,
    const struct vault_request *request, const struct vault_peer *peer)
{
	size_t size = strlen(call->name) + 1;
	struct vault_request *telling = entry_of(request, peer);
	struct told_call *told = malloc(sizeof(*told) + size);

	if (!telling || !told) {
		vault_request_free(telling);
		free(told);
		reply_failure(call->exchange, -ENOMEM, NULL);
		return;
	}
	told->call = *call;
	told->entry = entry;
	memcpy(told->name, call->name, size);
	told->call.name = told->name;
	told->call.data = NULL; /* none of these has any */
	vault_send(call->api->vault, telling, on_told, told);
}

void own_api(const struct api *api, struct http_exchange *exchange, const struct vault_request *request,
    const struct vault_peer *peer)
{
	struct own_call call = {
		.api = api, .exchange = exchange, .uid = peer->uid, .name = "", .data = request->data
	};
	const char *path = request->path + strlen("k8sauth/");
	const struct entry *found = NULL;
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(entries) && !found; i++) {
		const char *name = "";

		if (!entry_has(&entries[i], path, &name))
			continue;
		known = true;
		if (entries[i].op != request->op)
			continue;
		found = &entries[i];
		call.name = name;
	}
	if (peer->kind != VAULT_PEER_UNIX)
		http_reply_error(
		    exchange, 403, NULL, "permission denied: ask on the machine itself, at its api socket");
	else if (peer->uid != 0 && !(found && found->own))
		http_reply_error(exchange, 403, NULL, "permission denied: only root may ask that");
	else if (!known)
		http_reply_error(exchange, 404, NULL, "unsupported path");
	else if (!found)
		http_reply_error(exchange, 405, NULL, "unsupported operation");
	else if (request->fault_status)
		http_reply_error(exchange, request->fault_status, NULL, request->fault);
	else if (!api->ask && !found->everywhere)
		http_reply_error(exchange, 404, NULL, "there are no logins here: this k8sauthd has no part in PAM");
	else if (found->told && api->vault->audited_headers)
		tell_and_answer(found, &call, request, peer);
	else
		found->answer(&call);
}
