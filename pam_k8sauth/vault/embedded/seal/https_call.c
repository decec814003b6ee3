/* SPDX-License-Identifier: Apache-2.0 */
/* curl's multi interface on libevent, for one request; see https_call.h. */
#include "vault/embedded/seal/https_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <curl/curl.h>

struct https_call {
	struct event_base *base;
	CURLM *multi;
	CURL *curl;
	struct curl_slist *headers;
	struct buf body, answer;
	struct event *timer;
	char error[CURL_ERROR_SIZE];
	https_done_fn *done;
	void *arg;
	bool finished;
};

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct https_call *call = arg;

	return buf_add(&call->answer, data, size * n) < 0 ? 0 : size * n;
}

/* Nothing may touch CALL behind it: DONE may free it. */
static void finish(struct https_call *call, CURLcode code)
{
	const char *error = call->error[0] ? call->error : curl_easy_strerror(code);
	long status = 0;

	call->finished = true;
	if (call->answer.failed)
		error = "the answer is too long";
	else if (code == CURLE_OK)
		curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	call->done(call->arg, (int)status, call->answer.data ? call->answer.data : "", call->answer.len, error);
}

static void drive(struct https_call *call, curl_socket_t fd, int what)
{
	int running, left;
	CURLMsg *message;

	if (call->finished)
		return;
	curl_multi_socket_action(call->multi, fd, what, &running);
	while ((message = curl_multi_info_read(call->multi, &left))) {
		if (message->msg == CURLMSG_DONE) {
			finish(call, message->data.result);
			return;
		}
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	drive(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

/* curl wants WHAT of FD; KNOWN is the event that it was given for it. */
static int on_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *known)
{
	struct https_call *call = arg;
	short flags = EV_PERSIST;
	struct event *event;

	(void)curl;
	if (known)
		event_free(known);
	if (what == CURL_POLL_REMOVE)
		return 0;
	curl_multi_assign(call->multi, fd, NULL);
	flags = (short)(flags | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	event = event_new(call->base, fd, flags, on_ready, call);
	if (!event || event_add(event, NULL) < 0) {
		if (event)
			event_free(event);
		return -1; /* curl ends the transfer */
	}
	curl_multi_assign(call->multi, fd, event);
	return 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct https_call *call = arg;
	struct timeval in = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		return event_del(call->timer);
	return event_add(call->timer, &in);
}

/* False without memory. */
static bool add_header(struct https_call *call, const char *name, const char *value, size_t len)
{
	struct buf line AUTO_BUF = { 0 };
	struct curl_slist *more;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] <= ' ' || (unsigned char)value[i] >= 0x7f)
			return false;
	buf_printf(&line, "%s: ", name);
	buf_add(&line, value, len);
	more = line.failed ? NULL : curl_slist_append(call->headers, line.data);
	if (more)
		call->headers = more;
	return more != NULL;
}

static bool set_headers(struct https_call *call, const struct https_request *request)
{
	const char *token = secret_reveal(request->token);
	size_t len = secret_len(request->token);

	while (len > 0 && strchr(" \t\r\n", token[len - 1]))
		len--;
	return add_header(call, "X-Vault-Token", token, len) && add_header(call, "X-Vault-Request", "true", 4) &&
	       add_header(call, "Content-Type", "application/json", strlen("application/json")) &&
	       (!request->namespace_name || add_header(call, "X-Vault-Namespace", request->namespace_name,
						strlen(request->namespace_name)));
}

static void set_options(struct https_call *call, const struct https_request *request)
{
	CURL *curl = call->curl;

	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* no resolver holds the loop when the time is up */
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "k8sauth/" K8SAUTH_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTPS_CALL_CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HTTPS_CALL_MS);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (request->ca_file) { /* it alone */
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->body.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.data);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	curl_multi_setopt(call->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(call->multi, CURLMOPT_SOCKETDATA, call);
	curl_multi_setopt(call->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(call->multi, CURLMOPT_TIMERDATA, call);
}

struct https_call *https_call_new(
    struct event_base *base, const struct https_request *request, https_done_fn *done, void *arg)
{
	struct https_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->base = base;
	call->done = done;
	call->arg = arg;
	call->answer.max = HTTPS_ANSWER_MAX;
	call->body = *request->body;
	*request->body = (struct buf){ 0 };
	call->multi = curl_multi_init();
	call->curl = curl_easy_init();
	call->timer = evtimer_new(base, on_timer, call);
	if (call->multi && call->curl && call->timer && set_headers(call, request)) {
		set_options(call, request);
		/* It begins with curl's timer, in a turn of the loop of its own. */
		if (curl_multi_add_handle(call->multi, call->curl) == CURLM_OK)
			return call;
	}
	https_call_free(call);
	return NULL;
}

void https_call_free(struct https_call *call)
{
	if (!call)
		return;
	call->finished = true;
	if (call->curl && call->multi)
		curl_multi_remove_handle(call->multi, call->curl);
	curl_easy_cleanup(call->curl);
	curl_multi_cleanup(call->multi);
	if (call->timer)
		event_free(call->timer);
	curl_slist_free_all(call->headers);
	buf_free(&call->body);
	buf_free(&call->answer);
	free(call);
}
