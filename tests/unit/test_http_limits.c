/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: time limits, how many and how much at once, and its end. */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

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
	fixture_start(&f, &limits);
	fixture_exchange(&f, "GET /v1/a HTTP/1.1\r\nHost: ", &reply);
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 408 ", 13), 0);
	buf_free(&reply);
	fixture_exchange(&f, "PUT /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", &reply);
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 408 ", 13), 0);
	/* Nothing at all: closed without a word. */
	fd = fixture_dial(&f);
	fixture_receive(fd, &silent, NULL);
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
	fixture_start_tcp(&f, &limits, "127.0.0.1");
	fds[0] = fixture_dial(&f);
	fds[1] = fixture_dial(&f);
	fds[2] = fixture_dial(&f);
	fixture_receive(fds[0], &evicted, NULL); /* the oldest silent one made room */
	assert_true(write(fds[1], "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	assert_true(write(fds[2], "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	fixture_receive(fds[1], &first, NULL);
	fixture_receive(fds[2], &second, NULL);
	assert_int_equal(strncmp(first.data, "HTTP/1.1 200 ", 13), 0);
	assert_int_equal(strncmp(second.data, "HTTP/1.1 200 ", 13), 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	http_server_free(f.server);
}

/* With as many at work as there may be: whoever comes is closed again, but for root on the machine itself. */
static void test_root_gets_in(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	AUTO_BUF struct buf refused = { 0 };
	AUTO_BUF struct buf reply = { 0 };
	struct fixture f;
	int first, second;

	(void)state;
	limits.connections = 1;
	fixture_start(&f, &limits);
	first = fixture_dial(&f);
	park = true;
	assert_true(write(first, "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	for (int i = 0; i < 100 && n_parked < 1; i++)
		fixture_turn();
	assert_int_equal(n_parked, 1);
	second = fixture_dial(&f);
	if (getuid() != 0) {
		fixture_receive(second, &refused, NULL);
		assert_int_equal(refused.len, 0);
	} else {
		assert_true(write(second, "GET /v1/b HTTP/1.1\r\n" END, 51) > 0);
		for (int i = 0; i < 100 && n_parked < 2; i++)
			fixture_turn();
		park = false;
		fixture_receive(second, &reply, NULL);
		assert_int_equal(strncmp(reply.data, "HTTP/1.1 200 ", 13), 0);
	}
	park = false;
	fixture_release();
	close(first);
	close(second);
	http_server_free(f.server);
}

#define UPLOAD "POST /v1/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n{\"x\":\""

/* What unfinished requests hold is limited for all together: the oldest go, whole requests are served. */
static void test_reading_limit(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	char *part = malloc(50000);
	AUTO_BUF struct buf gone = { 0 };
	AUTO_BUF struct buf reply = { 0 };
	struct fixture f;
	int fds[4], idle;

	(void)state;
	limits.reading = 200000;
	fixture_start_tcp(&f, &limits, "127.0.0.1");
	idle = fixture_dial(&f);
	memset(part, 'x', 50000);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = fixture_dial(&f);
		assert_int_equal(write(fds[i], UPLOAD, strlen(UPLOAD)), strlen(UPLOAD));
		assert_int_equal(write(fds[i], part, 50000), 50000);
		for (int n = 0; n < 100; n++)
			fixture_turn();
	}
	fixture_receive(fds[0], &gone, NULL);
	assert_int_equal(gone.len, 0);
	assert_int_equal(http_server_connections(f.server), 4);
	/* The last one goes on to its end. */
	assert_int_equal(write(fds[3], part, 60000 - 50000 - 6 - 2), 60000 - 50000 - 6 - 2);
	assert_int_equal(write(fds[3], "\"}", 2), 2);
	fixture_receive(fds[3], &reply, NULL);
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 200 ", 13), 0);
	/* Who holds nothing was left alone. */
	buf_free(&reply);
	assert_true(write(idle, "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	fixture_receive(idle, &reply, NULL);
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 200 ", 13), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(idle);
	free(part);
	http_server_free(f.server);
}

/* One socket for both versions of IP shows IPv4 clients as what they are. */
static void test_addresses(void **state)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct sockaddr_in inner = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 outer;
	AUTO_BUF struct buf reply = { 0 };
	struct fixture f;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (fd < 0)
		skip(); /* a machine without IPv6 */
	close(fd);
	fixture_start_tcp(&f, &limits, "::");
	memcpy(&outer, &f.address, sizeof(outer));
	inner.sin_port = outer.sin6_port;
	fd = fixture_connect((struct sockaddr *)&inner, sizeof(inner));
	assert_true(write(fd, "GET /v1/a HTTP/1.1\r\n" END, 51) > 0);
	fixture_receive(fd, &reply, NULL);
	assert_non_null(strstr(reply.data, "\"address\":\"127.0.0.1\""));
	close(fd);
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
	fixture_start(&f, &limits);
	for (int i = 0; i < 3; i++)
		fds[i] = fixture_dial(&f);
	park = true;
	for (int i = 0; i < 2; i++)
		assert_true(write(fds[i], "GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n", 31) > 0);
	for (int i = 0; i < 100 && n_parked < 2; i++)
		fixture_turn();
	assert_int_equal(n_parked, 2);
	assert_int_equal(http_server_busy(f.server), 2);
	http_server_stop(f.server);
	fixture_receive(fds[2], &idle, NULL);
	assert_int_equal(http_server_busy(f.server), 2);
	n_parked = 1; /* the second one is answered after the server is gone */
	fixture_release();
	fixture_receive(fds[0], &reply, NULL);
	assert_non_null(strstr(reply.data, "Connection: close"));
	http_server_free(f.server);
	fixture_receive(fds[1], &gone, NULL);
	assert_int_equal(gone.len, 0);
	n_parked = 1;
	parked[0] = parked[1];
	fixture_release();
	park = false;
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_connection_limits),
		cmocka_unit_test(test_root_gets_in),
		cmocka_unit_test(test_reading_limit),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_stop),
	};

	return fixture_run(tests, ARRAY_SIZE(tests));
}
