/* SPDX-License-Identifier: Apache-2.0 */
/* auth/token/tidy and sys/leases/tidy: what is left over goes, what is valid stays. */
#include "made_engine.h"

#define STARTED "Tidy operation successfully started. Any information from the operation will be printed to Vault's server logs."

/* --- the store behind the API's back */

struct plan {
	const char *key;
	bool found; /* by is_there */
};

static void on_ran(void *arg, int r)
{
	assert_int_equal(r, 0);
	*(bool *)arg = true;
}

static void run_now(struct world *world, engine_handler *handler, struct plan *plan)
{
	bool done = false;

	core_run(world->core, handler, plan, NULL, on_ran, &done);
	while (!done)
		event_base_loop(world->base, EVLOOP_ONCE);
}

static int put_key(struct call *call)
{
	const struct plan *plan = call->state;
	json_auto_t *nothing = json_pack("{s:s}", "a", "b");

	return core_put(call, plan->key, nothing);
}

static int delete_key(struct call *call)
{
	const struct plan *plan = call->state;

	return core_delete(call, plan->key);
}

static int find_key(struct call *call)
{
	struct plan *plan = call->state;
	json_auto_t *value = NULL;
	int r = core_get(call, plan->key, &value);

	plan->found = r == 0;
	return r == -ENOENT ? 0 : r;
}

static void plant(struct world *world, const char *key)
{
	run_now(world, put_key, &(struct plan){ .key = key });
}

static bool is_there(struct world *world, const char *key)
{
	struct plan plan = { .key = key };

	run_now(world, find_key, &plan);
	return plan.found;
}

static void salted_of(struct world *world, const char *token, char ret[static TOKEN_SALTED_SIZE])
{
	assert_int_equal(token_presented_salted(core_tokens(world->core), token, strlen(token), ret), 0);
}

/* Takes the record of TOKEN alone: a revocation that stopped half way. */
static void lose_token(struct world *world, const char *token)
{
	char salted[TOKEN_SALTED_SIZE], key[TOKEN_KEY_SIZE];

	salted_of(world, token, salted);
	token_key(salted, key);
	run_now(world, delete_key, &(struct plan){ .key = key });
}

/* Starts it, and waits for what it tells the journal. */
static void tidy(struct world *world, const char *path, const char *expected)
{
	struct reply *reply = ask(world, VAULT_UPDATE, path, "root", NULL);

	assert_int_equal(reply->status, 202);
	assert_non_null(strstr(reply->text, STARTED));
	while (core_tokens(world->core)->tidying || core_leases(world->core)->tidying)
		event_base_loop(world->base, EVLOOP_ONCE);
	if (!strstr(world->log, expected))
		fail_msg("no \"%s\" in: %s", expected, world->log);
}

/* --- tokens */

#define NOBODY "h" NOBODY_HEX
#define NOBODY_HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOBODY_SPLIT "01/23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void child_key(struct world *world, const char *parent, const char *child, char ret[static 256])
{
	char of_parent[TOKEN_SALTED_SIZE], of_child[TOKEN_SALTED_SIZE];

	salted_of(world, parent, of_parent);
	salted_of(world, child, of_child);
	snprintf(ret, 256, "token-child/%s/%.2s/%s", of_parent + 1, of_child + 1, of_child + 3);
}

/* One that TOKEN makes. */
static void make_child(struct world *world, const char *token, char ret[static 1024])
{
	struct reply *reply = ask(world, VAULT_UPDATE, "auth/token/create", token, "{\"policies\":[\"root\"],\"ttl\":\"1h\"}");

	assert_int_equal(reply->status, 200);
	snprintf(ret, 1024, "%s",
	    json_string_value(json_object_get(json_object_get(reply->body, "auth"), "client_token")));
}

static bool is_orphan(struct world *world, const char *token)
{
	struct reply *reply = ask(world, VAULT_READ, "auth/token/lookup-self", token, NULL);

	assert_int_equal(reply->status, 200);
	return json_is_true(json_object_get(json_object_get(reply->body, "data"), "orphan"));
}

static void test_children(void **state)
{
	struct world *world = *state;
	char lost[1024], orphan[1024], parent[1024], child[1024], gone[1024];
	char of_orphan[256], of_child[256], of_gone[256], marked[256], marker[128];

	make_child(world, "root", lost);
	make_child(world, lost, orphan);
	make_child(world, "root", parent);
	make_child(world, parent, child);
	make_child(world, parent, gone);
	child_key(world, lost, orphan, of_orphan);
	child_key(world, parent, child, of_child);
	child_key(world, parent, gone, of_gone);
	lose_token(world, lost);
	lose_token(world, gone);
	/* A tree whose revocation is under way is not touched. */
	snprintf(marked, sizeof(marked), "token-child/%s/%s", NOBODY_HEX, NOBODY_SPLIT);
	snprintf(marker, sizeof(marker), "token-tree/%s", NOBODY_HEX);
	plant(world, marked);
	plant(world, marker);
	assert_false(is_orphan(world, orphan));
	assert_true(is_there(world, of_orphan) && is_there(world, of_child) && is_there(world, of_gone));
	/* Three: root's note of LOST, LOST's of ORPHAN, PARENT's of GONE. */
	tidy(world, "auth/token/tidy", "tidy: tokens: looked at ");
	assert_non_null(strstr(world->log, "removed 3 leftovers"));
	assert_false(is_there(world, of_orphan) || is_there(world, of_gone));
	assert_true(is_there(world, of_child) && is_there(world, marked));
	assert_true(is_orphan(world, orphan));
	assert_false(is_orphan(world, child));
	/* The one that lives still goes with its parent. */
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/revoke-self", parent, NULL)->status, 204);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", child, NULL)->status, 403);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", orphan, NULL)->status, 200);
}

static void test_cubbyhole(void **state)
{
	struct world *world = *state;
	char lives[1024], lost[1024], salted[TOKEN_SALTED_SIZE], left[256];

	make_child(world, "root", lives);
	make_child(world, "root", lost);
	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a/b", lives, "{\"x\":\"1\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "cubbyhole/a/b", lost, "{\"x\":\"1\"}")->status, 204);
	salted_of(world, lost, salted);
	snprintf(left, sizeof(left), "cubbyhole/%s/a/b", salted);
	lose_token(world, lost);
	plant(world, "cubbyhole/" NOBODY "/response");
	assert_true(is_there(world, left));
	tidy(world, "auth/token/tidy", "removed 3 leftovers"); /* with root's note of LOST */
	assert_false(is_there(world, left) || is_there(world, "cubbyhole/" NOBODY "/response"));
	assert_int_equal(ask(world, VAULT_READ, "cubbyhole/a/b", lives, NULL)->status, 200);
	tidy(world, "auth/token/tidy", "removed 0 leftovers");
}

/* --- leases */

static void test_leases(void **state)
{
	struct world *world = *state;
	char token[1024], lost[1024], kept[64], of_lost[64], of_root[64], salted[TOKEN_SALTED_SIZE];
	char left_path[128] = "lease-path/made/creds/old/team/xyz", left_token[256], left_mark[128], kept_path[128];
	int user, lost_user, root_user;

	make_child(world, "root", token);
	make_child(world, "root", lost);
	user = make(world, token, kept);
	root_user = make(world, "root", of_root);
	lost_user = make(world, lost, of_lost);
	salted_of(world, token, salted);
	snprintf(left_token, sizeof(left_token), "lease-token/%s/%s", salted + 1, NOBODY_SPLIT);
	snprintf(left_mark, sizeof(left_mark), "lease-irrevocable/%s", NOBODY_HEX);
	snprintf(kept_path, sizeof(kept_path), "lease-path/%s", kept);
	plant(world, left_path);
	plant(world, left_token);
	plant(world, left_mark);
	lose_token(world, lost);
	tidy(world, "sys/leases/tidy", "tidy: leases: looked at ");
	assert_non_null(strstr(world->log, "removed 4 leftovers"));
	assert_false(is_there(world, left_path) || is_there(world, left_token) || is_there(world, left_mark));
	wait_gone(world, lost_user);
	run(world, 5);
	assert_true(is_gone(world, of_lost));
	assert_true(exists[user] && exists[root_user] && is_there(world, kept_path));
	assert_in_range(ttl_of(world, kept), 3590, 3600);
	assert_in_range(ttl_of(world, of_root), 3590, 3600);
	/* What is kept is still found by its token. */
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/revoke-self", token, NULL)->status, 204);
	wait_gone(world, user);
	assert_true(exists[root_user]);
	run(world, 5);
	tidy(world, "sys/leases/tidy", "removed 0 leftovers");
}

/* One at a time, and many steps. */
static void test_running(void **state)
{
	struct world *world = *state;
	struct reply first = { 0 };
	char key[128];

	for (int i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "lease-path/made/creds/r/%d", i);
		plant(world, key);
		snprintf(key, sizeof(key), "cubbyhole/h%064d/response", i);
		plant(world, key);
	}
	core_tokens(world->core)->tidying = true;
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/tidy", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"mount_type\":\"token\""));
	assert_non_null(strstr(world->last.text, "\"warnings\":[\"Tidy operation already in progress.\"]"));
	core_tokens(world->core)->tidying = false;
	tidy(world, "auth/token/tidy", "tidy: tokens: looked at 300 records, removed 300 leftovers");
	core_leases(world->core)->tidying = true;
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/tidy", "root", NULL)->status, 202);
	assert_non_null(strstr(world->last.text, STARTED));
	assert_non_null(strstr(world->log, "tidy: leases: it is running already"));
	core_leases(world->core)->tidying = false;
	tidy(world, "sys/leases/tidy", "removed 300 leftovers");
	/* The store is sealed meanwhile. */
	send_ask(world, &(struct ask){ VAULT_UPDATE, "sys/leases/tidy", "root", NULL, VAULT_PEER_TCP, 0, 0 }, &first);
	wait_for(world, &first);
	assert_true(core_leases(world->core)->tidying);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", "root", NULL)->status, 204);
	assert_false(core_leases(world->core)->tidying);
	reply_clear(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_children, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_cubbyhole, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_leases, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_running, set_up, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
