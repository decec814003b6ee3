/* SPDX-License-Identifier: Apache-2.0 */
/* Logins: role choice, refusals, and that no token is ever lost. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

static void expect_refused(const struct wire_conn *conn, uint32_t status, const char *step, const char *reason)
{
	const struct refusal *refusal = sessions_explain(world.sessions, conn->ref);
	char line[64];

	assert_true(conn->answered);
	assert_int_equal(conn->status, status);
	assert_string_equal(conn->handle, "");
	assert_int_equal(strlen(conn->ref), REF_LEN);
	snprintf(line, sizeof(line), "k8sauth: %s, ref %s",
	    status == WIRE_STATUS_REFUSED ? "refused" : "unavailable, try again later", conn->ref);
	assert_string_equal(conn->message, line);
	assert_non_null(refusal);
	assert_string_equal(refusal->step, step);
	assert_non_null(strstr(refusal->reason, reason));
	snprintf(line, sizeof(line), "refused at %s: ", step);
	assert_non_null(strstr(strstr(world.log, conn->ref), line));
	assert_non_null(strstr(strstr(world.log, conn->ref), reason));
	assert_int_equal(world.tokens, world.n_revoked); /* nothing that was made is left */
}

static void login_refused(struct fake_ask what, uint32_t status, const char *step, const char *reason)
{
	struct wire_conn conn;

	ask(&conn, what);
	expect_refused(&conn, status, step, reason);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_only_role(void **state)
{
	const struct vault_pam_login *pam;
	struct wire_conn conn;

	login_ok(&conn);
	assert_string_equal(world.requests, "internal list auth/kubernetes/role/\n"
					    "update auth/kubernetes/login web\n");
	pam = world.login->pam;
	assert_string_equal(pam->audience, "k8sauth:test");
	assert_null(pam->api_audiences);
	assert_false(pam->allow_no_audience);
	assert_false(pam->allow_api_audience);
	assert_int_equal(strlen(pam->boot_id), 36);
	assert_true(sessions_know(world.sessions, pam->session_id));
	assert_false(sessions_know(world.sessions, "another"));
	assert_string_equal(world.login->peer.address, "10.0.0.9");
	assert_int_equal(world.login->peer.kind, VAULT_PEER_INTERNAL);
	assert_string_equal(json_string_value(json_object_get(world.login->data, "jwt")), FAKE_JWT);
	assert_true(
	    world_logged("k8sauth: login of k8s_web_app for service sshd from 10.0.0.9: web/app of kubernetes as role "
			 "web, session "));
	assert_true(world_logged("accessor accessor-1"));
	assert_false(world_logged(conn.handle));
	assert_int_equal(sessions_count(world.sessions), 1);
}

static void test_cluster_switches(void **state)
{
	char *audiences[] = { (char[]){ "https://api" }, NULL };
	struct fake_ask what = ask_login();
	struct wire_conn conn;

	world.config.clusters->audience = NULL;
	world.config.clusters->api_audiences = audiences;
	world.config.clusters->allow_no_audience = true;
	world.config.clusters->allow_api_audience = true;
	what.rhost = "bastion.example";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_null(world.login->pam->audience);
	assert_string_equal(world.login->pam->api_audiences[0], "https://api");
	assert_null(world.login->pam->api_audiences[1]);
	assert_true(world.login->pam->allow_no_audience);
	assert_true(world.login->pam->allow_api_audience);
	assert_string_equal(world.login->peer.address, ""); /* a name is no address */
}

static void test_role_of_pam_line(void **state)
{
	struct fake_ask what = ask_login();
	struct wire_conn conn;

	what.role = "web";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_string_equal(world.requests, "update auth/kubernetes/login web\n");
	what.role = "nothing";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_true(world_logged("as role nothing for service sshd from 10.0.0.9 refused at role: invalid role name"));
}

static void test_role_list(void **state)
{
	static const struct fake_role roles[] = {
		{ "admin", VAULT_FAILED_OTHER_ROLE, "namespace", "namespace not authorized" },
		{ "web", VAULT_FAILED_NOT, NULL, NULL },
		{ "last", VAULT_FAILED_NOT, NULL, NULL },
		{ 0 },
	};
	char *names[] = { (char[]){ "admin" }, (char[]){ "web" }, (char[]){ "last" }, NULL };
	struct service_config service = { .name = (char[]){ "sshd" }, .roles = names };
	struct wire_conn conn;

	world.roles = roles;
	world.config.services = &service;
	world.config.n_services = 1;
	login_ok(&conn);
	assert_string_equal(world.requests, "update auth/kubernetes/login admin\nupdate auth/kubernetes/login web\n");
}

static void test_role_list_ends(void **state)
{
	static const struct fake_role roles[] = {
		{ "admin", VAULT_FAILED_OTHER_ROLE, "namespace", "namespace not authorized" },
		{ "web", VAULT_FAILED_OTHER_ROLE, "audience", "audience claim does not match" },
		{ "late", VAULT_FAILED_REFUSED, "tokenreview", "lookup failed: expired" },
		{ "last", VAULT_FAILED_NOT, NULL, NULL },
		{ 0 },
	};
	char *names[] = { (char[]){ "admin" }, (char[]){ "web" }, NULL, NULL, NULL };
	struct service_config service = { .name = (char[]){ "sshd" }, .roles = names };

	world.roles = roles;
	world.config.services = &service;
	world.config.n_services = 1;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "audience",
	    "no role of service \"sshd\" fits: admin: namespace not authorized; web: audience claim does not match");
	/* Another refusal than "not this role" ends it. */
	names[2] = (char[]){ "late" };
	names[3] = (char[]){ "last" };
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "tokenreview", "lookup failed: expired");
	assert_null(strstr(world.requests, "last"));
}

static void test_role_resolve_refusals(void **state)
{
	static const struct fake_role several[] = { { .name = "a" }, { .name = "b" }, { 0 } };
	static const struct fake_role none[] = {
		{ "a", VAULT_FAILED_OTHER_ROLE, "namespace", "namespace not authorized" },
		{ "b", VAULT_FAILED_OTHER_ROLE, "audience", "wrong audience" },
		{ 0 },
	};
	static const struct fake_role audience[] = { { "a", VAULT_FAILED_OTHER_ROLE, "audience", "wrong audience" },
		{ 0 } };
	static const struct fake_role early[] = { { "a", VAULT_FAILED_REFUSED, "jwt", "token not yet valid" }, { 0 } };
	static const struct fake_role empty[] = { { 0 } };
	static const struct fake_role expired[] = { { "a", VAULT_FAILED_REFUSED, "jwt", "token is expired" }, { 0 } };

	world.roles = several;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "role", "several roles match: a; b");
	assert_true(world_logged("remedy: name one: role= on the PAM line, or roles = [...] in service \"sshd\""));
	world.roles = none;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "role",
	    "no role of auth/kubernetes matches: a: namespace not authorized; b: wrong audience");
	assert_true(world_logged("remedy: k8sauth write auth/kubernetes/role/NAME"));
	assert_null(strstr(world.requests, "update")); /* trying them mints nothing */
	world.roles = audience;			       /* all fail alike: the remedy is theirs */
	login_refused(
	    ask_login(), WIRE_STATUS_REFUSED, "audience", "no role of auth/kubernetes matches: a: wrong audience");
	assert_true(
	    world_logged("remedy: make a new token: kubectl create token NAME -n NAMESPACE --audience k8sauth:test "
			 "(role: k8sauth read auth/kubernetes/role/a)"));
	world_wait(61000);
	world.roles = empty;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "role", "no role of auth/kubernetes matches: there is none");
	world.role_list_status = 404;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "role", "there is none");
	world.role_list_status = 0;
	world.roles = expired;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "jwt", "token is expired");
	world_wait(61000);
	world.roles = early;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "jwt", "token not yet valid");
	assert_true(world_logged("remedy: compare this machine's clock with the cluster's"));
}

/* What to do follows from where it failed, and from the words. */
static void test_remedies(void **state)
{
	static const struct {
		enum vault_failure failure;
		const char *step, *reason, *remedy;
	} rows[] = {
		{ VAULT_FAILED_REFUSED, "jwt", "the token is not valid yet: check the clocks (599 s apart)",
		    "compare this machine's clock with the cluster's" },
		{ VAULT_FAILED_REFUSED, "tokenreview", "lookup failed: service account token is not valid yet",
		    "compare this machine's clock with the cluster's" },
		{ VAULT_FAILED_REFUSED, "tokenreview", "lookup failed: service account token has expired",
		    "compare this machine's clock with the cluster's" },
		{ VAULT_FAILED_REFUSED, "jwt", "the token has expired", "make a new token" },
		{ VAULT_FAILED_OTHER_ROLE, "audience", "the role has no audience, which logins through PAM demand",
		    "k8sauth write auth/kubernetes/role/web audience=k8sauth:test" },
		{ VAULT_FAILED_REFUSED, "tokenreview", "JWT names did not match",
		    "the API server answers for another account than the token's" },
		{ VAULT_FAILED_REFUSED, "tokenreview", "lookup failed: [invalid bearer token, no keys found]",
		    "is kubernetes_host the token's cluster (k8sauth read auth/kubernetes/config)" },
		{ VAULT_FAILED_OUTAGE, "tokenreview",
		    "(the API server refused the reviewer's token: check "
		    "token_reviewer_jwt)",
		    "the reviewer's token was revoked or has expired" },
		{ VAULT_FAILED_OUTAGE, "tokenreview", "tokenreviews.authentication.k8s.io is forbidden: User",
		    "give the reviewer its right: kubectl create clusterrolebinding" },
		{ VAULT_FAILED_OUTAGE, "tokenreview", "SSL certificate problem: unable to get local issuer certificate",
		    "is kubernetes_ca_cert the authority of this API server" },
		{ VAULT_FAILED_OUTAGE, "tokenreview", "Failed to connect to 127.0.0.1 port 1", "is the API server up" },
		{ VAULT_FAILED_REFUSED, "entity", "the entity web is disabled", "an administrator disabled it" },
		{ VAULT_FAILED_OUTAGE, "annotations",
		    "failed to get service account (code 403 status serviceaccounts is forbidden: User",
		    "give the reviewer the right to get serviceaccounts" },
		{ VAULT_FAILED_REFUSED, "annotations", "entity alias metadata keys for only internal use found",
		    "see the annotations vault.hashicorp.com/alias-metadata-" },
		{ VAULT_FAILED_OUTAGE, "store", "the store could not be written: No space left on device",
		    "make room for the store" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct fake_role roles[] = { { "web", rows[i].failure, rows[i].step, rows[i].reason }, { 0 } };
		struct fake_ask what = ask_login();
		char remedy[128];

		world.roles = roles;
		what.role = "web";
		world.log[0] = '\0';
		login_refused(what,
		    rows[i].failure == VAULT_FAILED_OUTAGE ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_REFUSED,
		    rows[i].step, rows[i].reason);
		snprintf(remedy, sizeof(remedy), "remedy: %s", rows[i].remedy);
		assert_true(world_logged(remedy));
		world_wait(61000); /* else failures are answered late */
	}
}

static void test_role_resolve_bounded(void **state)
{
	static struct fake_role many[66];
	static char names[65][8];

	for (int i = 0; i < 65; i++) {
		snprintf(names[i], sizeof(names[i]), "r%d", i);
		many[i].name = names[i];
	}
	world.roles = many;
	login_refused(
	    ask_login(), WIRE_STATUS_REFUSED, "role", "auth/kubernetes has 65 roles, and not more than 64 are tried");
}

static void test_outages(void **state)
{
	static const struct fake_role down[] = { { "web", VAULT_FAILED_OUTAGE, "tokenreview", "connection refused" },
		{ 0 } };
	struct fake_ask what = ask_login();

	world.roles = down;
	login_refused(what, WIRE_STATUS_UNAVAILABLE, "tokenreview", "connection refused");
	what.role = "web";
	login_refused(what, WIRE_STATUS_UNAVAILABLE, "tokenreview", "connection refused");
	assert_true(world_logged("is the API server up, and kubernetes_host right?"));
	world.outage_status = 503;
	login_refused(what, WIRE_STATUS_UNAVAILABLE, "exchange", "Vault is sealed");
	login_refused(ask_login(), WIRE_STATUS_UNAVAILABLE, "role", "Vault is sealed");
	assert_true(world_logged("remedy: see `k8sauth status`; initialise"));
}

static void test_credentials(void **state)
{
	static char long_one[CREDENTIAL_MAX + 2], cut[1024];
	struct fake_ask what = ask_login();
	const struct {
		const char *credential, *reason;
	} bad[] = {
		{ "", "empty" },
		{ "$TOKEN", "shell variable that nothing expanded" },
		{ "hvs.AAAA", "Vault token" },
		{ "hunter2", "no JWT (7 bytes, not three parts" },
		{ "a.b", "not three parts" },
		{ "a.b.c", "not three parts" },
		{ "a..b", "not three parts" },
		{ FAKE_JWT ".x", "not three parts" },
		{ "\x01\x02", "characters that no JWT has" },
		{ FAKE_JWT "\nx", "characters that no JWT has" },
		{ long_one, "too long: 16385 bytes" },
		{ cut, "cut by the application at 1023 bytes" },
	};

	memset(long_one, 'a', CREDENTIAL_MAX + 1);
	memset(cut, 'a', 1023);
	cut[500] = '.';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		what.credential = bad[i].credential;
		what.user = i % 2 ? "k8s_web_app" : "k8s_web_other"; /* below the limit of failures */
		what.rhost = i < 6 ? "1" : "2";
		login_refused(what, WIRE_STATUS_REFUSED, "credential", bad[i].reason);
	}
	what.user = FAKE_USER;
	what.rhost = "3";
	what.credential = NULL;
	login_refused(what, WIRE_STATUS_REFUSED, "credential", "there is no credential");
	assert_string_equal(world.requests, ""); /* garbage reaches nobody */
	assert_false(world_logged("hunter2"));
	what.credential = FAKE_JWT "\n";
	ask(&(struct wire_conn){ 0 }, what);
	assert_int_equal(sessions_count(world.sessions), 1);
}

static void test_requests(void **state)
{
	struct fake_ask what = ask_login();
	char long_user[64] = "k8s_", long_service[80] = "";
	struct wire_conn conn;

	what.user = "root";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_NOT_OURS);
	what.user = "k8sother_web_app"; /* no cluster block has that prefix: it may be a local account */
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_NOT_OURS);
	what.user = "k8s_";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_NOT_OURS);
	memset(long_user + 4, 'a', 28);
	what.user = long_user;
	login_refused(what, WIRE_STATUS_REFUSED, "request", "user name");
	what = ask_login();
	memset(long_service, 's', 70);
	what.service = long_service;
	login_refused(what, WIRE_STATUS_REFUSED, "request", "PAM service");
	what = ask_login();
	what.service = NULL;
	login_refused(what, WIRE_STATUS_REFUSED, "request", "PAM service");
	what = ask_login();
	what.rhost = "a\nb";
	login_refused(what, WIRE_STATUS_REFUSED, "request", "remote host");
	assert_string_equal(world.requests, "");
}

static void test_account_verdicts(void **state)
{
	static const struct {
		enum account_verdict verdict;
		uint32_t status;
	} table[] = {
		{ ACCOUNT_WRONG_USER, WIRE_STATUS_REFUSED },
		{ ACCOUNT_COLLISION, WIRE_STATUS_REFUSED },
		{ ACCOUNT_RECREATED, WIRE_STATUS_REFUSED },
		{ ACCOUNT_INDEX_BROKEN, WIRE_STATUS_UNAVAILABLE },
		{ ACCOUNT_HELPER_DOWN, WIRE_STATUS_UNAVAILABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		world.verdict = table[i].verdict;
		world.claim_later = i % 2;
		if (world.claim_later) {
			struct wire_conn conn;

			ask(&conn, ask_login());
			assert_false(conn.answered);
			world_release();
			expect_refused(&conn, table[i].status, "account", "the account does not fit");
		} else {
			login_refused(ask_login(), table[i].status, "account", "the account does not fit");
		}
	}
	assert_int_equal(world.tokens, ARRAY_SIZE(table));
	world.verdict = ACCOUNT_OK;
	world.claim_later = false;
	world.uid = 0;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "account", "the account is root");
}

static void test_unfit_tokens(void **state)
{
	static const struct {
		const char *auth, *reason;
	} table[] = {
		{ "{\"token_type\":\"batch\"}", "cannot be revoked" },
		{ "{\"num_uses\":5}", "use limit" },
		{ "{\"lease_duration\":0}", "no TTL" },
		{ "{\"metadata\":{\"role\":\"web\"}}", "names no service account" },
		{ "{\"mfa_requirement\":{}}", "second factor" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		world.auth = table[i].auth;
		login_refused(ask_login(), WIRE_STATUS_REFUSED, "exchange", table[i].reason);
	}
	assert_int_equal(world.tokens, ARRAY_SIZE(table));
	world_wait(61000); /* forget the failures: the sixth would be answered late */
	/* A wrapped or otherwise odd answer is no login. */
	world.auth = "{\"client_token\":\"\"}";
	world.n_revoked++;
	login_refused(ask_login(), WIRE_STATUS_REFUSED, "exchange", "without a token");
}

static void test_token_too_long(void **state)
{
	char auth[2048], token[1024];

	memset(token, 'x', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	snprintf(auth, sizeof(auth), "{\"client_token\":\"%s\"}", token);
	world.auth = auth;
	login_refused(ask_login(), WIRE_STATUS_INTERNAL, "table", "cannot hold this login");
	assert_int_equal(world.n_revoked, 1);
}

static void test_client_leaves(void **state)
{
	static const char *const held[] = { "role/", "login" };
	struct wire_conn conn;

	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		struct fake_ask what = ask_login();

		what.role = i ? "web" : NULL;
		world.hold = held[i];
		ask(&conn, what);
		assert_false(conn.answered);
		leave(&conn);
		world_release();
		assert_int_equal(sessions_count(world.sessions), 0);
	}
	assert_int_equal(world.tokens, 1); /* it was made, and given back */
	assert_int_equal(world.n_revoked, 1);
	assert_true(world_logged("the client left before the answer"));
	world.claim_later = true;
	ask(&conn, ask_login());
	leave(&conn);
	world_release();
	assert_int_equal(world.n_revoked, 2);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_deadline(void **state)
{
	struct fake_ask what = ask_login();
	struct wire_conn conn;

	what.role = "web";
	world.hold = "login";
	ask(&conn, what);
	world_wait(17000);
	assert_false(conn.answered);
	world_wait(1500);
	assert_true(conn.answered);
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
	assert_true(world_logged("refused at exchange: no answer within 18 s"));
	world_release();
	assert_int_equal(world.tokens, 1);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_never_opened(void **state)
{
	struct wire_conn conn, open;

	login_ok(&conn);
	world_wait(59000);
	assert_int_equal(world.n_revoked, 0);
	world_wait(2000);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
	ask(&open, ask_open(conn.handle));
	assert_int_equal(open.status, WIRE_STATUS_REFUSED);
	/* A token that lives shorter than the minute ends the login earlier. */
	world.lease = 20;
	login_ok(&conn);
	world_wait(21000);
	assert_int_equal(world.n_revoked, 2);
}

static void test_explain_ring(void **state)
{
	struct fake_ask bad = ask_login();
	struct wire_conn first, conn = { 0 };
	char rhost[32];

	bad.credential = "nonsense";
	ask(&first, bad);
	assert_string_equal(sessions_explain(world.sessions, first.ref)->user, FAKE_USER);
	assert_string_equal(sessions_explain(world.sessions, first.ref)->service, "sshd");
	assert_string_equal(sessions_explain(world.sessions, first.ref)->rhost, "10.0.0.9");
	assert_true(sessions_explain(world.sessions, first.ref)->when > 0);
	assert_null(sessions_explain(world.sessions, "zzzzzz"));
	assert_null(sessions_explain(world.sessions, ""));
	for (int i = 0; i < 4096; i++) {
		snprintf(rhost, sizeof(rhost), "h%d", i);
		bad.rhost = rhost;
		world.log[0] = '\0';
		ask(&conn, bad);
	}
	assert_non_null(sessions_explain(world.sessions, conn.ref));
	assert_true(!sessions_explain(world.sessions, first.ref) ||
		    strcmp(sessions_explain(world.sessions, first.ref)->rhost, "10.0.0.9") != 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_only_role),
		T(test_cluster_switches),
		T(test_role_of_pam_line),
		T(test_role_list),
		T(test_role_list_ends),
		T(test_role_resolve_refusals),
		T(test_remedies),
		T(test_role_resolve_bounded),
		T(test_outages),
		T(test_credentials),
		T(test_requests),
		T(test_account_verdicts),
		T(test_unfit_tokens),
		T(test_token_too_long),
		T(test_client_leaves),
		T(test_deadline),
		T(test_never_opened),
		T(test_explain_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
