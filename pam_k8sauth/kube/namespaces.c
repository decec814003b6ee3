/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of namespaces, for namespace selectors; see kube.h. The texts are Vault's (3.2 step 11). */
#include <stdarg.h>
#include <stdio.h>

#include "kube/names.h"
#include "kube/strict_json.h"
#include "kube/transport.h"

#define JSON_DEPTH 32 /* managedFields nest */

struct labels_call {
	const char *refusal; /* static; NULL: ask */
	kube_labels_fn *done;
	void *arg;
};

static void on_refusal(void *arg, const struct exchange_result *result)
{
	struct labels_call *call = arg;

	(void)result;
	call->done(call->arg, NULL, call->refusal, KUBE_REFUSED);
	free(call);
}

static void tell_status(struct labels_call *call, int status, const json_t *json)
{
	const char *message = json_string_value(json_object_get(json, "message"));
	enum kube_verdict verdict = status == 404 ? KUBE_REFUSED : KUBE_UNAVAILABLE;
	char error[512];

	if (json)
		snprintf(error, sizeof(error), "failed to get namespace (code %d status %s)", status,
		    message ? message : "");
	else
		snprintf(error, sizeof(error),
		    "failed to parse error status on namespace retrieval failure err=the answer is not a JSON object");
	call->done(call->arg, NULL, error, verdict);
}

/* A new reference to the labels of a namespace, none being an empty object; NULL for what is no namespace. */
static json_t *labels_of(const json_t *json)
{
	const json_t *metadata = json_object_get(json, "metadata");
	json_t *labels = json_object_get(metadata, "labels"), *value;
	const char *key;

	if (!json || (metadata && !json_is_object(metadata)))
		return NULL;
	if (!labels || json_is_null(labels))
		return json_object();
	if (!json_is_object(labels))
		return NULL;
	json_object_foreach(labels, key, value)
	{
		if (!json_is_string(value))
			return NULL;
	}
	return json_incref(labels);
}

static void on_namespace(void *arg, const struct exchange_result *result)
{
	struct labels_call *call = arg;
	json_t *json = NULL, *labels;

	if (!result->error)
		json = strict_json_object(result->body, result->len, JSON_DEPTH);
	labels = labels_of(json);
	if (result->error)
		call->done(call->arg, NULL, result->error, KUBE_UNAVAILABLE);
	else if (result->status != 200)
		tell_status(call, result->status, json);
	else if (!labels)
		call->done(call->arg, NULL, "the answer is not a namespace", KUBE_UNAVAILABLE);
	else
		call->done(call->arg, labels, NULL, KUBE_OK);
	json_decref(labels);
	json_decref(json);
	free(call);
}

void kube_namespace_labels(struct kube_server *server, const char *namespace_name, kube_labels_fn *done, void *arg)
{
	struct labels_call *call = kube_must(calloc(1, sizeof(*call)));
	char path[sizeof("/api/v1/namespaces/") + KUBE_NAMESPACE_MAX];

	call->done = done;
	call->arg = arg;
	if (!server->reviewer)
		call->refusal =
		    "namespace lookup failed: TokenReviewer JWT needs to be configured to use namespace selectors";
	else if (!kube_namespace_valid(namespace_name))
		call->refusal = "the namespace is not a valid Kubernetes name";
	if (call->refusal) {
		exchange_later(server, on_refusal, call);
		return;
	}
	snprintf(path, sizeof(path), "/api/v1/namespaces/%s", namespace_name);
	exchange_start(server, path, NULL, NULL, on_namespace, call);
}
