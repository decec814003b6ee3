/* SPDX-License-Identifier: Apache-2.0 */
/* The kubernetes engine's pure parts: globs, namespace selectors, bound CIDRs (kubernetes-auth.md 2.3, 2.7). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"
#include "vault/embedded/auth_token/cidr.h"
#include "vault/embedded/glob.h"

static void test_globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "a", "a", true },
		{ "a", "A", false },
		{ "a", "ab", false },
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "a", true },
		{ "a*", "a", true },
		{ "a*", "ba", false },
		{ "*a", "ba", true },
		{ "*a", "ab", false },
		{ "a*b", "ab", true },
		{ "a*b", "axxb", true },
		{ "a*b", "axxbx", false },
		{ "a*a", "a", false },
		{ "a*a", "aa", true },
		{ "ab*ba", "aba", false },
		{ "ab*ba", "abba", true },
		{ "*a*b*", "xxaxxbxx", true },
		{ "*a*b*", "xxbxxaxx", false },
		{ "a*b*c", "abbc", true },
		{ "a*bc*c", "abc", false },
		{ "a*bc*c", "abcc", true },
		{ "**", "a", true },
		{ "a**b", "ab", true },
		{ "a?", "ab", false },
		{ "[ab]", "a", false },
		{ "a\\*", "a*", false },
		{ "a\\*", "a\\x", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].match)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
	}
}

static const struct {
	const char *text, *labels; /* NULL: refused */
} selector_cases[] = {
	{ "{\"matchLabels\":{\"team\":\"blue\"}}", "{\"team\":\"blue\"}" },
	{ " {\"matchLabels\": {\"a.io/b\": \"x\", \"c\": \"\"}}\n", "{\"a.io/b\":\"x\",\"c\":\"\"}" },
	{ "{}", NULL },
	{ "{\"matchLabels\":{}}", NULL },
	{ "{\"matchLabels\":null}", NULL },
	{ "{\"matchLabel\":{\"a\":\"b\"}}", NULL },
	{ "{\"matchLabels\":{\"a\":\"b\"},\"x\":1}", NULL },
	{ "{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[]}", NULL },
	{ "{\"matchLabels\":{\"a\":\"b\",\"a\":\"b\"}}", NULL },
	{ "{\"matchLabels\":{\"a\":5}}", NULL },
	{ "{\"matchLabels\":{\"a b\":\"c\"}}", NULL },
	{ "{\"matchLabels\":{\"a\":\"c d\"}}", NULL },
	{ "{\"matchLabels\":{\"A.io/b\":\"c\"}}", NULL },
	{ "{\"matchLabels\":{\"/b\":\"c\"}}", NULL },
	{ "{\"matchLabels\":{\"a/b/c\":\"c\"}}", NULL },
	{ "{\"matchLabels\":{\"-a\":\"c\"}}", NULL },
	{ "{\"matchLabels\":{\"a\":\"b\"}} x", NULL },
	{ "matchLabels:\n  team: blue\n", "{\"team\":\"blue\"}" },
	{ "---\n# which\nmatchLabels:   # these\n    team:   blue  # all\n\n    a.io/b: \"x\"\n    c: 'y'\r\n  "
	  "  d: \"\"\n",
	    "{\"team\":\"blue\",\"a.io/b\":\"x\",\"c\":\"y\",\"d\":\"\"}" },
	{ "matchLabels:\n  a: 5\n  b: true\n  c: \"no\"\n  d: \"010\"",
	    "{\"a\":\"5\",\"b\":\"true\",\"c\":\"no\",\"d\":\"010\"}" },
	{ "matchLabels:\n  a: no", NULL },
	{ "matchLabels:\n  a: Null", NULL },
	{ "matchLabels:\n  a: TRUE", NULL },
	{ "matchLabels:\n  a: 010", NULL },
	{ "matchLabels:\n  a: 1e3", NULL },
	{ "matchLabels:\n  a: 1.5", NULL },
	{ "matchLabels:\n  a:\n    b: c", NULL },
	{ "matchLabels:\n  a: b\n c: d", NULL },
	{ "matchLabels:\n  a: b\n   c: d", NULL },
	{ "matchLabels:\n  a: b\nx: y", NULL },
	{ "matchLabels:\n  a: b\nmatchLabels:\n  c: d", NULL },
	{ "matchLabels:\n  a: b\n  a: c", NULL },
	{ "matchLabels:\n  a: b c", NULL },
	{ "matchLabels:\n  a:b", NULL },
	{ "matchLabels:\n  a: \"b\\x41\"", NULL },
	{ "matchLabels:\n  a: 'b''c'", NULL },
	{ "matchLabels:\n  a: \"b", NULL },
	{ "matchLabels:\n  a: *x", NULL },
	{ "matchLabels:\n  a: &x b", NULL },
	{ "matchLabels:\n  - a", NULL },
	{ "matchLabels:\n\ta: b", NULL },
	{ "matchLabels: {a: b}", NULL },
	{ "matchLabels:", NULL },
	{ "matchLabelsx:\n  a: b", NULL },
	{ "  matchLabels:\n    a: b", NULL },
	{ "hello", NULL },
	{ " ", NULL },
	{ "", NULL },
	{ "null", NULL },
	{ "][", NULL },
	{ "matchExpressions: []", NULL },
};

static void test_selectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(selector_cases); i++) {
		json_t *labels = selector_parse(selector_cases[i].text);
		char *text = labels ? json_dumps(labels, JSON_COMPACT) : NULL;

		if ((text == NULL) != (selector_cases[i].labels == NULL) ||
		    (text && !streq(text, selector_cases[i].labels)))
			fail_msg("\"%s\": %s", selector_cases[i].text, text ? text : "refused");
		free(text);
		json_decref(labels);
	}
}

static void test_selector_match(void **state)
{
	json_t *wanted = selector_parse("{\"matchLabels\":{\"a\":\"b\",\"c\":\"\"}}");
	json_t *both = json_pack("{s:s,s:s,s:s}", "a", "b", "c", "", "d", "e"), *one = json_pack("{s:s}", "a", "b");
	json_t *other = json_pack("{s:s,s:s}", "a", "B", "c", ""), *none = json_object();

	(void)state;
	assert_true(selector_match(wanted, both));
	assert_false(selector_match(wanted, one));
	assert_false(selector_match(wanted, other));
	assert_false(selector_match(wanted, none));
	assert_false(selector_match(none, both));
	assert_false(selector_match(NULL, both));
	json_decref(wanted);
	json_decref(both);
	json_decref(one);
	json_decref(other);
	json_decref(none);
}

static void test_cidrs(void **state)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "127.0.0.1/32", "127.0.0.1" },
		{ "10.0.0.5/8", "10.0.0.5/8" },
		{ "10.0.0.1/08", "10.0.0.1/8" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "::1/128", "::1" },
		{ "FE80::/10", "fe80::/10" },
		{ "::ffff:10.0.0.1", "10.0.0.1" },
		{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
		{ "::ffff:10.0.0.0/95", NULL },
		{ "10.0.0.0/33", NULL },
		{ "10.0.0.0/", NULL },
		{ "10.0.0.0/-1", NULL },
		{ "10.0.0.0/8/8", NULL },
		{ "x/99", NULL },
		{ "/run/x", NULL },
		{ "", NULL },
		{ "010.0.0.1", NULL },
		{ "127.0.0.1:80", NULL },
		{ "[::1]:80", NULL },
		{ "localhost", NULL },
	};
	char text[CIDR_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = cidr_canonical(cases[i].text, text);

		assert_int_equal(r, cases[i].canonical ? 0 : -EINVAL);
		if (r == 0)
			assert_string_equal(text, cases[i].canonical);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_selector_match),
		cmocka_unit_test(test_cidrs),
	};

	return cmocka_run_group_tests_name("auth_kubernetes_parts", tests, NULL, NULL);
}
