/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to API servers: TokenReview, namespaces and service accounts over libcurl's multi interface on the loop
 * (decision 8, kubernetes-auth.md 3.5, 3.6, 6). HTTP/1.1, kept-alive connections, TLS 1.2 or newer, verified, no
 * redirects, no proxy and no .netrc of the environment, TCP_USER_TIMEOUT, one retry on a fresh connection, bounded
 * answers and times.
 */
#pragma once

#include <stdbool.h>
#include <event2/event.h>
#include <jansson.h>

#include "base/secret.h"

struct kube;	    /* one per daemon: multi handle, connections */
struct kube_server; /* one API server as configured: host, CA, reviewer */

struct kube *kube_new(struct event_base *base) NODISCARD;
/* After kube_server_free of all its servers. Calls still in progress end as KUBE_UNAVAILABLE from inside. */
void kube_free(struct kube *kube);

/*
 * A server's configuration. HOST: URL with https:// (or, as Vault allows, http://); another one makes every call fail.
 * CA_PEM: bundle (an intermediate may be an anchor), read as pem.h says; NULL: the system's. REVIEWER: bearer,
 * NULL: the token under review reviews itself (logged once). A changed configuration is a new kube_server; freeing the
 * old one drops its kept-alive connections when its last call ends. NULL without memory.
 */
struct kube_server *kube_server_new(
    struct kube *kube, const char *host, const char *ca_pem, const struct secret *reviewer) NODISCARD;
void kube_server_free(struct kube_server *server);

enum kube_verdict {
	KUBE_OK,
	KUBE_REFUSED,	  /* the API server said no, or said something that is not this account */
	KUBE_UNAVAILABLE, /* no usable answer: down, time-out, TLS, 5xx, 429, garbage */
};

/* An answered review. Strings are valid during the callback. */
struct kube_review {
	enum kube_verdict verdict;
	char reason[512]; /* debug text of 3.6, or curl's; never a token, never a body */
	const char *username, *uid;
	const char *namespace_name, *service_account; /* from username, checked to be valid Kubernetes names */
	const char *const *audiences;		      /* NULL-terminated */
	const char *pod_name, *pod_uid, *node_name, *credential_id; /* from extra; NULL if absent */
};

typedef void kube_reviewed_fn(void *arg, const struct kube_review *review);

/*
 * Reviews TOKEN (copied) for AUDIENCES (NULL-terminated; NULL or empty: omitted, the server's own). Checks 3.6 items 1
 * to 9; where audiences were asked for, one must come back. DONE is called once, never from inside, within 10 s. At
 * most 64 per server are in flight, more wait their turn within that time.
 */
void kube_review_token(struct kube_server *server, const struct secret *token, const char *const *audiences,
    kube_reviewed_fn *done, void *arg);

/*
 * The API audiences (decision 8): what a review of the reviewer's own token without audiences answers. Asked once per
 * kube_server, then kept. AUDIENCES NULL with REASON where they cannot be learned (no reviewer, refused, down).
 */
typedef void kube_api_audiences_fn(
    void *arg, const char *const *audiences, const char *reason, enum kube_verdict verdict);
void kube_learn_api_audiences(struct kube_server *server, kube_api_audiences_fn *done, void *arg);

/* What an API object says of itself. MEMBER: an object of strings; NULL with the error text of 3.2 step 11 or 3.8. */
typedef void kube_member_fn(void *arg, const json_t *member, const char *error, enum kube_verdict verdict);
/* Labels of a namespace (3.2 step 11), by the reviewer only. */
void kube_namespace_labels(struct kube_server *server, const char *namespace_name, kube_member_fn *done, void *arg);
/*
 * Whether a service account is there, asked by the reviewer: KUBE_OK with its UID; KUBE_REFUSED where the API server
 * says for certain that there is none; else KUBE_UNAVAILABLE with ERROR.
 */
typedef void kube_uid_fn(void *arg, const char *uid, const char *error, enum kube_verdict verdict);
void kube_service_account_uid(
    struct kube_server *server, const char *namespace_name, const char *name, kube_uid_fn *done, void *arg);
/* Annotations of a service account (3.8), by the reviewer, or, without one, by its own TOKEN (copied). */
void kube_service_account_annotations(struct kube_server *server, const char *namespace_name, const char *name,
    const struct secret *token, kube_member_fn *done, void *arg);
