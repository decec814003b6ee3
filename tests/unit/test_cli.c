/* SPDX-License-Identifier: Apache-2.0 */
/* Values, texts and flags of the command line; what it prints as a whole is compared with vault in
 * tests/conformance/cli. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "cli/cli.h"
#include "cli/secret.h"

static struct value *parse(const char *text)
{
	char why[256] = "";
	struct value *value = value_parse(text, strlen(text), why, sizeof(why));

	if (!value)
		fail_msg("%s: %s", text, why);
	return value;
}

static void expect_json(const char *text, const char *json)
{
	AUTO_VALUE struct value *value = parse(text);
	AUTO_FREE char *printed = value_json(value, false);

	assert_string_equal(printed, json);
}

static void test_json_as_go_prints_it(void **state)
{
	(void)state;
	expect_json("{\"b\":1.50,\"a\":12345678901234567890,\"c\":[true,false,null]}",
	    "{\"a\":12345678901234567890,\"b\":1.50,\"c\":[true,false,null]}");
	expect_json("\"<a>&\\u2028\\\"\\\\\\n\\u0001\"", "\"\\u003ca\\u003e\\u0026\\u2028\\\"\\\\\\n\\u0001\"");
	expect_json("\"\\ud83d\\ude00\\ud800x\"", "\"\xf0\x9f\x98\x80\xef\xbf\xbdx\"");
	expect_json("\"\xff\"", "\"\xef\xbf\xbd\"");
	expect_json("{\"a\":1,\"a\":2} trailing", "{\"a\":2}");
	expect_json(" [ ] ", "[]");
}

static void expect_error(const char *text, const char *error)
{
	char why[256] = "";
	AUTO_VALUE struct value *value = value_parse(text, strlen(text), why, sizeof(why));

	assert_null(value);
	assert_string_equal(why, error);
}

static void test_json_errors_are_those_of_go(void **state)
{
	char deep[1000];

	(void)state;
	expect_error("", "EOF");
	expect_error("{", "unexpected EOF");
	expect_error("{x", "invalid character 'x' looking for beginning of object key string");
	expect_error("{\"a\" 1}", "invalid character '1' after object key");
	expect_error("{\"a\":1 2}", "invalid character '2' after object key:value pair");
	expect_error("[1 2]", "invalid character '2' after array element");
	expect_error("tru ", "invalid character ' ' in literal true (expecting 'e')");
	expect_error("x", "invalid character 'x' looking for beginning of value");
	expect_error("\"\\x\"", "invalid character 'x' in string escape code");
	expect_error("\"a\nb\"", "invalid character '\\n' in string literal");
	memset(deep, '[', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	expect_error(deep, "exceeded max depth");
}

static void test_go_text(void **state)
{
	AUTO_VALUE struct value *value = parse("{\"z\":[1,\"x\",null],\"a\":{\"k\":true},\"n\":1e3}");
	AUTO_FREE char *text = value_go(value);

	(void)state;
	assert_string_equal(text, "map[a:map[k:true] n:1e3 z:[1 x <nil>]]");
}

static void expect_yaml(const char *json, const char *yaml)
{
	AUTO_VALUE struct value *value = parse(json);
	AUTO_BUF struct buf text = { 0 };

	value_add_yaml(&text, value);
	assert_string_equal(text.data, yaml);
}

static void test_yaml(void **state)
{
	(void)state;
	expect_yaml("{\"a\":[1,{\"b\":null}],\"e\":{},\"l\":[]}", "a:\n- 1\n- b: null\ne: {}\nl: []\n");
	expect_yaml("{\"n\":\"x\"}", "\"n\": x\n");
	expect_yaml("[\"yes\",\"12\",\"1.5\",\"2024-01-02\",\"\",\"~\",\"0x1f\",\"abc\"]",
	    "- \"yes\"\n- \"12\"\n- \"1.5\"\n- \"2024-01-02\"\n- \"\"\n- \"~\"\n- \"0x1f\"\n- abc\n");
	expect_yaml("[\"a: b\",\"- a\",\" a\",\"it's\",\"#x\",\"a #b\",\"@x\"]",
	    "- 'a: b'\n- '- a'\n- ' a'\n- it's\n- '#x'\n- 'a #b'\n- '@x'\n");
	expect_yaml(
	    "{\"t\":\"two\\nlines\\n\",\"u\":\"two\\nlines\"}", "t: |\n  two\n  lines\nu: |-\n  two\n  lines\n");
	expect_yaml("{\"a10\":1,\"a2\":2,\"_\":3}", "_: 3\na2: 2\na10: 1\n");
	expect_yaml(
	    "[1e3,1e21,-0,0.000001,0.0001,1234567.5,100000.5,1.50,18446744073709551615,123456789012345678901234567890]",
	    "- 1000\n- 1e+21\n- 0\n- 1e-06\n- 0.0001\n- 1.2345675e+06\n- 100000.5\n- 1.5\n- 18446744073709551615\n"
	    "- 1.2345678901234568e+29\n");
	expect_yaml("[\"1e3\",\"<<\",\"\\u2028\",\"\\ufeff\",\"\\ud83d\\ude00\"]",
	    "- \"1e3\"\n- <<\n- '\xe2\x80\xa8'\n- \"\\uFEFF\"\n- \"\\U0001F600\"\n");
	expect_yaml("[[1,2],[]]", "- - 1\n  - 2\n- []\n");
	expect_yaml("\"\\u0007\"", "\"\\a\"\n");
}

static void test_lines_are_as_even_as_they_can_be(void **state)
{
	AUTO_FREE char *list = wrap_text(
	    "* Invalid path for a versioned K/V secrets engine. See the API docs for the "
	    "appropriate API endpoints to use. If using the Vault CLI, use 'vault kv list' for "
	    "this operation.",
	    2);
	AUTO_FREE char *word = wrap_text("word", 2);

	(void)state;
	assert_string_equal(list, "  * Invalid path for a versioned K/V secrets engine. See the API docs for\n"
				  "  the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv\n"
				  "  list' for this operation.");
	assert_string_equal(word, "  word");
}

static void test_durations(void **state)
{
	static const struct {
		long long seconds;
		const char *text;
	} all[] = { { 0, "0s" }, { 59, "59s" }, { 60, "1m" }, { 3600, "1h" }, { 3605, "1h5s" }, { 5400, "1h30m" },
		{ 2764800, "768h" }, { 3661, "1h1m1s" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		AUTO_FREE char *text = go_duration(all[i].seconds);

		assert_string_equal(text, all[i].text);
	}
}

static void test_times(void **state)
{
	AUTO_FREE char *utc = secret_time_text("2026-11-26T01:19:47.9Z");

	(void)state;
	assert_string_equal(utc, "2026-11-26 01:19:47.9 +0000 UTC");
}

static const struct verb *verb_named(const char *name)
{
	const struct verb *verb = verbs;

	while (!streq(verb->name, name))
		verb++;
	return verb;
}

static void test_flags(void **state)
{
	char *argv[] = { (char[]){ "-policy=a" }, (char[]){ "--policy" }, (char[]){ "b,c" }, (char[]){ "-ttl=90" },
		(char[]){ "-orphan" }, (char[]){ "-metadata=k=v=w" }, (char[]){ "--" }, (char[]){ "-x" } };
	struct cli cli = { .verb = verb_named("token create") };
	AUTO_VALUE struct value *policies = NULL;
	AUTO_VALUE struct value *meta = NULL;

	(void)state;
	assert_int_equal(flags_parse(&cli, (int)ARRAY_SIZE(argv), argv), CLI_OK);
	policies = flag_list(&cli, FLAG_POLICY);
	meta = flag_map(&cli, FLAG_METADATA);
	assert_int_equal(policies->n, 2);
	assert_string_equal(policies->items[1]->text, "b,c");
	assert_string_equal(value_get_text(meta, "k"), "v=w");
	assert_int_equal(flag_seconds(&cli, FLAG_TTL), 90);
	assert_true(flag_true(&cli, FLAG_ORPHAN));
	assert_false(flag_given(&cli, FLAG_RENEWABLE));
	assert_int_equal(cli.n_args, 1);
	flags_free(&cli);
}

/* A flag that no verb takes, or a verb with a flag twice, is a slip in the tables. */
static void test_every_flag_has_a_verb(void **state)
{
	(void)state;
	for (int id = FLAG_END + 1; id < FLAG_COUNT; id++) {
		bool taken = false;

		assert_non_null(flag_table[id].name);
		assert_non_null(flag_table[id].help);
		for (const struct verb *verb = verbs; verb->name; verb++)
			taken |= verb_takes(verb, (enum flag_id)id);
		if (!taken)
			fail_msg("no verb takes -%s", flag_table[id].name);
	}
}

static void test_token_file_is_for_its_owner(void **state)
{
	char home[] = "/tmp/test_cli.XXXXXX", path[64], other[64];
	AUTO_FREE char *text = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(home));
	setenv("HOME", home, 1);
	snprintf(path, sizeof(path), "%s/.vault-token", home);
	snprintf(other, sizeof(other), "%s/other", home);
	assert_int_equal(token_file_read(&text), -ENOENT);
	/* Somebody's link is replaced, not followed. */
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(token_file_write("hvs.secret"), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(token_file_read(&text), 0);
	assert_string_equal(text, "hvs.secret");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(home), 0); /* nothing else was left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_as_go_prints_it),
		cmocka_unit_test(test_json_errors_are_those_of_go),
		cmocka_unit_test(test_go_text),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_lines_are_as_even_as_they_can_be),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_every_flag_has_a_verb),
		cmocka_unit_test(test_token_file_is_for_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
