/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a request: Vault's weak typing and its texts, as Vault 1.21.4 answered them (kubernetes-auth.md 0.2). */
#include "core_fixture.h"

static int show(struct call *call)
{
	const char *text = "unset";
	bool flag = false, set = false;
	long long number = -7;
	int64_t seconds = -7;
	json_t *list = NULL, *data = json_object();
	int r = call_field_string(call, "s", &text, &set);

	json_object_set_new(data, "s", json_string(text));
	json_object_set_new(data, "s_set", json_boolean(set));
	if (r == 0)
		r = call_field_bool(call, "b", &flag, &set);
	json_object_set_new(data, "b", json_boolean(flag));
	if (r == 0)
		r = call_field_int(call, "i", &number, NULL);
	json_object_set_new(data, "i", json_integer(number));
	if (r == 0)
		r = call_field_seconds(call, "t", &seconds, NULL);
	json_object_set_new(data, "t", json_integer(seconds));
	if (r == 0)
		r = call_field_strings(call, "l", &list, NULL);
	if (r) {
		json_decref(data);
		return r < 0 ? r : 0;
	}
	json_object_set_new(data, "l", list ? list : json_null());
	return call_data(call, data);
}

static int read_jwt(struct call *call)
{
	const char *jwt = "";
	int r = call_field_string(call, "jwt", &jwt, NULL);

	return r ? 0 : call_done(call);
}

static int exists(struct call *call)
{
	return 1;
}

static const struct engine_field fields[] = {
	{ "s", FIELD_STRING, "S." },
	{ "b", FIELD_BOOL, "B." },
	{ "i", FIELD_INT, "I." },
	{ "t", FIELD_SECONDS, "T." },
	{ "l", FIELD_STRINGS, "L." },
	{ 0 },
};

static const struct engine_path paths[] = {
	{ .pattern = "plain", .read = show, .update = show, .fields = fields },
	{ .pattern = "checked", .read = show, .update = show, .exists = exists, .fields = fields },
	{ .pattern = "login", .flags = ENGINE_UNAUTHENTICATED, .update = read_jwt },
	{ .pattern = "named/{s}", .update = show, .fields = fields },
	{ NULL },
};
static const struct engine engine = { .type = "kv", .paths = paths };

static int setup(void **state)
{
	world_setup(state);
	add_mount(*state, &engine, "f/");
	return 0;
}

static const struct {
	const char *data, *shown; /* a part of the answer's data */
} good[] = {
	{ "{}", "\"s\":\"unset\",\"s_set\":false,\"b\":false,\"i\":-7,\"t\":-7,\"l\":null" },
	{ "{\"s\":\"\"}", "\"s\":\"\",\"s_set\":true" },
	{ "{\"s\":null}", "\"s\":\"\",\"s_set\":true" },
	{ "{\"s\":5}", "\"s\":\"5\"" },
	{ "{\"s\":true}", "\"s\":\"1\"" },
	{ "{\"s\":1.5}", "\"s\":\"1.5\"" },
	{ "{\"b\":\"T\"}", "\"b\":true" },
	{ "{\"b\":1}", "\"b\":true" },
	{ "{\"b\":\"\"}", "\"b\":false" },
	{ "{\"b\":null}", "\"b\":false" },
	{ "{\"i\":\"0x10\"}", "\"i\":16" },
	{ "{\"i\":\"010\"}", "\"i\":8" },
	{ "{\"i\":\"-3\"}", "\"i\":-3" },
	{ "{\"i\":true}", "\"i\":1" },
	{ "{\"i\":\"\"}", "\"i\":0" },
	{ "{\"i\":null}", "\"i\":0" },
	{ "{\"t\":\"1d\"}", "\"t\":86400" },
	{ "{\"t\":\"+5\"}", "\"t\":5" },
	{ "{\"t\":\"1500ms\"}", "\"t\":1" },
	{ "{\"t\":\"1.5h\"}", "\"t\":5400" },
	{ "{\"t\":\"\"}", "\"t\":0" },
	{ "{\"t\":90}", "\"t\":90" },
	{ "{\"l\":\"a, b,,c\"}", "\"l\":[\"a\",\"b\",\"\",\"c\"]" },
	{ "{\"l\":\"\"}", "\"l\":[]" },
	{ "{\"l\":\" \"}", "\"l\":[\"\"]" },
	{ "{\"l\":null}", "\"l\":[]" },
	{ "{\"l\":5}", "\"l\":[\"5\"]" },
	{ "{\"l\":{}}", "\"l\":[]" },
	{ "{\"l\":[true,1,1.5,null,\" x \",\"a,b\"]}", "\"l\":[\"1\",\"1\",\"1.5\",\"\",\"x\",\"a,b\"]" },
};

static void test_good(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		ask(world, VAULT_UPDATE, "f/plain", "root", good[i].data);
		if (world->last.status != 200 || !strstr(world->last.text, good[i].shown))
			fail_msg("%s: %s", good[i].data, world->last.text);
	}
}

static const struct {
	const char *data, *field, *fault;
} bad[] = {
	{ "{\"s\":[\"x\"]}", "s", "'' expected type 'string', got unconvertible type '[]interface {}', value: '[x]'" },
	{ "{\"s\":{\"k\":[1,\"z\",null,true,1.5]}}", "s",
	    "'' expected type 'string', got unconvertible type 'map[string]interface {}', value: "
	    "'map[k:[1 z <nil> true 1.5]]'" },
	{ "{\"s\":[\"a\\\"b\",{\"z\":1,\"b\":[]},false]}", "s",
	    "'' expected type 'string', got unconvertible type '[]interface {}', value: '[a\"b map[b:[] z:1] false]'" },
	{ "{\"b\":\"maybe\"}", "b", "cannot parse '' as bool: strconv.ParseBool: parsing \"maybe\": invalid syntax" },
	{ "{\"b\":2}", "b", "cannot parse '' as bool: strconv.ParseBool: parsing \"2\": invalid syntax" },
	{ "{\"b\":[true]}", "b", "'' expected type 'bool', got unconvertible type '[]interface {}', value: '[true]'" },
	{ "{\"i\":\"x\"}", "i", "cannot parse '' as int: strconv.ParseInt: parsing \"x\": invalid syntax" },
	{ "{\"i\":1.5}", "i", "cannot parse '' as int: strconv.ParseInt: parsing \"1.5\": invalid syntax" },
	{ "{\"i\":\" 1\"}", "i", "cannot parse '' as int: strconv.ParseInt: parsing \" 1\": invalid syntax" },
	{ "{\"i\":\"a\\\"\\n\\u0001\"}", "i",
	    "cannot parse '' as int: strconv.ParseInt: parsing \"a\\\"\\n\\x01\": invalid syntax" },
	{ "{\"i\":\"99999999999999999999\"}", "i",
	    "cannot parse '' as int: strconv.ParseInt: parsing \"99999999999999999999\": value out of range" },
	{ "{\"i\":{\"a\":\"b\"}}", "i",
	    "'' expected type 'int', got unconvertible type 'map[string]interface {}', value: 'map[a:b]'" },
	{ "{\"t\":\"abc\"}", "t", "time: invalid duration \"abc\"" },
	{ "{\"t\":-5}", "t", "cannot provide negative value '-5'" },
	{ "{\"t\":\"-1h\"}", "t", "cannot provide negative value '-3600'" },
	{ "{\"t\":true}", "t", "could not parse duration from input" },
	{ "{\"t\":[1]}", "t", "could not parse duration from input" },
	{ "{\"t\":1.7}", "t", "time: missing unit in duration \"1.7\"" },
	{ "{\"t\":\"1.5d\"}", "t", "strconv.ParseInt: parsing \"1.5\": invalid syntax" },
	{ "{\"l\":{\"a\":1}}", "l",
	    "1 error(s) decoding:\n\n* '[0]' expected type 'string', got unconvertible type 'map[string]interface {}', "
	    "value: 'map[a:1]'" },
	{ "{\"l\":[[1],\"x\",{\"a\":1}]}", "l",
	    "2 error(s) decoding:\n\n* '[0]' expected type 'string', got unconvertible type '[]interface {}', value: "
	    "'[1]'\n* '[2]' expected type 'string', got unconvertible type 'map[string]interface {}', value: "
	    "'map[a:1]'" },
};

static void expect_fault(struct world *world, const char *path, size_t i, const char *prefix)
{
	char text[1024];

	snprintf(
	    text, sizeof(text), "%serror converting input for field \"%s\": %s", prefix, bad[i].field, bad[i].fault);
	ask(world, VAULT_UPDATE, path, "root", bad[i].data);
	assert_string_equal(world->last.error, text);
	assert_int_equal(world->last.status, 400);
}

static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_fault(*state, "f/plain", i, "Field validation failed: ");
		expect_fault(*state, "f/checked", i, "");
	}
}

/* What cannot be shown in a bounded text is not. */
static void test_huge_value(void **state)
{
	struct world *world = *state;
	char *data = malloc(40000);

	snprintf(data, 40000, "{\"s\":[\"%030000d\"]}", 0);
	ask(world, VAULT_UPDATE, "f/plain", "root", data);
	free(data);
	assert_int_equal(world->last.status, 400);
	assert_string_equal(world->last.error,
	    "Field validation failed: error converting input for field \"s\": the value is too long to show");
}

/* A list of N empty texts, with N - 1 commas. */
static void ask_list(struct world *world, int n)
{
	char *commas = malloc((size_t)n), *data;

	memset(commas, ',', (size_t)n - 1);
	commas[n - 1] = '\0';
	assert_int_not_equal(asprintf(&data, "{\"l\":\"%s\"}", commas), -1);
	ask(world, VAULT_UPDATE, "f/plain", "root", data);
	free(data);
	free(commas);
}

static void test_long_list(void **state)
{
	struct world *world = *state;

	ask_list(world, VAULT_LIST_MAX);
	assert_int_equal(world->last.status, 200);
	ask_list(world, VAULT_LIST_MAX + 1);
	assert_int_equal(world->last.status, 400);
	assert_string_equal(world->last.error,
	    "Field validation failed: error converting input for field \"l\": more than 10000 elements");
}

/* Vault shows it. */
static void test_credential_not_shown(void **state)
{
	struct world *world = *state;

	ask(world, VAULT_UPDATE, "f/login", NULL, "{\"jwt\":{\"a\":\"eyJhbGciOi\"}}");
	assert_int_equal(world->last.status, 400);
	assert_string_equal(world->last.error,
	    "Field validation failed: error converting input for field \"jwt\": '' expected type 'string', got "
	    "unconvertible type 'map[string]interface {}', value: '(not shown)'");
	assert_null(strstr(world->log, "eyJ"));
}

static void test_parameter_warnings(void **state)
{
	struct world *world = *state;

	ask(world, VAULT_UPDATE, "f/plain", "root", "{\"s\":\"x\",\"zz\":1,\"aa\":2}");
	assert_non_null(
	    strstr(world->last.text, "\"warnings\":[\"Endpoint ignored these unrecognized parameters: [aa zz]\"]"));
	ask(world, VAULT_READ, "f/plain", "root", "{\"q\":\"x\"}");
	assert_non_null(
	    strstr(world->last.text, "\"warnings\":[\"Endpoint ignored these unrecognized parameters: [q]\"]"));
	ask(world, VAULT_UPDATE, "f/named/x", "root", "{\"s\":\"y\",\"q\":1}");
	assert_non_null(strstr(world->last.text,
	    "\"warnings\":[\"Endpoint ignored these unrecognized parameters: [q]\",\"Endpoint replaced the value of "
	    "these parameters with the values captured from the endpoint's path: [s]\"]"));
	ask(world, VAULT_UPDATE, "f/plain", "root", "{\"s\":\"x\"}");
	assert_non_null(strstr(world->last.text, "\"warnings\":null"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_huge_value, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_long_list, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_credential_not_shown, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_parameter_warnings, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
