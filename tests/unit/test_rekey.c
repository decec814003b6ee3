/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are replaced, and root tokens that are made, where the seal opens by itself; and who may. */
#include "core_fixture.h"

#include "base/text.h"

static char keys[3][80], root_token[128], nonce[UUID_SIZE];

static struct reply *as_root(struct world *world, enum vault_op op, const char *path, const char *data)
{
	return ask_as(world, &(struct ask){ .op = op, .path = path, .data = data, .peer = VAULT_PEER_UNIX });
}

static void take_keys(const struct world *world, const char *member)
{
	const json_t *list = json_object_get(world->last.body, member);

	assert_int_equal(json_array_size(list), ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		snprintf(keys[i], sizeof(keys[i]), "%s", json_string_value(json_array_get(list, i)));
}

static int setup(void **state)
{
	struct world *world;

	world_setup_store(state);
	world = *state;
	world_open(world, true);
	as_root(world, VAULT_UPDATE, "sys/init", "{\"recovery_shares\":3,\"recovery_threshold\":2}");
	assert_int_equal(world->last.status, 200);
	take_keys(world, "recovery_keys");
	snprintf(root_token, sizeof(root_token), "%s",
	    json_string_value(json_object_get(world->last.body, "root_token")));
	return 0;
}

static void begin(struct world *world, const char *path, const char *data)
{
	const char *member = strstr(path, "verify") ? "verification_nonce" : "nonce";

	if (data)
		assert_int_equal(as_root(world, VAULT_UPDATE, path, data)->status, 200);
	snprintf(nonce, sizeof(nonce), "%s", json_string_value(json_object_get(world->last.body, member)));
}

static struct reply *bring(struct world *world, const char *path, const char *key)
{
	char data[256];

	snprintf(data, sizeof(data), "{\"key\":\"%s\",\"nonce\":\"%s\"}", key, nonce);
	return as_root(world, VAULT_UPDATE, path, data);
}

#define ZERO "000000000000000000000000000000000000000000000000000000000000000000"

/* The root key changes, nobody gets a share, and everything is still there after a restart. */
static void test_root_key(void **state)
{
	struct world *world = *state;
	struct secret *before AUTO_SECRET = NULL;

	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a", root_token, "{\"b\":\"c\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/rotate", root_token, NULL)->status, 204);
	before = secret_copy(secret_reveal(barrier_root_key(world->core->barrier)), BARRIER_KEY_SIZE);
	begin(world, "sys/rekey/init", "{\"secret_shares\":5,\"secret_threshold\":3}");
	assert_int_equal(bring(world, "sys/rekey/update", ZERO)->status, 200);
	assert_int_equal(bring(world, "sys/rekey/update", keys[0])->status, 400);
	assert_string_equal(
	    world->last.error, "recovery key verification failed: recovery key does not match submitted values");
	assert_int_equal(bring(world, "sys/rekey/update", keys[0])->status, 200);
	assert_int_equal(bring(world, "sys/rekey/update", keys[2])->status, 200);
	assert_non_null(strstr(world->last.text, "\"complete\":true,\"keys\":[],\"keys_base64\":[]"));
	assert_memory_not_equal(
	    secret_reveal(before), secret_reveal(barrier_root_key(world->core->barrier)), BARRIER_KEY_SIZE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(world, VAULT_READ, "cubbyhole/a", root_token, NULL)->status, 200);
		world_open(world, false);
	}
	/* The recovery key is the same, and is known under the new root key. */
	begin(world, "sys/generate-root/attempt", "{}");
	bring(world, "sys/generate-root/update", keys[1]);
	assert_int_equal(bring(world, "sys/generate-root/update", keys[0])->status, 200);
	assert_non_null(strstr(world->last.text, "\"complete\":true"));
}

/* A wrapping that fails changes nothing. */
static void test_no_seal(void **state)
{
	struct world *world = *state;

	begin(world, "sys/rekey/init", "{}");
	bring(world, "sys/rekey/update", keys[0]);
	strcpy(world->credential, "gone");
	assert_int_equal(bring(world, "sys/rekey/update", keys[1])->status, 500);
	strcpy(world->credential, "seal");
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
}

static void test_recovery_key(void **state)
{
	struct world *world = *state;
	char old[3][80];

	memcpy(old, keys, sizeof(old));
	begin(world, "sys/rekey-recovery-key/init",
	    "{\"secret_shares\":3,\"secret_threshold\":2,\"require_verification\":true}");
	bring(world, "sys/rekey-recovery-key/update", keys[0]);
	assert_int_equal(bring(world, "sys/rekey-recovery-key/update", keys[1])->status, 200);
	take_keys(world, "keys");
	begin(world, "verify", NULL);
	bring(world, "sys/rekey-recovery-key/verify", keys[1]);
	assert_int_equal(bring(world, "sys/rekey-recovery-key/verify", keys[2])->status, 200);
	assert_non_null(strstr(world->last.text, "\"complete\":true"));
	world_open(world, false);
	for (int i = 0; i < 2; i++) {
		begin(world, "sys/generate-root/attempt", "{}");
		bring(world, "sys/generate-root/update", i ? old[0] : keys[0]);
		assert_int_equal(bring(world, "sys/generate-root/update", i ? old[1] : keys[1])->status, i ? 400 : 200);
	}
}

/* One request is one use of a token, also where it is a share in the middle. */
static void test_uses(void **state)
{
	struct world *world = *state;
	char token[128], data[256];

	assert_int_equal(
	    ask(world, VAULT_UPDATE, "auth/token/create", root_token, "{\"policies\":[\"root\"],\"num_uses\":5}")->status,
	    200);
	snprintf(token, sizeof(token), "%s",
	    json_string_value(json_object_get(json_object_get(world->last.body, "auth"), "client_token")));
	begin(world, "sys/rekey/init", "{}");
	snprintf(data, sizeof(data), "{\"key\":\"%s\",\"nonce\":\"%s\"}", keys[0], nonce);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/rekey/update", token, data)->status, 200);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", token, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"num_uses\":3"));
}

/* Of several rekeys and rotations at once each is whole. */
static void test_together(void **state)
{
	struct world *world = *state;
	struct reply replies[2] = { 0 };
	char data[256];

	for (int i = 0; i < 20; i++) {
		begin(world, "sys/rekey/init", "{}");
		bring(world, "sys/rekey/update", keys[0]);
		snprintf(data, sizeof(data), "{\"key\":\"%s\",\"nonce\":\"%s\"}", keys[1], nonce);
		for (int k = 0; k < 2; k++)
			send_ask(world,
			    &(struct ask){ .op = VAULT_UPDATE,
				.path = (k + i) % 2 ? "sys/rekey/update" : "sys/rotate",
				.token = root_token,
				.data = (k + i) % 2 ? data : NULL,
				.peer = VAULT_PEER_TCP },
			    &replies[k]);
		for (int k = 0; k < 2; k++) {
			wait_for(world, &replies[k]);
			assert_int_equal(replies[k].status, (k + i) % 2 ? 200 : 204);
			reply_clear(&replies[k]);
		}
		assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a", root_token, "{\"b\":\"c\"}")->status, 204);
	}
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_READ, "sys/key-status", root_token, NULL)->status, 200);
	assert_int_equal(json_integer_value(json_object_get(world->last.body, "term")), 21);
	assert_int_equal(ask(world, VAULT_READ, "cubbyhole/a", root_token, NULL)->status, 200);
}

static void test_who(void **state)
{
	static const char *const paths[] = { "sys/rekey/init", "sys/rekey/verify", "sys/generate-root/attempt",
		"sys/rekey-recovery-key/init" };
	struct world *world = *state;
	struct ask question = { .op = VAULT_READ };

	world->init_over_tcp = true; /* a server: these are not for everybody there either */
	world_open(world, false);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		question.path = paths[i];
		question.token = NULL;
		question.peer = VAULT_PEER_TCP;
		assert_int_equal(ask_as(world, &question)->status, 403);
		question.token = root_token;
		assert_int_not_equal(ask_as(world, &question)->status, 403);
		question.token = NULL;
		question.peer = VAULT_PEER_UNIX;
		question.uid = 1000;
		assert_int_equal(ask_as(world, &question)->status, 403);
		question.uid = 0;
		assert_int_not_equal(ask_as(world, &question)->status, 403);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root_key, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_seal, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_recovery_key, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_uses, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_together, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_who, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
