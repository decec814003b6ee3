/* SPDX-License-Identifier: Apache-2.0 */
/* kube: TokenReviews, API audiences and namespaces against the stand-in API server and its faults
 * (kubernetes-auth.md 3.6, 6). */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <curl/curl.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "kube/kube.h"

#define API "https://kubernetes.default.svc.cluster.local"
#define NO  NULL

static struct event_base *base;
static char state_dir[64], host[64];
static pid_t server_pid;
static char *ca, *pod_token;
static struct secret *reviewer;
static char journal[4096];

/* --- the stand-in */

static char *read_file(const char *name)
{
	char path[128];
	struct buf buf = { 0 };
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	file = fopen(path, "re");
	while (file && (c = fgetc(file)) != EOF)
		buf_add_char(&buf, (char)c);
	if (file)
		fclose(file);
	return buf_take(&buf);
}

/* Runs `apiserver ctl`: what it printed, without the newline. */
static char *ctl(const char *first, ...)
{
	const char *testbed = getenv("TESTBED");
	const char *argv[24] = { NULL, "ctl", "--state", state_dir, first };
	size_t n = 5;
	struct buf out = { 0 };
	posix_spawn_file_actions_t actions;
	int pipes[2], status = -1;
	char script[512], data[4096];
	ssize_t got;
	va_list args;
	pid_t pid;

	va_start(args, first);
	while (n < ARRAY_SIZE(argv) - 1 && (argv[n] = va_arg(args, const char *)))
		n++;
	va_end(args);
	snprintf(script, sizeof(script), "%s/apiserver", testbed);
	argv[0] = script;
	assert_int_equal(pipe(pipes), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	assert_int_equal(posix_spawn(&pid, script, &actions, NULL, (char **)(uintptr_t)argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	while ((got = read(pipes[0], data, sizeof(data))) > 0)
		buf_add(&out, data, (size_t)got);
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	buf_add_str(&out, "");
	return buf_take(&out);
}

#define CTL(...) free(ctl(__VA_ARGS__, (char *)NULL))

static pid_t start_server(const char *address)
{
	char script[512];
	const char *argv[] = { script, "--state", state_dir, "--port", "0", "--address", address, "--port-file", NULL,
		NULL };
	char port_file[128], *port = NULL;
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	snprintf(script, sizeof(script), "%s/apiserver", getenv("TESTBED"));
	snprintf(port_file, sizeof(port_file), "%s/port", state_dir);
	argv[8] = port_file;
	unlink(port_file);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	r = posix_spawn(&pid, script, &actions, NULL, (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -1;
	for (int i = 0; i < 600 && access(port_file, R_OK) < 0; i++)
		usleep(50000);
	port = read_file("port");
	snprintf(host, sizeof(host), "https://%s:%d", address, port ? atoi(port) : 0);
	free(port);
	return pid;
}

static void stop_server(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
}

static struct secret *secret_of(const char *text)
{
	return secret_copy(text, strlen(text));
}

static void journal_sink(int level, const char *ref, const char *line)
{
	(void)level;
	(void)ref;
	snprintf(journal + strlen(journal), sizeof(journal) - strlen(journal), "%s\n", line);
}

static int start(void **state)
{
	char *text;

	(void)state;
	snprintf(state_dir, sizeof(state_dir), "/tmp/test_kube.XXXXXX");
	if (!mkdtemp(state_dir) || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return -1;
	log_set_sink(journal_sink);
	/* Nothing of the environment may decide where tokens go. */
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	base = event_base_new();
	server_pid = start_server("127.0.0.1");
	if (server_pid < 0)
		return -1;
	ca = read_file("ca.crt");
	text = ctl("create-reviewer", "vault", "vault-auth", "--role", "view", NULL);
	reviewer = secret_of(text);
	free(text);
	CTL("create-ns", "ns", "--label", "team=blue");
	CTL("create-sa", "ns", "sa");
	CTL("create-pod", "ns", "pod-0", "--sa", "sa", "--node", "node-1");
	pod_token = ctl("token", "ns", "sa", "--audience", "k8sauth", "--pod", "pod-0", NULL);
	return ca && reviewer && pod_token ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int stop(void **state)
{
	(void)state;
	stop_server(server_pid);
	nftw(state_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(ca);
	free(pod_token);
	secret_free(reviewer);
	event_base_free(base);
	curl_global_cleanup();
	return 0;
}

/* --- a review, waited for */

struct outcome {
	unsigned done;
	enum kube_verdict verdict;
	char reason[512];
	char text[512]; /* username uid? namespace/name pod node */
	char audiences[256];
};

static void keep_list(char *ret, size_t size, const char *const *list)
{
	ret[0] = '\0';
	for (; list && *list; list++)
		snprintf(ret + strlen(ret), size - strlen(ret), "%s ", *list);
}

static void on_reviewed(void *arg, const struct kube_review *review)
{
	struct outcome *outcome = arg;

	outcome->done++;
	outcome->verdict = review->verdict;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", review->reason);
	keep_list(outcome->audiences, sizeof(outcome->audiences), review->audiences);
	if (review->verdict == KUBE_OK)
		snprintf(outcome->text, sizeof(outcome->text), "%s %s/%s %s %s %s", review->username,
		    review->namespace_name, review->service_account, review->uid[0] ? "uid" : "",
		    review->pod_name ? review->pod_name : "-", review->node_name ? review->node_name : "-");
}

static void wait_for(const unsigned *done)
{
	while (!*done)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static struct outcome review(struct kube_server *server, const char *token, const char *audience, const char *second)
{
	const char *const audiences[] = { audience, second, NULL };
	AUTO_SECRET struct secret *secret = secret_of(token);
	struct outcome outcome = { 0 };

	kube_review_token(server, secret, audience ? audiences : NULL, on_reviewed, &outcome);
	assert_int_equal(outcome.done, 0);
	wait_for(&outcome.done);
	return outcome;
}

static void expect(struct outcome outcome, enum kube_verdict verdict, const char *reason)
{
	if (outcome.verdict != verdict || !strstr(outcome.reason, reason))
		fail_msg(
		    "verdict %d, reason \"%s\", wanted %d \"%s\"", outcome.verdict, outcome.reason, verdict, reason);
}

static json_t *requests(void)
{
	char *text = ctl("requests", NULL);
	json_t *json = json_loads(text, 0, NULL);

	free(text);
	assert_non_null(json);
	return json;
}

static size_t count_requests(json_int_t *ret_connections)
{
	json_t *json = requests();
	size_t n = json_array_size(json_object_get(json, "requests"));

	if (ret_connections)
		*ret_connections = json_integer_value(json_object_get(json, "connections"));
	json_decref(json);
	return n;
}

struct site {
	struct kube *kube;
	struct kube_server *server;
};

static struct site site_with(const char *url, const char *ca_pem, const struct secret *bearer)
{
	struct site site = { .kube = kube_new(base) };

	site.server = kube_server_new(site.kube, url, ca_pem, bearer);
	assert_non_null(site.server);
	return site;
}

static void site_end(struct site *site)
{
	kube_server_free(site->server);
	kube_free(site->kube);
}

#define SITE CLEANUP(site_end) struct site site

/* --- tests */

static void test_review(void **state)
{
	SITE = site_with(host, ca, reviewer);
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
	assert_int_equal(count_requests(&connections), 5);
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
	SITE = site_with(host, ca, reviewer);
	char *token = ctl("token", "ns", "sa", NULL);
	struct outcome outcome = review(site.server, token, NO, NO);

	(void)state;
	expect(outcome, KUBE_OK, "");
	assert_string_equal(outcome.audiences, API " ");
	assert_string_equal(outcome.text, "system:serviceaccount:ns:sa ns/sa uid - -");
	free(token);
}

static void test_gone(void **state)
{
	SITE = site_with(host, ca, reviewer);
	char *expired = ctl("token", "ns", "sa", "--audience", "a", "--duration", "-100", NULL);
	char *leeway = ctl("token", "ns", "sa", "--audience", "a", "--duration", "-30", NULL);
	char *pod, *account;

	(void)state;
	expect(review(site.server, expired, "a", NO), KUBE_REFUSED, "service account token has expired");
	expect(review(site.server, leeway, "a", NO), KUBE_OK, "");
	CTL("create-pod", "ns", "pod-1", "--sa", "sa");
	pod = ctl("token", "ns", "sa", "--audience", "a", "--pod", "pod-1", NULL);
	expect(review(site.server, pod, "a", NO), KUBE_OK, "");
	CTL("delete", "pod", "ns", "pod-1");
	expect(review(site.server, pod, "a", NO), KUBE_REFUSED, "service account token has been invalidated");
	CTL("create-pod", "ns", "pod-1", "--sa", "sa");
	expect(review(site.server, pod, "a", NO), KUBE_REFUSED, "does not match service account pod ref claim");
	CTL("create-sa", "ns", "gone");
	account = ctl("token", "ns", "gone", "--audience", "a", "--alg", "ES256", NULL);
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
	SITE = site_with(host, ca, reviewer);
	char mode[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		snprintf(mode, sizeof(mode), "answer:%s:%s", answers[i].status, answers[i].body);
		CTL("mode", mode);
		expect(review(site.server, pod_token, "a", NO), answers[i].verdict, answers[i].reason);
	}
	CTL("mode", "ok");
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
	SITE = site_with(host, ca, reviewer);

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
	SITE = site_with(host, ca, reviewer);

	(void)state;
	CTL("requests", "--clear");
	CTL("mode", "status:307");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE,
	    "the server responded with the status code 307");
	assert_int_equal(count_requests(NULL), 1);
	CTL("mode", "ok");
}

/* A kept-alive connection that dies under the request is no outage; a fresh one that does, is. */
static void test_retry(void **state)
{
	SITE = site_with(host, ca, reviewer);

	(void)state;
	CTL("mode", "drop-reused");
	CTL("requests", "--clear");
	for (int i = 0; i < 3; i++)
		expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
	assert_int_equal(count_requests(NULL), 5);
	CTL("mode", "reset");
	CTL("requests", "--clear");
	site_end(&site);
	site = site_with(host, ca, reviewer);
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE, "");
	assert_int_equal(count_requests(NULL), 1);
	CTL("mode", "ok");
}

/* One that never answers is given up, and so is what waits behind it; calls beyond what may wait end at once. */
static void test_hanging(void **state)
{
	enum { CALLS = 64 + 1024 + 2 };
	static struct outcome outcomes[CALLS];
	SITE = site_with(host, ca, reviewer);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	unsigned timed_out = 0, waited = 0, too_many = 0;

	(void)state;
	CTL("mode", "hang");
	for (int i = 0; i < CALLS; i++)
		kube_review_token(site.server, secret, NULL, on_reviewed, &outcomes[i]);
	for (int i = 0; i < CALLS; i++) {
		wait_for(&outcomes[i].done);
		assert_int_equal(outcomes[i].done, 1);
		assert_int_equal(outcomes[i].verdict, KUBE_UNAVAILABLE);
		timed_out += strstr(outcomes[i].reason, "timed out") != NULL ||
			     strstr(outcomes[i].reason, "timeout") != NULL;
		waited += strstr(outcomes[i].reason, "for a turn") != NULL;
		too_many += strstr(outcomes[i].reason, "are waiting") != NULL;
	}
	/* those in the queue may get their turn in the last moment */
	assert_int_equal(timed_out + waited, 64 + 1024);
	assert_true(timed_out >= 64);
	assert_int_equal(too_many, 2);
	CTL("mode", "ok");
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_OK, "");
}

static void test_blackhole(void **state)
{
	SITE = site_with(host, ca, reviewer);

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
	SITE = site_with(host, ca, reviewer);
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
	assert_int_equal(count_requests(&connections), CALLS);
	assert_true(connections <= 64);
}

static void one_site(const char *url, const char *ca_pem, enum kube_verdict verdict, const char *reason)
{
	SITE = site_with(url, ca_pem, reviewer);

	expect(review(site.server, pod_token, "k8sauth", NO), verdict, reason);
}

static void test_trust(void **state)
{
	char *inner = read_file("intermediate.crt"), *other = read_file("other-ca.crt");
	char slash[80], plain[80], upper[80], with_user[96];

	(void)state;
	one_site(host, inner, KUBE_OK, "");
	one_site(host, other, KUBE_UNAVAILABLE, "certificate");
	one_site(host, "no certificate", KUBE_UNAVAILABLE, "certificate");
	one_site(host, NULL, KUBE_UNAVAILABLE, "certificate");
	snprintf(slash, sizeof(slash), "%s/", host);
	one_site(slash, ca, KUBE_OK, "");
	snprintf(upper, sizeof(upper), "HTTPS%s", host + 5);
	one_site(upper, ca, KUBE_OK, "");
	snprintf(plain, sizeof(plain), "http%s", host + 5);
	one_site(plain, ca, KUBE_UNAVAILABLE, "");
	one_site(host + 8, ca, KUBE_UNAVAILABLE, "begins with https://");
	one_site("file:///etc/passwd", ca, KUBE_UNAVAILABLE, "begins with https://");
	snprintf(with_user, sizeof(with_user), "https://a:b@%s", host + 8);
	one_site(with_user, ca, KUBE_UNAVAILABLE, "");
	one_site("https://", ca, KUBE_UNAVAILABLE, "");
	one_site("https://no-such-host.invalid", ca, KUBE_UNAVAILABLE, "resolve");
	one_site("https://127.0.0.1:1", ca, KUBE_UNAVAILABLE, "onnect");
	free(inner);
	free(other);
}

/* A new configuration never meets a connection of the old one. */
static void test_new_ca(void **state)
{
	SITE = site_with(host, ca, reviewer);
	char *other = read_file("other-ca.crt");
	struct kube_server *old = site.server;

	(void)state;
	expect(review(old, pod_token, "k8sauth", NO), KUBE_OK, "");
	site.server = kube_server_new(site.kube, host, other, reviewer);
	expect(review(site.server, pod_token, "k8sauth", NO), KUBE_UNAVAILABLE, "certificate");
	expect(review(old, pod_token, "k8sauth", NO), KUBE_OK, "");
	kube_server_free(old);
	free(other);
}

static void test_wrong_host_name(void **state)
{
	char old_host[sizeof(host)];
	pid_t pid;

	(void)state;
	memcpy(old_host, host, sizeof(host));
	pid = start_server("127.0.0.2");
	one_site(host, ca, KUBE_UNAVAILABLE, "127.0.0.2");
	stop_server(pid);
	one_site(host, ca, KUBE_UNAVAILABLE, "onnect");
	/* both had the same state folder: the first one's control socket is gone */
	stop_server(server_pid);
	server_pid = start_server("127.0.0.1");
	one_site(host, ca, KUBE_OK, "");
}

static void with_reviewer(const char *text, enum kube_verdict verdict, const char *reason)
{
	AUTO_SECRET struct secret *bearer = text ? secret_of(text) : NULL;
	SITE = site_with(host, ca, bearer);

	expect(review(site.server, pod_token, "k8sauth", NO), verdict, reason);
}

static void test_reviewers(void **state)
{
	char *no_rights = ctl("token", "ns", "sa", NULL), *newline = NULL;

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
	SITE = site_with(host, ca, NULL);
	char *own = ctl("token", "ns", "sa", "--audience", API, "--audience", "a", NULL), *delegated, *first;

	(void)state;
	journal[0] = '\0';
	expect(
	    review(site.server, pod_token, "k8sauth", NO), KUBE_REFUSED, "lookup failed: service account unauthorized");
	expect(review(site.server, own, "a", NO), KUBE_REFUSED, "tokenreviews.authentication.k8s.io is forbidden");
	expect(review(site.server, "a\nb", NO, NO), KUBE_UNAVAILABLE, "no header may hold");
	delegated = ctl("create-reviewer", "ns", "delegated", NULL);
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
	SITE = site_with(host, ca, reviewer);
	struct learned both[2] = { { 0 } }, learned;
	struct site self = site_with(host, ca, NULL);

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
	assert_int_equal(count_requests(NULL), 2);
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
	char *text = ctl("create-reviewer", "vault", "blind", NULL);
	AUTO_SECRET struct secret *blind = secret_of(text);
	SITE = site_with(host, ca, reviewer);
	struct site without = site_with(host, ca, NULL), unseeing = site_with(host, ca, blind);

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
	SITE = site_with(host, ca, reviewer);
	AUTO_SECRET struct secret *secret = secret_of(pod_token);
	struct outcome outcome = { 0 };

	(void)state;
	CTL("mode", "slow:100");
	kube_review_token(site.server, secret, NULL, on_reviewed, &outcome);
	event_base_loop(base, EVLOOP_NONBLOCK);
	kube_server_free(TAKE_PTR(site.server));
	wait_for(&outcome.done);
	expect(outcome, KUBE_REFUSED, "invalid for the target audiences");
	CTL("mode", "ok");
}

static void test_stopped_under_a_call(void **state)
{
	struct site site = site_with(host, ca, reviewer);
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
		cmocka_unit_test(test_review),
		cmocka_unit_test(test_no_audience),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_redirects_are_not_followed),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_hanging),
		cmocka_unit_test(test_blackhole),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_new_ca),
		cmocka_unit_test(test_wrong_host_name),
		cmocka_unit_test(test_reviewers),
		cmocka_unit_test(test_self_review),
		cmocka_unit_test(test_api_audiences),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_freed_under_a_call),
		cmocka_unit_test(test_stopped_under_a_call),
	};

	return cmocka_run_group_tests_name("kube", tests, start, stop);
}
