/* SPDX-License-Identifier: Apache-2.0 */
/* verify: who may ask, what answers hang on, how long they count, and that nothing is made on the way. */
#include "session_fakes.h"

#include <stdio.h>
#include <time.h>

#include "base/macros.h"

static char unit[] = "db@*.service", users[] = "k8s_*", role_web[] = "web";
static char *only_web[] = { role_web, NULL };

static int setup(void **state)
{
	world_setup_consumer(state);
	fake_consumer.unit = unit;
	fake_consumer.users = users;
	world.unit = "db@15-main.service";
	return 0;
}

/* Asks; the answer must be STATUS, after N logins in all. */
static void expect(struct fake_ask what, uint32_t status, unsigned n)
{
	struct wire_conn conn;

	ask(&conn, what);
	assert_true(conn.answered);
	assert_int_equal(conn.status, status);
	assert_int_equal(world.verified, n);
	assert_string_equal(conn.handle, "");
	assert_string_equal(conn.session, "");
	assert_string_equal(conn.env, "");
	if (status == WIRE_STATUS_OK)
		assert_string_equal(conn.message, "");
}

static void test_yes(void **state)
{
	expect(ask_verify(), WIRE_STATUS_OK, 1);
	assert_int_equal(world.tokens, 0);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_non_null(strstr(world.requests, "verify auth/kubernetes/login web\n"));
	assert_true(
	    world_logged("verify of " FAKE_USER " for service db from 10.0.0.9: yes, as role web, asked by uid 33"));
	/* Root needs no block. */
	expect((struct fake_ask){ .type = WIRE_VERIFY, .user = FAKE_USER, .service = "vsftpd", .credential = FAKE_JWT },
	    WIRE_STATUS_OK, 2);
}

static void denied(struct fake_ask what, const char *why)
{
	world_wait(61000);
	world.log[0] = '\0';
	/* Refused before anybody looks at the credential: what is none gets no other answer. */
	what.credential = "odd";
	expect(what, WIRE_STATUS_DENIED, 0);
	assert_string_equal(world.requests, "");
	if (!world_logged(why))
		fail_msg("no line says \"%s\": %s", why, world.log);
}

static void test_who_may_ask(void **state)
{
	struct fake_ask what = ask_verify();

	what.uid = 1000;
	denied(what, "uid 1000 may not ask: the consumer runs as 33");
	what = ask_verify();
	what.service = "other";
	denied(what, "there is no consumer \"other\"");
	what = ask_verify();
	world.unit = "session-c1.scope";
	denied(what, "pid 77 runs in session-c1.scope, and the consumer is db@*.service");
	world.unit = NULL;
	denied(what, "the systemd unit of pid 77 cannot be told");
	world.unit = "db@15-main.service";
	fake_consumer.users = (char[]){ "k8s_prod_*" };
	denied(what, "the consumer's users are k8s_prod_*");
	fake_consumer.users = NULL;
	expect(what, WIRE_STATUS_OK, 1);
	fake_consumer.unit = NULL;
	world.unit = NULL;
	what.rhost = "10.0.0.10";
	expect(what, WIRE_STATUS_OK, 2);
	/* Whoever asks about himself. */
	what = (struct fake_ask){
		.type = WIRE_VERIFY, .uid = 70001, .user = FAKE_USER, .service = "i3lock", .credential = FAKE_JWT
	};
	expect(what, WIRE_STATUS_OK, 3);
	what.uid = 70002;
	expect(what, WIRE_STATUS_DENIED, 3);
	what.uid = FAKE_CONSUMER_UID;
	what.user = "daemon";
	what.service = "db";
	expect(what, WIRE_STATUS_NOT_OURS, 3);
}

static void test_roles(void **state)
{
	static const struct fake_role roles[] = { { .name = "web" }, { .name = "root" }, { 0 } };
	struct fake_ask what = ask_verify();

	world.roles = roles;
	fake_consumer.roles = only_web;
	what.role = "root";
	expect(what, WIRE_STATUS_DENIED, 0);
	assert_true(world_logged("the PAM line's role=root is none of the consumer's"));
	what.role = "web";
	expect(what, WIRE_STATUS_OK, 1);
	/* Root is believed what its line says. */
	what.uid = 0;
	what.role = "root";
	expect(what, WIRE_STATUS_OK, 2);
	what.role = NULL;
	expect(what, WIRE_STATUS_OK, 3);
	/* Without a list the only one that matches counts, and there are two. */
	fake_consumer.roles = NULL;
	what.rhost = NULL;
	expect(what, WIRE_STATUS_REFUSED, 3);
}

/* Whatever differs is another question. */
static void test_what_answers_hang_on(void **state)
{
	static const struct fake_role roles[] = { { .name = "web" }, { .name = "two" }, { 0 } };
	struct fake_ask what = ask_verify(), other;

	world.roles = roles;
	fake_consumer.roles = only_web;
	expect(what, WIRE_STATUS_OK, 1);
	expect(what, WIRE_STATUS_OK, 1);
	other = what;
	other.rhost = "10.0.0.10";
	expect(other, WIRE_STATUS_OK, 2);
	other = what;
	other.uid = 0;
	expect(other, WIRE_STATUS_OK, 3);
	other.role = "two";
	expect(other, WIRE_STATUS_OK, 4);
	other.service = "db2";
	expect(other, WIRE_STATUS_OK, 5);
	other = what;
	other.credential = FAKE_JWT "A";
	expect(other, WIRE_STATUS_OK, 6);
	world.local = "opened";
	other = what;
	other.user = "opened";
	fake_consumer.users = NULL;
	expect(other, WIRE_STATUS_OK, 7);
	world.local = NULL;
	expect(what, WIRE_STATUS_OK, 7);
}

static void test_how_long(void **state)
{
	expect(ask_verify(), WIRE_STATUS_OK, 1);
	world_wait(29000);
	expect(ask_verify(), WIRE_STATUS_OK, 1);
	world_wait(2000);
	expect(ask_verify(), WIRE_STATUS_OK, 2);
}

/* Never past the credential's end. */
static void test_not_past_its_end(void **state)
{
	world.expires = time(NULL) + 10;
	expect(ask_verify(), WIRE_STATUS_OK, 1);
	world_wait(8000);
	expect(ask_verify(), WIRE_STATUS_OK, 1);
	world_wait(3000);
	expect(ask_verify(), WIRE_STATUS_OK, 2);
	world.expires = time(NULL) - 1; /* the clocks differ */
	world_wait(31000);
	expect(ask_verify(), WIRE_STATUS_OK, 3);
	expect(ask_verify(), WIRE_STATUS_OK, 4);
}

static void test_no(void **state)
{
	static const struct fake_role no[] = { { "web", VAULT_FAILED_REFUSED, "tokenreview", "it is dead" }, { 0 } };
	struct wire_conn conn, again;

	world.roles = no;
	ask(&conn, ask_verify());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_true(world_logged("k8sauth: verify of " FAKE_USER " as role web for service db from 10.0.0.9 refused at "
				 "tokenreview: it is dead"));
	assert_string_equal(sessions_explain(world.sessions, conn.ref)->step, "tokenreview");
	world.requests[0] = '\0';
	world_wait(9000);
	ask(&again, ask_verify());
	assert_int_equal(again.status, WIRE_STATUS_REFUSED);
	assert_string_equal(again.ref, conn.ref);
	assert_string_equal(world.requests, "");
	world_wait(2000);
	ask(&again, ask_verify());
	assert_int_equal(again.status, WIRE_STATUS_REFUSED);
	assert_string_not_equal(again.ref, conn.ref);
	assert_string_not_equal(world.requests, "");
}

/* An outage is no answer. */
static void test_outage(void **state)
{
	world.outage_status = 503;
	expect(ask_verify(), WIRE_STATUS_UNAVAILABLE, 0);
	world.outage_status = 0;
	expect(ask_verify(), WIRE_STATUS_OK, 1);
	world_wait(31000);
	world.verdict = ACCOUNT_HELPER_DOWN;
	expect(ask_verify(), WIRE_STATUS_UNAVAILABLE, 2);
	world.verdict = ACCOUNT_RECREATED;
	expect(ask_verify(), WIRE_STATUS_REFUSED, 3);
	world.verdict = ACCOUNT_OK;
	expect(ask_verify(), WIRE_STATUS_REFUSED, 3);
	world_wait(11000);
	world.uid = 0;
	expect(ask_verify(), WIRE_STATUS_REFUSED, 4);
}

static void count_end(void *arg, const struct sessions_ended *result)
{
	++*(unsigned *)arg;
}

/* What answers hang on has changed: they do not count any more, whatever they were. */
static void test_changes(void **state)
{
	unsigned n = 0;

	expect(ask_verify(), WIRE_STATUS_OK, 1);
	world_logins_change();
	expect(ask_verify(), WIRE_STATUS_OK, 2);
	assert_int_equal(sessions_admin_revoke(world.sessions, "web/app", count_end, &n), 0);
	assert_int_equal(n, 1);
	expect(ask_verify(), WIRE_STATUS_OK, 3);
	sessions_forget_verified(world.sessions);
	expect(ask_verify(), WIRE_STATUS_OK, 4);
	expect(ask_verify(), WIRE_STATUS_OK, 4);
	world_restart();
	expect(ask_verify(), WIRE_STATUS_OK, 5);
}

/* It changed while it was asked: whoever waits gets the answer, and nobody after. */
static void test_changes_meanwhile(void **state)
{
	struct wire_conn first, second;

	world.hold = "login";
	ask(&first, ask_verify());
	world_logins_change();
	ask(&second, ask_verify());
	assert_false(first.answered || second.answered);
	world_release();
	assert_int_equal(first.status, WIRE_STATUS_OK);
	assert_int_equal(second.status, WIRE_STATUS_OK);
	assert_int_equal(world.verified, 2);
	expect(ask_verify(), WIRE_STATUS_OK, 2); /* the second one's */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_yes, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_who_may_ask, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_roles, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_what_answers_hang_on, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_how_long, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_not_past_its_end, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_outage, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_changes_meanwhile, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
