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

/* What the store has. */

struct peek {
	char key[256];
	json_t *record; /* or the names below KEY, where that is a folder */
};

static int peek_handler(struct call *call)
{
	struct peek *peek = call->state;

	if (peek->key[strlen(peek->key) - 1] == '/')
		return core_list(call, peek->key, &peek->record);
	return core_get(call, peek->key, &peek->record);
}

static long long revision_of(const char *id)
{
	struct peek peek = { 0 };
	long long revision;

	snprintf(peek.key, sizeof(peek.key), "identity/entity/%s", id);
	assert_int_equal(harness_run(&harness, peek_handler, &peek), 0);
	revision = json_integer_value(json_object_get(peek.record, "revision"));
	json_decref(peek.record);
	return revision;
}

static size_t count_in(const char *folder)
{
	struct peek peek = { 0 };
	size_t n;

	snprintf(peek.key, sizeof(peek.key), "%s", folder);
	assert_int_equal(harness_run(&harness, peek_handler, &peek), 0);
	n = json_array_size(peek.record);
	json_decref(peek.record);
	return n;
}

static void test_metadata_follows_the_login(void **state)
{
	char id[64], token[128];
	json_t *entity, *metadata;

	(void)state;
	login("uid-3", "ns", id, token);
	login("uid-3", "ns", id, token);
	login("uid-3", "ns", id, token);
	assert_int_equal(revision_of(id), 1);
	login("uid-3", "moved", id, token);
	assert_int_equal(revision_of(id), 2);
	login("uid-3", "moved", id, token);
	assert_int_equal(revision_of(id), 2);
	entity = read_entity(id);
	metadata = json_object_get(json_array_get(json_object_get(entity, "aliases"), 0), "metadata");
	assert_string_equal(json_string_value(json_object_get(metadata, "service_account_namespace")), "moved");
	json_decref(entity);
}

/* Names that look alike as keys are different accounts; upper case is not. */
static void test_names_as_keys(void **state)
{
	static const char *const names[] = { "ns/sa", "ns%2Fsa", "ns", "ns/", "/", "%", "ns/sa/", "n s" };
	char ids[ARRAY_SIZE(names)][64], again[64], token[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		login(names[i], "ns", ids[i], token);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		login(names[i], "ns", again, token);
		assert_string_equal(again, ids[i]);
	}
	login("NS/SA", "ns", again, token);
	assert_string_equal(again, ids[0]);
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

static int write_entity(const char *id, json_t *data)
{
	char path[128];
	struct vault_response *response;
	int status;

	snprintf(path, sizeof(path), "identity/entity/id/%s", id);
	response = harness_send(&harness, VAULT_UPDATE, path, HARNESS_ROOT, data);
	status = response->status;
	vault_response_free(response);
	return status;
}

static void write_policy(const char *name, const char *text)
{
	char path[128];
	struct vault_response *response;

	snprintf(path, sizeof(path), "sys/policies/acl/%s", name);
	response = harness_send(&harness, VAULT_UPDATE, path, HARNESS_ROOT, json_pack("{s:s}", "policy", text));
	assert_int_equal(response->status, 204);
	vault_response_free(response);
}

/* Each change counts with the next request, however often it was decided before. */
static void test_policies_of_the_entity(void **state)
{
	static const char *const teams[] = { "red", "blue", "red" };
	char id[64], token[128];

	(void)state;
	write_policy("team", "path \"secret/data/{{identity.entity.metadata.team}}\" { capabilities = [\"read\"] }");
	login("uid-6", "ns", id, token);
	assert_int_equal(status_of(VAULT_READ, "secret/data/red", token), 403);
	assert_int_equal(write_entity(id, json_pack("{s:[s]}", "policies", "team")), 204);
	assert_int_equal(status_of(VAULT_READ, "secret/data/red", token), 403);
	for (size_t i = 0; i < ARRAY_SIZE(teams); i++) {
		bool red = strcmp(teams[i], "red") == 0;

		assert_int_equal(write_entity(id, json_pack("{s:{s:s}}", "metadata", "team", teams[i])), 204);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(status_of(VAULT_READ, "secret/data/red", token), red ? 404 : 403);
			assert_int_equal(status_of(VAULT_READ, "secret/data/blue", token), red ? 403 : 404);
		}
	}
	assert_int_equal(write_entity(id, json_pack("{s:[]}", "policies")), 204);
	assert_int_equal(status_of(VAULT_READ, "secret/data/red", token), 403);
}

static void test_disabled(void **state)
{
	char id[64], token[128];
	struct vault_response *response;

	(void)state;
	login("uid-7", "ns", id, token);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token), 200);
	assert_int_equal(write_entity(id, json_pack("{s:b}", "disabled", 1)), 204);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token), 403);
	response = harness_login(&harness, "auth/token/", auth_of("uid-7", "ns"), NULL);
	assert_int_equal(response->status, 403);
	assert_null(response->auth);
	vault_response_free(response);
	assert_int_equal(write_entity(id, json_pack("{s:b}", "disabled", 0)), 204);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token), 200);
}

/* Nothing stays behind, and the account's next login is somebody else. */
static void test_deleted(void **state)
{
	size_t entities = count_in("identity/entity/"), names = count_in("identity/name/");
	size_t aliases = count_in("identity/alias/");
	char id[64], again[64], token[128], path[128];

	(void)state;
	login("uid-8", "ns", id, token);
	assert_int_equal(count_in("identity/entity/"), entities + 1);
	assert_int_equal(count_in("identity/name/"), names + 1);
	assert_int_equal(count_in("identity/alias/"), aliases + 1);
	snprintf(path, sizeof(path), "identity/entity/id/%s", id);
	assert_int_equal(status_of(VAULT_DELETE, path, HARNESS_ROOT), 204);
	assert_int_equal(count_in("identity/entity/"), entities);
	assert_int_equal(count_in("identity/name/"), names);
	assert_int_equal(count_in("identity/alias/"), aliases);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token), 403);
	login("uid-8", "ns", again, token);
	assert_string_not_equal(again, id);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token), 200);
}

/* More than one run of the list looks at. */
static void test_long_list(void **state)
{
	size_t n = count_in("identity/entity/");
	char name[32], id[64], token[128];
	struct vault_response *response;

	(void)state;
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		login(name, "ns", id, token);
	}
	response = harness_send(&harness, VAULT_LIST, "identity/entity/id/", HARNESS_ROOT, NULL);
	assert_int_equal(response->status, 200);
	assert_int_equal(json_array_size(json_object_get(response->data, "keys")), n + 600);
	assert_int_equal(json_object_size(json_object_get(response->data, "key_info")), n + 600);
	vault_response_free(response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_account_one_entity),
		cmocka_unit_test(test_metadata_follows_the_login),
		cmocka_unit_test(test_first_logins_at_once),
		cmocka_unit_test(test_default_policy),
		cmocka_unit_test(test_names_as_keys),
		cmocka_unit_test(test_policies_of_the_entity),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_long_list),
	};

	return cmocka_run_group_tests_name("identity", tests, setup, teardown);
}
