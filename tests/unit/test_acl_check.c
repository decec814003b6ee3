/* SPDX-License-Identifier: Apache-2.0 */
/* ACL: operations, parameters and wrapping TTLs, as a KV mount of Vault 1.21.4 allowed and refused them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "vault/embedded/acl.h"

#define ALL	     "capabilities = [\"create\", \"update\", \"read\", \"delete\", \"list\", \"patch\"]"
#define MAX_REQUESTS 16

/* Requests are JSON objects; "-" is one without data. */
static const struct {
	const char *conditions;
	enum vault_op op;
	const char *allowed[MAX_REQUESTS], *refused[MAX_REQUESTS];
} cases[] = {
	{ "allowed_parameters = { k = [\"a\", \"b*\", \"*c\", \"*d*\"] }", VAULT_CREATE,
	    { "{\"k\": \"a\"}", "{\"k\": \"b\"}", "{\"k\": \"bx\"}", "{\"k\": \"xc\"}", "{\"k\": \"xdx\"}",
		"{\"k\": \"\"}", "{\"k\": \"a,b\"}", "{\"k\": \"a, b\"}", "{\"k\": [\"a\", \"b\"]}", "{\"k\": []}" },
	    { "{\"k\": \"x\"}", "{\"k\": \"a,x\"}", "{\"k\": \"a,\"}", "{\"k\": [\"a\", \"x\"]}", "{\"k\": [\"a,b\"]}",
		"{\"k\": [[\"a\"]]}", "{\"k\": 1}", "{\"k\": null}", "{\"k\": true}", "{\"k\": {}}" } },
	{ "allowed_parameters = { k = [] }", VAULT_CREATE, { "{\"k\": \"x\"}", "{\"k\": 1}", "{\"K\": \"x\"}", "{}" },
	    { "{\"j\": \"x\"}" } },
	{ "allowed_parameters = { K = [\"a\"] }", VAULT_CREATE, { "{\"k\": \"a\"}", "{\"K\": \"a\"}" },
	    { "{\"k\": \"b\"}" } },
	{ "allowed_parameters = { \"*\" = [] }", VAULT_CREATE, { "{\"j\": \"x\"}" }, { NULL } },
	{ "allowed_parameters = { \"*\" = [\"a\"] }", VAULT_CREATE, { "{\"j\": \"x\"}" }, { NULL } },
	{ "allowed_parameters = { \"*\" = [], k = [\"a\"] }", VAULT_CREATE,
	    { "{\"j\": \"x\"}", "{\"k\": \"a\", \"j\": \"x\"}" }, { "{\"k\": \"x\"}" } },
	{ "allowed_parameters = { k = [\"*\"] }", VAULT_CREATE, { "{\"k\": \"*\"}" }, { "{\"k\": \"x\"}" } },
	{ "allowed_parameters = { k = [\"**\"] }", VAULT_CREATE, { "{\"k\": \"x\"}" }, { "{\"k\": 1}" } },
	{ "allowed_parameters = { k = [1, 2.5, true, [\"a\", \"b\"], { m = \"n\" }] }", VAULT_CREATE,
	    { "{\"k\": true}", "{\"k\": [true]}", "{\"k\": [\"a\", \"b\"]}", "{\"k\": {\"m\": \"n\"}}" },
	    { "{\"k\": 1}", "{\"k\": 2.5}", "{\"k\": \"1\"}", "{\"k\": false}", "{\"k\": [\"b\", \"a\"]}",
		"{\"k\": {\"m\": \"o\"}}", "{\"k\": {}}" } },
	{ "denied_parameters = { k = [\"a\", \"b*\"] }", VAULT_CREATE,
	    { "{\"k\": \"x\"}", "{\"k\": \"\"}", "{\"k\": [\"x\"]}", "{\"k\": []}", "{\"k\": 1}", "{\"k\": null}",
		"{\"k\": [\"a,x\"]}", "{\"j\": \"a\"}" },
	    { "{\"k\": \"a\"}", "{\"k\": \"bx\"}", "{\"k\": \"x,a\"}", "{\"k\": \"x, a\"}", "{\"k\": [\"x\", \"a\"]}",
		"{\"K\": \"a\"}" } },
	{ "denied_parameters = { k = [] }", VAULT_CREATE, { "{\"j\": \"x\"}" }, { "{\"k\": \"x\"}", "{\"k\": null}" } },
	{ "denied_parameters = { \"*\" = [] }", VAULT_CREATE, { "{}" }, { "{\"j\": \"x\"}" } },
	{ "denied_parameters = { \"*\" = [\"a\"] }", VAULT_CREATE, { NULL }, { "{\"j\": \"x\"}" } },
	{ "denied_parameters = { k = [5, true] }", VAULT_CREATE, { "{\"k\": 5}" }, { "{\"k\": true}" } },
	{ "allowed_parameters = { \"*\" = [] } denied_parameters = { k = [\"a\"] }", VAULT_CREATE,
	    { "{\"k\": \"b\"}", "{\"j\": \"a\"}" }, { "{\"k\": \"a\"}" } },
	{ "required_parameters = [\"k\", \"L\"]", VAULT_CREATE,
	    { "{\"k\": \"x\", \"l\": \"y\"}", "{\"k\": null, \"l\": \"\"}" },
	    { "{\"k\": \"x\", \"L\": \"y\"}", "{\"k\": \"x\"}", "{\"K\": \"x\", \"l\": \"y\"}", "{}", "-" } },
	{ "allowed_parameters = { k = [\"a\"] }", VAULT_READ, { "{\"k\": \"a\"}", "-" }, { "{\"k\": \"b\"}" } },
	{ "allowed_parameters = { k = [\"a\"] }", VAULT_DELETE, { "{\"k\": \"b\"}" }, { NULL } },
	{ "required_parameters = [\"k\"]", VAULT_READ, { NULL }, { "-" } },
	{ "required_parameters = [\"k\"]", VAULT_DELETE, { "-" }, { NULL } },
	{ "required_parameters = [\"k\"]", VAULT_LIST, { "-" }, { NULL } },
	{ "allowed_parameters = { k = [\"a\"] }", VAULT_PATCH, { "{\"k\": \"a\"}" }, { "{\"k\": \"b\"}" } },
	{ "allowed_parameters = { k = [\"a\"] }", VAULT_UPDATE, { "{\"k\": \"a\"}" }, { "{\"k\": \"b\"}" } },
};

static struct acl *acl_of(const char *text)
{
	struct policy *policy = NULL;
	struct acl *acl = NULL;
	char *error = NULL;

	if (policy_parse(text, &policy, &error) < 0)
		fail_msg("%s: %s", text, error);
	assert_int_equal(acl_new(&policy, 1, false, NULL, &acl), 0);
	policy_free(policy);
	return acl;
}

static bool allowed(const char *text, enum vault_op op, const char *data, int64_t wrap_ttl)
{
	struct acl *acl = acl_of(text);
	json_t *json = strcmp(data, "-") ? json_loads(data, 0, NULL) : NULL;
	struct acl_verdict verdict = acl_check(acl, op, op == VAULT_LIST ? "x/" : "x", json, wrap_ttl);

	assert_true(json || strcmp(data, "-") == 0);
	assert_non_null(verdict.reason);
	json_decref(json);
	acl_free(acl);
	return verdict.allowed;
}

static void test_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];

		snprintf(text, sizeof(text), "path \"x\" { " ALL " %s }", cases[i].conditions);
		for (size_t k = 0; k < MAX_REQUESTS && cases[i].allowed[k]; k++) {
			if (!allowed(text, cases[i].op, cases[i].allowed[k], 0))
				fail_msg("%s: %s refused", cases[i].conditions, cases[i].allowed[k]);
		}
		for (size_t k = 0; k < MAX_REQUESTS && cases[i].refused[k]; k++) {
			if (allowed(text, cases[i].op, cases[i].refused[k], 0))
				fail_msg("%s: %s allowed", cases[i].conditions, cases[i].refused[k]);
		}
	}
}

/* Each capability opens its own operation and no other. */
typedef char list_text[2 * VAULT_LIST_MAX + 32];

/* {"k": "a,a,a"} of N elements, at most VAULT_LIST_MAX + 1. */
static void write_list(list_text text, size_t n)
{
	char *at = stpcpy(text, "{\"k\": \"a");

	while (--n > 0)
		at = stpcpy(at, ",a");
	strcpy(at, "\"}");
}

/* A text that stands for more elements than a list may have is compared with nothing: doubt is a no. */
static void test_long_list(void **state)
{
	static const char good[] = "path \"x\" { " ALL " allowed_parameters = { k = [\"a\"] } }";
	static const char bad[] = "path \"x\" { " ALL " denied_parameters = { k = [\"b\"] } }";
	static list_text longest, too_long;

	(void)state;
	write_list(longest, VAULT_LIST_MAX);
	write_list(too_long, VAULT_LIST_MAX + 1);
	assert_true(allowed(good, VAULT_CREATE, longest, 0));
	assert_false(allowed(good, VAULT_CREATE, too_long, 0));
	assert_true(allowed(bad, VAULT_CREATE, longest, 0));
	assert_false(allowed(bad, VAULT_CREATE, too_long, 0));
}

static void test_operations(void **state)
{
	static const struct {
		const char *capability;
		enum vault_op op;
	} rows[] = {
		{ "read", VAULT_READ },
		{ "list", VAULT_LIST },
		{ "create", VAULT_CREATE },
		{ "update", VAULT_UPDATE },
		{ "patch", VAULT_PATCH },
		{ "delete", VAULT_DELETE },
		{ "sudo", VAULT_HELP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];

		snprintf(text, sizeof(text), "path \"x\" { capabilities = [\"%s\"] }", rows[i].capability);
		for (enum vault_op op = VAULT_READ; op <= VAULT_RESOLVE; op++)
			assert_int_equal(allowed(text, op, "-", 0), op == rows[i].op || op == VAULT_HELP);
	}
}

static void test_sudo(void **state)
{
	struct acl *acl = acl_of("path \"a\" { capabilities = [\"read\", \"sudo\"] } path \"b\" { policy = \"write\" }"
				 "path \"c\" { policy = \"sudo\" }");

	(void)state;
	assert_true(acl_check(acl, VAULT_READ, "a", NULL, 0).sudo);
	assert_false(acl_check(acl, VAULT_READ, "b", NULL, 0).sudo);
	assert_true(acl_check(acl, VAULT_UPDATE, "c", NULL, 0).sudo);
	assert_false(acl_check(acl, VAULT_UPDATE, "a", NULL, 0).sudo); /* refused: no privilege either */
	acl_free(acl);
}

static void test_wrapping(void **state)
{
	static const struct {
		const char *conditions;
		bool none, one, two, fifty, sixty, ninety; /* by wrap TTL in seconds */
	} rows[] = {
		{ "min_wrapping_ttl = -5", true, true, true, true, true, true },
		{ "max_wrapping_ttl = -5", true, true, true, true, true, true },
		{ "min_wrapping_ttl = 0 max_wrapping_ttl = \"\"", true, true, true, true, true, true },
		{ "min_wrapping_ttl = 60", false, false, false, false, true, true },
		{ "max_wrapping_ttl = \"1m\"", false, true, true, true, true, false },
		{ "min_wrapping_ttl = \"1500ms\"", false, false, true, true, true, true },
		{ "max_wrapping_ttl = \"500ms\"", false, false, false, false, false, false },
		{ "min_wrapping_ttl = 50 max_wrapping_ttl = \"60\"", false, false, false, true, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[256];

		snprintf(text, sizeof(text), "path \"x\" { capabilities = [\"read\"] %s }", rows[i].conditions);
		assert_int_equal(allowed(text, VAULT_READ, "-", 0), rows[i].none);
		assert_int_equal(allowed(text, VAULT_READ, "-", 1), rows[i].one);
		assert_int_equal(allowed(text, VAULT_READ, "-", 2), rows[i].two);
		assert_int_equal(allowed(text, VAULT_READ, "-", 50), rows[i].fifty);
		assert_int_equal(allowed(text, VAULT_READ, "-", 60), rows[i].sixty);
		assert_int_equal(allowed(text, VAULT_READ, "-", 90), rows[i].ninety);
		assert_int_equal(allowed(text, VAULT_READ, "-", INT64_MAX), rows[i].ninety);
	}
}

/* Conditions of several rules of one pattern. */
static void test_merged(void **state)
{
	static const struct {
		const char *a, *b, *yes, *no;
	} rows[] = {
		/* a rule without a list never lifts a restriction */
		{ "allowed_parameters = { k = [\"a\"] }", "", "{\"k\":\"a\"}", "{\"k\":\"b\"}" },
		{ "allowed_parameters = { k = [\"a\"] }", "allowed_parameters = { k = [\"b\"] }", "{\"k\":\"b\"}",
		    "{\"k\":\"c\"}" },
		{ "allowed_parameters = { k = [\"a\"] }", "allowed_parameters = { j = [\"b\"] }",
		    "{\"k\":\"a\",\"j\":\"b\"}", "{\"j\":\"c\"}" },
		{ "allowed_parameters = { k = [\"a\"] }", "allowed_parameters = { k = [] }", "{\"k\":\"c\"}",
		    "{\"j\":\"a\"}" },
		{ "denied_parameters = { k = [\"a\"] }", "", "{\"k\":\"b\"}", "{\"k\":\"a\"}" },
		{ "denied_parameters = { k = [\"a\"] }", "denied_parameters = { k = [] }", "{\"j\":\"b\"}",
		    "{\"k\":\"b\"}" },
		{ "required_parameters = [\"k\"]", "required_parameters = [\"j\"]", "{\"k\":1,\"j\":1}", "{\"k\":1}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];

		for (int swap = 0; swap < 2; swap++) {
			snprintf(text, sizeof(text),
			    "path \"x\" { capabilities = [\"update\"] %s } path \"x\" { capabilities = [\"read\"] %s }",
			    swap ? rows[i].b : rows[i].a, swap ? rows[i].a : rows[i].b);
			assert_true(allowed(text, VAULT_UPDATE, rows[i].yes, 0));
			assert_true(allowed(text, VAULT_READ, rows[i].yes, 0));
			assert_false(allowed(text, VAULT_UPDATE, rows[i].no, 0));
		}
	}
	/* of two limits the smaller one counts, and what contradicts itself allows nothing */
	assert_true(allowed("path \"x\" { policy = \"read\" max_wrapping_ttl = 60 }"
			    "path \"x\" { policy = \"read\" max_wrapping_ttl = 30 min_wrapping_ttl = 10 }",
	    VAULT_READ, "-", 30));
	assert_false(allowed("path \"x\" { policy = \"read\" max_wrapping_ttl = 60 }"
			     "path \"x\" { policy = \"read\" max_wrapping_ttl = 30 min_wrapping_ttl = 10 }",
	    VAULT_READ, "-", 31));
	assert_false(allowed("path \"x\" { policy = \"read\" max_wrapping_ttl = 10 }"
			     "path \"x\" { policy = \"read\" min_wrapping_ttl = 20 }",
	    VAULT_READ, "-", 15));
	/* a condition that nothing here can meet grants nothing */
	assert_false(
	    allowed("path \"x\" { policy = \"read\" } path \"x\" { mfa_methods = [\"totp\"] }", VAULT_READ, "-", 0));
	assert_false(
	    allowed("path \"x\" { policy = \"read\" control_group = { factor \"f\" { } } }", VAULT_READ, "-", 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_long_list),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_sudo),
		cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_merged),
	};

	return cmocka_run_group_tests_name("acl_check", tests, NULL, NULL);
}
