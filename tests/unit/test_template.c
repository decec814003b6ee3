/* SPDX-License-Identifier: Apache-2.0 */
/* Templates in policy paths: what they become of, and what makes their rule match nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "vault/embedded/acl/rule.h"

static const char entity_text[] =
    "{\"id\": \"e1\", \"name\": \"entity_0\", \"metadata\": {\"team\": \"red\", \"a.b\": \"dotted\", \"star\": \"a*\", "
    "\"plus\": \"+\", \"slash\": \"a/b\", \"empty\": \"\", \"nul\": \"a\\u0000b\", \"braces\": \"{{time.now}}\", "
    "\"dots\": \"..\"}, \"aliases\": [{\"id\": \"a1\", \"accessor\": \"auth_kubernetes_1\", \"name\": \"uid-1\", "
    "\"metadata\": {\"service_account_name\": \"web\", \"vault.dot/x\": \"k\"}, \"custom_metadata\": {\"c\": "
    "\"custom\"}}, "
    "{\"id\": \"a2\", \"accessor\": \"auth_kubernetes_2\", \"name\": \"ns/sa\"}], \"groups\": [{\"id\": \"g1\", "
    "\"name\": "
    "\"red\", \"metadata\": {\"k\": \"v\", \"star\": \"*\"}}, {\"id\": \"g2\", \"name\": \"a.b\"}]}";

/* FILLED NULL: nothing can be. */
static const struct {
	const char *label, *filled;
	bool unsafe;
} rows[] = {
	{ "a/{{identity.entity.id}}", "a/e1" },
	{ "{{ identity.entity.id }}/x/*", "e1/x/*" },
	{ "{{\tidentity.entity.name\n}}", "entity_0" },
	{ "{{identity.entity.id}}{{identity.entity.name}}", "e1entity_0" },
	{ "{{identity.entity.metadata.team}}", "red" },
	{ "{{identity.entity.metadata.a.b}}", "dotted" },
	{ "{{identity.entity.metadata.braces}}", "{{time.now}}" },
	{ "{{identity.entity.metadata.dots}}", ".." },
	{ "{{identity.entity.metadata.star}}", "a*", .unsafe = true },
	{ "{{identity.entity.metadata.plus}}", "+", .unsafe = true },
	{ "{{identity.entity.metadata.slash}}", "a/b", .unsafe = true },
	{ "{{identity.entity.metadata.empty}}", "", .unsafe = true },
	{ "{{identity.entity.metadata.nul}}", NULL },
	{ "{{identity.entity.metadata.absent}}", NULL },
	{ "{{identity.entity.metadata}}", NULL },
	{ "{{identity.entity}}", NULL },
	{ "{{identity.entity.}}", NULL },
	{ "{{identity.entity.bogus}}", NULL },
	{ "{{identity.entity.aliases.auth_kubernetes_1.id}}", "a1" },
	{ "{{identity.entity.aliases.auth_kubernetes_1.name}}", "uid-1" },
	{ "{{identity.entity.aliases.auth_kubernetes_1.metadata.service_account_name}}", "web" },
	{ "{{identity.entity.aliases.auth_kubernetes_1.metadata.vault.dot/x}}", "k" },
	{ "{{identity.entity.aliases.auth_kubernetes_1.custom_metadata.c}}", "custom" },
	{ "{{identity.entity.aliases.auth_kubernetes_2.name}}", "ns/sa", .unsafe = true },
	{ "{{identity.entity.metadata.slash}}/{{identity.entity.metadata.absent}}", NULL },
	{ "{{identity.entity.aliases.auth_kubernetes_2.metadata.c}}", NULL },
	{ "{{identity.entity.aliases.auth_kubernetes_.id}}", NULL },
	{ "{{identity.entity.aliases.auth_kubernetes_1}}", NULL },
	{ "{{identity.entity.aliases.auth_kubernetes_1.}}", NULL },
	{ "{{identity.entity.aliases}}", NULL },
	{ "{{identity.groups.names.red.id}}", "g1" },
	{ "{{identity.groups.ids.g1.name}}", "red" },
	{ "{{identity.groups.ids.g2.name}}", "a.b" },
	{ "{{identity.groups.names.red.metadata.k}}", "v" },
	{ "{{identity.groups.names.red.metadata.star}}", "*", .unsafe = true },
	{ "{{identity.groups.names.red.metadata.none}}", NULL },
	{ "{{identity.groups.names.red.metadata}}", NULL },
	{ "{{identity.groups.names.RED.id}}", NULL },
	{ "{{identity.groups.names.a.b.id}}", NULL },
	{ "{{identity.groups.names.red}}", NULL },
	{ "{{identity.groups.names.red.}}", NULL },
	{ "{{identity.groups.names}}", NULL },
	{ "{{identity.groups.names.g.id}}", NULL },
	{ "{{identity.groups.ids.g.name}}", NULL },
	{ "{{}}", NULL },
	{ "{{ }}", NULL },
	{ "{{time}}", NULL },
	{ "{{time.now.plus}}", NULL },
	{ "{{time.now.plus.}}", NULL },
	{ "{{time.now.plus.x}}", NULL },
	{ "{{time.now.divide.5m}}", NULL },
	{ "{{identity.entity.id", NULL },
	{ "plain", "plain" },
};

static void test_rows(void **state)
{
	json_t *entity = json_loads(entity_text, JSON_ALLOW_NUL, NULL);

	(void)state;
	assert_non_null(entity);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *filled = NULL;
		bool timed = false, unsafe = false;
		int r = template_fill(rows[i].label, entity, &timed, &unsafe, &filled);

		if (r != (rows[i].filled ? 0 : -ENOENT) || (r == 0 && strcmp(filled, rows[i].filled) != 0))
			fail_msg("%s: %d %s", rows[i].label, r, r == 0 ? filled : "");
		assert_false(timed);
		assert_true(r < 0 || unsafe == rows[i].unsafe);
		free(filled);
	}
	json_decref(entity);
}

static void check_time(const char *label, long long shift)
{
	long long before = time(NULL) + shift, after, shown;
	char *filled = NULL, *end;
	bool timed = false, unsafe = false;

	assert_int_equal(template_fill(label, NULL, &timed, &unsafe, &filled), 0);
	assert_false(unsafe);
	after = time(NULL) + shift;
	shown = strtoll(filled, &end, 10);
	assert_string_equal(end, "");
	assert_true(shown >= before && shown <= after);
	assert_true(timed);
	free(filled);
}

/* Without an entity, too. */
static void test_time(void **state)
{
	(void)state;
	check_time("{{time.now}}", 0);
	check_time("{{ time.now.plus.1h }}", 3600);
	check_time("{{time.now.minus.90s}}", -90);
}

static struct acl *acl_for(const char *text, const json_t *entity)
{
	struct policy *policy = NULL;
	struct acl *acl = NULL;
	char *error = NULL;

	assert_int_equal(policy_parse(text, &policy, &error), 0);
	assert_int_equal(acl_new(&policy, 1, false, entity, &acl), 0);
	policy_free(policy);
	return acl;
}

/* The rule's kind is that of the path as filled in; rules of one path merge, also where only one of them was filled in.
 */
static void test_rules(void **state)
{
	static const char text[] = "path \"/a/{{identity.entity.id}}\" { capabilities = [\"read\"] }\n"
				   "path \"a/e1\" { capabilities = [\"update\"] }\n"
				   "path \"b/{{identity.entity.id}}/*\" { capabilities = [\"list\"] }\n"
				   "path \"c/+/{{identity.entity.id}}\" { capabilities = [\"delete\"] }\n"
				   "path \"*\" { capabilities = [\"patch\"] }\n";
	json_t *entity = json_loads(entity_text, JSON_ALLOW_NUL, NULL);
	struct acl *acl = acl_for(text, entity);

	(void)state;
	assert_true(acl_is_templated(acl));
	assert_false(acl_is_timed(acl));
	assert_int_equal(acl_capabilities(acl, "a/e1"), ACL_READ | ACL_UPDATE);
	assert_int_equal(acl_capabilities(acl, "b/e1/x/y"), ACL_LIST);
	assert_int_equal(acl_capabilities(acl, "c/x/e1"), ACL_DELETE);
	assert_int_equal(acl_capabilities(acl, "c/x/e2"), ACL_PATCH);
	acl_free(acl);
	acl = acl_for(text, NULL);
	assert_true(acl_is_templated(acl));
	assert_int_equal(acl_capabilities(acl, "a/e1"), ACL_UPDATE);
	assert_int_equal(acl_capabilities(acl, "b/e1/x/y"), ACL_PATCH);
	acl_free(acl);
	acl = acl_for("path \"{{time.now}}\" {}", NULL);
	assert_true(acl_is_timed(acl));
	acl_free(acl);
	json_decref(entity);
}

/* A rule that a value may widen grants nothing, but what it takes away stays taken away. */
static void test_unsafe_rules_deny(void **state)
{
	static const char text[] =
	    "path \"a/*\" { capabilities = [\"read\", \"update\"] }\n"
	    "path \"a/{{identity.entity.metadata.slash}}/*\" { capabilities = [\"deny\"] }\n"
	    "path \"a/ro/{{identity.entity.aliases.auth_kubernetes_2.name}}\" { capabilities = [\"read\"] }\n"
	    "path \"b/{{identity.entity.metadata.star}}\" { capabilities = [\"read\"] }\n"
	    "path \"c/{{identity.entity.metadata.empty}}*\" { capabilities = [\"read\"] }\n"
	    "path \"d/{{identity.entity.metadata.plus}}/x\" { capabilities = [\"read\"] }\n"
	    "path \"e/{{identity.entity.metadata.slash}}\" { capabilities = [\"update\"]\n"
	    "	required_parameters = [\"x\"] }\n"
	    "path \"e/a/b\" { capabilities = [\"read\"] }\n";
	json_t *entity = json_loads(entity_text, JSON_ALLOW_NUL, NULL);
	struct acl *acl = acl_for(text, entity);

	(void)state;
	assert_int_equal(acl_capabilities(acl, "a/b"), ACL_READ | ACL_UPDATE);
	assert_int_equal(acl_capabilities(acl, "a/a/b/x"), ACL_DENY);
	assert_int_equal(acl_capabilities(acl, "a/ro/ns/sa"), ACL_DENY);
	assert_int_equal(acl_capabilities(acl, "b/a*"), ACL_DENY);
	assert_int_equal(acl_capabilities(acl, "b/abc"), ACL_DENY);
	assert_int_equal(acl_capabilities(acl, "c/x"), ACL_DENY);
	assert_int_equal(acl_capabilities(acl, "d/y/x"), ACL_DENY);
	/* What the author wrote without a template stands. */
	assert_int_equal(acl_capabilities(acl, "e/a/b"), ACL_READ);
	assert_true(acl_check(acl, VAULT_READ, "e/a/b", NULL, 0).allowed);
	assert_false(acl_check(acl, VAULT_READ, "a/ro/ns/sa", NULL, 0).allowed);
	acl_free(acl);
	json_decref(entity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_unsafe_rules_deny),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
