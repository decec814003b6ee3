/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: whose sessions are asked, with which path, and what their answers mean. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

#define SUDO "k8sauth/sudo/{host}/{target}"

static struct fake_ask question(void)
{
	return (struct fake_ask){ .type = WIRE_CHECK,
		.user = FAKE_USER,
		.service = "sudo",
		.path = SUDO,
		.capability = "update",
		.target = "root" };
}

static void answers(struct fake_ask what, uint32_t status)
{
	struct wire_conn conn;

	ask(&conn, what);
	assert_true(conn.answered);
	assert_int_equal(conn.status, status);
	if (status == WIRE_STATUS_REFUSED)
		assert_non_null(sessions_explain(world.sessions, conn.ref));
}

static void session_new_open(struct wire_conn *open)
{
	struct wire_conn login;

	login_ok(&login);
	open_ok(open, login.handle);
}

static void test_policy_decides(void **state)
{
	struct fake_ask what = question();
	struct wire_conn open;

	answers(what, WIRE_STATUS_REFUSED);
	assert_true(world_logged("gate of k8s_web_app for service sudo refused at session: "
				 "k8sauth/sudo/web-1/root:update: the user has no live session; remedy: log in again"));
	session_new_open(&open);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"read\", \"update\"],"
			     " \"hvs.TOKEN-1 k8sauth/sudo/web-1/bob\": [\"deny\"]}";
	answers(what, WIRE_STATUS_OK);
	what.capability = "create";
	answers(what, WIRE_STATUS_REFUSED);
	assert_true(world_logged("its policies do not allow it"));
	what = question();
	what.target = "bob";
	answers(what, WIRE_STATUS_REFUSED);
	what = question();
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"deny\", \"update\"]}";
	answers(what, WIRE_STATUS_REFUSED);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"root\"]}";
	answers(what, WIRE_STATUS_OK);
	/* The token is revoked. */
	world.capabilities = "{}";
	answers(what, WIRE_STATUS_REFUSED);
	assert_true(world_logged("its token was answered 403 permission denied"));
}

static void test_placeholders(void **state)
{
	static const char *const bad[] = { "a/../b", "+", "*", "root/x", "..", "{user}" };
	struct fake_ask what = question();
	struct wire_conn open;

	session_new_open(&open);
	world.capabilities = "{\"hvs.TOKEN-1 a/web-1/k8s_web_app/sudo/root\": [\"update\"]}";
	what.path = "a/{host}/{user}/{service}/{target}";
	answers(what, WIRE_STATUS_OK);
	what.target = NULL; /* this phase does not know it */
	answers(what, WIRE_STATUS_REFUSED);
	assert_true(world_logged("refused at path"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		what.target = bad[i];
		answers(what, WIRE_STATUS_REFUSED);
	}
	what = question();
	what.path = "a/{nobody}";
	answers(what, WIRE_STATUS_REFUSED);
	what.path = "";
	answers(what, WIRE_STATUS_REFUSED);
	what = question();
	what.capability = NULL;
	answers(what, WIRE_STATUS_REFUSED);
	what = question();
	what.path = NULL;
	answers(what, WIRE_STATUS_REFUSED);
	what = question();
	what.service = NULL;
	answers(what, WIRE_STATUS_REFUSED);
}

/* Without a path: whether a session lives, which its token must say itself. */
static void test_live_session(void **state)
{
	struct fake_ask what = question();
	struct wire_conn open, closed;

	what.path = what.capability = NULL;
	answers(what, WIRE_STATUS_REFUSED);
	session_new_open(&open);
	answers(what, WIRE_STATUS_REFUSED); /* its token is revoked */
	world.capabilities = "{\"hvs.TOKEN-1 sys/capabilities-self\": [\"update\"]}";
	answers(what, WIRE_STATUS_OK);
	what.user = "k8s_web_other";
	answers(what, WIRE_STATUS_REFUSED);
	what.user = "bob";
	answers(what, WIRE_STATUS_NOT_OURS);
	what.user = FAKE_USER;
	ask(&closed, ask_close(open.session));
	answers(what, WIRE_STATUS_REFUSED);
}

static void test_one_of_many(void **state)
{
	struct fake_ask what = question();
	struct wire_conn open;

	for (int i = 0; i < 20; i++)
		session_new_open(&open);
	world.capabilities = "{\"hvs.TOKEN-7 k8sauth/sudo/web-1/root\": [\"update\"]}";
	answers(what, WIRE_STATUS_OK);
	world.capabilities = "{\"hvs.TOKEN-7 k8sauth/sudo/web-1/root\": 503}";
	answers(what, WIRE_STATUS_UNAVAILABLE);
	world.capabilities = "{\"hvs.TOKEN-21 k8sauth/sudo/web-1/root\": [\"update\"]}";
	answers(what, WIRE_STATUS_REFUSED);
}

static void test_outage(void **state)
{
	struct wire_conn open;

	session_new_open(&open);
	world.outage_status = 503;
	answers(question(), WIRE_STATUS_UNAVAILABLE);
}

/* The login's own handle speaks for a session that is not open yet, and for its own service only. */
static void test_login_under_way(void **state)
{
	struct fake_ask what = question();
	struct wire_conn login;

	login_ok(&login);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/login/web-1/sshd\": [\"update\"]}";
	what.path = "k8sauth/login/{host}/{service}";
	what.service = "sshd";
	answers(what, WIRE_STATUS_REFUSED);
	what.handle = login.handle;
	answers(what, WIRE_STATUS_OK);
	answers(what, WIRE_STATUS_OK); /* asking does not spend it */
	what.service = "sudo";
	answers(what, WIRE_STATUS_REFUSED);
}

static void test_expired(void **state)
{
	struct wire_conn open;

	world.renew_status = 403;
	session_new_open(&open);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"update\"]}";
	answers(question(), WIRE_STATUS_OK);
	world_wait(3601 * 1000);
	answers(question(), WIRE_STATUS_REFUSED);
	assert_true(world_logged("the user's session has expired; remedy: run `k8sauth session login`"));
}

/* The session closes, the client leaves, the daemon stops while the backend thinks. */
static void test_meanwhile(void **state)
{
	struct wire_conn open, conn, closed;

	session_new_open(&open);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"update\"]}";
	world.hold = "capabilities-self";
	ask(&conn, question());
	assert_false(conn.answered);
	ask(&closed, ask_close(open.session));
	world_release();
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);

	session_new_open(&open);
	world.capabilities = "{\"hvs.TOKEN-2 k8sauth/sudo/web-1/root\": [\"update\"]}";
	world.hold = "capabilities-self";
	ask(&conn, question());
	leave(&conn);
	world_release();

	world.hold = "capabilities-self";
	ask(&conn, question());
	world_restart();
	world_release();
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_policy_decides),
		T(test_placeholders),
		T(test_live_session),
		T(test_one_of_many),
		T(test_outage),
		T(test_login_under_way),
		T(test_expired),
		T(test_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
