/* SPDX-License-Identifier: Apache-2.0 */
/* A KV mount on its way from version 1 to version 2 while the daemon stops: nothing is lost, nothing is there twice. */
#include "core_fixture.h"

#include "base/deadline.h"
#include "base/text.h"

#define SECRETS 700 /* several transactions */

static char root_token[128];

static void initialise(struct world *world)
{
	struct reply *reply;

	world_open(world, true);
	reply = ask_as(
	    world, &(struct ask){ .op = VAULT_UPDATE, .path = "sys/init", .peer = VAULT_PEER_UNIX, .data = WORLD_INIT });
	assert_int_equal(reply->status, 200);
	snprintf(root_token, sizeof(root_token), "%s", json_string_value(json_object_get(reply->body, "root_token")));
}

static int status_of(struct world *world, enum vault_op op, const char *path, const char *data)
{
	return ask(world, op, path, root_token, data)->status;
}

static void write_secrets(struct world *world)
{
	struct reply replies[50] = { 0 };
	char path[32], data[32];

	assert_int_equal(status_of(world, VAULT_UPDATE, "sys/mounts/old", "{\"type\":\"kv\"}"), 204);
	for (int from = 0; from < SECRETS; from += 50) {
		for (int i = 0; i < 50; i++) {
			snprintf(path, sizeof(path), "old/f%d/%d", (from + i) % 2, from + i);
			snprintf(data, sizeof(data), "{\"n\":%d}", from + i);
			send_ask(world,
			    &(struct ask){ .op = VAULT_UPDATE, .path = path, .token = root_token, .data = data },
			    &replies[i]);
		}
		for (int i = 0; i < 50; i++) {
			wait_for(world, &replies[i]);
			assert_int_equal(replies[i].status, 204);
			reply_clear(&replies[i]);
		}
	}
}

static void check_secrets(struct world *world)
{
	char path[32], expected[32];

	for (int i = 0; i < SECRETS; i++) {
		snprintf(path, sizeof(path), "old/data/f%d/%d", i % 2, i);
		snprintf(expected, sizeof(expected), "\"data\":{\"n\":%d}", i);
		assert_int_equal(status_of(world, VAULT_READ, path, NULL), 200);
		assert_non_null(strstr(world->last.text, expected));
		assert_non_null(strstr(world->last.text, "\"version\":1"));
	}
}

static void test_restarts(void **state)
{
	struct world *world = *state;
	int64_t end = monotonic_ms() + 60000;
	int status = 400, restarts = 0;

	initialise(world);
	write_secrets(world);
	assert_int_equal(
	    status_of(world, VAULT_UPDATE, "sys/mounts/old/tune", "{\"options\":{\"version\":\"2\"}}"), 200);
	for (; status == 400 && monotonic_ms() < end; restarts++) {
		world_open(world, false);
		/* Goes on with it, and is stopped again. */
		status = status_of(world, VAULT_LIST, "old/metadata/", NULL);
	}
	assert_int_equal(status, 200);
	assert_true(restarts > 1);
	assert_non_null(strstr(world->last.text, "\"keys\":[\"f0/\",\"f1/\"]"));
	check_secrets(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restarts, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
