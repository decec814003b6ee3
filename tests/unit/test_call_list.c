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

#define MANY 5000 /* more than a run opens, and than a call's writes are looked through one by one */

static int put_many(struct call *call)
{
	char key[32];
	int r = 0;

	for (int i = 0; r == 0 && i < MANY; i++) {
		snprintf(key, sizeof(key), "many/%04d", i);
		r = core_put(call, key, json_true());
	}
	return r;
}

/* Takes every third away again, adds two, and counts what there is for itself. */
static int change_many(struct call *call)
{
	size_t *n = call->state;
	json_auto_t *names = NULL, *value = NULL;
	char key[32];
	int r = 0;

	for (int i = 0; r == 0 && i < MANY; i += 3) {
		snprintf(key, sizeof(key), "many/%04d", i);
		r = core_put(call, key, json_false());
		if (r == 0)
			r = core_delete(call, key);
	}
	if (r == 0)
		r = core_put(call, "many/0000", json_null());
	if (r == 0)
		r = core_put(call, "many/new", json_true());
	if (r == 0)
		r = core_list(call, "many/", &names);
	if (r < 0)
		return r;
	*n = json_array_size(names);
	assert_string_equal(json_string_value(json_array_get(names, 0)), "0000");
	assert_string_equal(json_string_value(json_array_get(names, *n - 1)), "new");
	assert_int_equal(core_get(call, "many/0003", &value), -ENOENT);
	assert_int_equal(core_get(call, "many/0000", &value), 0);
	assert_true(json_is_null(value));
	return 0;
}

static int count_many(struct call *call)
{
	json_auto_t *names = NULL;
	int r = core_list(call, "many/", &names);

	if (r == 0)
		*(size_t *)call->state = json_array_size(names);
	return r;
}

static void test_long(void **state)
{
	const size_t left = MANY - (MANY + 2) / 3 + 2;
	size_t n = 0;

	(void)state;
	assert_int_equal(harness_run(&harness, put_many, NULL), 0);
	assert_int_equal(harness_run(&harness, count_many, &n), 0);
	assert_int_equal(n, MANY);
	assert_int_equal(harness_run(&harness, change_many, &n), 0);
	assert_int_equal(n, left);
	assert_int_equal(harness_run(&harness, count_many, &n), 0);
	assert_int_equal(n, left);
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
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
