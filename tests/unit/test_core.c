/* SPDX-License-Identifier: Apache-2.0 */
/* The core on a store: initialising, sealed, unsealed, what survives, records that somebody changed. */
#include <sqlite3.h>

#include "core_fixture.h"

static char root_token[64];

static struct reply *initialise(struct world *world)
{
	struct reply *reply = ask_as(
	    world, &(struct ask){ .op = VAULT_UPDATE, .path = "sys/init", .peer = VAULT_PEER_UNIX, .data = WORLD_INIT });
	const char *token = json_string_value(json_object_get(reply->body, "root_token"));

	snprintf(root_token, sizeof(root_token), "%s", token ? token : "");
	return reply;
}

static void mount_kv(struct world *world)
{
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "sys/mounts/secret", root_token, "{\"type\":\"kv-v2\",\"description\":\"d\"}")
		->status,
	    204);
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "secret/data/a/one", root_token, "{\"data\":{\"k\":\"first\"}}")->status, 200);
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "secret/data/a/two", root_token, "{\"data\":{\"k\":\"second\"}}")->status, 200);
}

static void assert_secret(struct world *world, const char *path, const char *value)
{
	assert_int_equal(ask(world, VAULT_READ, path, root_token, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, value));
}

static void test_uninitialised(void **state)
{
	struct world *world = *state;

	world_open(world, true);
	assert_int_equal(ask(world, VAULT_READ, "sys/health", NULL, NULL)->status, 501);
	assert_non_null(strstr(world->last.text, "{\"initialized\":false,\"sealed\":true,\"standby\":true,"));
	assert_null(strstr(world->last.text, "cluster_"));
	assert_int_equal(ask(world, VAULT_READ, "sys/init", NULL, NULL)->status, 200);
	assert_string_equal(world->last.text, "{\"initialized\":false}");
	assert_int_equal(ask(world, VAULT_READ, "sys/seal-status", NULL, NULL)->status, 200);
	assert_non_null(
	    strstr(world->last.text, "\"type\":\"systemd-credential\",\"initialized\":false,\"sealed\":true"));
	assert_int_equal(ask(world, VAULT_READ, "secret/data/x", "x", NULL)->status, 503);
	assert_string_equal(world->last.text, "{\"errors\":[\"Vault is sealed\"]}");
	assert_int_equal(world->last.failure, VAULT_FAILED_OUTAGE);
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/kubernetes/login", NULL, "{}")->status, 503);
	assert_non_null(strstr(world->log, "not initialised yet"));
}

static void test_who_may_initialise(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_UPDATE, .path = "sys/init", .peer = VAULT_PEER_TCP };

	world_open(world, true);
	assert_int_equal(ask_as(world, &question)->status, 403);
	question.peer = VAULT_PEER_UNIX;
	question.uid = 1000;
	assert_int_equal(ask_as(world, &question)->status, 403);
	question.uid = 0;
	question.data = "{\"secret_shares\":5,\"secret_threshold\":3}";
	assert_int_equal(ask_as(world, &question)->status, 400);
	assert_string_equal(world->last.error,
	    "parameters secret_shares,secret_threshold not applicable to seal type systemd-credential");
	question.data = "{\"root_token_pgp_key\":\"x\"}";
	assert_int_equal(ask_as(world, &question)->status, 400);
	question.data = "{\"recovery_shares\":5,\"recovery_threshold\":3}";
	assert_int_equal(ask_as(world, &question)->status, 200);
	assert_non_null(strstr(world->last.text,
	    "{\"keys\":[],\"keys_base64\":[],\"recovery_keys\":[\""));
	assert_int_equal(json_array_size(json_object_get(world->last.body, "recovery_keys_base64")), 5);
	assert_non_null(strstr(world->last.text, "\"root_token\":\"hvs."));
	assert_int_equal(ask_as(world, &question)->status, 400);
	assert_string_equal(world->last.error, "Vault is already initialized");
}

/* Two at once: one wins. */
static void test_initialise_twice(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_UPDATE, .path = "sys/init", .peer = VAULT_PEER_UNIX, .data = WORLD_INIT };
	struct reply one = { 0 }, two = { 0 };

	world_open(world, true);
	send_ask(world, &question, &one);
	send_ask(world, &question, &two);
	wait_for(world, &one);
	wait_for(world, &two);
	assert_int_equal(one.status, 200);
	assert_int_equal(two.status, 400);
	reply_clear(&one);
	reply_clear(&two);
}

static void test_survives(void **state)
{
	struct world *world = *state;
	char cluster[64], accessor[64];

	world_open(world, true);
	assert_int_equal(initialise(world)->status, 200);
	mount_kv(world);
	snprintf(cluster, sizeof(cluster), "%s", world->core->cluster_id);
	snprintf(accessor, sizeof(accessor), "%s", core_mount_of(world->core, "secret/x")->accessor);
	world_open(world, false);
	assert_string_equal(world->core->cluster_id, cluster);
	assert_string_equal(core_mount_of(world->core, "secret/x")->accessor, accessor);
	assert_string_equal(core_mount_of(world->core, "secret/x")->description, "d");
	assert_secret(world, "secret/data/a/one", "first");
	assert_int_equal(ask(world, VAULT_LIST, "secret/metadata/a/", root_token, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"keys\":[\"one\",\"two\"]"));
	assert_int_equal(ask(world, VAULT_READ, "sys/health", NULL, NULL)->status, 200);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
}

static int forget_cubbyhole(struct call *call)
{
	return mounts_write(call, core_mount_of(call->core, "cubbyhole/"), NULL);
}

static void on_forgotten(void *arg, int r)
{
	*(int *)arg = r;
}

/* A store of an older release, without an engine that every store has now, gets it for good. */
static void test_older_store(void **state)
{
	struct world *world = *state;
	char accessor[64];
	int forgotten = 1;

	world_open(world, true);
	assert_int_equal(initialise(world)->status, 200);
	snprintf(accessor, sizeof(accessor), "%s", core_mount_of(world->core, "cubbyhole/")->accessor);
	core_run(world->core, forget_cubbyhole, NULL, NULL, on_forgotten, &forgotten);
	while (forgotten == 1)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(forgotten, 0);
	world_open(world, false);
	assert_string_not_equal(core_mount_of(world->core, "cubbyhole/")->accessor, accessor);
	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/x", root_token, "{\"v\":1}")->status, 204);
	snprintf(accessor, sizeof(accessor), "%s", core_mount_of(world->core, "cubbyhole/")->accessor);
	world_open(world, false);
	assert_string_equal(core_mount_of(world->core, "cubbyhole/")->accessor, accessor);
	assert_int_equal(ask(world, VAULT_READ, "cubbyhole/x", root_token, NULL)->status, 200);
}

static void test_wrong_key(void **state)
{
	struct world *world = *state;
	char path[160];

	world_open(world, true);
	assert_int_equal(initialise(world)->status, 200);
	mount_kv(world);
	world_write_credential(world, 'w');
	world_open(world, true);
	assert_non_null(strstr(world->log, "not the key that this store was sealed with"));
	assert_int_equal(ask(world, VAULT_READ, "sys/health", NULL, NULL)->status, 503);
	assert_int_equal(ask(world, VAULT_READ, "sys/health", NULL, "{\"sealedcode\":\"299\"}")->status, 299);
	assert_int_equal(ask(world, VAULT_READ, "sys/health", NULL, "{\"sealedcode\":\"x\"}")->status, 400);
	assert_int_equal(ask(world, VAULT_READ, "secret/data/a/one", root_token, NULL)->status, 503);
	assert_int_equal(initialise(world)->status, 400);
	snprintf(path, sizeof(path), "%s/seal", world->dir);
	assert_int_equal(unlink(path), 0);
	world_open(world, true);
	world_write_credential(world, 'k');
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_READ, "sys/health", NULL, NULL)->status, 200);
}

/* --- somebody with the disk */

static void run_sql(struct world *world, const char *text)
{
	sqlite3 *db;

	core_close(world->core);
	world->core = NULL;
	assert_int_equal(sqlite3_open(world->store, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Where the secrets' records are is not to be seen, so the attack goes through all values of that length. */
static void test_swapped_records(void **state)
{
	struct world *world = *state;
	unsigned refused = 0;

	world_open(world, true);
	assert_int_equal(initialise(world)->status, 200);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/s", root_token, "{\"type\":\"kv-v2\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "s/data/1", root_token, "{\"data\":{\"k\":\"first\"}}")->status, 200);
	assert_int_equal(ask(world, VAULT_UPDATE, "s/data/2", root_token, "{\"data\":{\"k\":\"other\"}}")->status, 200);
	run_sql(world,
	    "CREATE TEMP TABLE pair AS SELECT length(value) AS len, max(key) AS a, min(key) AS b FROM record"
	    " WHERE value IS NOT NULL GROUP BY 1 HAVING count(*) = 2;"
	    "CREATE TEMP TABLE old AS SELECT r.key, r.value, p.a, p.b FROM record r JOIN pair p ON r.key IN (p.a, p.b);"
	    "UPDATE record SET value = (SELECT o.value FROM old o WHERE o.key ="
	    " (SELECT CASE WHEN x.key = x.a THEN x.b ELSE x.a END FROM old x WHERE x.key = record.key))"
	    " WHERE key IN (SELECT key FROM old)");
	world_open(world, false);
	for (int i = 1; i <= 2; i++) {
		ask(world, VAULT_READ, i == 1 ? "s/data/1" : "s/data/2", root_token, NULL);
		refused += world->last.status == 500;
		assert_null(strstr(world->last.text, i == 1 ? "other" : "first"));
	}
	assert_int_equal(refused, 2);
	assert_int_equal(world->last.failure, VAULT_FAILED_OUTAGE);
	assert_non_null(strstr(world->log, "was changed, or put in this place"));
	assert_null(strstr(world->log, "first"));
}

static void test_changed_names(void **state)
{
	struct world *world = *state;

	world_open(world, true);
	assert_int_equal(initialise(world)->status, 200);
	mount_kv(world);
	run_sql(world, "UPDATE record SET name = (SELECT o.name FROM record o WHERE o.parent = record.parent"
		       " AND o.key <> record.key LIMIT 1) WHERE (SELECT count(*) FROM record o WHERE"
		       " o.parent = record.parent) = 2 AND value IS NOT NULL");
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_LIST, "secret/metadata/a/", root_token, NULL)->status, 500);
	assert_non_null(strstr(world->log, "was changed by somebody else"));
	assert_secret(world, "secret/data/a/one", "first");
}

/* Nothing readable in the file: no secret, no name, no token. */
static void test_nothing_in_clear(void **state)
{
	struct world *world = *state;
	const char *const needles[] = { "first", "second", "one", "secret/", "policy", root_token + 4, "default" };
	char *text = calloc(1, 4 << 20);
	size_t len;
	FILE *file;

	world_open(world, true);
	assert_int_equal(initialise(world)->status, 200);
	mount_kv(world);
	core_close(world->core);
	world->core = NULL;
	file = fopen(world->store, "r");
	len = fread(text, 1, 4 << 20, file);
	fclose(file);
	assert_true(len > 8192);
	assert_non_null(memmem(text, len, "SQLite", 6));
	for (size_t i = 0; i < ARRAY_SIZE(needles); i++)
		if (memmem(text, len, needles[i], strlen(needles[i])))
			fail_msg("\"%s\" is in the file", needles[i]);
	free(text);
}

static void test_options(void **state)
{
	struct world *world = *state;
	struct core_options dev = { .store_path = world->store };
	struct core_options generated = { 0 };
	struct core *core;
	char why[512];

	assert_int_equal(core_open(world->base, &dev, &core, why, sizeof(why)), -EINVAL);
	assert_int_equal(core_open(world->base, &generated, &world->core, why, sizeof(why)), 0);
	snprintf(root_token, sizeof(root_token), "%s", secret_reveal(core_dev_root_token(world->core)));
	assert_int_equal(strlen(root_token), 28);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
	assert_int_equal(ask(world, VAULT_READ, "sys/mounts/secret", root_token, NULL)->status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_uninitialised, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_who_may_initialise, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_initialise_twice, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_survives, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_older_store, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_key, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_swapped_records, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_changed_names, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_in_clear, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_options, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
