/* SPDX-License-Identifier: Apache-2.0 */
/* One POST of JSON to another Vault, on the loop, for kinds of seal that are somewhere else. */
#pragma once

#include <event2/event.h>

#include "base/buf.h"
#include "base/secret.h"

#define HTTPS_CALL_MS	      10000 /* the whole of it */
#define HTTPS_CALL_CONNECT_MS 5000
#define HTTPS_ANSWER_MAX      (64 * 1024)

struct https_call;

struct https_request {
	const char *url;
	const char *ca_file;	     /* NULL: the system's authorities */
	const char *namespace_name;  /* X-Vault-Namespace; NULL: none */
	const struct secret *token;  /* X-Vault-Token */
	struct buf *body;	     /* its content is taken over */
};

/* STATUS is 0 where there was no answer: ERROR says why. Called once, from the loop, never from https_call_new. */
typedef void https_done_fn(void *arg, int status, const char *answer, size_t len, const char *error);

/* Starts it. NULL without memory, or where the token has bytes that no header may hold. */
struct https_call *https_call_new(
    struct event_base *base, const struct https_request *request, https_done_fn *done, void *arg) NODISCARD;
/* Gives it up, or frees one that is done (also from its DONE). NULL is fine. */
void https_call_free(struct https_call *call);
