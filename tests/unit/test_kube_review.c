/* SPDX-License-Identifier: Apache-2.0 */
/* kube: what the answers to a TokenReview mean, and the stand-in's faults (kubernetes-auth.md 3.6, 6). */
#include "kube_fixture.h"

static void test_review(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	struct outcome outcome;
	json_int_t connections;

	(void)state;
	CTL("requests", "--clear");
	for (int i = 0; i < 5; i++) {
		outcome = review(site.server, pod_token, "k8sauth", NO);
		expect(outcome, KUBE_OK, "");
		assert_string_equal(outcome.text, "system:serviceaccount:ns:sa ns/sa uid pod-0 node-1");
		assert_string_equal(outcome.audiences, "k8sauth ");
	}
	assert_int_equal(standin_count(&connections), 5);
	assert_int_equal(connections, 1);
	outcome = review(site.server, pod_token, API, "k8sauth");
	expect(outcome, KUBE_OK, "");
	assert_string_equal(outcome.audiences, "k8sauth ");
	outcome = review(site.server, pod_token, "other", NO);
	expect(outcome, KUBE_REFUSED,
	    "lookup failed: [invalid bearer token, token audiences [\"k8sauth\"] is invalid for the target audiences "
	    "[\"other\"]]");
	expect(review(site.server, "abc", NO, NO), KUBE_REFUSED, "lookup failed: invalid bearer token");
	/* bytes that JSON must escape arrive as they are: blanks around a token are the API server's to trim */
	expect(review(site.server, " \"\\\n\x01", NO, NO), KUBE_REFUSED, "lookup failed: invalid bearer token");
}

static void test_no_audience(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	char *token = standin_ctl("token", "ns", "sa", NULL);
	struct outcome outcome = review(site.server, token, NO, NO);

	(void)state;
	expect(outcome, KUBE_OK, "");
	assert_string_equal(outcome.audiences, API " ");
	assert_string_equal(outcome.text, "system:serviceaccount:ns:sa ns/sa uid - -");
	free(token);
}

static void test_gone(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	char *expired = standin_ctl("token", "ns", "sa", "--audience", "a", "--duration", "-100", NULL);
	char *leeway = standin_ctl("token", "ns", "sa", "--audience", "a", "--duration", "-30", NULL);
	char *pod, *account;

	(void)state;
	expect(review(site.server, expired, "a", NO), KUBE_REFUSED, "service account token has expired");
	expect(review(site.server, leeway, "a", NO), KUBE_OK, "");
	CTL("create-pod", "ns", "pod-1", "--sa", "sa");
	pod = standin_ctl("token", "ns", "sa", "--audience", "a", "--pod", "pod-1", NULL);
	expect(review(site.server, pod, "a", NO), KUBE_OK, "");
	CTL("delete", "pod", "ns", "pod-1");
	expect(review(site.server, pod, "a", NO), KUBE_REFUSED, "service account token has been invalidated");
	CTL("create-pod", "ns", "pod-1", "--sa", "sa");
	expect(review(site.server, pod, "a", NO), KUBE_REFUSED, "does not match service account pod ref claim");
	CTL("create-sa", "ns", "gone");
	account = standin_ctl("token", "ns", "gone", "--audience", "a", "--alg", "ES256", NULL);
	expect(review(site.server, account, "a", NO), KUBE_OK, "");
	CTL("delete", "sa", "ns", "gone");
	expect(review(site.server, account, "a", NO), KUBE_REFUSED, "serviceaccounts \"gone\" not found");
	CTL("create-sa", "ns", "gone");
	expect(review(site.server, account, "a", NO), KUBE_REFUSED, "does not match claim");
	free(expired);
	free(leeway);
	free(pod);
	free(account);
}

#define USER(name) "\"user\":{\"username\":\"" name "\",\"uid\":\"u\"}"
#define YES	   "{\"status\":{\"authenticated\":true,\"audiences\":[\"a\"],"

/* Every row of 3.6. All reviews ask for audience "a". */
static const struct {
	const char *status, *body;
	enum kube_verdict verdict;
	const char *reason;
} answers[] = {
	{ "401", "{\"message\":\"Unauthorized\"}", KUBE_UNAVAILABLE,
	    "lookup failed: service account unauthorized; this could mean" },
	{ "403", "{\"message\":\"not you\"}", KUBE_UNAVAILABLE, "not you" },
	{ "404", "{}", KUBE_UNAVAILABLE, "the server could not find the requested resource" },
	{ "429", "slow down", KUBE_UNAVAILABLE,
	    "the server has received too many requests and has asked us to try again later" },
	{ "503", "", KUBE_UNAVAILABLE, "the server is currently unable to handle the request" },
	{ "504", "", KUBE_UNAVAILABLE, "the server was unable to return a response in the time allotted" },
	{ "500", "{\"message\":\"etcd\"}", KUBE_UNAVAILABLE,
	    "an error on the server (\"etcd\") has prevented the request" },
	{ "502", "<html>", KUBE_UNAVAILABLE, "an error on the server (\"unknown\") has prevented the request" },
	{ "207", YES USER("system:serviceaccount:ns:sa") "}}", KUBE_UNAVAILABLE,
	    "the server responded with the status code 207" },
	{ "418", "", KUBE_UNAVAILABLE,
	    "the server responded with the status code 418 but did not return more information" },
	/* 2xx that is no review */
	{ "201", "{}", KUBE_UNAVAILABLE, "not a TokenReview" },
	{ "201", "{\"status\":null}", KUBE_UNAVAILABLE, "not a TokenReview" },
	{ "200", "{\"status\":\"Failure\",\"message\":\"m\"}", KUBE_UNAVAILABLE, "m" },
	{ "200", "{\"status\":\"Failure\",\"reason\":\"Unauthorized\"}", KUBE_UNAVAILABLE,
	    "lookup failed: service account unauthorized" },
	{ "200", "{\"code\":401}", KUBE_UNAVAILABLE, "lookup failed: service account unauthorized" },
	/* not JSON, wrong types */
	{ "201", "", KUBE_UNAVAILABLE, "not a JSON object" },
	{ "201", "[]", KUBE_UNAVAILABLE, "not a JSON object" },
	{ "201", "{\"status\":{\"authenticated\":true,\"authenticated\":false}}", KUBE_UNAVAILABLE,
	    "not a JSON object" },
	{ "201", "{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", KUBE_UNAVAILABLE, "not a JSON object" },
	{ "201", "{\"status\":5}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"authenticated\":\"true\"}}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"error\":5}}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"audiences\":\"a\"}}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"audiences\":[5]}}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"user\":[]}}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"user\":{\"uid\":1}}}", KUBE_UNAVAILABLE, "wrong type" },
	{ "201", "{\"status\":{\"user\":{\"extra\":{\"k\":\"v\"}}}}", KUBE_UNAVAILABLE, "wrong type" },
	/* a no */
	{ "201", "{\"status\":{\"authenticated\":true,\"error\":\"e\"," USER("system:serviceaccount:ns:sa") "}}",
	    KUBE_REFUSED, "lookup failed: e" },
	{ "201", "{\"status\":{\"user\":{}}}", KUBE_REFUSED, "lookup failed: service account jwt not valid" },
	{ "201", "{\"status\":{\"authenticated\":false," USER("system:serviceaccount:ns:sa") "}}", KUBE_REFUSED,
	    "jwt not valid" },
	{ "201",
	    "{\"status\":{\"authenticated\":true,\"audiences\":[\"x\",\"y\"]," USER("system:serviceaccount:ns:sa") "}}",
	    KUBE_REFUSED, "lookup failed: service account jwt valid for audience(s) [x y], but wanted [a]" },
	{ "201", "{\"status\":{\"authenticated\":true," USER("system:serviceaccount:ns:sa") "}}", KUBE_REFUSED,
	    "lookup failed: service account jwt valid for audience(s) [], but wanted [a]" },
	{ "201", YES USER("system:serviceaccount:ns") "}}", KUBE_REFUSED, "lookup failed: unexpected username format" },
	{ "201", YES USER("system:serviceaccount:ns:sa:x") "}}", KUBE_REFUSED,
	    "lookup failed: unexpected username format" },
	{ "201", YES "\"user\":{}}}", KUBE_REFUSED, "lookup failed: unexpected username format" },
	{ "201", YES USER("system:serviceaccount::sa") "}}", KUBE_REFUSED,
	    "lookup failed: unexpected username format" },
	{ "201", YES USER("system:serviceaccount:ns:") "}}", KUBE_REFUSED,
	    "lookup failed: unexpected username format" },
	{ "201", YES USER("system:serviceaccount:n/s:sa") "}}", KUBE_REFUSED,
	    "lookup failed: unexpected username format" },
	{ "201", YES USER("system:serviceaccount:ns:s_a") "}}", KUBE_REFUSED,
	    "lookup failed: unexpected username format" },
	{ "201", YES USER("system:node:ns:sa") "}}", KUBE_REFUSED,
	    "lookup failed: username returned is not a service account" },
	{ "201", YES USER("other:serviceaccount:ns:sa") "}}", KUBE_REFUSED,
	    "username returned is not a service account" },
	{ "201", YES "\"user\":{\"username\":\"system:serviceaccount:ns:sa\"}}}", KUBE_REFUSED, "told no UID" },
	/* a yes, whatever stands beside it */
	{ "200", YES USER("system:serviceaccount:ns:sa") "}}", KUBE_OK, "" },
	{ "202",
	    "{\"kind\":\"x\",\"status\":{\"authenticated\":true,\"audiences\":[\"b\",\"a\"]," USER(
		"system:serviceaccount:n:a.b") "}}",
	    KUBE_OK, "" },
	{ "206", YES USER("system:serviceaccount:ns:sa") ",\"error\":\"\"}}", KUBE_OK, "" },
};

static void test_answers(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	char mode[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		snprintf(mode, sizeof(mode), "answer:%s:%s", answers[i].status, answers[i].body);
		CTL("mode", mode);
		expect(review(site.server, pod_token, "a", NO), answers[i].verdict, answers[i].reason);
	}
}

static void test_faults(void **state)
{
	static const struct {
		const char *mode;
		enum kube_verdict verdict;
		const char *reason;
	} faults[] = {
		{ "garbage", KUBE_UNAVAILABLE, "not a JSON object" },
		{ "garbage-http", KUBE_UNAVAILABLE, "HTTP/0.9" },
		{ "truncated", KUBE_UNAVAILABLE, "transfer closed" },
		{ "huge", KUBE_UNAVAILABLE, "the answer is longer than 1048576 bytes" },
		{ "reset", KUBE_UNAVAILABLE, "" },
		{ "http500", KUBE_UNAVAILABLE, "an error on the server" },
		{ "status:503", KUBE_UNAVAILABLE, "the server is currently unable to handle the request" },
		{ "slow:100", KUBE_OK, "" },
		{ "other-account", KUBE_OK, "" },
		{ "clock:4000", KUBE_REFUSED, "service account token has expired" },
		{ "clock:-600", KUBE_REFUSED, "service account token is not valid yet" },
		{ "close-after-reply", KUBE_OK, "" },
	};
	SITE = site_with(standin_host, standin_ca, reviewer);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		CTL("mode", faults[i].mode);
		expect(review(site.server, pod_token, "k8sauth", NO), faults[i].verdict, faults[i].reason);
	}
	CTL("mode", "ok");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
}

static void test_redirects_are_not_followed(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);

	(void)state;
	CTL("requests", "--clear");
	CTL("mode", "status:307");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE,
	    "the server responded with the status code 307");
	assert_int_equal(standin_count(NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_review),
		cmocka_unit_test(test_no_audience),
		cmocka_unit_test(test_gone),
		cmocka_unit_test_teardown(test_answers, standin_mode_ok),
		cmocka_unit_test_teardown(test_faults, standin_mode_ok),
		cmocka_unit_test_teardown(test_redirects_are_not_followed, standin_mode_ok),
	};

	return cmocka_run_group_tests_name("kube_review", tests, kube_setup, kube_teardown);
}
