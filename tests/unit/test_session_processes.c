/* SPDX-License-Identifier: Apache-2.0 */
/* on_session_end: which processes are ended with a session, when, and how long that is tried. */
#include "session_fakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/macros.h"
#include "session/table.h"

static char sshd[] = "sshd";
static struct service_config service = { .name = sshd };

static void wanted(enum session_kill kill)
{
	service.on_session_end = kill;
	world.config.services = &service;
	world.config.n_services = 1;
}

static void begin(struct wire_conn *ret)
{
	struct wire_conn login;

	login_ok(&login);
	open_ok(ret, login.handle);
}

static void end(const struct wire_conn *open)
{
	struct fake_ask what = ask_close(open->session);
	struct wire_conn conn;

	what.pid = 77;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK); /* it waits for token and files, and for nothing else */
}

/* The kernel gave the session in SLOT an audit session, which this test cannot. */
static void audited(unsigned slot, uint32_t audit_session)
{
	struct session_record record;
	char boot[64], why[128];
	struct table *table;
	FILE *file;

	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	assert_non_null(fgets(boot, 37, file));
	fclose(file);
	assert_int_equal(table_open(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3), boot, &table, why, sizeof(why)), 0);
	assert_int_equal(table_get(table, slot, &record, NULL), 0);
	record.audit_session = audit_session;
	assert_int_equal(table_put(table, slot, &record, NULL), 0);
	table_close(table);
	world_restart();
}

static void test_none(void **state)
{
	struct wire_conn open;

	world.left = 3;
	begin(&open);
	end(&open);
	wanted(KILL_NONE);
	begin(&open);
	end(&open);
	assert_string_equal(world.signals, "");
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_user(void **state)
{
	struct wire_conn open;

	wanted(KILL_USER);
	world.left = 2;
	begin(&open);
	end(&open);
	/* Neither who opened it nor who closes it is meant. */
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=0 spared=2\n");
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world_files(open.session), 0);
	world_wait(501);
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=0 spared=2\n0 " FAKE_USER " audit=0 spared=2\n");
	assert_true(world_logged("2 processes that it left are ended"));
	assert_false(sessions_know(world.sessions, open.session));
}

static void test_nothing_left(void **state)
{
	struct wire_conn open;

	wanted(KILL_USER);
	begin(&open);
	end(&open);
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=0 spared=2\n");
	assert_false(sessions_know(world.sessions, open.session));
	assert_false(world_logged("that it left"));
}

static void test_deaf(void **state)
{
	struct wire_conn open;

	wanted(KILL_USER);
	world.left = 1;
	world.deaf = true;
	begin(&open);
	end(&open);
	for (int i = 0; i < 5; i++)
		world_wait(501);
	assert_null(strstr(world.signals, "9 " FAKE_USER));
	world_wait(501);
	assert_non_null(strstr(world.signals, "\n9 " FAKE_USER));
	world_wait(501);
	assert_true(world_logged("1 processes that it left are ended"));
	assert_false(sessions_know(world.sessions, open.session));
}

static void test_undying(void **state)
{
	struct wire_conn open;

	wanted(KILL_USER);
	world.left = 1;
	world.undying = true;
	begin(&open);
	end(&open);
	for (int i = 0; i < 20; i++)
		world_wait(501);
	assert_true(world_logged("1 of its processes cannot be killed"));
	assert_false(sessions_know(world.sessions, open.session));
}

/* The user's last session ends the user's processes; an expired one is one too. */
static void test_another_session(void **state)
{
	struct wire_conn one, two;

	wanted(KILL_USER);
	begin(&one);
	begin(&two);
	end(&one);
	assert_string_equal(world.signals, "");
	assert_true(world_logged("nothing of it is killed: the user has another session"));
	world.renew_status = 403;
	world_wait(3601000);
	begin(&one);
	end(&one);
	assert_string_equal(world.signals, "");
	end(&two);
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=0 spared=2\n");
}

/* The user comes back before the last of them is gone. */
static void test_back_again(void **state)
{
	struct wire_conn one, two;

	wanted(KILL_USER);
	world.left = 1;
	world.deaf = true;
	begin(&one);
	end(&one);
	world_wait(501);
	begin(&two);
	for (int i = 0; i < 10; i++)
		world_wait(501);
	assert_null(strstr(world.signals, "9 " FAKE_USER));
	assert_true(world_logged("the user has another session by now"));
	assert_false(sessions_know(world.sessions, one.session));
	/* With that one they end. */
	end(&two);
	for (int i = 0; i < 10; i++)
		world_wait(501);
	assert_non_null(strstr(world.signals, "\n9 " FAKE_USER));
	assert_false(sessions_know(world.sessions, two.session));
}

static void test_session(void **state)
{
	struct wire_conn open;

	wanted(KILL_SESSION);
	begin(&open);
	audited(0, 7);
	world.left = 1;
	end(&open);
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=7 spared=2\n");
	world_wait(501);
	assert_false(sessions_know(world.sessions, open.session));
}

/* su inside of a session: the audit session is the outer one's. */
static void test_shared_audit_session(void **state)
{
	struct wire_conn outer, inner;

	wanted(KILL_SESSION);
	begin(&outer);
	begin(&inner);
	audited(0, 7);
	audited(1, 7);
	end(&inner);
	assert_string_equal(world.signals, "");
	assert_true(world_logged("another session has its processes too"));
	end(&outer);
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=7 spared=2\n");
}

static void test_no_audit_session(void **state)
{
	struct wire_conn open;

	wanted(KILL_SESSION);
	begin(&open);
	audited(0, AUDIT_SESSION_UNSET); /* this very process may have one */
	end(&open);
	assert_string_equal(world.signals, "");
	assert_true(world_logged("it had no audit session id; pam_loginuid.so"));
}

/* A login that never was a session has left nothing. */
static void test_not_opened(void **state)
{
	struct wire_conn login, open;

	wanted(KILL_USER);
	world.left = 1;
	login_ok(&login);
	world_wait(61000);
	world.helper_status = WIRE_STATUS_UNAVAILABLE;
	login_ok(&login);
	ask(&open, ask_open(login.handle));
	assert_int_equal(open.status, WIRE_STATUS_UNAVAILABLE);
	assert_int_equal(world.n_revoked, 2);
	assert_string_equal(world.signals, "");
}

static void test_restart(void **state)
{
	struct wire_conn open;

	wanted(KILL_USER);
	world.left = 1;
	world.deaf = true;
	begin(&open);
	end(&open);
	world_wait(501);
	world.signals[0] = '\0';
	world_restart();
	/* From the beginning; who closed it is known no more. */
	assert_string_equal(world.signals, "15 " FAKE_USER " audit=0 spared=1\n");
	world.left = 0;
	world_wait(501);
	assert_false(sessions_know(world.sessions, open.session));
}

static void test_helper_down(void **state)
{
	struct wire_conn open;

	wanted(KILL_USER);
	world.left = 1;
	begin(&open);
	world.signal_status = WIRE_STATUS_UNAVAILABLE;
	end(&open);
	world_wait(5001);
	world.signal_status = 0;
	world_wait(5001);
	world_wait(501);
	assert_true(world_logged("1 processes that it left are ended"));
	world.signal_status = WIRE_STATUS_UNAVAILABLE;
	begin(&open);
	end(&open);
	for (int i = 0; i < 12; i++)
		world_wait(5001);
	assert_true(world_logged("what is left of its processes is not killed: helper: unavailable"));
	world.signal_status = WIRE_STATUS_REFUSED;
	begin(&open);
	end(&open);
	assert_true(world_logged("what is left of its processes is not killed: helper: refused"));
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_false(sessions_know(world.sessions, open.session));
}

/* Who closes what has ended waits for no process either. */
static void test_closed_again(void **state)
{
	struct wire_conn open, again = { 0 };

	wanted(KILL_USER);
	world.left = 1;
	world.deaf = true;
	begin(&open);
	end(&open);
	assert_int_equal(world_files(open.session), 0);
	assert_int_equal(world.n_revoked, 1);
	ask(&again, ask_close(open.session));
	assert_true(again.answered);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_closed_again),
		T(test_none),
		T(test_user),
		T(test_nothing_left),
		T(test_deaf),
		T(test_undying),
		T(test_another_session),
		T(test_back_again),
		T(test_session),
		T(test_shared_audit_session),
		T(test_no_audit_session),
		T(test_not_opened),
		T(test_restart),
		T(test_helper_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
