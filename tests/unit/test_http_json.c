/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: what is taken, what is refused and in which words, and how values are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_go.h"
#include "base/json_quick.h"
#include "daemon/http_json.h"

#define INPUT "error parsing JSON: failed to parse JSON input: "

static void test_json_refusals(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *error;
	} cases[] = {
		/* as Vault 1.21.4 answers */
		{ "{\"data\":", 500, "malformed JSON, unclosed containers" },
		{ "{", 500, "malformed JSON, unclosed containers" },
		{ "{\"a\":\"x", 500, "malformed JSON, unclosed string" },
		{ "{\"a\":1,\"a\":2}", 500, "duplicate key 'a' in object" },
		{ "{\"a\":1,\"\\u0061\":2}", 500, "duplicate key" },
		{ "{\"a\":{\"b\":1,\"b\":2}}", 500, "duplicate key 'b' in object" },
		{ "{\"a\":1}x", 500, "invalid character 'x' after top-level value" },
		{ "{} {}", 500, "invalid character '{' after top-level value" },
		{ "{b}", 500, "invalid character 'b' looking for beginning of value" },
		{ "{1:2}", 400, INPUT "invalid character '1' looking for beginning of object key string" },
		{ "{\"a\":b}", 500, "invalid character 'b' looking for beginning of value" },
		{ "{\"a\":.5}", 500, "invalid character '.' looking for beginning of value" },
		{ "{\"a\":1,}", 500, "invalid character '}' after object key-value pair" },
		{ "{\"a\":[1,]}", 500, "invalid character ']' after array element" },
		{ "{\"a\":\"\\x\"}", 500, "invalid character 'x' in string escape code" },
		{ "{\"a\":\"\\u12gg\"}", 500, "invalid character 'g' in string escape code" },
		{ "{\"a\":\"\\ud800\"}", 500, "malformed JSON, unterminated surrogate pair in string" },
		{ "{\"a\":tru}", 400, INPUT "invalid character '}' in literal true (expecting 'e')" },
		{ "{\"a\" 1}", 400, INPUT "invalid character '1' after object key" },
		{ "{\"a\":\"x\x01\"}", 400, INPUT "invalid character '\\x01' in string literal" },
		{ "[1]", 400, INPUT "json: cannot unmarshal array into Go value of type map[string]interface {}" },
		{ "\"x\"", 400, INPUT "json: cannot unmarshal string into Go value of type map[string]interface {}" },
		{ "true", 400, INPUT "json: cannot unmarshal bool into Go value of type map[string]interface {}" },
		{ "12", 400, INPUT "json: cannot unmarshal number into Go value of type map[string]interface {}" },
		{ "xx", 400, INPUT "invalid character 'x' looking for beginning of value" },
		{ "\xef\xbb\xbf{}", 400, INPUT "invalid character '\xc3\xaf' looking for beginning of value" },
		{ "{\"a\":01}", 500, "invalid character '1' after top-level value" },
		{ "{\"a\":-}", 500, "malformed JSON, invalid number syntax for '-'" },
		{ "{\"a\":1.}", 400, INPUT "invalid character '}' after decimal point in numeric literal" },
		{ "{\"a\":-.5}", 400, INPUT "invalid character '.' in numeric literal" },
		{ "{\"a\":1.e5}", 400, INPUT "invalid character 'e' after decimal point in numeric literal" },
		{ "{\"a\":1e}", 500, "malformed JSON, invalid number syntax for '1e'" },
		{ "{\"a\":1e400}", 500, "malformed JSON, invalid number syntax for '1e400'" },
		{ "{\"a\":[1,2}", 500, "malformed JSON: mismatched closing delimiter '}'" },
		{ "[1,2", 500, "malformed JSON, unclosed containers" },
		{ "{\"a\":}", 500, "invalid character '}' after object key" },
		{ "{\"a\",\"b\"}", 500, "invalid character '}' after object key" },
		{ "{,}", 500, "invalid character '}' after object key-value pair" },
		{ "{\"a\":1 \"b\":2}", 400, INPUT "invalid character '\"' after object key:value pair" },
		{ "{\"a\":1,,\"b\":2}", 400, INPUT "invalid character ',' looking for beginning of object key string" },
		{ "{\"a\":[1 2]}", 400, INPUT "invalid character '2' after array element" },
		{ "{\"a\":[,1]}", 400, INPUT "invalid character ',' looking for beginning of value" },
		{ "{\"a\":\"\\", 500, "malformed JSON, unterminated escape sequence in string" },
		{ "{\"a\":\"\\u1", 500, "malformed JSON, unterminated unicode escape in string" },
		{ "\"\\u12gg\"", 400, INPUT "invalid character 'g' in \\u hexadecimal character escape" },
		{ "\"\\q\"", 400, INPUT "invalid character 'q' in string escape code" },
		{ "\"\n\"", 400, INPUT "invalid character '\\n' in string literal" },
		{ "\"x", 400, INPUT "unexpected EOF" },
		{ "[n[},1]", 500, "malformed JSON: mismatched closing delimiter '}'" },
		{ "[1,{\"a\":]}", 500, "invalid character '}' after object key" },
		{ "[true,}", 500, "invalid character '}' after object key-value pair" },
		{ "{\"a\"t:1}", 400, INPUT "invalid character 't' after object key" },
		{ "nul", 400, INPUT "unexpected EOF" },
		{ "--5", 400, INPUT "invalid character '-' in numeric literal" },
		{ "5ex", 400, INPUT "invalid character 'x' in exponent of numeric literal" },
		{ "'", 400, INPUT "invalid character '\\'' looking for beginning of value" },
		{ "\x7f", 400, INPUT "invalid character '\\x7f' looking for beginning of value" },
		{ "5 x", 400, INPUT "json: cannot unmarshal number into Go value of type map[string]interface {}" },
		/* stricter or plainer */
		{ "{\"a\":\"\\u0000\"}", 400, INPUT "\\u0000 in a string" },
		{ "{\"a\\u0000\":1}", 400, INPUT "\\u0000 in a string" },
		{ "{\"a\":\"\xff\"}", 400, INPUT "invalid UTF-8 in a string" },
	};
	char error[HTTP_JSON_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = NULL;
		int status = http_json_decode(cases[i].text, strlen(cases[i].text), &json, error);

		if (status != cases[i].status || strncmp(error, cases[i].error, strlen(cases[i].error)) != 0)
			fail_msg("%s: %d %s", cases[i].text, status, error);
		assert_null(json);
	}
}

static void test_json(void **state)
{
	static const char *const empty[] = { "", "  \r\n", "null", " null ", "null x", "nulll" };
	char error[HTTP_JSON_ERROR_SIZE];
	AUTO_BUF struct buf deep = { 0 };
	json_t *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		assert_int_equal(http_json_decode(empty[i], strlen(empty[i]), &json, error), 0);
		assert_null(json);
	}
	{
		static const char text[] = " {\"e\":1e3,\"l\":[2.0,2.5],\"n\":9007199254740993,\"s\":\"\\u00e9/\"} ";
		AUTO_FREE char *back = NULL;

		assert_int_equal(http_json_decode(text, strlen(text), &json, error), 0);
		back = json_dumps(json, JSON_COMPACT);
		assert_string_equal(back, "{\"e\":1000,\"l\":[2,2.5],\"n\":9007199254740993,\"s\":\"\xc3\xa9/\"}");
		json_decref(json);
	}
	assert_int_equal(http_json_decode("{\"n\":12345678901234567890}", 26, &json, error), 0);
	assert_true(json_real_value(json_object_get(json, "n")) > 1.2e19);
	json_decref(json);
	for (int levels = HTTP_JSON_DEPTH_MAX; levels <= HTTP_JSON_DEPTH_MAX + 1; levels++) {
		buf_free(&deep);
		for (int i = 0; i < levels; i++)
			buf_add_str(&deep, "{\"a\":");
		buf_add_str(&deep, "1");
		for (int i = 0; i < levels; i++)
			buf_add_str(&deep, "}");
		if (levels == HTTP_JSON_DEPTH_MAX) {
			assert_int_equal(http_json_decode(deep.data, deep.len, &json, error), 0);
			json_decref(json);
		} else {
			assert_int_equal(http_json_decode(deep.data, deep.len, &json, error), 500);
			assert_string_equal(error, "JSON input exceeds allowed nesting depth");
		}
	}
}

/* {"a":[0,0,...],"b":[...]} with N zeros in each of ROWS arrays. */
static void add_rows(struct buf *text, unsigned rows, unsigned n)
{
	buf_free(text);
	for (unsigned row = 0; row < rows; row++) {
		buf_printf(text, "%s\"%u\":[0", row ? "," : "{", row);
		for (unsigned i = 1; i < n; i++)
			buf_add_str(text, ",0");
		buf_add_char(text, ']');
	}
	buf_add_char(text, '}');
}

/* A tree takes many times the memory of its text: Vault's limits and texts. */
static void test_json_counts(void **state)
{
	static const struct {
		unsigned rows, n;
		int status;
		const char *error;
	} cases[] = {
		{ 1, HTTP_JSON_COUNT_MAX, 0, "" },
		{ 1, HTTP_JSON_COUNT_MAX + 1, 500, "JSON array exceeds allowed element count" },
		{ HTTP_JSON_COUNT_MAX, 1, 0, "" },
		{ HTTP_JSON_COUNT_MAX + 1, 1, 500, "JSON object exceeds allowed entry count" },
		{ 24, HTTP_JSON_COUNT_MAX, 0, "" },
		{ 25, HTTP_JSON_COUNT_MAX, 500, "JSON payload exceeds allowed token count" },
	};
	AUTO_BUF struct buf text = { 0 };
	char error[HTTP_JSON_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = NULL;

		*error = '\0';
		add_rows(&text, cases[i].rows, cases[i].n);
		assert_int_equal(http_json_decode(text.data, text.len, &json, error), cases[i].status);
		assert_string_equal(error, cases[i].error);
		json_decref(json);
	}
}

static void test_json_encode(void **state)
{
	/* Reads back as itself, byte for byte, except where Go writes another form of the same text. */
	static const char *const same[] = {
		"{\"b\":1,\"a\":[],\"c\":{},\"d\":[null,true,false,-5,0.1,1.5e-7,1e+300,0.000001,123456789012345680000,"
		"1.5e+21,-12345.678,0.30000000000000004]}",
		"{\"s\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/"
		"\\u003c\\u003e\\u0026\\u2028\\u2029\xe2\x82\xac\xe2\x80\xa0\"}",
	};
	char error[HTTP_JSON_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		AUTO_BUF struct buf text = { 0 };
		json_t *json;

		assert_int_equal(http_json_decode(same[i], strlen(same[i]), &json, error), 0);
		json_go_encode(json, &text);
		assert_string_equal(text.data, same[i]);
		json_decref(json);
	}
}

/* Every byte in every place, whatever stands around it. */
static void test_json_plain_len(void **state)
{
	char text[21];

	for (int around = 0; around < 2; around++) {
		for (size_t at = 0; at < sizeof(text); at++) {
			for (int c = 0; c < 256; c++) {
				bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';

				memset(text, around ? '~' : ' ', sizeof(text));
				text[at] = (char)c;
				assert_int_equal(json_plain_len(text, sizeof(text)), plain ? sizeof(text) : at);
				assert_int_equal(json_plain_len(text, at), at);
			}
		}
	}
}

/* The same for what is written: a byte alone tells what it becomes. */
static void test_json_go_string(void **state)
{
	(void)state;
	for (size_t at = 0; at < 21; at++) {
		for (int c = 0; c < 256; c++) {
			AUTO_BUF struct buf alone = { 0 }, whole = { 0 }, expected = { 0 };
			char byte = (char)c, text[21];

			json_go_string(&byte, 1, &alone);
			memset(text, '~', sizeof(text));
			text[at] = byte;
			json_go_string(text, sizeof(text), &whole);
			buf_printf(&expected, "\"%.*s%.*s%.*s\"", (int)at, "~~~~~~~~~~~~~~~~~~~~", (int)(alone.len - 2),
			    alone.data + 1, (int)(sizeof(text) - 1 - at), "~~~~~~~~~~~~~~~~~~~~");
			if (c != '\0')
				assert_string_equal(whole.data, expected.data);
			assert_true(alone.len == 3 ? alone.data[1] == byte : strchr("\"\\<>&", c) || c < ' ');
		}
	}
}

/* Up to the ends of what fits; what does not is jansson's to refuse. */
static void test_json_integers(void **state)
{
	static const char *const texts[] = { "[0]", "[-1]", "[10]", "[999999999999999999]", "[1764162000123456789]",
		"[-1764162000123456789]", "[9223372036854775807]", "[-9223372036854775807]", "[-9223372036854775808]",
		"[9223372036854775808]", "[-9223372036854775809]", "[9999999999999999999]", "[10000000000000000000]",
		"[00]", "[01]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_BUF struct buf text = { 0 };
		json_auto_t *json = json_loadb(texts[i], strlen(texts[i]), 0, NULL);
		json_auto_t *quick = json_quick_loadb(texts[i], strlen(texts[i]), 0, NULL);

		assert_true(!json == !quick);
		if (!json)
			continue;
		json_go_encode(quick, &text);
		assert_string_equal(text.data, texts[i]);
	}
}

/* What is written is read back as the same value: reals stay reals, whatever Go makes of them. */
static void test_json_dumps(void **state)
{
	static const char *const texts[] = { "{}", "[]", "[{\"a\":{\"b\":[1,true,false,null,\"x\"]},\"c\":[]}]",
		"{\"real\":[1.0]}", "[1.5,-0.0,1e20,1e300]", "[1,\"<&>\\u2028\\u0000\\n\\\"\\u00e4\"]", "\"lone\"", "7",
		"0.0", "null" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_auto_t *json = json_loadb(texts[i], strlen(texts[i]), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		char *text AUTO_FREE = json_quick_dumps(json);
		json_auto_t *back = json_quick_loadb(text, strlen(text), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		assert_non_null(back);
		assert_true(json_equal(json, back));
		assert_int_equal(json_typeof(json), json_typeof(back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_refusals),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_counts),
		cmocka_unit_test(test_json_encode),
		cmocka_unit_test(test_json_plain_len),
		cmocka_unit_test(test_json_go_string),
		cmocka_unit_test(test_json_integers),
		cmocka_unit_test(test_json_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
