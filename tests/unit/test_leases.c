/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of secrets: issued, renewed, revoked, ended, by id, by prefix, by token. */
#include "made_engine.h"

static void test_issue(void **state)
{
	struct world *world = *state;
	struct reply *reply;
	char id[64], second[64];

	make(world, "root", id);
	assert_true(json_is_true(json_object_get(world->last.body, "renewable")));
	assert_int_equal(json_integer_value(json_object_get(world->last.body, "lease_duration")), 3600);
	reply = on_lease(world, "lookup", id, "");
	assert_int_equal(reply->status, 200);
	assert_non_null(strstr(reply->text, "\"last_renewal\":null,\"renewable\":true,\"ttl\":3"));
	role_ttl = 0;
	role_max = 600;
	renewable = false;
	make(world, "root", second);
	assert_int_equal(json_integer_value(json_object_get(world->last.body, "lease_duration")), 600);
	assert_non_null(strstr(world->last.text, "TTL value is capped accordingly"));
	assert_int_equal(on_lease(world, "renew", second, "")->status, 400);
	assert_string_equal(world->last.error, "lease is not renewable");
	reply = ask(world, VAULT_LIST, "sys/leases/lookup/made/creds/r/", "root", NULL);
	assert_int_equal(reply->status, 200);
	assert_non_null(strstr(reply->text, id + strlen("made/creds/r/")));
	assert_non_null(strstr(reply->text, second + strlen("made/creds/r/")));
	assert_non_null(strstr(ask(world, VAULT_LIST, "sys/leases/lookup/", "root", NULL)->text, "\"made/\"]}"));
	assert_int_equal(ask(world, VAULT_LIST, "sys/leases/lookup/made/creds/x/", "root", NULL)->status, 404);
	assert_int_equal(leases_count_known(core_leases(world->core)), 2);
}

static void test_renew(void **state)
{
	struct world *world = *state;
	struct reply *reply;
	char id[64];

	make(world, "root", id);
	reply = on_lease(world, "renew", id, ",\"increment\":100");
	assert_int_equal(reply->status, 200);
	assert_int_equal(json_integer_value(json_object_get(reply->body, "lease_duration")), 100);
	assert_string_equal(json_string_value(json_object_get(reply->body, "lease_id")), id);
	assert_true(json_is_null(json_object_get(reply->body, "data")));
	assert_in_range(ttl_of(world, id), 98, 100);
	reply = on_lease(world, "renew", id, ",\"increment\":\"100h\"");
	assert_non_null(strstr(reply->text, "TTL of \\\"100h\\\" exceeded the effective max_ttl of \\\""));
	assert_in_range(ttl_of(world, id), 7190, 7200);
	assert_int_equal(on_lease(world, "renew", id, "")->status, 200);
	assert_in_range(ttl_of(world, id), 3590, 3600);
	role_ttl = -1;
	reply = on_lease(world, "renew", id, "");
	assert_int_equal(reply->status, 400);
	assert_string_equal(reply->error, "the role is gone");
	assert_string_equal(on_lease(world, "renew", "made/creds/r/x", "")->error, "lease not found");
}

static void test_revoke(void **state)
{
	struct world *world = *state;
	char id[64], other[64];
	int user = make(world, "root", id), second = make(world, "root", other);

	refuse_status = 500;
	assert_int_equal(on_lease(world, "revoke", id, "")->status, 400);
	assert_string_equal(world->last.error,
	    "failed to revoke entry: resp: (*logical.Response)(nil) err: down for maintenance");
	assert_in_range(ttl_of(world, id), 3590, 3600);
	refuse_status = 0;
	assert_int_equal(on_lease(world, "revoke", id, "")->status, 204);
	assert_false(exists[user]);
	assert_true(is_gone(world, id));
	assert_int_equal(on_lease(world, "revoke", id, "")->status, 204);
	assert_int_equal(on_lease(world, "revoke", id, ",\"sync\":false")->status, 202);
	assert_int_equal(on_lease(world, "revoke", other, ",\"sync\":false")->status, 202);
	wait_gone(world, second);
	run(world, 5);
	assert_true(is_gone(world, other));
	assert_int_equal(ask(world, VAULT_LIST, "sys/leases/lookup/made/", "root", NULL)->status, 404);
	assert_int_equal(leases_count_known(core_leases(world->core)), 0);
}

static void test_expires(void **state)
{
	struct world *world = *state;
	char id[64];
	int user;

	role_ttl = 1;
	user = make(world, "root", id);
	assert_true(exists[user]);
	wait_gone(world, user);
	run(world, 5);
	assert_true(is_gone(world, id));
}

static void test_token_goes(void **state)
{
	struct world *world = *state;
	char token[1024], id[64], data[1100];
	int users[3];

	make_token(world, "{\"policies\":[\"root\"],\"ttl\":\"1h\"}", token);
	for (int i = 0; i < 3; i++)
		users[i] = make(world, token, id);
	snprintf(data, sizeof(data), "{\"token\":\"%s\"}", token);
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/revoke", "root", data)->status, 204);
	for (int i = 0; i < 3; i++)
		wait_gone(world, users[i]);
	/* By expiry too. */
	make_token(world, "{\"policies\":[\"root\"],\"ttl\":\"1s\"}", token);
	users[0] = make(world, token, id);
	wait_gone(world, users[0]);
	make_token(world, "{\"policies\":[\"root\"],\"ttl\":\"1h\",\"num_uses\":2}", token);
	users[0] = make(world, token, id);
	assert_int_equal(ask(world, VAULT_READ, "made/creds/r", token, NULL)->status, 400);
	assert_non_null(strstr(world->last.error, "Secret cannot be returned; token had one use left"));
	wait_gone(world, users[0]);
}

static void test_batch_token(void **state)
{
	struct world *world = *state;
	char token[1024], id[64];

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/policies/acl/p", "root",
			     "{\"policy\":\"path \\\"made/*\\\" { capabilities = [\\\"read\\\"] }\"}")
			     ->status,
	    204);
	make_token(world, "{\"policies\":[\"p\"],\"ttl\":\"5m\",\"type\":\"batch\"}", token);
	make(world, token, id);
	assert_in_range(json_integer_value(json_object_get(world->last.body, "lease_duration")), 299, 300);
	assert_in_range(ttl_of(world, id), 298, 300);
}

static void test_prefix(void **state)
{
	struct world *world = *state;
	char ids[4][64], expected[256];
	int users[4];

	for (int i = 0; i < 4; i++)
		users[i] = make(world, "root", ids[i]);
	refuse_status = 500;
	refuse_id = ids[2];
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-prefix/made/creds", "root", "{}")->status, 400);
	snprintf(expected, sizeof(expected), "failed to revoke \"%s\" (", ids[2]);
	assert_non_null(strstr(world->last.error, expected));
	assert_non_null(strstr(world->last.error, " / 4): failed to revoke entry: "));
	assert_true(exists[users[2]]);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-prefix/made/cre", "root", "{}")->status, 204);
	assert_true(exists[users[2]]);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-force/made/creds", "root", "{}")->status, 204);
	assert_true(is_gone(world, ids[2]));
	assert_non_null(strstr(world->log, "by force, though it could not be revoked: down for maintenance"));
	assert_true(exists[users[2]]);
	refuse_status = 0;
	users[0] = make(world, "root", ids[0]);
	users[1] = make(world, "root", ids[1]);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-prefix/made", "root", "{\"sync\":false}")->status, 202);
	wait_gone(world, users[0]);
	wait_gone(world, users[1]);
	users[0] = make(world, "root", ids[0]);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/mounts/made", "root", NULL)->status, 204);
	assert_false(exists[users[0]]);
}

/* Some are revoked at a time; after one that cannot be no other is begun. */
static void test_prefix_stops(void **state)
{
	enum { N = 60, AT_ONCE = 16 };
	struct world *world = *state;
	char ids[N][64], expected[256];
	int first = 0, left = 0;

	for (int i = 0; i < N; i++) {
		make(world, "root", ids[i]);
		if (strcmp(ids[i], ids[first]) < 0)
			first = i;
	}
	refuse_status = 500;
	refuse_id = ids[first];
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-prefix/made", "root", "{}")->status, 400);
	snprintf(expected, sizeof(expected), "failed to revoke \"%.63s\" (1 / %d): failed to revoke entry: ", ids[first],
	    N);
	assert_non_null(strstr(world->last.error, expected));
	for (int i = 0; i < N; i++)
		left += exists[i];
	assert_in_range(left, N - 2 * AT_ONCE, N);
	assert_int_equal(leases_count_known(core_leases(world->core)), left);
	refuse_status = 0;
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-prefix/made", "root", "{}")->status, 204);
	assert_int_equal(leases_count_known(core_leases(world->core)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_issue, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_renew, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_revoke, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_expires, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_token_goes, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_batch_token, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_prefix, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_prefix_stops, set_up, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
