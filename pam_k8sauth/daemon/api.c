/* SPDX-License-Identifier: Apache-2.0 */
/* The Vault HTTP API; see api.h. A request from outside becomes a vault_request, its response a reply. */
#include "daemon/api.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "daemon/http_json.h"
#include "daemon/http_target.h"

/* A request on its way through the backend. */
struct api_call {
	struct http_exchange *exchange;
	struct vault_peer peer;
	char ref[REF_SIZE];
	char *headers; /* of the reply: the echoed namespace; NULL */
	char *what;    /* "POST auth/kubernetes/login" */
};

/* Where a request goes wrong before it reaches the backend: the status and Vault's text for it. */
struct api_error {
	int status;
	char text[HTTP_JSON_ERROR_SIZE];
};

static int refuse(struct api_error *error, int status, const char *text)
{
	error->status = status;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return -EBADMSG;
}

static void api_call_free(struct api_call *call)
{
	free(call->headers);
	free(call->what);
	free(call);
}

/* A refused login is news for the administrator, whoever asked (decision 24). */
static void log_response(const struct api_call *call, const struct vault_response *response)
{
	static struct log_limit strangers;
	bool root = call->peer.kind == VAULT_PEER_UNIX && call->peer.uid == 0;
	/* A status page of its own (sys/health) is no failure, whatever its status says. */
	bool failed = (response->status >= 500 && !response->body) || (response->status >= 400 && response->step);
	char text[HTTP_PEER_TEXT_SIZE];
	const char *peer = http_peer_text(&call->peer, text);

	if (!failed)
		log_line(LOG_DEBUG, call->ref, "%s from %s: %d", call->what, peer, response->status);
	else if (root || log_allowed(&strangers, "refused requests to the API"))
		log_line(response->status >= 500 ? LOG_WARNING : LOG_NOTICE, call->ref,
		    "%s from %s: %d, step %s: %s%s%s", call->what, peer, response->status,
		    response->step ? response->step : "-",
		    response->reason ? response->reason : vault_response_error_text(response),
		    response->remedy ? "; remedy: " : "", response->remedy ? response->remedy : "");
}

static void on_response(void *arg, struct vault_response *response)
{
	struct api_call *call = arg;
	AUTO_BUF struct buf body = { 0 };
	json_t *json = vault_response_body(response);

	log_response(call, response);
	if (json) {
		http_json_encode(json, &body);
		buf_add_char(&body, '\n');
	}
	if (body.failed) {
		http_reply_error(call->exchange, 500, call->headers, "internal error");
	} else {
		http_reply(call->exchange, response->status, call->headers, &body);
	}
	json_decref(json);
	api_call_free(call);
}

/* Go's strconv.ParseBool: 1, 0, or -1. */
static int go_bool(const char *text)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (streq(text, yes[i]))
			return 1;
		if (streq(text, no[i]))
			return 0;
	}
	return -1;
}

/* What the method means (vault-core.md 1.10). -EBADMSG with an empty text for methods that Vault does not know. */
static int operation_of(const char *method, json_t *query, enum vault_op *ret, struct api_error *error)
{
	static const struct {
		const char *method;
		enum vault_op op;
	} methods[] = {
		{ "GET", VAULT_READ },
		{ "LIST", VAULT_LIST },
		{ "POST", VAULT_UPDATE },
		{ "PUT", VAULT_UPDATE },
		{ "PATCH", VAULT_PATCH },
		{ "DELETE", VAULT_DELETE },
		{ "HEAD", VAULT_HEADER },
		{ "HELP", VAULT_HELP },
		{ "OPTIONS", VAULT_OTHER },
	};
	const char *list;
	size_t i = 0;
	int on;

	if (json_object_get(query, "help")) {
		json_object_del(query, "help");
		*ret = VAULT_HELP;
		return 0;
	}
	while (i < ARRAY_SIZE(methods) && !streq(method, methods[i].method))
		i++;
	if (i == ARRAY_SIZE(methods))
		return refuse(error, 405, "");
	*ret = methods[i].op;
	list = json_string_value(json_object_get(query, "list"));
	if (*ret != VAULT_READ || !list || !*list)
		return 0;
	on = go_bool(list);
	if (on < 0)
		return refuse(error, 400, "");
	if (on) {
		json_object_del(query, "list");
		*ret = VAULT_LIST;
	}
	return 0;
}

/* Whether the content type's first part is TYPE. */
static bool is_type(const char *content_type, const char *type)
{
	size_t len = strcspn(content_type, "; \t");

	return len == strlen(type) && strncasecmp(content_type, type, len) == 0;
}

static int check_patch_type(const struct http_request *request, struct api_error *error)
{
	const char *type = http_request_field(request, "Content-Type");

	if (!type || !*type)
		return refuse(error, 400, "mime: no media type");
	if (is_type(type, "application/merge-patch+json"))
		return 0;
	error->status = 415;
	snprintf(error->text, sizeof(error->text),
	    "PATCH requires Content-Type of application/merge-patch+json, provided %.*s", (int)strcspn(type, "; \t"),
	    type);
	return -EBADMSG;
}

/* The fields of a request: its body for writes, its query for the others. */
static int fields_of(
    const struct http_request *request, enum vault_op op, json_t *query, json_t **ret, struct api_error *error)
{
	const char *type = http_request_field(request, "Content-Type");
	const struct buf *body = &request->body;
	int status;

	if (op != VAULT_UPDATE && op != VAULT_PATCH) {
		*ret = json_object_size(query) > 0 ? json_incref(query) : NULL;
		return 0;
	}
	if (op == VAULT_PATCH && check_patch_type(request, error) < 0)
		return -EBADMSG;
	if (body->len == 0) {
		*ret = NULL;
		return 0;
	}
	if (type && is_type(type, "application/x-www-form-urlencoded") && !strchr("{[", body->data[0])) {
		if (http_query_parse(body->data, body->len, true, ret) < 0)
			return refuse(error, 400, "error parsing form data");
		return 0;
	}
	status = http_json_decode(body->data, body->len, ret, error->text);
	error->status = status;
	return status ? -EBADMSG : 0;
}

static int token_of(const struct http_request *request, struct secret **ret)
{
	const char *token = http_request_field(request, "X-Vault-Token");
	const char *bearer = http_request_field(request, "Authorization");

	if ((!token || !*token) && bearer && starts_with(bearer, "Bearer "))
		token = bearer + 7 + strspn(bearer + 7, " ");
	*ret = NULL;
	if (!token || !*token)
		return 0;
	*ret = secret_copy(token, strlen(token));
	return *ret ? 0 : -ENOMEM;
}

static int wrap_ttl_of(const struct http_request *request, int64_t *ret, struct api_error *error)
{
	const char *text = http_request_field(request, "X-Vault-Wrap-TTL");
	long long seconds;

	*ret = 0;
	if (!text || !*text)
		return 0;
	if (duration_parse(text, &seconds) < 0) {
		error->status = 400;
		snprintf(error->text, sizeof(error->text),
		    "error parsing X-Vault-Wrap-TTL header: time: invalid duration \"%.100s\"", text);
		return -EBADMSG;
	}
	*ret = seconds;
	return 0;
}

/* Takes DATA over. */
static int send_request(const struct api *api, struct api_call *call, enum vault_op op, const char *path, json_t *data,
    int64_t wrap_ttl, const struct http_request *http)
{
	bool slash = op == VAULT_LIST && !ends_with(path, "/");
	AUTO_BUF struct buf full = { 0 };
	struct vault_request *request;

	buf_add_str(&full, path);
	if (slash)
		buf_add_char(&full, '/');
	request = full.failed ? NULL : vault_request_new(op, full.data);
	if (!request || token_of(http, &request->token) < 0) {
		vault_request_free(request);
		json_decref(data);
		return -ENOMEM;
	}
	request->data = data;
	request->wrap_ttl = wrap_ttl;
	request->peer = call->peer;
	memcpy(request->ref, call->ref, sizeof(request->ref));
	vault_send(api->vault, request, on_response, call);
	return 0;
}

/* The reply's header for a request that names a namespace: Vault echoes it, known or not. */
static char *echo_headers(const struct http_request *request)
{
	const char *namespace_name = http_request_field(request, "X-Vault-Namespace");
	char *headers;

	if (!namespace_name || !*namespace_name || asprintf(&headers, "X-Vault-Namespace: %s\r\n", namespace_name) < 0)
		return NULL;
	return headers;
}

static struct api_call *api_call_new(
    struct http_exchange *exchange, const struct http_request *request, const char *path, const struct vault_peer *peer)
{
	struct api_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->exchange = exchange;
	call->peer = *peer;
	log_new_ref(call->ref);
	call->headers = echo_headers(request);
	if (asprintf(&call->what, "%s %s", request->method, path) < 0) {
		call->what = NULL;
		api_call_free(call);
		return NULL;
	}
	return call;
}

/* PATH is what follows "/v1/". */
static int route(const struct api *api, struct http_exchange *exchange, const struct http_request *request,
    const char *path, json_t *query, const struct vault_peer *peer, struct api_error *error)
{
	const char *forward = http_request_field(request, "X-Vault-Forward");
	struct api_call *call;
	json_t *data = NULL;
	int64_t wrap_ttl;
	enum vault_op op;

	if (operation_of(request->method, query, &op, error) < 0)
		return -EBADMSG;
	if (starts_with(path, "k8sauth/")) {
		own_api(api, exchange, path + strlen("k8sauth/"), op, peer);
		return 0;
	}
	if (forward && *forward)
		return refuse(error, 400, "forwarding via header X-Vault-Forward disabled in configuration");
	if (wrap_ttl_of(request, &wrap_ttl, error) < 0 || fields_of(request, op, query, &data, error) < 0)
		return -EBADMSG;
	call = api_call_new(exchange, request, path, peer);
	if (!call) {
		json_decref(data);
		return refuse(error, 503, "out of memory");
	}
	if (send_request(api, call, op, path, data, wrap_ttl, request) < 0) {
		api_call_free(call);
		return refuse(error, 503, "out of memory");
	}
	return 0;
}

static void redirect(struct http_exchange *exchange, const char *path, const char *query)
{
	AUTO_FREE char *header = NULL;

	if (asprintf(&header, "Location: %s%s%s\r\n", path, *query ? "?" : "", query) < 0) {
		header = NULL;
		http_reply_error(exchange, 503, NULL, "out of memory");
		return;
	}
	http_reply(exchange, 307, header, NULL);
}

void api_handle(
    void *arg, struct http_exchange *exchange, const struct http_request *request, const struct vault_peer *peer)
{
	struct http_target target = { 0 };
	struct api_error error = { 0 };
	json_t *query = NULL;
	const char *why = "";

	if (http_target_parse(request->target, &target, &why) < 0) {
		http_reply_error(exchange, 400, NULL, why);
		return;
	}
	if (target.redirect || streq(target.path, "/v1")) {
		redirect(exchange, target.redirect ? target.redirect : "/v1/", target.query);
	} else if (!starts_with(target.path, "/v1/")) {
		http_reply(exchange, 404, NULL, NULL);
	} else if (http_query_parse(target.query, strlen(target.query), false, &query) < 0) {
		http_reply_error(exchange, 400, NULL, "malformed query");
	} else if (route(arg, exchange, request, target.path + strlen("/v1/"), query, peer, &error) < 0) {
		AUTO_FREE char *headers = echo_headers(request);

		http_reply_error(exchange, error.status, headers, *error.text ? error.text : NULL);
	}
	json_decref(query);
	http_target_free(&target);
}
