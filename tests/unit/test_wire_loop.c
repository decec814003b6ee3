/* SPDX-License-Identifier: Apache-2.0 */
/* wire: the server side on the loop, with clients that are slow, silent, many, or gone. */
#include <errno.h>

#include "base/log.h"
#include "wire/wire_loop.h"
#include "wire_socket.h"

struct fixture {
	struct event_base *base;
	struct wire_server *server;
	struct wire_conn *held; /* a request that is not answered yet */
	bool hold;
	unsigned requests, gone;
	char last[128];
	struct wire_peer peer;
};

static void quiet_sink(int level, const char *ref, const char *line)
{
}

static void on_gone(void *arg)
{
	struct fixture *f = arg;

	f->gone++;
}

static void on_request(
    void *arg, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	struct fixture *f = arg;

	f->requests++;
	wire_describe(request, f->last, sizeof(f->last));
	f->peer = *peer;
	if (f->hold) {
		f->held = conn;
		wire_conn_on_gone(conn, on_gone, f);
	} else {
		wire_reply_status(conn, request->type, WIRE_STATUS_OK, "7f3a2c", NULL);
	}
}

static void start(struct fixture *f, int read_ms, int reply_ms, unsigned limit)
{
	*f = (struct fixture){ .base = event_base_new() };
	f->server = wire_server_new(
	    f->base, socket_listen(), WIRE_REQUEST_MAX, read_ms, reply_ms, limit, on_request, f);
	assert_non_null(f->server);
}

static void end(struct fixture *f)
{
	wire_server_free(f->server);
	event_base_free(f->base);
}

static void turn(struct fixture *f)
{
	usleep(1000);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
}

/* Turns the loop until the server has answered or closed; the reply's status, or -1 for a bare close. */
static int answer(struct fixture *f, int fd)
{
	struct deadline patience = deadline_after_ms(PATIENCE_MS);
	AUTO_BUF struct buf data = { 0 };
	struct wire_frame frame;
	const char *why;
	uint32_t status;
	char chunk[512];

	for (;;) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n > 0)
			buf_add(&data, chunk, (size_t)n);
		else
			turn(f);
		assert_false(deadline_passed(patience));
	}
	if (data.len == 0)
		return -1;
	assert_int_equal(wire_parse(data.data, data.len, &frame, &why), 0);
	assert_true(wire_get_u32(&frame, WIRE_STATUS, &status));
	return (int)status;
}

static void send_login(int fd)
{
	AUTO_BUF struct buf request = { 0 };

	build_login(&request);
	assert_int_equal(send(fd, request.data, request.len, 0), request.len);
}

static void test_split_writes(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	struct fixture f;
	AUTO_CLOSE int fd = -1;

	start(&f, PATIENCE_MS, PATIENCE_MS, 8);
	fd = socket_connect();
	build_login(&request);
	for (size_t i = 0; i < request.len; i++) {
		assert_int_equal(f.requests, 0);
		assert_int_equal(send(fd, request.data + i, 1, 0), 1);
		turn(&f);
	}
	assert_int_equal(answer(&f, fd), WIRE_STATUS_OK);
	assert_int_equal(f.requests, 1);
	assert_string_equal(f.last, "login user=k8s_a_b");
	assert_int_equal(f.peer.uid, getuid());
	assert_int_equal(f.peer.pid, getpid());
	assert_int_equal(wire_server_busy(f.server), 0);
	end(&f);
}

/* Bytes that keep coming do not buy time: the limit is for the whole request. */
static void test_slow_client(void **state)
{
	struct deadline patience = deadline_after_ms(PATIENCE_MS);
	AUTO_BUF struct buf request = BUF_MAX(WIRE_REQUEST_MAX);
	char big[30000] = "";
	struct fixture f;
	AUTO_CLOSE int fd = -1;
	ssize_t n = 0;

	start(&f, 200, PATIENCE_MS, 8);
	fd = socket_connect();
	wire_begin(&request, WIRE_LOGIN);
	wire_add(&request, WIRE_CREDENTIAL, big, sizeof(big));
	assert_int_equal(wire_end(&request), 0);
	for (size_t i = 0; i < request.len && n >= 0; i++) {
		n = send(fd, request.data + i, 1, MSG_NOSIGNAL);
		turn(&f);
		assert_false(deadline_passed(patience));
	}
	assert_int_equal(n, -1);
	assert_int_equal(f.requests, 0);
	assert_int_equal(wire_server_busy(f.server), 0);
	end(&f);
}

static void test_bad_requests(void **state)
{
	AUTO_BUF struct buf good = { 0 };
	AUTO_BUF struct buf version = { 0 };
	AUTO_BUF struct buf twice = { 0 };
	AUTO_BUF struct buf critical = { 0 };
	const struct {
		const char *data;
		size_t len;
		int status;
	} rows[] = {
		{ "\xff\xff\xff\xff", 4, WIRE_STATUS_PROTOCOL },
		{ "GET / HTTP/1.1\r\n\r\n", 18, WIRE_STATUS_PROTOCOL },
	};
	struct fixture f;

	build_login(&good);
	build_login(&version);
	version.data[4] = 2;
	build_login(&twice);
	buf_add(&twice, good.data, good.len);
	wire_begin(&critical, WIRE_LOGIN);
	wire_add_str(&critical, 999 | WIRE_CRITICAL, "x");
	assert_int_equal(wire_end(&critical), 0);
	start(&f, PATIENCE_MS, PATIENCE_MS, 8);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_CLOSE int fd = socket_connect();

		assert_int_equal(send(fd, rows[i].data, rows[i].len, 0), rows[i].len);
		assert_int_equal(answer(&f, fd), rows[i].status);
	}
	for (size_t i = 0; i < 3; i++) {
		const struct buf *bad[] = { &version, &twice, &critical };
		AUTO_CLOSE int fd = socket_connect();

		assert_int_equal(send(fd, bad[i]->data, bad[i]->len, 0), bad[i]->len);
		assert_int_equal(answer(&f, fd), WIRE_STATUS_PROTOCOL);
	}
	assert_int_equal(f.requests, 0);
	end(&f);
}

static void test_client_leaves(void **state)
{
	struct fixture f;
	int fd;

	start(&f, PATIENCE_MS, PATIENCE_MS, 8);
	fd = socket_connect();
	assert_int_equal(send(fd, "\x20", 1, 0), 1);
	turn(&f);
	assert_int_equal(wire_server_busy(f.server), 1);
	close(fd);
	turn(&f);
	assert_int_equal(wire_server_busy(f.server), 0);

	f.hold = true;
	fd = socket_connect();
	send_login(fd);
	turn(&f);
	assert_non_null(f.held);
	assert_int_equal(f.gone, 0);
	close(fd);
	turn(&f);
	assert_int_equal(f.gone, 1);
	assert_int_equal(wire_server_busy(f.server), 0);
	wire_reply_status(f.held, WIRE_LOGIN, WIRE_STATUS_OK, NULL, NULL);
	end(&f);
}

static void test_late_reply(void **state)
{
	struct fixture f;
	AUTO_CLOSE int fd = -1;
	int pidfd;

	start(&f, PATIENCE_MS, PATIENCE_MS, 8);
	f.hold = true;
	fd = socket_connect();
	send_login(fd);
	turn(&f);
	assert_non_null(f.held);
	assert_int_equal(wire_server_busy(f.server), 1);
	pidfd = wire_conn_take_pidfd(f.held);
	assert_true(pidfd >= 0);
	assert_int_equal(wire_conn_take_pidfd(f.held), -1);
	close(pidfd);
	wire_server_stop(f.server);
	wire_reply_status(f.held, WIRE_LOGIN, WIRE_STATUS_REFUSED, "7f3a2c", "no");
	assert_int_equal(answer(&f, fd), WIRE_STATUS_REFUSED);
	assert_int_equal(f.gone, 0);
	end(&f);
}

/* The server goes first; the request that is still being worked on is told, and given back later. */
static void test_server_freed(void **state)
{
	struct fixture f;
	AUTO_CLOSE int fd = -1;

	start(&f, PATIENCE_MS, PATIENCE_MS, 8);
	f.hold = true;
	fd = socket_connect();
	send_login(fd);
	turn(&f);
	assert_non_null(f.held);
	wire_server_free(f.server);
	assert_int_equal(f.gone, 1);
	wire_reply_status(f.held, WIRE_LOGIN, WIRE_STATUS_OK, NULL, NULL);
	event_base_free(f.base);
}

/* A reply larger than the socket takes, and a client that does not read it. */
static void test_reply_not_taken(void **state)
{
	struct deadline patience = deadline_after_ms(PATIENCE_MS);
	AUTO_BUF struct buf reply = { 0 };
	AUTO_FREE char *big = calloc(1, 4000000);
	struct fixture f;
	AUTO_CLOSE int fd = -1;

	start(&f, PATIENCE_MS, 100, 8);
	f.hold = true;
	fd = socket_connect();
	send_login(fd);
	turn(&f);
	wire_begin(&reply, WIRE_LOGIN | WIRE_REPLY);
	wire_add(&reply, WIRE_CREDENTIAL, big, 4000000);
	assert_int_equal(wire_end(&reply), 0);
	wire_reply(f.held, &reply);
	assert_null(reply.data);
	assert_int_equal(wire_server_busy(f.server), 1);
	while (wire_server_busy(f.server) > 0) {
		turn(&f);
		assert_false(deadline_passed(patience));
	}
	end(&f);
}

static void test_oldest_silent_leaves(void **state)
{
	struct fixture f;
	int fds[5];

	start(&f, PATIENCE_MS, PATIENCE_MS, 4);
	f.hold = true;
	for (int i = 0; i < 4; i++) {
		fds[i] = socket_connect();
		if (i == 0)
			send_login(fds[i]);
		turn(&f);
	}
	assert_int_equal(wire_server_busy(f.server), 4);
	fds[4] = socket_connect();
	assert_int_equal(answer(&f, fds[1]), -1);
	assert_int_equal(wire_server_busy(f.server), 4);
	assert_int_equal(f.gone, 0);
	wire_reply_status(f.held, WIRE_LOGIN, WIRE_STATUS_OK, NULL, NULL);
	assert_int_equal(answer(&f, fds[0]), WIRE_STATUS_OK);
	f.hold = false;
	send_login(fds[4]);
	assert_int_equal(answer(&f, fds[4]), WIRE_STATUS_OK);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	end(&f);
}

static unsigned limit_of(void *arg, uid_t uid)
{
	return uid == (geteuid() == 0 ? 65534 : geteuid()) ? WIRE_PER_UID + 2 : 0;
}

/* How many of MANY connections of this process stay. */
static unsigned stay(struct fixture *f, uid_t uid, unsigned many)
{
	bool other = uid != geteuid();
	unsigned stayed;
	int fds[32];

	if (other)
		assert_int_equal(seteuid(uid), 0);
	for (unsigned i = 0; i < many; i++) {
		fds[i] = socket_connect();
		turn(f);
	}
	if (other)
		assert_int_equal(seteuid(0), 0);
	stayed = wire_server_busy(f->server);
	for (unsigned i = 0; i < many; i++)
		close(fds[i]);
	turn(f);
	assert_int_equal(wire_server_busy(f->server), 0);
	return stayed;
}

/* 16 connections per uid or what the owner says, but not for root: the test takes another uid's place where it can. */
static void test_per_uid_limit(void **state)
{
	uid_t uid = geteuid() == 0 ? 65534 : geteuid();
	struct fixture f;

	start(&f, PATIENCE_MS, PATIENCE_MS, 64);
	assert_int_equal(chmod(socket_path, 0666), 0);
	if (geteuid() == 0)
		assert_int_equal(stay(&f, 0, 20), 20);
	assert_int_equal(stay(&f, uid, 20), WIRE_PER_UID);
	wire_server_set_uid_limit(f.server, limit_of);
	assert_int_equal(stay(&f, uid, 20), WIRE_PER_UID + 2);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_writes),
		cmocka_unit_test(test_slow_client),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_client_leaves),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_server_freed),
		cmocka_unit_test(test_reply_not_taken),
		cmocka_unit_test(test_oldest_silent_leaves),
		cmocka_unit_test(test_per_uid_limit),
	};

	log_set_sink(quiet_sink);
	return cmocka_run_group_tests(tests, socket_setup, socket_teardown);
}
