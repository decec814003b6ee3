/* SPDX-License-Identifier: Apache-2.0 */
/* Inside kube: what an API server's answer to a TokenReview means (kubernetes-auth.md 3.6). Pure. */
#pragma once

#include "kube/kube.h"
#include "kube/transport.h"

struct answer {
	struct kube_review review; /* its strings belong to the rest */
	json_t *json;
	char *namespace_name, *service_account;
	const char **audiences;
};

/*
 * Judges RESULT for a review that asked for WANTED audiences (NULL or empty: none). SELF: the token was its own
 * reviewer, so that 401 and 403 speak of it.
 */
void answer_judge(struct answer *answer, const struct exchange_result *result, const char *const *wanted, bool self);
void answer_clear(struct answer *answer);

/* {"metadata":{},"spec":{"token":"...","audiences":["..."]},"status":{"user":{}}} (3.5) */
int review_request(const struct secret *token, const char *const *audiences, struct buf *ret) NODISCARD;
