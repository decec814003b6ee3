/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions whose service account is gone: when that is asked, and what each answer does. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/text.h"

#define PATH "k8sauth/auth/kubernetes/serviceaccount/web/app"

static struct wire_conn opened;

static unsigned asked(void)
{
	unsigned n = 0;

	for (const char *at = world.requests; (at = strstr(at, "internal read " PATH "\n")); at++)
		n++;
	return n;
}

static void begin(struct wire_conn *ret)
{
	struct wire_conn login;

	login_ok(&login);
	open_ok(ret, login.handle);
}

static int setup(void **state)
{
	world_setup(state);
	world.config.clusters[0].recheck = 60;
	world.account = "{\"uid\":\"uid-1\"}"; /* its moment may come at any time */
	sessions_resume(world.sessions);
	world_run();
	begin(&opened);
	usleep(1100 * 1000); /* an answer says nothing about sessions of its own second */
	world_run();
	world.requests[0] = '\0';
	return 0;
}

/* A whole interval, in steps, as time passes for the loop. */
static void interval(void)
{
	for (int i = 0; i < 60; i++)
		world_wait(1000);
	world_run();
}

static void test_asks(void **state)
{
	struct wire_conn more;

	world.account = "{\"uid\":\"uid-1\"}";
	interval();
	assert_int_equal(asked(), 1);
	interval();
	assert_int_equal(asked(), 2);
	/* Two sessions of one account, one question. */
	begin(&more);
	interval();
	assert_int_equal(asked(), 3);
	assert_int_equal(sessions_count(world.sessions), 2);
	assert_false(world_logged("service account"));
}

static void test_off(void **state)
{
	world.config.clusters[0].recheck = 0;
	world_restart();
	interval();
	assert_int_equal(asked(), 0);
}

static void test_gone(void **state)
{
	struct wire_conn more;

	begin(&more);
	usleep(1100 * 1000);
	world_run();
	world.requests[0] = '\0';
	world.account = "{\"uid\":null}";
	interval();
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_int_equal(world.n_revoked, 2);
	assert_string_equal(world.files, "");
	assert_true(world_logged("ends: its service account is deleted"));
	interval();
	assert_int_equal(asked(), 1);
}

static void test_another(void **state)
{
	world.account = "{\"uid\":\"uid-2\"}";
	interval();
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_true(world_logged("ends: its service account was deleted, and another one made"));
}

/* An expired one could log in again. */
static void test_expired(void **state)
{
	world.account = "{\"uid\":\"uid-1\"}";
	world.renew_status = 403;
	world_wait(3601000);
	assert_int_equal(sessions_count(world.sessions), 1);
	world.account = "{\"uid\":null}";
	interval();
	assert_int_equal(sessions_count(world.sessions), 0);
}

static unsigned said(const char *text)
{
	unsigned n = 0;

	for (const char *at = world.log; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static void test_no_answer(void **state)
{
	static const char *const answers[] = { "503", "403", "404", "{}", "{\"uid\":7}" };

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		world.account = answers[i];
		interval();
	}
	assert_int_equal(asked(), ARRAY_SIZE(answers));
	assert_int_equal(sessions_count(world.sessions), 1);
	assert_int_equal(said("does not tell whether service accounts of sessions are still there"), 1);
	world.account = "{\"uid\":\"uid-1\"}";
	interval();
	interval();
	assert_int_equal(said("tells about service accounts of sessions again"), 1);
	world.account = "503";
	interval();
	assert_int_equal(said("does not tell whether service accounts of sessions are still there"), 2);
}

/* One that began while the answer was under way is another one's: the account was made again. */
static void test_began_meanwhile(void **state)
{
	struct wire_conn more;

	world.hold = "web/app";
	interval();
	assert_int_equal(asked(), 1);
	interval();
	assert_int_equal(asked(), 1); /* not beside it */
	begin(&more);
	world.account = "{\"uid\":null}";
	world_release();
	assert_int_equal(sessions_count(world.sessions), 1);
	assert_int_equal(world_files(opened.session), 0);
	assert_int_equal(world_files(more.session), 1);
}

static void test_daemon_ends(void **state)
{
	world.hold = "web/app";
	interval();
	world.account = "{\"uid\":null}";
	world_restart(); /* the answer comes to nobody */
	world_release();
	assert_int_equal(sessions_count(world.sessions), 1);
	interval();
	assert_int_equal(sessions_count(world.sessions), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_asks),
		T(test_off),
		T(test_gone),
		T(test_another),
		T(test_expired),
		T(test_no_answer),
		T(test_began_meanwhile),
		T(test_daemon_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
