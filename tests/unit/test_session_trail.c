/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the audit trail is told of where the backend is not asked: refusals of every kind, answers from memory, keys. The
 * backend's own entries are test_audit's.
 */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"
#include "base/text.h"

#define WHO "user=" FAKE_USER " service="

static char sshd[] = "sshd";

static int setup(void **state)
{
	world_setup_consumer(state);
	fake_trail();
	return 0;
}

static unsigned count_told(void)
{
	unsigned n = 0;

	for (const char *at = world.told; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

/* Asks; what is told must be one line, of HEAD, CONN's reference and TAIL. Forgets it. */
static void told(struct wire_conn *conn, struct fake_ask what, uint32_t status, const char *head, const char *tail)
{
	char line[1024];

	world.told[0] = '\0';
	ask(conn, what);
	assert_int_equal(conn->status, status);
	snprintf(line, sizeof(line), "%s ref=%s%s\n", head, conn->ref, tail);
	assert_string_equal(world.told, line);
}

/* The same for one that is not told here: the backend's trail has it. */
static void untold(struct fake_ask what, uint32_t status)
{
	struct wire_conn conn;

	world.told[0] = '\0';
	ask(&conn, what);
	assert_int_equal(conn.status, status);
	assert_string_equal(world.told, "");
}

static void test_logins(void **state)
{
	static const struct fake_role roles[] = { { .name = "a" }, { .name = "b" }, { 0 } };
	struct fake_ask what = ask_login();
	struct wire_conn conn;

	what.tty = "ssh";
	untold(what, WIRE_STATUS_OK);
	what.credential = "nonsense";
	told(&conn, what, WIRE_STATUS_REFUSED, "update auth/kubernetes/login " WHO "sshd rhost=10.0.0.9 tty=ssh",
	    ": the credential is no JWT (8 bytes, not three parts with a signature)");
	assert_string_equal(sessions_explain(world.sessions, conn.ref)->reason,
	    "the credential is no JWT (8 bytes, not three parts with a signature)");
	/* The table has its place by now. */
	what.credential = FAKE_JWT;
	world.roles = roles;
	world.told[0] = '\0';
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_non_null(strstr(world.told, " session="));
	assert_non_null(strstr(world.told, ": several roles match: a; b\n"));
	assert_int_equal(count_told(), 1);
	/* What cannot even be read. */
	what.user = "with\nnewline";
	told(&conn, what, WIRE_STATUS_REFUSED, "update auth/kubernetes/login service=sshd rhost=10.0.0.9 tty=ssh",
	    ": user name absent, too long or odd");
	/* The names of others are not ours, and say nothing. */
	what.user = "daemon";
	untold(what, WIRE_STATUS_NOT_OURS);
}

/* Its role, its answer: the backend was asked, and has told. */
static void test_asked(void **state)
{
	static const struct fake_role refused[] = { { .name = "web",
							.failure = VAULT_FAILED_REFUSED,
							.step = "tokenreview",
							.reason = "not authenticated" },
		{ 0 } };
	static const struct fake_role other[] = {
		{ .name = "web", .failure = VAULT_FAILED_OTHER_ROLE, .step = "namespace", .reason = "not this one" }, { 0 }
	};
	struct wire_conn conn;

	world.roles = refused;
	untold(ask_login(), WIRE_STATUS_REFUSED);
	untold(ask_verify(), WIRE_STATUS_REFUSED);
	world.roles = other;
	untold(ask_login(), WIRE_STATUS_REFUSED);
	/* It logs in, and then the account is refused: the exchange's entry says yes. */
	world.roles = (const struct fake_role[]){ { .name = "web" }, { 0 } };
	world.verdict = ACCOUNT_COLLISION;
	world.told[0] = '\0';
	ask(&conn, ask_login());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_int_equal(count_told(), 1);
	assert_non_null(strstr(world.told, "update auth/kubernetes/login " WHO "sshd"));
	assert_non_null(strstr(world.told, sessions_explain(world.sessions, conn.ref)->reason));
}

static void test_gate(void **state)
{
	struct fake_ask what = { .type = WIRE_CHECK,
		.user = FAKE_USER,
		.service = "sudo",
		.tty = "pts/1",
		.path = "k8sauth/sudo/{host}/{target}",
		.capability = "read",
		.target = "root" };
	struct wire_conn conn, login, open;

	told(&conn, what, WIRE_STATUS_REFUSED, "read k8sauth/sudo/web-1/root " WHO "sudo tty=pts/1",
	    ": k8sauth/sudo/web-1/root:read: the user has no live session");
	login_ok(&login);
	open_ok(&open, login.handle);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"deny\"]}";
	untold(what, WIRE_STATUS_REFUSED);
	world.capabilities = "{\"hvs.TOKEN-1 k8sauth/sudo/web-1/root\": [\"read\"]}";
	untold(what, WIRE_STATUS_OK);
	what.target = "../etc";
	told(&conn, what, WIRE_STATUS_REFUSED, "update sys/capabilities-self " WHO "sudo tty=pts/1",
	    ": session:read: a template's value is no single path segment");
}

static void test_handles_and_keys(void **state)
{
	struct service_config block = { .name = sshd, .keys_allow = true };
	struct fake_ask what = ask_open("nothing");
	struct wire_conn conn, login;

	told(&conn, what, WIRE_STATUS_REFUSED, "update k8sauth/open/sshd " WHO "sshd rhost=10.0.0.9",
	    ": the login's handle is absent, unknown, used, or older than a minute");
	what = ask_account(NULL);
	told(&conn, what, WIRE_STATUS_REFUSED, "update k8sauth/account/sshd " WHO "sshd",
	    ": no token was exchanged in this login (a key, cron, at)");
	login_ok(&login);
	untold(ask_account(login.handle), WIRE_STATUS_OK);
	world.config.services = &block;
	world.config.n_services = 1;
	world.told[0] = '\0';
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(count_told(), 1);
	assert_true(starts_with(world.told, "update k8sauth/account/sshd " WHO "sshd ref="));
	assert_true(ends_with(world.told, ": yes\n"));
	/* Where the trail does not take it, nobody comes in. */
	world.trail_status = 500;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
}

/* Yes and no from memory, each under the reference of the first time. */
static void test_remembered(void **state)
{
	struct fake_ask what = ask_verify();
	struct wire_conn conn, first;
	char line[256];
	const char *at;

	world.hold = "login";
	ask(&first, what);
	ask(&conn, what);
	assert_false(conn.answered);
	world_release();
	assert_int_equal(first.status, WIRE_STATUS_OK);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(world.verified, 1);
	assert_int_equal(count_told(), 1); /* of the second */
	at = strstr(world.log, " k8sauth: verify of");
	assert_non_null(at);
	snprintf(line, sizeof(line), "update k8sauth/verify/db " WHO "db rhost=10.0.0.9 ref=%.6s remembered=true: yes\n",
	    at - 6);
	assert_string_equal(world.told, line);
	for (int i = 0; i < 2; i++) {
		world.told[0] = '\0';
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_OK);
		assert_string_equal(world.told, line);
	}
	assert_int_equal(world.verified, 1);
	world.trail_status = 500;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
	world.trail_status = 0;
	world.roles = (const struct fake_role[]){
		{ .name = "web", .failure = VAULT_FAILED_REFUSED, .step = "jwt", .reason = "expired" }, { 0 }
	};
	world_logins_change();
	ask(&first, what);
	assert_int_equal(first.status, WIRE_STATUS_REFUSED);
	told(&conn, what, WIRE_STATUS_REFUSED, "update k8sauth/verify/db " WHO "db rhost=10.0.0.9",
	    " remembered=true: expired (status 403)");
	assert_string_equal(conn.ref, first.ref);
}

static void test_a_client_that_leaves(void **state)
{
	struct fake_ask what = ask_verify();
	struct wire_conn conn;

	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	world.hold = "k8sauth"; /* the path of what is only told */
	ask(&conn, what);
	assert_false(conn.answered);
	leave(&conn);
	assert_true(conn.answered);
	ask(&conn, what);
	assert_false(conn.answered);
	world_release();
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(world.verified, 1);
}

/* Of a flood some are told, and how many were not; other kinds, and what is allowed, are told as ever. */
static void test_flood(void **state)
{
	struct fake_ask bad = ask_login(), wrong = ask_verify();
	struct wire_conn conn;
	unsigned left_out;
	char text[64];

	bad.credential = wrong.credential = "nonsense";
	for (int i = 0; i < 300; i++) /* a program that verifies is not made to wait */
		ask(&conn, wrong);
	assert_true(count_told() >= 90 && count_told() < 150);
	assert_true(world_logged("audit entries of refusals: more than"));
	left_out = 300 - count_told();
	told(&conn, bad, WIRE_STATUS_REFUSED, "update auth/kubernetes/login " WHO "sshd rhost=10.0.0.9",
	    ": the credential is no JWT (8 bytes, not three parts with a signature)");
	world.told[0] = '\0';
	ask(&conn, ask_verify());
	ask(&conn, ask_verify());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(count_told(), 1);
	snprintf(text, sizeof(text), " left-out=%u: the credential is no JWT", left_out);
	world_wait(10000);
	world.told[0] = '\0';
	ask(&conn, wrong);
	assert_non_null(strstr(world.told, text));
	ask(&conn, wrong);
	assert_int_equal(count_told(), 2);
	assert_null(strstr(strchr(world.told, '\n'), "left-out"));
}

/* Items that a terminal would obey, or too long (what is no UTF-8 the wire refuses): the refusal is told with those that are good. */
static void test_hostile_items(void **state)
{
	static char long_text[300];
	static const char *const bad[] = { "a\nb", "a\r", "\x1b[2J", "a\x7f", "\xc2\x9b[2J",
		"a\xe2\x80\xa8" "b", "a\xe2\x80\xae" "b", long_text };
	static const uint8_t types[] = { WIRE_LOGIN, WIRE_OPEN, WIRE_ACCOUNT, WIRE_CHECK, WIRE_VERIFY };

	memset(long_text, 'a', sizeof(long_text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad) * ARRAY_SIZE(types) * 4; i++) {
		struct fake_ask what = { .type = types[i / 4 % ARRAY_SIZE(types)],
			.user = FAKE_USER, .service = "sshd", .rhost = "10.0.0.9", .tty = "pts/\"1\"\\<&>\xc3\xa9" };
		const char **items[] = { &what.user, &what.service, &what.rhost, &what.tty };
		struct wire_conn conn;

		*items[i % 4] = bad[i / 4 / ARRAY_SIZE(types)];
		world.told[0] = '\0';
		world_wait(11000); /* they are many */
		ask(&conn, what);
		world_wait(1000);
		assert_true(conn.answered);
		assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
		assert_int_equal(count_told(), 1);
		assert_null(strstr(world.told, *items[i % 4]));
		assert_true(utf8_valid(world.told, strlen(world.told)));
		assert_true(strlen(world.told) < 512);
	}
}

/* Without a trail nothing is told, and nothing waits. */
static void test_none(void **state)
{
	struct fake_ask what = ask_verify();
	struct wire_conn conn;

	world_teardown(state);
	world_setup(state);
	world.config.consumers = &fake_consumer;
	world.config.n_consumers = 1;
	world.hold = "x";
	ask(&conn, what);
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	what.credential = "nonsense";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_string_equal(world.told, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_logins),
		TEST(test_asked),
		TEST(test_gate),
		TEST(test_handles_and_keys),
		TEST(test_remembered),
		TEST(test_a_client_that_leaves),
		TEST(test_flood),
		TEST(test_hostile_items),
		TEST(test_none),
	};

	return cmocka_run_group_tests_name("session trail", tests, NULL, NULL);
}
