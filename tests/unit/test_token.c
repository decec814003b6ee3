/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: minting, looking up, uses, addresses, renewal, revocation. Texts are those of Vault 1.21.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/text.h"

#define BAD_TOKEN   "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"
#define LOGIN_MOUNT "auth/token/" /* any mount will do: the harness is the login engine */

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

/* A login like a Kubernetes role's. */
static struct login_auth *new_auth(void)
{
	struct login_auth *auth = login_auth_new();

	auth->display_name = strdup("ns-sa");
	auth->policies = json_pack("[s]", "p1");
	auth->metadata = json_pack("{s:s, s:s}", "role", "r", "service_account_name", "sa");
	auth->internal = json_pack("{s:s}", "role", "r");
	auth->token_type = strdup("default");
	return auth;
}

/* Logs in and copies the token. */
static void login(struct login_auth *auth, char ret_token[static TOKEN_SIGNED_LEN + 1])
{
	struct vault_response *response = harness_login(&harness, LOGIN_MOUNT, auth, NULL);

	if (response->status != 200)
		fail_msg("login: %s", vault_response_error_text(response));
	snprintf(
	    ret_token, TOKEN_SIGNED_LEN + 1, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

/* The answer's data or auth (what there is), borrowed from *RET_RESPONSE, which the caller frees. */
static const json_t *ask(enum vault_op op, const char *path, const char *token, json_t *data, int status,
    struct vault_response **ret_response)
{
	struct vault_response *response = harness_send(&harness, op, path, token, data);

	if (response->status != status)
		fail_msg("%s: %d %s", path, response->status, vault_response_error_text(response));
	*ret_response = response;
	return response->auth ? response->auth : response->data;
}

static void expect(enum vault_op op, const char *path, const char *token, json_t *data, int status, const char *error)
{
	struct vault_response *response;

	ask(op, path, token, data, status, &response);
	if (error)
		assert_string_equal(vault_response_error_text(response), error);
	vault_response_free(response);
}

static long long lookup_number(const char *token, const char *name)
{
	struct vault_response *response;
	const json_t *data = ask(VAULT_READ, "auth/token/lookup-self", token, NULL, 200, &response);
	long long number = json_integer_value(json_object_get(data, name));

	vault_response_free(response);
	return number;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "(none)";
}

/* --- forms */

static void test_login_reply(void **state)
{
	struct vault_response *response = harness_login(&harness, LOGIN_MOUNT, new_auth(), NULL);
	char *text AUTO_FREE = NULL, *expected AUTO_FREE = NULL;
	const char *token = text_of(response->auth, "client_token");

	assert_int_equal(strlen(token), TOKEN_SIGNED_LEN);
	assert_memory_equal(token, "hvs.CAESI", 9);
	assert_int_equal(strlen(text_of(response->auth, "accessor")), TOKEN_ACCESSOR_LEN);
	assert_int_not_equal(
	    asprintf(&expected,
		"{\"auth\":{\"accessor\":\"%s\",\"client_token\":\"%s\",\"entity_id\":\"\","
		"\"lease_duration\":2764800,\"metadata\":{\"role\":\"r\",\"service_account_name\":\"sa\"},"
		"\"mfa_requirement\":null,\"num_uses\":0,\"orphan\":true,\"policies\":[\"default\",\"p1\"],"
		"\"renewable\":true,\"token_policies\":[\"default\",\"p1\"],\"token_type\":\"service\"}}",
		text_of(response->auth, "accessor"), token),
	    -1);
	text = harness_text(response);
	assert_string_equal(text, expected);
	vault_response_free(response);
}

static void test_lookup_reply(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1], *text AUTO_FREE = NULL, *expected AUTO_FREE = NULL;
	struct login_auth *auth = new_auth();
	struct vault_response *response;
	const json_t *data;

	auth->ttl = 3600;
	auth->period = 1800;
	auth->explicit_max_ttl = 7200;
	auth->num_uses = 9;
	auth->bound_cidrs = json_pack("[s]", "127.0.0.0/8");
	login(auth, token);
	data = ask(VAULT_READ, "auth/token/lookup-self", token, NULL, 200, &response);
	assert_int_not_equal(
	    asprintf(&expected,
		"{\"data\":{\"accessor\":\"%s\",\"bound_cidrs\":[\"127.0.0.0/8\"],\"creation_time\":%lld,"
		"\"creation_ttl\":1800,\"display_name\":\"token-ns-sa\",\"entity_id\":\"\",\"expire_time\":\"T\","
		"\"explicit_max_ttl\":7200,\"id\":\"%s\",\"issue_time\":\"T\",\"meta\":{\"role\":\"r\","
		"\"service_account_name\":\"sa\"},\"num_uses\":8,\"orphan\":true,\"path\":\"auth/token/login\","
		"\"period\":1800,\"policies\":[\"default\",\"p1\"],\"renewable\":true,\"ttl\":%lld,\"type\":"
		"\"service\"}}",
		text_of(data, "accessor"), (long long)json_integer_value(json_object_get(data, "creation_time")), token,
		(long long)json_integer_value(json_object_get(data, "ttl"))),
	    -1);
	assert_in_range(json_integer_value(json_object_get(data, "ttl")), 1790, 1800);
	text = harness_text(response);
	assert_string_equal(text, expected);
	vault_response_free(response);
}

static void test_root_lookup(void **state)
{
	struct vault_response *response;
	const json_t *data = ask(VAULT_READ, "auth/token/lookup-self", HARNESS_ROOT, NULL, 200, &response);

	assert_string_equal(text_of(data, "id"), HARNESS_ROOT);
	assert_string_equal(text_of(data, "display_name"), "token");
	assert_string_equal(text_of(data, "path"), "auth/token/create");
	assert_true(json_is_null(json_object_get(data, "expire_time")));
	assert_true(json_is_null(json_object_get(data, "meta")));
	assert_int_equal(json_integer_value(json_object_get(data, "ttl")), 0);
	assert_true(json_is_false(json_object_get(data, "renewable")));
	vault_response_free(response);
	expect(VAULT_UPDATE, "auth/token/renew-self", HARNESS_ROOT, NULL, 400, "lease is not renewable");
}

static void test_altered_tokens(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1], altered[TOKEN_SIGNED_LEN + 8];

	login(new_auth(), token);
	for (size_t i = 0; i < TOKEN_SIGNED_LEN; i++) {
		memcpy(altered, token, sizeof(token));
		altered[i] = altered[i] == 'A' ? 'B' : 'A';
		expect(VAULT_READ, "auth/token/lookup-self", altered, NULL, 403, BAD_TOKEN);
	}
	snprintf(altered, sizeof(altered), "%s=", token);
	expect(VAULT_READ, "auth/token/lookup-self", altered, NULL, 403, BAD_TOKEN);
	memcpy(altered, token, sizeof(token));
	altered[TOKEN_SIGNED_LEN - 1] = 0;
	expect(VAULT_READ, "auth/token/lookup-self", altered, NULL, 403, BAD_TOKEN);
	expect(VAULT_READ, "auth/token/lookup-self", "hvs.aaaaaaaaaaaaaaaaaaaaaaaa", NULL, 403, BAD_TOKEN);
	expect(VAULT_READ, "auth/token/lookup-self", NULL, NULL, 403, "permission denied");
	expect(VAULT_READ, "auth/token/lookup-self", token, NULL, 200, NULL);
}

/* The signed form holds the internal id, which works as well, as in Vault. */
static void test_internal_id(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1], bytes[80], id[TOKEN_ID_LEN + 1] = "";

	login(new_auth(), token);
	assert_int_equal(base64url_decode(token + 4, TOKEN_SIGNED_LEN - 4, bytes), 68);
	memcpy(id, bytes + 40, TOKEN_ID_LEN);
	assert_memory_equal(id, "hvs.", 4);
	expect(VAULT_READ, "auth/token/lookup-self", id, NULL, 200, NULL);
	expect(VAULT_UPDATE, "auth/token/revoke-self", id, NULL, 204, NULL);
	expect(VAULT_READ, "auth/token/lookup-self", token, NULL, 403, BAD_TOKEN);
}

/* --- what a login may give */

static void check_policies(json_t *policies, bool no_default, const char *expected)
{
	struct login_auth *auth = new_auth();
	struct vault_response *response;
	char *text AUTO_FREE = NULL;

	json_decref(auth->policies);
	auth->policies = policies;
	auth->no_default_policy = no_default;
	response = harness_login(&harness, LOGIN_MOUNT, auth, NULL);
	text = json_dumps(json_object_get(response->auth, "policies"), JSON_COMPACT);
	assert_string_equal(response->status == 200 ? text : vault_response_error_text(response), expected);
	vault_response_free(response);
}

static void test_policies(void **state)
{
	check_policies(json_pack("[s, s, s, s]", "P1", "p1", " a ", "default"), true, "[\"a\",\"default\",\"p1\"]");
	check_policies(json_pack("[s]", "P1"), true, "[\"p1\"]");
	check_policies(json_pack("[s, s, s]", "z", "", "b"), false, "[\"b\",\"default\",\"z\"]");
	check_policies(json_array(), true, "[]");
	check_policies(NULL, false, "[\"default\"]");
	check_policies(json_pack("[s]", "root"), false, "auth methods cannot create root tokens");
	check_policies(json_pack("[s, s]", "a", " rOOt "), false, "auth methods cannot create root tokens");
	check_policies(json_pack("[s]", "response-wrapping"), false, "cannot assign policy \"response-wrapping\"");
}

static void test_caps_are_warned_of(void **state)
{
	struct login_auth *auth = new_auth();
	struct vault_response *response;

	auth->ttl = 1000 * 3600;
	response = harness_login(&harness, LOGIN_MOUNT, auth, NULL);
	assert_int_equal(json_integer_value(json_object_get(response->auth, "lease_duration")), 2764800);
	assert_string_equal(json_string_value(json_array_get(response->warnings, 0)),
	    "TTL of \"1000h\" exceeded the effective max_ttl of \"768h\"; TTL value is capped accordingly");
	vault_response_free(response);
}

static void test_pam_login_names_its_session(void **state)
{
	char session[] = "session-1", boot[] = "boot-1";
	struct vault_pam_login pam = { .session_id = session, .boot_id = boot };
	struct vault_response *response = harness_login(&harness, LOGIN_MOUNT, new_auth(), &pam), *lookup;
	const json_t *meta = json_object_get(
	    ask(VAULT_READ, "auth/token/lookup-self", text_of(response->auth, "client_token"), NULL, 200, &lookup),
	    "meta");

	assert_string_equal(text_of(meta, "k8sauth_session"), "session-1");
	assert_string_equal(text_of(meta, "k8sauth_boot"), "boot-1");
	assert_string_equal(text_of(meta, "role"), "r");
	vault_response_free(lookup);
	vault_response_free(response);
	response = harness_login(&harness, LOGIN_MOUNT, new_auth(), NULL);
	assert_null(json_object_get(json_object_get(response->auth, "metadata"), "k8sauth_session"));
	vault_response_free(response);
}

/* --- looking up others */

static void test_lookup_by_root(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1], *accessor AUTO_FREE = NULL, *long_text AUTO_FREE = NULL;
	struct login_auth *auth = new_auth();
	struct vault_response *response;
	const json_t *data;

	auth->bound_cidrs = json_pack("[s]", "10.0.0.0/8"); /* binds the user of the token, not who looks it up */
	login(auth, token);
	data = ask(VAULT_UPDATE, "auth/token/lookup", HARNESS_ROOT, json_pack("{s:s}", "token", token), 200, &response);
	assert_string_equal(text_of(data, "id"), token);
	accessor = strdup(text_of(data, "accessor"));
	vault_response_free(response);
	data = ask(VAULT_UPDATE, "auth/token/lookup-accessor", HARNESS_ROOT, json_pack("{s:s}", "accessor", accessor),
	    200, &response);
	assert_string_equal(text_of(data, "id"), "");
	assert_string_equal(text_of(data, "display_name"), "token-ns-sa");
	vault_response_free(response);
	data = ask(VAULT_UPDATE, "auth/token/lookup", HARNESS_ROOT, NULL, 200, &response);
	assert_string_equal(text_of(data, "id"), HARNESS_ROOT);
	vault_response_free(response);
	assert_int_not_equal(asprintf(&long_text, "%0300d", 1), -1);
	expect(
	    VAULT_UPDATE, "auth/token/lookup", HARNESS_ROOT, json_pack("{s:s}", "token", long_text), 403, "bad token");
	expect(VAULT_READ, "auth/token/lookup", HARNESS_ROOT, json_pack("{s:s}", "token", "hvs.bad"), 403, "bad token");
	expect(VAULT_UPDATE, "auth/token/lookup-accessor", HARNESS_ROOT, json_pack("{s:s}", "accessor", "x"), 400,
	    "1 error occurred:\n\t* invalid accessor\n\n");
	expect(VAULT_UPDATE, "auth/token/lookup-accessor", HARNESS_ROOT, NULL, 400,
	    "1 error occurred:\n\t* missing accessor\n\n");
	expect(
	    VAULT_UPDATE, "auth/token/revoke-accessor", HARNESS_ROOT, json_pack("{s:s}", "accessor", "x"), 200, NULL);
	expect(VAULT_UPDATE, "auth/token/revoke-accessor", HARNESS_ROOT, json_pack("{s:s}", "accessor", accessor), 204,
	    NULL);
	expect(VAULT_UPDATE, "auth/token/lookup", HARNESS_ROOT, json_pack("{s:s}", "token", token), 403, "bad token");
}

static void test_default_policy_allows_self_only(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1], other[TOKEN_SIGNED_LEN + 1];

	login(new_auth(), token);
	login(new_auth(), other);
	expect(VAULT_UPDATE, "auth/token/lookup", token, json_pack("{s:s}", "token", other), 403,
	    "1 error occurred:\n\t* permission denied\n\n");
	expect(VAULT_UPDATE, "auth/token/revoke", token, json_pack("{s:s}", "token", other), 403,
	    "1 error occurred:\n\t* permission denied\n\n");
	expect(VAULT_READ, "auth/token/lookup-self", other, NULL, 200, NULL);
}

/* --- uses and addresses */

static void test_uses_are_counted(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];
	struct login_auth *auth = new_auth();

	auth->num_uses = 3;
	login(auth, token);
	assert_int_equal(lookup_number(token, "num_uses"), 2);
	expect(VAULT_READ, "auth/token/none", token, NULL, 403, NULL); /* what is denied counts too */
	assert_int_equal(lookup_number(token, "num_uses"), -1);
	expect(VAULT_READ, "auth/token/lookup-self", token, NULL, 403, BAD_TOKEN);
}

static void test_last_use(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];
	struct login_auth *auth = new_auth();
	struct vault_response *response;
	const json_t *data;

	auth->num_uses = 2;
	login(auth, token);
	data = ask(VAULT_UPDATE, "auth/token/renew-self", token, NULL, 200, &response);
	assert_int_equal(json_integer_value(json_object_get(data, "num_uses")), 2); /* as minted */
	vault_response_free(response);
	expect(VAULT_UPDATE, "auth/token/renew-self", token, NULL, 400, "token not found");
	expect(VAULT_UPDATE, "auth/token/renew-self", token, NULL, 403, BAD_TOKEN);
	auth = new_auth();
	auth->num_uses = 1;
	login(auth, token);
	expect(VAULT_UPDATE, "auth/token/revoke-self", token, NULL, 204, NULL);
	expect(VAULT_READ, "auth/token/lookup-self", token, NULL, 403, BAD_TOKEN);
}

static int from(enum vault_peer_kind kind, const char *address, const char *token)
{
	struct vault_request *request = vault_request_new(VAULT_READ, "auth/token/lookup-self");
	struct vault_response *response;
	int status;

	request->token = secret_copy(token, strlen(token));
	request->peer.kind = kind;
	snprintf(request->peer.address, sizeof(request->peer.address), "%s", address);
	response = harness_send_request(&harness, request);
	status = response->status;
	if (status == 403)
		assert_string_equal(vault_response_error_text(response), "permission denied");
	vault_response_free(response);
	return status;
}

static void test_bound_addresses(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];
	struct login_auth *auth = new_auth();

	auth->bound_cidrs = json_pack("[s, s]", "10.0.0.0/8", "fe80::/10");
	login(auth, token);
	assert_int_equal(from(VAULT_PEER_TCP, "127.0.0.1", token), 403);
	assert_int_equal(from(VAULT_PEER_TCP, "10.9.8.7", token), 200);
	assert_int_equal(from(VAULT_PEER_TCP, "fe80::1", token), 200);
	assert_int_equal(from(VAULT_PEER_UNIX, "", token), 403);
	assert_int_equal(from(VAULT_PEER_INTERNAL, "", token), 200);
}

/* --- renewal and revocation */

static long long renew(const char *token, json_t *increment, const char *warning)
{
	json_t *body = increment ? json_pack("{s:o}", "increment", increment) : NULL;
	struct vault_response *response;
	const json_t *auth = ask(VAULT_UPDATE, "auth/token/renew-self", token, body, 200, &response);
	long long duration = json_integer_value(json_object_get(auth, "lease_duration"));
	const char *first = json_string_value(json_array_get(response->warnings, 0));

	assert_string_equal(text_of(auth, "client_token"), token);
	if (warning)
		assert_memory_equal(first ? first : "", warning, strlen(warning));
	else
		assert_null(first);
	vault_response_free(response);
	return duration;
}

static void test_renewal(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];
	struct login_auth *auth = new_auth();

	auth->ttl = 3600;
	auth->explicit_max_ttl = 5400;
	login(auth, token);
	assert_int_equal(lookup_number(token, "last_renewal_time"), 0);
	assert_int_equal(renew(token, NULL, NULL), 3600);
	assert_int_equal(renew(token, json_integer(10), NULL), 10);
	assert_in_range(lookup_number(token, "ttl"), 5, 10);
	assert_int_equal(lookup_number(token, "creation_ttl"), 3600);
	assert_int_not_equal(lookup_number(token, "last_renewal_time"), 0);
	assert_int_equal(renew(token, json_string("20m"), NULL), 1200);
	assert_in_range(
	    renew(token, json_string("100m"), "TTL of \"1h40m\" exceeded the effective max_ttl of \"1h"), 5390, 5400);
	expect(VAULT_UPDATE, "auth/token/renew-self", token, json_pack("{s:s}", "increment", "x"), 400,
	    "Field validation failed: error converting input for field \"increment\": time: invalid duration \"x\"");
	expect(VAULT_UPDATE, "auth/token/renew-self", token, json_pack("{s:i}", "increment", -5), 400,
	    "Field validation failed: error converting input for field \"increment\": cannot provide negative value "
	    "'-5'");
	expect(VAULT_UPDATE, "auth/token/renew", HARNESS_ROOT, json_pack("{s:s}", "token", token), 200, NULL);
	expect(VAULT_UPDATE, "auth/token/renew", HARNESS_ROOT, json_pack("{s:s}", "token", "hvs.x"), 400,
	    "token not found");
	expect(VAULT_UPDATE, "auth/token/renew", HARNESS_ROOT, NULL, 400, "missing token ID");
}

static void test_periodic_renewal(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];
	struct login_auth *auth = new_auth();

	auth->period = 600;
	login(auth, token);
	assert_int_equal(renew(token, json_integer(5), NULL), 600);
	assert_int_equal(renew(token, json_string("100h"), NULL), 600);
}

static void test_revocation(void **state)
{
	char token[TOKEN_SIGNED_LEN + 1];

	login(new_auth(), token);
	expect(VAULT_UPDATE, "auth/token/revoke-self", token, NULL, 204, NULL);
	expect(VAULT_UPDATE, "auth/token/revoke-self", token, NULL, 403, BAD_TOKEN);
	login(new_auth(), token);
	for (int i = 0; i < 2; i++)
		expect(VAULT_UPDATE, "auth/token/revoke", HARNESS_ROOT, json_pack("{s:s}", "token", token), 204, NULL);
	expect(VAULT_READ, "auth/token/lookup-self", token, NULL, 403, BAD_TOKEN);
	expect(VAULT_UPDATE, "auth/token/revoke", HARNESS_ROOT, NULL, 400, "missing token ID");
	expect(VAULT_UPDATE, "auth/token/revoke", HARNESS_ROOT, json_pack("{s:s}", "token", "zz"), 204, NULL);
}

static void test_what_is_not_there(void **state)
{
	expect(VAULT_UPDATE, "auth/token/lookup/x", HARNESS_ROOT, NULL, 404,
	    "1 error occurred:\n\t* unsupported path\n\n");
	expect(VAULT_LIST, "auth/token/lookup-self/", HARNESS_ROOT, NULL, 404,
	    "1 error occurred:\n\t* unsupported path\n\n");
	expect(VAULT_READ, "auth/token/revoke-self", HARNESS_ROOT, NULL, 405,
	    "1 error occurred:\n\t* unsupported operation\n\n");
	expect(VAULT_DELETE, "auth/token/lookup-self", HARNESS_ROOT, NULL, 405,
	    "1 error occurred:\n\t* unsupported operation\n\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_core, close_core)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_login_reply),
		TEST(test_lookup_reply),
		TEST(test_root_lookup),
		TEST(test_altered_tokens),
		TEST(test_internal_id),
		TEST(test_policies),
		TEST(test_caps_are_warned_of),
		TEST(test_pam_login_names_its_session),
		TEST(test_lookup_by_root),
		TEST(test_default_policy_allows_self_only),
		TEST(test_uses_are_counted),
		TEST(test_last_use),
		TEST(test_bound_addresses),
		TEST(test_renewal),
		TEST(test_periodic_renewal),
		TEST(test_revocation),
		TEST(test_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
