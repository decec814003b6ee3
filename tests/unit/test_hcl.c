/* SPDX-License-Identifier: Apache-2.0 */
/* base: the HCL1 reader. Each text is compared with a plain print of its tree, or with its error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hcl.h"

static void print_value(struct buf *out, const struct hcl_value *value);

static void print_items(struct buf *out, const struct hcl_value *object)
{
	for (size_t i = 0; i < object->object.n; i++) {
		const struct hcl_item *item = &object->object.items[i];

		for (size_t k = 0; k < item->n_keys; k++)
			buf_printf(out, "%s%s", k ? "|" : i ? " " : "", item->keys[k]);
		buf_add_str(out, item->block ? "" : "=");
		print_value(out, item->value);
	}
}

static void print_value(struct buf *out, const struct hcl_value *value)
{
	switch (value->type) {
	case HCL_STRING:
		buf_printf(out, "'%s'", value->string);
		break;
	case HCL_INT:
		buf_printf(out, "%lld", value->integer);
		break;
	case HCL_FLOAT:
		buf_printf(out, "f%g", value->number);
		break;
	case HCL_BOOL:
		buf_add_str(out, value->boolean ? "true" : "false");
		break;
	case HCL_LIST:
		buf_add_char(out, '[');
		for (size_t i = 0; i < value->list.n; i++) {
			buf_add_str(out, i ? "," : "");
			print_value(out, value->list.values[i]);
		}
		buf_add_char(out, ']');
		break;
	case HCL_OBJECT:
		buf_add_char(out, '{');
		print_items(out, value);
		buf_add_char(out, '}');
		break;
	}
}

static void check_tree(const char *text, size_t len, const char *expect)
{
	AUTO_HCL struct hcl_value *tree = NULL;
	AUTO_BUF struct buf out = { 0 };
	struct hcl_error error;
	int r = hcl_parse(text, len, &tree, &error);

	if (r < 0)
		fail_msg("%s: %s", text, error.whole);
	buf_add_str(&out, "");
	print_items(&out, tree);
	assert_string_equal(out.data, expect);
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "", "" },
		{ " \n\t", "" },
		{ "# only a comment", "" },
		{ "// one\n/* two\n * lines **/ a = 1 # three\n", "a=1" },
		{ "a = 1\nb=-2,c = 0x1F d = 017 e = -0x10", "a=1 b=-2 c=31 d=15 e=-16" },
		{ "a = 1.5 b = 1e3 c = -2.5E-1 d = 1. e = .5 f = 09.5", "a=f1.5 b=f1000 c=f-0.25 d=f1 e=f0.5 f=f9.5" },
		{ "a = 9223372036854775807 b = -9223372036854775808", "a=9223372036854775807 b=-9223372036854775808" },
		{ "a = true b = false", "a=true b=false" },
		{ "a = \"\" b = \"x y\"", "a='' b='x y'" },
		{ "a = \"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "a='\a\b\f\n\r\t\v\\\"'" },
		{ "a = \"\\101\\x42\\u00e9\\u20AC\\U0001F511\\xc3\\xa9\"",
		    "a='AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91\xc3\xa9'" },
		{ "a = \"${b \"q\" {\\n}\n}\\n\"", "a='${b \"q\" {\\n}\n}\n'" },
		{ "a = \"$\" b = \"$${x}\" c = \"{\"", "a='$' b='$${x}' c='{'" },
		{ "a = \"{{identity.entity.id}}\"", "a='{{identity.entity.id}}'" },
		{ "a = [] b = [1, \"x\", true, 2.5,] c = [[1], [2, [3]]] d = [,1,,2]",
		    "a=[] b=[1,'x',true,f2.5] c=[[1],[2,[3]]] d=[1,2]" },
		{ "a = [ # first\n1, // second\n/* third */ 2\n]", "a=[1,2]" },
		{ "a = {} b {} c { d = 1 }", "a={} b{} c{d=1}" },
		{ "a = { \"k\" = [1], m = 2\n n = 3 }", "a={k=[1] m=2 n=3}" },
		{ "a = [{ b = 1 }, { b = 2 }]", "a=[{b=1},{b=2}]" },
		{ "path \"x\" { capabilities = [\"read\"] }", "path|x{capabilities=['read']}" },
		{ "path \"a\" \"b\" {}\npath lone {}\npath \"\" {}\n\"path\" \"q\" {}",
		    "path|a|b{} path|lone{} path|{} path|q{}" },
		{ "path \"same\" {} path \"same\" {}", "path|same{} path|same{}" },
		{ "a { x = 1 } a { x = 2 }", "a{x=1} a{x=2}" },
		{ "a\r\n=\r\n\"x\"\r\nb = <<E\r\none\r\ntwo\r\nE\r\n", "a='x' b='one\ntwo\n'" },
		{ "foo-bar.baz_1 = 1", "foo-bar.baz_1=1" },
		{ "a = <<EOF\nx \"y\" \\n\n  EOFX\nEOF\nb = 1", "a='x \"y\" \\n\n  EOFX\n' b=1" },
		{ "a = <<EOF\nEOF\n", "a=''" },
		{ "a = <<EOF\n x\n  EOF\n", "a=' x\n  '" },
		{ "a = <<-EOF\n    x\n      y\n    EOF\n", "a='x\n  y\n'" },
		{ "a = <<-EOF\n  x\n y\n    EOF\n", "a='  x\n y\n'" },
		{ "a = <<-EOF\nx\nEOF\n", "a='x\n'" },
		{ "a = [<<A\n1\nA\n, \"2\"]", "a=['1\n','2']" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_tree(cases[i].text, strlen(cases[i].text), cases[i].tree);
}

static void test_json(void **state)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "{}", "" },
		{ " \n\t {}", "" },
		{ "{\"a\":1,\"b\":-2.5,\"c\":true,\"d\":null,\"e\":\"x\\u0041\\n\"}",
		    "a=1 b=f-2.5 c=true d='' e='xA\n'" },
		{ "{\"a\":[1,\"b\",true,[2]],}", "a=[1,'b',true,[2]]" },
		{ "{\"a\":\"${\"}", "a='${'" },
		{ "{\"name\":\"n\",\"path\":{\"x\":{\"capabilities\":[\"read\"]},\"y\":{\"capabilities\":[\"deny\"]}}}",
		    "name='n' path|x{capabilities=['read']} path|y{capabilities=['deny']}" },
		{ "{\"path\":[{\"x\":{\"policy\":\"read\"}},{\"y\":{\"policy\":\"deny\"}}]}",
		    "path|x{policy='read'} path|y{policy='deny'}" },
		{ "{\"path\":{\"x\":{}}, \"path\":{\"y\":{}}}", "path|x{} path|y{}" },
		{ "{\"path\":{}}", "path{}" },
		{ "{\"a\":{\"b\":1,\"c\":{\"d\":1}}}", "a{b=1 c{d=1}}" },
		{ "{\"a\":{\"b\":1,\"c\":[{\"d\":1},{\"d\":2}]}}", "a{b=1 c{d=1} c{d=2}}" },
		/* a text that ends early is a whole one */
		{ "{", "" },
		{ "{\"path\"", "" },
		{ "{\"path\":", "" },
		{ "{\"path\":{\"x\":{\"capabilities\":[\"read\"]", "path|x{capabilities=['read']}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_tree(cases[i].text, strlen(cases[i].text), cases[i].tree);
}

static void check_error(const char *text, size_t len, const char *expect, unsigned line)
{
	struct hcl_value *tree = NULL;
	struct hcl_error error;

	assert_int_equal(hcl_parse(text, len, &tree, &error), -EINVAL);
	assert_null(tree);
	assert_string_equal(error.whole, expect);
	assert_int_equal(error.line, line);
}

static const struct {
	unsigned line;
	const char *text, *error;
} refused[] = {
	{ 1, "path \"a\" { capabilities = [\"read\"] capabilities = [\"list\"] }",
	    "The argument \"capabilities\" at 1:36 was already set. Each argument can only be defined once" },
	{ 2, "a = 1\n\"a\" = 2", "The argument \"a\" at 2:1 was already set. Each argument can only be defined once" },
	{ 1,
	    "\xef\xbb\xbf"
	    "a = 1",
	    "At 1:1: illegal char" },
	{ 1, "a = 1;", "At 1:6: illegal char" },
	{ 2, "\na = 'x'", "At 2:5: illegal char" },
	{ 1, "a = \"\xc3\xa9\" \xc3\xa9", "At 1:9: illegal char" }, /* columns are characters */
	{ 1, "a = \"x", "At 1:7: literal not terminated" },
	{ 1, "a = \"x\n\"", "At 1:7: literal not terminated" },
	{ 1, "a = \"${x\"", "At 1:10: literal not terminated" },
	{ 1, "a = \"\\q\"", "At 1:7: illegal char escape" },
	{ 1, "a = \"\\18\"", "At 1:8: illegal char escape" },
	{ 1, "a = \"\\xg0\"", "At 1:8: illegal char escape" },
	{ 1, "a = \"\\400\"", "At 1:5: illegal char escape" },
	{ 1, "a = \"\\x00\"", "At 1:5: illegal char escape" },
	{ 1, "a = \"\\ud800\"", "At 1:5: illegal char escape" },
	{ 1, "a = \"\\U00110000\"", "At 1:5: illegal char escape" },
	{ 1, "a = \"\\xff\"", "At 1:5: illegal char escape" },
	{ 1, "a = \"\xff\"", "At 1:6: illegal UTF-8 encoding" },
	{ 1, "a = \"\xc3", "At 1:6: illegal UTF-8 encoding" },
	{ 1, "/* x", "At 1:5: comment not terminated" },
	{ 1, "/*/", "At 1:4: comment not terminated" },
	{ 1, "/ x", "At 1:1: expected '/' for comment" },
	{ 1, "a = 0x", "At 1:7: illegal hexadecimal number" },
	{ 1, "a = 08", "At 1:7: illegal octal number" },
	{ 1, "a = 1e", "At 1:7: illegal exponent of a number" },
	{ 1, "a = 9223372036854775808", "At 1:5: number out of range" },
	{ 1, "a = 1e999", "At 1:5: number out of range" },
	{ 1, "a = <x", "At 1:6: heredoc expected second '<', didn't see it" },
	{ 1, "a = <<EOF", "At 1:10: heredoc not terminated" },
	{ 2, "a = <<EOF\nEOF", "At 2:4: heredoc not terminated" },
	{ 1, "a = <<E F\nE F\n", "At 1:8: invalid characters in heredoc anchor" },
	{ 1, "a = <<-\n\n", "At 1:8: zero-length heredoc anchor" },
	{ 1, "a", "At 1:3: key 'a' expected start of object ('{') or assignment ('=')" },
	{ 1, "a # x", "At 1:7: key 'a' expected start of object ('{') or assignment ('=')" },
	{ 1, "b { path  \"x y\" }", "At 1:17: key 'path \"x y\"' expected start of object ('{') or assignment ('=')" },
	{ 1, "a b = {}", "At 1:5: nested object expected: LBRACE got: ASSIGN" },
	{ 1, "= 1", "At 1:1: no object keys found!" },
	{ 1, "a {{}}", "At 1:4: expected: IDENT | STRING got: LBRACE" },
	{ 1, "}", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE" },
	{ 1, "[1]", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: LBRACK" },
	{ 1, "1 = 2", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: NUMBER" },
	{ 1, "a = b", "At 1:5: Unknown token: 1:5 IDENT b" },
	{ 1, "a =", "At 1:4: Unknown token: 1:4 EOF " },
	{ 2, "a {\n", "At 2:2: object expected closing RBRACE got: EOF" },
	{ 1, "a = [1 2]", "At 1:8: error parsing list, expected comma or list end, got: NUMBER" },
	{ 1, "a = [read]", "At 1:6: unexpected token while parsing list: IDENT" },
	{ 1, "a = [1", "At 1:7: error parsing list, expected comma or list end, got: EOF" },
	{ 1, "a = 1 ,, b = 2", "At 1:8: expected: IDENT | STRING | ASSIGN | LBRACE got: COMMA" },
	/* JSON */
	{ 1, "{\"a\":x}", "1:6: illegal char" },
	{ 1, "{\"a\":1;}", "1:7: illegal char: ;" },
	{ 1, "{\"a\":01}", "1:8: numbers cannot start with 0" },
	{ 1, "{\"a\":\"\\/\"}", "1:8: illegal char escape" },
	{ 1, "{\"a\":\"x}", "1:9: literal not terminated" },
	{ 1, "{a:1}", "1:2: illegal char" },
	{ 1, "{:1}", "expected: STRING got: COLON" },
	{ 2, "{\"a\":1\n\"b\":2}", "expected: COMMA | RBRACE got: STRING" },
	{ 1, "{\"a\":[null]}", "unexpected token while parsing list: NULL" },
	{ 1, "{\"a\":[1", "unexpected token while parsing list: EOF" },
	{ 1, "{\"a\":1,\"a\":2}", "The argument \"a\" at 1:8 was already set. Each argument can only be defined once" },
	{ 1, "{} x", "1:4: illegal char" },
	{ 1, "{} {}", "unexpected text behind the JSON object: LBRACE" },
	{ 1, "{\"a\":1} # no comments", "1:9: illegal char: #" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		check_error(refused[i].text, strlen(refused[i].text), refused[i].error, refused[i].line);
	check_error("a = \"\0\"", 7, "At 1:6: unexpected null character (0x00)", 1);
	check_error("{\"a\":\"\0\"}", 9, "1:7: unexpected null character (0x00)", 1);
}

static void test_lines(void **state)
{
	static const char text[] = "a = 1\n\n  b\n  = [\n 2\n]\nc \"d\" {\n\te = 3\n}\n";
	AUTO_HCL struct hcl_value *tree = NULL;
	struct hcl_error error;
	const struct hcl_item *item;

	(void)state;
	assert_int_equal(hcl_parse(text, strlen(text), &tree, &error), 0);
	item = tree->object.items;
	assert_int_equal(item[0].line, 1);
	assert_int_equal(item[0].column, 1);
	assert_int_equal(item[0].assign_line, 1);
	assert_int_equal(item[0].value->column, 5);
	assert_int_equal(item[1].line, 3);
	assert_int_equal(item[1].column, 3);
	assert_int_equal(item[1].assign_line, 4);
	assert_int_equal(item[1].value->list.values[0]->line, 5);
	assert_int_equal(item[2].line, 7);
	assert_int_equal(item[2].assign_line, 0);
	assert_int_equal(item[2].value->object.items[0].line, 8);
	assert_int_equal(item[2].value->object.items[0].column, 2);
}

static char *repeat(const char *head, const char *body, size_t n, const char *tail)
{
	struct buf out = { 0 };

	buf_add_str(&out, head);
	for (size_t i = 0; i < n; i++)
		buf_add_str(&out, body);
	buf_add_str(&out, tail);
	return buf_take(&out);
}

static int parse_repeated(const char *head, const char *body, size_t n, const char *tail, struct hcl_error *error)
{
	AUTO_HCL struct hcl_value *tree = NULL;
	AUTO_FREE char *text = repeat(head, body, n, tail);

	return hcl_parse(text, strlen(text), &tree, error);
}

static void test_bounds(void **state)
{
	AUTO_BUF struct buf many = { 0 };
	AUTO_FREE char *key = repeat("{\"", "k", 400000, "\":{");
	struct hcl_value *tree = NULL;
	struct hcl_error error;

	(void)state;
	assert_int_equal(parse_repeated("#", " ", 1024 * 1024 - 1, "", &error), 0);
	assert_int_equal(parse_repeated("#", " ", 1024 * 1024, "", &error), -EINVAL);
	assert_string_equal(error.text, "text larger than 1 MiB");

	assert_int_equal(
	    parse_repeated("a = [", "[", 62, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", &error),
	    0);
	assert_int_equal(parse_repeated("a = ", "[", 500000, "", &error), -EINVAL);
	assert_string_equal(error.text, "nested too deeply");
	assert_int_equal(parse_repeated("", "a {", 300000, "", &error), -EINVAL);
	assert_string_equal(error.text, "nested too deeply");
	assert_int_equal(parse_repeated("", "{\"a\":", 200000, "", &error), -EINVAL);
	assert_string_equal(error.text, "nested too deeply");

	/* 100,000 children would each repeat a key of 400,000 bytes */
	buf_add_str(&many, key);
	for (int i = 0; i < 100000; i++)
		buf_add_str(&many, "\"\":{},");
	assert_int_equal(hcl_parse(many.data, many.len, &tree, &error), -EINVAL);
	assert_string_equal(error.text, "text too large");

	buf_free(&many);
	for (int i = 0; i < 1025; i++)
		buf_printf(&many, "a%d = 1\n", i);
	assert_int_equal(hcl_parse(many.data, many.len, &tree, &error), -EINVAL);
	assert_string_equal(error.whole, "At 1025:1: more than 1024 arguments in one object");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("hcl", tests, NULL, NULL);
}
