/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP exchanges over curl's multi interface on libevent; see transport.h. */
#include "kube/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "base/log.h"

struct exchange {
	TAILQ_ENTRY(exchange) link; /* in the server's waiting or running */
	struct kube_server *server;
	char *url;
	struct curl_slist *own_headers; /* NULL: the server's */
	struct buf body, answer;
	bool post, running, retried;
	const char *fault; /* ends it when the timer fires */
	struct deadline deadline;
	struct event timer;
	CURL *curl; /* while it runs */
	char error[CURL_ERROR_SIZE];
	exchange_fn *done;
	void *arg;
};

void *kube_must(void *memory)
{
	if (!memory) {
		log_error("out of memory");
		abort();
	}
	return memory;
}

/* --- curl's handle */

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct exchange *exchange = arg;

	return buf_add(&exchange->answer, data, size * n) < 0 ? 0 : size * n;
}

/* A dead peer behind a kept-alive connection must show within seconds, not after TCP's 15 minutes. */
static int on_socket_made(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	unsigned dead_ms = KUBE_DEAD_MS;

	(void)arg;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
	return CURL_SOCKOPT_OK;
}

/* One for each exchange: curl 8.7 and later keep what was sent, the bearer too, until the handle goes. */
static CURL *handle_new(struct exchange *exchange)
{
	CURL *curl = kube_must(curl_easy_init());

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A resolver that does not answer must not hold the loop when the time is up. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "k8sauth/" K8SAUTH_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)KUBE_CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, 20L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, 5L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	/* What curl frees is wiped: no larger than a review needs. */
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 4096L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, exchange);
	kube_set_trust(curl, exchange->server);
	return curl;
}

/* --- an exchange */

static void start_waiting(struct kube_server *server);

static void exchange_free(struct exchange *exchange)
{
	event_del(&exchange->timer);
	curl_slist_free_all(exchange->own_headers);
	buf_free(&exchange->body);
	buf_free(&exchange->answer);
	free(exchange->url);
	free(exchange);
}

/* Tells the result. The callback may free the server or start other exchanges. */
static void exchange_end(struct exchange *exchange, const struct exchange_result *result)
{
	struct kube_server *server = exchange->server;

	if (exchange->curl) {
		curl_multi_remove_handle(server->multi, exchange->curl);
		curl_easy_cleanup(exchange->curl);
	}
	if (exchange->running) {
		TAILQ_REMOVE(&server->running, exchange, link);
		server->n_in_flight--;
	} else {
		TAILQ_REMOVE(&server->waiting, exchange, link);
		server->n_waiting--;
	}
	exchange->done(exchange->arg, result);
	exchange_free(exchange);
	start_waiting(server);
	kube_server_unref(server);
}

static void exchange_fail(struct exchange *exchange, const char *error)
{
	exchange_end(exchange, &(struct exchange_result){ .error = error });
}

static void on_exchange_timer(evutil_socket_t fd, short what, void *arg)
{
	struct exchange *exchange = arg;

	(void)fd;
	(void)what;
	exchange_fail(
	    exchange, exchange->fault ? exchange->fault : "too many calls to the API server: waited 10 s for a turn");
}

void kube_add_timer(struct event *timer, long ms)
{
	struct timeval in = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	kube_must(event_add(timer, &in) == 0 ? timer : NULL);
}

/* Puts it on the wire; also for the second try. */
static void transfer(struct exchange *exchange)
{
	struct kube_server *server = exchange->server;
	CURL *curl = exchange->curl;
	int running = 0;
	long left = deadline_left_ms(exchange->deadline);

	exchange->error[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->own_headers ? exchange->own_headers : server->headers);
	if (exchange->post) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)exchange->body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, exchange->body.data);
	} else {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left > 0 ? left : 1L);
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, exchange->retried ? 1L : 0L);
	kube_must(curl_multi_add_handle(server->multi, curl) == CURLM_OK ? curl : NULL);
	/* At once, instead of in a turn of its own; what ended already is told in the next one, for DONE is called
	 * later. */
	curl_multi_socket_action(server->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	if ((unsigned)running < server->n_in_flight)
		event_active(&server->timer, EV_TIMEOUT, 0);
}

static void start_waiting(struct kube_server *server)
{
	struct exchange *exchange;

	while (!server->kube->stopping && server->n_in_flight < KUBE_IN_FLIGHT) {
		TAILQ_FOREACH(exchange, &server->waiting, link)
		{
			if (!exchange->fault && deadline_left_ms(exchange->deadline) >= KUBE_TURN_MS)
				break;
		}
		if (!exchange)
			return;
		TAILQ_REMOVE(&server->waiting, exchange, link);
		server->n_waiting--;
		event_del(&exchange->timer);
		exchange->running = true;
		TAILQ_INSERT_TAIL(&server->running, exchange, link);
		server->n_in_flight++;
		exchange->curl = handle_new(exchange);
		transfer(exchange);
	}
}

int exchange_headers(const struct secret *bearer, struct curl_slist **ret)
{
	AUTO_BUF struct buf line = { 0 };
	struct curl_slist *list, *more;
	size_t len = secret_len(bearer);
	const char *text = secret_reveal(bearer);

	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
			return -EINVAL;
	}
	buf_add_str(&line, "Authorization: Bearer ");
	buf_add(&line, text, len);
	if (line.failed)
		return -ENOMEM;
	list = curl_slist_append(NULL, line.data);
	more = list ? curl_slist_append(list, "Content-Type: application/json") : NULL;
	more = more ? curl_slist_append(list, "Accept: application/json") : NULL;
	if (!more) {
		curl_slist_free_all(list);
		return -ENOMEM;
	}
	*ret = list;
	return 0;
}

/* Into the queue, where the timer ends what a turn does not begin in time; at once where FAULT says why. */
static void enqueue(struct exchange *exchange, struct kube_server *server, exchange_fn *done, void *arg)
{
	exchange->server = server;
	exchange->done = done;
	exchange->arg = arg;
	exchange->deadline = deadline_after_ms(KUBE_TOTAL_MS);
	server->references++;
	event_assign(&exchange->timer, server->kube->base, -1, 0, on_exchange_timer, exchange);
	kube_add_timer(&exchange->timer, exchange->fault ? 0 : KUBE_TOTAL_MS);
	TAILQ_INSERT_TAIL(&server->waiting, exchange, link);
	server->n_waiting++;
	start_waiting(server);
}

void exchange_start(struct kube_server *server, const char *path, struct buf *body, const struct secret *bearer,
    exchange_fn *done, void *arg)
{
	struct exchange *exchange = kube_must(calloc(1, sizeof(*exchange)));
	int r = bearer ? exchange_headers(bearer, &exchange->own_headers) : 0;

	kube_must(r == -ENOMEM || asprintf(&exchange->url, "%s%s", server->host, path) < 0 ? NULL : exchange);
	if (body) {
		exchange->post = true;
		exchange->body = *body;
		*body = (struct buf){ 0 };
	}
	exchange->answer.max = KUBE_ANSWER_MAX;
	exchange->fault = server->fault;
	if (r < 0)
		exchange->fault = "the token has bytes that no header may hold";
	if (server->n_waiting >= KUBE_WAITING)
		exchange->fault = "too many calls to the API server are waiting";
	enqueue(exchange, server, done, arg);
}

void exchange_later(struct kube_server *server, exchange_fn *done, void *arg)
{
	struct exchange *exchange = kube_must(calloc(1, sizeof(*exchange)));

	exchange->fault = "nothing was asked";
	enqueue(exchange, server, done, arg);
}

/* --- what curl says */

/*
 * A kept-alive connection that died before the first byte of the answer says nothing about the server: once more, on a
 * connection of its own.
 */
static bool worth_another_try(const struct exchange *exchange, CURLcode code)
{
	CURL *curl = exchange->curl;
	long connects = 0, header_bytes = 0;

	if (exchange->retried || (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING))
		return false;
	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(curl, CURLINFO_HEADER_SIZE, &header_bytes);
	return connects == 0 && header_bytes == 0 && exchange->answer.len == 0;
}

void exchange_transferred(struct exchange *exchange, CURLcode code)
{
	struct exchange_result result = { 0 };
	char error[2 * CURL_ERROR_SIZE];
	long status = 0;

	if (code != CURLE_OK && worth_another_try(exchange, code)) {
		curl_multi_remove_handle(exchange->server->multi, exchange->curl);
		exchange->retried = true;
		transfer(exchange);
		return;
	}
	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	if (exchange->answer.failed) {
		snprintf(error, sizeof(error), "the answer is longer than %d bytes", KUBE_ANSWER_MAX);
		result.error = error;
	} else if (code == CURLE_PEER_FAILED_VERIFICATION) {
		snprintf(error, sizeof(error), "%s (of %s)", exchange->error, exchange->server->host);
		result.error = error;
	} else if (code != CURLE_OK) {
		snprintf(error, sizeof(error), "%s",
		    exchange->error[0] ? exchange->error : curl_easy_strerror(code));
		result.error = error;
	} else {
		result.status = (int)status;
		result.body = exchange->answer.data ? exchange->answer.data : "";
		result.len = exchange->answer.len;
	}
	exchange_end(exchange, &result);
}

static struct exchange *any_exchange(struct kube *kube)
{
	for (struct kube_server *server = kube->servers; server; server = server->next) {
		if (!TAILQ_EMPTY(&server->running))
			return TAILQ_FIRST(&server->running);
		if (!TAILQ_EMPTY(&server->waiting))
			return TAILQ_FIRST(&server->waiting);
	}
	return NULL;
}

void exchange_stop_all(struct kube *kube, const char *error)
{
	struct exchange *exchange;

	kube->stopping = true;
	while ((exchange = any_exchange(kube)))
		exchange_fail(exchange, error);
}
