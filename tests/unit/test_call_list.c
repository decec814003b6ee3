/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are kept from one call to the next are as new as the store's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

static struct harness harness;

struct question {
	const char *folder, *key; /* KEY: to be written, or deleted */
	unsigned runs;
	char names[4096];
};

static int list(struct call *call)
{
	struct question *question = call->state;
	json_t *names, *name;
	size_t i;
	int r;

	question->runs++;
	r = core_list(call, question->folder, &names);
	if (r < 0)
		return r;
	question->names[0] = '\0';
	json_array_foreach(names, i, name)
	{
		strcat(question->names, json_string_value(name));
		strcat(question->names, " ");
	}
	json_decref(names);
	return 0;
}

static int put(struct call *call)
{
	return core_put(call, ((struct question *)call->state)->key, json_true());
}

static int delete_one(struct call *call)
{
	return core_delete(call, ((struct question *)call->state)->key);
}

/* FOLDER's names are NAMES, and it took RUNS of the handler: one where they were kept, two where the store was asked.
 */
static void assert_names(const char *folder, const char *names, unsigned runs)
{
	struct question question = { .folder = folder };

	assert_int_equal(harness_run(&harness, list, &question), 0);
	assert_string_equal(question.names, names);
	assert_int_equal(question.runs, runs);
}

static void change(engine_handler *handler, const char *key)
{
	struct question question = { .key = key };

	assert_int_equal(harness_run(&harness, handler, &question), 0);
}

static void test_kept(void **state)
{
	(void)state;
	assert_names("a/", "", 2);
	assert_names("a/", "", 1);
	change(put, "a/x");
	assert_names("a/", "x ", 2);
	change(put, "b/y");
	assert_names("a/", "x ", 1);
	change(put, "a/c/d");
	assert_names("a/", "c/ x ", 2);
	assert_names("a/c/", "d ", 2);
	change(delete_one, "a/x");
	assert_names("a/", "c/ ", 2);
	change(delete_one, "a/c/d"); /* and its folder */
	assert_names("a/", "", 2);
	assert_names("a/c/", "", 2);
	assert_names("a/c/", "", 1);
}

struct answer {
	struct question question;
	bool done;
	int r;
};

static void on_ran(void *arg, int r)
{
	struct answer *answer = arg;

	answer->done = true;
	answer->r = r;
}

/* The store may have read the names before a write that is committed while they are on their way. */
static void test_changed_on_the_way(void **state)
{
	struct answer listed = { .question.folder = "a/" }, written = { .question.key = "a/late" };

	(void)state;
	core_run(harness.core, list, &listed.question, NULL, on_ran, &listed);
	core_run(harness.core, put, &written.question, NULL, on_ran, &written);
	for (int i = 0; i < 500 && !(listed.done && written.done); i++)
		harness_loop(&harness, 10);
	assert_true(listed.done && written.done);
	assert_names("a/", "late ", 2);
}

static void test_many(void **state)
{
	char key[32], names[4096] = "";

	(void)state;
	for (int i = 0; i < 65; i++) {
		snprintf(key, sizeof(key), "m/%02d", i);
		change(put, key);
		strcat(names, key + 2);
		strcat(names, " ");
	}
	assert_names("m/", names, 2);
	assert_names("m/", names, 2); /* too many to be kept */
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
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_on_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
