/* SPDX-License-Identifier: Apache-2.0 */
/* TokenReviews, and the API audiences that the reviewer's own one tells; see kube.h. */
#include "kube/review.h"

#include <errno.h>

#include "base/json_quick.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#define REVIEWS_PATH "/apis/authentication.k8s.io/v1/tokenreviews"

static bool must_escape(char c)
{
	return (unsigned char)c < ' ' || c == '"' || c == '\\';
}

static void add_json_string(struct buf *buf, const char *text, size_t len)
{
	size_t at = 0;

	buf_add_char(buf, '"');
	while (at < len) {
		size_t run = at + json_plain_len(text + at, len - at);

		while (run < len && !must_escape(text[run]))
			run++;
		buf_add(buf, text + at, run - at);
		if (run < len)
			buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)text[run++]);
		at = run;
	}
	buf_add_char(buf, '"');
}

int review_request(const struct secret *token, const char *const *audiences, struct buf *ret)
{
	buf_add_str(ret, "{\"metadata\":{},\"spec\":{\"token\":");
	add_json_string(ret, secret_reveal(token), secret_len(token));
	for (const char *const *audience = audiences; audience && *audience; audience++) {
		buf_add_str(ret, audience == audiences ? ",\"audiences\":[" : ",");
		add_json_string(ret, *audience, strlen(*audience));
	}
	buf_add_str(ret, audiences && *audiences ? "]}" : "}");
	return buf_add_str(ret, ",\"status\":{\"user\":{}}}");
}

/* --- a review */

struct review {
	char **audiences; /* NULL-terminated copy; NULL: none asked for */
	bool self;
	kube_reviewed_fn *done;
	void *arg;
	double began;
};

static void on_answer(void *arg, const struct exchange_result *result)
{
	struct review *review = arg;
	struct answer answer;

	answer_judge(&answer, result, (const char *const *)review->audiences, review->self);
	metric_observe(METRIC_REVIEWS,
	    METRIC_LABELS(answer.review.verdict == KUBE_OK	  ? "authenticated"
			  : answer.review.verdict == KUBE_REFUSED ? "refused"
								  : "failed"),
	    metric_seconds() - review->began);
	review->done(review->arg, &answer.review);
	answer_clear(&answer);
	strings_free(review->audiences);
	free(review);
}

void kube_review_token(struct kube_server *server, const struct secret *token, const char *const *audiences,
    kube_reviewed_fn *done, void *arg)
{
	static const char *const none[] = { NULL };
	struct review *review = kube_must(calloc(1, sizeof(*review)));
	AUTO_BUF struct buf body = { 0 };

	review->audiences = kube_must(strings_copy(audiences ? audiences : none));
	review->self = server->reviewer == NULL;
	review->done = done;
	review->arg = arg;
	review->began = metric_seconds();
	if (review->self && !server->self_review_logged) {
		server->self_review_logged = true;
		log_notice(
		    "%s: no token_reviewer_jwt is configured: each token is sent as its own reviewer, and its service "
		    "account needs system:auth-delegator",
		    server->host);
	}
	kube_must(review_request(token, audiences, &body) < 0 ? NULL : review);
	exchange_start(server, REVIEWS_PATH, &body, review->self ? token : NULL, on_answer, review);
}

/* --- API audiences */

struct learner {
	kube_api_audiences_fn *done;
	void *arg;
	struct learner *next;
};

static void tell_learners(struct kube_server *server, const char *reason, enum kube_verdict verdict)
{
	struct learner *learner = TAKE_PTR(server->learners);

	while (learner) {
		struct learner *next = learner->next;

		learner->done(learner->arg, (const char *const *)server->api_audiences, reason, verdict);
		free(learner);
		learner = next;
	}
}

static void on_own_review(void *arg, const struct kube_review *review)
{
	struct kube_server *server = arg;

	if (review->verdict == KUBE_OK && review->audiences[0]) {
		server->api_audiences = kube_must(strings_copy(review->audiences));
		tell_learners(server, NULL, KUBE_OK);
	} else if (review->verdict == KUBE_OK) {
		tell_learners(server, "the API server told no audiences for the reviewer's token", KUBE_UNAVAILABLE);
	} else {
		/* That its own token is refused is no fault of whoever wants to log in. */
		tell_learners(server, review->reason, KUBE_UNAVAILABLE);
	}
	kube_server_unref(server);
}

static void on_known(void *arg, const struct exchange_result *result)
{
	struct kube_server *server = arg;

	(void)result;
	tell_learners(server, server->api_audiences ? NULL : "no token_reviewer_jwt is configured",
	    server->api_audiences ? KUBE_OK : KUBE_UNAVAILABLE);
	kube_server_unref(server);
}

void kube_learn_api_audiences(struct kube_server *server, kube_api_audiences_fn *done, void *arg)
{
	struct learner *learner = kube_must(calloc(1, sizeof(*learner)));
	bool first = server->learners == NULL;

	learner->done = done;
	learner->arg = arg;
	learner->next = server->learners;
	server->learners = learner;
	if (!first)
		return;
	server->references++;
	if (server->api_audiences || !server->reviewer)
		exchange_later(server, on_known, server);
	else
		kube_review_token(server, server->reviewer, NULL, on_own_review, server);
}
