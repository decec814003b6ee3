/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of secrets whose engine refuses to revoke them, and across a restart. */
#include "made_engine.h"

#include "vault/embedded/core_internal.h"

static void test_retries(void **state)
{
	struct world *world = *state;
	char id[64];
	int user = make(world, "root", id);

	core_leases(world->core)->pause = 2000000;
	refuse_status = 503;
	assert_int_equal(on_lease(world, "revoke", id, ",\"sync\":false")->status, 202);
	while (revocations < 3)
		run(world, 1);
	assert_true(ttl_of(world, id) <= 0);
	assert_int_equal(on_lease(world, "renew", id, "")->status, 400);
	assert_string_equal(world->last.error, "lease expired");
	assert_int_equal(irrevocable(world), 0);
	refuse_status = 0;
	wait_gone(world, user);
	assert_true(revocations <= LEASE_ATTEMPTS_MAX);
}

static void test_irrevocable(void **state)
{
	struct world *world = *state;
	char id[64], other[64];
	struct reply *reply;

	make(world, "root", id);
	core_leases(world->core)->pause = 1000000;
	refuse_status = 500;
	assert_int_equal(on_lease(world, "revoke", id, ",\"sync\":false")->status, 202);
	while (irrevocable(world) == 0)
		run(world, 1);
	assert_int_equal(revocations, LEASE_ATTEMPTS_MAX);
	run(world, 100);
	assert_int_equal(revocations, LEASE_ATTEMPTS_MAX);
	assert_non_null(strstr(world->log, "remedy: take back by hand"));
	reply = ask(world, VAULT_READ, "sys/leases", "root", "{\"type\":\"irrevocable\"}");
	assert_non_null(strstr(reply->text, "\"error\":\"out of retries: failed to revoke entry: resp: "
					    "(*logical.Response)(nil) err: down for maintenance\""));
	assert_non_null(strstr(reply->text, "\"mount_id\":\"made_"));
	assert_int_equal(on_lease(world, "renew", id, "")->status, 400);
	assert_string_equal(world->last.error, "lease is expired and has failed previous revocation attempts");
	/* What the engine says will never work is marked at once. */
	make(world, "root", other);
	refuse_status = 400;
	assert_int_equal(on_lease(world, "revoke", other, ",\"sync\":false")->status, 202);
	while (irrevocable(world) == 1)
		run(world, 1);
	assert_int_equal(revocations, LEASE_ATTEMPTS_MAX + 1);
	reply = ask(world, VAULT_READ, "sys/leases", "root", "{\"type\":\"irrevocable\",\"limit\":\"1\"}");
	assert_non_null(strstr(reply->text, "\"lease_count\":1,"));
	assert_non_null(strstr(reply->text, "re-run the command with force set true"));
	assert_int_equal(ask(world, VAULT_READ, "sys/leases", "root", "{\"type\":\"irrevocable\",\"limit\":\"0\"}")->status, 500);
	/* By hand it is gone when it works again, or by force. */
	refuse_status = 0;
	assert_int_equal(on_lease(world, "revoke", id, "")->status, 204);
	refuse_status = 500;
	assert_int_equal(irrevocable(world), 1);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke-force/made", "root", "{}")->status, 204);
	assert_int_equal(irrevocable(world), 0);
}

/* As if a crash had come between a token's end and that of its leases. */
static int lose_token(struct call *call)
{
	const char *salted = call->state;
	char key[TOKEN_KEY_SIZE];

	token_key(salted, key);
	return core_delete(call, key);
}

static void on_lost(void *arg, int r)
{
	assert_int_equal(r, 0);
	*(bool *)arg = true;
}

/* A crash and a start: leases end when they would have, and at once where their token is gone. */
static void test_restart(void **state)
{
	struct world *world = *state;
	char root[128], data[1100], id[64], marked[64], uuid[37], ended[64], lost[64], salted[TOKEN_SALTED_SIZE];
	struct mount *mount;
	int user, later, marked_user, lost_user;
	bool done = false;

	reset_engine();
	world_open(world, true);
	assert_int_equal(ask_as(world, &(struct ask){ VAULT_UPDATE, "sys/init", NULL, "{\"recovery_shares\":1,\"recovery_threshold\":1}", VAULT_PEER_UNIX, 0, 0 })->status, 200);
	snprintf(root, sizeof(root), "%s", json_string_value(json_object_get(world->last.body, "root_token")));
	mount = add_mount(world, &made_engine, "made/");
	memcpy(uuid, mount->uuid, sizeof(uuid));
	later = make(world, root, id);
	core_leases(world->core)->pause = 1000000;
	marked_user = make(world, root, marked);
	refuse_status = 400;
	snprintf(data, sizeof(data), "{\"lease_id\":\"%s\",\"sync\":false}", marked);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/leases/revoke", root, data)->status, 202);
	while (revocations == 0)
		run(world, 1);
	run(world, 20);
	refuse_status = 0;
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/create", root, "{\"policies\":[\"root\"],\"ttl\":\"1h\"}")->status, 200);
	snprintf(data, sizeof(data), "%s",
	    json_string_value(json_object_get(json_object_get(world->last.body, "auth"), "client_token")));
	lost_user = make(world, data, lost);
	assert_int_equal(token_presented_salted(core_tokens(world->core), data, strlen(data), salted), 0);
	core_run(world->core, lose_token, salted, NULL, on_lost, &done);
	while (!done)
		run(world, 1);
	assert_true(exists[lost_user]);
	role_ttl = 1;
	user = make(world, root, ended);
	world_open(world, false);
	memcpy(add_mount(world, &made_engine, "made/")->uuid, uuid, sizeof(uuid));
	wait_gone(world, lost_user);
	wait_gone(world, user);
	run(world, 5);
	assert_true(exists[later] && exists[marked_user]);
	assert_int_equal(leases_count_known(core_leases(world->core)), 2);
	assert_int_equal(ask(world, VAULT_READ, "sys/leases/count", root, "{\"type\":\"irrevocable\"}")->status, 200);
	assert_non_null(strstr(world->last.text, "\"lease_count\":1"));
}

/* The store is sealed while an engine is at work: who waits is told, and the engine's late answer meets nothing. */
static void test_sealed(void **state)
{
	struct world *world = *state;
	struct reply waiting = { 0 };
	char id[64], data[128];

	make(world, "root", id);
	snprintf(data, sizeof(data), "{\"lease_id\":\"%s\"}", id);
	send_ask(world, &(struct ask){ VAULT_UPDATE, "sys/leases/revoke", "root", data, VAULT_PEER_TCP, 0, 0 }, &waiting);
	while (LIST_EMPTY(&core_leases(world->core)->revocations))
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", "root", NULL)->status, 204);
	wait_for(world, &waiting);
	assert_int_equal(waiting.status, 503);
	reply_clear(&waiting);
	run(world, 20);
	assert_true(LIST_EMPTY(&core_leases(world->core)->revocations));
	assert_int_equal(leases_count_known(core_leases(world->core)), 0);
	assert_int_equal(on_lease(world, "lookup", id, "")->status, 503);
}

#define TAINTED "no handler for route \"made/creds/r\". route entry is tainted."

static void send_creds(struct world *world, struct reply *reply)
{
	send_ask(world, &(struct ask){ VAULT_READ, "made/creds/r", "root", NULL, VAULT_PEER_TCP, 0, 0 }, reply);
}

/* What is being made when the mount is to go is waited for, and taken back; what is asked for later is refused. */
static void leave(struct world *world, const struct ask *how)
{
	struct reply early = { 0 }, leaving = { 0 }, late = { 0 };
	char id[64];
	int old = make(world, "root", id), young = n_users;

	send_creds(world, &early);
	while (n_users == young)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_false(exists[young]);
	send_ask(world, how, &leaving);
	while (LIST_EMPTY(&core_leases(world->core)->revocations))
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_true(exists[old] && exists[young]);
	send_creds(world, &late);
	wait_for(world, &late);
	wait_for(world, &early);
	wait_for(world, &leaving);
	assert_int_equal(early.status, 200);
	assert_int_equal(leaving.status, how->op == VAULT_DELETE ? 204 : 200);
	assert_int_equal(late.status, 404);
	assert_string_equal(late.error, TAINTED);
	assert_int_equal(n_users, young + 1);
	assert_false(exists[old] || exists[young]);
	assert_int_equal(leases_count_known(core_leases(world->core)), 0);
	reply_clear(&early);
	reply_clear(&leaving);
	reply_clear(&late);
}

static void test_unmount(void **state)
{
	struct world *world = *state;

	leave(world, &(struct ask){ VAULT_DELETE, "sys/mounts/made", "root", NULL, VAULT_PEER_TCP, 0, 0 });
	assert_int_equal(ask(world, VAULT_READ, "made/creds/r", "root", NULL)->status, 404);
	assert_string_equal(world->last.error, "no handler for route \"made/creds/r\". route entry not found.");
}

static void test_remount(void **state)
{
	struct world *world = *state;

	leave(world, &(struct ask){ VAULT_UPDATE, "sys/remount", "root", "{\"from\":\"made\",\"to\":\"moved\"}",
			 VAULT_PEER_TCP, 0, 0 });
	assert_int_equal(ask(world, VAULT_READ, "moved/creds/r", "root", NULL)->status, 200);
}

static struct reply *move(struct world *world)
{
	return ask(world, VAULT_UPDATE, "sys/remount", "root", "{\"from\":\"made\",\"to\":\"moved\"}");
}

static const char *state_of_move(struct world *world, struct reply *reply)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/remount/status/%s",
	    json_string_value(json_object_get(json_object_get(reply->body, "data"), "migration_id")));
	reply = ask(world, VAULT_READ, path, "root", NULL);
	return json_string_value(
	    json_object_get(json_object_get(json_object_get(reply->body, "data"), "migration_info"), "status"));
}

/* A mount that could not go takes no requests, until it can; two who want it gone both hear of it. */
static void test_unmount_fails(void **state)
{
	const struct ask unmount = { VAULT_DELETE, "sys/mounts/made", "root", NULL, VAULT_PEER_TCP, 0, 0 };
	struct world *world = *state;
	struct reply first = { 0 }, second = { 0 };
	char id[64];

	make(world, "root", id);
	refuse_status = 500;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask_as(world, &unmount)->status, 400);
		assert_int_equal(ask(world, VAULT_READ, "made/creds/r", "root", NULL)->status, 404);
		assert_string_equal(world->last.error, TAINTED);
	}
	assert_int_equal(on_lease(world, "renew", id, "")->status, 400);
	assert_non_null(strstr(world->last.error, "map[string]interface {}{\"error\":\"no handler for route "
						  "\\\"made/creds/r\\\". route entry is tainted.\"}, Redirect"));
	assert_int_equal(ask(world, VAULT_READ, "sys/mounts/made", "root", NULL)->status, 200);
	assert_string_equal(state_of_move(world, move(world)), "failure");
	assert_int_equal(ask(world, VAULT_READ, "made/creds/r", "root", NULL)->status, 404);
	refuse_status = 0;
	assert_int_equal(ask(world, VAULT_READ, "made/creds/r", "root", NULL)->status, 404);
	send_ask(world, &unmount, &first);
	send_ask(world, &unmount, &second);
	wait_for(world, &first);
	wait_for(world, &second);
	assert_int_equal(first.status, 204);
	assert_int_equal(second.status, 204);
	assert_true(is_gone(world, id));
	reply_clear(&first);
	reply_clear(&second);
}

/* What could not be moved is moved later, and takes requests there. */
static void test_remount_fails(void **state)
{
	struct world *world = *state;
	char id[64];

	make(world, "root", id);
	refuse_status = 500;
	assert_int_equal(move(world)->status, 200);
	assert_string_equal(state_of_move(world, &world->last), "failure");
	assert_int_equal(ask(world, VAULT_READ, "made/creds/r", "root", NULL)->status, 404);
	assert_string_equal(world->last.error, TAINTED);
	refuse_status = 0;
	assert_string_equal(state_of_move(world, move(world)), "success");
	assert_int_equal(ask(world, VAULT_READ, "moved/creds/r", "root", NULL)->status, 200);
}

static int taint_secret(struct call *call)
{
	return mount_taint(call, core_mount_of(call->core, "secret/"));
}

/* As if a restart had come between. */
static void test_tainted_stays(void **state)
{
	struct world *world = *state;
	bool done = false;
	char root[128];

	world_open(world, true);
	assert_int_equal(ask_as(world, &(struct ask){ VAULT_UPDATE, "sys/init", NULL, "{\"recovery_shares\":1,\"recovery_threshold\":1}", VAULT_PEER_UNIX, 0, 0 })->status, 200);
	snprintf(root, sizeof(root), "%s", json_string_value(json_object_get(world->last.body, "root_token")));
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/secret", root, "{\"type\":\"kv\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "secret/a", root, "{\"b\":\"c\"}")->status, 204);
	core_run(world->core, taint_secret, NULL, NULL, on_lost, &done);
	while (!done)
		run(world, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(world, VAULT_READ, "secret/a", root, NULL)->status, 404);
		assert_string_equal(world->last.error, "no handler for route \"secret/a\". route entry is tainted.");
		world_open(world, false);
	}
	assert_int_equal(ask(world, VAULT_DELETE, "sys/mounts/secret", root, NULL)->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/secret", root, "{\"type\":\"kv\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "secret/a", root, "{\"b\":\"c\"}")->status, 204);
}

/* --- a secret that is only being made, though its lease is there already */

/* Asks as TOKEN for a secret that is not made before finish_making. The user. */
static int begin_making(struct world *world, const char *token, struct reply *reply)
{
	int user = n_users;

	slow = true;
	send_ask(world, &(struct ask){ VAULT_READ, "made/creds/r", token, NULL, VAULT_PEER_TCP, 0, 0 }, reply);
	while (LIST_EMPTY(&core_leases(world->core)->making))
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_false(exists[user]);
	return user;
}

/* Who revokes its lease waits until it is there, and can be taken back. */
static void test_revoked_while_made(void **state)
{
	const struct ask revoke = { VAULT_UPDATE, "sys/leases/revoke-prefix/made", "root", "{}", VAULT_PEER_TCP, 0, 0 };
	struct world *world = *state;
	struct reply making = { 0 }, revoking = { 0 };
	int user = begin_making(world, "root", &making);

	send_ask(world, &revoke, &revoking);
	run(world, 20);
	assert_int_equal(revoking.status, 0);
	assert_int_equal(revocations, 0);
	finish_making(under_way);
	wait_for(world, &making);
	wait_for(world, &revoking);
	assert_int_equal(making.status, 200);
	assert_int_equal(revoking.status, 204);
	assert_int_equal(revocations, 1);
	assert_false(exists[user]);
	assert_true(is_gone(world, json_string_value(json_object_get(making.body, "lease_id"))));
	reply_clear(&making);
	reply_clear(&revoking);
}

static void test_token_revoked_while_made(void **state)
{
	struct world *world = *state;
	struct reply making = { 0 };
	char token[1024], data[1100];
	int user;

	make_token(world, "{\"policies\":[\"root\"],\"ttl\":\"1h\"}", token);
	user = begin_making(world, token, &making);
	snprintf(data, sizeof(data), "{\"token\":\"%s\"}", token);
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/revoke", "root", data)->status, 204);
	run(world, 20);
	assert_int_equal(revocations, 0);
	finish_making(under_way);
	wait_for(world, &making);
	wait_gone(world, user);
	assert_int_equal(revocations, 1);
	reply_clear(&making);
}

/* The store is sealed meanwhile: nobody waits any more when it is made. */
static void test_sealed_while_made(void **state)
{
	const struct ask revoke = { VAULT_UPDATE, "sys/leases/revoke-prefix/made", "root", "{}", VAULT_PEER_TCP, 0, 0 };
	struct world *world = *state;
	struct reply making = { 0 }, revoking = { 0 };

	begin_making(world, "root", &making);
	send_ask(world, &revoke, &revoking);
	run(world, 20);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", "root", NULL)->status, 204);
	wait_for(world, &making);
	wait_for(world, &revoking);
	assert_int_equal(revoking.status, 503);
	finish_making(under_way);
	run(world, 5);
	assert_true(LIST_EMPTY(&core_leases(world->core)->making));
	assert_int_equal(revocations, 0);
	reply_clear(&making);
	reply_clear(&revoking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_retries, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_irrevocable, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_sealed, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_unmount, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_remount, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_unmount_fails, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_remount_fails, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_tainted_stays, world_setup_store, world_teardown),
		cmocka_unit_test_setup_teardown(test_revoked_while_made, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_token_revoked_while_made, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_sealed_while_made, set_up, world_teardown),
		cmocka_unit_test_setup_teardown(test_restart, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
