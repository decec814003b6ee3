/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and ending sessions: the handle, the helper, close, the leader's death. */
#include "session_fakes.h"

#include <errno.h>
#include <stdio.h>

#include "base/macros.h"

static void open_refused(struct fake_ask what, uint32_t status, const char *reason)
{
	struct wire_conn conn;

	ask(&conn, what);
	assert_true(conn.answered);
	assert_int_equal(conn.status, status);
	assert_string_equal(conn.session, "");
	assert_string_equal(conn.env, "");
	assert_non_null(sessions_explain(world.sessions, conn.ref));
	assert_non_null(strstr(sessions_explain(world.sessions, conn.ref)->reason, reason));
}

static void close_session(const char *id, uint32_t status)
{
	struct wire_conn conn;

	ask(&conn, ask_close(id));
	assert_true(conn.answered);
	assert_int_equal(conn.status, status);
}

/* --- open ------------------------------------------------------------------------------------ */

static void test_open(void **state)
{
	struct wire_conn login, open;
	char env[512];

	login_ok(&login);
	open_ok(&open, login.handle);
	assert_int_equal(strlen(open.session), 24);
	snprintf(env, sizeof(env),
	    "K8SAUTH_SESSION=%s\nK8SAUTH_DIR=/run/k8sauth/sessions/%s\nK8SAUTH_TOKEN_FILE=/run/k8sauth/sessions/%s/"
	    "token\n"
	    "VAULT_ADDR=unix:///run/k8sauth/api\n",
	    open.session, open.session, open.session);
	assert_string_equal(open.env, env);
	assert_true(world_file(open.session, "token", FAKE_TOKEN "1"));
	assert_int_equal(world_files(open.session), 1);
	assert_true(world_logged("of k8s_web_app for service sshd from 10.0.0.9 is open: 0 secret files"));
	close_session(open.session, WIRE_STATUS_OK);
	assert_int_equal(world_files(open.session), 0);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
	close_session(open.session, WIRE_STATUS_NOT_FOUND);
	close_session("nonsense", WIRE_STATUS_NOT_FOUND);
}

static void test_environment(void **state)
{
	struct service_config service = { .name = (char[]){ "sshd" }, .export_token = true };
	struct wire_conn login, open;

	world.config.services = &service;
	world.config.n_services = 1;
	world.config.vault_cacert = (char[]){ "/etc/ca.pem" };
	login_ok(&login);
	open_ok(&open, login.handle);
	assert_non_null(strstr(open.env, "VAULT_CACERT=/etc/ca.pem\nVAULT_TOKEN=" FAKE_TOKEN "1\n"));
	assert_null(strstr(open.env, "K8SAUTH_SECRETS"));
}

static void test_handle_once(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	open_refused(ask_open(login.handle), WIRE_STATUS_REFUSED, "the login's handle is absent, unknown, used");
	assert_int_equal(world.n_revoked, 0); /* the session lives on */
	assert_int_equal(world_files(open.session), 1);
}

static void test_handle_unknown(void **state)
{
	struct wire_conn login;
	char wrong[128];

	login_ok(&login);
	open_refused(ask_open(NULL), WIRE_STATUS_REFUSED, "handle is absent");
	open_refused(ask_open(""), WIRE_STATUS_REFUSED, "handle is absent");
	open_refused(ask_open("short"), WIRE_STATUS_REFUSED, "handle is absent");
	for (size_t i = 0; i < strlen(login.handle); i += 7) {
		snprintf(wrong, sizeof(wrong), "%s", login.handle);
		wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
		open_refused(ask_open(wrong), WIRE_STATUS_REFUSED, "handle is absent");
	}
	/* Guessing does not spend the right one. */
	open_ok(&(struct wire_conn){ 0 }, login.handle);
}

static void test_handle_elsewhere(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct wire_conn login;
		struct fake_ask what;

		login_ok(&login);
		what = ask_open(login.handle);
		if (i == 0)
			what.user = "k8s_web_other";
		else if (i == 1)
			what.service = "sudo";
		else if (i == 2)
			what.rhost = "10.0.0.10";
		else
			what.rhost = NULL;
		open_refused(what, WIRE_STATUS_REFUSED,
		    "the handle is of a login of k8s_web_app for service sshd from 10.0.0.9; that login is ended");
		assert_int_equal(world.n_revoked, i + 1);
		open_refused(ask_open(login.handle), WIRE_STATUS_REFUSED, "handle is absent");
	}
	assert_int_equal(world.n_session, 0);
}

static void test_open_request_odd(void **state)
{
	struct fake_ask what = ask_open("x");

	what.user = NULL;
	open_refused(what, WIRE_STATUS_REFUSED, "user name");
}

static void test_two_sessions(void **state)
{
	struct wire_conn login[2], open[2];

	login_ok(&login[0]);
	login_ok(&login[1]);
	assert_string_not_equal(login[0].handle, login[1].handle);
	open_ok(&open[0], login[0].handle);
	open_ok(&open[1], login[1].handle);
	assert_string_not_equal(open[0].session, open[1].session);
	close_session(open[0].session, WIRE_STATUS_OK);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world_files(open[0].session), 0);
	assert_true(world_file(open[1].session, "token", FAKE_TOKEN "2"));
	assert_int_equal(sessions_count(world.sessions), 1);
}

static void test_helper_fails(void **state)
{
	static const struct {
		int error, status;
		uint32_t answer;
		const char *reason;
	} table[] = {
		{ -ECONNREFUSED, 0, WIRE_STATUS_UNAVAILABLE, "files: Connection refused" },
		{ -ETIMEDOUT, 0, WIRE_STATUS_UNAVAILABLE, "files: Connection timed out" },
		{ 0, WIRE_STATUS_INTERNAL, WIRE_STATUS_UNAVAILABLE, "files: no space left" },
		{ 0, WIRE_STATUS_REFUSED, WIRE_STATUS_REFUSED, "files: no space left" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct wire_conn login;

		login_ok(&login);
		world.helper_error = table[i].error;
		world.helper_status = table[i].status;
		open_refused(ask_open(login.handle), table[i].answer, table[i].reason);
		world.helper_error = 0;
		world.helper_status = 0;
		world_wait(120000); /* the removal of what may have been written is tried again */
		assert_int_equal(world.n_revoked, i + 1);
		assert_int_equal(sessions_count(world.sessions), 0);
		assert_string_equal(world.files, "");
	}
}

/* The files are written although nobody waits any more: they must go again. */
static void test_client_leaves_open(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	world.helper_hold = true;
	ask(&open, ask_open(login.handle));
	assert_false(open.answered);
	leave(&open);
	world_run();
	assert_int_equal(world.n_revoked, 1);
	world_release();
	assert_int_equal(world.n_session, 1);
	assert_string_equal(world.files, "");
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_open_deadline(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	world.helper_hold = true;
	ask(&open, ask_open(login.handle));
	world_wait(12500);
	assert_false(open.answered);
	world_wait(1000);
	assert_true(open.answered);
	assert_int_equal(open.status, WIRE_STATUS_UNAVAILABLE);
	assert_true(world_logged(
	    "session of k8s_web_app for service sshd from 10.0.0.9 refused at open: not ready within 13 s"));
	world_release();
	assert_string_equal(world.files, "");
	assert_int_equal(world.n_revoked, 1);
}

static void test_close_while_opening(void **state)
{
	struct wire_conn login, open, end;
	char id[25];

	login_ok(&login);
	snprintf(id, sizeof(id), "%.24s", login.handle);
	world.helper_hold = true;
	ask(&open, ask_open(login.handle));
	ask(&end, ask_close(id));
	assert_int_equal(end.status, WIRE_STATUS_OK);
	assert_false(open.answered);
	world_release();
	assert_int_equal(open.status, WIRE_STATUS_REFUSED);
	assert_string_equal(world.files, "");
}

/* --- the end --------------------------------------------------------------------------------- */

static void test_close_pending(void **state)
{
	struct wire_conn login;
	char id[25];

	login_ok(&login);
	snprintf(id, sizeof(id), "%.24s", login.handle);
	close_session(id, WIRE_STATUS_NOT_FOUND);
	open_ok(&(struct wire_conn){ 0 }, login.handle);
}

static void test_close_in_an_outage(void **state)
{
	struct wire_conn login, open, end, again;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.revoke_status = 503;
	world.remove_error = -ECONNREFUSED;
	ask(&end, ask_close(open.session));
	assert_false(end.answered);
	ask(&again, ask_close(open.session)); /* a second close waits for the same end */
	world_wait(7000);
	assert_true(end.answered && again.answered); /* the module does not wait for ever */
	assert_int_equal(end.status, WIRE_STATUS_OK);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_true(sessions_know(world.sessions, open.session)); /* nobody else needs to revoke it */
	world.revoke_status = 0;
	world_wait(70000);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world_files(open.session), 1);
	world.remove_error = 0;
	world_wait(70000);
	assert_int_equal(world_files(open.session), 0);
	assert_false(sessions_know(world.sessions, open.session));
}

static void test_close_and_leave(void **state)
{
	struct wire_conn login, open, end;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.hold = "revoke-self";
	ask(&end, ask_close(open.session));
	assert_false(end.answered);
	leave(&end);
	world_release();
	assert_int_equal(world.n_revoked, 1);
}

static void test_revoke_gives_up(void **state)
{
	struct wire_conn login, open;

	world.lease = 600;
	login_ok(&login);
	open_ok(&open, login.handle);
	world.revoke_status = 500;
	ask(&(struct wire_conn){ 0 }, ask_close(open.session));
	for (int i = 0; i < 20 && sessions_know(world.sessions, open.session); i++)
		world_wait(61000);
	assert_int_equal(world.n_revoked, 0);
	assert_false(sessions_know(world.sessions, open.session)); /* it has expired by itself */
}

static void test_revoked_already(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.revoke_status = 403;
	close_session(open.session, WIRE_STATUS_OK);
	assert_false(sessions_know(world.sessions, open.session));
}

static void test_leader_dies(void **state)
{
	struct wire_conn login, open;
	pid_t pid = leader_new();
	struct fake_ask what;

	login_ok(&login);
	what = ask_open(login.handle);
	what.pid = pid;
	ask(&open, what);
	assert_int_equal(open.status, WIRE_STATUS_OK);
	world_wait(10000);
	assert_int_equal(world_files(open.session), 1);
	leader_kill(pid);
	world_wait(1);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world_files(open.session), 0);
	assert_true(world_logged("of k8s_web_app ends: its leader has exited"));
}

/* Where the kernel has no pidfd, /proc is looked at. */
static void test_leader_polled(void **state)
{
	struct wire_conn login, open;
	pid_t pid = leader_new();
	struct fake_ask what;

	world.no_pidfd = true;
	login_ok(&login);
	what = ask_open(login.handle);
	what.pid = pid;
	ask(&open, what);
	assert_int_equal(open.status, WIRE_STATUS_OK);
	world_wait(5500);
	assert_int_equal(world_files(open.session), 1);
	leader_kill(pid);
	world_wait(1);
	assert_int_equal(world_files(open.session), 1);
	world_wait(5500);
	assert_int_equal(world_files(open.session), 0);
	assert_int_equal(world.n_revoked, 1);
}

static void test_leader_dead_at_once(void **state)
{
	struct wire_conn login;
	pid_t pid = leader_new();
	struct fake_ask what;

	leader_kill(pid);
	login_ok(&login);
	what = ask_open(login.handle);
	what.pid = pid;
	open_refused(what, WIRE_STATUS_INTERNAL, "cannot be opened");
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world.n_session, 0);
}

static void test_leader_unknown(void **state)
{
	struct wire_conn login, open;
	struct fake_ask what;

	login_ok(&login);
	what = ask_open(login.handle);
	what.pid = 0; /* of another pid namespace */
	ask(&open, what);
	assert_int_equal(open.status, WIRE_STATUS_OK);
	world_wait(10000);
	close_session(open.session, WIRE_STATUS_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_open),
		T(test_environment),
		T(test_handle_once),
		T(test_handle_unknown),
		T(test_handle_elsewhere),
		T(test_open_request_odd),
		T(test_two_sessions),
		T(test_helper_fails),
		T(test_client_leaves_open),
		T(test_open_deadline),
		T(test_close_while_opening),
		T(test_close_pending),
		T(test_close_in_an_outage),
		T(test_close_and_leave),
		T(test_revoke_gives_up),
		T(test_revoked_already),
		T(test_leader_dies),
		T(test_leader_polled),
		T(test_leader_dead_at_once),
		T(test_leader_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
