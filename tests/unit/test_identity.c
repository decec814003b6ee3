/* SPDX-License-Identifier: Apache-2.0 */
/* Entities on a backend in memory: what logins make of them, and what becomes of the tokens when they change. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core_harness.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/identity.h"

static struct harness harness;

static int setup(void **state)
{
	(void)state;
	harness_open(&harness, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	harness_close(&harness);
	return 0;
}

static struct login_auth *auth_of(const char *alias, const char *namespace_name)
{
	struct login_auth *auth = login_auth_new();

	auth->display_name = strdup("x");
	auth->policies = json_array();
	auth->token_type = strdup("default");
	auth->alias_name = strdup(alias);
	auth->alias_metadata = json_pack("{s:s}", "service_account_namespace", namespace_name);
	return auth;
}

/* Logs in; the entity's id goes to ENTITY, the token to TOKEN. */
static void login(const char *alias, const char *namespace_name, char entity[64], char token[128])
{
	struct vault_response *response = harness_login(&harness, "auth/token/", auth_of(alias, namespace_name), NULL);

	assert_int_equal(response->status, 200);
	snprintf(entity, 64, "%s", json_string_value(json_object_get(response->auth, "entity_id")));
	snprintf(token, 128, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

/* The entity as root reads it. */
static json_t *read_entity(const char *id)
{
	char path[128];
	struct vault_response *response;
	json_t *data;

	snprintf(path, sizeof(path), "identity/entity/id/%s", id);
	response = harness_send(&harness, VAULT_READ, path, HARNESS_ROOT, NULL);
	data = json_incref(response->data);
	vault_response_free(response);
	return data;
}

static void test_one_account_one_entity(void **state)
{
	char first[64], again[64], other[64], token[128];
	json_t *entity, *alias;
	const char *name;

	(void)state;
	login("uid-1", "ns", first, token);
	login("uid-1", "ns", again, token);
	login("uid-2", "ns", other, token);
	assert_int_equal(strlen(first), 36);
	assert_string_equal(first, again);
	assert_string_not_equal(first, other);
	entity = read_entity(first);
	name = json_string_value(json_object_get(entity, "name"));
	assert_int_equal(strlen(name), strlen("entity_01234567"));
	assert_int_equal(strncmp(name, "entity_", 7), 0);
	alias = json_array_get(json_object_get(entity, "aliases"), 0);
	assert_int_equal(json_array_size(json_object_get(entity, "aliases")), 1);
	assert_string_equal(json_string_value(json_object_get(alias, "name")), "uid-1");
	assert_string_equal(json_string_value(json_object_get(alias, "mount_path")), "auth/token/");
	json_decref(entity);
}

static long long revision_of(const char *id)
{
	/* The count of writes is not shown: the time of the last one is. */
	json_t *entity = read_entity(id);
	char text[64];
	long long hash = 0;

	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(entity, "last_update_time")));
	for (const char *c = text; *c; c++)
		hash = hash * 31 + *c;
	json_decref(entity);
	return hash;
}

static void test_metadata_follows_the_login(void **state)
{
	char id[64], token[128];
	json_t *entity, *metadata;
	long long before;

	(void)state;
	login("uid-3", "ns", id, token);
	before = revision_of(id);
	login("uid-3", "ns", id, token);
	assert_true(revision_of(id) == before);
	login("uid-3", "moved", id, token);
	assert_true(revision_of(id) != before);
	entity = read_entity(id);
	metadata = json_object_get(json_array_get(json_object_get(entity, "aliases"), 0), "metadata");
	assert_string_equal(json_string_value(json_object_get(metadata, "service_account_namespace")), "moved");
	json_decref(entity);
}

/* Two first logins of one account that run before either is durable. */

struct race {
	struct login_auth *auth;
	char entity[64];
	bool done;
};

static int race_login(struct call *call)
{
	struct race *race = call->state;
	int r;

	call->mount = core_mount_of(call->core, "auth/token/");
	call->auth = race->auth;
	r = identity_login(call);
	if (r == 0)
		snprintf(
		    race->entity, sizeof(race->entity), "%s", json_string_value(json_object_get(call->entity, "id")));
	call->auth = NULL;
	call->mount = NULL;
	return r;
}

static void raced(void *arg, int r)
{
	struct race *race = arg;

	assert_int_equal(r, 0);
	race->done = true;
}

static void test_first_logins_at_once(void **state)
{
	struct race races[5] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(races); i++) {
		races[i].auth = auth_of("uid-race", "ns");
		core_run(harness.core, race_login, &races[i], NULL, raced, &races[i]);
	}
	for (int i = 0; i < 100 && !races[4].done; i++)
		harness_loop(&harness, 10);
	for (size_t i = 0; i < ARRAY_SIZE(races); i++) {
		assert_true(races[i].done);
		assert_string_equal(races[i].entity, races[0].entity);
		login_auth_free(races[i].auth);
	}
}

/* --- templated policies */

static int status_of(enum vault_op op, const char *path, const char *token)
{
	struct vault_response *response = harness_send(&harness, op, path, token, NULL);
	int status = response->status;

	vault_response_free(response);
	return status;
}

static void test_default_policy(void **state)
{
	char mine[64], other[64], token[128], other_token[128], path[128];

	(void)state;
	login("uid-4", "ns", mine, token);
	login("uid-5", "ns", other, other_token);
	snprintf(path, sizeof(path), "identity/entity/id/%s", mine);
	assert_int_equal(status_of(VAULT_READ, path, token), 200);
	assert_int_equal(status_of(VAULT_READ, path, other_token), 403);
	assert_int_equal(status_of(VAULT_READ, path, HARNESS_ROOT), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_account_one_entity),
		cmocka_unit_test(test_metadata_follows_the_login),
		cmocka_unit_test(test_first_logins_at_once),
		cmocka_unit_test(test_default_policy),
	};

	return cmocka_run_group_tests_name("identity", tests, setup, teardown);
}
