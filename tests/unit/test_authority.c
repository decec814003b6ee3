/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what, where a path or the daemon's own authority could make it another thing than the policies say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

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

static int status_of(struct vault_response *response)
{
	int status = response->status;

	vault_response_free(response);
	return status;
}

static int ask(enum vault_op op, const char *path, const char *token, json_t *data)
{
	return status_of(harness_send(&harness, op, path, token, data));
}

/* A token of POLICY alone. */
static void mint(const char *policy, bool no_default, char ret[static TOKEN_SIGNED_LEN + 1])
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *response;

	auth->display_name = strdup("ns-sa");
	auth->policies = json_pack("[s]", policy);
	auth->no_default_policy = no_default;
	auth->token_type = strdup("default");
	response = harness_login(&harness, "auth/token/", auth, NULL);
	assert_int_equal(response->status, 200);
	snprintf(ret, TOKEN_SIGNED_LEN + 1, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

/* --- a '/' at the end of a path */

static const char denied_policy[] = "path \"secret/*\" { capabilities = [\"read\", \"delete\", \"list\"] }\n"
				    "path \"secret/data/db\" { capabilities = [\"deny\"] }\n"
				    "path \"secret/metadata/db\" { capabilities = [\"deny\"] }\n"
				    "path \"sys/mounts/*\" { capabilities = [\"read\", \"delete\"] }\n"
				    "path \"sys/mounts/secret\" { capabilities = [\"deny\"] }\n";

static const struct {
	enum vault_op op;
	const char *path;
	int status;
} slashes[] = {
	{ VAULT_READ, "secret/data/web", 200 },
	{ VAULT_READ, "secret/data/db", 403 },
	{ VAULT_READ, "secret/data/db/", 403 },
	{ VAULT_DELETE, "secret/data/db/", 403 },
	{ VAULT_READ, "secret/metadata/db/", 403 },
	{ VAULT_DELETE, "secret/metadata/db/", 403 },
	{ VAULT_READ, "sys/mounts/secret/", 403 },
	{ VAULT_READ, "sys/mounts/secret/tune/", 200 },
	{ VAULT_DELETE, "sys/mounts/secret/", 403 },
	{ VAULT_LIST, "secret/metadata/", 200 },
};

/* Engines strip it: so it must not lead round a rule about the path without it. */
static void test_slash_at_the_end(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];

	assert_int_equal(
	    ask(VAULT_UPDATE, "sys/policies/acl/most", HARNESS_ROOT, json_pack("{s:s}", "policy", denied_policy)), 204);
	assert_int_equal(
	    ask(VAULT_UPDATE, "secret/data/db", HARNESS_ROOT, json_pack("{s:{s:s}}", "data", "password", "x")), 200);
	assert_int_equal(
	    ask(VAULT_UPDATE, "secret/data/web", HARNESS_ROOT, json_pack("{s:{s:s}}", "data", "password", "x")), 200);
	mint("most", false, token);
	for (size_t i = 0; i < ARRAY_SIZE(slashes); i++) {
		int status = ask(slashes[i].op, slashes[i].path, token, NULL);

		if (status != slashes[i].status)
			fail_msg("row %zu, %s: %d", i, slashes[i].path, status);
	}
	assert_int_equal(ask(VAULT_READ, "secret/data/db", HARNESS_ROOT, NULL), 200);
}

/* --- the daemon for a token */

static int ask_for(const char *path, const char *token)
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, path);

	request->internal = true;
	request->token = secret_copy(token, strlen(token));
	return status_of(harness_send_request(&harness, request));
}

/* A session's end must revoke its token also where the role's policies do not let it revoke itself. */
static void test_revoked_for_the_token(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];

	assert_int_equal(ask(VAULT_UPDATE, "sys/policies/acl/web", HARNESS_ROOT,
			     json_pack("{s:s}", "policy", "path \"secret/*\" { capabilities = [\"read\"] }")),
	    204);
	mint("web", true, token);
	assert_int_equal(ask(VAULT_UPDATE, "auth/token/revoke-self", token, NULL), 403);
	assert_int_equal(ask(VAULT_READ, "secret/data/nothing", token, NULL), 404);
	assert_int_equal(ask_for("auth/token/revoke-self", token), 204);
	assert_int_equal(ask(VAULT_READ, "secret/data/nothing", token, NULL), 403);
	assert_int_equal(ask_for("auth/token/revoke-self", token), 403);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_core, close_core)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slash_at_the_end),
		TEST(test_revoked_for_the_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
