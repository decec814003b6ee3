/* SPDX-License-Identifier: Apache-2.0 */
/* See kube_fixture.h. */
#include "kube_fixture.h"

#include "base/log.h"

struct event_base *base;
char *pod_token, journal[4096];
struct secret *reviewer;

struct secret *secret_of(const char *text)
{
	return secret_copy(text, strlen(text));
}

static void journal_sink(int level, const char *ref, const char *line)
{
	(void)level;
	(void)ref;
	snprintf(journal + strlen(journal), sizeof(journal) - strlen(journal), "%s\n", line);
}

int kube_setup(void **state)
{
	char *text;

	(void)state;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || standin_start() < 0)
		return -1;
	log_set_sink(journal_sink);
	base = event_base_new();
	text = standin_ctl("create-reviewer", "vault", "vault-auth", "--role", "view", NULL);
	reviewer = secret_of(text);
	free(text);
	CTL("create-ns", "ns", "--label", "team=blue");
	CTL("create-sa", "ns", "sa");
	CTL("create-pod", "ns", "pod-0", "--sa", "sa", "--node", "node-1");
	pod_token = standin_ctl("token", "ns", "sa", "--audience", "k8sauth", "--pod", "pod-0", NULL);
	return base && reviewer && pod_token ? 0 : -1;
}

int kube_teardown(void **state)
{
	(void)state;
	standin_stop();
	free(pod_token);
	secret_free(reviewer);
	event_base_free(base);
	curl_global_cleanup();
	return 0;
}

struct site site_with(const char *url, const char *ca_pem, const struct secret *bearer)
{
	struct site site = { .kube = kube_new(base) };

	site.server = kube_server_new(site.kube, url, ca_pem, bearer);
	assert_non_null(site.server);
	return site;
}

void site_end(struct site *site)
{
	kube_server_free(site->server);
	kube_free(site->kube);
}

void keep_list(char *ret, size_t size, const char *const *list)
{
	ret[0] = '\0';
	for (; list && *list; list++)
		snprintf(ret + strlen(ret), size - strlen(ret), "%s ", *list);
}

void on_reviewed(void *arg, const struct kube_review *review)
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

void wait_for(const unsigned *done)
{
	while (!*done)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

struct outcome review(struct kube_server *server, const char *token, const char *audience, const char *second)
{
	const char *const audiences[] = { audience, second, NULL };
	AUTO_SECRET struct secret *secret = secret_of(token);
	struct outcome outcome = { 0 };

	kube_review_token(server, secret, audience ? audiences : NULL, on_reviewed, &outcome);
	assert_int_equal(outcome.done, 0);
	wait_for(&outcome.done);
	return outcome;
}

void expect(struct outcome outcome, enum kube_verdict verdict, const char *reason)
{
	if (outcome.verdict != verdict || !strstr(outcome.reason, reason))
		fail_msg(
		    "verdict %d, reason \"%s\", wanted %d \"%s\"", outcome.verdict, outcome.reason, verdict, reason);
}
