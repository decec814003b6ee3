/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubernetes engine on a backend in memory and the stand-in API server: what logins through PAM must fulfil
 * (decision 8), where the identity comes from (decision 7), what kind of failure it was, and changes under way.
 * Statuses and texts of every refusal over HTTP: tests/integration/login_rejections.
 */
#include <curl/curl.h>

#include "core_fixture.h"
#include "standin.h"

#define API "https://kubernetes.default.svc.cluster.local"

static char *token, *two_audiences, *reviewer;

/* --- asking */

struct result {
	bool done;
	int status;
	enum vault_failure failure;
	char step[32], error[512], reason[768];
	json_t *auth;
};

static struct result last;

static void on_result(void *arg, struct vault_response *response)
{
	struct result *result = arg;

	result->done = true;
	result->status = response->status;
	result->failure = response->failure;
	snprintf(result->step, sizeof(result->step), "%s", response->step ? response->step : "");
	snprintf(result->error, sizeof(result->error), "%s", vault_response_error_text(response));
	snprintf(result->reason, sizeof(result->reason), "%s", response->reason ? response->reason : "");
	result->auth = json_incref(response->auth);
}

/* The PAM context; strings are copied. */
struct pam {
	const char *audience, *api_audience;
	bool allow_no_audience, allow_api_audience;
};

static struct vault_pam_login *pam_login(const struct pam *pam)
{
	struct vault_pam_login *login = calloc(1, sizeof(*login));

	login->audience = pam->audience ? strdup(pam->audience) : NULL;
	if (pam->api_audience) {
		login->api_audiences = calloc(2, sizeof(char *));
		login->api_audiences[0] = strdup(pam->api_audience);
	}
	login->allow_no_audience = pam->allow_no_audience;
	login->allow_api_audience = pam->allow_api_audience;
	return login;
}

static void send_login(struct world *world, enum vault_op op, const char *role, const char *jwt, const struct pam *pam,
    struct result *result)
{
	struct vault_request *request = vault_request_new(op, "auth/kubernetes/login");

	json_decref(result->auth);
	*result = (struct result){ 0 };
	request->data = json_pack("{s:s, s:s}", "role", role, "jwt", jwt);
	request->internal = op == VAULT_RESOLVE || op == VAULT_VERIFY;
	request->pam = pam ? pam_login(pam) : NULL;
	snprintf(request->peer.address, sizeof(request->peer.address), "192.0.2.7");
	vault_send(core_vault(world->core), request, on_result, result);
}

static void wait_for_result(struct world *world, const struct result *result)
{
	while (!result->done)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

static void login_as(struct world *world, enum vault_op op, const char *role, const char *jwt, const struct pam *pam)
{
	send_login(world, op, role, jwt, pam, &last);
	wait_for_result(world, &last);
}

static void expect(int status, enum vault_failure failure, const char *step, const char *reason)
{
	if (last.status != status || last.failure != failure || !streq(last.step, step) || !strstr(last.reason, reason))
		fail_msg("status %d, failure %d, step %s, error %s, reason %s", last.status, last.failure, last.step,
		    last.error, last.reason);
}

static void expect_login(void)
{
	expect(200, VAULT_FAILED_NOT, "", "");
	assert_non_null(last.auth);
}

static void write_to(struct world *world, const char *path, json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT);
	struct reply *reply = ask(world, VAULT_UPDATE, path, "root", text);

	if (reply->status >= 300)
		fail_msg("%s: %d %s", path, reply->status, reply->text);
	free(text);
	json_decref(data);
}

static void configure(struct world *world, const char *ca, const char *bearer)
{
	write_to(world, "auth/kubernetes/config",
	    json_pack("{s:s, s:s, s:s, s:b}", "kubernetes_host", standin_host, "kubernetes_ca_cert", ca,
		"token_reviewer_jwt", bearer, "disable_local_ca_jwt", 1));
}

static void write_role(struct world *world, const char *name, const char *member, const char *value)
{
	char path[128];
	json_t *role = json_pack("{s:s, s:s, s:s, s:s}", "bound_service_account_names", "sa",
	    "bound_service_account_namespaces", "ns", "audience", "k8sauth", "token_policies", "p1");

	if (member)
		json_object_set_new(role, member, json_string(value));
	snprintf(path, sizeof(path), "auth/kubernetes/role/%s", name);
	write_to(world, path, role);
}

/* --- the world */

static int group_setup(void **state)
{
	(void)state;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || standin_start() < 0)
		return -1;
	reviewer = standin_ctl("create-reviewer", "vault", "vault-auth", "--role", "view", NULL);
	CTL("create-ns", "ns", "--label", "team=blue");
	CTL("create-sa", "ns", "sa");
	CTL("create-pod", "ns", "pod-0", "--sa", "sa", "--node", "node-1");
	token = standin_ctl("token", "ns", "sa", "--audience", "k8sauth", "--pod", "pod-0", NULL);
	two_audiences = standin_ctl("token", "ns", "sa", "--audience", "k8sauth", "--audience", API, NULL);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	standin_stop();
	free(reviewer);
	free(token);
	free(two_audiences);
	json_decref(last.auth);
	curl_global_cleanup();
	return 0;
}

static int setup(void **state)
{
	struct world *world;

	if (world_setup(state) < 0)
		return -1;
	world = *state;
	write_to(world, "sys/auth/kubernetes", json_pack("{s:s}", "type", "kubernetes"));
	configure(world, standin_ca, reviewer);
	write_role(world, "web", NULL, NULL);
	CTL("mode", "ok");
	CTL("requests", "--clear");
	return 0;
}

/* --- tests */

static void test_login(void **state)
{
	struct world *world = *state;
	const json_t *metadata;

	login_as(world, VAULT_UPDATE, "Web", token, NULL);
	expect_login();
	metadata = json_object_get(last.auth, "metadata");
	assert_string_equal(json_string_value(json_object_get(metadata, "role")), "Web");
	assert_string_equal(json_string_value(json_object_get(metadata, "service_account_name")), "sa");
	assert_string_equal(json_string_value(json_object_get(metadata, "service_account_namespace")), "ns");
	assert_string_equal(json_string_value(json_object_get(metadata, "service_account_secret_name")), "");
	assert_int_equal(json_string_length(json_object_get(metadata, "service_account_uid")), 36);
	assert_int_equal(json_object_size(metadata), 5);
	assert_int_equal(standin_count(NULL), 1);
}

static const struct pam plain_pam = { .audience = "k8sauth" };

static void test_pam_audiences(void **state)
{
	static const struct pam other = { .audience = "other" }, none = { 0 },
				no_audience = { .allow_no_audience = true },
				configured = { .audience = "k8sauth", .api_audience = API },
				anything = { .audience = "k8sauth", .allow_api_audience = true };
	struct world *world = *state;

	login_as(world, VAULT_UPDATE, "web", token, &plain_pam);
	expect_login();
	assert_int_equal(standin_count(NULL), 2); /* the reviewer's own, once */
	login_as(world, VAULT_UPDATE, "web", token, &none);
	expect_login();
	assert_int_equal(standin_count(NULL), 3);
	login_as(world, VAULT_UPDATE, "web", token, &other);
	expect(403, VAULT_FAILED_OTHER_ROLE, "audience", "is not the one of the cluster block, \"other\"");
	write_role(world, "any", "audience", "");
	login_as(world, VAULT_UPDATE, "any", token, &plain_pam);
	expect(403, VAULT_FAILED_OTHER_ROLE, "audience", "the role has no audience");
	login_as(world, VAULT_UPDATE, "any", token, &no_audience);
	expect_login();
	/* A plain login does as Vault does; one through PAM refuses what the API server would take. */
	login_as(world, VAULT_UPDATE, "web", two_audiences, NULL);
	expect_login();
	login_as(world, VAULT_UPDATE, "web", two_audiences, &plain_pam);
	expect(403, VAULT_FAILED_REFUSED, "audience",
	    "the API server would accept this token as its own (audience " API ")");
	assert_string_equal(last.error, "permission denied");
	login_as(world, VAULT_UPDATE, "any", two_audiences, &no_audience);
	expect(403, VAULT_FAILED_REFUSED, "audience", "as its own");
	login_as(world, VAULT_UPDATE, "web", two_audiences, &configured);
	expect(403, VAULT_FAILED_REFUSED, "audience", "as its own");
	login_as(world, VAULT_UPDATE, "web", two_audiences, &anything);
	expect_login();
}

static void test_api_audiences_unknown(void **state)
{
	static const struct pam configured = { .audience = "k8sauth", .api_audience = API };
	struct world *world = *state;
	char *own = standin_ctl("create-reviewer", "ns", "delegated", NULL);

	configure(world, standin_ca, "");
	login_as(world, VAULT_UPDATE, "web", token, &plain_pam);
	expect(403, VAULT_FAILED_OUTAGE, "tokenreview",
	    "the API server's own audiences are not known: no token_reviewer_jwt");
	/* With them configured the token reviews itself, which it may not. */
	login_as(world, VAULT_UPDATE, "web", token, &configured);
	expect(403, VAULT_FAILED_REFUSED, "tokenreview", "lookup failed: service account unauthorized");
	write_role(world, "self", "audience", "");
	write_to(world, "auth/kubernetes/role/self",
	    json_pack("{s:s, s:s}", "bound_service_account_names", "delegated", "audience", ""));
	login_as(world, VAULT_UPDATE, "self", own, NULL);
	expect_login();
	assert_non_null(strstr(world->log, "no token_reviewer_jwt is configured"));
	free(own);
}

static void test_resolve(void **state)
{
	struct world *world = *state;
	char *other = standin_ctl("token", "ns", "default", "--audience", "k8sauth", NULL);

	login_as(world, VAULT_RESOLVE, "web", token, &plain_pam);
	expect(204, VAULT_FAILED_NOT, "", "");
	assert_null(last.auth);
	login_as(world, VAULT_RESOLVE, "nope", token, &plain_pam);
	expect(400, VAULT_FAILED_OTHER_ROLE, "role", "no role of that name");
	login_as(world, VAULT_RESOLVE, "web", other, &plain_pam);
	expect(403, VAULT_FAILED_OTHER_ROLE, "name", "service account ns/default is not in");
	write_role(world, "spaces", "bound_service_account_namespaces", "x,y*");
	login_as(world, VAULT_RESOLVE, "spaces", token, &plain_pam);
	expect(403, VAULT_FAILED_OTHER_ROLE, "namespace", "namespace ns (of service account sa) is not in");
	write_role(world, "aud", "audience", "elsewhere");
	login_as(world, VAULT_RESOLVE, "aud", token, &plain_pam);
	expect(403, VAULT_FAILED_OTHER_ROLE, "audience", "the token's audience is not the role's \"elsewhere\"");
	write_role(world, "cidr", "token_bound_cidrs", "10.0.0.0/8");
	login_as(world, VAULT_RESOLVE, "cidr", token, &plain_pam);
	expect(403, VAULT_FAILED_OTHER_ROLE, "address", "192.0.2.7 is not in");
	login_as(world, VAULT_RESOLVE, "web", "abc", &plain_pam);
	expect(403, VAULT_FAILED_REFUSED, "jwt", "three parts");
	/* Nothing of this asked the API server. */
	assert_int_equal(standin_count(NULL), 0);
	free(other);
}

/* The whole login, of which nothing is kept; and what it hangs on is counted. */
static void test_verify(void **state)
{
	struct world *world = *state;
	const struct vault *vault = core_vault(world->core);
	uint64_t commits = world->core->changes, changed = vault->logins_changed;
	char path[128];

	login_as(world, VAULT_VERIFY, "web", token, &plain_pam);
	expect_login();
	assert_int_equal(json_object_size(last.auth), 1);
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(last.auth, "metadata"), "service_account_name")), "sa");
	assert_int_equal(standin_count(NULL), 2); /* and the reviewer's own */
	login_as(world, VAULT_VERIFY, "nope", token, &plain_pam);
	expect(400, VAULT_FAILED_OTHER_ROLE, "role", "no role of that name");
	assert_int_equal(world->core->changes, commits);
	assert_int_equal(vault->logins_changed, changed);
	/* A login has an entity, and may have none any more. Neither it nor its token changes what others are told. */
	login_as(world, VAULT_UPDATE, "web", token, &plain_pam);
	expect_login();
	assert_int_equal(vault->logins_changed, changed);
	snprintf(
	    path, sizeof(path), "identity/entity/id/%s", json_string_value(json_object_get(last.auth, "entity_id")));
	write_to(world, path, json_pack("{s:b}", "disabled", 1));
	assert_int_equal(vault->logins_changed, ++changed);
	login_as(world, VAULT_VERIFY, "web", token, &plain_pam);
	expect(403, VAULT_FAILED_REFUSED, "entity", "is disabled");
	write_role(world, "root", "token_policies", "root");
	assert_int_equal(vault->logins_changed, ++changed);
}

static void test_selector(void **state)
{
	struct world *world = *state;

	write_to(world, "auth/kubernetes/role/select",
	    json_pack("{s:s, s:s, s:s}", "bound_service_account_names", "sa",
		"bound_service_account_namespace_selector", "matchLabels:\n  team: blue\n", "audience", "k8sauth"));
	login_as(world, VAULT_RESOLVE, "select", token, NULL);
	expect(204, VAULT_FAILED_NOT, "", "");
	assert_int_equal(standin_count(NULL), 1);
	login_as(world, VAULT_UPDATE, "select", token, NULL);
	expect_login();
	assert_int_equal(standin_count(NULL), 3);
	write_to(world, "auth/kubernetes/role/select",
	    json_pack("{s:s}", "bound_service_account_namespace_selector", "{\"matchLabels\":{\"team\":\"red\"}}"));
	login_as(world, VAULT_UPDATE, "select", token, NULL);
	expect(403, VAULT_FAILED_OTHER_ROLE, "namespace", "the labels of namespace ns do not match");
	/* A forged token makes nobody look at a namespace. */
	CTL("requests", "--clear");
	CTL("mode", "other-account");
	login_as(world, VAULT_UPDATE, "select", token, NULL);
	expect(403, VAULT_FAILED_REFUSED, "tokenreview", "JWT names did not match");
	assert_int_equal(standin_count(NULL), 1);
	CTL("mode", "http500");
	login_as(world, VAULT_RESOLVE, "select", token, NULL);
	expect(403, VAULT_FAILED_OUTAGE, "namespace", "failed to parse error status on namespace retrieval failure");
}

static void test_failures(void **state)
{
	static const struct {
		const char *mode;
		enum vault_failure failure;
		const char *reason;
	} cases[] = {
		{ "http500", VAULT_FAILED_OUTAGE, "an error on the server" },
		{ "garbage", VAULT_FAILED_OUTAGE, "not a JSON object" },
		{ "reset", VAULT_FAILED_OUTAGE, "" },
		{ "status:429", VAULT_FAILED_OUTAGE, "too many requests" },
		{ "status:401", VAULT_FAILED_OUTAGE, "check token_reviewer_jwt" },
		{ "other-account", VAULT_FAILED_REFUSED, "JWT names did not match" },
		{ "clock:7200", VAULT_FAILED_REFUSED, "service account token has expired" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CTL("mode", cases[i].mode);
		login_as(world, VAULT_UPDATE, "web", token, NULL);
		expect(403, cases[i].failure, "tokenreview", cases[i].reason);
		assert_string_equal(last.error, "permission denied");
	}
}

/* The answer's account is compared with the claims member by member. */
static void test_identity(void **state)
{
	static const struct {
		const char *user, *uid, *reason;
	} cases[] = {
		{ "ns:other", "x", "JWT names did not match" },
		{ "ns:sa", "x", "JWT UIDs did not match" },
		{ "ns2:sa", NULL, "JWT namepaces did not match" },
	};
	struct world *world = *state;
	char mode[512], uid[64];

	login_as(world, VAULT_UPDATE, "web", token, NULL);
	snprintf(uid, sizeof(uid), "%s",
	    json_string_value(json_object_get(json_object_get(last.auth, "metadata"), "service_account_uid")));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(mode, sizeof(mode),
		    "answer:201:{\"status\":{\"authenticated\":true,\"audiences\":[\"k8sauth\"],\"user\":{\"username\":"
		    "\"system:serviceaccount:%s\",\"uid\":\"%s\"}}}",
		    cases[i].user, cases[i].uid ? cases[i].uid : uid);
		CTL("mode", mode);
		login_as(world, VAULT_UPDATE, "web", token, NULL);
		expect(403, VAULT_FAILED_REFUSED, "tokenreview", cases[i].reason);
	}
}

static void test_new_configuration(void **state)
{
	struct world *world = *state;
	char *other = standin_read("other-ca.crt");

	login_as(world, VAULT_UPDATE, "web", token, NULL);
	expect_login();
	configure(world, other, reviewer);
	login_as(world, VAULT_UPDATE, "web", token, NULL);
	expect(403, VAULT_FAILED_OUTAGE, "tokenreview", "certificate");
	configure(world, standin_ca, reviewer);
	login_as(world, VAULT_UPDATE, "web", token, NULL);
	expect_login();
	free(other);
}

/* What happens while the API server thinks counts: each run of a login goes through all steps again. */
static void test_changes_under_way(void **state)
{
	struct world *world = *state;
	struct result result = { 0 };

	CTL("mode", "hold");
	send_login(world, VAULT_UPDATE, "web", token, NULL, &result);
	event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(ask(world, VAULT_DELETE, "auth/kubernetes/role/web", "root", NULL)->status, 204);
	assert_false(result.done);
	CTL("mode", "ok");
	wait_for_result(world, &result);
	assert_int_equal(result.status, 400);
	assert_string_equal(result.error, "invalid role name \"web\"");
	/* A configuration replaced meanwhile does not harm the login that began before. */
	write_role(world, "web", NULL, NULL);
	CTL("mode", "hold");
	send_login(world, VAULT_UPDATE, "web", token, NULL, &result);
	event_base_loop(world->base, EVLOOP_ONCE);
	configure(world, standin_ca, "garbage");
	assert_false(result.done);
	CTL("mode", "ok");
	wait_for_result(world, &result);
	assert_int_equal(result.status, 200);
	json_decref(result.auth);
	/* A mount taken away under a login. */
	configure(world, standin_ca, reviewer);
	CTL("mode", "hold");
	send_login(world, VAULT_UPDATE, "web", token, NULL, &last);
	event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/auth/kubernetes", "root", NULL)->status, 204);
	CTL("mode", "ok");
	wait_for_result(world, &last);
	assert_int_equal(last.status, 403);
}

static void test_closed_under_a_login(void **state)
{
	struct world *world = *state;

	CTL("mode", "hang");
	send_login(world, VAULT_UPDATE, "web", token, NULL, &last);
	event_base_loop(world->base, EVLOOP_ONCE);
	core_close(TAKE_PTR(world->core));
	assert_true(last.done);
	assert_int_not_equal(last.status, 200);
}

static void test_renew(void **state)
{
	struct world *world = *state;
	struct reply *reply;
	char own[128];

	login_as(world, VAULT_UPDATE, "web", token, NULL);
	expect_login();
	snprintf(own, sizeof(own), "%s", json_string_value(json_object_get(last.auth, "client_token")));
	write_role(world, "web", "token_ttl", "10m");
	reply = ask(world, VAULT_UPDATE, "auth/token/renew-self", own, "{}");
	assert_int_equal(reply->status, 200);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(reply->body, "auth"), "lease_duration")), 600);
	assert_int_equal(ask(world, VAULT_DELETE, "auth/kubernetes/role/web", "root", NULL)->status, 204);
	reply = ask(world, VAULT_UPDATE, "auth/token/renew-self", own, "{}");
	assert_int_equal(reply->status, 500);
	assert_string_equal(
	    reply->error, "1 error occurred:\n\t* failed to renew entry: role web does not exist during renewal\n\n");
	assert_int_equal(reply->failure, VAULT_FAILED_REFUSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_login),
		TEST(test_pam_audiences),
		TEST(test_api_audiences_unknown),
		TEST(test_resolve),
		TEST(test_verify),
		TEST(test_selector),
		TEST(test_failures),
		TEST(test_identity),
		TEST(test_new_configuration),
		TEST(test_changes_under_way),
		TEST(test_closed_under_a_login),
		TEST(test_renew),
	};

	return cmocka_run_group_tests_name("auth_kubernetes", tests, group_setup, group_teardown);
}
