/* SPDX-License-Identifier: Apache-2.0 */
/* wire: calls on the loop to servers that answer, wait, leave, or are not there; and the descriptor that goes along. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/log.h"
#include "wire/wire_loop.h"
#include "wire_socket.h"

struct fixture {
	struct event_base *base;
	struct wire_server *server;
	struct wire_conn *held; /* a request that is not answered yet */
	bool hold;
	unsigned gone;
};

static void on_gone(void *arg)
{
	struct fixture *f = arg;

	f->gone++;
}

static void on_request(
    void *arg, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	struct fixture *f = arg;

	if (!f->hold) {
		wire_reply_status(conn, request->type, WIRE_STATUS_OK, "7f3a2c", NULL);
		return;
	}
	f->held = conn;
	wire_conn_on_gone(conn, on_gone, f);
}

static void start(struct fixture *f)
{
	*f = (struct fixture){ .base = event_base_new() };
	f->server = wire_server_new(
	    f->base, socket_listen(), WIRE_REQUEST_MAX, PATIENCE_MS, PATIENCE_MS, 8, on_request, f);
	assert_non_null(f->server);
}

static void end(struct fixture *f)
{
	wire_server_free(f->server);
	event_base_free(f->base);
}

/* --- calls ---------------------------------------------------------------------------------------------------------
 */

struct called {
	unsigned n;
	int r;
	uint32_t status;
};

static void on_called(void *arg, int r, const struct wire_frame *reply)
{
	struct called *called = arg;

	called->n++;
	called->r = r;
	if (reply)
		wire_get_u32(reply, WIRE_STATUS, &called->status);
}

static void run_call(struct event_base *base, struct called *called)
{
	struct deadline patience = deadline_after_ms(PATIENCE_MS);

	assert_int_equal(called->n, 0);
	while (called->n == 0) {
		usleep(1000);
		event_base_loop(base, EVLOOP_NONBLOCK);
		assert_false(deadline_passed(patience));
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(called->n, 1);
}

static void test_call(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	struct called called = { 0 };
	struct fixture f;

	start(&f);
	build_login(&request);
	wire_call_async(f.base, socket_path, &request, -1, PATIENCE_MS, on_called, &called);
	assert_null(request.data);
	run_call(f.base, &called);
	assert_int_equal(called.r, 0);
	assert_int_equal(called.status, WIRE_STATUS_OK);
	end(&f);
}

static void test_call_fails(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	struct called called = { 0 };
	struct fixture f;

	start(&f);
	f.hold = true;
	build_login(&request);
	wire_call_async(f.base, socket_path, &request, -1, 100, on_called, &called);
	run_call(f.base, &called);
	assert_int_equal(called.r, -ETIMEDOUT);
	assert_int_equal(f.gone, 1);
	wire_reply_status(f.held, WIRE_LOGIN, WIRE_STATUS_OK, NULL, NULL);

	wire_server_stop(f.server);
	called = (struct called){ 0 };
	build_login(&request);
	wire_call_async(f.base, socket_path, &request, -1, PATIENCE_MS, on_called, &called);
	run_call(f.base, &called);
	assert_int_equal(called.r, -ECONNREFUSED);

	unlink(socket_path);
	called = (struct called){ 0 };
	build_login(&request);
	wire_call_async(f.base, socket_path, &request, -1, PATIENCE_MS, on_called, &called);
	run_call(f.base, &called);
	assert_int_equal(called.r, -ENOENT);
	end(&f);
}

/* A helper that closes without a word, and one whose backlog is full until the time is over. */
static void test_call_closed(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	AUTO_CLOSE int listener = socket_listen();
	struct event_base *base = event_base_new();
	struct called called = { 0 };
	int fd;

	build_login(&request);
	wire_call_async(base, socket_path, &request, -1, PATIENCE_MS, on_called, &called);
	event_base_loop(base, EVLOOP_ONCE);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	run_call(base, &called);
	assert_int_equal(called.r, -ECONNRESET);

	assert_int_equal(listen(listener, 0), 0);
	fd = socket_connect();
	called = (struct called){ 0 };
	build_login(&request);
	wire_call_async(base, socket_path, &request, -1, 100, on_called, &called);
	run_call(base, &called);
	assert_int_equal(called.r, -ETIMEDOUT);
	close(fd);
	event_base_free(base);
}

static void test_call_passes_fd(void **state)
{
	struct deadline patience = deadline_after_ms(PATIENCE_MS);
	AUTO_BUF struct buf request = { 0 };
	AUTO_BUF struct buf data = { 0 };
	AUTO_BUF struct buf reply = { 0 };
	AUTO_CLOSE int listener = socket_listen();
	AUTO_CLOSE int memfd = memfd_create("image", MFD_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	AUTO_CLOSE int passed = -1;
	struct event_base *base = event_base_new();
	struct called called = { 0 };
	struct wire_frame frame;
	char text[4] = "";

	assert_int_equal(pwrite(memfd, "idx", 3, 0), 3);
	build_login(&request);
	wire_call_async(base, socket_path, &request, memfd, PATIENCE_MS, on_called, &called);
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		assert_false(deadline_passed(patience));
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(wire_serve_read(fd, 4096, deadline_after_ms(PATIENCE_MS), &data, &frame, &passed), 0);
	assert_int_equal(pread(passed, text, 3, 0), 3);
	assert_string_equal(text, "idx");
	wire_begin(&reply, WIRE_LOGIN | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_OK);
	assert_int_equal(wire_end(&reply), 0);
	assert_int_equal(wire_serve_reply(fd, &reply, deadline_after_ms(PATIENCE_MS)), 0);
	run_call(base, &called);
	assert_int_equal(called.r, 0);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_fails),
		cmocka_unit_test(test_call_closed),
		cmocka_unit_test(test_call_passes_fd),
	};

	return cmocka_run_group_tests(tests, socket_setup, socket_teardown);
}
