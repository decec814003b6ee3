/* SPDX-License-Identifier: Apache-2.0 */
/* The cubbyhole: each token has its own, nobody else sees it, and nothing of it outlives the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/text.h"

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

/* A token with the policy default: it may use its cubbyhole. NUM_USES 0: as often as it wants. */
static void mint(long long num_uses, char token[static TOKEN_SIGNED_LEN + 1])
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *response;

	auth->display_name = strdup("somebody");
	auth->policies = json_pack("[s]", "default");
	auth->num_uses = num_uses;
	response = harness_login(&harness, "auth/token/", auth, NULL);
	assert_int_equal(response->status, 200);
	snprintf(token, TOKEN_SIGNED_LEN + 1, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

static void check(
    enum vault_op op, const char *path, const char *token, const char *data, int status, const char *expected)
{
	struct vault_response *response = harness_send(
	    &harness, op, path, token, data ? json_loads(data, 0, NULL) : NULL);
	char *text AUTO_FREE = harness_text(response);

	if (response->status != status || (expected && !streq(text, expected)))
		fail_msg("%s %s: %d %s, expected %d %s", path, data ? data : "", response->status, text, status,
		    expected ? expected : "");
	vault_response_free(response);
}

static void test_own(void **state)
{
	char a[TOKEN_SIGNED_LEN + 1], b[TOKEN_SIGNED_LEN + 1];

	mint(0, a);
	mint(0, b);
	check(VAULT_LIST, "cubbyhole/", a, NULL, 404, "{\"errors\":[]}");
	check(VAULT_UPDATE, "cubbyhole/x", a, "{\"v\":\"a\"}", 204, "");
	check(VAULT_UPDATE, "cubbyhole/y/z", a, "{\"v\":[1,null]}", 204, "");
	check(VAULT_READ, "cubbyhole/x", a, NULL, 200, "{\"data\":{\"v\":\"a\"}}");
	check(VAULT_READ, "cubbyhole/y/z", a, NULL, 200, "{\"data\":{\"v\":[1,null]}}");
	check(VAULT_LIST, "cubbyhole/", a, NULL, 200, "{\"data\":{\"keys\":[\"x\",\"y/\"]}}");
	check(VAULT_READ, "cubbyhole/x", b, NULL, 404, "{\"errors\":[]}");
	check(VAULT_READ, "cubbyhole/x", HARNESS_ROOT, NULL, 404, "{\"errors\":[]}");
	check(VAULT_LIST, "cubbyhole/", b, NULL, 404, "{\"errors\":[]}");
	check(VAULT_DELETE, "cubbyhole/x", b, NULL, 204, "");
	check(VAULT_READ, "cubbyhole/x", a, NULL, 200, NULL);
	check(VAULT_DELETE, "cubbyhole/x", a, NULL, 204, "");
	check(VAULT_READ, "cubbyhole/x", a, NULL, 404, "{\"errors\":[]}");
	check(VAULT_READ, "cubbyhole/y/z", NULL, NULL, 403, "{\"errors\":[\"permission denied\"]}");
}

/* How many tokens have something in their cubbyhole. */
static int count(struct call *call)
{
	json_auto_t *names = NULL;
	int r = core_list(call, "cubbyhole/", &names);

	if (r == 0)
		*(size_t *)call->state = json_array_size(names);
	return r;
}

static size_t cubbyholes(void)
{
	size_t n = 99;

	assert_int_equal(harness_run(&harness, count, &n), 0);
	return n;
}

static void test_gone_with_the_token(void **state)
{
	char a[TOKEN_SIGNED_LEN + 1], b[TOKEN_SIGNED_LEN + 1];

	mint(0, a);
	mint(0, b);
	for (int i = 0; i < 3; i++) {
		char path[32];

		snprintf(path, sizeof(path), "cubbyhole/d%d/x", i);
		check(VAULT_UPDATE, path, a, "{\"v\":1}", 204, "");
	}
	check(VAULT_UPDATE, "cubbyhole/x", b, "{\"v\":1}", 204, "");
	assert_int_equal(cubbyholes(), 2);
	check(VAULT_UPDATE, "auth/token/revoke-self", a, NULL, 204, "");
	assert_int_equal(cubbyholes(), 1);
	check(VAULT_READ, "cubbyhole/x", b, NULL, 200, NULL);
}

/* An id of the creator's choice may come back: as another token. */
static void test_id_used_again(void **state)
{
	static const char create[] = "{\"id\":\"mine\",\"policies\":[\"default\"]}";

	check(VAULT_UPDATE, "auth/token/create", HARNESS_ROOT, create, 200, NULL);
	check(VAULT_UPDATE, "cubbyhole/x", "mine", "{\"v\":1}", 204, "");
	check(VAULT_READ, "cubbyhole/x", "mine", NULL, 200, "{\"data\":{\"v\":1}}");
	check(VAULT_UPDATE, "auth/token/revoke-self", "mine", NULL, 204, "");
	check(VAULT_UPDATE, "auth/token/create", HARNESS_ROOT, create, 200, NULL);
	check(VAULT_READ, "cubbyhole/x", "mine", NULL, 404, "{\"errors\":[]}");
}

/* Whose last use is a write keeps nothing; whose last use is a read still reads (as response wrapping does). */
static void test_last_use(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];

	mint(2, token);
	check(VAULT_UPDATE, "cubbyhole/x", token, "{\"v\":1}", 204, "");
	check(VAULT_READ, "cubbyhole/x", token, NULL, 200, "{\"data\":{\"v\":1}}");
	check(VAULT_READ, "cubbyhole/x", token, NULL, 403, NULL);
	assert_int_equal(cubbyholes(), 0);
	mint(1, token);
	check(VAULT_UPDATE, "cubbyhole/x", token, "{\"v\":1}", 204, "");
	assert_int_equal(cubbyholes(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_gone_with_the_token, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_id_used_again, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_last_use, open_core, close_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
