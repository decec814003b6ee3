/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a service account is still there: what the daemon itself may ask, and what the API server must say for it. */
#include <curl/curl.h>

#include "core_fixture.h"
#include "standin.h"

static char *reviewer, *uid;

struct result {
	bool done;
	int status;
	enum vault_failure failure;
	char reason[512];
	json_t *data;
};

static struct result last;

static void on_result(void *arg, struct vault_response *response)
{
	struct result *result = arg;

	result->done = true;
	result->status = response->status;
	result->failure = response->failure;
	snprintf(result->reason, sizeof(result->reason), "%s",
	    response->reason ? response->reason : vault_response_error_text(response));
	result->data = json_incref(response->data);
}

static void send_path(struct world *world, const char *path, bool internal)
{
	struct vault_request *request = vault_request_new(VAULT_READ, path);

	json_decref(last.data);
	last = (struct result){ 0 };
	request->internal = internal;
	if (!internal)
		request->token = secret_copy("root", 4);
	vault_send(core_vault(world->core), request, on_result, &last);
}

static void look(struct world *world, const char *account)
{
	char path[256];

	snprintf(path, sizeof(path), "k8sauth/auth/kubernetes/serviceaccount/%s", account);
	send_path(world, path, true);
	while (!last.done)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

static void configure(struct world *world, const char *bearer)
{
	json_t *data = json_pack("{s:s, s:s, s:s, s:b}", "kubernetes_host", standin_host, "kubernetes_ca_cert",
	    standin_ca, "token_reviewer_jwt", bearer, "disable_local_ca_jwt", 1);
	char *text = json_dumps(data, JSON_COMPACT);

	assert_int_equal(ask(world, VAULT_UPDATE, "auth/kubernetes/config", "root", text)->status, 204);
	free(text);
	json_decref(data);
}

static int group_setup(void **state)
{
	(void)state;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || standin_start() < 0)
		return -1;
	reviewer = standin_ctl("create-reviewer", "vault", "vault-auth", "--role", "view", NULL);
	CTL("create-ns", "ns");
	uid = standin_ctl("create-sa", "ns", "sa", NULL);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	standin_stop();
	free(reviewer);
	free(uid);
	json_decref(last.data);
	curl_global_cleanup();
	return 0;
}

static int setup(void **state)
{
	if (world_setup(state) < 0)
		return -1;
	assert_int_equal(
	    ask(*state, VAULT_UPDATE, "sys/auth/kubernetes", "root", "{\"type\":\"kubernetes\"}")->status, 204);
	CTL("mode", "ok");
	return 0;
}

static void expect_unknown(const char *reason)
{
	if (last.status != 503 || last.failure != VAULT_FAILED_OUTAGE || last.data || !strstr(last.reason, reason))
		fail_msg("status %d, failure %d, reason %s", last.status, last.failure, last.reason);
}

static void test_there_or_gone(void **state)
{
	struct world *world = *state;
	const char *found;

	configure(world, reviewer);
	look(world, "ns/sa");
	assert_int_equal(last.status, 200);
	found = json_string_value(json_object_get(last.data, "uid"));
	assert_non_null(found);
	assert_int_equal(strlen(found), 36);
	look(world, "ns/no-such-sa");
	assert_int_equal(last.status, 200);
	assert_true(json_is_null(json_object_get(last.data, "uid")));
	look(world, "no-such-ns/sa");
	assert_int_equal(last.status, 200);
	assert_true(json_is_null(json_object_get(last.data, "uid")));
}

/* Nothing but the API server's own word for this very account is an answer. */
static void test_unknown(void **state)
{
	static const char *const answers[] = {
		"answer:404:{}",
		"answer:404:nothing here",
		"answer:404:{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"the server could not find it\"}",
		"answer:404:{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"serviceaccounts\","
		"\"name\":\"other\"}}",
		"answer:404:{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"namespaces\",\"name\":"
		"\"sa\"}}",
		"answer:200:{\"metadata\":{\"name\":\"other\",\"uid\":\"u\"}}",
		"answer:200:{\"metadata\":{\"name\":\"sa\",\"uid\":\"\"}}",
		"answer:200:{\"metadata\":{\"name\":\"sa\",\"uid\":7}}",
		"answer:200:[]",
	};
	struct world *world = *state;

	look(world, "ns/sa");
	expect_unknown("is not configured");
	configure(world, reviewer);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CTL("mode", answers[i]);
		look(world, "ns/sa");
		expect_unknown("failed to get service account");
	}
	CTL("mode", "status:403");
	look(world, "ns/sa");
	expect_unknown("code 403");
	CTL("mode", "status:500");
	look(world, "ns/sa");
	expect_unknown("code 500");
	CTL("mode", "reset");
	look(world, "ns/sa");
	expect_unknown("");
}

static void test_no_reviewer(void **state)
{
	struct world *world = *state;

	configure(world, "");
	look(world, "ns/sa");
	expect_unknown("token_reviewer_jwt only");
}

/* No client can ask that, root token or not, and nobody else's path becomes it. */
static void test_own_path(void **state)
{
	struct world *world = *state;
	static const char *const paths[] = { "k8sauth/auth/kubernetes/serviceaccount/ns/sa",
		"auth/kubernetes/serviceaccount/ns/sa" };

	configure(world, reviewer);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		send_path(world, paths[i], false);
		while (!last.done)
			assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
		assert_int_equal(last.status, 404);
	}
	send_path(world, "auth/kubernetes/serviceaccount/ns/sa", true);
	while (!last.done)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
	assert_int_equal(last.status, 404);
	send_path(world, "k8sauth/auth/kubernetes/login", true);
	while (!last.done)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
	assert_int_equal(last.status, 404);
}

static void test_closed_meanwhile(void **state)
{
	struct world *world = *state;

	configure(world, reviewer);
	CTL("mode", "hang");
	send_path(world, "k8sauth/auth/kubernetes/serviceaccount/ns/sa", true);
	event_base_loop(world->base, EVLOOP_ONCE);
	core_close(TAKE_PTR(world->core));
	assert_true(last.done);
	assert_int_not_equal(last.status, 200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_there_or_gone),
		TEST(test_unknown),
		TEST(test_no_reviewer),
		TEST(test_own_path),
		TEST(test_closed_meanwhile),
	};

	return cmocka_run_group_tests_name("auth_kubernetes_account", tests, group_setup, group_teardown);
}
