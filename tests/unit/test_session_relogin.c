/* SPDX-License-Identifier: Apache-2.0 */
/* A session that logs in again: what changes, what does not, and that no token is lost whatever comes between. */
#include "session_fakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/text.h"
#include "session/table.h"

/* How it ended. */
static struct {
	unsigned answers;
	enum wire_status status;
	char ref[16], reason[512];
	json_t *data;
} result;

static struct wire_conn opened;

static void on_login(void *arg, const struct session_login_result *answer)
{
	assert_ptr_equal(arg, &result);
	result.answers++;
	result.status = answer->status;
	snprintf(result.ref, sizeof(result.ref), "%s", answer->ref);
	snprintf(result.reason, sizeof(result.reason), "%s; %s", answer->reason, answer->remedy);
	json_decref(result.data);
	result.data = answer->data;
}

static int begin(uid_t uid, const char *id, const char *credential)
{
	static char why[256];
	int r = sessions_admin_login(
	    world.sessions, uid, id, secret_copy(credential, strlen(credential)), on_login, &result, why, sizeof(why));

	if (r < 0)
		snprintf(result.reason, sizeof(result.reason), "%s", why);
	world_run();
	return r;
}

static void expect(const char *credential, enum wire_status status, const char *reason)
{
	unsigned before = result.answers;

	assert_int_equal(begin(world.uid, opened.session, credential), 0);
	assert_int_equal(result.answers, before + 1);
	assert_int_equal(result.status, status);
	if (!strstr(result.reason, reason))
		fail_msg("%s", result.reason);
	assert_true(status != WIRE_STATUS_OK || result.data);
	assert_true(status == WIRE_STATUS_OK || world_logged(result.ref));
}

static int setup(void **state)
{
	struct wire_conn login;

	world_setup(state);
	json_decref(result.data);
	memset(&result, 0, sizeof(result));
	login_ok(&login);
	open_ok(&opened, login.handle);
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "1"));
	return 0;
}

static int teardown(void **state)
{
	json_decref(result.data);
	result.data = NULL;
	return world_teardown(state);
}

static const char *state_of(const char *id)
{
	static char text[32];
	json_t *info = NULL;

	assert_int_equal(sessions_admin_show(world.sessions, 0, id, &info), 0);
	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(info, "state")));
	json_decref(info);
	return text;
}

static void expire(void)
{
	world.renew_status = 403;
	world_wait(3601000);
	world.renew_status = 0;
	assert_string_equal(state_of(opened.session), "expired");
	assert_int_equal(world_files(opened.session), 0);
}

static void kill_daemon(void)
{
	int fd = fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3);

	sessions_free(world.sessions);
	world_start(fd);
	sessions_resume(world.sessions);
	world_run();
}

static void close_opened(void)
{
	struct wire_conn conn;

	ask(&conn, ask_close(opened.session));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_string_equal(world.files, "");
}

/* --- what works ------------------------------------------------------------------------------ */

static void test_expired(void **state)
{
	expire();
	expect(FAKE_JWT, WIRE_STATUS_OK, "");
	assert_true(json_is_true(json_object_get(result.data, "files_written")));
	assert_string_equal(json_string_value(json_object_get(result.data, "id")), opened.session);
	assert_string_equal(state_of(opened.session), "open");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	assert_true(world_logged("goes on with a new login: web/app of kubernetes as role web, accessor accessor-1"));
	assert_int_equal(sessions_count(world.sessions), 1);
	/* It is renewed like the first one. */
	world_wait(2401000);
	assert_string_equal(state_of(opened.session), "open");
	world_wait(2401000);
	close_opened();
	assert_true(world.n_revoked >= 1);
}

/* The one that is still good is replaced and revoked. */
static void test_open(void **state)
{
	expect(FAKE_JWT, WIRE_STATUS_OK, "");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	assert_int_equal(world.n_revoked, 1);
	close_opened();
	assert_int_equal(world.n_revoked, 2);
}

static void test_ticket(void **state)
{
	expire();
	expect(FAKE_TICKET, WIRE_STATUS_OK, "");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	/* The second use is no repeat: the ticket did its work. */
	world.ticket.lookup_status = 403;
	expect(FAKE_TICKET, WIRE_STATUS_REFUSED, "was opened before");
	assert_true(world_logged("ALARM: a ticket of " FAKE_USER));
	assert_string_equal(state_of(opened.session), "open");
	close_opened();
}

/* The answer to a renewal of the token that it had says nothing of the one that it has. */
static void test_renewal_of_the_old_token(void **state)
{
	world.hold = "renew-self";
	world_wait(2401000);
	expect(FAKE_JWT, WIRE_STATUS_OK, "");
	world.renew_status = 403;
	world_release();
	assert_string_equal(state_of(opened.session), "open");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	world.renew_status = 0;
	world.requests[0] = '\0';
	world_wait(2401000);
	assert_non_null(strstr(world.requests, "renew-self")); /* the new one is renewed in its time */
	assert_string_equal(state_of(opened.session), "open");
	close_opened();
}

/* The only expired one of the user, without its id. */
static void test_without_id(void **state)
{
	assert_int_equal(begin(world.uid, NULL, FAKE_JWT), -EINVAL);
	assert_non_null(strstr(result.reason, "none of your sessions has expired"));
	assert_int_equal(begin(0, NULL, FAKE_JWT), -EINVAL);
	expire();
	assert_int_equal(begin(world.uid + 1, NULL, FAKE_JWT), -EINVAL);
	assert_int_equal(begin(world.uid, NULL, FAKE_JWT), 0);
	assert_int_equal(result.status, WIRE_STATUS_OK);
	assert_string_equal(state_of(opened.session), "open");
}

/* Root may, for the session's own user. */
static void test_who_may(void **state)
{
	expire();
	assert_int_equal(begin(world.uid + 1, opened.session, FAKE_JWT), -EACCES);
	assert_int_equal(begin(world.uid + 1, "nosuchsession", FAKE_JWT), -EACCES);
	assert_int_equal(begin(0, "nosuchsession", FAKE_JWT), -ENOENT);
	assert_string_equal(state_of(opened.session), "expired");
	assert_int_equal(begin(0, opened.session, FAKE_JWT), 0);
	assert_int_equal(result.status, WIRE_STATUS_OK);
}

/* The files cannot be written at once: the session lives, and they come. */
static void test_helper_down(void **state)
{
	expire();
	world.helper_error = -ECONNREFUSED;
	expect(FAKE_JWT, WIRE_STATUS_OK, "");
	assert_true(json_is_false(json_object_get(result.data, "files_written")));
	assert_string_equal(state_of(opened.session), "open");
	assert_int_equal(world_files(opened.session), 0);
	world.helper_error = 0;
	world_wait(11000);
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	close_opened();
}

/* --- what does not --------------------------------------------------------------------------- */

static void relogin_refused(const char *auth, const char *reason)
{
	unsigned before = world.n_revoked;

	world.auth = auth;
	expect(FAKE_JWT, WIRE_STATUS_REFUSED, reason);
	assert_int_equal(world.n_revoked, before + 1);
	assert_int_equal(sessions_count(world.sessions), 1);
}

#define META(name, space, uid)                                                                                         \
	"{\"metadata\":{\"role\":\"web\",\"service_account_name\":\"" name "\",\"service_account_namespace\":\"" space \
	"\",\"service_account_uid\":\"" uid "\"}}"

static void test_other_identity(void **state)
{
	expire();
	world.any_identity = true;
	relogin_refused(META("other", "web", "uid-1"), "the session is of web/app (uid uid-1) of kubernetes, and the "
						      "token of web/other");
	relogin_refused(META("app", "db", "uid-1"), "the token of db/app");
	relogin_refused(META("app", "web", "uid-2"), "the token of web/app (uid uid-2)");
	assert_true(world_logged("session login of " FAKE_USER " as role web for service sshd from 10.0.0.9 refused at "
				 "identity"));
	assert_string_equal(state_of(opened.session), "expired");
	world.auth = NULL;
	world.verdict = ACCOUNT_WRONG_USER;
	expect(FAKE_JWT, WIRE_STATUS_REFUSED, "the account does not fit");
	world.verdict = ACCOUNT_OK;
	world.uid++;
	assert_int_equal(begin(world.uid - 1, opened.session, FAKE_JWT), 0);
	assert_int_equal(result.status, WIRE_STATUS_REFUSED);
	assert_string_equal(state_of(opened.session), "expired");
}

/* An open session keeps the token that it has. */
static void test_refused_keeps(void **state)
{
	world.any_identity = true;
	relogin_refused(META("other", "web", "uid-1"), "web/other");
	expect("junk", WIRE_STATUS_REFUSED, "the credential is no JWT");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "1"));
	assert_string_equal(state_of(opened.session), "open");
}

static void test_too_often(void **state)
{
	for (int i = 0; i < 5; i++)
		expect("junk", WIRE_STATUS_REFUSED, "");
	assert_int_equal(begin(world.uid, opened.session, "junk"), 0);
	assert_int_equal(result.answers, 5);
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), -EINVAL); /* not beside it */
	world_wait(1001);
	assert_int_equal(result.answers, 6);
	/* The daemon ends while one waits. */
	assert_int_equal(begin(world.uid, opened.session, "junk"), 0);
	kill_daemon();
	assert_int_equal(result.answers, 7);
}

static void test_role(void **state)
{
	static char db[] = "db", sshd[] = "sshd";
	static char *roles[] = { db, NULL };
	static struct service_config service = { .name = sshd, .roles = roles };

	/* The service's roles are others by now: those count. */
	world.config.services = &service;
	world.config.n_services = 1;
	expect(FAKE_JWT, WIRE_STATUS_REFUSED, "");
	assert_non_null(strstr(world.requests, "auth/kubernetes/login db"));
}

/* --- what comes between ---------------------------------------------------------------------- */

static void test_ends_meanwhile(void **state)
{
	struct wire_conn conn;

	world.hold = "login";
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0);
	ask(&conn, ask_close(opened.session));
	assert_int_equal(conn.status, WIRE_STATUS_OK);
	world.hold = NULL;
	world_release();
	world_run();
	assert_int_equal(result.answers, 1);
	assert_int_equal(result.status, WIRE_STATUS_REFUSED);
	assert_int_equal(world.n_revoked, 2);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_string_equal(world.files, "");
}

static void test_ends_while_writing(void **state)
{
	struct wire_conn conn;

	expire();
	world.helper_hold = true;
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0);
	assert_int_equal(result.answers, 0);
	ask(&conn, ask_close(opened.session));
	world.helper_hold = false;
	world_run();
	assert_int_equal(result.answers, 1);
	assert_int_equal(result.status, WIRE_STATUS_UNAVAILABLE);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_string_equal(world.files, "");
	assert_true(world.n_revoked >= 1);
}

static void test_two_at_once(void **state)
{
	world.hold = "login";
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0);
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), -EINVAL);
	assert_non_null(strstr(result.reason, "under way"));
	world.hold = NULL;
	world_release();
	world_run();
	assert_int_equal(result.answers, 1);
	assert_int_equal(result.status, WIRE_STATUS_OK);
}

/* Its files are still being removed when it goes on: they are written behind that. */
static void test_while_files_go(void **state)
{
	world.remove_error = -ETIMEDOUT;
	world.renew_status = 403;
	world_wait(2401000);
	world.renew_status = 0;
	assert_string_equal(state_of(opened.session), "expired");
	expect(FAKE_JWT, WIRE_STATUS_OK, "");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	world.remove_error = 0;
	world_wait(60000);
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	close_opened();
}

static void test_daemon_ends_in_the_exchange(void **state)
{
	expire();
	world.hold = "login";
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0);
	world.hold = NULL;
	kill_daemon();
	world_release();
	assert_int_equal(result.answers, 1);
	assert_int_equal(result.status, WIRE_STATUS_UNAVAILABLE);
	assert_string_equal(state_of(opened.session), "expired");
	/* It was made for a login that the table does not know: an orphan. */
	assert_false(sessions_know(world.sessions, world.login->pam->session_id));
}

static void test_daemon_ends_before_the_account(void **state)
{
	expire();
	world.claim_later = true;
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0);
	kill_daemon();
	world_release();
	world_run();
	assert_int_equal(world.n_revoked, 1);
	assert_string_equal(state_of(opened.session), "expired");
	assert_int_equal(sessions_count(world.sessions), 1);
}

static void test_daemon_ends_before_the_files(void **state)
{
	expire();
	world.helper_hold = true;
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0);
	kill_daemon();
	assert_int_equal(result.answers, 1);
	world.helper_hold = false;
	world_run();
	assert_string_equal(state_of(opened.session), "open");
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	close_opened();
}

/* Killed just between the two records: the session has the new token, which nobody else may revoke. */
static void test_daemon_dies_between_the_records(void **state)
{
	struct session_secrets secrets;
	struct session_record record;
	struct table *table;
	char boot[64], why[128];
	unsigned revoked;
	FILE *file;
	int slot;

	world.claim_later = true;
	assert_int_equal(begin(world.uid, opened.session, FAKE_JWT), 0); /* the login's record has the new token */
	sessions_free(world.sessions);
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	assert_non_null(fgets(boot, 37, file));
	fclose(file);
	assert_int_equal(table_open(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3), boot, &table, why, sizeof(why)), 0);
	slot = 1;
	assert_int_equal(table_get(table, (unsigned)slot, &record, &secrets), 0);
	assert_string_equal(secrets.token, FAKE_TOKEN "2");
	memcpy(boot, record.id, sizeof(record.id));
	assert_int_equal(table_get(table, 0, &record, NULL), 0);
	assert_string_equal(record.id, opened.session);
	memcpy(record.token_session, boot, sizeof(record.token_session));
	record.files_due = FILES_ANEW;
	assert_int_equal(table_put(table, 0, &record, &secrets), 0);
	table_close(table);
	revoked = world.n_revoked;
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	assert_true(sessions_know(world.sessions, boot));
	assert_false(sessions_know(world.sessions, opened.session)); /* the old token is an orphan */
	sessions_resume(world.sessions);
	world_release();
	world_run();
	assert_int_equal(world.n_revoked, revoked);
	assert_int_equal(sessions_count(world.sessions), 1);
	assert_true(world_file(opened.session, "token", FAKE_TOKEN "2"));
	close_opened();
	assert_int_equal(world.n_revoked, revoked + 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_expired),
		T(test_open),
		T(test_ticket),
		T(test_renewal_of_the_old_token),
		T(test_without_id),
		T(test_who_may),
		T(test_helper_down),
		T(test_other_identity),
		T(test_refused_keeps),
		T(test_too_often),
		T(test_role),
		T(test_ends_meanwhile),
		T(test_ends_while_writing),
		T(test_two_at_once),
		T(test_while_files_go),
		T(test_daemon_ends_in_the_exchange),
		T(test_daemon_ends_before_the_account),
		T(test_daemon_ends_before_the_files),
		T(test_daemon_dies_between_the_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
