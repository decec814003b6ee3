/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators and users ask about sessions: who sees what, what a kill and a revocation do. */
#include "session_fakes.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/macros.h"

#define SESSION_UID 70001 /* what FAKE_USER is for accounts_lookup; the tests give it to the sessions too */

static struct {
	unsigned called;
	struct sessions_ended result;
} told;

static void on_ended(void *arg, const struct sessions_ended *result)
{
	assert_ptr_equal(arg, &told);
	told.called++;
	told.result = *result;
}

static int setup(void **state)
{
	memset(&told, 0, sizeof(told));
	if (world_setup(state) < 0)
		return -1;
	world.uid = SESSION_UID;
	return 0;
}

/* An open session on a terminal; its id. */
static const char *session_open(struct wire_conn *open)
{
	struct wire_conn login;
	struct fake_ask what;

	login_ok(&login);
	what = ask_open(login.handle);
	what.tty = "pts/3";
	ask(open, what);
	assert_int_equal(open->status, WIRE_STATUS_OK);
	return open->session;
}

static size_t listed(uid_t uid)
{
	json_t *data = NULL;
	size_t n;

	assert_int_equal(sessions_admin_list(world.sessions, uid, &data), 0);
	n = json_array_size(json_object_get(data, "keys"));
	assert_int_equal(json_object_size(json_object_get(data, "key_info")), n);
	json_decref(data);
	return n;
}

static const char *text(const json_t *data, const char *key)
{
	return json_string_value(json_object_get(data, key));
}

static int kill_session(const char *id, uid_t uid)
{
	return sessions_admin_kill(world.sessions, uid, id, on_ended, &told);
}

static void test_list_and_show(void **state)
{
	struct wire_conn open, login;
	const char *id = session_open(&open);
	json_t *data = NULL;
	char *whole;

	assert_int_equal(listed(0), 1);
	assert_int_equal(listed(SESSION_UID), 1);
	assert_int_equal(listed(SESSION_UID + 1), 0);
	assert_int_equal(sessions_admin_show(world.sessions, SESSION_UID + 1, id, &data), -EACCES);
	assert_int_equal(sessions_admin_show(world.sessions, SESSION_UID + 1, "nothing", &data), -EACCES);
	assert_int_equal(sessions_admin_show(world.sessions, 0, "nothing", &data), -ENOENT);
	assert_int_equal(sessions_admin_show(world.sessions, SESSION_UID, id, &data), 0);
	assert_string_equal(text(data, "id"), id);
	assert_string_equal(text(data, "state"), "open");
	assert_string_equal(text(data, "user"), FAKE_USER);
	assert_int_equal(json_integer_value(json_object_get(data, "uid")), SESSION_UID);
	assert_string_equal(text(data, "service"), "sshd");
	assert_string_equal(text(data, "tty"), "pts/3");
	assert_string_equal(text(data, "rhost"), "10.0.0.9");
	assert_string_equal(text(data, "identity"), "web/app");
	assert_string_equal(text(data, "mount"), "kubernetes");
	assert_true(strlen(text(data, "role")) > 0 && strlen(text(data, "accessor")) > 0);
	assert_int_equal(json_integer_value(json_object_get(data, "leader")), getpid());
	assert_true(strcmp(text(data, "expires"), text(data, "opened")) > 0);
	whole = json_dumps(data, 0);
	assert_null(strstr(whole, "hvs."));
	free(whole);
	json_decref(data);
	/* The next daemon knows the terminal too. */
	world_restart();
	assert_int_equal(sessions_admin_show(world.sessions, 0, id, &data), 0);
	assert_string_equal(text(data, "tty"), "pts/3");
	json_decref(data);
	login_ok(&login);
	assert_int_equal(listed(0), 2);
}

static void test_kill(void **state)
{
	struct wire_conn open, other;
	const char *id = session_open(&open);

	session_open(&other);
	assert_int_equal(kill_session(id, SESSION_UID + 1), -EACCES);
	assert_int_equal(kill_session("nothing", 0), -ENOENT);
	world_run();
	assert_int_equal(world_files(id), 1);
	assert_int_equal(told.called, 0);
	assert_int_equal(kill_session(id, SESSION_UID), 0);
	world_run();
	assert_int_equal(told.called, 1);
	assert_int_equal(told.result.ended, 1);
	assert_int_equal(told.result.unfinished, 0);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(world_files(id), 0);
	assert_int_equal(world_files(other.session), 1);
	assert_true(world_logged("ends: killed by uid 70001"));
	assert_int_equal(listed(0), 1);
}

/* What cannot be ended now is said, stays in the list, and is ended later. */
static void test_kill_in_an_outage(void **state)
{
	struct wire_conn open;
	const char *id = session_open(&open);
	json_t *data = NULL;

	world.revoke_status = 503;
	assert_int_equal(kill_session(id, 0), 0);
	world_run();
	assert_int_equal(told.called, 0);
	assert_int_equal(sessions_admin_show(world.sessions, 0, id, &data), 0);
	assert_string_equal(text(data, "state"), "ending");
	json_decref(data);
	world_wait(7000);
	assert_int_equal(told.called, 1);
	assert_int_equal(told.result.ended, 0);
	assert_int_equal(told.result.unfinished, 1);
	assert_int_equal(kill_session(id, 0), 0); /* again: it waits with the first */
	world.revoke_status = 0;
	for (int i = 0; i < 10; i++)
		world_wait(1000);
	assert_int_equal(told.called, 2);
	assert_int_equal(listed(0), 0);
	assert_int_equal(world.n_revoked, 1);
}

/* The daemon ends while somebody waits: that one is told, once. */
static void test_kill_and_restart(void **state)
{
	struct wire_conn open;
	const char *id = session_open(&open);

	world.revoke_status = 503;
	assert_int_equal(kill_session(id, 0), 0);
	world_restart();
	assert_int_equal(told.called, 1);
	assert_int_equal(told.result.unfinished, 1);
}

static void test_revoke(void **state)
{
	static const char *const wrong[] = { "", "app", "/app", "web/", "web/app/", "/web/app", "//web/app", "Web/app",
		"web/app\n", "kubernetes//app" };
	struct wire_conn opens[2], login;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(sessions_admin_revoke(world.sessions, wrong[i], on_ended, &told), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(opens); i++)
		session_open(&opens[i]);
	login_ok(&login); /* not opened yet */
	assert_int_equal(sessions_admin_revoke(world.sessions, "other/app", on_ended, &told), 0);
	assert_int_equal(sessions_admin_revoke(world.sessions, "web/other", on_ended, &told), 0);
	assert_int_equal(sessions_admin_revoke(world.sessions, "west/web/app", on_ended, &told), 0);
	assert_int_equal(told.called, 3);
	assert_int_equal(told.result.ended, 0);
	assert_int_equal(listed(0), 3);
	assert_int_equal(sessions_admin_revoke(world.sessions, "kubernetes/web/app", on_ended, &told), 0);
	world_run();
	assert_int_equal(told.called, 4);
	assert_int_equal(told.result.ended, 3);
	assert_int_equal(world.n_revoked, 3);
	assert_int_equal(listed(0), 0);
	assert_int_equal(world_files(opens[0].session) + world_files(opens[1].session), 0);
	assert_true(world_logged("ends: its service account is revoked"));
}

/* A login that waits for its account is not to be pulled away under itself. */
static void test_revoke_under_way(void **state)
{
	struct wire_conn login;

	world.claim_later = true;
	ask(&login, ask_login());
	assert_false(login.answered);
	assert_int_equal(listed(0), 0);
	assert_int_equal(sessions_admin_revoke(world.sessions, "web/app", on_ended, &told), 0);
	assert_int_equal(told.called, 1);
	assert_int_equal(told.result.ended, 0);
	assert_int_equal(told.result.under_way, 1);
	world_release();
	assert_int_equal(login.status, WIRE_STATUS_OK);
	assert_int_equal(listed(0), 1);
}

/* A refusal is for root, and for the uid of the user whom it concerns; others do not learn whether it exists. */
static void test_explain(void **state)
{
	struct wire_conn conn;
	struct fake_ask what = ask_login();
	struct fake_role roles[] = { { "web", VAULT_FAILED_REFUSED, "audience", NULL }, { 0 } };
	json_t *data = NULL;
	char reason[501];

	world.verdict = ACCOUNT_COLLISION;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_int_equal(sessions_admin_explain(world.sessions, SESSION_UID + 1, conn.ref, &data), -EACCES);
	assert_int_equal(sessions_admin_explain(world.sessions, SESSION_UID, "ffffff~", &data), -EACCES);
	assert_int_equal(sessions_admin_explain(world.sessions, 0, "ffffff~", &data), -ENOENT);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sessions_admin_explain(world.sessions, i * SESSION_UID, conn.ref, &data), 0);
		assert_string_equal(text(data, "reason"), "the account does not fit");
		json_decref(data);
	}
	/* A reason that was cut inside a character. */
	memset(reason, 'x', sizeof(reason));
	for (size_t i = 1; i + 2 < sizeof(reason); i += 2)
		memcpy(reason + i, "\xc3\xa9", 2);
	reason[sizeof(reason) - 1] = '\0';
	for (unsigned i = 0; i < 2; i++) {
		roles[0].reason = reason + i;
		world.roles = roles;
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
		assert_int_equal(sessions_admin_explain(world.sessions, 0, conn.ref, &data), 0);
		assert_true(strlen(text(data, "reason")) > 300);
		json_decref(data);
	}
}

static void test_name(void **state)
{
	json_t *data = NULL;
	char why[256] = "";

	assert_int_equal(sessions_admin_name(world.sessions, "web", &data, why, sizeof(why)), -EINVAL);
	assert_int_equal(sessions_admin_name(world.sessions, "west/web/app", &data, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "no cluster \"west\""));
	assert_int_equal(sessions_admin_name(world.sessions, "web/app", &data, why, sizeof(why)), 0);
	assert_string_equal(text(data, "name"), "k8s_web_app");
	assert_string_equal(text(data, "mount"), "kubernetes");
	assert_int_equal(json_integer_value(json_object_get(data, "uid")), 70001);
	json_decref(data);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_list_and_show),
		T(test_kill),
		T(test_kill_in_an_outage),
		T(test_kill_and_restart),
		T(test_revoke),
		T(test_revoke_under_way),
		T(test_explain),
		T(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
