/* SPDX-License-Identifier: Apache-2.0 */
/* Terms of the barrier in a running core: new ones that are asked for, new ones that are due, what a restart keeps. */
#include "core_fixture.h"

#include "vault/embedded/rotation.h"

static char root_token[128];

static void initialise(struct world *world)
{
	world_open(world, true);
	ask_as(
	    world, &(struct ask){ .op = VAULT_UPDATE, .path = "sys/init", .data = WORLD_INIT, .peer = VAULT_PEER_UNIX });
	assert_int_equal(world->last.status, 200);
	snprintf(root_token, sizeof(root_token), "%s",
	    json_string_value(json_object_get(world->last.body, "root_token")));
}

static void put(struct world *world, const char *name, const char *value)
{
	char path[64], data[64];

	snprintf(path, sizeof(path), "cubbyhole/%s", name);
	snprintf(data, sizeof(data), "{\"value\":\"%s\"}", value);
	assert_int_equal(ask(world, VAULT_UPDATE, path, root_token, data)->status, 204);
}

static void expect_kept(struct world *world, const char *name, const char *value)
{
	char path[64], data[64];

	snprintf(path, sizeof(path), "cubbyhole/%s", name);
	snprintf(data, sizeof(data), "\"data\":{\"value\":\"%s\"}", value);
	assert_int_equal(ask(world, VAULT_READ, path, root_token, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, data));
}

static json_int_t status_of(struct world *world, const char *name)
{
	assert_int_equal(ask(world, VAULT_READ, "sys/key-status", root_token, NULL)->status, 200);
	return json_integer_value(json_object_get(world->last.body, name));
}

static void test_rotate(void **state)
{
	struct world *world = *state;

	initialise(world);
	put(world, "one", "1");
	assert_int_equal(status_of(world, "term"), 1);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/rotate", root_token, NULL)->status, 204);
	assert_int_equal(status_of(world, "term"), 2);
	put(world, "two", "2");
	for (int i = 0; i < 2; i++) {
		expect_kept(world, "one", "1");
		expect_kept(world, "two", "2");
		world_open(world, false);
		assert_int_equal(status_of(world, "term"), 2);
	}
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/rotate", root_token, NULL)->status, 204);
	assert_int_equal(status_of(world, "term"), 3);
}

/* Asked for at once, each is one more. */
static void test_together(void **state)
{
	struct world *world = *state;
	struct reply replies[20] = { 0 };

	initialise(world);
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++)
		send_ask(world,
		    &(struct ask){
			.op = VAULT_UPDATE, .path = "sys/rotate", .token = root_token, .peer = VAULT_PEER_TCP },
		    &replies[i]);
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		wait_for(world, &replies[i]);
		assert_int_equal(replies[i].status, 204);
		reply_clear(&replies[i]);
	}
	assert_int_equal(status_of(world, "term"), 1 + ARRAY_SIZE(replies));
	world_open(world, false);
	assert_int_equal(status_of(world, "term"), 1 + ARRAY_SIZE(replies));
}

/* As if N records had been written. */
static void seal_many(struct world *world, size_t n)
{
	struct store_blob sealed;

	while (n--) {
		if (barrier_seal(world->core->barrier, "x", 1, "y", 1, &sealed) < 0)
			fail();
		free(sealed.data);
	}
}

static void look(struct world *world)
{
	event_active(world->core->rotation, EV_TIMEOUT, 0);
	do
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
	while (world->core->rotation_looking);
}

static void test_due(void **state)
{
	struct world *world = *state;
	const char *config = "{\"max_operations\":1000000}";

	initialise(world);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/rotate/config", root_token, config)->status, 204);
	put(world, "old", "1");
	look(world);
	assert_int_equal(status_of(world, "term"), 1);
	/* What a restart finds is what was noted. */
	seal_many(world, 600000);
	look(world);
	world_open(world, false);
	assert_true(status_of(world, "encryptions") >= 600000);
	look(world);
	assert_int_equal(status_of(world, "term"), 1);
	seal_many(world, 400000);
	look(world);
	assert_int_equal(status_of(world, "term"), 2);
	assert_true(status_of(world, "encryptions") < 100);
	assert_non_null(strstr(world->log, "term 2"));
	expect_kept(world, "old", "1");
	/* Switched off: never. */
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "sys/rotate/config", root_token, "{\"enabled\":false}")->status, 204);
	seal_many(world, 1000000);
	look(world);
	assert_int_equal(status_of(world, "term"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rotate, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_together, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_due, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
