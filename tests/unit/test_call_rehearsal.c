/* SPDX-License-Identifier: Apache-2.0 */
/* Rehearsals: what is made while an answer is awaited, and committed only if that answer came (call_expect). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core_harness.h"

static struct harness harness;

/* A handler that waits for an answer which the test gives. */
struct story {
	struct call *call; /* held until the answer */
	bool answered, as_expected, done;
	unsigned runs, rehearsals, undone, hooks;
	int r;
};

static void on_hook(struct core *core, int r, void *arg)
{
	struct story *story = arg;

	(void)core;
	story->undone += r == -ECANCELED;
	story->hooks++;
}

static int write_what(struct call *call, const char *what)
{
	json_t *value = json_string(what);
	int r = core_put(call, "test/what", value);

	json_decref(value);
	call_on_commit(call, on_hook, call->state);
	return r;
}

static bool is_confirmed(struct call *call)
{
	const struct story *story = call->state;

	return story->answered && story->as_expected;
}

static int await(struct call *call)
{
	struct story *story = call->state;

	if (call_is_rehearsal(call)) {
		story->rehearsals++;
		call->response->request_id[0] = '\0'; /* as an answer that is wrapped */
		return write_what(call, "rehearsed");
	}
	story->runs++;
	assert_int_equal(strlen(call->response->request_id), 36);
	if (story->answered)
		return write_what(call, "run");
	if (!story->call) {
		call_hold(call);
		story->call = call;
		call_expect(call, is_confirmed);
	}
	return -EAGAIN;
}

static void on_done(void *arg, int r)
{
	struct story *story = arg;

	story->done = true;
	story->r = r;
	if (!story->answered)
		call_resume(story->call); /* whoever was asked is told to stop, and lets go */
}

static void begin(struct story *story)
{
	core_run(harness.core, await, story, NULL, on_done, story);
}

static void await_rehearsal(const struct story *story)
{
	for (int i = 0; i < 5000 && !story->rehearsals; i++)
		harness_loop(&harness, 1);
	assert_int_equal(story->rehearsals, 1);
}

static void answer(struct story *story, bool as_expected)
{
	story->answered = true;
	story->as_expected = as_expected;
	call_resume(story->call);
	for (int i = 0; i < 500 && !story->done; i++)
		harness_loop(&harness, 10);
	assert_true(story->done);
	assert_int_equal(story->r, 0);
}

static int read_what(struct call *call)
{
	char **ret = call->state;
	json_t *value;
	int r = core_get(call, "test/what", &value);

	if (r < 0)
		return r;
	*ret = strdup(json_string_value(value));
	json_decref(value);
	return 0;
}

static void assert_written(const char *what)
{
	char *is AUTO_FREE = NULL;

	assert_int_equal(harness_run(&harness, read_what, &is), 0);
	assert_string_equal(is, what);
}

static int write_other(struct call *call)
{
	(void)call;
	return core_put(call, "test/other", json_true());
}

static void test_confirmed(void **state)
{
	struct story story = { 0 };

	(void)state;
	begin(&story);
	await_rehearsal(&story);
	assert_false(story.done);
	answer(&story, true);
	assert_int_equal(story.runs, 1);
	assert_int_equal(story.hooks, 1);
	assert_int_equal(story.undone, 0);
	assert_written("rehearsed");
}

static void test_another_answer(void **state)
{
	struct story story = { 0 };

	(void)state;
	begin(&story);
	await_rehearsal(&story);
	answer(&story, false);
	assert_int_equal(story.runs, 2);
	assert_int_equal(story.undone, 1);
	assert_written("run");
}

static void test_written_meanwhile(void **state)
{
	struct story story = { 0 };

	(void)state;
	begin(&story);
	await_rehearsal(&story);
	assert_int_equal(harness_run(&harness, write_other, NULL), 0);
	answer(&story, true);
	assert_int_equal(story.runs, 2);
	assert_written("run");
}

/* Its times would be too old. */
static void test_late(void **state)
{
	struct story story = { 0 };

	(void)state;
	begin(&story);
	await_rehearsal(&story);
	harness_loop(&harness, 200);
	answer(&story, true);
	assert_int_equal(story.runs, 2);
	assert_written("run");
}

static void test_not_alone(void **state)
{
	struct story first = { 0 }, second = { 0 };

	(void)state;
	begin(&first);
	begin(&second);
	harness_loop(&harness, 10);
	assert_int_equal(first.rehearsals + second.rehearsals, 0);
	answer(&first, true);
	assert_written("run");
	answer(&second, true);
}

/* What ends a call otherwise leaves nothing of the rehearsal. */
static void test_closed(void **state)
{
	struct story story = { 0 };

	(void)state;
	begin(&story);
	await_rehearsal(&story);
	core_close(TAKE_PTR(harness.core));
	assert_true(story.done);
	assert_int_not_equal(story.r, 0);
	assert_int_equal(story.undone, 1);
	event_base_free(harness.base);
	harness_open(&harness, NULL);
}

static int setup(void **state)
{
	(void)state;
	harness_open(&harness, NULL);
	harness_loop(&harness, 100); /* the calls of the start are over */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	harness_close(&harness);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_confirmed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
