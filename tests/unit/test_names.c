/* SPDX-License-Identifier: Apache-2.0 */
/* accounts: what a name and an id tell, and the names and ids of service accounts (decisions 11, 12). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/names.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_prefix(void **state)
{
	static const struct {
		const char *name;
		size_t len;
	} rows[] = {
		{ "k8s_a", 4 },
		{ "k8s_", 4 },
		{ "k8s__x", 4 },
		{ "k8sprod_x_y", 8 },
		{ "k8sabc123_x", 10 },
		{ "k8sabc1234_x", 0 },
		{ "k8s", 0 },
		{ "k8s-x", 0 },
		{ "k8sauth-users", 0 },
		{ "k8sauth", 0 },
		{ "k8sA_x", 0 },
		{ "K8s_x", 0 },
		{ "xk8s_x", 0 },
		{ "root", 0 },
		{ "", 0 },
		{ "k8s\xc3\xa9_x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].name);

		assert_int_equal(account_prefix_len(rows[i].name), rows[i].len);
		assert_int_equal(account_prefix_valid(rows[i].name), rows[i].len > 0 && rows[i].len == len);
		assert_int_equal(account_name_is_ours(rows[i].name), rows[i].len > 0 && rows[i].len < len);
	}
}

static void test_groups_of_ours(void **state)
{
	(void)state;
	assert_true(account_group_is_ours("k8s_web"));
	assert_true(account_group_is_ours("k8s_web_sa"));
	assert_true(account_group_is_ours("k8s-admins"));
	assert_true(account_group_is_ours("k8sauth-users"));
	assert_false(account_group_is_ours("k8s-"));
	assert_false(account_group_is_ours("k8sauth"));
	assert_false(account_group_is_ours("sudo"));
	assert_false(account_group_is_ours(""));
}

static void test_kubernetes_names(void **state)
{
	static const char *const service_accounts[] = { "0", "a.b.c", "a-b", "default", "a.b-c.0" };
	static const char *const bad[] = { "", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a-.b", "A", "a_b", "a b", "a/b",
		"\xc3\xa9" };
	char long_name[260];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(service_accounts); i++) {
		assert_true(account_service_account_valid(service_accounts[i]));
		assert_int_equal(
		    account_namespace_valid(service_accounts[i]), strchr(service_accounts[i], '.') == NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(account_service_account_valid(bad[i]));
		assert_false(account_namespace_valid(bad[i]));
	}
	assert_true(account_namespace_valid(A63));
	assert_false(account_namespace_valid(A63 "a"));
	memset(long_name, 'a', 253);
	long_name[253] = '\0';
	assert_true(account_service_account_valid(long_name));
	long_name[253] = 'a';
	long_name[254] = '\0';
	assert_false(account_service_account_valid(long_name));
}

static void test_forbidden_ids(void **state)
{
	static const uint32_t forbidden[] = { 0, 1, 999, 1000, 9999, 60001, 60513, 60577, 61184, 65534, 65535, 524288,
		1000000000, 1879048191, 2147352576, 2147483647, 2147483648u, 4294967294u, 4294967295u };
	static const uint32_t allowed[] = { 10000, 60000, 65536, 524287, 1879048192, 2147352575 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		assert_true(account_id_forbidden(forbidden[i]));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		assert_false(account_id_forbidden(allowed[i]));
}

static void test_forms(void **state)
{
	static const struct {
		const char *name;
		enum account_form form;
	} rows[] = {
		{ "k8s_web_sa", ACCOUNT_FORM_FULL },
		{ "k8sprod_web_a.b.c", ACCOUNT_FORM_FULL },
		{ "k8s_a_0", ACCOUNT_FORM_FULL },
		{ "k8s_web", ACCOUNT_FORM_GROUP },
		{ "k8s__d5ckgq4eqd36kpkl", ACCOUNT_FORM_HASHED },
		{ "k8s__d5ckgq4eqd36kpk1", ACCOUNT_FORM_NONE },
		{ "k8s__d5ckgq4eqd36kpk", ACCOUNT_FORM_NONE },
		{ "k8s_a_b_c", ACCOUNT_FORM_NONE },
		{ "k8s_a.b_c", ACCOUNT_FORM_NONE },
		{ "k8s_A_b", ACCOUNT_FORM_NONE },
		{ "k8s_a_", ACCOUNT_FORM_NONE },
		{ "k8s_-a_b", ACCOUNT_FORM_NONE },
		{ "k8s_", ACCOUNT_FORM_NONE },
		{ "k8s_aaaaaaaaaaaaa_aaaaaaaaaaaaa", ACCOUNT_FORM_FULL },
		{ "k8s_aaaaaaaaaaaaa_aaaaaaaaaaaaaa", ACCOUNT_FORM_NONE },
		{ "root", ACCOUNT_FORM_NONE },
	};
	char *ns = NULL, *sa = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(account_name_form(rows[i].name), rows[i].form);
		if (rows[i].form != ACCOUNT_FORM_FULL)
			assert_int_equal(account_split_name(rows[i].name, &ns, &sa), -EINVAL);
	}
	assert_int_equal(account_split_name("k8sprod_web_a.b.c", &ns, &sa), 0);
	assert_string_equal(ns, "web");
	assert_string_equal(sa, "a.b.c");
	free(ns);
	free(sa);
}

static void test_unix_names(void **state)
{
	char name[ACCOUNT_NAME_SIZE];

	(void)state;
	assert_int_equal(account_unix_name("k8s_", "webapp-ns", "webapp-sa", name), 0);
	assert_string_equal(name, "k8s_webapp-ns_webapp-sa");
	assert_int_equal(account_unix_name("k8s_", "aaaaaaaaaaaaa", "aaaaaaaaaaaaa", name), 0);
	assert_string_equal(name, "k8s_aaaaaaaaaaaaa_aaaaaaaaaaaaa");
	assert_int_equal(account_unix_name("k8s_", "webapp-namespace-long", "webapp-service-account", name), 0);
	assert_string_equal(name, "k8s__d5ckgq4eqd36kpkl");
	assert_int_equal(account_name_form(name), ACCOUNT_FORM_HASHED);
	assert_int_equal(account_group_name("k8s_", "web", name), 0);
	assert_string_equal(name, "k8s_web");
	assert_int_equal(account_group_name("k8sprod_", A63, name), 0);
	assert_string_equal(name, "k8sprod__pu7hjic5pwyvxtsk");
	assert_int_equal(account_unix_name("root_", "a", "b", name), -EINVAL);
	assert_int_equal(account_unix_name("k8s_", "a_b", "b", name), -EINVAL);
	assert_int_equal(account_unix_name("k8s_", "a", "b/c", name), -EINVAL);
	assert_int_equal(account_group_name("k8s_", "", name), -EINVAL);
}

static void test_ids(void **state)
{
	(void)state;
	assert_int_equal(account_hashed_id("k8s_webapp-ns_webapp-sa"), 1930716171);
	assert_int_equal(account_hashed_id("k8s_a_859"), 1891837302); /* its first 28 bits are systemd's */
	/* A real collision, which the claim has to refuse. */
	assert_int_equal(account_hashed_id("k8s_ns_s6960"), account_hashed_id("k8s_ns_s29877"));
	assert_int_equal(account_hashed_id_in("k8s_a_b", 100000, 199999), 126279);
	assert_int_equal(account_hashed_id_in("k8s_a_b", 70000, 70000), 70000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_groups_of_ours),
		cmocka_unit_test(test_kubernetes_names),
		cmocka_unit_test(test_forbidden_ids),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_unix_names),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
