/* SPDX-License-Identifier: Apache-2.0 */
/* What `vault path-help` has to say: every engine, route and parameter says what it is for. */
#include "core_fixture.h"

#include "base/text.h"

static bool is_sentence(const char *text)
{
	return text && strlen(text) > 3 && ends_with(text, ".") && !strchr(text, '\n');
}

static void check_fields(const struct engine *engine, const struct engine_path *path)
{
	for (const struct engine_field *field = path->fields; field && field->name; field++)
		if (!is_sentence(field->help))
			fail_msg(
			    "%s, %s: parameter %s does not say what it is", engine->type, path->pattern, field->name);
}

/* Routes that only refuse know no parameters, and need no text. */
static bool serves(const struct engine_path *path)
{
	return (path->read || path->list || path->update || path->patch || path->delete) && path->fields;
}

static void check_paths(const struct engine *engine, const struct engine_path *path)
{
	for (; path->pattern; path++) {
		if (path->help ? !is_sentence(path->help) : serves(path))
			fail_msg("%s, %s: the route does not say what it is for", engine->type, path->pattern);
		check_fields(engine, path);
	}
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; core_engines[i]; i++) {
		const struct engine *engine = core_engines[i];
		json_t *version_2 = json_pack("{s:s}", "version", "2");
		struct mount mount = { .engine = engine };

		if (!is_sentence(engine->help))
			fail_msg("%s does not say what it is for", engine->type);
		check_paths(engine, engine_paths(&mount));
		mount.options = version_2;
		check_paths(engine, engine_paths(&mount));
		json_decref(version_2);
	}
}

static void test_answers(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_HELP, "sys/remount", "root", NULL)->status, 200);
	assert_string_equal(json_string_value(json_object_get(world->last.body, "help")),
	    "Request:        remount\n"
	    "Matching Route: remount\n"
	    "Operations:     update\n"
	    "Needs the capability sudo besides.\n"
	    "\n"
	    "Move a mount to another path.\n"
	    "\n"
	    "## PARAMETERS\n"
	    "\n"
	    "    from (string)\n"
	    "\n"
	    "        The path of the mount.\n"
	    "\n"
	    "    to (string)\n"
	    "\n"
	    "        The path that it gets.\n");
	assert_true(json_is_null(json_object_get(world->last.body, "see_also")));
	assert_int_equal(ask(world, VAULT_HELP, "secret", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "## PATHS"));
	assert_non_null(strstr(world->last.text, "data/{path...}\\n        Read and write a secret"));
	assert_int_equal(ask(world, VAULT_HELP, "sys/nope", "root", NULL)->status, 404);
	assert_int_equal(ask(world, VAULT_HELP, "sys/remount", NULL, NULL)->status, 403);
	assert_int_equal(ask(world, VAULT_HELP, "sys/health", NULL, NULL)->status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test_setup_teardown(test_answers, world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("help", tests, NULL, NULL);
}
