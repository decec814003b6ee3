/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API server that only does what a measurement needs: answers every POST with one TokenReview status after a fixed
 * think time, on kept-alive TLS connections, one loop. upstream PORT CERT KEY THINK_US BODY_FILE
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/macros.h"

struct upstream {
	struct event_base *base;
	SSL_CTX *tls;
	long think_us;
	char answer[16384];
	size_t answer_len;
};

struct client {
	struct upstream *upstream;
	struct bufferevent *bev;
	struct event *think;
};

static void client_free(struct client *client)
{
	event_free(client->think);
	bufferevent_free(client->bev);
	free(client);
}

static void answer(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	bufferevent_write(client->bev, client->upstream->answer, client->upstream->answer_len);
}

/* A request has come when its head and Content-Length bytes are there. */
static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
	struct timeval think = { 0, client->upstream->think_us };
	char head[8192];
	const char *length;
	size_t total;

	if (end.pos < 0 || (size_t)end.pos >= sizeof(head))
		return;
	evbuffer_copyout(input, head, (size_t)end.pos);
	head[end.pos] = '\0';
	length = strcasestr(head, "content-length:");
	total = (size_t)end.pos + 4 + (length ? strtoul(length + 15, NULL, 10) : 0);
	if (evbuffer_get_length(input) < total)
		return;
	evbuffer_drain(input, total);
	if (client->upstream->think_us)
		event_add(client->think, &think);
	else
		answer(-1, 0, client);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		client_free(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len, void *arg)
{
	struct upstream *upstream = arg;
	struct client *client = calloc(1, sizeof(*client));

	(void)listener;
	(void)address;
	(void)len;
	if (!client)
		abort();
	client->upstream = upstream;
	client->bev = bufferevent_openssl_socket_new(
	    upstream->base, fd, SSL_new(upstream->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	client->think = evtimer_new(upstream->base, answer, client);
	bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

static int load_answer(struct upstream *upstream, const char *path)
{
	char body[8192];
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return -1;
	len = fread(body, 1, sizeof(body), file);
	fclose(file);
	upstream->answer_len = (size_t)snprintf(upstream->answer, sizeof(upstream->answer),
	    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s", len, (int)len,
	    body);
	return 0;
}

int main(int argc, char **argv)
{
	struct upstream upstream = { 0 };
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct event_config *config;

	if (argc != 6 || load_answer(&upstream, argv[5]) < 0) {
		fprintf(stderr, "usage: upstream PORT CERT KEY THINK_US BODY_FILE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/* epoll alone would round the think time up by a millisecond. */
	config = event_config_new();
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	upstream.base = event_base_new_with_config(config);
	upstream.think_us = atol(argv[4]);
	upstream.tls = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(upstream.tls, argv[2]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(upstream.tls, argv[3], SSL_FILETYPE_PEM) != 1)
		return 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	if (!evconnlistener_new_bind(upstream.base, on_accept, &upstream,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 1024, (struct sockaddr *)&address,
		sizeof(address)))
		return 1;
	return event_base_dispatch(upstream.base) < 0;
}
