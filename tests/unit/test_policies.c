/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy store on a backend in memory: the API's answers, in one sequence, are those of Vault 1.21.4; and what a
 * change of a policy means for tokens that exist.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core_harness.h"
#include "vault/embedded/policies.h"

static struct harness harness;

static const struct {
	enum vault_op op;
	const char *path, *data; /* NULL without */
	int status;
	const char *body;
} rows[] = {
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/p1", NULL, 200,
	    "{\"data\":{\"name\":\"p1\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_READ, "sys/policies/acl/P1", NULL, 200,
	    "{\"data\":{\"name\":\"p1\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/Upper", "{\"policy\": \"path \\\"a\\\" {}\"}", 200,
	    "{\"warnings\":[\"policy name was converted to upper\"]}" },
	{ VAULT_READ, "sys/policies/acl/upper", NULL, 200,
	    "{\"data\":{\"name\":\"upper\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{}", 400,
	    "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", NULL, 400,
	    "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": \"\"}", 400,
	    "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": null}", 400,
	    "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": 5}", 400,
	    "{\"errors\":[\"failed to parse policy: At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: "
	    "NUMBER\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": [\"path \\\"a\\\" {}\"]}", 400,
	    "{\"errors\":[\"Field validation failed: error converting input for field \\\"policy\\\": '' expected type "
	    "'string', got unconvertible type '[]interface {}', value: '[path \\\"a\\\" {}]'\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"rules\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": \"path \\\"x\\\" { bad = 1 }\"}", 400,
	    "{\"errors\":[\"failed to parse policy: 1 error occurred:\\n\\t* path \\\"x\\\": invalid key \\\"bad\\\" "
	    "on line 1\\n\\n\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p1", "{\"policy\": \"path \\\"x\\\" { capabilities = [\\\"x\\\"] }\"}", 400,
	    "{\"errors\":[\"failed to parse policy: path \\\"x\\\": invalid capability \\\"x\\\"\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/p2", "{\"policy\": \"path \\\"a\\\" {}\", \"bogus\": 1}", 204, "" },
	{ VAULT_UPDATE, "sys/policies/acl/P2", "{\"policy\": \"path \\\"a\\\" {}\", \"bogus\": 1}", 200,
	    "{\"warnings\":[\"policy name was converted to p2\",\"Endpoint ignored these unrecognized parameters: "
	    "[bogus]\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/root", "{\"policy\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"cannot update \\\"root\\\" policy\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/ROOT", "{\"policy\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"cannot update \\\"root\\\" policy\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/response-wrapping", "{\"policy\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"cannot update \\\"response-wrapping\\\" policy\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/control-group", "{\"policy\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"cannot update \\\"control-group\\\" policy\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/root", "{\"policy\": \"bad bad\"}", 400,
	    "{\"errors\":[\"failed to parse policy: At 1:9: key 'bad bad' expected start of object ('{') or assignment "
	    "('=')\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/root", "{}", 400,
	    "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/root", NULL, 400, "{\"errors\":[\"cannot delete \\\"root\\\" policy\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/Root", NULL, 400, "{\"errors\":[\"cannot delete \\\"root\\\" policy\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/default", NULL, 400, "{\"errors\":[\"cannot delete default policy\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/Default", NULL, 400, "{\"errors\":[\"cannot delete default policy\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/response-wrapping", NULL, 400,
	    "{\"errors\":[\"cannot delete \\\"response-wrapping\\\" policy\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/control-group", NULL, 400,
	    "{\"errors\":[\"cannot delete \\\"control-group\\\" policy\"]}" },
	{ VAULT_DELETE, "sys/policies/acl/none", NULL, 204, "" },
	{ VAULT_DELETE, "sys/policies/acl/P2", NULL, 204, "" },
	{ VAULT_READ, "sys/policies/acl/p2", NULL, 404, "{\"errors\":[]}" },
	{ VAULT_READ, "sys/policies/acl/root", NULL, 200, "{\"data\":{\"name\":\"root\",\"policy\":\"\"}}" },
	{ VAULT_READ, "sys/policies/acl/none", NULL, 404, "{\"errors\":[]}" },
	{ VAULT_READ, "sys/policies/acl/", NULL, 405,
	    "{\"errors\":[\"1 error occurred:\\n\\t* unsupported operation\\n\\n\"]}" },
	{ VAULT_LIST, "sys/policies/acl/", NULL, 200, "{\"data\":{\"keys\":[\"default\",\"p1\",\"upper\",\"root\"]}}" },
	{ VAULT_LIST, "sys/policies/acl/p1/", NULL, 405,
	    "{\"errors\":[\"1 error occurred:\\n\\t* unsupported operation\\n\\n\"]}" },
	{ VAULT_READ, "sys/policy/", NULL, 200,
	    "{\"data\":{\"keys\":[\"default\",\"p1\",\"upper\",\"root\"],\"policies\":[\"default\",\"p1\",\"upper\","
	    "\"root\"]},\"keys\":[\"default\",\"p1\",\"upper\",\"root\"],\"policies\":[\"default\",\"p1\",\"upper\","
	    "\"root\"]}" },
	{ VAULT_LIST, "sys/policy/", NULL, 200,
	    "{\"data\":{\"keys\":[\"default\",\"p1\",\"upper\",\"root\"],\"policies\":[\"default\",\"p1\",\"upper\","
	    "\"root\"]},\"keys\":[\"default\",\"p1\",\"upper\",\"root\"],\"policies\":[\"default\",\"p1\",\"upper\","
	    "\"root\"]}" },
	{ VAULT_READ, "sys/policy/p1", NULL, 200,
	    "{\"data\":{\"name\":\"p1\",\"rules\":\"path \\\"a\\\" {}\"},\"name\":\"p1\",\"rules\":\"path \\\"a\\\" "
	    "{}\"}" },
	{ VAULT_READ, "sys/policy/root", NULL, 200,
	    "{\"data\":{\"name\":\"root\",\"rules\":\"\"},\"name\":\"root\",\"rules\":\"\"}" },
	{ VAULT_READ, "sys/policy/none", NULL, 404, "{\"errors\":[]}" },
	{ VAULT_UPDATE, "sys/policy/l1", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_UPDATE, "sys/policy/l1", "{\"rules\": \"path \\\"a\\\" {}\"}", 200,
	    "{\"warnings\":[\"'rules' is deprecated, please use 'policy' instead\"]}" },
	{ VAULT_UPDATE, "sys/policy/l1", "{\"rules\": \"path \\\"a\\\" {}\", \"policy\": \"x\"}", 400,
	    "{\"errors\":[\"failed to parse policy: At 1:3: key 'x' expected start of object ('{') or assignment "
	    "('=')\"]}" },
	{ VAULT_UPDATE, "sys/policy/l1", "{\"rules\": \"\", \"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_UPDATE, "sys/policy/L2", "{\"rules\": \"path \\\"a\\\" {}\"}", 200,
	    "{\"warnings\":[\"policy name was converted to l2\",\"'rules' is deprecated, please use 'policy' "
	    "instead\"]}" },
	{ VAULT_UPDATE, "sys/policy/l1", "{}", 400, "{\"errors\":[\"'policy' parameter not supplied or empty\"]}" },
	{ VAULT_UPDATE, "sys/policy/l1", "{\"rules\": \"bad bad\"}", 400,
	    "{\"errors\":[\"failed to parse policy: At 1:9: key 'bad bad' expected start of object ('{') or assignment "
	    "('=')\"]}" },
	{ VAULT_UPDATE, "sys/policy/root", "{\"rules\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"cannot update \\\"root\\\" policy\"]}" },
	{ VAULT_DELETE, "sys/policy/root", NULL, 400, "{\"errors\":[\"cannot delete \\\"root\\\" policy\"]}" },
	{ VAULT_DELETE, "sys/policy/default", NULL, 400, "{\"errors\":[\"cannot delete default policy\"]}" },
	{ VAULT_DELETE, "sys/policy/L2", NULL, 204, "" },
	{ VAULT_READ, "sys/policy/l2", NULL, 404, "{\"errors\":[]}" },
	{ VAULT_UPDATE, "sys/policies/acl/a/b", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/a/b", NULL, 200,
	    "{\"data\":{\"name\":\"a/b\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_LIST, "sys/policies/acl/a/", NULL, 405,
	    "{\"errors\":[\"1 error occurred:\\n\\t* unsupported operation\\n\\n\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/w s", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_UPDATE, "sys/policies/acl/a%2", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/a%2", NULL, 200,
	    "{\"data\":{\"name\":\"a%2\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/ s ", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/s", NULL, 200, "{\"data\":{\"name\":\"s\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/x@y,z", "{\"policy\": \"path \\\"a\\\" {}\"}", 204, "" },
	{ VAULT_UPDATE, "sys/policies/acl/", "{\"policy\": \"path \\\"a\\\" {}\"}", 400,
	    "{\"errors\":[\"cannot write to a path ending in '/'\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl", "{\"policy\": \"path \\\"a\\\" {}\"}", 405,
	    "{\"errors\":[\"1 error occurred:\\n\\t* unsupported operation\\n\\n\"]}" },
	{ VAULT_DELETE, "sys/policies/acl", NULL, 405,
	    "{\"errors\":[\"1 error occurred:\\n\\t* unsupported operation\\n\\n\"]}" },
	{ VAULT_UPDATE, "sys/policies/acl/b64", "{\"policy\": \"cGF0aCAiYSIge30=\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/b64", NULL, 200,
	    "{\"data\":{\"name\":\"b64\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/b64", "{\"policy\": \"path \\\"a\\\" {}\\n\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/b64", NULL, 200,
	    "{\"data\":{\"name\":\"b64\",\"policy\":\"path \\\"a\\\" {}\\n\"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/b64", "{\"policy\": \"ICA=\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/b64", NULL, 200, "{\"data\":{\"name\":\"b64\",\"policy\":\"  \"}}" },
	{ VAULT_UPDATE, "sys/policies/acl/b64", "{\"policy\": \" \"}", 204, "" },
	{ VAULT_UPDATE, "sys/policies/acl/b64", "{\"policy\": \"{\\\"path\\\":\"}", 204, "" },
	{ VAULT_UPDATE, "sys/policies/acl/b64", "{\"policy\": \"cGF0aCAiYSIge30=\\n\"}", 204, "" },
	{ VAULT_READ, "sys/policies/acl/b64", NULL, 200,
	    "{\"data\":{\"name\":\"b64\",\"policy\":\"path \\\"a\\\" {}\"}}" },
	{ VAULT_DELETE, "sys/policies/acl/a/b", NULL, 204, "" },
	{ VAULT_LIST, "sys/policies/acl/", NULL, 200,
	    "{\"data\":{\"keys\":[\"a%2\",\"b64\",\"default\",\"l1\",\"p1\",\"s\",\"upper\",\"w "
	    "s\",\"x@y,z\",\"root\"]}}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"path\": \"a\"}", 200,
	    "{\"a\":[\"root\"],\"capabilities\":[\"root\"],\"data\":{\"a\":[\"root\"],\"capabilities\":[\"root\"]}}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"paths\": [\"a\", \"b\"]}", 200,
	    "{\"a\":[\"root\"],\"b\":[\"root\"],\"data\":{\"a\":[\"root\"],\"b\":[\"root\"]}}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{}", 400, "{\"errors\":[\"paths must be supplied\"]}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"paths\": []}", 400, "{\"errors\":[\"paths must be supplied\"]}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"paths\": \"\"}", 400,
	    "{\"errors\":[\"paths must be supplied\"]}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"paths\": [\"\"]}", 400,
	    "{\"errors\":[\"1 error occurred:\\n\\t* missing path\\n\\n\"]}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"paths\": {\"a\": 1}}", 400,
	    "{\"errors\":[\"Field validation failed: error converting input for field \\\"paths\\\": 1 error(s) "
	    "decoding:\\n\\n* '[0]' expected type 'string', got unconvertible type 'map[string]interface {}', value: "
	    "'map[a:1]'\"]}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"path\": \"a\", \"paths\": [\"b\"]}", 200,
	    "{\"b\":[\"root\"],\"capabilities\":[\"root\"],\"data\":{\"b\":[\"root\"],\"capabilities\":[\"root\"]}}" },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"path\": \"a\", \"paths\": []}", 200,
	    "{\"a\":[\"root\"],\"capabilities\":[\"root\"],\"data\":{\"a\":[\"root\"],\"capabilities\":[\"root\"]}}" },
	{ VAULT_READ, "sys/capabilities-self", NULL, 405,
	    "{\"errors\":[\"1 error occurred:\\n\\t* unsupported operation\\n\\n\"]}" },
};

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

static void check(enum vault_op op, const char *path, const char *token, const char *data, int status, const char *body)
{
	json_t *json = data ? json_loads(data, 0, NULL) : NULL;
	struct vault_response *response = harness_send(&harness, op, path, token, json);
	AUTO_FREE char *text = harness_text(response);

	if (response->status != status || (body && strcmp(text, body) != 0))
		fail_msg("%s %s: %d %s instead of %d %s", path, data ? data : "", response->status, text, status, body);
	vault_response_free(response);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i].op, rows[i].path, HARNESS_ROOT, rows[i].data, rows[i].status, rows[i].body);
}

static void test_odd_names(void **state)
{
	char path[1200] = "sys/policies/acl/";

	(void)state;
	check(VAULT_UPDATE, "sys/policies/acl/ ", HARNESS_ROOT, "{\"policy\":\" \"}", 400,
	    "{\"errors\":[\"a policy's name has 1 to 1024 bytes\"]}");
	memset(path + strlen(path), 'n', 1025);
	check(VAULT_UPDATE, path, HARNESS_ROOT, "{\"policy\":\" \"}", 400,
	    "{\"errors\":[\"a policy's name has 1 to 1024 bytes\"]}");
	path[strlen(path) - 1] = '\0';
	check(VAULT_UPDATE, path, HARNESS_ROOT, "{\"policy\":\" \"}", 204, "");
	check(VAULT_READ, path, HARNESS_ROOT, NULL, 200, NULL);
}

/* A text in base64 whose meaning has a NUL inside must not be stored cut. */
static void test_nul(void **state)
{
	(void)state;
	check(VAULT_UPDATE, "sys/policies/acl/nul", HARNESS_ROOT, "{\"policy\":\"IAAg\"}", 400,
	    "{\"errors\":[\"failed to parse policy: unexpected null character (0x00)\"]}");
	check(VAULT_READ, "sys/policies/acl/nul", HARNESS_ROOT, NULL, 404, "{\"errors\":[]}");
}

static void write_policy(const char *path, const char *text)
{
	json_t *data = json_pack("{s:s}", "policy", text);
	struct vault_response *response = harness_send(&harness, VAULT_UPDATE, path, HARNESS_ROOT, data);

	assert_int_equal(response->status, 204);
	vault_response_free(response);
}

static char *login(json_t *policies)
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *response;
	char *token;

	auth->display_name = strdup("x");
	auth->policies = policies;
	auth->token_type = strdup("default");
	response = harness_login(&harness, "auth/token/", auth, NULL);
	assert_int_equal(response->status, 200);
	token = strdup(json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
	return token;
}

#define DENIED "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}"

/* A change counts from the next request on; the set of policies of a token stays. */
static void test_changes(void **state)
{
	AUTO_FREE char *token = login(json_pack("[s, s]", "reader", "not-there-yet"));

	(void)state;
	check(VAULT_READ, "sys/policies/acl/default", token, NULL, 403, DENIED);
	write_policy("sys/policies/acl/reader", "path \"sys/policies/acl/*\" { capabilities = [\"read\"] }");
	check(VAULT_READ, "sys/policies/acl/reader", token, NULL, 200, NULL);
	check(VAULT_DELETE, "sys/policies/acl/other", token, NULL, 403, DENIED);
	check(VAULT_UPDATE, "sys/capabilities-self", token, "{\"paths\":[\"sys/policies/acl/x\",\"y\"]}", 200,
	    "{\"data\":{\"sys/policies/acl/x\":[\"read\"],\"y\":[\"deny\"]},\"sys/policies/acl/x\":[\"read\"],"
	    "\"y\":[\"deny\"]}");
	write_policy("sys/policies/acl/not-there-yet", "path \"sys/policies/acl/*\" { policy = \"write\" }");
	check(VAULT_UPDATE, "sys/capabilities-self", token, "{\"path\":\"sys/policies/acl/x\"}", 200,
	    "{\"capabilities\":[\"create\",\"delete\",\"list\",\"read\",\"update\"],\"data\":{\"capabilities\":"
	    "[\"create\",\"delete\",\"list\",\"read\",\"update\"],\"sys/policies/acl/x\":[\"create\",\"delete\","
	    "\"list\",\"read\",\"update\"]},\"sys/policies/acl/x\":[\"create\",\"delete\",\"list\",\"read\","
	    "\"update\"]}");
	check(VAULT_DELETE, "sys/policies/acl/other", token, NULL, 204, "");
	write_policy("sys/policies/acl/reader", "path \"sys/policies/acl/*\" { policy = \"deny\" }");
	check(VAULT_READ, "sys/policies/acl/reader", token, NULL, 403, DENIED);
	check(VAULT_DELETE, "sys/policies/acl/reader", HARNESS_ROOT, NULL, 204, "");
	check(VAULT_READ, "sys/policies/acl/not-there-yet", token, NULL, 200, NULL);
	/* it takes away what the token had for itself */
	write_policy("sys/policies/acl/default", "# nothing");
	check(VAULT_UPDATE, "sys/capabilities-self", token, "{\"path\":\"x\"}", 403, DENIED);
	check(VAULT_READ, "auth/token/lookup-self", token, NULL, 403, DENIED);
}

/* The default policy's grants, as Vault 1.21.4 has them. */
static void test_default(void **state)
{
	static const char *const grants[][2] = {
		{ "auth/token/lookup-self", "read" },
		{ "auth/token/renew-self", "update" },
		{ "auth/token/revoke-self", "update" },
		{ "sys/capabilities-self", "update" },
		{ "sys/internal/ui/resultant-acl", "read" },
		{ "sys/leases/lookup", "update" },
		{ "sys/leases/renew", "update" },
		{ "sys/renew", "update" },
		{ "cubbyhole/x/y", "create delete list read update" },
		{ "sys/wrapping/wrap", "update" },
		{ "sys/wrapping/lookup", "update" },
		{ "sys/wrapping/unwrap", "update" },
		{ "sys/tools/hash", "update" },
		{ "sys/tools/hash/sha2-256", "update" },
		{ "sys/control-group/request", "update" },
		{ "identity/oidc/provider/p/authorize", "read update" },
		{ "identity/entity/id/x", "deny" }, /* templated: no entity yet */
		{ "auth/token/lookup", "deny" },
		{ "sys/policies/acl/default", "deny" },
	};
	AUTO_FREE char *token = login(json_array());

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(grants); i++) {
		struct vault_response *response = harness_send(
		    &harness, VAULT_UPDATE, "sys/capabilities-self", token, json_pack("{s:s}", "path", grants[i][0]));
		json_t *names = json_object_get(response->data, "capabilities"), *name;
		char text[256] = "";
		size_t k;

		assert_int_equal(response->status, 200);
		json_array_foreach(names, k, name) snprintf(
		    text + strlen(text), sizeof(text) - strlen(text), "%s%s", k ? " " : "", json_string_value(name));
		assert_string_equal(text, grants[i][1]);
		vault_response_free(response);
	}
}

struct question {
	json_t *names;
	bool root;
};

static int ask_acl(struct call *call)
{
	struct question *question = call->state;
	struct acl *acl = NULL;
	int r = policies_acl(call, question->names, NULL, &acl);

	if (r == 0)
		question->root = acl_is_root(acl);
	acl_free(acl);
	return r;
}

/* NAMES is taken over. *RET_ROOT only on success. */
static int acl_of(json_t *names, bool *ret_root)
{
	struct question question = { .names = names };
	int r = harness_run(&harness, ask_acl, &question);

	json_decref(names);
	if (r == 0)
		*ret_root = question.root;
	return r;
}

static int spoil_policy(struct call *call)
{
	json_t *record = json_pack("{s:s}", "policy", "path {");
	int r = core_put(call, "sys/policy/spoiled", record);

	json_decref(record);
	return r;
}

/* Doubt about what a token may do is a no, never a smaller or another ACL. */
static void test_doubt(void **state)
{
	bool root = false;

	(void)state;
	assert_int_equal(acl_of(json_pack("[s]", "root"), &root), 0);
	assert_true(root);
	assert_int_equal(acl_of(json_pack("[s, s]", "default", "none"), &root), 0);
	assert_false(root);
	assert_int_equal(acl_of(json_array(), &root), 0);
	assert_false(root);
	assert_int_equal(acl_of(json_pack("[s, s]", "a", "root"), &root), -EINVAL);
	assert_int_equal(acl_of(json_pack("[s, s]", "root", "a"), &root), -EINVAL);
	assert_int_equal(acl_of(json_pack("[s%]", "root\0x", (size_t)6), &root), -EINVAL);
	assert_int_equal(acl_of(json_pack("[i]", 1), &root), -EINVAL);
	assert_int_equal(harness_run(&harness, spoil_policy, NULL), 0);
	assert_int_equal(acl_of(json_pack("[s, s]", "default", "spoiled"), &root), -EINVAL);
}

/* More sets and more policies than the caches hold. */
static void test_full_caches(void **state)
{
	(void)state;
	for (int i = 0; i < 1100; i++) {
		AUTO_FREE char *token = NULL;
		char name[32];

		snprintf(name, sizeof(name), "none-%d", i);
		token = login(json_pack("[s]", name));
		check(VAULT_READ, "auth/token/lookup-self", token, NULL, 200, NULL);
	}
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_odd_names),
		TEST(test_nul),
		TEST(test_changes),
		TEST(test_default),
		TEST(test_doubt),
		TEST(test_full_caches),
	};

	return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
