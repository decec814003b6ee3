/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside kube: one HTTP exchange with an API server. A curl multi handle per kube_server (so that a new configuration
 * never meets a connection of the old one), driven by the loop's sockets and timers.
 */
#pragma once

#include <sys/queue.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <curl/curl.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "kube/kube.h"

#define KUBE_TOTAL_MS	10000 /* waiting for a turn included */
#define KUBE_TURN_MS	200   /* with less left a call gets no turn: it could only burden the server */
#define KUBE_CONNECT_MS 3000  /* resolving and TLS included */
#define KUBE_DEAD_MS	4000  /* unacknowledged bytes on a connection: leaves time for another one */
#define KUBE_IN_FLIGHT	64
#define KUBE_WAITING	1024
#define KUBE_ANSWER_MAX (1024 * 1024)

struct exchange;
TAILQ_HEAD(exchange_list, exchange);
struct learner;

struct kube {
	struct event_base *base;
	struct kube_server *servers; /* also those that only finish their last calls */
	bool stopping;
};

struct kube_server {
	struct kube *kube;
	struct kube_server *next;
	unsigned references; /* the owner's, and one per exchange */
	char *host;	     /* without the trailing '/' */
	char *ca_pem;
	struct secret *reviewer;
	struct curl_slist *headers; /* with the reviewer's bearer */
	const char *fault;	    /* why no call can succeed: static text */
	CURLM *multi;
	struct event timer;
	struct exchange_list waiting, running; /* of its own: one API server that hangs does not hold the others up */
	unsigned n_in_flight, n_waiting;
	bool self_review_logged;

	char **api_audiences; /* NULL until learned */
	struct learner *learners;
};

/* How an exchange ended: STATUS with the answer, or 0 with ERROR. Valid during the callback. */
struct exchange_result {
	int status;
	const char *body;
	size_t len;
	const char *error;
};

typedef void exchange_fn(void *arg, const struct exchange_result *result);

/*
 * Asks PATH: POST if BODY is not NULL (its content is taken over), else GET. BEARER: NULL for the reviewer's. DONE is
 * called once, later.
 */
void exchange_start(struct kube_server *server, const char *path, struct buf *body, const struct secret *bearer,
    exchange_fn *done, void *arg);

/* Calls DONE later, with an error: nothing is asked. */
void exchange_later(struct kube_server *server, exchange_fn *done, void *arg);

/* The Authorization line's headers of a bearer: 0, -EINVAL (bytes that no header may hold), -ENOMEM. */
int exchange_headers(const struct secret *bearer, struct curl_slist **ret) NODISCARD;

/* References to a server. The last one closes its connections. */
void kube_server_unref(struct kube_server *server);

/* curl is through with EXCHANGE. */
void exchange_transferred(struct exchange *exchange, CURLcode code);

/* Ends every exchange of KUBE with ERROR. */
void exchange_stop_all(struct kube *kube, const char *error);

/* CURL trusts nobody but SERVER's authorities, and no other name than that of its host (trust.c). */
void kube_set_trust(CURL *curl, const struct kube_server *server);

void kube_add_timer(struct event *timer, long ms);

/* Memory for a call that must answer later: there is no way to say that there is none, so there must be some. */
void *kube_must(void *memory);
