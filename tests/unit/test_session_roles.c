/* SPDX-License-Identifier: Apache-2.0 */
/* Logins: which role they take. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

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
		T(test_role_resolve_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
