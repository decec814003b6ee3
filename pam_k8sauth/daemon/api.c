/* SPDX-License-Identifier: Apache-2.0 */
/* The Vault HTTP API; see api.h. A request from outside becomes a vault_request, its response a reply. */
#include "daemon/api.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/json_go.h"
#include "base/secret.h"
#include "base/text.h"
#include "daemon/api_request.h"
#include "daemon/http_target.h"

/* A request on its way through the backend. */
struct api_call {
	struct http_exchange *exchange;
	struct vault_peer peer;
	char ref[REF_SIZE];
	char *headers; /* of the reply: the echoed namespace; NULL */
	char *what;    /* "POST auth/kubernetes/login" */
	bool broken;   /* the request: nothing is wrong here */
};

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
	bool failed = (response->status >= 500 && !response->body && !call->broken) ||
		      (response->status >= 400 && response->step);
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

/* What the client's quota says, behind the other lines. NULL without memory, or where there are none. */
static char *add_quota(char *headers, const struct vault_quota *quota)
{
	struct buf text AUTO_BUF = { 0 };

	if (!quota->shown && !quota->retry_after)
		return headers;
	buf_add_str(&text, headers ? headers : "");
	if (quota->retry_after)
		buf_printf(&text, "Retry-After: %lld\r\n", (long long)quota->retry_after);
	if (quota->shown)
		buf_printf(&text,
		    "X-Ratelimit-Limit: %llu\r\nX-Ratelimit-Remaining: %llu\r\nX-Ratelimit-Reset: %lld\r\n",
		    (unsigned long long)quota->limit, (unsigned long long)quota->remaining, (long long)quota->reset);
	free(headers);
	return buf_take(&text);
}

static void on_response(void *arg, struct vault_response *response)
{
	struct api_call *call = arg;
	AUTO_BUF struct buf body = { 0 };
	unsigned failures = wipe_failures();
	json_t *json = response->text ? NULL : vault_response_body(response);

	log_response(call, response);
	if (response->text)
		buf_add_str(&body, response->text);
	call->headers = add_quota(call->headers, &response->quota);
	if (json) {
		json_go_encode(json, &body);
		if (!response->envelope_404) /* which Vault does not end, and clients print the text of errors */
			buf_add_char(&body, '\n');
	}
	if (body.failed || wipe_failures() != failures) {
		http_reply_error(call->exchange, 500, call->headers, "internal error");
	} else {
		http_reply_typed(call->exchange, response->status,
		    response->text ? response->text_type : "application/json", call->headers, &body);
	}
	json_decref(json);
	api_call_free(call);
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
static int route(const struct api *api, struct http_exchange *exchange, const struct http_request *http,
    const char *path, json_t *query, const struct vault_peer *peer, struct api_error *error)
{
	unsigned failures = wipe_failures();
	struct vault_request *request;
	struct api_call *call = NULL;
	enum vault_op op;

	if (api_operation(http->method, query, &op, error) < 0)
		return -EBADMSG;
	request = api_request_new(http, op, path, query);
	if (request && wipe_failures() == failures && starts_with(request->path, "k8sauth/")) {
		own_api(api, exchange, request, peer);
		vault_request_free(request);
		return 0;
	}
	if (request && api_note_for_audit(request, http, api->vault->audited_headers) == 0 &&
	    wipe_failures() == failures)
		call = api_call_new(exchange, http, path, peer);
	if (!call) {
		vault_request_free(request);
		return api_refuse(error, 503, "out of memory");
	}
	request->peer = *peer;
	call->broken = request->broken;
	memcpy(request->ref, call->ref, sizeof(request->ref));
	vault_send(api->vault, request, on_response, call);
	return 0;
}

/* Go's server sends a page along with a redirect that answers a GET. */
static void add_page(struct buf *page, const char *target)
{
	static const char *const escapes[] = {
		['&'] = "&amp;", ['\''] = "&#39;", ['"'] = "&#34;", ['<'] = "&lt;", ['>'] = "&gt;"
	};

	buf_add_str(page, "<a href=\"");
	for (; *target; target++) {
		unsigned char c = (unsigned char)*target;

		if (c < ARRAY_SIZE(escapes) && escapes[c])
			buf_add_str(page, escapes[c]);
		else
			buf_add_char(page, *target);
	}
	buf_add_str(page, "\">Temporary Redirect</a>.\n\n");
}

/* Without what no URL has in clear: browsers take "/\host" for another host. The query is as it was. */
static char *location(const char *path, const char *query)
{
	AUTO_BUF struct buf text = { 0 };

	for (; *path; path++) {
		if (strchr("\\\"<>^`{|}", *path))
			buf_printf(&text, "%%%02X", (unsigned char)*path);
		else
			buf_add_char(&text, *path);
	}
	if (*query)
		buf_printf(&text, "?%s", query);
	return buf_take(&text);
}

static void redirect(struct http_exchange *exchange, const char *method, const char *path, const char *query)
{
	bool page = streq(method, "GET") || streq(method, "HEAD");
	AUTO_FREE char *target = location(path, query), *header = NULL;
	AUTO_BUF struct buf body = { 0 };

	if (!target || asprintf(&header, "Location: %s\r\n", target) < 0) {
		header = NULL;
		http_reply_error(exchange, 503, NULL, "out of memory");
		return;
	}
	if (page)
		add_page(&body, target);
	http_reply_typed(exchange, 307, page ? "text/html; charset=utf-8" : NULL, header, &body);
}

/* Where Go's server redirects to, NULL for nowhere: to the cleaned path, and to folders unless their help is wanted. */
static const char *redirection(const struct http_target *target, bool help)
{
	const char *path = target->redirect ? target->redirect : target->path;

	if (!help && (streq(path, "/v1") || streq(path, "/v1/sys")))
		return streq(path, "/v1") ? "/v1/" : "/v1/sys/";
	return target->redirect;
}

void api_handle(
    void *arg, struct http_exchange *exchange, const struct http_request *request, const struct vault_peer *peer)
{
	struct http_target target = { 0 };
	struct api_error error = { 0 };
	json_t *query = NULL;
	const char *why = "", *elsewhere;
	unsigned failures = wipe_failures();
	bool readable;

	if (http_target_parse(request->target, &target, &why) < 0) {
		if (wipe_failures() != failures)
			http_reply_error(exchange, 503, NULL, "out of memory");
		else if (why)
			http_reply_error(exchange, 400, NULL, why);
		else
			http_reply(exchange, 400, NULL, NULL);
		return;
	}
	readable = http_query_parse(target.query, strlen(target.query), false, &query) == 0;
	elsewhere = redirection(&target, api_asks_help(request->method, query));
	if (wipe_failures() != failures) {
		http_reply_error(exchange, 503, NULL, "out of memory");
	} else if (elsewhere) {
		redirect(exchange, request->method, elsewhere, target.query);
	} else if (!starts_with(target.path, "/v1/")) {
		http_reply(exchange, 404, NULL, NULL);
	} else if (!readable) {
		http_reply_error(exchange, 400, NULL, "malformed query");
	} else if (route(arg, exchange, request, target.path + strlen("/v1/"), query, peer, &error) < 0) {
		AUTO_FREE char *headers = echo_headers(request);

		http_reply_error(exchange, error.status, headers, *error.text ? error.text : NULL);
	}
	json_decref(query);
	http_target_free(&target);
}
