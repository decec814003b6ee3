/* SPDX-License-Identifier: Apache-2.0 */
/* The life of sessions: renewal and expiry, and what the next daemon makes of what it finds. */
#include "session_fakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/macros.h"
#include "session/table.h"

static void close_session(const char *id, uint32_t status)
{
	struct wire_conn conn;

	ask(&conn, ask_close(id));
	assert_true(conn.answered);
	assert_int_equal(conn.status, status);
}

/* --- renewal --------------------------------------------------------------------------------- */

static unsigned renewals(void)
{
	unsigned n = 0;

	for (const char *at = world.requests; (at = strstr(at, "renew-self")); at++)
		n++;
	return n;
}

static void test_renewal(void **state)
{
	struct wire_conn login, open;

	world.lease = 3600;
	login_ok(&login);
	open_ok(&open, login.handle);
	world_wait(2395000);
	assert_int_equal(renewals(), 0);
	world_wait(10000);
	assert_int_equal(renewals(), 1);
	world_wait(2395000); /* 80 minutes: the first lease would be over */
	assert_int_equal(renewals(), 1);
	world_wait(10000);
	assert_int_equal(renewals(), 2);
	/* Capped by the maximum TTL: no longer than before. It is used up without asking again. */
	world.lease = 1190;
	world_wait(2405000);
	assert_int_equal(renewals(), 3);
	world_wait(1180000);
	assert_int_equal(renewals(), 3);
	assert_int_equal(world_files(open.session), 1);
	world_wait(20000);
	assert_int_equal(world_files(open.session), 0);
	assert_true(world_logged(
	    "has expired: its token's time is over; its files are removed; remedy: k8sauth session login"));
	assert_int_equal(sessions_count(world.sessions), 1); /* known until it closes */
	close_session(open.session, WIRE_STATUS_OK);
	assert_int_equal(world.n_revoked, 0);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_renewal_refused(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.renew_status = 403;
	world.remove_error = -ECONNREFUSED;
	world_wait(2401000);
	assert_true(world_logged("has expired: 403 permission denied"));
	assert_int_equal(world_files(open.session), 1);
	world.remove_error = 0;
	world_wait(5000); /* the removal is tried again */
	assert_int_equal(world_files(open.session), 0);
	assert_int_equal(sessions_count(world.sessions), 1);
	/* The token lives on: the end of the session is its end. */
	close_session(open.session, WIRE_STATUS_OK);
	assert_int_equal(world.n_revoked, 1);
	assert_non_null(strstr(world.requests, "internal update auth/token/revoke-self"));
}

/* A role that is gone is a definite no, although Vault says 500. */
static void test_renewal_without_a_role(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.renew_status = 500;
	world.renew_failure = VAULT_FAILED_REFUSED;
	world_wait(2401000);
	assert_true(world_logged("has expired: 500"));
	assert_int_equal(renewals(), 1);
}

static void test_renewal_in_an_outage(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.renew_status = 503;
	world_wait(2401000);
	world_wait(61000);
	assert_true(renewals() >= 2);
	world.renew_status = 0;
	world_wait(61000);
	world_wait(1100000); /* past the first lease */
	assert_int_equal(world_files(open.session), 1);
	world.renew_status = 500;
	for (int i = 0; i < 80; i++)
		world_wait(60000);
	assert_int_equal(world_files(open.session), 0);
	assert_true(world_logged("has expired: its token's time is over"));
}

static void test_not_renewable(void **state)
{
	struct wire_conn login, open;

	world.auth = "{\"renewable\":false}";
	login_ok(&login);
	open_ok(&open, login.handle);
	world_wait(3590000);
	assert_int_equal(renewals(), 0);
	world_wait(20000);
	assert_int_equal(world_files(open.session), 0);
}

static void test_renewal_held_while_closing(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.hold = "renew-self";
	world_wait(2401000);
	assert_int_equal(renewals(), 1);
	close_session(open.session, WIRE_STATUS_OK);
	world_release();
	assert_int_equal(sessions_count(world.sessions), 0);
}

/* --- the next daemon ------------------------------------------------------------------------- */

static void test_restart(void **state)
{
	struct wire_conn login[3], open[2];

	login_ok(&login[0]);
	open_ok(&open[0], login[0].handle);
	login_ok(&login[1]);
	login_ok(&login[2]);
	world_restart();
	assert_int_equal(sessions_count(world.sessions), 3);
	assert_true(sessions_know(world.sessions, open[0].session));
	assert_int_equal(world_files(open[0].session), 1);
	open_ok(&open[1], login[1].handle); /* a handle outlives the daemon that gave it */
	assert_true(world_file(open[1].session, "token", FAKE_TOKEN "2"));
	world_wait(61000);
	assert_int_equal(world.n_revoked, 1); /* the third was never opened */
	world_restart();
	close_session(open[0].session, WIRE_STATUS_OK);
	close_session(open[1].session, WIRE_STATUS_OK);
	assert_int_equal(world.n_revoked, 3);
	assert_string_equal(world.files, "");
	assert_true(world_logged("sessions: 3 taken up from the daemon before"));
}

static void test_restart_renews(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world_restart();
	world_wait(2401000);
	assert_int_equal(renewals(), 1);
	sessions_resume(world.sessions); /* after another unseal: nothing twice */
	world_run();
	assert_int_equal(renewals(), 1);
}

static void test_restart_leader(void **state)
{
	struct wire_conn login[2], open[2];
	pid_t pids[2] = { leader_new(), leader_new() };

	for (int i = 0; i < 2; i++) {
		struct fake_ask what;

		login_ok(&login[i]);
		what = ask_open(login[i].handle);
		what.pid = pids[i];
		ask(&open[i], what);
		assert_int_equal(open[i].status, WIRE_STATUS_OK);
	}
	leader_kill(pids[0]); /* while no daemon runs, as it were */
	world_restart();
	assert_int_equal(world_files(open[0].session), 0);
	assert_int_equal(world_files(open[1].session), 1);
	leader_kill(pids[1]);
	world_wait(1);
	assert_int_equal(world_files(open[1].session), 0);
	assert_int_equal(world.n_revoked, 2);
}

/* The pid is another process's by now. */
static void test_restart_pid_reused(void **state)
{
	struct wire_conn login, open;
	struct session_record record;
	struct table *table;
	char boot[64], why[128];
	FILE *file;

	login_ok(&login);
	open_ok(&open, login.handle);
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	assert_non_null(fgets(boot, 37, file));
	fclose(file);
	assert_int_equal(table_open(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3), boot, &table, why, sizeof(why)), 0);
	assert_int_equal(table_get(table, 0, &record, NULL), 0);
	assert_int_equal(record.leader, getpid());
	assert_true(record.leader_start != 0);
	record.leader_start++;
	assert_int_equal(table_put(table, 0, &record, NULL), 0);
	table_close(table);
	world_restart();
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world_files(open.session), 0);
}

static void test_restart_goes_on_ending(void **state)
{
	struct wire_conn login, open, end;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.revoke_status = 503;
	world.remove_error = -ETIMEDOUT;
	ask(&end, ask_close(open.session));
	assert_false(end.answered);
	sessions_free(world.sessions);
	assert_true(end.answered);
	world.revoke_status = 0;
	world.remove_error = 0;
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	assert_true(sessions_know(world.sessions, open.session));
	sessions_resume(world.sessions);
	world_run();
	assert_int_equal(world.n_revoked, 1);
	assert_string_equal(world.files, "");
	assert_false(sessions_know(world.sessions, open.session));
}

static void test_restart_expired(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	world.renew_status = 403;
	world.remove_error = -ETIMEDOUT;
	world_wait(2401000);
	assert_int_equal(world_files(open.session), 1);
	world.remove_error = 0;
	world_restart();
	assert_int_equal(world_files(open.session), 0);
	assert_int_equal(sessions_count(world.sessions), 1);
	close_session(open.session, WIRE_STATUS_OK);
}

static void test_restart_in_a_login(void **state)
{
	struct wire_conn login;

	/* The exchange is under way: the next daemon knows nothing of it, and its token is an orphan. */
	world.hold = "login";
	ask(&login, ask_login());
	world.hold = NULL;
	world_restart();
	assert_int_equal(login.status, WIRE_STATUS_UNAVAILABLE);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_false(sessions_know(world.sessions, "x"));
	/* The token is there, the account is not settled: it ends. */
	world.claim_later = true;
	ask(&login, ask_login());
	assert_false(login.answered);
	sessions_free(world.sessions);
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	sessions_resume(world.sessions);
	world_release();
	assert_int_equal(login.status, WIRE_STATUS_UNAVAILABLE);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_restart_while_opening(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	world.helper_hold = true;
	ask(&open, ask_open(login.handle));
	sessions_free(world.sessions);
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	sessions_resume(world.sessions);
	world_release();
	assert_int_equal(open.status, WIRE_STATUS_UNAVAILABLE);
	assert_true(world_logged("ends: the daemon ended before it was open"));
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
}

/* An unseal while a session is opened takes nothing away. */
static void test_resume_while_opening(void **state)
{
	struct wire_conn login, open;

	login_ok(&login);
	world.helper_hold = true;
	ask(&open, ask_open(login.handle));
	sessions_resume(world.sessions);
	world_run();
	world_release();
	assert_int_equal(open.status, WIRE_STATUS_OK);
	assert_int_equal(world_files(open.session), 1);
}

static void test_sweep(void **state)
{
	struct wire_conn login, open;
	static const char foreign[] = "AAAAAAAAAAAAAAAAAAAAAAAA token=x\n";

	login_ok(&login);
	open_ok(&open, login.handle);
	strcat(world.files, foreign);
	world_restart();
	assert_null(strstr(world.files, "AAAA"));
	assert_int_equal(world_files(open.session), 1);
	/* The helper is down at first. */
	strcat(world.files, foreign);
	world.helper_error = -ECONNREFUSED;
	world_restart();
	assert_non_null(strstr(world.files, "AAAA"));
	world.helper_error = 0;
	world_wait(61000);
	assert_null(strstr(world.files, "AAAA"));
	assert_int_equal(world_files(open.session), 1);
}

static void test_damaged_record(void **state)
{
	struct wire_conn login[2], open[2];

	for (int i = 0; i < 2; i++) {
		login_ok(&login[i]);
		open_ok(&open[i], login[i].handle);
	}
	/* Both halves of the first record's page. */
	assert_int_equal(pwrite(world.kept_fd, "damage", 6, 4096 + 700), 6);
	assert_int_equal(pwrite(world.kept_fd, "damage", 6, 4096 + 2048 + 700), 6);
	world_restart();
	assert_false(sessions_know(world.sessions, open[0].session));
	assert_true(sessions_know(world.sessions, open[1].session));
	assert_int_equal(world_files(open[0].session), 0); /* swept; its token is revoked as an orphan */
	assert_int_equal(world_files(open[1].session), 1);
	assert_true(world_logged("is damaged and dropped"));
}

static void test_bad_table(void **state)
{
	struct wire_conn login;

	login_ok(&login);
	sessions_free(world.sessions);
	assert_int_equal(pwrite(world.kept_fd, "x", 1, 0), 1);
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_true(world_logged("it is dropped and a new one begun"));
	login_ok(&login);
	world_restart(); /* the new one is kept */
	assert_int_equal(sessions_count(world.sessions), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_renewal),
		T(test_renewal_refused),
		T(test_renewal_without_a_role),
		T(test_renewal_in_an_outage),
		T(test_not_renewable),
		T(test_renewal_held_while_closing),
		T(test_restart),
		T(test_restart_renews),
		T(test_restart_leader),
		T(test_restart_pid_reused),
		T(test_restart_goes_on_ending),
		T(test_restart_expired),
		T(test_restart_in_a_login),
		T(test_restart_while_opening),
		T(test_resume_while_opening),
		T(test_sweep),
		T(test_damaged_record),
		T(test_bad_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
