/* SPDX-License-Identifier: Apache-2.0 */
/* What a login would come to: its steps and verdicts, and that nothing is left of it. */
#include "session_fakes.h"

#include <errno.h>

#include "base/macros.h"

static json_t *told;
static unsigned answers;

static void on_told(void *arg, json_t *data)
{
	assert_ptr_equal(arg, &told);
	json_decref(told);
	told = data;
	answers++;
}

static int try(const struct session_dry_login *what, const char *credential)
{
	static char why[256];
	int r = sessions_admin_explain_login(world.sessions, what, secret_copy(credential, strlen(credential)), on_told,
	    &told, why, sizeof(why));

	world_run();
	return r;
}

static int teardown(void **state)
{
	json_decref(told);
	told = NULL;
	answers = 0;
	return world_teardown(state);
}

static const struct session_dry_login usual = { .user = FAKE_USER, .service = "sshd", .rhost = "10.0.0.9" };

/* The login of WHAT comes to VERDICT; it ends at step END, whose detail and remedy have TEXT. Nothing is left. */
static void expect(
    const struct session_dry_login *what, const char *credential, const char *verdict, const char *end, const char *text)
{
	bool found = false, ended = false;
	json_t *step;
	size_t i;

	world.log[0] = world.files[0] = '\0';
	answers = 0;
	assert_int_equal(try(what, credential), 0);
	assert_int_equal(answers, 1);
	assert_string_equal(json_string_value(json_object_get(told, "verdict")), verdict);
	assert_int_equal(json_array_size(json_object_get(told, "steps")), 7);
	json_array_foreach(json_object_get(told, "steps"), i, step)
	{
		const char *name = json_string_value(json_object_get(step, "step"));
		const char *word = json_string_value(json_object_get(step, "verdict"));
		char *all = json_dumps(step, 0);

		if (strcmp(name, end) == 0) {
			found = true;
			assert_string_equal(word, verdict);
			if (!strstr(all, text))
				fail_msg("%s does not say \"%s\"", all, text);
			ended = strcmp(verdict, "ok") != 0;
		} else {
			assert_string_equal(word, ended ? "not reached" : "ok");
		}
		free(all);
	}
	if (!found)
		fail_msg("no step %s", end);
	assert_int_equal(world.tokens, 0);
	assert_int_equal(sessions_count(world.sessions), 0);
	assert_string_equal(world.files, "");
	assert_false(world_logged("refused"));
	assert_true(world_logged("root asks what a login of"));
}

static void test_good(void **state)
{
	expect(&usual, FAKE_JWT, "ok", "exchange", "as web/app");
	assert_int_equal(world.verified, 1);
	expect(&usual, FAKE_JWT, "ok", "account", FAKE_USER);
	expect(&usual, FAKE_JWT, "ok", "credential", "a JWT of ");
	expect(&usual, FAKE_JWT, "ok", "session", "VAULT_TOKEN");
}

static void test_refused(void **state)
{
	static const struct fake_role none[] = {
		{ "web", VAULT_FAILED_OTHER_ROLE, "role", "the service account is not one of it" },
		{ 0 },
	};
	struct session_dry_login what = usual;
	const struct fake_role *usual_roles = world.roles;

	what.user = "nobody";
	expect(&what, FAKE_JWT, "refused", "user", "no account of k8sauth");
	expect(&usual, "hunter2", "refused", "credential", "no JWT");
	/* A ticket can be opened once: not for this. */
	expect(&usual, FAKE_TICKET, "refused", "credential", "a ticket");
	assert_null(strstr(world.requests, "unwrap"));
	world.roles = none;
	expect(&usual, FAKE_JWT, "refused", "role", "not one of it");
	world.roles = usual_roles;
	what = usual;
	what.role = "nope";
	expect(&what, FAKE_JWT, "refused", "role", "remedy");
	world.verdict = ACCOUNT_COLLISION;
	expect(&usual, FAKE_JWT, "refused", "account", "");
}

/* An outage is none of the user's faults, and trying many times counts for nothing. */
static void test_outage(void **state)
{
	world.outage_status = 503;
	expect(&usual, FAKE_JWT, "unavailable", "role", "sealed");
	world.outage_status = 0;
	for (int i = 0; i < 20; i++)
		expect(&usual, "hunter2", "refused", "credential", "no JWT");
	expect(&usual, FAKE_JWT, "ok", "exchange", "as web/app");
}

static void test_odd_words(void **state)
{
	static const struct session_dry_login odd[] = {
		{ .user = NULL, .service = "sshd" },
		{ .user = FAKE_USER, .service = "" },
		{ .user = "k8s web app", .service = "sshd" },
		{ .user = FAKE_USER, .service = "sshd", .rhost = "10.0.0.9\nFORGED" },
		{ .user = "k8s_a-name-that-is-longer-than-any-unix-name-may-be", .service = "sshd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		assert_int_equal(try(&odd[i], FAKE_JWT), -EINVAL);
	assert_int_equal(answers, 0);
}

/* The daemon stops in the middle: whoever waits is told. */
static void test_stop(void **state)
{
	world.hold = "login";
	assert_int_equal(try(&usual, FAKE_JWT), 0);
	assert_int_equal(answers, 0);
	world_restart();
	world_release();
	world_run();
	assert_int_equal(answers, 1);
	assert_string_equal(json_string_value(json_object_get(told, "verdict")), "unavailable");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, world_setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, world_setup, teardown),
		cmocka_unit_test_setup_teardown(test_outage, world_setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_words, world_setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, world_setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
