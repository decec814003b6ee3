/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets: opened once and only where they are a login's, believed for nothing but their token, and never lost. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"
#include "base/text.h"

#define LOOKUP	"update sys/wrapping/lookup\n"
#define UNWRAP	"update sys/wrapping/unwrap\n"
#define SELF	"internal read auth/token/lookup-self\n"
#define ROLE	"internal read auth/kubernetes/role/web\n"
#define REVOKE	"internal update auth/token/revoke-self\n"
#define ALARM	"k8sauth: ALARM: "
#define REPEAT	"the same ticket again within a minute, see ref "
#define INVALID "the ticket has expired, was opened before, or never was one"

static struct fake_ask ask_ticket(void)
{
	struct fake_ask what = ask_login();

	what.credential = FAKE_TICKET;
	return what;
}

/* A refused login that leaves nothing behind. WANTED: the requests that it made. */
static void ticket_refused(const char *step, const char *reason, const char *wanted)
{
	struct wire_conn conn;
	const struct refusal *refusal;

	world.requests[0] = '\0';
	world.log[0] = '\0';
	ask(&conn, ask_ticket());
	assert_true(conn.answered);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_string_equal(conn.handle, "");
	refusal = sessions_explain(world.sessions, conn.ref);
	assert_non_null(refusal);
	assert_string_equal(refusal->step, step);
	assert_non_null(strstr(refusal->reason, reason));
	assert_true(refusal->remedy[0]);
	assert_string_equal(world.requests, wanted);
	assert_int_equal(world.tokens, world.n_revoked);
	assert_int_equal(sessions_count(world.sessions), 0);
}

/* So that the next one is the first one. */
static void minute_passes(void)
{
	world_wait(61000);
}

static void test_login(void **state)
{
	struct wire_conn conn, open;

	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_string_equal(world.requests, LOOKUP UNWRAP SELF ROLE);
	assert_true(
	    world_logged("login of k8s_web_app for service sshd from 10.0.0.9: web/app of kubernetes as role web, "
			 "session "));
	assert_true(world_logged("accessor accessor-1"));
	open_ok(&open, conn.handle);
	assert_int_equal(world.n_revoked, 0);
	/* Somebody uses it again, in the same minute from the same host: that is no repeat. */
	world.ticket.lookup_status = 400;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_true(world_logged(ALARM "a ticket of k8s_web_app from 10.0.0.9 for service sshd is not valid any more"));
	assert_int_equal(sessions_count(world.sessions), 1);
}

static void test_never_opened(void **state)
{
	struct wire_conn conn;

	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	/* Another module refused after us, and the client repeats its answer. */
	world.requests[0] = '\0';
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_string_equal(world.requests, "");
	assert_true(world_logged(REPEAT));
	assert_false(world_logged(ALARM));
	world_wait(60500);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_repeats(void **state)
{
	struct fake_ask what = ask_ticket();
	struct wire_conn conn;

	world.ticket.lookup_status = 400;
	ticket_refused("ticket", INVALID, LOOKUP);
	assert_true(world_logged(ALARM));
	ticket_refused("ticket", REPEAT, "");
	assert_false(world_logged(ALARM));
	/* From elsewhere it is none, and neither is it a minute later. */
	what.rhost = "10.0.0.10";
	ask(&conn, what);
	assert_true(world_logged(ALARM "a ticket of k8s_web_app from 10.0.0.10 "));
	minute_passes();
	ticket_refused("ticket", INVALID, LOOKUP);
	assert_true(world_logged(ALARM));
}

static void test_opened_between(void **state)
{
	world.ticket.unwrap_status = 400;
	ticket_refused("ticket", INVALID, LOOKUP UNWRAP);
	assert_true(world_logged(ALARM));
	assert_true(world_logged("; remedy: if its pod did not use it, somebody has stolen it"));
}

static void test_not_opened(void **state)
{
	static const char *const paths[] = { "auth/token/create", "sys/wrapping/wrap", "auth/kubernetes2/login",
		"auth/kubernetes/login/", "secret/data/x", "" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char reason[128];

		snprintf(reason, sizeof(reason), "the ticket was made by %s, not by auth/kubernetes/login",
		    *paths[i] ? paths[i] : "(nobody)");
		world.ticket.path = paths[i];
		ticket_refused("ticket", reason, LOOKUP);
		assert_true(
		    world_logged("; remedy: make a new ticket: vault write -wrap-ttl=60s auth/kubernetes/login"));
		assert_false(world_logged(ALARM));
		minute_passes();
	}
	/* Nor one for a user that is none of ours, or a request that is wrong. */
	world.requests[0] = '\0';
	ask(&(struct wire_conn){ 0 }, (struct fake_ask){ .type = WIRE_LOGIN,
					  .user = "root",
					  .service = "sshd",
					  .rhost = "10.0.0.9",
					  .credential = FAKE_TICKET });
	ask(&(struct wire_conn){ 0 },
	    (struct fake_ask){ .type = WIRE_LOGIN, .user = FAKE_USER, .rhost = "10.0.0.9", .credential = FAKE_TICKET });
	assert_string_equal(world.requests, "");
}

static void test_unfit_tokens(void **state)
{
	static const struct {
		const char *record, *reason;
	} rows[] = {
		{ "{\"path\": \"auth/token/create\"}", "is not from a login on the user's mount" },
		{ "{\"path\": \"auth/kubernetes2/login\"}", "is not from a login on the user's mount" },
		{ "{\"path\": null}", "is not from a login on the user's mount" },
		{ "{\"policies\": [\"default\", \"root\"]}", "is a root token" },
		{ "{\"type\": \"batch\"}", "is a batch token" },
		{ "{\"type\": \"default\"}", "is no service token" },
		{ "{\"num_uses\": 3}", "has a use limit" },
		{ "{\"num_uses\": -1}", "has a use limit" },
		{ "{\"meta\": null}", "names no role" },
		{ "{\"meta\": {\"role\": \"../web\"}}", "names no role" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world.ticket.record = rows[i].record;
		ticket_refused("ticket", rows[i].reason, LOOKUP UNWRAP SELF REVOKE);
		assert_false(world_logged(ALARM));
		minute_passes();
	}
	world.ticket.record = NULL;
	world.ticket.holds = "{\"auth\": {\"client_token\": \"hvs.TOKEN-x\", \"num_uses\": 1}}";
	ticket_refused("ticket", "has a use limit", LOOKUP UNWRAP REVOKE);
	minute_passes();
	world.ticket.holds = "{\"auth\": {\"client_token\": \"hvb.AAAA\"}}";
	world.tokens--; /* it is none that could be revoked */
	ticket_refused("ticket", "is a batch token", LOOKUP UNWRAP);
	minute_passes();
	world.ticket.holds = NULL; /* the login's own checks come behind */
	world.ticket.record = "{\"ttl\": 0}";
	ask(&(struct wire_conn){ 0 }, ask_ticket());
	assert_true(world_logged("refused at exchange: the token has no TTL"));
	assert_int_equal(world.tokens, world.n_revoked);
}

static void test_no_token(void **state)
{
	struct wire_conn conn;

	world.ticket.holds = "{\"auth\": null, \"data\": {\"auth\": {\"client_token\": \"x\"}}}";
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	assert_true(world_logged("refused at ticket: what the ticket holds is no login: there is no token in it"));
	assert_string_equal(world.requests, LOOKUP UNWRAP);
	assert_int_equal(sessions_count(world.sessions), 0);
}

static void test_roles(void **state)
{
	char *names[] = { (char[]){ "admin" }, (char[]){ "deploy" }, NULL };
	struct service_config service = { .name = (char[]){ "sshd" }, .roles = names };
	struct fake_ask what = ask_ticket();
	struct wire_conn conn;

	world.config.services = &service;
	world.config.n_services = 1;
	ticket_refused("ticket", "a role that this service does not let in", LOOKUP UNWRAP SELF REVOKE);
	minute_passes();
	names[1] = (char[]){ "web" };
	world.ticket.audience = "k8sauth:other";
	ticket_refused("ticket", "the audience of the ticket's role is not the one", LOOKUP UNWRAP SELF ROLE REVOKE);
	assert_true(world_logged("remedy: k8sauth write auth/kubernetes/role/web audience=k8sauth:test"));
	minute_passes();
	world.ticket.audience = "";
	ticket_refused("ticket", "the ticket's role has no audience", LOOKUP UNWRAP SELF ROLE REVOKE);
	minute_passes();
	world.config.clusters->allow_no_audience = true;
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	/* The PAM line's role is the only one. */
	minute_passes();
	what.role = "admin";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_REFUSED);
	minute_passes();
	what.role = "web";
	ask(&conn, what);
	assert_int_equal(conn.status, WIRE_STATUS_OK);
}

static void test_outages(void **state)
{
	struct wire_conn conn;

	/* Nothing was opened, so the next try counts. */
	world.outage_status = 503;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_UNAVAILABLE);
	assert_false(world_logged(ALARM));
	world.outage_status = 0;
	ask(&conn, ask_ticket());
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(world.tokens, 1);
}

/* The client leaves, or the daemon ends, while WHAT is asked: a token that was made by then is revoked. */
static void client_leaves_at(const char *what, unsigned made)
{
	unsigned before = world.tokens;
	struct wire_conn conn;

	world.hold = what;
	ask(&conn, ask_ticket());
	assert_false(conn.answered);
	leave(&conn);
	world_release();
	assert_int_equal(world.tokens, before + made);
	assert_int_equal(world.n_revoked, world.tokens);
	assert_int_equal(sessions_count(world.sessions), 0);
	minute_passes();
}

static void test_client_leaves(void **state)
{
	client_leaves_at("wrapping/lookup", 0);
	client_leaves_at("wrapping/unwrap", 1);
	client_leaves_at("lookup-self", 1);
	client_leaves_at("role/web", 1);
}

/* The next daemon finds the token in the table and revokes it. */
static void test_daemon_dies(void **state)
{
	struct wire_conn conn;

	world.hold = "lookup-self";
	ask(&conn, ask_ticket());
	assert_false(conn.answered);
	world_restart();
	assert_true(world_logged("its login was cut off by the daemon's end"));
	world_release();
	assert_int_equal(world.tokens, 1);
	assert_int_equal(world.n_revoked, 1);
	assert_int_equal(sessions_count(world.sessions), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_login),
		T(test_never_opened),
		T(test_repeats),
		T(test_opened_between),
		T(test_not_opened),
		T(test_unfit_tokens),
		T(test_no_token),
		T(test_roles),
		T(test_outages),
		T(test_client_leaves),
		T(test_daemon_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
