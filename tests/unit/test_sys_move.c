/* SPDX-License-Identifier: Apache-2.0 */
/* sys/remount: what moves with a mount, what ends with its old path, and what a restart finds. */
#include "core_fixture.h"

static const char kv[] = "{\"type\":\"kv-v2\"}";

static void move(struct world *world, const char *from, const char *to)
{
	char data[128];

	snprintf(data, sizeof(data), "{\"from\":\"%s\",\"to\":\"%s\"}", from, to);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/remount", "root", data)->status, 200);
}

static int read_value(struct world *world, const char *path)
{
	return ask(world, VAULT_READ, path, "root", NULL)->status;
}

static void test_data_moves(void **state)
{
	struct world *world = *state;
	char id[64];

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/from", "root", kv)->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "from/data/x", "root", "{\"data\":{\"k\":1}}")->status, 200);
	move(world, "from", "a/to/");
	snprintf(id, sizeof(id), "sys/remount/status/%s",
	    json_string_value(json_object_get(world->last.body, "migration_id")));
	assert_int_equal(read_value(world, "from/data/x"), 404);
	assert_int_equal(read_value(world, "a/to/data/x"), 200);
	assert_int_equal(read_value(world, id), 200);
	assert_non_null(strstr(world->last.text,
	    "\"migration_info\":{\"source_mount\":\"from/\",\"status\":\"success\",\"target_mount\":\"a/to/\"}"));
	assert_int_equal(read_value(world, "sys/remount/status/x"), 404);
}

/* Only the last moves are remembered, and there may be any number. */
static void test_many_moves(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/m0", "root", kv)->status, 204);
	for (int i = 0; i < 200; i++)
		move(world, i % 2 ? "m1" : "m0", i % 2 ? "m0" : "m1");
	assert_int_equal(read_value(world, "m0/data/x"), 404);
	assert_string_equal(world->last.error, "");
}

/* Requests on their way see the mount at the one path or at the other. */
static void test_move_and_use(void **state)
{
	struct world *world = *state;
	struct ask moves = { .op = VAULT_UPDATE, .path = "sys/remount", .data = "{\"from\":\"u\",\"to\":\"v\"}" };
	struct ask before = { .op = VAULT_UPDATE, .path = "u/data/x", .data = "{\"data\":{\"k\":1}}" };
	struct ask after = { .op = VAULT_UPDATE, .path = "v/data/x", .data = "{\"data\":{\"k\":2}}" };
	struct reply replies[9] = { 0 };
	int written = 0;

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/u", "root", kv)->status, 204);
	for (int i = 0; i < 9; i++)
		send_ask(world, i == 4 ? &moves : i % 2 ? &before : &after, &replies[i]);
	for (int i = 0; i < 9; i++)
		wait_for(world, &replies[i]);
	for (int i = 0; i < 9; i++) {
		assert_true(replies[i].status == 200 || (i != 4 && replies[i].status == 404));
		written += i != 4 && replies[i].status == 200;
		reply_clear(&replies[i]);
	}
	assert_int_equal(read_value(world, "v/data/x"), written ? 200 : 404);
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(json_object_get(world->last.body, "data"), "metadata"), "version")),
	    written);
}

/* --- tokens */

static int log_in(struct call *call)
{
	call->auth = login_auth_new();
	call->auth->display_name = strdup("somebody");
	call->auth->policies = json_pack("[s]", "default");
	return 0;
}

static const struct engine_path login_paths[] = {
	{ .pattern = "login", .flags = ENGINE_UNAUTHENTICATED, .update = log_in },
	{ NULL },
};
static const struct engine login_engine = { .type = "kubernetes", .auth = true, .paths = login_paths };

static void log_in_at(struct world *world, const char *path, char *ret, size_t size)
{
	assert_int_equal(ask(world, VAULT_UPDATE, path, NULL, NULL)->status, 200);
	snprintf(ret, size, "%s",
	    json_string_value(json_object_get(json_object_get(world->last.body, "auth"), "client_token")));
}

static int look_up(struct world *world, const char *token)
{
	return ask(world, VAULT_READ, "auth/token/lookup-self", token, NULL)->status;
}

/* A moved auth method's tokens end, and do not come back with it. */
static void test_tokens_end(void **state)
{
	struct world *world = *state;
	char old[128], new[128];

	add_mount(world, &login_engine, "auth/l/");
	log_in_at(world, "auth/l/login", old, sizeof(old));
	assert_int_equal(look_up(world, old), 200);
	move(world, "auth/l", "auth/m");
	assert_int_equal(look_up(world, old), 403);
	log_in_at(world, "auth/m/login", new, sizeof(new));
	assert_int_equal(look_up(world, new), 200);
	move(world, "auth/m", "auth/l");
	assert_int_equal(look_up(world, old), 403);
	assert_int_equal(look_up(world, new), 403);
	log_in_at(world, "auth/l/login", new, sizeof(new));
	assert_int_equal(look_up(world, new), 200);
}

/* --- restart */

static void test_restart(void **state)
{
	static const struct ask init = {
		.op = VAULT_UPDATE, .path = "sys/init", .data = WORLD_INIT, .peer = VAULT_PEER_UNIX
	};
	struct world *world = *state;
	char root[128], uuid[64], accessor[64];
	const json_t *data;

	world_write_credential(world, 'k');
	world_open(world, true);
	assert_int_equal(ask_as(world, &init)->status, 200);
	snprintf(root, sizeof(root), "%s", json_string_value(json_object_get(world->last.body, "root_token")));
	ask(world, VAULT_UPDATE, "sys/mounts/a", root,
	    "{\"type\":\"kv-v2\",\"local\":true,\"config\":{\"listing_visibility\":\"unauth\",\"max_lease_ttl\":\"1h\"}"
	    "}");
	ask(world, VAULT_UPDATE, "a/data/x", root, "{\"data\":{\"k\":1}}");
	ask(world, VAULT_READ, "sys/mounts/a", root, NULL);
	data = json_object_get(world->last.body, "data");
	snprintf(uuid, sizeof(uuid), "%s", json_string_value(json_object_get(data, "uuid")));
	snprintf(accessor, sizeof(accessor), "%s", json_string_value(json_object_get(data, "accessor")));
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/remount", root, "{\"from\":\"a\",\"to\":\"b\"}")->status, 200);

	world_open(world, false);
	assert_int_equal(ask(world, VAULT_READ, "a/data/x", root, NULL)->status, 404);
	assert_int_equal(ask(world, VAULT_READ, "b/data/x", root, NULL)->status, 200);
	assert_int_equal(ask(world, VAULT_READ, "sys/mounts/b", root, NULL)->status, 200);
	data = json_object_get(world->last.body, "data");
	assert_string_equal(json_string_value(json_object_get(data, "uuid")), uuid);
	assert_string_equal(json_string_value(json_object_get(data, "accessor")), accessor);
	assert_true(json_is_true(json_object_get(data, "local")));
	assert_non_null(strstr(world->last.text, "\"listing_visibility\":\"unauth\""));
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts", NULL, NULL)->status, 200);
	assert_non_null(strstr(world->last.text,
	    "\"secret\":{\"b/\":{\"description\":\"\",\"options\":{\"version\":\"2\"},\"type\":\"kv\"}}"));
	/* The header that Vault shows of its own mounts is there after a restart, too. */
	assert_int_equal(ask(world, VAULT_READ, "sys/mounts/sys", root, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"passthrough_request_headers\":[\"Accept\"]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_data_moves, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_many_moves, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_move_and_use, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_tokens_end, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_restart, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests_name("sys_move", tests, NULL, NULL);
}
