/* SPDX-License-Identifier: Apache-2.0 */
/* kube: connections, trust, reviewers, API audiences, namespaces, against the stand-in API server. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "kube_fixture.h"

/* A kept-alive connection that dies under the request is no outage; a fresh one that does, is. */
static void test_retry(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);

	(void)state;
	CTL("mode", "drop-reused");
	CTL("requests", "--clear");
	for (int i = 0; i < 3; i++)
		expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
	assert_int_equal(standin_count(NULL), 5);
	CTL("mode", "reset");
	CTL("requests", "--clear");
	site_end(&site);
	site = site_with(standin_host, standin_ca, reviewer);
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE, "");
	assert_int_equal(standin_count(NULL), 1);
}

/* Which words curl has for it depends on the step that took too long. */
static bool timed_out(const char *reason)
{
	return strstr(reason, "timed out") || strcasestr(reason, "timeout") || strstr(reason, "time-out");
}

/* One that never answers is given up, and so is what waits behind it; calls beyond what may wait end at once. */
static void test_hanging(void **state)
{
	enum { TURNS = 64, CALLS = TURNS + 1024 + 2 };
	static struct outcome outcomes[CALLS];
	SITE = site_with(standin_host, standin_ca, reviewer);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	unsigned no_turn = 0;

	(void)state;
	CTL("mode", "hang");
	for (int i = 0; i < CALLS; i++)
		kube_review_token(site.server, secret, NULL, on_reviewed, &outcomes[i]);
	for (int i = 0; i < CALLS; i++) {
		const char *reason = outcomes[i].reason;
		bool waited;

		wait_for(&outcomes[i].done);
		assert_int_equal(outcomes[i].done, 1);
		assert_int_equal(outcomes[i].verdict, KUBE_UNAVAILABLE);
		waited = strstr(reason, "for a turn") != NULL;
		no_turn += waited;
		/* On a slow machine one that came late may get a turn after the first ones, and too little of it. */
		if (i < TURNS	    ? !timed_out(reason)
		    : i < CALLS - 2 ? !waited && !timed_out(reason)
				    : !strstr(reason, "are waiting"))
			fail_msg("call %d: %s", i, reason);
	}
	assert_true(no_turn > 0);
	CTL("mode", "ok");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
}

static void test_blackhole(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);

	(void)state;
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
	CTL("mode", "blackhole");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE, "timed out");
	CTL("mode", "ok");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
}

static void test_many_at_once(void **state)
{
	enum { CALLS = 200 };
	static struct outcome outcomes[CALLS];
	SITE = site_with(standin_host, standin_ca, reviewer);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	const char *const audiences[] = { "k8sauth", NULL };
	json_int_t connections;

	(void)state;
	CTL("requests", "--clear");
	for (int i = 0; i < CALLS; i++)
		kube_review_token(site.server, secret, audiences, on_reviewed, &outcomes[i]);
	for (int i = 0; i < CALLS; i++) {
		wait_for(&outcomes[i].done);
		expect(outcomes[i], KUBE_OK, "");
	}
	assert_int_equal(standin_count(&connections), CALLS);
	assert_true(connections <= 64);
}

/* An API server that takes connections and says nothing does not hold up another one. */
static void test_one_hangs(void **state)
{
	enum { CALLS = 70 };
	static struct outcome outcomes[CALLS];
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	struct kube_server *hanging;
	char url[64];
	SITE = site_with(standin_host, standin_ca, reviewer);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, CALLS), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", ntohs(address.sin_port));
	hanging = kube_server_new(site.kube, url, standin_ca, reviewer);
	/* With a connection that is there, it is not a matter of how long the others try to get theirs. */
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
	for (int i = 0; i < CALLS; i++)
		kube_review_token(hanging, secret, NULL, on_reviewed, &outcomes[i]);
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
	for (int i = 0; i < CALLS; i++)
		assert_int_equal(outcomes[i].done, 0);
	for (int i = 0; i < CALLS; i++)
		wait_for(&outcomes[i].done);
	kube_server_free(hanging);
}

static void one_site(const char *url, const char *ca_pem, enum kube_verdict verdict, const char *reason)
{
	SITE = site_with(url, ca_pem, reviewer);

	expect(review(site.server, pod_token, "k8sauth", NO), verdict, reason);
}

static void test_trust(void **state)
{
	char *inner = standin_read("intermediate.crt"), *other = standin_read("other-ca.crt");
	char slash[80], plain[80], upper[80], with_user[96];

	(void)state;
	one_site(standin_host, inner, KUBE_OK, "");
	one_site(standin_host, other, KUBE_UNAVAILABLE, "certificate");
	one_site(standin_host, "no certificate", KUBE_UNAVAILABLE, "certificate");
	one_site(standin_host, NULL, KUBE_UNAVAILABLE, "certificate");
	snprintf(slash, sizeof(slash), "%s/", standin_host);
	one_site(slash, standin_ca, KUBE_OK, "");
	snprintf(upper, sizeof(upper), "HTTPS%s", standin_host + 5);
	one_site(upper, standin_ca, KUBE_OK, "");
	snprintf(plain, sizeof(plain), "http%s", standin_host + 5);
	one_site(plain, standin_ca, KUBE_UNAVAILABLE, "");
	one_site(standin_host + 8, standin_ca, KUBE_UNAVAILABLE, "begins with https://");
	one_site("file:///etc/passwd", standin_ca, KUBE_UNAVAILABLE, "begins with https://");
	snprintf(with_user, sizeof(with_user), "https://a:b@%s", standin_host + 8);
	one_site(with_user, standin_ca, KUBE_UNAVAILABLE, "");
	one_site("https://", standin_ca, KUBE_UNAVAILABLE, "");
	one_site("https://no-such-host.invalid", standin_ca, KUBE_UNAVAILABLE, "resolve");
	one_site("https://127.0.0.1:1", standin_ca, KUBE_UNAVAILABLE, "onnect");
	free(inner);
	free(other);
}

/* A new configuration never meets a connection of the old one. */
static void test_new_ca(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	char *other = standin_read("other-ca.crt");
	struct kube_server *old = site.server;

	(void)state;
	expect(review(old, pod_token, "k8sauth", NO), KUBE_OK, "");
	site.server = kube_server_new(site.kube, standin_host, other, reviewer);
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE, "certificate");
	expect(review(old, pod_token, "k8sauth", NO), KUBE_OK, "");
	kube_server_free(old);
	free(other);
}

static pid_t other_standin;

static void test_wrong_host_name(void **state)
{
	(void)state;
	other_standin = standin_serve("127.0.0.2");
	one_site(standin_host, standin_ca, KUBE_UNAVAILABLE, "127.0.0.2");
	standin_end(other_standin);
	other_standin = 0;
	one_site(standin_host, standin_ca, KUBE_UNAVAILABLE, "onnect");
}

/* Both had the same state folder: the first one's control socket is gone. */
static int end_other_standin(void **state)
{
	(void)state;
	standin_end(other_standin);
	return standin_restart();
}

static void with_reviewer(const char *text, enum kube_verdict verdict, const char *reason)
{
	AUTO_SECRET struct secret *bearer = text ? secret_of(text) : NULL;
	SITE = site_with(standin_host, standin_ca, bearer);

	expect(review(site.server, pod_token, "k8sauth", NO), verdict, reason);
}

static void test_reviewers(void **state)
{
	char *no_rights = standin_ctl("token", "ns", "sa", NULL), *newline = NULL;

	(void)state;
	with_reviewer("garbage", KUBE_UNAVAILABLE, "check token_reviewer_jwt");
	with_reviewer(no_rights, KUBE_UNAVAILABLE,
	    "tokenreviews.authentication.k8s.io is forbidden: User \"system:serviceaccount:ns:sa\" cannot create "
	    "resource");
	with_reviewer("abc\r\nX-Injected: 1", KUBE_UNAVAILABLE, "no header may hold");
	assert_true(asprintf(&newline, "%s\n", secret_reveal(reviewer)) > 0);
	with_reviewer(newline, KUBE_OK, "");
	free(no_rights);
	free(newline);
}

/* Without a reviewer the token reviews itself; that is said once. */
static void test_self_review(void **state)
{
	SITE = site_with(standin_host, standin_ca, NULL);
	char *own = standin_ctl("token", "ns", "sa", "--audience", API, "--audience", "a", NULL), *delegated, *first;

	(void)state;
	journal[0] = '\0';
	expect(
	    review(site.server, pod_token, "k8sauth", NO), KUBE_REFUSED, "lookup failed: service account unauthorized");
	expect(review(site.server, own, "a", NO), KUBE_REFUSED, "tokenreviews.authentication.k8s.io is forbidden");
	expect(review(site.server, "a\nb", NO, NO), KUBE_UNAVAILABLE, "no header may hold");
	delegated = standin_ctl("create-reviewer", "ns", "delegated", NULL);
	expect(review(site.server, delegated, NO, NO), KUBE_OK, "");
	first = strstr(journal, "no token_reviewer_jwt is configured");
	assert_non_null(first);
	assert_null(strstr(first + 1, "no token_reviewer_jwt is configured"));
	free(own);
	free(delegated);
}

struct learned {
	unsigned done;
	enum kube_verdict verdict;
	char audiences[256], reason[512];
};

static void on_learned(void *arg, const char *const *audiences, const char *reason, enum kube_verdict verdict)
{
	struct learned *learned = arg;

	learned->done++;
	learned->verdict = verdict;
	keep_list(learned->audiences, sizeof(learned->audiences), audiences);
	snprintf(learned->reason, sizeof(learned->reason), "%s", reason ? reason : "");
}

static struct learned learn(struct kube_server *server)
{
	struct learned learned = { 0 };

	kube_learn_api_audiences(server, on_learned, &learned);
	assert_int_equal(learned.done, 0);
	wait_for(&learned.done);
	return learned;
}

static void test_api_audiences(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	struct learned both[2] = { { 0 } }, learned;
	struct site self = site_with(standin_host, standin_ca, NULL);

	(void)state;
	CTL("requests", "--clear");
	CTL("mode", "http500");
	learned = learn(site.server);
	assert_int_equal(learned.verdict, KUBE_UNAVAILABLE);
	assert_string_equal(learned.audiences, "");
	assert_non_null(strstr(learned.reason, "an error on the server"));
	CTL("mode", "ok");
	kube_learn_api_audiences(site.server, on_learned, &both[0]);
	kube_learn_api_audiences(site.server, on_learned, &both[1]);
	wait_for(&both[0].done);
	wait_for(&both[1].done);
	assert_string_equal(both[0].audiences, API " ");
	assert_string_equal(both[1].audiences, API " ");
	assert_string_equal(learn(site.server).audiences, API " ");
	assert_int_equal(standin_count(NULL), 2);
	learned = learn(self.server);
	assert_int_equal(learned.verdict, KUBE_UNAVAILABLE);
	assert_string_equal(learned.reason, "no token_reviewer_jwt is configured");
	site_end(&self);
}

struct labels {
	unsigned done;
	char text[256];
	enum kube_verdict verdict;
};

static void on_labels(void *arg, const json_t *labels, const char *error, enum kube_verdict verdict)
{
	struct labels *ret = arg;
	const char *team = json_string_value(json_object_get(labels, "team"));

	ret->done++;
	ret->verdict = verdict;
	assert_true((labels == NULL) == (error != NULL));
	snprintf(ret->text, sizeof(ret->text), "%s", error ? error : team ? team : "none");
}

static void check_labels(struct kube_server *server, const char *name, enum kube_verdict verdict, const char *text)
{
	struct labels labels = { 0 };

	kube_namespace_labels(server, name, on_labels, &labels);
	assert_int_equal(labels.done, 0);
	wait_for(&labels.done);
	assert_string_equal(labels.text, text);
	assert_int_equal(labels.verdict, verdict);
}

static void test_labels(void **state)
{
	char *text = standin_ctl("create-reviewer", "vault", "blind", NULL);
	AUTO_SECRET struct secret *blind = secret_of(text);
	SITE = site_with(standin_host, standin_ca, reviewer);
	struct site without = site_with(standin_host, standin_ca, NULL),
		    unseeing = site_with(standin_host, standin_ca, blind);

	(void)state;
	check_labels(site.server, "ns", KUBE_OK, "blue");
	check_labels(site.server, "kube-system", KUBE_OK, "none");
	check_labels(site.server, "nowhere", KUBE_REFUSED,
	    "failed to get namespace (code 404 status namespaces \"nowhere\" not found)");
	check_labels(site.server, "ns/../x", KUBE_REFUSED, "the namespace is not a valid Kubernetes name");
	check_labels(without.server, "ns", KUBE_REFUSED,
	    "namespace lookup failed: TokenReviewer JWT needs to be configured to use namespace selectors");
	check_labels(unseeing.server, "ns", KUBE_UNAVAILABLE,
	    "failed to get namespace (code 403 status namespaces \"ns\" is forbidden: User "
	    "\"system:serviceaccount:vault:blind\" "
	    "cannot get resource \"namespaces\" in API group \"\" in the namespace \"ns\")");
	CTL("mode", "http500");
	check_labels(site.server, "ns", KUBE_UNAVAILABLE,
	    "failed to parse error status on namespace retrieval failure err=the answer is not a JSON object");
	CTL("mode", "answer:200:{\"metadata\":{\"labels\":[]}}");
	check_labels(site.server, "ns", KUBE_UNAVAILABLE, "the answer is not a namespace");
	CTL("mode", "answer:200:{\"metadata\":{}}");
	check_labels(site.server, "ns", KUBE_OK, "none");
	CTL("mode", "ok");
	site_end(&without);
	site_end(&unseeing);
	free(text);
}

/* A server may be given up while its call is in progress: the call ends as it would. */
static void test_freed_under_a_call(void **state)
{
	SITE = site_with(standin_host, standin_ca, reviewer);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	struct outcome outcome = { 0 };

	(void)state;
	CTL("mode", "hold");
	kube_review_token(site.server, secret, NULL, on_reviewed, &outcome);
	event_base_loop(base, EVLOOP_NONBLOCK);
	kube_server_free(TAKE_PTR(site.server));
	assert_int_equal(outcome.done, 0);
	CTL("mode", "ok");
	wait_for(&outcome.done);
	expect(outcome, KUBE_REFUSED, "invalid for the target audiences");
}

static void test_stopped_under_a_call(void **state)
{
	struct site site = site_with(standin_host, standin_ca, reviewer);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	struct outcome outcomes[70] = { { 0 } };

	(void)state;
	CTL("mode", "hang");
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		kube_review_token(site.server, secret, NULL, on_reviewed, &outcomes[i]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	site_end(&site);
	CTL("mode", "ok");
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		assert_int_equal(outcomes[i].done, 1);
		expect(outcomes[i], KUBE_UNAVAILABLE, "k8sauthd is stopping");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_retry, standin_mode_ok),
		cmocka_unit_test_teardown(test_hanging, standin_mode_ok),
		cmocka_unit_test_teardown(test_blackhole, standin_mode_ok),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_one_hangs),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_new_ca),
		cmocka_unit_test_teardown(test_wrong_host_name, end_other_standin),
		cmocka_unit_test(test_reviewers),
		cmocka_unit_test(test_self_review),
		cmocka_unit_test_teardown(test_api_audiences, standin_mode_ok),
		cmocka_unit_test_teardown(test_labels, standin_mode_ok),
		cmocka_unit_test_teardown(test_freed_under_a_call, standin_mode_ok),
		cmocka_unit_test_teardown(test_stopped_under_a_call, standin_mode_ok),
	};

	return cmocka_run_group_tests_name("kube", tests, kube_setup, kube_teardown);
}
