/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask what, the account phase, and the answers to those who fail often. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

static void test_peers(void **state)
{
	static const uint8_t types[] = { WIRE_LOGIN, WIRE_OPEN, WIRE_CLOSE, WIRE_ACCOUNT, WIRE_CHECK };
	struct fake_ask what = ask_login();
	struct wire_conn conn;

	what.uid = 1000;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		what.type = types[i];
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_DENIED);
	}
	assert_string_equal(world.requests, "");
	assert_true(world_logged("uid 1000 asked for what only root may ask"));
	what.type = WIRE_LOOKUP;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(conn.uid_item, 70001);
	what.user = "k8s_web_other";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_NOT_FOUND);
	what.user = "daemon";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_NOT_OURS);
	world.verdict = ACCOUNT_INDEX_BROKEN;
	what.user = FAKE_USER;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
	what.type = 99;
	what.uid = 0;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_PROTOCOL);
}

/* Anybody may look names up, but nobody may keep the daemon busy with it. */
static void test_many_lookups(void **state)
{
	struct fake_ask what = ask_login();
	struct wire_conn conn;

	what.type = WIRE_LOOKUP;
	what.uid = 1000;
	for (int i = 0; i < 100; i++) {
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_OK);
	}
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_LIMIT);
	what.uid = 1001;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	what.uid = 0;
	for (int i = 0; i < 200; i++) {
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_OK);
	}
	world_wait(1000);
	what.uid = 1000;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
}

static void test_many_failures(void **state)
{
	struct fake_ask good = ask_login(), bad = ask_login(), other = ask_login();
	struct wire_conn conn;

	bad.credential = "nonsense";
	other.credential = "nonsense";
	other.rhost = "10.0.0.10";
	for (int i = 0; i < 5; i++) {
		ask(&conn, bad);
		assert_true(conn.answered);
	}
	ask(&conn, bad);
	assert_false(conn.answered);
	world_wait(900);
	assert_false(conn.answered);
	world_wait(200);
	assert_true(conn.answered);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	ask(&conn, bad);
	assert_false(conn.answered);
	leave(&conn);
	ask(&conn, good);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	ask(&conn, other);
	assert_true(conn.answered);
	world_wait(61000);
	ask(&conn, bad);
	assert_true(conn.answered);
}

static void test_many_failures_at_the_end(void **state)
{
	struct fake_ask bad = ask_login();
	struct wire_conn conn;

	bad.credential = "nonsense";
	for (int i = 0; i < 6; i++)
		ask(&conn, bad);
	assert_false(conn.answered);
	world_restart();
	assert_true(conn.answered);
}

static void account(const char *handle, const char *service, const char *rhost, uint32_t keys, uint32_t status)
{
	struct fake_ask what = ask_account(handle);
	struct wire_conn conn;

	what.service = service;
	what.rhost = rhost;
	what.keys = keys;
	ask(&conn, what);
	assert_true(conn.answered);
	assert_int_equal(conn.status, status);
	if (status == WIRE_STATUS_REFUSED)
		assert_non_null(sessions_explain(world.sessions, conn.ref));
}

static void test_account_phase(void **state)
{
	struct service_config services[] = { { .name = (char[]){ "cron" }, .keys_allow = true } };
	char wrong[128];
	struct wire_conn login, open;
	struct fake_ask what;

	world.config.services = services;
	world.config.n_services = 1;
	account(NULL, "sshd", NULL, 0, WIRE_STATUS_REFUSED);
	assert_true(
	    world_logged("account of k8s_web_app for service sshd refused at account: no token was exchanged in this "
			 "login (a key, cron, at); remedy: "));
	account(NULL, "sshd", NULL, 1, WIRE_STATUS_OK);
	account(NULL, "cron", NULL, 0, WIRE_STATUS_OK);
	account(NULL, "systemd-user", NULL, 0, WIRE_STATUS_REFUSED);

	login_ok(&login);
	account(login.handle, "sshd", NULL, 0, WIRE_STATUS_OK);
	account(login.handle, "sshd", "10.0.0.9", 0, WIRE_STATUS_OK); /* asking does not spend it */
	account(login.handle, "sshd", "10.0.0.10", 0, WIRE_STATUS_REFUSED);
	account(login.handle, "sudo", NULL, 0, WIRE_STATUS_REFUSED);
	account(NULL, "systemd-user", NULL, 0, WIRE_STATUS_OK);
	snprintf(wrong, sizeof(wrong), "%s", login.handle);
	wrong[strlen(wrong) - 1] = wrong[strlen(wrong) - 1] == 'a' ? 'b' : 'a';
	account(wrong, "sshd", NULL, 0, WIRE_STATUS_REFUSED);
	account("short", "sshd", NULL, 0, WIRE_STATUS_REFUSED);
	what = ask_account(login.handle);
	what.user = "k8s_web_other";
	ask(&open, what);
	assert_int_equal(open.status, WIRE_STATUS_REFUSED);
	what.user = "bob";
	ask(&open, what);
	assert_int_equal(open.status, WIRE_STATUS_NOT_OURS);

	open_ok(&open, login.handle);
	account(login.handle, "sshd", NULL, 0, WIRE_STATUS_REFUSED); /* spent */
	account(NULL, "systemd-user", NULL, 0, WIRE_STATUS_OK);
	ask(&login, ask_close(open.session));
	account(NULL, "systemd-user", NULL, 0, WIRE_STATUS_REFUSED);
}

/* An account of /etc/passwd: ours only where it is opened, and where this login made an exchange. */
static void test_local_account(void **state)
{
	struct wire_conn login, conn;
	struct fake_ask what;

	world.local = "deploy";
	what = ask_login();
	what.user = "bob";
	ask(&login, what);
	assert_int_equal(login.status, WIRE_STATUS_NOT_OURS);
	what.user = "deploy";
	ask(&login, what);
	assert_int_equal(login.status, WIRE_STATUS_OK);
	what = ask_account(NULL);
	what.user = "deploy";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_NOT_OURS); /* by password or key: not our business */
	what.handle = login.handle;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	what.handle = "wrong";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	what = ask_open(login.handle);
	what.user = "deploy";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
}

/* A login whose account is not settled is nobody's session yet. */
static void test_account_phase_unsettled(void **state)
{
	struct wire_conn login;

	world.claim_later = true;
	ask(&login, ask_login());
	assert_false(login.answered);
	account(NULL, "systemd-user", NULL, 0, WIRE_STATUS_REFUSED);
	world_release();
	assert_int_equal(login.status, WIRE_STATUS_OK);
	account(NULL, "systemd-user", NULL, 0, WIRE_STATUS_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_account_phase),
		T(test_local_account),
		T(test_account_phase_unsettled),
		T(test_peers),
		T(test_many_lookups),
		T(test_many_failures),
		T(test_many_failures_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
