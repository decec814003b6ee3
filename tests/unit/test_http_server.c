/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server with the Vault API: requests and replies. Limits: test_http_limits.c. */
#include "http_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/jobs.h"

static void test_requests(void **state)
{
	static const struct {
		const char *request, *status, *part;
	} cases[] = {
		{ "GET /v1/a/b?x=1&x=2 HTTP/1.1\r\nX-Vault-Token: t1\r\nAuthorization: Bearer t2\r\n" END, "200",
		    "{\"op\":\"read\",\"path\":\"a/b\",\"token\":\"t1\",\"data\":{\"x\":[\"1\",\"2\"]},\"uid\":" },
		{ "GET /v1/a HTTP/1.1\r\nAuthorization: Bearer t2\r\n" END, "200", "\"token\":\"t2\",\"data\":null" },
		{ "GET /v1/a HTTP/1.1\r\nAuthorization: bearer t2\r\n" END, "200", "\"token\":\"\"" },
		{ "GET /v1/a?list=true HTTP/1.1\r\n" END, "200", "{\"op\":\"list\",\"path\":\"a/\"" },
		{ "GET /v1/a/?list=T&after=b HTTP/1.1\r\n" END, "200",
		    "{\"op\":\"list\",\"path\":\"a/\",\"token\":\"\",\"data\":{\"after\":\"b\"}" },
		{ "GET /v1/a?list=false HTTP/1.1\r\n" END, "200", "{\"op\":\"read\",\"path\":\"a\"" },
		{ "GET /v1/a?list=maybe HTTP/1.1\r\n" END, "400", "{\"errors\":[]}" },
		{ "LIST /v1/a HTTP/1.1\r\n" END, "200", "{\"op\":\"list\",\"path\":\"a/\"" },
		{ "GET /v1/a?help=1 HTTP/1.1\r\n" END, "200", "{\"op\":\"help\",\"path\":\"a\"" },
		{ "HELP /v1/a HTTP/1.1\r\n" END, "200", "{\"op\":\"help\",\"path\":\"a\"" },
		{ "DELETE /v1/a?versions=1 HTTP/1.1\r\n" END, "200", "\"data\":{\"versions\":\"1\"}" },
		{ "OPTIONS /v1/a HTTP/1.1\r\n" END, "200", "{\"op\":\"other\"" },
		{ "TRACE /v1/a HTTP/1.1\r\n" END, "405", "{\"errors\":[]}" },
		{ "get /v1/a HTTP/1.1\r\n" END, "405", "{\"errors\":[]}" },
		{ "PUT /v1/a HTTP/1.1\r\nContent-Length: 8\r\nHost: a\r\nConnection: close\r\n\r\n{\"b\":1}\n", "200",
		    "{\"op\":\"update\",\"path\":\"a\",\"token\":\"\",\"data\":{\"b\":1}" },
		{ "POST /v1/a HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n"
		  "Host: a\r\nConnection: close\r\n\r\nb=1&b=2&c=%20",
		    "200", "\"data\":{\"b\":\"1,2\",\"c\":\" \"}" },
		{ "POST /v1/a HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n"
		  "Host: a\r\nConnection: close\r\n\r\na=%z",
		    "400", "{\"errors\":[\"error parsing form data\"]}" },
		{ "POST /v1/a HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\nConnection: close\r\n\r\n{} ", "200",
		    "\"data\":{}" },
		{ "POST /v1/a HTTP/1.1\r\nContent-Length: 1\r\nHost: a\r\nConnection: close\r\n\r\n{", "500",
		    "{\"errors\":[\"malformed JSON, unclosed containers\"]}" },
		{ "PATCH /v1/a HTTP/1.1\r\n" END, "400", "{\"errors\":[\"mime: no media type\"]}" },
		{ "PATCH /v1/a HTTP/1.1\r\nContent-Type: application/json; q=1\r\n" END, "415",
		    "PATCH requires Content-Type of application/merge-patch+json, provided application/json\"" },
		{ "PATCH /v1/a HTTP/1.1\r\nContent-Type: application/merge-patch+json\r\n" END, "200",
		    "{\"op\":\"patch\"" },
		{ "GET /v1/a HTTP/1.1\r\nX-Vault-Namespace: ns1\r\n" END, "200", "\r\nX-Vault-Namespace: ns1\r\n" },
		{ "GET /v1/a HTTP/1.1\r\nX-Vault-Wrap-TTL: 0\r\nX-Vault-Request: true\r\n" END, "200", "\"read\"" },
		{ "GET /v1/a HTTP/1.1\r\nX-Vault-Wrap-TTL: abc\r\n" END, "400",
		    "error parsing X-Vault-Wrap-TTL header: time: invalid duration \\\"abc\\\"" },
		{ "GET /v1/a HTTP/1.1\r\nX-Vault-Wrap-TTL: 2m\r\n" END, "200", "\"wrap_ttl\":120" },
		{ "GET /v1/a HTTP/1.1\r\nX-Vault-Forward: x\r\n" END, "400", "X-Vault-Forward disabled" },
		{ "GET /v1/no/content HTTP/1.1\r\n" END, "204", "\r\n\r\n" },
		{ "GET /v1//a/../b?c=d HTTP/1.1\r\n" END, "307", "\r\nLocation: /v1/b?c=d\r\n" },
		{ "GET /v1 HTTP/1.1\r\n" END, "307", "\r\nLocation: /v1/\r\n" },
		{ "GET /v1/a/..?b HTTP/1.1\r\n" END, "307", "\r\nLocation: /v1/?b\r\n" },
		{ "GET /v1/a/../sys HTTP/1.1\r\n" END, "307", "\r\nLocation: /v1/sys/\r\n" },
		{ "GET /v1/ HTTP/1.1\r\n" END, "200", "\"path\":\"\"" },
		{ "GET /ui/ HTTP/1.1\r\n" END, "404", "Content-Length: 0\r\n" },
		{ "GET /v1/%2e%2e/a HTTP/1.1\r\n" END, "200", "\"path\":\"../a\"" },
		{ "GET /v1/a%2fb HTTP/1.1\r\n" END, "200", "\"path\":\"a/b\"" },
		{ "GET /v1/a%00 HTTP/1.1\r\n" END, "400", "\r\nContent-Length: 0\r\n" },
		{ "GET /v1/a%ff HTTP/1.1\r\n" END, "400", "malformed request path" },
		{ "GET /v1/a?b=%zz HTTP/1.1\r\n" END, "400", "malformed query" },
		{ "GET /v1/a\nHost: a\n\n", "400", "line ends in LF without CR" },
		{ "GET /v1/a HTTP/1.0\r\n\r\n", "200", "\"path\":\"a\"" },
		{ "GET /v1/k8sauth/explain/abc123 HTTP/1.1\r\n" END, "200", "{\"data\":{\"ref\":\"abc123\"}}" },
		{ "GET /v1/k8sauth/explain/ffffff HTTP/1.1\r\n" END, "404", "{\"errors\":[]}" },
		{ "GET /v1/k8sauth/nothing HTTP/1.1\r\n" END, "404", "unsupported path" },
		{ "POST /v1/k8sauth/explain/abc123 HTTP/1.1\r\n" END, "405", "unsupported operation" },
	};
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct fixture f;

	(void)state;
	fixture_start(&f, &limits);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_BUF struct buf reply = { 0 };
		bool own = strstr(cases[i].request, "/k8sauth/") != NULL;

		fixture_exchange(&f, cases[i].request, &reply);
		if (own && getuid() != 0 && !strstr(cases[i].request, "GET /v1/k8sauth/explain")) {
			assert_non_null(strstr(reply.data, "permission denied"));
			continue;
		}
		if (strncmp(reply.data + 9, cases[i].status, 3) != 0 || !strstr(reply.data, cases[i].part))
			fail_msg("%s\n%s", cases[i].request, reply.data);
		assert_non_null(strstr(reply.data, "\r\nCache-Control: no-store\r\n"));
		assert_non_null(strstr(reply.data, "\r\nConnection: close\r\n"));
		assert_non_null(strstr(reply.data, "\r\nStrict-Transport-Security: max-age=31536000; "
						   "includeSubDomains\r\n"));
		assert_int_equal(fixture_count(reply.data, "\r\nContent-Type: "), 1);
		assert_int_equal(
		    fixture_count(reply.data, "\r\nContent-Type: application/json\r\n"), streq(cases[i].status, "307") ? 0 : 1);
	}
	http_server_free(f.server);
}

static void test_keep_alive_and_pipeline(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf text = { 0 };
	struct fixture f;

	(void)state;
	fixture_start(&f, &limits);
	{
		/* One after the other on one connection; the last byte of one and the first of the next come together.
		 */
		AUTO_CLOSE int fd = fixture_dial(&f);

		for (int i = 0; i < 3; i++) {
			AUTO_BUF struct buf reply = { 0 };
			static const char request[] = "POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n"
						      "{\"x\":1}";

			assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
			fixture_receive(fd, &reply, "\"uid\"");
			assert_null(strstr(reply.data, "Connection: close"));
		}
	}
	{
		AUTO_BUF struct buf reply = { 0 };

		for (int i = 0; i < 50; i++)
			buf_printf(&text, "GET /v1/p%d HTTP/1.1\r\nHost: a\r\n%s\r\n", i,
			    i == 49 ? "Connection: close\r\n" : "");
		fixture_exchange(&f, text.data, &reply);
		assert_int_equal(fixture_count(reply.data, "HTTP/1.1 200 OK\r\n"), 50);
		for (int i = 0; i < 49; i++) {
			char this[32], next[32];

			snprintf(this, sizeof(this), "\"p%d\"", i);
			snprintf(next, sizeof(next), "\"p%d\"", i + 1);
			assert_true(strstr(reply.data, this) < strstr(reply.data, next));
		}
	}
	http_server_free(f.server);
}

static void test_heads_and_bodies(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf reply = { 0 };
	AUTO_BUF struct buf refused = { 0 };
	AUTO_BUF struct buf big = { 0 };
	struct fixture f;
	int fd;

	(void)state;
	limits.max_body = 100000;
	fixture_start(&f, &limits);
	fixture_exchange(&f, "HEAD /v1/a HTTP/1.1\r\n" END, &reply);
	assert_true(ends_with(reply.data, "\r\n\r\n"));
	assert_null(strstr(reply.data, "Content-Length: 0\r\n"));

	/* Expect: the body comes only after the go-ahead. */
	fd = fixture_dial(&f);
	buf_free(&reply);
	assert_true(write(fd, "PUT /v1/a HTTP/1.1\r\nContent-Length: 7\r\nExpect: 100-continue\r\n" END, 91) > 0);
	fixture_receive(fd, &reply, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(write(fd, "{\"x\":1}", 7), 7);
	fixture_receive(fd, &reply, NULL);
	assert_non_null(strstr(reply.data, "\"data\":{\"x\":1}"));
	close(fd);

	/* Too large: the refusal is read although the client was not done sending. */
	buf_add_str(&big, "PUT /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n");
	while (big.len < 100000)
		buf_add_str(&big, "0123456789");
	fixture_exchange(&f, big.data, &refused);
	assert_int_equal(strncmp(refused.data, "HTTP/1.1 413 ", 13), 0);
	http_server_free(f.server);
}

static void job_work(void *arg)
{
	*(int *)arg += 1;
}

static void job_done(void *arg)
{
	*(int *)arg *= 10;
}

static void test_jobs(void **state)
{
	struct jobs *jobs = jobs_new(base);
	int a = 1, b = 2;

	(void)state;
	assert_non_null(jobs);
	assert_int_equal(jobs_run(jobs, job_work, job_done, &a), 0);
	for (int i = 0; i < 5000 && a != 20; i++)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(a, 20);
	assert_int_equal(jobs_run(jobs, job_work, job_done, &b), 0);
	jobs_free(jobs);
	assert_int_equal(b, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_keep_alive_and_pipeline),
		cmocka_unit_test(test_heads_and_bodies),
		cmocka_unit_test(test_jobs),
	};

	return fixture_run(tests, ARRAY_SIZE(tests));
}
