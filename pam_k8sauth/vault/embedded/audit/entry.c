/* SPDX-License-Identifier: Apache-2.0 */
/* Entries in Vault's format: one JSON object per line, its members by name (vault-core.md 6.1, vault-1.21.4.md). */
#include <errno.h>
#include <stdio.h>

#include "base/json_go.h"
#include "vault/embedded/audit/audit_internal.h"
#include "vault/embedded/audit/entry.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/sys/sys.h"
#include "vault/embedded/token.h"

#define HIDDEN_KEYS_OF_REQUESTS "audit_non_hmac_request_keys"
#define HIDDEN_KEYS_OF_ANSWERS	"audit_non_hmac_response_keys"

/* --- objects */

void entry_open(struct entry *e)
{
	draft_literal(e->draft, "{", 1);
	e->first = true;
}

void entry_close(struct entry *e)
{
	draft_literal(e->draft, "}", 1);
	e->first = false;
}

void entry_key(struct entry *e, const char *name)
{
	draft_key(e->draft, name, e->first);
	e->first = false;
}

void entry_text(struct entry *e, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	entry_key(e, name);
	draft_clear(e->draft, text, strlen(text));
}

void entry_secret(struct entry *e, const char *name, const char *text, size_t len)
{
	entry_key(e, name);
	draft_secret(e->draft, text, len);
}

void entry_accessor(struct entry *e, const char *name, const char *accessor)
{
	if (!accessor || !*accessor)
		return;
	entry_key(e, name);
	draft_accessor(e->draft, accessor);
}

void entry_number(struct entry *e, const char *name, long long number)
{
	char text[24];

	if (!number)
		return;
	snprintf(text, sizeof(text), "%lld", number);
	entry_key(e, name);
	draft_str(e->draft, text);
}

void entry_json(struct entry *e, const char *name, const json_t *value)
{
	if (json_object_size(value) == 0 && json_array_size(value) == 0)
		return;
	entry_key(e, name);
	audit_value(e->draft, value, AUDIT_CLEAR, NULL);
}

/* --- the request */

static const char *operation_name(enum vault_op op)
{
	switch (op) {
	case VAULT_READ:
		return "read";
	case VAULT_LIST:
		return "list";
	case VAULT_UPDATE:
	case VAULT_VERIFY:
	case VAULT_RESOLVE:
	case VAULT_TELL:
		return "update";
	case VAULT_CREATE:
		return "create";
	case VAULT_PATCH:
		return "patch";
	case VAULT_DELETE:
		return "delete";
	case VAULT_HELP:
		return "help";
	case VAULT_HEADER:
		return "header";
	case VAULT_OTHER:
		break;
	}
	return "";
}

static void add_client_id(struct entry *e, const struct token *token)
{
	char *id AUTO_FREE = token_client_id(token);

	if (id)
		entry_text(e, "client_id", id);
	else
		e->draft->buf.failed = true;
}

/* Inside of a signed token is the one that Vault's core works with, and so tells of here. */
static void add_client_token(struct entry *e, const struct secret *presented)
{
	char inner[TOKEN_ID_LEN];

	if (!presented || !secret_len(presented))
		return;
	if (token_inner_id(secret_reveal(presented), secret_len(presented), inner))
		entry_secret(e, "client_token", inner, sizeof(inner));
	else
		entry_secret(e, "client_token", secret_reveal(presented), secret_len(presented));
	wipe(inner, sizeof(inner));
}

/* What a rate limit quota refused was not looked at any closer. */
static bool was_limited(const struct call *call)
{
	return call->private->quota.refused;
}

/* "kv" means the mount "kv/", which Vault's router finds only when it hands the request over. */
static bool is_bare(const struct call *call)
{
	return !call->private->audited.looked && call->mount &&
	       strlen(call->request->path) < strlen(call->mount->path);
}

/* Whether the mount's accessor is known: Vault's router tells it when it hands the request to the engine. */
static bool was_routed(const struct call *call, enum audit_stage stage)
{
	const struct call_audit *audited = &call->private->audited;

	return audited->looked || (stage == AUDIT_RESPONSE && !audited->denied);
}

static void add_mount(struct entry *e, const struct call *call, enum audit_stage stage, const char *version_key)
{
	const struct mount *mount = call->mount;

	if (!mount || was_limited(call) || (stage == AUDIT_REQUEST && is_bare(call)))
		return;
	if (was_routed(call, stage))
		entry_text(e, "mount_accessor", mount->accessor);
	entry_text(e, "mount_class", mount->engine->auth ? "auth" : "secret");
	entry_text(e, "mount_point", mount->path);
	entry_text(e, version_key, SYS_PLUGIN_VERSION);
	entry_text(e, "mount_type", mount->engine->type);
}

static const json_t *clear_keys(const struct call *call, const char *name)
{
	return call->mount ? json_object_get(call->mount->config, name) : NULL;
}

/* HEADERS and where the credential of AUTH is from. NULL without memory. */
static json_t *with_pod(const json_t *headers, const struct login_auth *auth)
{
	json_t *more = json_copy((json_t *)(uintptr_t)headers);

	if (auth->pod)
		json_object_set_new(more, VAULT_TOLD_POD, json_pack("[s]", auth->pod));
	if (auth->node)
		json_object_set_new(more, VAULT_TOLD_NODE, json_pack("[s]", auth->node));
	return more;
}

static void add_headers(struct entry *e, const struct call *call)
{
	const json_t *headers = call->request->headers, *wanted = call->core->vault.audited_headers;
	const char **names AUTO_FREE = NULL;
	json_auto_t *more = NULL;
	size_t n;

	if (!json_object_size(headers))
		return;
	if (call->request->pam && call->auth) {
		more = with_pod(headers, call->auth);
		e->draft->buf.failed = e->draft->buf.failed || !more;
		headers = more;
	}
	if (audit_sorted_names(headers, &names, &n) < 0) {
		e->draft->buf.failed = true;
		return;
	}
	entry_key(e, "headers");
	entry_open(e);
	for (size_t i = 0; i < n; i++) {
		bool hashed = json_is_true(json_object_get(json_object_get(wanted, names[i]), "hmac"));

		entry_key(e, names[i]);
		audit_value(e->draft, json_object_get(headers, names[i]), hashed ? AUDIT_HASHED : AUDIT_CLEAR, NULL);
	}
	entry_close(e);
}

/* Up to the mount. */
static void add_request_head(struct entry *e, const struct call *call)
{
	const struct vault_request *request = call->request;
	const struct token *token = entry_caller(call);

	entry_key(e, "request");
	entry_open(e);
	if (token && !call->private->audited.unread && !call->private->audited.hidden)
		add_client_id(e, token);
	if (!was_limited(call))
		add_client_token(e, request->token);
	if (token)
		entry_accessor(e, "client_token_accessor", token->accessor);
	if (json_object_size(request->data) && !request->told_path) {
		entry_key(e, "data");
		entry_sent_data(e, call, clear_keys(call, HIDDEN_KEYS_OF_REQUESTS));
	}
	add_headers(e, call);
	if (request->op != VAULT_HELP)
		entry_text(e, "id", call->private->audited.id);
}

/* From the mount on. */
static void add_request_tail(struct entry *e, const struct call *call, enum audit_stage stage)
{
	const struct vault_request *request = call->request;

	entry_key(e, "namespace");
	draft_str(e->draft, "{\"id\":\"root\"}");
	entry_text(e, "operation", request->told_path ? request->told_capability : operation_name(request->op));
	if (request->told_path)
		entry_text(e, "path", request->told_path);
	else
		entry_text(e, "path", stage == AUDIT_RESPONSE && is_bare(call) ? call->mount->path : request->path);
	entry_text(e, "remote_address", request->peer.address);
	entry_number(e, "remote_port", request->peer.port);
	if (request->op != VAULT_HELP)
		entry_text(e, "request_uri", request->uri);
	if (!was_limited(call))
		entry_number(e, "wrap_ttl", request->wrap_ttl);
	entry_close(e);
}

/* --- the answer */

static void add_wrap_info(struct entry *e, const json_t *info)
{
	const char *token = json_string_value(json_object_get(info, "token"));

	entry_key(e, "wrap_info");
	entry_open(e);
	entry_accessor(e, "accessor", json_string_value(json_object_get(info, "accessor")));
	entry_text(e, "creation_path", json_string_value(json_object_get(info, "creation_path")));
	entry_text(e, "creation_time", json_string_value(json_object_get(info, "creation_time")));
	entry_secret(e, "token", token, strlen(token));
	entry_number(e, "ttl", json_integer_value(json_object_get(info, "ttl")));
	entry_accessor(e, "wrapped_accessor", json_string_value(json_object_get(info, "wrapped_accessor")));
	entry_close(e);
}

/* An answer with a status of its own is one piece to Vault's core. */
static bool is_raw(const struct vault_response *response)
{
	return !response->body && (response->envelope_404 || response->empty_404 || response->status == 202);
}

static void add_raw_body(struct entry *e, const struct vault_response *response)
{
	json_auto_t *body = vault_response_body(response);
	AUTO_BUF struct buf text = { 0 };

	entry_key(e, "data");
	entry_open(e);
	entry_secret(e, "http_content_type", "application/json", strlen("application/json"));
	if (body)
		json_go_encode(body, &text);
	if (text.failed)
		e->draft->buf.failed = true;
	else if (body)
		entry_secret(e, "http_raw_body", text.data, text.len);
	entry_number(e, "http_status_code", response->status);
	entry_close(e);
}

static void add_data(struct entry *e, const struct call *call, const json_t *data, const char *error)
{
	const json_t *clear = clear_keys(call, HIDDEN_KEYS_OF_ANSWERS);
	json_auto_t *refusal = error ? json_pack("{s:s}", "error", error) : NULL;

	if (is_raw(call->response)) {
		add_raw_body(e, call->response);
		return;
	}
	if (refusal)
		data = refusal;
	if (!data)
		return;
	entry_key(e, "data");
	if (call->request->op == VAULT_LIST)
		entry_list_data(e, data, clear);
	else
		entry_answer_data(e, call, data, clear);
}

static void add_secret(struct entry *e, const struct vault_response *response)
{
	bool named = response->lease_id && *response->lease_id;

	if (!named && !response->lease_duration)
		return;
	entry_key(e, "secret");
	entry_open(e);
	entry_text(e, "lease_id", response->lease_id);
	entry_close(e);
}

static void add_response(struct entry *e, const struct call *call, const char *error)
{
	const struct vault_response *response = call->response;
	/* What was wrapped is told of member by member, too; an answer of the server's own form as it is. */
	bool own = call->path && call->path->flags & ENGINE_RAW;
	const json_t *body = own ? NULL : response->body;
	const json_t *data = own ? response->body : body ? json_object_get(body, "data") : response->data;
	const json_t *auth = body ? json_object_get(body, "auth") : response->auth;
	const json_t *info = body ? json_object_get(body, "wrap_info") : response->wrap_info;
	bool raw = is_raw(response);
	/* To Vault's core an empty list is one, which clients see as 404. */
	bool list = call->request->op == VAULT_LIST && response->status == 404 && !json_array_size(response->errors);

	if (!error && !data && !auth && !info && !json_array_size(response->warnings) && !raw && !list)
		return;
	entry_key(e, "response");
	entry_open(e);
	if (json_is_object(auth))
		entry_auth_answered(e, call, auth);
	add_data(e, call, json_is_object(data) ? data : NULL, error);
	add_mount(e, call, AUDIT_RESPONSE, "mount_running_plugin_version");
	add_secret(e, response);
	if (!raw)
		entry_json(e, "warnings", response->warnings);
	if (json_is_object(info))
		add_wrap_info(e, info);
	entry_close(e);
}

/* --- all of it */

static void add_end(struct entry *e, const char *type)
{
	char time[NANOTIME_SIZE];

	nanotime_format(nanotime_now(), time);
	entry_text(e, "time", time);
	entry_text(e, "type", type);
	entry_close(e);
	draft_literal(e->draft, "\n", 1);
	draft_end(e->draft);
}

/* Where in the draft the pieces stand that both entries of a request have; all of them begin behind another member or
 * none. */
struct common {
	bool repeat;
	size_t auth, auth_end, head, head_end, tail, tail_end;
};

static void add_auth(struct entry *e, const struct call *call, enum audit_stage stage, struct common *common)
{
	if (common->repeat) {
		draft_repeat(e->draft, common->auth, common->auth_end);
		e->first = common->auth == common->auth_end;
		return;
	}
	common->auth = draft_mark(e->draft);
	entry_auth(e, call, stage);
	common->auth_end = draft_mark(e->draft);
}

static void add_request(struct entry *e, const struct call *call, enum audit_stage stage, struct common *common)
{
	if (common->repeat) {
		draft_repeat(e->draft, common->head, common->head_end);
		e->first = false;
	} else {
		common->head = draft_mark(e->draft);
		add_request_head(e, call);
		common->head_end = draft_mark(e->draft);
	}
	if (!call->request->told_path)
		add_mount(e, call, stage, "mount_running_version");
	if (common->repeat) {
		draft_repeat(e->draft, common->tail, common->tail_end);
		return;
	}
	common->tail = draft_mark(e->draft);
	add_request_tail(e, call, stage);
	common->tail_end = draft_mark(e->draft);
}

static void add_entry(
    struct audit_draft *draft, const struct call *call, enum audit_stage stage, struct common *common)
{
	struct entry e = { .draft = draft };
	struct buf own AUTO_BUF = { 0 };
	const char *answer = NULL, *error = NULL;

	entry_open(&e);
	add_auth(&e, call, stage, common);
	if (stage == AUDIT_RESPONSE)
		error = entry_answer_error(call, &own, &answer);
	else
		error = entry_request_error(call);
	entry_text(&e, "error", error);
	add_request(&e, call, stage, common);
	if (stage == AUDIT_RESPONSE && !call->request->told_path)
		add_response(&e, call, answer);
	add_end(&e, stage == AUDIT_REQUEST ? "request" : "response");
}

void audit_entry(struct audit_draft *draft, const struct call *call, enum audit_stage stage)
{
	struct common common = { 0 };

	add_entry(draft, call, stage, &common);
}

void audit_entries(struct audit_draft *draft, const struct call *call)
{
	struct common common = { 0 };

	add_entry(draft, call, AUDIT_REQUEST, &common);
	/* What is the same need not be written anew, where a token asked, and no login was made of it. */
	common.repeat = !draft->buf.failed && entry_caller(call) && !call->auth && !call->private->audited.unread &&
			!call->private->audited.hidden && !is_bare(call) && call->request->op != VAULT_HELP;
	add_entry(draft, call, AUDIT_RESPONSE, &common);
}

void audit_test_entry(struct audit_draft *draft)
{
	struct entry e = { .draft = draft };
	char id[UUID_SIZE];

	random_uuid(id);
	entry_open(&e);
	entry_key(&e, "request");
	entry_open(&e);
	entry_text(&e, "id", id);
	entry_key(&e, "namespace");
	draft_str(draft, "{\"id\":\"root\"}");
	entry_text(&e, "operation", "update");
	entry_text(&e, "path", "sys/audit/test");
	entry_close(&e);
	add_end(&e, "request");
}
