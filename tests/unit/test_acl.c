/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACL: what policies grant on a path, as sys/capabilities of Vault 1.21.4 answered. It sees rules as a LIST request
 * does.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "vault/embedded/acl.h"

static const struct {
	const char *policies[2]; /* the second may be NULL */
	struct {
		const char *path, *capabilities;
	} answers[8];
} cases[] = {
	{ { "path \"secret/foo\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/foo", "read" },
		{ "secret/foo/", "read" },
		{ "secret/foobar", "deny" },
		{ "secret/foo/bar", "deny" },
		{ "/secret/foo", "read" },
		{ "secret", "deny" },
	    } },
	{ { "path \"secret/foo*\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/foo", "read" },
		{ "secret/foobar", "read" },
		{ "secret/foo/bar", "read" },
		{ "secret/fo", "deny" },
		{ "secret/foo*", "read" },
	    } },
	{ { "path \"secret/*\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/", "read" },
		{ "secret/a", "read" },
		{ "secret/a/b/", "read" },
		{ "secret", "deny" },
		{ "secretx", "deny" },
	    } },
	{ { "path \"secret/a*b\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/a*b", "read" },
		{ "secret/axb", "deny" },
	    } },
	{ { "path \"*\" { capabilities = [\"update\",\"read\"] }", NULL },
	    {
		{ "a", "read update" },
		{ "a/b", "read update" },
	    } },
	{ { "path \"\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "/", "read" },
		{ "a", "deny" },
	    } },
	{ { "path \"secret/+/x\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/a/x", "read" },
		{ "secret//x", "read" },
		{ "secret/a/b/x", "deny" },
		{ "secret/a/x/y", "deny" },
		{ "secret/a/xy", "deny" },
	    } },
	{ { "path \"secret/+\" { capabilities = [\"list\"] }", NULL },
	    {
		{ "secret/", "list" },
		{ "secret/a", "list" },
		{ "secret/a/", "list" },
		{ "secret/a/b", "deny" },
		{ "secret", "deny" },
	    } },
	{ { "path \"+\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "a", "read" },
		{ "a/", "read" },
		{ "a/b", "deny" },
	    } },
	{ { "path \"+/x\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "a/x", "read" },
		{ "x", "deny" },
		{ "/a/x", "read" },
	    } },
	{ { "path \"secret/+/x*\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/a/x", "read" },
		{ "secret/a/xy", "read" },
		{ "secret/a/x/y/z", "read" },
		{ "secret/a/y", "deny" },
		{ "secret/a", "deny" },
	    } },
	{ { "path \"secret/+/*\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/a/", "read" },
		{ "secret/a/b/c", "read" },
		{ "secret/a", "deny" },
	    } },
	{ { "path \"foo/+bar\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "foo/+bar", "read" },
		{ "foo/xbar", "deny" },
	    } },
	{ { "path \"+bar/x\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "+bar/x", "read" },
		{ "a/x", "deny" },
	    } },
	{ { "path \"/lead/x\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "lead/x", "read" },
	    } },
	{ { "path \"//lead/x\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "lead/x", "deny" },
		{ "/lead/x", "deny" },
	    } },
	{ { "path \"secret/*\" { capabilities = [\"read\"] }\npath \"secret/a\" { capabilities = [\"deny\"] }", NULL },
	    {
		{ "secret/a", "deny" },
		{ "secret/a/", "deny" },
		{ "secret/ab", "read" },
	    } },
	{ { "path \"secret/a/*\" { capabilities = [\"deny\"] }\npath \"secret/*\" { capabilities = [\"list\",\"read\"] "
	    "}",
	      NULL },
	    {
		{ "secret/a", "list read" },
		{ "secret/a/", "list read" },
		{ "secret/a/b", "deny" },
		{ "secret/b", "list read" },
	    } },
	{ { "path \"secret/a/*\" { capabilities = [\"list\"] }\npath \"secret/a\" { capabilities = [\"deny\"] }",
	      NULL },
	    {
		{ "secret/a/", "deny" },
		{ "secret/a", "deny" },
		{ "secret/a/b", "list" },
	    } },
	{ { "path \"secret/a*\" { capabilities = [\"list\"] }\npath \"secret/a/*\" { capabilities = [\"deny\"] }",
	      NULL },
	    {
		{ "secret/a/", "list" },
		{ "secret/a", "list" },
		{ "secret/a/b", "deny" },
	    } },
	{ { "path \"secret/a\" {}\npath \"secret/*\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "secret/a", "deny" },
		{ "secret/b", "read" },
	    } },
	{ { "path \"s/+/c\" { capabilities = [\"read\"] }\npath \"s/b/*\" { capabilities = [\"deny\"] }", NULL },
	    {
		{ "s/b/c", "deny" },
		{ "s/a/c", "read" },
	    } },
	{ { "path \"s/+/c\" { capabilities = [\"deny\"] }\npath \"s/*\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "s/b/c", "deny" },
		{ "s/b/d", "read" },
	    } },
	{ { "path \"s/+/+\" { capabilities = [\"read\"] }\npath \"s/+/c\" { capabilities = [\"update\"] }", NULL },
	    {
		{ "s/b/c", "update" },
		{ "s/b/d", "read" },
	    } },
	{ { "path \"s/+/b*\" { capabilities = [\"read\"] }\npath \"s/+/+\" { capabilities = [\"update\"] }", NULL },
	    {
		{ "s/a/b", "update" },
		{ "s/a/bc", "update" },
		{ "s/a/c", "update" },
		{ "s/a/b/c", "read" },
	    } },
	{ { "path \"s/+/b*\" { capabilities = [\"read\"] }\npath \"s/+/bc*\" { capabilities = [\"update\"] }", NULL },
	    {
		{ "s/a/bc", "update" },
		{ "s/a/b", "read" },
	    } },
	{ { "path \"s/+/a/+\" { capabilities = [\"read\"] }\npath \"s/+/+/b\" { capabilities = [\"update\"] }", NULL },
	    {
		{ "s/x/a/b", "read" },
	    } },
	{ { "path \"s/+/+/*\" { capabilities = [\"read\"] }\npath \"s/+/*\" { capabilities = [\"update\"] }", NULL },
	    {
		{ "s/x/a/b", "update" },
		{ "s/x/a", "update" },
	    } },
	{ { "path \"a\" { capabilities = [\"read\"] }", "path \"a\" { capabilities = [\"update\"] }" },
	    {
		{ "a", "read update" },
	    } },
	{ { "path \"a\" { capabilities = [\"read\"] }", "path \"a\" { capabilities = [\"deny\"] }" },
	    {
		{ "a", "deny" },
	    } },
	{ { "path \"a\" { capabilities = [\"deny\"] }", "path \"a\" { capabilities = [\"read\",\"sudo\"] }" },
	    {
		{ "a", "deny" },
	    } },
	{ { "path \"a\" { capabilities = [\"read\"] }\npath \"a\" { capabilities = [\"list\"] }", NULL },
	    {
		{ "a", "list read" },
	    } },
	{ { "path \"a\" {}", "path \"a\" { capabilities = [\"read\"] }" },
	    {
		{ "a", "read" },
	    } },
	{ { "path \"a/*\" { capabilities = [\"read\"] }", "path \"a/b*\" { capabilities = [\"update\"] }" },
	    {
		{ "a/b", "update" },
		{ "a/c", "read" },
	    } },
	{ { "path \"a\" { policy = \"read\" }", NULL },
	    {
		{ "a", "list read" },
	    } },
	{ { "path \"a\" { policy = \"write\" }", NULL },
	    {
		{ "a", "create delete list read update" },
	    } },
	{ { "path \"a\" { policy = \"sudo\" }", NULL },
	    {
		{ "a", "create delete list read sudo update" },
	    } },
	{ { "path \"a\" { policy = \"deny\" }", NULL },
	    {
		{ "a", "deny" },
	    } },
	{ { "path \"a\" { policy = \"read\" capabilities = [\"update\"] }", NULL },
	    {
		{ "a", "list read update" },
	    } },
	{ { "path \"a\" { policy = \"deny\" capabilities = [\"update\"] }", NULL },
	    {
		{ "a", "deny" },
	    } },
	{ { "path \"a\" { capabilities = [\"read\",\"deny\"] }", NULL },
	    {
		{ "a", "deny" },
	    } },
	{ { "path \"a\" { capabilities = [\"create\",\"patch\",\"recover\",\"subscribe\",\"sudo\"] }", NULL },
	    {
		{ "a", "create patch recover subscribe sudo" },
	    } },
	{ { "path \"{{identity.entity.id}}\" { capabilities = [\"read\"] }\npath \"x/{{identity.entity.name}}/*\" { "
	    "capabilities = [\"read\"] }\npath \"*\" { capabilities = [\"list\"] }",
	      NULL },
	    {
		{ "{{identity.entity.id}}", "list" },
		{ "x/a/b", "list" },
		{ "x//b", "list" },
	    } },
	{ { "path { capabilities = [\"read\"] }", NULL },
	    {
		{ "path", "read" },
	    } },
	{ { "path \"a\" \"b\" { capabilities = [\"read\"] }", NULL },
	    {
		{ "a", "read" },
		{ "b", "deny" },
	    } },
	{ { "{\"path\":{\"a\":{\"capabilities\":[\"read\"]},\"b/*\":{\"policy\":\"write\"}}}", NULL },
	    {
		{ "a", "read" },
		{ "b/c", "create delete list read update" },
	    } },
	{ { "# only a comment", NULL },
	    {
		{ "a", "deny" },
	    } },
};

static struct acl *acl_of(const char *const *texts, size_t n)
{
	struct policy *policies[4];
	struct acl *acl = NULL;
	char *error = NULL;
	size_t i;

	for (i = 0; i < n && texts[i]; i++) {
		if (policy_parse(texts[i], &policies[i], &error) < 0)
			fail_msg("%s: %s", texts[i], error);
	}
	assert_int_equal(acl_new(policies, i, false, NULL, &acl), 0);
	while (i > 0)
		policy_free(policies[--i]);
	return acl;
}

static void check_capabilities(const struct acl *acl, const char *path, const char *expect)
{
	json_t *names = acl_capability_names(acl, acl_capabilities(acl, path)), *name;
	AUTO_BUF struct buf text = { 0 };
	size_t i;

	json_array_foreach(names, i, name) buf_printf(&text, "%s%s", i ? " " : "", json_string_value(name));
	json_decref(names);
	if (strcmp(text.data, expect) != 0)
		fail_msg("%s: %s instead of %s", path, text.data, expect);
}

static void test_capabilities(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct acl *acl = acl_of(cases[i].policies, 2);

		for (size_t k = 0; k < ARRAY_SIZE(cases[i].answers) && cases[i].answers[k].path; k++)
			check_capabilities(acl, cases[i].answers[k].path, cases[i].answers[k].capabilities);
		acl_free(acl);
	}
}

static void test_root_and_nothing(void **state)
{
	struct acl *acl = NULL;

	(void)state;
	assert_int_equal(acl_new(NULL, 0, true, NULL, &acl), 0);
	assert_true(acl_is_root(acl));
	check_capabilities(acl, "any/path", "root");
	assert_true(acl_check(acl, VAULT_HEADER, "any/path", NULL, 0).allowed);
	assert_true(acl_check(acl, VAULT_DELETE, "any/path", NULL, 0).sudo);
	acl_free(acl);
	assert_int_equal(acl_new(NULL, 0, false, NULL, &acl), 0);
	assert_false(acl_is_root(acl));
	check_capabilities(acl, "any/path", "deny");
	check_capabilities(acl, "", "deny");
	assert_false(acl_check(acl, VAULT_READ, "any/path", NULL, 0).allowed);
	acl_free(acl);
}

static void test_references(void **state)
{
	static const char *const text = "path \"a\" { capabilities = [\"read\"] }";
	struct acl *acl = acl_of(&text, 1);

	(void)state;
	assert_ptr_equal(acl_ref(acl), acl);
	acl_free(acl);
	check_capabilities(acl, "a", "read");
	acl_free(acl);
	acl_free(NULL);
}

/* The order of policies must not matter. */
static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *texts[2] = { cases[i].policies[1], cases[i].policies[0] };
		struct acl *acl;

		if (!texts[0])
			continue;
		acl = acl_of(texts, 2);
		for (size_t k = 0; k < ARRAY_SIZE(cases[i].answers) && cases[i].answers[k].path; k++)
			check_capabilities(acl, cases[i].answers[k].path, cases[i].answers[k].capabilities);
		acl_free(acl);
	}
}

static void test_resultant(void **state)
{
	static const char *const texts[] = {
		"path \"secret/data/app\" { capabilities = [\"read\"] }\n"
		"path \"secret/data/denied\" { capabilities = [\"read\"] }\n"
		"path \"secret/data/team/*\" { capabilities = [\"read\"] }\n"
		"path \"secret/metadata/team/*\" { capabilities = [\"read\", \"list\"] }\n"
		"path \"secret/data/+/x\" { capabilities = [\"read\"] }\n"
		"path \"secret/{{identity.entity.id}}\" { capabilities = [\"read\"] }\n"
		"path \"secret/data/mfa\" { capabilities = [\"read\"] mfa_methods = [\"x\"] }\n",
		"path \"secret/data/denied\" { capabilities = [\"deny\"] }",
	};
	struct acl *acl = acl_of(texts, 2);
	json_t *shown = acl_resultant(acl);
	json_t *expected = json_loads("{\"chroot_namespace\": \"\", \"root\": false, \"exact_paths\": {"
				      "\"secret/data/app\": {\"capabilities\": [\"read\"]},"
				      "\"secret/data/denied\": {\"capabilities\": [\"deny\"]},"
				      "\"secret/data/mfa\": {\"capabilities\": [\"deny\"]}}, \"glob_paths\": {"
				      "\"secret/data/team/\": {\"capabilities\": [\"read\"]},"
				      "\"secret/metadata/team/\": {\"capabilities\": [\"list\", \"read\"]},"
				      "\"secret/data/+/x\": {\"capabilities\": [\"read\"]}}}",
	    0, NULL);

	(void)state;
	assert_true(json_equal(shown, expected));
	json_decref(shown);
	json_decref(expected);
	acl_free(acl);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_root_and_nothing),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_resultant),
	};

	return cmocka_run_group_tests_name("acl", tests, NULL, NULL);
}
