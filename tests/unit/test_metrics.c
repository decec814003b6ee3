/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: how they are counted and shown, and what sys/metrics gives to whom. */
#include "base/buf.h"
#include "base/metrics.h"
#include "core_fixture.h"

static char *text_of(void)
{
	struct buf text = { 0 };

	metrics_text(&text);
	assert_false(text.failed);
	return buf_take(&text);
}

static void expect_text(const char *line, bool there)
{
	char *text = text_of();

	if ((strstr(text, line) != NULL) != there)
		fail_msg("%s%s:\n%s", line, there ? " is not in" : " is in", text);
	free(text);
}

static int forget(void **state)
{
	(void)state;
	metrics_free();
	return 0;
}

static void test_counter(void **state)
{
	(void)state;
	metric_count(METRIC_LOGINS, METRIC_LABELS("api", "refused", "jwt"));
	metric_count(METRIC_LOGINS, METRIC_LABELS("api", "refused", "jwt"));
	metric_count(METRIC_LOGINS, METRIC_LABELS("a\"\\\nb", "refused", ""));
	expect_text("# TYPE k8sauth_logins_total counter\n"
		    "k8sauth_logins_total{via=\"a\\\"\\\\\\nb\",result=\"refused\",reason=\"\"} 1\n"
		    "k8sauth_logins_total{via=\"api\",result=\"refused\",reason=\"jwt\"} 2\n",
	    true);
	metric_clear(METRIC_LOGINS);
	expect_text("k8sauth_logins_total", false);
}

static void test_histogram(void **state)
{
	(void)state;
	metric_observe(METRIC_COMMITS, NULL, 0.0001);
	metric_observe(METRIC_COMMITS, NULL, 0.3);
	metric_observe(METRIC_COMMITS, NULL, 99);
	expect_text("k8sauth_store_commit_duration_seconds_bucket{le=\"0.0001\"} 1\n", true);
	expect_text("k8sauth_store_commit_duration_seconds_bucket{le=\"0.25\"} 1\n", true);
	expect_text("k8sauth_store_commit_duration_seconds_bucket{le=\"0.5\"} 2\n", true);
	expect_text("_bucket{le=\"10\"} 2\nk8sauth_store_commit_duration_seconds_bucket{le=\"+Inf\"} 3\n"
		    "k8sauth_store_commit_duration_seconds_sum 99.3001\nk8sauth_store_commit_duration_seconds_count "
		    "3\n",
	    true);
}

/* However many values a label gets. */
static void test_bounded(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < METRIC_SERIES_MAX + 100; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		metric_count(METRIC_LIMITED, METRIC_LABELS(name));
	}
	expect_text("k8sauth_rate_limited_total{quota=\"other\"} 100\n", true);
}

static void test_zeroes(void **state)
{
	(void)state;
	metrics_refresh();
	expect_text("k8sauth_store_commit_failures_total 0\n", true);
	expect_text("k8sauth_audit_failures_total{stage=\"response\"} 0\n", true);
	expect_text("process_resident_memory_bytes 0\n", false);
	expect_text("process_start_time_seconds 0\n", false);
}

/* With a token and the policy for it; where the listener says so, without, sealed as well. */
static void test_access(void **state)
{
	struct world *world = *state;
	struct ask open = { .op = VAULT_READ, .path = "sys/metrics", .peer = VAULT_PEER_TCP, .open_metrics = true };

	assert_int_equal(ask(world, VAULT_READ, "sys/metrics", NULL, NULL)->status, 403);
	assert_int_equal(ask(world, VAULT_READ, "sys/metrics", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "{\"Timestamp\":\""));
	assert_non_null(strstr(world->last.text, "\"Points\":[],\"Counters\":["));
	assert_int_equal(ask(world, VAULT_READ, "sys/metrics", "root", "{\"format\":\"x\"}")->status, 400);
	assert_int_equal(ask_as(world, &open)->status, 200);
	open.path = "sys/mounts";
	assert_int_equal(ask_as(world, &open)->status, 403);
}

/* What requests and their ends count. */
static void test_requests(void **state)
{
	struct world *world = *state;

	metrics_free();
	ask(world, VAULT_UPDATE, "sys/auth/kubernetes", "root", "{\"type\":\"kubernetes\"}");
	ask(world, VAULT_UPDATE, "auth/kubernetes/login", NULL, "{\"role\":\"x\",\"jwt\":\"y\"}");
	ask(world, VAULT_READ, "auth/kubernetes/login", NULL, NULL);
	expect_text("k8sauth_logins_total{via=\"api\",result=\"refused\",reason=\"role\"} 1\n", true);
	expect_text("k8sauth_request_duration_seconds_count{kind=\"login\"} 1\n", true);
	expect_text("k8sauth_request_duration_seconds_count{kind=\"request\"} 2\n", true);
	ask(world, VAULT_UPDATE, "sys/quotas/rate-limit/all", "root", "{\"rate\":1,\"interval\":\"1h\"}");
	for (int i = 0; i < 3; i++)
		ask(world, VAULT_READ, "sys/mounts", "root", NULL);
	expect_text("k8sauth_rate_limited_total{quota=\"all\"} 2\n", true);
	expect_text("vault_core_handle_login_request_count 1\n", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_counter, forget),
		cmocka_unit_test_teardown(test_histogram, forget),
		cmocka_unit_test_teardown(test_bounded, forget),
		cmocka_unit_test_teardown(test_zeroes, forget),
		cmocka_unit_test_setup_teardown(test_access, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_requests, world_setup, world_teardown),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	metrics_free();
	return r;
}
