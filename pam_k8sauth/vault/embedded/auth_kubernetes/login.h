/* SPDX-License-Identifier: Apache-2.0 */
/* A login in progress: what must survive from one run of its handler to the next. */
#pragma once

#include "vault/embedded/auth_kubernetes/kubernetes.h"

enum question {
	NOT_ASKED,
	ASKED,
	ANSWERED,
};

struct kube_login {
	struct call *call;
	struct kube_config *config; /* the one that the login began with */
	struct secret *token;
	struct jwt *jwt; /* NULL until read */

	enum question labels_asked;
	json_t *labels; /* NULL with the error */
	char labels_error[512];
	enum kube_verdict labels_verdict;

	enum question annotations_asked;
	json_t *annotations; /* NULL with the error */
	char annotations_error[512];
	enum kube_verdict annotations_verdict;

	enum question api_asked;
	char **api_audiences; /* NULL with the error */
	char api_error[512];

	enum question review_asked;
	enum kube_verdict verdict;
	char reason[512];
	char *namespace_name, *service_account, *uid; /* of the answer */
	char **audiences;			      /* of the answer */
	char *audience;				      /* of the role, as the review was asked for */
};

/* Each asks once and returns -EAGAIN until the answer is in LOGIN; then 0. -ENOMEM. */
int kube_login_ask_labels(struct kube_login *login, const char *namespace_name) NODISCARD;
int kube_login_ask_annotations(struct kube_login *login) NODISCARD;
int kube_login_ask_api_audiences(struct kube_login *login) NODISCARD;
int kube_login_ask_review(struct kube_login *login, char *const *audiences) NODISCARD;

/* In a rehearsal, instead of asking: the identity that the claims name is the answer. 0 or a negative errno. */
int kube_login_presume(struct kube_login *login) NODISCARD;

/* annotations.c: adds them to METADATA where the mount is so configured. 0, 1 after a refusal, -EAGAIN, -errno. */
int kube_login_annotations(struct kube_login *login, json_t *metadata) NODISCARD;

void kube_login_free(void *login);
