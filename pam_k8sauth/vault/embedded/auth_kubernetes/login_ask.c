/* SPDX-License-Identifier: Apache-2.0 */
/* What a login asks the API server: the call is held until the answer is there, and then run again. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_kubernetes/login.h"

static void identity_free(struct kube_login *login)
{
	free(login->namespace_name);
	free(login->service_account);
	free(login->uid);
	login->namespace_name = login->service_account = login->uid = NULL;
}

void kube_login_free(void *arg)
{
	struct kube_login *login = arg;

	kube_config_unref(login->config);
	secret_free(login->token);
	jwt_free(login->jwt);
	json_decref(login->labels);
	json_decref(login->annotations);
	strings_free(login->api_audiences);
	strings_free(login->audiences);
	identity_free(login);
	free(login->audience);
	free(login);
}

/* Each question is asked once, and by no rehearsal: nobody has confirmed yet who this is. Holds the call for the
 * answer. */
static bool may_ask(struct kube_login *login, enum question *question)
{
	if (*question != NOT_ASKED || call_is_rehearsal(login->call))
		return false;
	*question = ASKED;
	call_hold(login->call);
	return true;
}

static void on_labels(void *arg, const json_t *labels, const char *error, enum kube_verdict verdict)
{
	struct kube_login *login = arg;

	login->labels_asked = ANSWERED;
	login->labels_verdict = verdict;
	login->labels = labels ? json_deep_copy(labels) : NULL;
	if (!login->labels) {
		login->labels_verdict = labels ? KUBE_UNAVAILABLE : verdict;
		snprintf(login->labels_error, sizeof(login->labels_error), "%s", error ? error : "out of memory");
	}
	call_resume(login->call);
}

int kube_login_ask_labels(struct kube_login *login, const char *namespace_name)
{
	if (login->labels_asked == ANSWERED)
		return 0;
	if (may_ask(login, &login->labels_asked))
		kube_namespace_labels(login->config->server, namespace_name, on_labels, login);
	return -EAGAIN;
}

static void on_annotations(void *arg, const json_t *annotations, const char *error, enum kube_verdict verdict)
{
	struct kube_login *login = arg;

	login->annotations_asked = ANSWERED;
	login->annotations_verdict = verdict;
	login->annotations = annotations ? json_deep_copy(annotations) : NULL;
	if (!login->annotations) {
		login->annotations_verdict = annotations ? KUBE_UNAVAILABLE : verdict;
		snprintf(
		    login->annotations_error, sizeof(login->annotations_error), "%s", error ? error : "out of memory");
	}
	call_resume(login->call);
}

int kube_login_ask_annotations(struct kube_login *login)
{
	if (login->annotations_asked == ANSWERED)
		return 0;
	if (may_ask(login, &login->annotations_asked))
		kube_service_account_annotations(login->config->server, login->namespace_name, login->service_account,
		    login->token, on_annotations, login);
	return -EAGAIN;
}

static void on_api_audiences(void *arg, const char *const *audiences, const char *reason, enum kube_verdict verdict)
{
	struct kube_login *login = arg;

	(void)verdict;
	login->api_asked = ANSWERED;
	login->api_audiences = audiences ? strings_copy(audiences) : NULL;
	if (!login->api_audiences)
		snprintf(login->api_error, sizeof(login->api_error), "%s", reason ? reason : "out of memory");
	call_resume(login->call);
}

int kube_login_ask_api_audiences(struct kube_login *login)
{
	if (login->api_asked == ANSWERED)
		return 0;
	if (may_ask(login, &login->api_asked))
		kube_learn_api_audiences(login->config->server, on_api_audiences, login);
	return -EAGAIN;
}

static void on_reviewed(void *arg, const struct kube_review *review)
{
	struct kube_login *login = arg;

	login->review_asked = ANSWERED;
	login->verdict = review->verdict;
	snprintf(login->reason, sizeof(login->reason), "%s", review->reason);
	identity_free(login); /* a rehearsal may have presumed one */
	if (review->verdict == KUBE_OK) {
		login->namespace_name = strdup(review->namespace_name);
		login->service_account = strdup(review->service_account);
		login->uid = strdup(review->uid);
		login->audiences = strings_copy(review->audiences);
		if (!login->namespace_name || !login->service_account || !login->uid || !login->audiences) {
			login->verdict = KUBE_UNAVAILABLE;
			snprintf(login->reason, sizeof(login->reason), "out of memory");
		}
	}
	call_resume(login->call);
}

int kube_login_ask_review(struct kube_login *login, char *const *audiences)
{
	if (login->review_asked == ANSWERED)
		return 0;
	if (may_ask(login, &login->review_asked))
		kube_review_token(
		    login->config->server, login->token, (const char *const *)audiences, on_reviewed, login);
	return -EAGAIN;
}

int kube_login_presume(struct kube_login *login)
{
	const struct jwt *jwt = login->jwt;

	if (login->review_asked != ASKED || !jwt->namespace_name || !jwt->service_account || !jwt->service_account_uid)
		return -EAGAIN;
	identity_free(login);
	login->namespace_name = strdup(jwt->namespace_name);
	login->service_account = strdup(jwt->service_account);
	login->uid = strdup(jwt->service_account_uid);
	return login->namespace_name && login->service_account && login->uid ? 0 : -ENOMEM;
}
