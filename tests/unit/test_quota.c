/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limit quotas: who may ask how often, what is counted, and that they are kept. */
#include "core_fixture.h"
#include "vault/embedded/quota/limiter.h"

static struct limiter_verdict take(struct limiter *limiter, const char *client, int64_t now, bool allowed)
{
	struct limiter_verdict verdict = limiter_take(limiter, client, now);

	assert_int_equal(verdict.allowed, allowed);
	return verdict;
}

static void test_interval(void **state)
{
	struct limiter *limiter = limiter_new(2, 10, 0);
	struct limiter_verdict verdict;

	(void)state;
	assert_non_null(limiter);
	verdict = take(limiter, "a", 5000, true);
	assert_int_equal(verdict.limit, 2);
	assert_int_equal(verdict.remaining, 1);
	assert_int_equal(verdict.reset, 10);
	assert_int_equal(verdict.retry_after, 0);
	assert_int_equal(take(limiter, "a", 14500, true).reset, 1);
	verdict = take(limiter, "a", 14999, false);
	assert_int_equal(verdict.retry_after, 1);
	assert_int_equal(verdict.remaining, 0);
	take(limiter, "b", 14999, true);
	/* The next interval begins where the first one did. */
	take(limiter, "a", 37000, true);
	assert_int_equal(take(limiter, "a", 44999, true).reset, 1);
	take(limiter, "a", 44999, false);
	take(limiter, "a", 45000, true);
	limiter_free(limiter);
}

static void test_block(void **state)
{
	struct limiter *limiter = limiter_new(1, 1, 60);

	(void)state;
	take(limiter, "a", 0, true);
	assert_int_equal(take(limiter, "a", 1, false).retry_after, 60);
	assert_true(take(limiter, "a", 2, false).blocked);
	assert_int_equal(take(limiter, "a", 59002, false).retry_after, 1);
	take(limiter, "b", 59002, true);
	take(limiter, "a", 60001, true);
	limiter_free(limiter);
}

static void test_rounding(void **state)
{
	static const struct {
		double rate;
		unsigned limit;
	} cases[] = { { 0.1, 1 }, { 0.5, 1 }, { 1.2, 1 }, { 2.7, 3 }, { 1e6, 1000000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct limiter *limiter = limiter_new(cases[i].rate, 1, 0);

		assert_int_equal(take(limiter, "a", 0, true).limit, cases[i].limit);
		limiter_free(limiter);
	}
}

/* Beyond the limit clients share; those whose time is over make room. */
static void test_many_clients(void **state)
{
	struct limiter *limiter = limiter_new(1, 10, 0);
	char name[16];

	(void)state;
	for (int i = 0; i < LIMITER_CLIENTS_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		take(limiter, name, 1000, true);
		take(limiter, name, 1000, false);
	}
	take(limiter, "one more", 1000, true);
	take(limiter, "another", 1000, false);
	take(limiter, "7", 1000, false);
	take(limiter, "another", 11000, true);
	take(limiter, "one more", 11000, true);
	take(limiter, "one more", 11000, false);
	limiter_free(limiter);
}

#define EXCEEDED "request path \"secret/data/x\": rate limit quota exceeded"

static void read_x(struct world *world, int status)
{
	assert_int_equal(ask(world, VAULT_READ, "secret/data/x", "root", NULL)->status, status);
}

/* By address or user; what the daemon asks itself is not counted. */
static void test_clients_apart(void **state)
{
	struct world *world = *state;
	struct ask own = { VAULT_READ, "secret/data/x", NULL, NULL, VAULT_PEER_INTERNAL, 0, 0 };
	struct ask user = { VAULT_READ, "secret/data/x", "root", NULL, VAULT_PEER_UNIX, 1000, 0 };

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/quotas/rate-limit/q", "root",
			     "{\"rate\":1,\"interval\":\"1h\",\"path\":\"secret\"}")
			     ->status,
	    204);
	read_x(world, 404);
	read_x(world, 429);
	assert_string_equal(world->last.error, EXCEEDED);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_as(world, &own)->status, 404);
	assert_int_equal(ask_as(world, &user)->status, 404);
	assert_int_equal(ask_as(world, &user)->status, 429);
	user.uid = 1001;
	assert_int_equal(ask_as(world, &user)->status, 404);
	/* Nobody is locked out of the way back. */
	assert_int_equal(ask(world, VAULT_DELETE, "sys/quotas/rate-limit/q", "root", NULL)->status, 204);
	read_x(world, 404);
}

/* In the store, and in force again after the next unseal; none of it while sealed. */
static void test_kept(void **state)
{
	struct world *world = *state;
	char *root;

	world_write_credential(world, 'k');
	world_open(world, true);
	world->init_over_tcp = true;
	ask_as(world, &(struct ask){ VAULT_UPDATE, "sys/init", NULL, WORLD_INIT, VAULT_PEER_UNIX, 0, 0 });
	assert_int_equal(world->last.status, 200);
	root = strdup(json_string_value(json_object_get(world->last.body, "root_token")));
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "sys/quotas/config", root, "{\"rate_limit_exempt_paths\":[\"sys/health\"]}")
		->status,
	    204);
	assert_int_equal(
	    ask(world, VAULT_UPDATE, "sys/quotas/rate-limit/q", root, "{\"rate\":1,\"interval\":\"1h\"}")->status, 204);
	reply_clear(&world->last);
	core_close(world->core);
	world->core = NULL;
	world_open(world, false);
	assert_int_equal(ask(world, VAULT_READ, "sys/quotas/rate-limit/q", root, NULL)->status, 200);
	assert_int_equal(ask(world, VAULT_READ, "sys/leader", root, NULL)->status, 429);
	assert_int_equal(ask(world, VAULT_READ, "sys/health", root, NULL)->status, 200);
	free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_many_clients),
		cmocka_unit_test_setup_teardown(test_clients_apart, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_kept, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
