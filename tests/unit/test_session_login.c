/* SPDX-License-Identifier: Apache-2.0 */
/* Logins: refusals, and that no token is ever lost. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

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
		T(test_remedies),
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
