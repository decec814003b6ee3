/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP reader: what it takes, what it refuses and with which status, however the bytes are cut. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/http_parse.h"
#include "daemon/http_target.h"

#define MAX_BODY 64

/* Feeds TEXT in pieces of STEP bytes. */
static size_t feed(struct http_parser *parser, const char *text, size_t len, size_t step)
{
	size_t used = 0;

	http_parser_init(parser, MAX_BODY);
	while (used < len && (parser->state == HTTP_HEAD || parser->state == HTTP_BODY))
		used += http_parser_feed(parser, text + used, len - used < step ? len - used : step);
	return used;
}

/* The status that TEXT is refused with, 0 for a whole request, -1 for one that is not whole. */
static int status_of_bytes(const char *text, size_t len)
{
	struct http_parser parser;
	int results[2];

	for (int i = 0; i < 2; i++) {
		feed(&parser, text, len, i == 0 ? 1 : len);
		results[i] = parser.state == HTTP_BAD ? parser.status : parser.state == HTTP_DONE ? 0 : -1;
		http_parser_reset(&parser);
	}
	assert_int_equal(results[0], results[1]);
	return results[0];
}

static void test_good_request(void **state)
{
	static const char text[] = "LIST /v1/secret/metadata?x=1 HTTP/1.1\r\nHost: a:1\r\nX-Vault-Token: \t t k \t\r\n"
				   "x-empty:\r\nConnection: keep-alive, Foo\r\n\r\nGET";

	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct http_parser parser;

		assert_int_equal(feed(&parser, text, sizeof(text) - 1, step), sizeof(text) - 4);
		assert_int_equal(parser.state, HTTP_DONE);
		assert_string_equal(parser.request.method, "LIST");
		assert_string_equal(parser.request.target, "/v1/secret/metadata?x=1");
		assert_string_equal(http_request_field(&parser.request, "x-vault-TOKEN"), "t k");
		assert_string_equal(http_request_field(&parser.request, "X-Empty"), "");
		assert_null(http_request_field(&parser.request, "X-None"));
		assert_true(http_request_has_token(&parser.request, "connection", "foo"));
		assert_false(http_request_has_token(&parser.request, "connection", "keep"));
		assert_true(parser.request.keep_alive);
		assert_int_equal(parser.request.body.len, 0);
		http_parser_reset(&parser);
	}
}

static void test_bodies(void **state)
{
	static const struct {
		const char *text, *body;
		bool keep_alive, expects;
	} cases[] = {
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "abc", true, false },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "", true, false },
		{ "POST / HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc", "abc", false, false },
		{ "PATCH / HTTP/1.1\r\nHost:\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\nabc", "abc", true,
		    true },
		{ "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", "", false, false },
		{ "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n"
		  "0\r\n\r\n",
		    "abc0123456789", true, false },
		{ "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t step = 1; step < 80; step++) {
			struct http_parser parser;

			assert_int_equal(
			    feed(&parser, cases[i].text, strlen(cases[i].text), step), strlen(cases[i].text));
			assert_int_equal(parser.state, HTTP_DONE);
			assert_int_equal(parser.request.body.len, strlen(cases[i].body));
			if (parser.request.body.len > 0)
				assert_string_equal(parser.request.body.data, cases[i].body);
			assert_int_equal(parser.request.keep_alive, cases[i].keep_alive);
			assert_int_equal(parser.expect_continue, cases[i].expects);
			http_parser_reset(&parser);
		}
	}
}

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define TE   POST "Transfer-Encoding: chunked\r\n\r\n"

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		/* line ends */
		{ "GET / HTTP/1.1\nHost: a\n\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\n\r\n", 400 },
		{ "GET / HTTP/1.1\rHost: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400 },
		{ GET "\n", 400 },
		{ "\r\n" GET "\r\n", 400 },
		/* request line */
		{ "GET /\r\nHost: a\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400 },
		{ " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505 },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
		{ "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 505 },
		{ "GET / http/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET / \r\nHost: a\r\n\r\n", 400 },
		{ "PRI * HTTP/2.0\r\n\r\n", 505 },
		{ "\x16\x03\x01\x02", 400 }, /* TLS on a plain port: refused at the first byte */
		/* header lines */
		{ "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400 },
		{ GET " folded\r\n\r\n", 400 },
		{ GET "X : a\r\n\r\n", 400 },
		{ GET ": a\r\n\r\n", 400 },
		{ GET "X\r\n\r\n", 400 },
		{ GET "X\x80: a\r\n\r\n", 400 },
		{ GET "X: a\x7f\r\n\r\n", 400 },
		{ GET "X: a\x1b\r\n\r\n", 400 },
		{ GET "X-Vault-Token: a\r\nx-vault-token: b\r\n\r\n", 400 },
		{ GET "Host: a\r\n\r\n", 400 },
		{ GET "Authorization: a\r\nAuthorization: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
		/* framing */
		{ POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400 },
		{ POST "Content-Length: 3, 3\r\n\r\nabc", 400 },
		{ POST "Content-Length: +3\r\n\r\nabc", 400 },
		{ POST "Content-Length: -3\r\n\r\nabc", 400 },
		{ POST "Content-Length: 0x3\r\n\r\nabc", 400 },
		{ POST "Content-Length:\r\n\r\n", 400 },
		{ POST "Content-Length: 65\r\n\r\n", 413 },
		{ POST "Content-Length: 18446744073709551619\r\n\r\n", 413 },
		{ POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
		{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
		{ POST "Transfer-Encoding: identity\r\n\r\n", 501 },
		{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ POST "Transfer-Encoding: \x0b"
		       "chunked\r\n\r\n",
		    400 },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ POST "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415 },
		{ POST "Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", 417 },
		/* chunks */
		{ TE "\r\n", 400 },
		{ TE "g\r\n", 400 },
		{ TE "0x3\r\nabc\r\n0\r\n\r\n", 400 },
		{ TE "3 \r\nabc\r\n0\r\n\r\n", 400 },
		{ TE "3;a=b\r\nabc\r\n0\r\n\r\n", 400 },
		{ TE "3\nabc\r\n0\r\n\r\n", 400 },
		{ TE "3\r\nabcd\r\n0\r\n\r\n", 400 },
		{ TE "3\r\nabc\n0\r\n\r\n", 400 },
		{ TE "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", 400 },
		{ TE "41\r\n", 413 },
		{ TE "3\r\nabc\r\n3e\r\n", 413 },
		{ TE "100000003\r\nabc\r\n", 400 },
		{ TE "fffffffff\r\n", 400 },
		/* not whole yet */
		{ GET, -1 },
		{ TE "3\r\nabc\r\n0\r\n", -1 },
		{ POST "Content-Length: 3\r\n\r\nab", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = status_of_bytes(cases[i].text, strlen(cases[i].text));

		if (status != cases[i].status)
			fail_msg("%s: %d instead of %d", cases[i].text, status, cases[i].status);
	}
	assert_int_equal(status_of_bytes(GET "X: a\0b\r\n\r\n", sizeof(GET "X: a\0b\r\n\r\n") - 1), 400);
	assert_int_equal(status_of_bytes("GET /\0 HTTP/1.1\r\n", 17), 400);
}

static void test_limits(void **state)
{
	AUTO_BUF struct buf text = { 0 };

	(void)state;
	buf_add_str(&text, GET);
	for (int i = 0; i < HTTP_FIELDS_MAX - 1; i++)
		buf_printf(&text, "X-%d: y\r\n", i);
	buf_add_str(&text, "\r\n");
	assert_int_equal(status_of_bytes(text.data, text.len), 0);
	text.len -= 2;
	buf_add_str(&text, "X-more: y\r\n\r\n");
	assert_int_equal(status_of_bytes(text.data, text.len), 431);
	buf_free(&text);

	buf_add_str(&text, GET "X: ");
	while (text.len < HTTP_HEAD_MAX - 4)
		buf_add_char(&text, 'a');
	buf_add_str(&text, "\r\n\r\n");
	assert_int_equal(text.len, HTTP_HEAD_MAX);
	assert_int_equal(status_of_bytes(text.data, text.len), 0);
	text.len -= 4;
	buf_add_str(&text, "a\r\n\r\n");
	assert_int_equal(status_of_bytes(text.data, text.len), 431);
}

static void test_targets(void **state)
{
	static const struct {
		const char *target, *path, *redirect, *query;
	} cases[] = {
		{ "/v1/a/b?c=d?e", "/v1/a/b", NULL, "c=d?e" },
		{ "/v1/a/", "/v1/a/", NULL, "" },
		{ "/", "/", NULL, "" },
		{ "/v1//a", "/v1//a", "/v1/a", "" },
		{ "/v1/./a?x=1", "/v1/./a", "/v1/a", "x=1" },
		{ "/v1/b/../a/", "/v1/b/../a/", "/v1/a/", "" },
		{ "/../../x", "/../../x", "/x", "" },
		{ "//evil/..", "//evil/..", "/", "" },
		{ "//evil.example/", "//evil.example/", "/evil.example/", "" },
		{ "/v1/%2e%2e/a", "/v1/../a", NULL, "" },
		{ "/v1/a%2Fb%20c+d", "/v1/a/b c+d", NULL, "" },
		{ "/v1/%c3%a9", "/v1/\xc3\xa9", NULL, "" },
		{ "http://h:1/v1/a", "/v1/a", NULL, "" },
		{ "HTTPS://h?x", "/", NULL, "x" },
	};
	static const char *const refused[] = { "/v1/%zz", "/v1/%4", "/v1/%", "/v1/%ff", "/v1/%c0%af", "/v1/a#b", "*",
		"host:443", "ftp://h/v1", "/v1%2fa/b", "/v1%2F" };
	static const char *const unprintable[] = { "/v1/%00", "/v1/a%0ab", "/v1/%7f", "/v1/%c2%85", "/v1/%c2%a0",
		"/v1/%e2%80%8b", "/v1/%ef%bb%bf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_target target;
		const char *why = NULL;

		assert_int_equal(http_target_parse(cases[i].target, &target, &why), 0);
		assert_string_equal(target.path, cases[i].path);
		assert_string_equal(target.query, cases[i].query);
		if (cases[i].redirect)
			assert_string_equal(target.redirect, cases[i].redirect);
		else
			assert_null(target.redirect);
		http_target_free(&target);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct http_target target;
		const char *why = NULL;

		assert_int_equal(http_target_parse(refused[i], &target, &why), -EBADMSG);
		assert_non_null(why);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unprintable); i++) {
		struct http_target target;
		const char *why = "";

		assert_int_equal(http_target_parse(unprintable[i], &target, &why), -EBADMSG);
		assert_null(why);
	}
}

static void test_queries(void **state)
{
	AUTO_BUF struct buf many = { 0 };
	json_t *query;

	(void)state;
	assert_int_equal(http_query_parse("a=1&b=x+y%26&&a=2&c&=e&a=3", 26, false, &query), 0);
	assert_int_equal(json_object_size(query), 4);
	assert_string_equal(json_string_value(json_object_get(query, "b")), "x y&");
	assert_string_equal(json_string_value(json_object_get(query, "c")), "");
	assert_int_equal(json_array_size(json_object_get(query, "a")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(query, "a"), 2)), "3");
	json_decref(query);
	assert_int_equal(http_query_parse("a=1&a=2", 7, true, &query), 0);
	assert_string_equal(json_string_value(json_object_get(query, "a")), "1,2");
	json_decref(query);
	assert_int_equal(http_query_parse("", 0, true, &query), 0);
	json_decref(query);
	for (int i = 0; i < HTTP_FORM_PAIRS_MAX; i++)
		buf_add_str(&many, "a=b&");
	assert_int_equal(http_query_parse(many.data, many.len, true, &query), 0);
	assert_int_equal(json_string_length(json_object_get(query, "a")), 2 * HTTP_FORM_PAIRS_MAX - 1);
	json_decref(query);
	buf_add_str(&many, "a");
	assert_int_equal(http_query_parse(many.data, many.len, true, &query), -E2BIG);
	assert_int_equal(http_query_parse("a=%zz", 5, true, &query), -EBADMSG);
	assert_int_equal(http_query_parse("a=%00", 5, true, &query), -EBADMSG);
	assert_int_equal(http_query_parse("a%00=", 5, true, &query), -EBADMSG);
	assert_int_equal(http_query_parse("a=%ff", 5, true, &query), -EBADMSG);
	assert_int_equal(http_query_parse("a=%4", 4, true, &query), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_request),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
