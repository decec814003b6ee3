/* SPDX-License-Identifier: Apache-2.0 */
/* Judges answers to TokenReviews; see review.h. Texts are Vault's debug texts: the client never sees them. */
#include <stdarg.h>
#include <stdio.h>

#include "kube/names.h"
#include "kube/review.h"
#include "kube/strict_json.h"

#define JSON_DEPTH	16
#define USERNAME_PREFIX "system:serviceaccount:"
#define EXTRA		"authentication.kubernetes.io/"

static const char unauthorized_text[] =
    "lookup failed: service account unauthorized; this could mean it has been deleted "
    "or recreated with a new token";

static void PRINTF_LIKE(3, 4) verdict(struct answer *answer, enum kube_verdict verdict, const char *format, ...)
{
	va_list args;

	answer->review.verdict = verdict;
	va_start(args, format);
	vsnprintf(answer->review.reason, sizeof(answer->review.reason), format, args);
	va_end(args);
}

void answer_clear(struct answer *answer)
{
	json_decref(answer->json);
	free(answer->namespace_name);
	free(answer->service_account);
	free(answer->audiences);
	*answer = (struct answer){ 0 };
}

/* The message of a Status object; FALLBACK if there is none. */
static const char *status_message(const json_t *json, const char *fallback)
{
	const char *message = json_string_value(json_object_get(json, "message"));

	return message && *message ? message : fallback;
}

/* 3.6 item 2 */
static void judge_status(struct answer *answer, int status, bool self)
{
	/* Anything but a review is an outage, unless the token itself was the one that asked. */
	enum kube_verdict v = self && (status == 401 || status == 403) ? KUBE_REFUSED : KUBE_UNAVAILABLE;

	if (status == 401 && !self)
		verdict(answer, v, "%s (the API server refused the reviewer's token: check token_reviewer_jwt)",
		    unauthorized_text);
	else if (status == 401)
		verdict(answer, v, "%s", unauthorized_text);
	else if (status == 403)
		verdict(answer, v, "%s", status_message(answer->json, "forbidden"));
	else if (status == 404)
		verdict(answer, v, "the server could not find the requested resource");
	else if (status == 429)
		verdict(answer, v, "the server has received too many requests and has asked us to try again later");
	else if (status == 503)
		verdict(answer, v, "the server is currently unable to handle the request");
	else if (status == 504)
		verdict(answer, v,
		    "the server was unable to return a response in the time allotted, but may still be processing the "
		    "request");
	else if (status >= 500)
		verdict(answer, v, "an error on the server (\"%s\") has prevented the request from succeeding",
		    status_message(answer->json, "unknown"));
	else
		verdict(answer, v, "the server responded with the status code %d but did not return more information",
		    status);
}

/* A metav1.Status, or any object without a status object: fails closed (3.6 item 3). */
static void judge_no_review(struct answer *answer, bool self)
{
	const char *reason = json_string_value(json_object_get(answer->json, "reason"));
	json_int_t code = json_integer_value(json_object_get(answer->json, "code"));

	if (code == 401 || (reason && streq(reason, "Unauthorized")))
		judge_status(answer, 401, self);
	else
		verdict(
		    answer, KUBE_UNAVAILABLE, "%s", status_message(answer->json, "the answer is not a TokenReview"));
}

static bool string_or_absent(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return !value || json_is_string(value) || json_is_null(value);
}

static bool strings_or_absent(const json_t *object, const char *name)
{
	const json_t *list = json_object_get(object, name);

	if (!list || json_is_null(list))
		return true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!json_is_string(json_array_get(list, i)))
			return false;
	}
	return json_is_array(list);
}

static bool types_right(const json_t *status)
{
	const json_t *user = json_object_get(status, "user"), *extra = json_object_get(user, "extra");
	const json_t *authenticated = json_object_get(status, "authenticated");
	const char *name;
	json_t *value;

	if ((user && !json_is_object(user) && !json_is_null(user)) ||
	    (extra && !json_is_object(extra) && !json_is_null(extra)) ||
	    (authenticated && !json_is_boolean(authenticated) && !json_is_null(authenticated)))
		return false;
	json_object_foreach((json_t *)(uintptr_t)extra, name, value)
	{
		if (!strings_or_absent(extra, name))
			return false;
	}
	return string_or_absent(status, "error") && strings_or_absent(status, "audiences") &&
	       string_or_absent(user, "username") && string_or_absent(user, "uid") && strings_or_absent(user, "groups");
}

/* Appends " a b" in brackets as Go prints a list. */
static void add_list(struct buf *buf, const char *const *list)
{
	buf_add_char(buf, '[');
	for (const char *const *each = list; each && *each; each++) {
		if (each != list)
			buf_add_char(buf, ' ');
		buf_add_str(buf, *each);
	}
	buf_add_char(buf, ']');
}

/* 3.6 item 7. False after a verdict. */
static bool audiences_right(struct answer *answer, const json_t *status, const char *const *wanted)
{
	const json_t *list = json_object_get(status, "audiences");
	size_t n = json_array_size(list);
	AUTO_BUF struct buf text = { 0 };

	answer->audiences = kube_must(calloc(n + 1, sizeof(*answer->audiences)));
	for (size_t i = 0; i < n; i++)
		answer->audiences[i] = json_string_value(json_array_get(list, i));
	answer->review.audiences = answer->audiences;
	if (!wanted || !*wanted)
		return true;
	for (const char *const *want = wanted; *want; want++) {
		for (size_t i = 0; i < n; i++) {
			if (streq(*want, answer->audiences[i]))
				return true;
		}
	}
	buf_add_str(&text, "lookup failed: service account jwt valid for audience(s) ");
	add_list(&text, answer->audiences);
	buf_add_str(&text, ", but wanted ");
	add_list(&text, wanted);
	verdict(answer, KUBE_REFUSED, "%s", text.failed ? "lookup failed: wrong audience" : text.data);
	return false;
}

/* 3.6 items 8 and 9. False after a verdict. */
static bool username_right(struct answer *answer, const char *username)
{
	unsigned colons = 0;
	const char *namespace_name, *name;

	for (const char *c = username; *c; c++)
		colons += *c == ':';
	if (colons != 3) {
		verdict(answer, KUBE_REFUSED, "lookup failed: unexpected username format");
		return false;
	}
	if (strncmp(username, USERNAME_PREFIX, strlen(USERNAME_PREFIX)) != 0) {
		verdict(answer, KUBE_REFUSED, "lookup failed: username returned is not a service account");
		return false;
	}
	namespace_name = username + strlen(USERNAME_PREFIX);
	name = strchr(namespace_name, ':') + 1;
	answer->namespace_name = kube_must(strndup(namespace_name, (size_t)(name - 1 - namespace_name)));
	answer->service_account = kube_must(strdup(name));
	if (kube_namespace_valid(answer->namespace_name) && kube_name_valid(answer->service_account))
		return true;
	verdict(answer, KUBE_REFUSED, "lookup failed: unexpected username format");
	return false;
}

/* The one value of an extra key; NULL. */
static const char *extra(const json_t *user, const char *key)
{
	return json_string_value(json_array_get(json_object_get(json_object_get(user, "extra"), key), 0));
}

static void judge_review(struct answer *answer, const json_t *status, const char *const *wanted)
{
	const json_t *user = json_object_get(status, "user");
	const char *error = json_string_value(json_object_get(status, "error"));
	const char *username = json_string_value(json_object_get(user, "username"));
	struct kube_review *review = &answer->review;

	if (error && *error) {
		verdict(answer, KUBE_REFUSED, "lookup failed: %s", error);
		return;
	}
	if (!json_is_true(json_object_get(status, "authenticated"))) {
		verdict(answer, KUBE_REFUSED, "lookup failed: service account jwt not valid");
		return;
	}
	if (!audiences_right(answer, status, wanted) || !username_right(answer, username ? username : ""))
		return;
	review->username = username;
	review->uid = json_string_value(json_object_get(user, "uid"));
	review->namespace_name = answer->namespace_name;
	review->service_account = answer->service_account;
	review->pod_name = extra(user, EXTRA "pod-name");
	review->pod_uid = extra(user, EXTRA "pod-uid");
	review->node_name = extra(user, EXTRA "node-name");
	review->credential_id = extra(user, EXTRA "credential-id");
	if (!review->uid || !*review->uid)
		verdict(answer, KUBE_REFUSED, "lookup failed: the API server told no UID");
	else
		review->verdict = KUBE_OK;
}

void answer_judge(struct answer *answer, const struct exchange_result *result, const char *const *wanted, bool self)
{
	const json_t *status;

	*answer = (struct answer){ .review.verdict = KUBE_UNAVAILABLE };
	if (result->error) {
		verdict(answer, KUBE_UNAVAILABLE, "%s", result->error);
		return;
	}
	answer->json = strict_json_object(result->body, result->len, JSON_DEPTH);
	if (result->status < 200 || result->status > 206) {
		judge_status(answer, result->status, self);
		return;
	}
	status = json_object_get(answer->json, "status");
	if (!answer->json)
		verdict(answer, KUBE_UNAVAILABLE, "the answer is not a JSON object without duplicate members");
	else if (!status || json_is_null(status) || json_is_string(status))
		judge_no_review(answer, self);
	else if (!json_is_object(status) || !types_right(status))
		verdict(answer, KUBE_UNAVAILABLE, "the answer's status has members of a wrong type");
	else
		judge_review(answer, status, wanted);
}
