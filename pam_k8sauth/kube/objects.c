/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What API objects say of themselves: labels of namespaces, for namespace selectors, and annotations of service
 * accounts, for the metadata of aliases; see kube.h. The texts are Vault's (3.2 step 11, 3.8).
 */
#include <stdarg.h>
#include <stdio.h>

#include "kube/names.h"
#include "kube/strict_json.h"
#include "kube/transport.h"

#define JSON_DEPTH 32 /* managedFields nest */

/* A kind of object, and the member of its metadata that is asked for. */
struct kind {
	const char *name, *member;
	const char *status_error; /* where the answer that is an error cannot be read */
};

static const struct kind namespace_kind = {
	"namespace",
	"labels",
	"failed to parse error status on namespace retrieval failure err=the answer is not a JSON object",
};
static const struct kind service_account_kind = {
	"service account",
	"annotations",
	"failed to parse error status on service account retrieval failure err=the answer is not a JSON object",
};

struct object_call {
	const struct kind *kind;
	const char *refusal; /* static; NULL: ask */
	kube_member_fn *done;
	void *arg;
};

static void on_refusal(void *arg, const struct exchange_result *result)
{
	struct object_call *call = arg;

	(void)result;
	call->done(call->arg, NULL, call->refusal, KUBE_REFUSED);
	free(call);
}

static void tell_status(struct object_call *call, int status, const json_t *json)
{
	const char *message = json_string_value(json_object_get(json, "message"));
	enum kube_verdict verdict = status == 404 ? KUBE_REFUSED : KUBE_UNAVAILABLE;
	char error[512];

	if (json)
		snprintf(error, sizeof(error), "failed to get %s (code %d status %s)", call->kind->name, status,
		    message ? message : "");
	call->done(call->arg, NULL, json ? error : call->kind->status_error, verdict);
}

/* A new reference to MEMBER of the metadata of an object, none being an empty one; NULL for what is no such object. */
static json_t *member_of(const json_t *json, const char *member)
{
	const json_t *metadata = json_object_get(json, "metadata");
	json_t *texts = json_object_get(metadata, member), *value;
	const char *name;

	if (!json || (metadata && !json_is_object(metadata)))
		return NULL;
	if (!texts || json_is_null(texts))
		return json_object();
	if (!json_is_object(texts))
		return NULL;
	json_object_foreach(texts, name, value)
	{
		if (!json_is_string(value))
			return NULL;
	}
	return json_incref(texts);
}

static void on_object(void *arg, const struct exchange_result *result)
{
	struct object_call *call = arg;
	json_t *json = NULL, *member;
	char error[64];

	if (!result->error)
		json = strict_json_object(result->body, result->len, JSON_DEPTH);
	member = member_of(json, call->kind->member);
	if (result->error) {
		call->done(call->arg, NULL, result->error, KUBE_UNAVAILABLE);
	} else if (result->status != 200) {
		tell_status(call, result->status, json);
	} else if (!member) {
		snprintf(error, sizeof(error), "the answer is not a %s", call->kind->name);
		call->done(call->arg, NULL, error, KUBE_UNAVAILABLE);
	} else {
		call->done(call->arg, member, NULL, KUBE_OK);
	}
	json_decref(member);
	json_decref(json);
	free(call);
}

static struct object_call *call_new(const struct kind *kind, kube_member_fn *done, void *arg)
{
	struct object_call *call = kube_must(calloc(1, sizeof(*call)));

	call->kind = kind;
	call->done = done;
	call->arg = arg;
	return call;
}

void kube_namespace_labels(struct kube_server *server, const char *namespace_name, kube_member_fn *done, void *arg)
{
	struct object_call *call = call_new(&namespace_kind, done, arg);
	char path[sizeof("/api/v1/namespaces/") + KUBE_NAMESPACE_MAX];

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
	exchange_start(server, path, NULL, NULL, on_object, call);
}

void kube_service_account_annotations(struct kube_server *server, const char *namespace_name, const char *name,
    const struct secret *token, kube_member_fn *done, void *arg)
{
	struct object_call *call = call_new(&service_account_kind, done, arg);
	char path[sizeof("/api/v1/namespaces//serviceaccounts/") + KUBE_NAMESPACE_MAX + KUBE_NAME_MAX];

	if (!kube_namespace_valid(namespace_name) || !kube_name_valid(name)) {
		call->refusal = "the service account has no valid Kubernetes name";
		exchange_later(server, on_refusal, call);
		return;
	}
	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/serviceaccounts/%s", namespace_name, name);
	exchange_start(server, path, NULL, server->reviewer ? NULL : token, on_object, call);
}

/* --- whether a service account is there ------------------------------------------------------ */

struct uid_call {
	char name[KUBE_NAME_MAX + 1];
	const char *refusal; /* static; NULL: ask */
	kube_uid_fn *done;
	void *arg;
};

static void on_uid_refusal(void *arg, const struct exchange_result *result)
{
	struct uid_call *call = arg;

	(void)result;
	call->done(call->arg, NULL, call->refusal, KUBE_UNAVAILABLE);
	free(call);
}

static bool member_is(const json_t *json, const char *member, const char *text)
{
	const char *found = json_string_value(json_object_get(json, member));

	return found && strcmp(found, text) == 0;
}

/* A 404 may be a proxy's, or another path's: only one that names this very account says that it is not there. */
static bool says_gone(const struct uid_call *call, int status, const json_t *json)
{
	const json_t *details = json_object_get(json, "details");

	return status == 404 && member_is(json, "kind", "Status") && member_is(json, "reason", "NotFound") &&
	       member_is(details, "kind", "serviceaccounts") && member_is(details, "name", call->name);
}

static void on_uid_object(void *arg, const struct exchange_result *result)
{
	struct uid_call *call = arg;
	json_t *json = result->error ? NULL : strict_json_object(result->body, result->len, JSON_DEPTH);
	const json_t *metadata = json_object_get(json, "metadata");
	const char *uid = json_string_value(json_object_get(metadata, "uid"));
	const char *message = json_string_value(json_object_get(json, "message"));
	char error[512];

	if (result->error) {
		call->done(call->arg, NULL, result->error, KUBE_UNAVAILABLE);
	} else if (result->status == 200 && uid && *uid && member_is(metadata, "name", call->name)) {
		call->done(call->arg, uid, NULL, KUBE_OK);
	} else if (says_gone(call, result->status, json)) {
		call->done(call->arg, NULL, NULL, KUBE_REFUSED);
	} else {
		snprintf(error, sizeof(error), "failed to get service account (code %d status %s)%s", result->status,
		    message ? message : "",
		    result->status == 403 ? "; remedy: kubectl apply -f serviceaccount-reader.yaml" : "");
		call->done(call->arg, NULL, error, KUBE_UNAVAILABLE);
	}
	json_decref(json);
	free(call);
}

void kube_service_account_uid(
    struct kube_server *server, const char *namespace_name, const char *name, kube_uid_fn *done, void *arg)
{
	struct uid_call *call = kube_must(calloc(1, sizeof(*call)));
	char path[sizeof("/api/v1/namespaces//serviceaccounts/") + KUBE_NAMESPACE_MAX + KUBE_NAME_MAX];

	call->done = done;
	call->arg = arg;
	if (!server->reviewer)
		call->refusal = "service accounts can be looked up by a token_reviewer_jwt only";
	else if (!kube_namespace_valid(namespace_name) || !kube_name_valid(name))
		call->refusal = "the service account has no valid Kubernetes name";
	if (call->refusal) {
		exchange_later(server, on_uid_refusal, call);
		return;
	}
	snprintf(call->name, sizeof(call->name), "%s", name);
	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/serviceaccounts/%s", namespace_name, name);
	exchange_start(server, path, NULL, NULL, on_uid_object, call);
}
