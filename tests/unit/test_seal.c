/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed by shares: initialise, unseal, seal and unseal again; what was there comes back, what was in progress ends. */
#include <sqlite3.h>
#include <sys/stat.h>

#include "core_fixture.h"

#define UNSEAL "sys/unseal"

static char keys[5][80], root_token[128];
static char key_file[128], key_id[16], other_file[128], other_id[16];

static struct reply *as_root(struct world *world, enum vault_op op, const char *path, const char *data)
{
	return ask_as(world, &(struct ask){ .op = op, .path = path, .data = data, .peer = VAULT_PEER_UNIX });
}

static void take_keys(const struct world *world, const char *member)
{
	const json_t *list = json_object_get(world->last.body, member);

	for (size_t i = 0; i < json_array_size(list) && i < ARRAY_SIZE(keys); i++)
		snprintf(keys[i], sizeof(keys[i]), "%s", json_string_value(json_array_get(list, i)));
	snprintf(root_token, sizeof(root_token), "%s",
	    json_string_value(json_object_get(world->last.body, "root_token")));
}

static void initialise(struct world *world)
{
	world->seal.kind = seal_settings_of("shamir");
	world->seal.values[0] = NULL;
	world_open(world, true);
	as_root(world, VAULT_UPDATE, "sys/init", "{\"secret_shares\":5,\"secret_threshold\":3}");
	assert_int_equal(world->last.status, 200);
	take_keys(world, "keys");
	assert_int_equal(strlen(keys[4]), 66);
	assert_true(core_sealed(world->core));
}

static struct reply *bring(struct world *world, const char *key)
{
	char data[512];

	snprintf(data, sizeof(data), "{\"key\":\"%s\"}", key);
	return as_root(world, VAULT_UPDATE, UNSEAL, data);
}

static void unseal(struct world *world)
{
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(bring(world, keys[i])->status, 200);
	assert_non_null(strstr(world->last.text, "\"sealed\":false"));
	assert_false(core_sealed(world->core));
}

static void expect_progress(struct world *world, const char *progress)
{
	char text[32];

	snprintf(text, sizeof(text), "\"progress\":%s,", progress);
	assert_int_equal(as_root(world, VAULT_READ, "sys/seal-status", NULL)->status, 200);
	if (!strstr(world->last.text, text))
		fail_msg("%s", world->last.text);
}

static void test_unseal(void **state)
{
	struct world *world = *state;

	initialise(world);
	assert_int_equal(ask(world, VAULT_READ, "cubbyhole/a", root_token, NULL)->status, 503);
	assert_string_equal(world->last.error, "Vault is sealed");
	assert_int_equal(as_root(world, VAULT_READ, "sys/health", NULL)->status, 503);
	bring(world, keys[0]);
	bring(world, keys[0]);
	expect_progress(world, "1");
	as_root(world, VAULT_UPDATE, UNSEAL, "{\"reset\":true}");
	expect_progress(world, "0");
	bring(world, keys[0]);
	bring(world, keys[1]);
	expect_progress(world, "2");
	bring(world, "000000000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(world->last.status, 400);
	assert_non_null(strstr(world->last.error, "cipher: message authentication failed"));
	expect_progress(world, "0");
	unseal(world);
	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a", root_token, "{\"b\":\"c\"}")->status, 204);
	/* After a restart it is sealed again. */
	world_open(world, true);
	unseal(world);
	assert_int_equal(ask(world, VAULT_READ, "cubbyhole/a", root_token, NULL)->status, 200);
}

/* Over the network only a server takes keys; on the api socket only root's. */
static void test_who(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_UPDATE, .path = UNSEAL, .data = "{\"reset\":true}", .peer = VAULT_PEER_TCP };

	initialise(world);
	assert_int_equal(ask_as(world, &question)->status, 403);
	question.peer = VAULT_PEER_UNIX;
	question.uid = 1000;
	assert_int_equal(ask_as(world, &question)->status, 403);
	world->init_over_tcp = true;
	world_open(world, true);
	assert_int_equal(ask_as(world, &question)->status, 403);
	question.peer = VAULT_PEER_TCP;
	assert_int_equal(ask_as(world, &question)->status, 200);
}

static unsigned changes;

static void count_change(void *arg)
{
	(void)arg;
	changes++;
}

static void test_seal(void **state)
{
	struct world *world = *state;
	char cluster[64], limited[128];

	initialise(world);
	core_on_seal(world->core, count_change, NULL);
	changes = 0;
	unseal(world);
	assert_int_equal(changes, 1);
	snprintf(cluster, sizeof(cluster), "%s", world->core->cluster_id);
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "sys/mounts/kv", root_token, "{\"type\":\"kv\",\"options\":{\"version\":\"1\"}}")
		->status,
	    204);
	assert_int_equal(ask(world, VAULT_UPDATE, "kv/a", root_token, "{\"b\":\"c\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/create", root_token, "{\"policies\":[\"default\"]}")->status,
	    200);
	snprintf(limited, sizeof(limited), "%s",
	    json_string_value(json_object_get(json_object_get(world->last.body, "auth"), "client_token")));
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", NULL, NULL)->status, 403);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", limited, NULL)->status, 403);
	assert_false(core_sealed(world->core));
	for (int round = 0; round < 3; round++) {
		assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
		assert_true(core_sealed(world->core));
		assert_null(world->core->barrier);
		assert_int_equal(world->core->n_mounts, 0);
		assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", NULL, NULL)->status, 204);
		assert_int_equal(ask(world, VAULT_READ, "kv/a", root_token, NULL)->status, 503);
		unseal(world);
		assert_string_equal(world->core->cluster_id, cluster);
		assert_int_equal(ask(world, VAULT_READ, "kv/a", root_token, NULL)->status, 200);
		assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", limited, NULL)->status, 200);
	}
	assert_int_equal(changes, 7);
}

/* Requests of every kind, in whatever state they are when the store is sealed: each is answered, once. */
static void test_in_progress(void **state)
{
	struct world *world = *state;
	struct reply replies[400] = { 0 }, sealed = { 0 };
	char path[400][32];

	initialise(world);
	unseal(world);
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct ask question = { .path = path[i], .token = root_token, .peer = VAULT_PEER_TCP };

		snprintf(path[i], sizeof(path[i]), i % 4 == 3 ? "auth/token/create" : "cubbyhole/%zu", i % 40);
		question.op = i % 4 == 0 ? VAULT_READ : VAULT_UPDATE;
		question.data = i % 4 == 0 ? NULL : "{\"a\":\"b\"}";
		send_ask(world, &question, &replies[i]);
		if (i == ARRAY_SIZE(replies) / 2)
			send_ask(world,
			    &(struct ask){
				.op = VAULT_UPDATE, .path = "sys/seal", .token = root_token, .peer = VAULT_PEER_TCP },
			    &sealed);
		if (i % 50 == 0)
			event_base_loop(world->base, EVLOOP_NONBLOCK);
	}
	wait_for(world, &sealed);
	assert_int_equal(sealed.status, 204);
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		wait_for(world, &replies[i]);
		assert_true(replies[i].status == 503 || replies[i].status == 200 || replies[i].status == 204 ||
			    replies[i].status == 404);
	}
	unseal(world);
	/* What was said to be done is. */
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		if (replies[i].status == 204)
			assert_int_equal(ask(world, VAULT_READ, path[i], root_token, NULL)->status, 200);
		reply_clear(&replies[i]);
	}
	reply_clear(&sealed);
}

/* --- seals that open by themselves */

static void write_key(const char *path, char fill, mode_t mode)
{
	char bytes[BARRIER_KEY_SIZE];
	FILE *file = fopen(path, "w");

	memset(bytes, fill, sizeof(bytes));
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

/* Recovery keys open nothing, but after sys/seal they say that it may be opened. */
static void test_recovery(void **state)
{
	struct world *world = *state;

	world_open(world, true);
	as_root(world, VAULT_UPDATE, "sys/init", "{\"recovery_shares\":3,\"recovery_threshold\":2}");
	assert_int_equal(world->last.status, 200);
	take_keys(world, "recovery_keys_base64");
	assert_false(core_sealed(world->core));
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
	assert_true(core_sealed(world->core));
	assert_int_equal(bring(world, keys[0])->status, 200);
	assert_int_equal(bring(world, "000000000000000000000000000000000000000000000000000000000000000000")->status, 400);
	assert_non_null(strstr(world->last.error, "recovery key does not match submitted values"));
	assert_int_equal(bring(world, keys[2])->status, 200);
	assert_int_equal(bring(world, keys[0])->status, 200);
	assert_false(core_sealed(world->core));
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
	/* Without the seal's key they are worth nothing. */
	world_write_credential(world, 'x');
	world_open(world, true);
	assert_int_equal(bring(world, keys[2])->status, 200);
	assert_int_equal(bring(world, keys[0])->status, 400);
	assert_true(core_sealed(world->core));
}

static void use_static(struct world *world, bool previous)
{
	world->seal.kind = seal_settings_of("static");
	world->seal.values[0] = key_file;
	world->seal.values[1] = key_id;
	world->seal.values[2] = previous ? other_file : NULL;
	world->seal.values[3] = previous ? other_id : NULL;
}

static void swap(void)
{
	char file[sizeof(key_file)], id[sizeof(key_id)];

	strcpy(file, key_file);
	strcpy(id, key_id);
	strcpy(key_file, other_file);
	strcpy(key_id, other_id);
	strcpy(other_file, file);
	strcpy(other_id, id);
}

static void test_static(void **state)
{
	struct world *world = *state;

	/* Below /tmp, where everybody may write, the file could be anybody's: that is refused. */
	if (geteuid() != 0)
		skip();
	snprintf(key_file, sizeof(key_file), "/run/test_seal.%d.a", getpid());
	snprintf(other_file, sizeof(other_file), "/run/test_seal.%d.b", getpid());
	strcpy(key_id, "2026-a");
	strcpy(other_id, "2026-b");
	write_key(key_file, 'a', 0600);
	write_key(other_file, 'b', 0600);
	use_static(world, false);
	world_open(world, true);
	as_root(world, VAULT_UPDATE, "sys/init", WORLD_INIT);
	assert_int_equal(world->last.status, 200);
	take_keys(world, "recovery_keys");
	world_open(world, false);
	/* Another key takes over. */
	swap();
	use_static(world, false);
	world_open(world, true);
	assert_non_null(strstr(world->log, "sealed with the key \"2026-a\", and seal \"static\" has \"2026-b\""));
	use_static(world, true);
	world_open(world, false);
	while (!strstr(world->log, "the previous one is not needed any more"))
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
	use_static(world, false);
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
	/* The right id, another key; a key that everybody may read; none. */
	write_key(key_file, 'x', 0600);
	world_open(world, true);
	assert_non_null(strstr(world->log, "is not the key \"2026-b\" that this store was sealed with"));
	write_key(key_file, 'b', 0644);
	world_open(world, true);
	assert_non_null(strstr(world->log, "everybody may read this secret"));
	assert_int_equal(unlink(key_file), 0);
	world_open(world, true);
	assert_int_equal(unlink(other_file), 0);
}

static struct reply *bring_to_move(struct world *world, const char *key)
{
	char data[512];

	snprintf(data, sizeof(data), "{\"key\":\"%s\",\"migrate\":true}", key);
	return as_root(world, VAULT_UPDATE, UNSEAL, data);
}

static void configure(struct world *world, const char *now, const char *before)
{
	world->seal = (struct seal_config){ .kind = seal_settings_of(now) };
	world->old_seal = (struct seal_config){ .kind = before ? seal_settings_of(before) : NULL };
	if (streq(now, "systemd-credential"))
		world->seal.values[0] = world->credential;
	else if (before)
		world->old_seal.values[0] = world->credential;
	world->log[0] = '\0';
}

static void expect_secret(struct world *world)
{
	assert_false(core_sealed(world->core));
	assert_int_equal(ask(world, VAULT_READ, "cubbyhole/a", root_token, NULL)->status, 200);
}

/* From key shares to a seal that opens by itself, and back. The shares are the same all the time. */
static void test_move(void **state)
{
	struct world *world = *state;

	initialise(world);
	unseal(world);
	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a", root_token, "{\"b\":\"c\"}")->status, 204);
	assert_int_equal(bring_to_move(world, keys[0])->status, 500);
	assert_string_equal(world->last.error, "can't perform a seal migration, no migration seal found");
	configure(world, "systemd-credential", NULL);
	world_open(world, true);
	assert_non_null(strstr(world->log, "moves to seal \"systemd-credential\" when 3 of the 5 key shares say so"));
	as_root(world, VAULT_READ, "sys/seal-status", NULL);
	assert_non_null(strstr(world->last.text, "\"type\":\"systemd-credential\""));
	assert_non_null(strstr(world->last.text, "\"migration\":true"));
	assert_int_equal(bring(world, keys[0])->status, 500);
	assert_string_equal(world->last.error, "migrate option not provided and seal migration is pending");
	/* Wrong shares, and a new seal that cannot: the old one stays, and opens. */
	bring_to_move(world, keys[0]);
	bring_to_move(world, keys[1]);
	bring_to_move(world, "000000000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(world->last.status, 400);
	assert_non_null(strstr(world->last.error, "error decrypting using seal shamir: cipher: message authentication"));
	setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
	bring_to_move(world, keys[0]);
	bring_to_move(world, keys[1]);
	assert_int_equal(bring_to_move(world, keys[2])->status, 400);
	assert_non_null(strstr(world->last.error, "seal \"systemd-credential\" could not wrap the root key: cannot read"));
	assert_true(core_sealed(world->core));
	configure(world, "shamir", NULL);
	world_open(world, true);
	unseal(world);
	expect_secret(world);
	setenv("CREDENTIALS_DIRECTORY", world->dir, 1);
	configure(world, "systemd-credential", NULL);
	world_open(world, true);
	bring_to_move(world, keys[0]);
	bring_to_move(world, keys[1]);
	assert_int_equal(bring_to_move(world, keys[2])->status, 200);
	assert_non_null(strstr(world->last.text, "\"migration\":false"));
	assert_non_null(strstr(world->log, "has moved from seal \"shamir\" to seal \"systemd-credential\""));
	expect_secret(world);
	world_open(world, false);
	expect_secret(world);
	/* The shares are the recovery key's. */
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
	unseal(world);
	/* And back: not without the old seal, nor with other shares. */
	configure(world, "shamir", NULL);
	world_open(world, true);
	assert_non_null(strstr(world->log, "to move it, keep the block of the former too, with disabled = true"));
	assert_int_equal(bring_to_move(world, keys[0])->status, 400);
	configure(world, "shamir", "systemd-credential");
	world_open(world, true);
	bring_to_move(world, keys[3]);
	bring_to_move(world, keys[4]);
	bring_to_move(world, "000000000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(world->last.status, 400);
	assert_non_null(strstr(world->last.error, "recovery key does not match submitted values"));
	bring_to_move(world, keys[3]);
	bring_to_move(world, keys[4]);
	assert_int_equal(bring_to_move(world, keys[0])->status, 200);
	expect_secret(world);
	configure(world, "shamir", NULL);
	world_open(world, true);
	unseal(world);
	expect_secret(world);
}

/* From one that opens by itself to another: a key file becomes a credential. */
static void test_move_between(void **state)
{
	struct world *world = *state;

	if (geteuid() != 0)
		skip();
	snprintf(key_file, sizeof(key_file), "/run/test_seal.%d.a", getpid());
	strcpy(key_id, "2026-a");
	write_key(key_file, 'a', 0600);
	use_static(world, false);
	world_open(world, true);
	as_root(world, VAULT_UPDATE, "sys/init", "{\"recovery_shares\":3,\"recovery_threshold\":2}");
	take_keys(world, "recovery_keys");
	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a", root_token, "{\"b\":\"c\"}")->status, 204);
	world->old_seal = world->seal;
	world->seal = (struct seal_config){ .kind = seal_settings_of("systemd-credential") };
	world->seal.values[0] = world->credential;
	world_open(world, true);
	bring_to_move(world, keys[0]);
	assert_int_equal(bring_to_move(world, keys[1])->status, 200);
	expect_secret(world);
	/* The old block may stay for a while, its key need not. */
	assert_int_equal(unlink(key_file), 0);
	world_open(world, false);
	expect_secret(world);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
	bring(world, keys[2]);
	bring(world, keys[0]);
	expect_secret(world);
}

/* What the store says of its seal is outside of the barrier: somebody can have changed it. */
static void test_changed_words(void **state)
{
	static const char *const words[] = { "", "[]", "{}", "{\"type\":\"shamir\"}",
		"{\"type\":7,\"shares\":5,\"threshold\":3}", "{\"type\":\"shamir\",\"shares\":5,\"threshold\":0}",
		"{\"type\":\"shamir\",\"shares\":5,\"threshold\":-3}", "{\"type\":\"shamir\",\"shares\":5,\"threshold\":6}",
		"{\"type\":\"shamir\",\"shares\":999999999999,\"threshold\":3}",
		"{\"type\":\"none\",\"shares\":5,\"threshold\":3}" };
	struct world *world = *state;
	struct core_options options = { .store_path = world->store, .seal = &world->seal };
	char why[256], text[256];
	sqlite3 *sqlite;

	initialise(world);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		core_close(world->core);
		world->core = NULL;
		assert_int_equal(sqlite3_open(world->store, &sqlite), SQLITE_OK);
		snprintf(text, sizeof(text), "UPDATE meta SET value=CAST('%s' AS BLOB) WHERE name='seal'", words[i]);
		assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(sqlite);
		assert_int_equal(core_open(world->base, &options, &world->core, why, sizeof(why)), -EBADMSG);
		assert_string_equal(why, "cannot read the store: what it says of its seal was changed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unseal, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_who, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_seal, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_in_progress, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_recovery, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_static, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_changed_words, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_move, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_move_between, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
