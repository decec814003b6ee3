/* SPDX-License-Identifier: Apache-2.0 */
/* The router: patterns, paths, operations, who may; Vault's texts (vault-1.21.4.md). */
#include "core_fixture.h"

/* --- an engine that tells what reached it */

static unsigned exist_asked;

static int tell(struct call *call)
{
	static const char *const ops[] = { [VAULT_READ] = "read",
		[VAULT_LIST] = "list",
		[VAULT_UPDATE] = "update",
		[VAULT_CREATE] = "create",
		[VAULT_PATCH] = "patch",
		[VAULT_DELETE] = "delete",
		[VAULT_RESOLVE] = "resolve" };

	return call_data(call, json_pack("{s:s, s:s, s:s, s:b}", "op", ops[call->request->op], "name",
				   call_capture(call, "name"), "rest", call->rest, "token", call->token != NULL));
}

static int exists(struct call *call)
{
	exist_asked++;
	return streq(call_capture(call, "name"), "there");
}

static int say_no(struct call *call)
{
	return call_wrapped_error(call, 400, "no way");
}

static int tell_data(struct call *call)
{
	return call_data(call, json_deep_copy(call->request->data));
}

static const struct engine_field known[] = { { "known", FIELD_STRINGS, "What is known." }, { 0 } };

static const struct engine_path paths[] = {
	{ .pattern = "strangers", .flags = ENGINE_UNAUTHENTICATED, .update = tell_data, .fields = known },
	{ .pattern = "known", .update = tell_data, .fields = known },
	{ .pattern = "role/", .list = tell },
	{ .pattern = "role/{name}", .read = tell, .update = tell, .delete = tell, .exists = exists },
	{ .pattern = "role/{name}/part", .read = tell },
	{ .pattern = "open", .flags = ENGINE_UNAUTHENTICATED, .update = tell, .read = say_no, .resolve = tell },
	{ .pattern = "root", .flags = ENGINE_SUDO, .read = tell },
	{ .pattern = "no", .read = say_no },
	{ .pattern = "all/{name...?}", .read = tell, .list = tell, .patch = tell },
	{ NULL },
};
static const struct engine engine = { .type = "kv", .paths = paths };
static const struct engine auth_engine = { .type = "kubernetes", .auth = true, .paths = paths };

static int setup(void **state)
{
	world_setup(state);
	add_mount(*state, &engine, "m/");
	add_mount(*state, &engine, "m/x/deep/");
	add_mount(*state, &auth_engine, "auth/k/");
	exist_asked = 0;
	return 0;
}

/* --- patterns */

static void test_match(void **state)
{
	static const struct {
		const char *pattern, *rest;
		bool matches;
	} cases[] = {
		{ "config", "config", true },
		{ "config", "configs", false },
		{ "config", "confi", false },
		{ "config", "config/", false },
		{ "config", "", false },
		{ "", "", true },
		{ "", "x", false },
		{ "role/", "role/", true },
		{ "role/", "role", true },
		{ "role/", "role/x", false },
		{ "role/{name}", "role/x", true },
		{ "role/{name}", "role/x-y.z_1", true },
		{ "role/{name}", "role/", false },
		{ "role/{name}", "role", false },
		{ "role/{name}", "role/x/", false },
		{ "role/{name}", "role/x/y", false },
		{ "role/{name}", "role/-x", false },
		{ "role/{name}", "role/x-", false },
		{ "role/{name}", "role/.x", false },
		{ "role/{name}", "role/x y", false },
		{ "role/{name}", "role/\xc3\xa9", false },
		{ "role/{name}/part", "role/x/part", true },
		{ "role/{name}/part", "role/x/parts", false },
		{ "{a}/{b}", "x/y", true },
		{ "data/{path...}", "data/x", true },
		{ "data/{path...}", "data/x/y/", true },
		{ "data/{path...}", "data/", false },
		{ "data/{path...}", "data", false },
		{ "data/{path...?}", "data/", true },
		{ "data/{path...?}", "data/x y/+*", true },
		{ "data/{path...?}", "data", false },
		{ "{path...?}", "", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (router_match(cases[i].pattern, cases[i].rest, NULL) != cases[i].matches)
			fail_msg("%s against %s", cases[i].pattern, cases[i].rest);
}

/* --- requests and their answers */

static const struct {
	enum vault_op op;
	const char *path, *token;
	int status;
	const char *error; /* or a part of the body, from 200 on */
} requests[] = {
	{ VAULT_READ, "m/role/x", "root", 200, "\"op\":\"read\",\"name\":\"x\",\"rest\":\"role/x\",\"token\":true" },
	{ VAULT_UPDATE, "m/role/x", "root", 200, "\"op\":\"create\"" },
	{ VAULT_UPDATE, "m/role/there", "root", 200, "\"op\":\"update\"" },
	{ VAULT_DELETE, "m/role/x", "root", 200, "\"op\":\"delete\"" },
	{ VAULT_LIST, "m/role/", "root", 200, "\"op\":\"list\"" },
	{ VAULT_PATCH, "m/all/x", "root", 200, "\"op\":\"patch\"" },
	{ VAULT_READ, "m/all/a/b c/", "root", 200, "\"name\":\"a/b c/\"" },
	{ VAULT_LIST, "m/all/", "root", 200, "\"name\":\"\"" },
	{ VAULT_READ, "m/x/deep/role/y", "root", 200, "\"rest\":\"role/y\"" },
	{ VAULT_READ, "m/x/deeper", "root", 404, "1 error occurred:\n\t* unsupported path\n\n" },
	{ VAULT_READ, "m", "root", 404, "1 error occurred:\n\t* unsupported path\n\n" },
	{ VAULT_READ, "m/role", "root", 405, "1 error occurred:\n\t* unsupported operation\n\n" },
	{ VAULT_READ, "m/role/", "root", 405, "1 error occurred:\n\t* unsupported operation\n\n" },
	{ VAULT_PATCH, "m/role/x", "root", 405, "1 error occurred:\n\t* unsupported operation\n\n" },
	{ VAULT_HEADER, "m/role/x", "root", 405, "1 error occurred:\n\t* unsupported operation\n\n" },
	{ VAULT_OTHER, "m/role/x", "root", 405, "1 error occurred:\n\t* unsupported operation\n\n" },
	{ VAULT_UPDATE, "m/role/", "root", 400, "cannot write to a path ending in '/'" },
	{ VAULT_UPDATE, "auth/k/open/", NULL, 400, "cannot write to a path ending in '/'" },
	{ VAULT_READ, "m/no", "root", 400, "1 error occurred:\n\t* no way\n\n" },
	{ VAULT_READ, "auth/k/open", NULL, 400, "no way" },
	{ VAULT_UPDATE, "auth/k/open", NULL, 200, "\"token\":false" },
	{ VAULT_UPDATE, "auth/k/open", "anything", 200, "\"mount_type\":\"\"" },
	{ VAULT_DELETE, "auth/k/open", NULL, 405, "unsupported operation" },
	{ VAULT_LIST, "auth/k/open/", NULL, 403, "permission denied" },
	{ VAULT_READ, "m/role/x", NULL, 403, "permission denied" },
	{ VAULT_READ, "m/role/x", "", 403, "permission denied" },
	{ VAULT_READ, "m/role/x", "bad", 403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n" },
	{ VAULT_READ, "nothing/x", NULL, 403, "permission denied" },
	{ VAULT_READ, "nothing/x", "root", 404, "no handler for route \"nothing/x\". route entry not found." },
	{ VAULT_UPDATE, "nothing/x", "root", 404, "no handler for route \"nothing/x\". route entry not found." },
	{ VAULT_READ, "auth", "root", 404, "no handler for route \"auth\". route entry not found." },
	{ VAULT_READ, "", "root", 404, "no handler for route \"\". route entry not found." },
	{ VAULT_READ, "sys/nosuch", "root", 404, "1 error occurred:\n\t* unsupported path\n\n" },
	{ VAULT_UPDATE, "sys/seal", NULL, 403, "permission denied" },
	{ VAULT_HELP, "m/role/x", NULL, 403, "permission denied" },
	{ VAULT_HELP, "m/role/x", "root", 200, "{\"help\":\"Request:        role/x\\nMatching Route: role/{name}" },
	{ VAULT_READ, "m/../sys/mounts", "root", 400, "relative paths not supported" },
	{ VAULT_READ, "m/all/..", "root", 400, "relative paths not supported" },
	{ VAULT_READ, "m/./all/x", "root", 400, "relative paths not supported" },
	{ VAULT_READ, "m//all/x", "root", 400, "relative paths not supported" },
	{ VAULT_LIST, "m/all//", "root", 400, "relative paths not supported" },
	{ VAULT_READ, "/m/all/x", "root", 400, "relative paths not supported" },
	{ VAULT_READ, "m/all/a..b/...", "root", 200, "\"name\":\"a..b/...\"" },
	{ VAULT_READ, "m/all/\x01", "root", 400, "the path has characters that cannot be printed" },
	{ VAULT_READ, "m/all/\xff", "root", 400, "the path has characters that cannot be printed" },
	{ VAULT_READ, "m/all/\xc3\xa9", "root", 200, "\"name\":\"\xc3\xa9\"" },
};

static void test_requests(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct reply *reply = ask(world, requests[i].op, requests[i].path, requests[i].token, NULL);
		bool told = requests[i].status < 400 ? strstr(reply->text, requests[i].error) != NULL
						     : streq(reply->error, requests[i].error);

		if (reply->status != requests[i].status || !told)
			fail_msg("request %zu, %s: %d %s", i, requests[i].path, reply->status, reply->text);
	}
}

static void test_long_paths(void **state)
{
	struct world *world = *state;
	char path[PATH_LEN_MAX + 2];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	memcpy(path, "m/all/", 6);
	assert_int_equal(ask(world, VAULT_READ, path, "root", NULL)->status, 400);
	path[PATH_LEN_MAX] = '\0';
	assert_int_equal(ask(world, VAULT_READ, path, "root", NULL)->status, 200);
	for (size_t i = 6; path[i]; i++)
		if (i % 2)
			path[i] = '/';
	path[PATH_PARTS_MAX * 2 + 3] = '\0';
	assert_int_equal(ask(world, VAULT_READ, path, "root", NULL)->status, 400);
	path[PATH_PARTS_MAX * 2 + 1] = '\0';
	assert_int_equal(ask(world, VAULT_READ, path, "root", NULL)->status, 200);
}

static void test_internal(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_READ, .path = "m/root" };

	assert_int_equal(ask_as(world, &question)->status, 200);
	assert_non_null(strstr(world->last.text, "\"token\":false"));
	question = (struct ask){ .op = VAULT_RESOLVE, .path = "auth/k/open" };
	assert_int_equal(ask_as(world, &question)->status, 200);
	assert_non_null(strstr(world->last.text, "\"op\":\"resolve\""));
	question.path = "m/root";
	assert_int_equal(ask_as(world, &question)->status, 405);
	question = (struct ask){ .op = VAULT_UPDATE, .path = "m/role/x" };
	assert_int_equal(ask_as(world, &question)->status, 200);
	assert_non_null(strstr(world->last.text, "\"op\":\"create\""));
}

/* A stranger's request may be held: what nobody reads is not kept with it. */
static void test_unknown_values(void **state)
{
	static const char data[] = "{\"known\": [1], \"other\": [1, 2]}";
	struct world *world = *state;

	ask(world, VAULT_UPDATE, "auth/k/strangers", NULL, data);
	assert_non_null(strstr(world->last.text, "{\"known\":[1],\"other\":null}"));
	assert_non_null(strstr(world->last.text, "unrecognized parameters: [other]"));
	ask(world, VAULT_UPDATE, "auth/k/known", "root", data);
	assert_non_null(strstr(world->last.text, "{\"known\":[1],\"other\":[1,2]}"));
}

/* The whole envelope, keys in Vault's order. */
static void test_envelope(void **state)
{
	struct world *world = *state;
	const char *id, *text;

	ask(world, VAULT_READ, "m/role/x", "root", NULL);
	text = world->last.text;
	id = json_string_value(json_object_get(world->last.body, "request_id"));
	assert_int_equal(strlen(id), 36);
	assert_int_equal(strncmp(text, "{\"request_id\":\"", 15), 0);
	assert_string_equal(text + 15 + 36,
	    "\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,\"data\":{\"op\":\"read\",\"name\":\"x\","
	    "\"rest\":"
	    "\"role/x\",\"token\":true},\"wrap_info\":null,\"warnings\":null,\"auth\":null,\"mount_type\":\"kv\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test_setup_teardown(test_requests, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_long_paths, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_internal, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_unknown_values, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_envelope, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
