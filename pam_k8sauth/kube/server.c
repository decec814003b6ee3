/* SPDX-License-Identifier: Apache-2.0 */
/* API servers as configured, and their curl multi handles on the loop; see kube.h and transport.h. */
#include <errno.h>
#include <strings.h>

#include "kube/pem.h"
#include "kube/transport.h"

struct kube *kube_new(struct event_base *base)
{
	struct kube *kube = calloc(1, sizeof(*kube));

	if (!kube)
		return NULL;
	kube->base = base;
	return kube;
}

void kube_free(struct kube *kube)
{
	if (!kube)
		return;
	exchange_stop_all(kube, "k8sauthd is stopping");
	free(kube);
}

/* Must hold a reference: a callback may give up the owner's. */
static void take_messages(struct kube_server *server)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(server->multi, &left))) {
		char *private = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		exchange_transferred((struct exchange *)(void *)private, message->data.result);
	}
}

static void drive(struct kube_server *server, curl_socket_t fd, int what)
{
	int running;

	server->references++;
	curl_multi_socket_action(server->multi, fd, what, &running);
	take_messages(server);
	kube_server_unref(server);
}

static void on_server_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	drive(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

/* curl wants WHAT of FD; KNOWN is the event that it was given for it. */
static int on_curl_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *known)
{
	struct kube_server *server = arg;
	struct event *event = known;
	short flags = EV_PERSIST;

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		if (event) {
			event_del(event);
			free(event);
		}
		return 0;
	}
	flags = (short)(flags | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	if (event)
		event_del(event);
	else
		event = kube_must(calloc(1, sizeof(*event)));
	event_assign(event, server->kube->base, fd, flags, on_ready, server);
	kube_must(event_add(event, NULL) == 0 ? event : NULL);
	curl_multi_assign(server->multi, fd, event);
	return 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct kube_server *server = arg;

	(void)multi;
	if (ms < 0)
		event_del(&server->timer);
	else
		kube_add_timer(&server->timer, ms);
	return 0;
}

static struct kube_server **server_place(struct kube_server *server)
{
	struct kube_server **place = &server->kube->servers;

	while (*place != server)
		place = &(*place)->next;
	return place;
}

void kube_server_unref(struct kube_server *server)
{
	if (--server->references > 0)
		return;
	*server_place(server) = server->next;
	if (server->multi)
		curl_multi_cleanup(server->multi);
	event_del(&server->timer);
	curl_slist_free_all(server->headers);
	secret_free(server->reviewer);
	for (char **audience = server->api_audiences; audience && *audience; audience++)
		free(*audience);
	free(server->api_audiences);
	free(server->host);
	free(server->ca_pem);
	free(server);
}

static int server_fill(struct kube_server *server, const char *host, const char *ca_pem, const struct secret *reviewer)
{
	size_t len = strlen(host);
	int r = 0;

	if (len > 0 && host[len - 1] == '/')
		len--;
	server->host = strndup(host, len);
	if (!server->host || (ca_pem && !(server->ca_pem = pem_certificates(ca_pem))))
		return -ENOMEM;
	if (server->ca_pem && !*server->ca_pem)
		server->fault = "the CA has no certificate that can be read";
	if (strncasecmp(host, "https://", 8) != 0 && strncasecmp(host, "http://", 7) != 0)
		server->fault = "kubernetes_host must be a URL that begins with https://";
	if (reviewer) {
		server->reviewer = secret_copy(secret_reveal(reviewer), secret_len(reviewer));
		r = server->reviewer ? exchange_headers(reviewer, &server->headers) : -ENOMEM;
	}
	if (r == -EINVAL) {
		server->fault = "token_reviewer_jwt has bytes that no header may hold";
		r = 0;
	}
	server->multi = curl_multi_init();
	return server->multi ? r : -ENOMEM;
}

struct kube_server *kube_server_new(
    struct kube *kube, const char *host, const char *ca_pem, const struct secret *reviewer)
{
	struct kube_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->kube = kube;
	server->references = 1;
	server->next = kube->servers;
	kube->servers = server;
	TAILQ_INIT(&server->waiting);
	TAILQ_INIT(&server->running);
	event_assign(&server->timer, kube->base, -1, 0, on_server_timer, server);
	if (server_fill(server, host, ca_pem, reviewer) < 0) {
		kube_server_unref(server);
		return NULL;
	}
	curl_multi_setopt(server->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(server->multi, CURLMOPT_SOCKETDATA, server);
	curl_multi_setopt(server->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(server->multi, CURLMOPT_TIMERDATA, server);
	curl_multi_setopt(server->multi, CURLMOPT_MAXCONNECTS, (long)KUBE_IN_FLIGHT);
	return server;
}

void kube_server_free(struct kube_server *server)
{
	if (server)
		kube_server_unref(server);
}
