/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens made by tokens: what a child gets, trees that are revoked, batch tokens, lists of policy names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/deadline.h"
#include "vault/embedded/auth_token/policy_names.h"
#include "vault/embedded/auth_token/tokens.h"

#define BAD_TOKEN "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"

static struct harness harness;

static int open_core(void **state)
{
	harness_open(&harness, NULL);
	return 0;
}

static int close_core(void **state)
{
	harness_close(&harness);
	return 0;
}

static void expect(enum vault_op op, const char *path, const char *token, json_t *data, int status, const char *error)
{
	struct vault_response *response = harness_send(&harness, op, path, token, data);

	if (response->status != status)
		fail_msg("%s: %d %s", path, response->status, vault_response_error_text(response));
	if (error)
		assert_string_equal(vault_response_error_text(response), error);
	vault_response_free(response);
}

/* A token that TOKEN makes; DATA is taken over. The caller frees. */
static char *make(const char *token, json_t *data)
{
	struct vault_response *response = harness_send(&harness, VAULT_UPDATE, "auth/token/create", token, data);
	char *made;

	if (response->status != 200)
		fail_msg("create: %d %s", response->status, vault_response_error_text(response));
	made = strdup(json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
	return made;
}

static void write_policy(const char *name, const char *rules)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/policies/acl/%s", name);
	expect(VAULT_UPDATE, path, HARNESS_ROOT, json_pack("{s:s}", "policy", rules), 204, NULL);
}

/* One that may make tokens; the caller frees. */
static char *make_parent(const char *token)
{
	write_policy("maker", "path \"auth/token/*\" { capabilities = [\"create\", \"read\", \"update\"] }");
	return make(token, json_pack("{s:[s]}", "policies", "maker"));
}

static bool lives(const char *token)
{
	struct vault_response *response = harness_send(&harness, VAULT_READ, "auth/token/lookup-self", token, NULL);
	int status = response->status;

	if (status != 200)
		assert_string_equal(vault_response_error_text(response), BAD_TOKEN);
	vault_response_free(response);
	return status == 200;
}

/* How many records lie below FOLDER. */
struct count {
	const char *folder;
	size_t n;
};

static int count_names(struct call *call)
{
	struct count *count = call->state;
	json_t *names;
	int r = core_list(call, count->folder, &names);

	if (r < 0)
		return r;
	count->n = json_array_size(names);
	json_decref(names);
	return 0;
}

static size_t count_below(const char *folder)
{
	struct count count = { .folder = folder };

	assert_int_equal(harness_run(&harness, count_names, &count), 0);
	return count.n;
}

/* --- trees */

static void test_tree(void **state)
{
	char *top AUTO_FREE = make_parent(HARNESS_ROOT), *left AUTO_FREE = make(top, NULL);
	char *right AUTO_FREE = make(top, NULL), *leaf AUTO_FREE = make(left, NULL);

	assert_true(lives(leaf));
	expect(VAULT_UPDATE, "auth/token/revoke", HARNESS_ROOT, json_pack("{s:s}", "token", left), 204, NULL);
	assert_false(lives(left));
	assert_false(lives(leaf));
	assert_true(lives(right));
	expect(VAULT_UPDATE, "auth/token/revoke-self", top, NULL, 204, NULL);
	assert_false(lives(top));
	assert_false(lives(right));
	/* Nothing is left behind. */
	assert_int_equal(count_below("token-tree/"), 0);
	assert_int_equal(count_below("token-child/"), 0);
}

static void test_orphans(void **state)
{
	char *top AUTO_FREE = make_parent(HARNESS_ROOT), *middle AUTO_FREE = make(top, NULL);
	char *leaf AUTO_FREE = make(middle, NULL);

	expect(VAULT_UPDATE, "auth/token/revoke-orphan", HARNESS_ROOT, json_pack("{s:s}", "token", middle), 204, NULL);
	assert_false(lives(middle));
	assert_true(lives(leaf));
	expect(VAULT_UPDATE, "auth/token/revoke", HARNESS_ROOT, json_pack("{s:s}", "token", top), 204, NULL);
	assert_true(lives(leaf));
	assert_int_equal(count_below("token-tree/"), 0);
	assert_int_equal(count_below("token-child/"), 0);
}

/* More children than one step removes, on several levels. */
static void test_big_tree(void **state)
{
	enum { CHILDREN = 2 * TOKEN_BATCH + 5, DEPTH = 4 };
	static char *tokens[DEPTH][CHILDREN];
	char *top AUTO_FREE = make_parent(HARNESS_ROOT);
	const char *parent = top;

	for (size_t level = 0; level < DEPTH; level++) {
		for (size_t i = 0; i < CHILDREN; i++)
			tokens[level][i] = make(parent, NULL);
		parent = tokens[level][level];
	}
	expect(VAULT_UPDATE, "auth/token/revoke-self", top, NULL, 204, NULL);
	for (size_t level = 0; level < DEPTH; level++) {
		for (size_t i = 0; i < CHILDREN; i++) {
			assert_false(lives(tokens[level][i]));
			free(tokens[level][i]);
		}
	}
	assert_int_equal(count_below("token-tree/"), 0);
	assert_int_equal(count_below("token-child/"), 0);
}

/* What a former life left: the token is gone, its marker and its children are there. */
static int forget_parent_only(struct call *call)
{
	json_auto_t *nothing = json_object();
	char salted[TOKEN_SALTED_SIZE], key[TOKEN_KEY_SIZE], marker[96];
	const char *token = call->state;
	int r = token_presented_salted(core_tokens(call->core), token, strlen(token), salted);

	if (r < 0)
		return r;
	token_key(salted, key);
	snprintf(marker, sizeof(marker), "token-tree/%s", salted + 1);
	r = core_delete(call, key);
	return r < 0 ? r : core_put(call, marker, nothing);
}

static void test_interrupted(void **state)
{
	char *top AUTO_FREE = make_parent(HARNESS_ROOT), *child AUTO_FREE = make(top, NULL);
	char *leaf AUTO_FREE = make(child, NULL);
	struct deadline deadline = deadline_after_ms(10000);

	assert_int_equal(harness_run(&harness, forget_parent_only, top), 0);
	assert_true(lives(leaf));
	tokens_trees_resume(core_tokens(harness.core));
	while (lives(leaf) && !deadline_passed(deadline))
		harness_loop(&harness, 10);
	assert_false(lives(child));
	assert_false(lives(leaf));
	while (count_below("token-tree/") && !deadline_passed(deadline))
		harness_loop(&harness, 10);
	assert_int_equal(count_below("token-tree/"), 0);
	/* What the root token knows of TOP, which forget_parent_only left. */
	assert_int_equal(count_below("token-child/"), 1);
}

static void test_prefix(void **state)
{
	char *one AUTO_FREE = make_parent(HARNESS_ROOT), *child AUTO_FREE = make(one, NULL), *other AUTO_FREE = NULL;
	struct vault_response *response;

	expect(VAULT_UPDATE, "auth/token/roles/r", HARNESS_ROOT, NULL, 204, NULL);
	response = harness_send(
	    &harness, VAULT_UPDATE, "auth/token/create/r", HARNESS_ROOT, json_pack("{s:s}", "policies", "maker"));
	other = strdup(json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
	/* HARNESS_ROOT goes with them: it has a lease of auth/token/create too. */
	expect(VAULT_UPDATE, "sys/leases/revoke-prefix/auth/token/create/r", HARNESS_ROOT, NULL, 204, NULL);
	assert_false(lives(other));
	assert_true(lives(child));
	expect(VAULT_UPDATE, "sys/leases/revoke-prefix/auth/token/create", HARNESS_ROOT, NULL, 204, NULL);
	assert_false(lives(one));
	assert_false(lives(child));
	assert_false(lives(HARNESS_ROOT));
}

/* --- batch tokens: nothing to count, to renew or to revoke */

static void test_batch(void **state)
{
	char *parent AUTO_FREE = make_parent(HARNESS_ROOT);
	char *token AUTO_FREE = make(parent, json_pack("{s:s, s:s}", "type", "batch", "ttl", "1h")),
		    *altered AUTO_FREE = NULL;

	assert_memory_equal(token, "hvb.", 4);
	assert_true(lives(token));
	expect(VAULT_UPDATE, "auth/token/renew-self", token, NULL, 400, "batch tokens cannot be renewed");
	expect(VAULT_UPDATE, "auth/token/revoke-self", token, NULL, 400, "batch tokens cannot be revoked");
	expect(VAULT_UPDATE, "auth/token/create", token, NULL, 400, "batch tokens cannot create more tokens");
	expect(VAULT_READ, "cubbyhole/x", token, NULL, 400,
	    "cubbyhole operations are only supported by \"service\" type tokens");
	for (size_t i = 4; i < strlen(token); i += 13) {
		altered = strdup(token);
		altered[i] = altered[i] == 'A' ? 'B' : 'A';
		assert_false(lives(altered));
		free(TAKE_PTR(altered));
	}
	expect(VAULT_UPDATE, "auth/token/revoke", HARNESS_ROOT, json_pack("{s:s}", "token", parent), 204, NULL);
	assert_false(lives(token));
}

/* --- uses */

/* A token with few uses makes none; on its last use it is revoked already, and must not come back by making one. */
static void test_uses(void **state)
{
	char *parent AUTO_FREE = make_parent(HARNESS_ROOT), *few AUTO_FREE = NULL, *last AUTO_FREE = NULL;

	few = make(parent, json_pack("{s:i}", "num_uses", 2));
	last = make(parent, json_pack("{s:i}", "num_uses", 1));
	expect(VAULT_UPDATE, "auth/token/create", few, NULL, 400, "restricted use token cannot generate child tokens");
	expect(VAULT_UPDATE, "auth/token/create", last, NULL, 400, "parent token lookup failed: no parent found");
	assert_true(lives(few));
	assert_false(lives(few));
	assert_false(lives(last));
}

/* --- policy names */

static char *clean(const char *list, bool add_default)
{
	json_auto_t *names = json_loads(list, 0, NULL), *clean = NULL;

	assert_int_equal(policy_names_clean(names, add_default, &clean), 0);
	return json_dumps(clean, JSON_COMPACT);
}

static void test_policy_names(void **state)
{
	static const struct {
		const char *list;
		bool add_default;
		const char *clean;
	} cases[] = {
		{ "[]", false, "[]" },
		{ "[]", true, "[\"default\"]" },
		{ "[\" B \", \"a\", \"b\", \"\", \"  \"]", false, "[\"a\",\"b\"]" },
		{ "[\"z\", \"Default\"]", true, "[\"default\",\"z\"]" },
		{ "[\"a\", \"ROOT\"]", true, "[\"root\"]" },
		{ "[\"rooted\"]", false, "[\"rooted\"]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text AUTO_FREE = clean(cases[i].list, cases[i].add_default);

		assert_string_equal(text, cases[i].clean);
	}
}

static void test_subset(void **state)
{
	json_auto_t *all = json_pack("[s, s, s]", "a", "b", "default"), *some = json_pack("[s, s]", "b", "a");
	json_auto_t *other = json_pack("[s, s]", "a", "c"), *none = json_array();

	assert_true(policy_names_subset(some, all));
	assert_true(policy_names_subset(none, all));
	assert_true(policy_names_subset(none, none));
	assert_false(policy_names_subset(other, all));
	assert_false(policy_names_subset(all, some));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_core, close_core)

#define LOGINS_MAX 512

static void on_gone(void *arg, struct vault_response *response)
{
	assert_int_equal(response->status, 204);
	*(bool *)arg = true;
}

/* A token of the mount auth/k/, and one that it makes, if it still may; NULL otherwise. The caller frees. */
static char *log_in_and_make(void)
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *login, *response;
	char *made = NULL;

	auth->display_name = strdup("somebody");
	auth->policies = json_pack("[s]", "maker");
	login = harness_login(&harness, "auth/k/", auth, NULL);
	response = harness_send(&harness, VAULT_UPDATE, "auth/token/create",
	    json_string_value(json_object_get(login->auth, "client_token")),
	    json_pack("{s:[s]}", "policies", "default"));
	if (response->status == 200)
		made = strdup(json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
	vault_response_free(login);
	return made;
}

/* Logins go on while the tokens of their mount are looked for: what they make goes with the mount as well. */
static void test_logins_while_their_mount_goes(void **state)
{
	struct vault_request *request = vault_request_new(VAULT_DELETE, "sys/auth/k");
	struct deadline deadline;
	char *children[LOGINS_MAX];
	bool gone = false;
	size_t n = 0;

	write_policy("maker", "path \"auth/token/create\" { capabilities = [\"update\"] }");
	expect(VAULT_UPDATE, "sys/auth/k", HARNESS_ROOT, json_pack("{s:s}", "type", "kubernetes"), 204, NULL);
	request->token = secret_copy(HARNESS_ROOT, strlen(HARNESS_ROOT));
	vault_send(core_vault(harness.core), request, on_gone, &gone);
	while (n < LOGINS_MAX && core_mount_of(harness.core, "auth/k/login")) {
		children[n] = log_in_and_make();
		n += children[n] != NULL;
	}
	assert_true(n > 0);
	deadline = deadline_after_ms(20000);
	while (!gone && !deadline_passed(deadline))
		harness_loop(&harness, 1);
	assert_true(gone);
	for (size_t i = 0; i < n; i++) {
		int status = 200;

		while (status == 200 && !deadline_passed(deadline)) {
			struct vault_response *response = harness_send(
			    &harness, VAULT_READ, "auth/token/lookup-self", children[i], NULL);

			status = response->status;
			vault_response_free(response);
		}
		assert_int_equal(status, 403);
		free(children[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logins_while_their_mount_goes, open_core, close_core),
		TEST(test_tree),
		TEST(test_orphans),
		TEST(test_big_tree),
		TEST(test_interrupted),
		TEST(test_prefix),
		TEST(test_batch),
		TEST(test_uses),
		cmocka_unit_test(test_policy_names),
		cmocka_unit_test(test_subset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
