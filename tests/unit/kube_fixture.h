/* SPDX-License-Identifier: Apache-2.0 */
/* A kube room that talks to the stand-in: a reviewer, service account ns/sa, pod ns/pod-0 on node-1 and a token of it
 * for "k8sauth". */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <curl/curl.h>

#include <cmocka.h>

#include "kube/kube.h"
#include "standin.h"

#define API "https://kubernetes.default.svc.cluster.local"
#define NO  NULL

extern struct event_base *base;
extern char *pod_token;
extern struct secret *reviewer;
extern char journal[4096]; /* all log lines */

/* cmocka's group setup and teardown. */
int kube_setup(void **state);
int kube_teardown(void **state);

/* --- a server as configured */

struct site {
	struct kube *kube;
	struct kube_server *server;
};

struct site site_with(const char *url, const char *ca_pem, const struct secret *bearer);
void site_end(struct site *site);
#define SITE CLEANUP(site_end) struct site site

/* --- a review, waited for */

struct outcome {
	unsigned done;
	enum kube_verdict verdict;
	char reason[512];
	char text[512]; /* username namespace/name "uid" pod node */
	char audiences[256];
};

/* A kube_reviewed_fn that fills the struct outcome. */
void on_reviewed(void *arg, const struct kube_review *review);
struct outcome review(struct kube_server *server, const char *token, const char *audience, const char *second);
void expect(struct outcome outcome, enum kube_verdict verdict, const char *reason);

void wait_for(const unsigned *done);
void keep_list(char *ret, size_t size, const char *const *list);
struct secret *secret_of(const char *text);
