/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server with the Vault API on top of a backend that tells what it was asked. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/api.h"
#include "daemon/jobs.h"

#define MAX_REPLIES (256 * 1024)

struct parked {
	vault_done_fn *done;
	void *arg;
	struct vault_response *response;
};

static struct event_base *base;
static struct parked parked[8];
static unsigned n_parked;
static bool park; /* answers wait until release() */
static char dir[64];

static const char *const op_names[] = { "read", "list", "update", "create", "patch", "delete", "help", "header",
	"other", "resolve" };

/* Answers with what was asked: {"op":..,"path":..,"token":..,"data":..,"uid":..}. */
static void stub_send(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	struct vault_response *response = vault_response_new();

	(void)vault;
	response->status = 200;
	response->body = json_pack("{s:s,s:s,s:s,s:O?,s:i,s:I}", "op", op_names[request->op], "path", request->path,
	    "token", request->token ? secret_reveal(request->token) : "", "data", request->data, "uid",
	    (int)request->peer.uid, "wrap_ttl", (json_int_t)request->wrap_ttl);
	if (request->fault_status) {
		json_decref(TAKE_PTR(response->body));
		vault_response_error(response, request->fault_status, "%s", request->fault);
	}
	if (streq(request->path, "no/content")) {
		json_decref(TAKE_PTR(response->body));
		response->status = 204;
	}
	vault_request_free(request);
	assert_true(n_parked < ARRAY_SIZE(parked));
	parked[n_parked++] = (struct parked){ done, arg, response };
}

static void release(void)
{
	struct parked now[ARRAY_SIZE(parked)];
	unsigned n = n_parked;

	memcpy(now, parked, sizeof(now));
	n_parked = 0;
	for (unsigned i = 0; i < n; i++) {
		now[i].done(now[i].arg, now[i].response);
		vault_response_free(now[i].response);
	}
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (!park)
		release();
}

static int stub_explain(void *arg, uid_t uid, const char *ref, json_t **ret)
{
	(void)arg;
	(void)uid;
	*ret = streq(ref, "abc123") ? json_pack("{s:s}", "ref", ref) : NULL;
	return *ret ? 0 : -ENOENT;
}

static const struct api_sessions stub_sessions = { .explain = stub_explain };

static struct vault stub_vault = { .send = stub_send };
static struct api api = { .vault = &stub_vault, .ask = &stub_sessions };

struct fixture {
	struct http_server *server;
	struct sockaddr_un address;
};

static int listening(struct sockaddr_un *ret_address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s/api", dir);
	unlink(ret_address->sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)ret_address, sizeof(*ret_address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void start(struct fixture *f, const struct http_limits *limits)
{
	f->server = http_server_new(base, limits, api_handle, &api);
	assert_int_equal(http_server_listen(f->server, listening(&f->address), VAULT_PEER_UNIX, NULL, false), 0);
}

static int dial(const struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&f->address, sizeof(f->address)), 0);
	turn();
	return fd;
}

/* Turns the loop until the reply has UNTIL (or, NULL, until the server closes), at most 5 s. */
static void receive(int fd, struct buf *reply, const char *until)
{
	char chunk[4096];

	reply->max = MAX_REPLIES;
	for (int i = 0; i < 5000; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		turn();
		if (poll(&p, 1, 1) == 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0) {
			if (until)
				fail_msg("closed before %s: %s", until, reply->data ? reply->data : "");
			return;
		}
		buf_add(reply, chunk, (size_t)n);
		if (until && strstr(reply->data, until))
			return;
	}
	fail_msg("no end of the reply: %s", reply->data ? reply->data : "");
}

/* One connection: sends TEXT, reads until the server closes. */
static void exchange(const struct fixture *f, const char *text, struct buf *reply)
{
	AUTO_CLOSE int fd = dial(f);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	receive(fd, reply, NULL);
	buf_add(reply, "", 0);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

#define END "Host: a\r\nConnection: close\r\n\r\n"

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
	start(&f, &limits);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_BUF struct buf reply = { 0 };
		bool own = strstr(cases[i].request, "/k8sauth/") != NULL;

		exchange(&f, cases[i].request, &reply);
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
		assert_int_equal(count(reply.data, "\r\nContent-Type: "), 1);
		assert_int_equal(
		    count(reply.data, "\r\nContent-Type: application/json\r\n"), streq(cases[i].status, "307") ? 0 : 1);
	}
	http_server_free(f.server);
}

static void test_keep_alive_and_pipeline(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf text = { 0 };
	struct fixture f;

	(void)state;
	start(&f, &limits);
	{
		/* One after the other on one connection; the last byte of one and the first of the next come together.
		 */
		AUTO_CLOSE int fd = dial(&f);

		for (int i = 0; i < 3; i++) {
			AUTO_BUF struct buf reply = { 0 };
			static const char request[] = "POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n"
						      "{\"x\":1}";

			assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
			receive(fd, &reply, "\"uid\"");
			assert_null(strstr(reply.data, "Connection: close"));
		}
	}
	{
		AUTO_BUF struct buf reply = { 0 };

		for (int i = 0; i < 50; i++)
			buf_printf(&text, "GET /v1/p%d HTTP/1.1\r\nHost: a\r\n%s\r\n", i,
			    i == 49 ? "Connection: close\r\n" : "");
		exchange(&f, text.data, &reply);
		assert_int_equal(count(reply.data, "HTTP/1.1 200 OK\r\n"), 50);
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
	start(&f, &limits);
	exchange(&f, "HEAD /v1/a HTTP/1.1\r\n" END, &reply);
	assert_true(ends_with(reply.data, "\r\n\r\n"));
	assert_null(strstr(reply.data, "Content-Length: 0\r\n"));

	/* Expect: the body comes only after the go-ahead. */
	fd = dial(&f);
	buf_free(&reply);
	assert_true(write(fd, "PUT /v1/a HTTP/1.1\r\nContent-Length: 7\r\nExpect: 100-continue\r\n" END, 91) > 0);
	receive(fd, &reply, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(write(fd, "{\"x\":1}", 7), 7);
	receive(fd, &reply, NULL);
	assert_non_null(strstr(reply.data, "\"data\":{\"x\":1}"));
	close(fd);

	/* Too large: the refusal is read although the client was not done sending. */
	buf_add_str(&big, "PUT /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n");
	while (big.len < 100000)
		buf_add_str(&big, "0123456789");
	exchange(&f, big.data, &refused);
	assert_int_equal(strncmp(refused.data, "HTTP/1.1 413 ", 13), 0);
	http_server_free(f.server);
}

static void test_time_limits(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf reply = { 0 };
	AUTO_BUF struct buf silent = { 0 };
	struct fixture f;
	int fd;

	(void)state;
	limits.head_ms = 500;
	limits.body_ms = 500;
	start(&f, &limits);
	exchange(&f, "GET /v1/a HTTP/1.1\r\nHost: ", &reply);
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 408 ", 13), 0);
	buf_free(&reply);
	exchange(&f, "PUT /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", &reply);
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 408 ", 13), 0);
	/* Nothing at all: closed without a word. */
	fd = dial(&f);
	receive(fd, &silent, NULL);
	assert_int_equal(silent.len, 0);
	close(fd);
	http_server_free(f.server);
}

static void test_connection_limits(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf first = { 0 };
	AUTO_BUF struct buf second = { 0 };
	AUTO_BUF struct buf evicted = { 0 };
	int fds[3];
	struct fixture f;

	(void)state;
	limits.connections = 2;
	start(&f, &limits);
	fds[0] = dial(&f);
	fds[1] = dial(&f);
	fds[2] = dial(&f);
	receive(fds[0], &evicted, NULL); /* the oldest silent one made room */
	assert_true(write(fds[1], "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	assert_true(write(fds[2], "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	receive(fds[1], &first, NULL);
	receive(fds[2], &second, NULL);
	assert_int_equal(strncmp(first.data, "HTTP/1.1 200 ", 13), 0);
	assert_int_equal(strncmp(second.data, "HTTP/1.1 200 ", 13), 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	http_server_free(f.server);
}

/* The server stops, or goes, while requests wait for the backend. */
static void test_stop(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf reply = { 0 };
	AUTO_BUF struct buf idle = { 0 };
	AUTO_BUF struct buf gone = { 0 };
	struct fixture f;
	int fds[3];

	(void)state;
	start(&f, &limits);
	for (int i = 0; i < 3; i++)
		fds[i] = dial(&f);
	park = true;
	for (int i = 0; i < 2; i++)
		assert_true(write(fds[i], "GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n", 31) > 0);
	for (int i = 0; i < 100 && n_parked < 2; i++)
		turn();
	assert_int_equal(n_parked, 2);
	assert_int_equal(http_server_busy(f.server), 2);
	http_server_stop(f.server);
	receive(fds[2], &idle, NULL);
	assert_int_equal(http_server_busy(f.server), 2);
	n_parked = 1; /* the second one is answered after the server is gone */
	release();
	receive(fds[0], &reply, NULL);
	assert_non_null(strstr(reply.data, "Connection: close"));
	http_server_free(f.server);
	receive(fds[1], &gone, NULL);
	assert_int_equal(gone.len, 0);
	n_parked = 1;
	parked[0] = parked[1];
	release();
	park = false;
	for (int i = 0; i < 3; i++)
		close(fds[i]);
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
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_connection_limits),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_jobs),
	};
	char path[128];
	int r;

	snprintf(dir, sizeof(dir), "/tmp/k8sauth-http-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	base = event_base_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	event_base_free(base);
	snprintf(path, sizeof(path), "%s/api", dir);
	unlink(path);
	rmdir(dir);
	return r;
}
