/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a service account is still there: for sessions (`recheck`), by a path that only the daemon itself can ask.
 * The answer's uid is null where the API server says for certain that there is none; where it says nothing, or
 * something else, the request fails.
 */
#include <errno.h>
#include <stdio.h>

#include "vault/embedded/auth_kubernetes/login.h"

struct account_question {
	struct call *call;
	struct kube_config *config;
	enum question asked;
	enum kube_verdict verdict;
	char uid[256], error[512];
};

static void question_free(void *arg)
{
	struct account_question *question = arg;

	kube_config_unref(question->config);
	free(question);
}

static void on_account(void *arg, const char *uid, const char *error, enum kube_verdict verdict)
{
	struct account_question *question = arg;

	question->asked = ANSWERED;
	question->verdict = verdict;
	snprintf(question->uid, sizeof(question->uid), "%s", uid ? uid : "");
	snprintf(question->error, sizeof(question->error), "%s", error ? error : "");
	call_resume(question->call);
}

static int question_begin(struct call *call)
{
	struct account_question *question;
	int r;

	if (call->state)
		return 0;
	question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;
	question->call = call;
	r = kube_config_get(call, &question->config);
	if (r) {
		free(question);
		return r == -ENOENT ? call_refuse(call, VAULT_FAILED_OUTAGE, "config", 503,
					  "the mount is not configured", "auth/%s is not configured", call->mount->path)
				    : r;
	}
	call->state = question;
	call->state_free = question_free;
	return 0;
}

int kube_account_read(struct call *call)
{
	struct account_question *question;
	json_t *data;
	int r = question_begin(call);

	question = call->state;
	if (r || !question)
		return r;
	if (question->asked == NOT_ASKED) {
		question->asked = ASKED;
		call_hold(call);
		kube_service_account_uid(question->config->server, call_capture(call, "namespace"),
		    call_capture(call, "name"), on_account, question);
	}
	if (question->asked != ANSWERED)
		return -EAGAIN;
	if (question->verdict == KUBE_UNAVAILABLE)
		return call_refuse(
		    call, VAULT_FAILED_OUTAGE, "serviceaccount", 503, question->error, "%s", question->error);
	data = question->verdict == KUBE_OK ? json_pack("{s:s}", "uid", question->uid) : json_pack("{s:n}", "uid");
	return data ? call_data(call, data) : -ENOMEM;
}
