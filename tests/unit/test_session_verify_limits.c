/* SPDX-License-Identifier: Apache-2.0 */
/* verify: many at once, floods, tickets, clients that leave. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

static struct fake_ask ask_verify_of(uid_t uid)
{
	struct fake_ask what = ask_verify();

	what.uid = uid;
	return what;
}

/* The NUMBERth of different credentials. */
static struct fake_ask ask_other(uid_t of, unsigned number)
{
	static char texts[128][sizeof(FAKE_JWT) + 8];
	struct fake_ask what = ask_verify_of(of);

	snprintf(texts[number], sizeof(texts[number]), "%sA%uA", FAKE_JWT, number);
	what.credential = texts[number];
	return what;
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

/* However many wait, it is asked once. */
static void test_asked_once(void **state)
{
	struct wire_conn conns[30];

	world.hold = "login";
	for (size_t i = 0; i < ARRAY_SIZE(conns); i++)
		ask(&conns[i], ask_verify());
	leave(&conns[0]); /* who asked first need not stay */
	leave(&conns[7]);
	world_release();
	assert_int_equal(world.verified, 1);
	for (size_t i = 0; i < ARRAY_SIZE(conns); i++)
		assert_int_equal(conns[i].status, i == 0 || i == 7 ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_OK);
}

static void test_refused_once(void **state)
{
	static const struct fake_role no[] = { { "web", VAULT_FAILED_REFUSED, "tokenreview", "it is dead" }, { 0 } };
	struct wire_conn conns[8];

	world.roles = no;
	world.hold = "login";
	for (size_t i = 0; i < ARRAY_SIZE(conns); i++)
		ask(&conns[i], ask_verify());
	world_release();
	for (size_t i = 0; i < ARRAY_SIZE(conns); i++) {
		assert_int_equal(conns[i].status, WIRE_STATUS_REFUSED);
		assert_string_equal(conns[i].ref, conns[0].ref);
	}
	assert_int_equal(count(world.log, "refused at tokenreview"), 1);
}

/* Nobody waits any more: the answer is kept all the same. */
static void test_all_leave(void **state)
{
	struct wire_conn conn;

	world.hold = "login";
	ask(&conn, ask_verify());
	leave(&conn);
	world_release();
	assert_int_equal(world.verified, 1);
	ask(&conn, ask_verify());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(world.verified, 1);
}

/* An answer that does not come is waited for no longer than the module does, and then asked for anew. */
static void test_no_answer(void **state)
{
	struct wire_conn first, second;

	world.hold = "login";
	ask(&first, ask_verify());
	ask(&second, ask_verify());
	world_wait(19000);
	assert_int_equal(first.status, WIRE_STATUS_UNAVAILABLE);
	assert_int_equal(second.status, WIRE_STATUS_UNAVAILABLE);
	ask(&first, ask_verify());
	assert_false(first.answered);
	world_release();
	assert_int_equal(first.status, WIRE_STATUS_OK);
}

/* The daemon stops. */
static void test_stop(void **state)
{
	struct wire_conn conn;

	world.hold = "login";
	ask(&conn, ask_verify());
	world_restart();
	world_release();
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
}

/* 8 at once of one uid, 48 of all, and root's own are not hindered by others'. */
static void test_at_once(void **state)
{
	struct wire_conn conns[64];
	size_t n = 0;

	ask(&conns[0], ask_other(FAKE_CONSUMER_UID, 60));
	assert_int_equal(conns[0].status, WIRE_STATUS_OK);
	world_wait(31000);
	world.hold = "login";
	for (; n < 8; n++)
		ask(&conns[n], ask_other(FAKE_CONSUMER_UID, (unsigned)n));
	for (size_t i = 0; i < n; i++)
		assert_false(conns[i].answered);
	ask(&conns[n], ask_other(FAKE_CONSUMER_UID, 8));
	assert_int_equal(conns[n].status, WIRE_STATUS_LIMIT);
	ask(&conns[n], ask_other(FAKE_CONSUMER_UID, 9));
	assert_int_equal(conns[n].status, WIRE_STATUS_LIMIT);
	assert_int_equal(count(world.log, "too many verifications of one uid at once"), 1);
	for (; n < 48; n++)
		ask(&conns[n], ask_other(0, (unsigned)n));
	ask(&conns[48], ask_other(0, 48));
	assert_int_equal(conns[48].status, WIRE_STATUS_LIMIT);
	assert_true(world_logged("too many verifications at once"));
	/* What is being asked may be waited for. */
	ask(&conns[48], ask_other(0, 47));
	assert_false(conns[48].answered);
	/* What was right lately is asked all the same. */
	ask(&conns[49], ask_other(FAKE_CONSUMER_UID, 60));
	assert_false(conns[49].answered);
	world_release();
	for (size_t i = 0; i <= 49; i++)
		assert_int_equal(conns[i].status, WIRE_STATUS_OK);
	ask(&conns[0], ask_other(FAKE_CONSUMER_UID, 8));
	assert_int_equal(conns[0].status, WIRE_STATUS_OK);
}

/* 20 a second of one uid, not counting what is answered from memory; root's are not counted. */
static void test_in_a_second(void **state)
{
	struct wire_conn conn;

	for (unsigned i = 0; i < 20; i++) {
		ask(&conn, ask_other(FAKE_CONSUMER_UID, i));
		assert_int_equal(conn.status, WIRE_STATUS_OK);
	}
	for (unsigned i = 20; i < 30; i++) {
		ask(&conn, ask_other(FAKE_CONSUMER_UID, i));
		assert_int_equal(conn.status, WIRE_STATUS_LIMIT);
		assert_non_null(sessions_explain(world.sessions, conn.ref));
	}
	assert_int_equal(count(world.log, "too many verifications of one uid in a second (uid 33"), 1);
	for (unsigned i = 0; i < 100; i++) {
		ask(&conn, ask_other(FAKE_CONSUMER_UID, i % 20));
		assert_int_equal(conn.status, WIRE_STATUS_OK);
	}
	for (unsigned i = 0; i < 40; i++) {
		ask(&conn, ask_other(0, i));
		assert_int_equal(conn.status, WIRE_STATUS_OK);
	}
	world_wait(1000);
	ask(&conn, ask_other(FAKE_CONSUMER_UID, 20));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
}

/* After five refusals within a minute one credential a second is looked at, and the journal is told once. Nobody waits:
 * a web server or a mail server may have one thread for all its users. */
static void test_many_failures(void **state)
{
	static const struct fake_role no[] = { { "web", VAULT_FAILED_REFUSED, "tokenreview", "it is dead" }, { 0 } };
	static const struct fake_role yes[] = { { .name = "web" }, { 0 } };
	struct wire_conn conn;
	struct fake_ask what;

	world.roles = yes;
	ask(&conn, ask_other(0, 100));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	world.roles = no;
	for (unsigned i = 0; i < 7; i++) {
		ask(&conn, ask_other(0, i));
		assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	}
	for (unsigned i = 7; i < 20; i++) {
		ask(&conn, ask_other(0, i));
		assert_int_equal(conn.status, WIRE_STATUS_LIMIT);
		assert_non_null(sessions_explain(world.sessions, conn.ref));
	}
	/* What is known is known: the wrong ones, and the right one. */
	ask(&conn, ask_other(0, 0));
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	ask(&conn, ask_other(0, 100));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	world_wait(1000);
	ask(&conn, ask_other(0, 20));
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_int_equal(count(world.log, "refused at"), 6);
	assert_int_equal(count(world.log, "more of them are not written"), 1);
	/* Another host's are others. */
	what = ask_other(0, 21);
	what.rhost = "10.0.0.10";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	/* A minute later all begins anew. */
	world_wait(61000);
	for (unsigned i = 30; i < 35; i++) {
		ask(&conn, ask_other(0, i));
		assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	}
}

/* Who shows wrong credentials keeps nobody out whose credential was right before, from the same place or another. */
static void test_flood_beside_a_right_one(void **state)
{
	static const struct fake_role no[] = { { "web", VAULT_FAILED_REFUSED, "tokenreview", "it is dead" }, { 0 } };
	static const struct fake_role yes[] = { { .name = "web" }, { 0 } };
	struct wire_conn conn;
	struct fake_ask what;

	world.roles = yes;
	ask(&conn, ask_other(FAKE_CONSUMER_UID, 100));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	world_wait(31000);
	world.roles = no;
	for (unsigned i = 0; i < 100; i++) {
		static char hosts[100][16];

		what = ask_other(FAKE_CONSUMER_UID, i);
		snprintf(hosts[i], sizeof(hosts[i]), "10.1.0.%u", i);
		if (i >= 20)
			what.rhost = hosts[i];
		ask(&conn, what);
	}
	assert_int_equal(conn.status, WIRE_STATUS_LIMIT);
	world.roles = yes;
	ask(&conn, ask_other(FAKE_CONSUMER_UID, 100));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	ask(&conn, ask_other(FAKE_CONSUMER_UID, 101)); /* a new one waits its turn */
	assert_int_equal(conn.status, WIRE_STATUS_LIMIT);
	/* Ten minutes later it is like any other. */
	world_wait(601000);
	world.roles = no;
	for (unsigned i = 0; i < 40; i++)
		ask(&conn, ask_other(FAKE_CONSUMER_UID, i));
	ask(&conn, ask_other(FAKE_CONSUMER_UID, 100));
	assert_int_equal(conn.status, WIRE_STATUS_LIMIT);
}

/* accounts.conf may say now that the name is somebody else's. */
static void test_accounts_change(void **state)
{
	struct wire_conn conn;

	ask(&conn, ask_verify());
	ask(&conn, ask_verify());
	assert_int_equal(world.verified, 1);
	world.accounts_conf++;
	ask(&conn, ask_verify());
	assert_int_equal(world.verified, 2);
}

/* Whoever is not root cannot make us forget what root's programs were refused, nor fill the journal. */
static void test_flood_of_denied(void **state)
{
	struct fake_ask what = ask_verify_of(1000);
	char ref[16];
	struct wire_conn conn;

	what.uid = 0;
	what.credential = "odd";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	strcpy(ref, conn.ref);
	what.uid = 1000;
	for (unsigned i = 0; i < 5000; i++) {
		what.service = i % 2 ? "db" : "other";
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_DENIED);
	}
	assert_non_null(sessions_explain(world.sessions, conn.ref));
	what.user = "odd\nuser";
	for (unsigned i = 0; i < 5; i++) {
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	}
	assert_int_equal(count(world.log, "uid 1000 may not ask"), 1);
	assert_int_equal(count(world.log, "user name absent, too long or odd"), 1);
	assert_non_null(sessions_explain(world.sessions, ref));
	assert_non_null(sessions_explain(world.sessions, conn.ref));
}

/* A flood of users and hosts, each with its first refusals. */
static void test_flood_of_hosts(void **state)
{
	struct fake_ask what = ask_verify_of(0);
	struct wire_conn conn;
	char rhost[32];

	what.credential = "odd";
	what.rhost = rhost;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(rhost, sizeof(rhost), "10.0.%u.%u", i / 100, i % 100);
		ask(&conn, what);
		assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	}
	assert_int_equal(count(world.log, "refused at credential"), LOG_LIMIT_LINES - 1);
	assert_true(world_logged("refusals of verify"));
}

/* --- tickets --------------------------------------------------------------------------------- */

static struct fake_ask ask_ticket(void)
{
	struct fake_ask what = ask_verify();

	what.credential = FAKE_TICKET;
	return what;
}

static void test_ticket(void **state)
{
	struct wire_conn conn;

	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_string_equal(conn.handle, "");
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
	/* nginx asks twice for one request. */
	world.requests[0] = '\0';
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_string_equal(world.requests, "");
	/* Later it is the second use. */
	world_wait(31000);
	world.ticket.lookup_status = 403;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_true(world_logged("ALARM: a ticket of " FAKE_USER));
}

/* The token in it lives shorter than an answer counts. */
static void test_short_ticket(void **state)
{
	struct wire_conn conn;

	world.ticket.record = "{\"ttl\": 5}";
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	world_wait(6000);
	world.ticket.lookup_status = 403;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
}

/* The token that came out of it is revoked, whatever is wrong with it. */
static void test_bad_tickets(void **state)
{
	struct wire_conn conn;

	world.ticket.path = "auth/token/create";
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_null(strstr(world.requests, "unwrap"));
	world_wait(61000);
	world.ticket.path = "auth/kubernetes/login";
	world.verdict = ACCOUNT_WRONG_USER;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
}

/* An outage before it is opened costs nothing. */
static void test_ticket_in_an_outage(void **state)
{
	struct wire_conn conn;

	world.outage_status = 503;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
	world.outage_status = 0;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_false(world_logged("ALARM"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_asked_once, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_refused_once, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_all_leave, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_answer, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_stop, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_at_once, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_in_a_second, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_many_failures, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_flood_beside_a_right_one, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_accounts_change, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_flood_of_denied, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_flood_of_hosts, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_ticket, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_short_ticket, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_bad_tickets, world_setup_consumer, world_teardown),
		cmocka_unit_test_setup_teardown(test_ticket_in_an_outage, world_setup_consumer, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
