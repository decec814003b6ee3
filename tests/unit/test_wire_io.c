/* SPDX-License-Identifier: Apache-2.0 */
/* wire: the blocking client against servers that misbehave, and the helper's blocking server side. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "wire_socket.h"

/* One server: accepts one connection and does what its function says. */
struct server {
	int listener;
	void (*act)(int fd, const void *arg);
	const void *arg;
	pthread_t thread;
};

static void *server_main(void *arg)
{
	struct server *server = arg;
	AUTO_CLOSE int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		server->act(fd, server->arg);
	return NULL;
}

static void server_start(struct server *server, void (*act)(int fd, const void *arg), const void *arg)
{
	*server = (struct server){ .listener = socket_listen(), .act = act, .arg = arg };
	assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
}

static void server_end(struct server *server)
{
	pthread_join(server->thread, NULL);
	close(server->listener);
}

static void build_reply(struct buf *buf, uint8_t type)
{
	wire_begin(buf, type);
	wire_add_u32(buf, WIRE_STATUS, WIRE_STATUS_REFUSED);
	wire_add_str(buf, WIRE_REF, "7f3a2c");
	assert_int_equal(wire_end(buf), 0);
}

static int call_ms(int ms, struct buf *data, struct wire_frame *reply)
{
	AUTO_BUF struct buf request = { 0 };

	build_login(&request);
	return wire_call_trusting(socket_path, geteuid(), &request, WIRE_REPLY_MAX, deadline_after_ms(ms), data, reply);
}

static void read_request(int fd)
{
	AUTO_BUF struct buf data = { 0 };
	struct wire_frame frame;
	int passed = -1;

	if (wire_serve_read(fd, WIRE_REQUEST_MAX, deadline_after_ms(PATIENCE_MS), &data, &frame, &passed) < 0)
		fprintf(stderr, "server: no request\n");
}

static void act_answer(int fd, const void *arg)
{
	AUTO_BUF struct buf reply = { 0 };

	read_request(fd);
	build_reply(&reply, WIRE_LOGIN | WIRE_REPLY);
	if (wire_serve_reply(fd, &reply, deadline_after_ms(PATIENCE_MS)) < 0)
		fprintf(stderr, "server: reply not sent\n");
}

static void act_answer_bytewise(int fd, const void *arg)
{
	AUTO_BUF struct buf reply = { 0 };

	read_request(fd);
	build_reply(&reply, WIRE_LOGIN | WIRE_REPLY);
	for (size_t i = 0; i < reply.len; i++) {
		usleep(1000);
		if (send(fd, reply.data + i, 1, MSG_NOSIGNAL) != 1)
			return;
	}
}

/* A server that sends a byte now and then for ever: only a total deadline ends this. */
static void act_drip(int fd, const void *arg)
{
	static const char start[] = "\xff\0\0";

	for (size_t i = 0; send(fd, i < 2 ? start + i : "", 1, MSG_NOSIGNAL) == 1; i++)
		usleep(10000);
}

static void act_close(int fd, const void *arg)
{
	read_request(fd);
}

static void act_raw(int fd, const void *arg)
{
	const struct buf *raw = arg;

	read_request(fd);
	(void)!write(fd, raw->data, raw->len);
}

/* Refuses before the request was read, as a server at its limit does. */
static void act_refuse_early(int fd, const void *arg)
{
	AUTO_BUF struct buf reply = { 0 };

	build_reply(&reply, WIRE_LOGIN | WIRE_REPLY);
	if (wire_serve_reply(fd, &reply, deadline_after_ms(PATIENCE_MS)) < 0)
		fprintf(stderr, "server: reply not sent\n");
}

static void assert_answered(int r, const struct wire_frame *reply)
{
	uint32_t status = 0;

	assert_int_equal(r, 0);
	assert_true(wire_get_u32(reply, WIRE_STATUS, &status));
	assert_int_equal(status, WIRE_STATUS_REFUSED);
}

static void test_call(void **state)
{
	static void (*const acts[])(int, const void *) = { act_answer, act_answer_bytewise, act_refuse_early };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		AUTO_BUF struct buf data = { 0 };
		struct wire_frame reply;
		struct server server;

		server_start(&server, acts[i], NULL);
		assert_answered(call_ms(PATIENCE_MS, &data, &reply), &reply);
		server_end(&server);
	}
}

static void test_deadline_is_total(void **state)
{
	AUTO_BUF struct buf data = { 0 };
	struct wire_frame reply;
	struct server server;

	server_start(&server, act_drip, NULL);
	assert_int_equal(call_ms(300, &data, &reply), -ETIMEDOUT);
	assert_null(data.data);
	server_end(&server);
}

/* Nobody accepts: connect() itself waits once the backlog is full. */
static void test_full_backlog(void **state)
{
	AUTO_BUF struct buf data = { 0 };
	AUTO_CLOSE int listener = socket_listen();
	struct wire_frame reply;
	int fds[16], n = 0;

	assert_int_equal(listen(listener, 0), 0);
	for (n = 0; n < 16; n++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		strcpy(address.sun_path, socket_path);
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(fds[n], (struct sockaddr *)&address, sizeof(address)) < 0) {
			close(fds[n]);
			break;
		}
	}
	assert_true(n < 16);
	assert_int_equal(call_ms(100, &data, &reply), -ETIMEDOUT);
	while (n-- > 0)
		close(fds[n]);
}

static void test_bad_replies(void **state)
{
	AUTO_BUF struct buf wrong_type = { 0 };
	AUTO_BUF struct buf cut = { 0 };
	AUTO_BUF struct buf large = { 0 };
	AUTO_BUF struct buf version = { 0 };
	const struct {
		void (*act)(int fd, const void *arg);
		const struct buf *arg;
		int r;
	} rows[] = {
		{ act_close, NULL, -ECONNRESET },
		{ act_raw, &wrong_type, -EPROTO },
		{ act_raw, &version, -EPROTO },
		{ act_raw, &cut, -ECONNRESET },
		{ act_raw, &large, -EMSGSIZE },
	};

	build_reply(&wrong_type, WIRE_OPEN | WIRE_REPLY);
	build_reply(&version, WIRE_LOGIN | WIRE_REPLY);
	version.data[4] = 9;
	build_reply(&cut, WIRE_LOGIN | WIRE_REPLY);
	cut.len--;
	buf_add(&large, "\xff\xff\xff\x7f", 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BUF struct buf data = { 0 };
		struct wire_frame reply;
		struct server server;

		server_start(&server, rows[i].act, rows[i].arg);
		assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), rows[i].r);
		assert_null(data.data);
		server_end(&server);
	}
}

static void test_no_server(void **state)
{
	AUTO_BUF struct buf data = { 0 };
	struct wire_frame reply;

	close(socket_listen());
	assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), -ECONNREFUSED);
	unlink(socket_path);
	assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), -ENOENT);
}

/* A socket_path that somebody else could change, a link, a file: refused before any byte of the credential is sent. */
static void test_path_is_checked(void **state)
{
	AUTO_BUF struct buf data = { 0 };
	AUTO_CLOSE int listener = -1;
	AUTO_CLOSE int file = -1;
	struct wire_frame reply;
	char moved[80];

	listener = socket_listen();
	assert_int_equal(chmod(socket_dir, 0777), 0);
	assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), -EPERM);
	assert_int_equal(chmod(socket_dir, 0775), 0);
	assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), -EPERM);
	assert_int_equal(chmod(socket_dir, 0755), 0);
	snprintf(moved, sizeof(moved), "%s.moved", socket_path);
	assert_int_equal(rename(socket_path, moved), 0);
	assert_int_equal(symlink(moved, socket_path), 0);
	assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), -EPERM);
	unlink(moved);
	unlink(socket_path);
	file = open(socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(call_ms(PATIENCE_MS, &data, &reply), -EPERM);
	unlink(socket_path);
	assert_int_equal(symlink("/tmp", socket_path), 0);
	snprintf(moved, sizeof(moved), "%s/socket", socket_path);
	{
		AUTO_BUF struct buf request = { 0 };

		build_login(&request);
		assert_int_equal(
		    wire_call(moved, &request, WIRE_REPLY_MAX, deadline_after_ms(PATIENCE_MS), &data, &reply), -EPERM);
		assert_int_equal(
		    wire_call("relative", &request, WIRE_REPLY_MAX, deadline_after_ms(PATIENCE_MS), &data, &reply),
		    -EINVAL);
	}
	unlink(socket_path);
}

/* Somebody else's socket, or somebody else behind root's: -EPERM. Only root can build such a one. */
static void test_owner_is_checked(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	AUTO_BUF struct buf data = { 0 };
	AUTO_CLOSE int listener = -1;
	struct wire_frame reply;

	if (geteuid() != 0)
		skip();
	build_login(&request);
	listener = socket_listen();
	assert_int_equal(chown(socket_path, 65534, 65534), 0);
	assert_int_equal(
	    wire_call(socket_path, &request, WIRE_REPLY_MAX, deadline_after_ms(PATIENCE_MS), &data, &reply), -EPERM);
	close(listener);
	assert_int_equal(seteuid(65534), 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(seteuid(0), 0);
	{
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		unlink(socket_path);
		strcpy(address.sun_path, socket_path);
		assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_int_equal(listen(listener, 8), 0);
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(
	    wire_call(socket_path, &request, WIRE_REPLY_MAX, deadline_after_ms(PATIENCE_MS), &data, &reply), -EPERM);
}

static volatile sig_atomic_t pipe_signals;

static void on_sigpipe(int signal)
{
	pipe_signals = 1;
}

/* A server that is gone while a large request is being sent must not end the process that loaded us. */
static void act_shut(int fd, const void *arg)
{
}

static void test_no_sigpipe(void **state)
{
	AUTO_BUF struct buf request = BUF_MAX(WIRE_HELPER_MAX);
	AUTO_BUF struct buf data = { 0 };
	AUTO_FREE char *big = calloc(1, 2000000);
	struct wire_frame reply;
	struct server server;
	int r;

	signal(SIGPIPE, on_sigpipe);
	wire_begin(&request, WIRE_LOGIN);
	wire_add(&request, WIRE_CREDENTIAL, big, 2000000);
	assert_int_equal(wire_end(&request), 0);
	server_start(&server, act_shut, NULL);
	r = wire_call_trusting(
	    socket_path, geteuid(), &request, WIRE_REPLY_MAX, deadline_after_ms(PATIENCE_MS), &data, &reply);
	assert_int_equal(r, -ECONNRESET);
	assert_int_equal(pipe_signals, 0);
	server_end(&server);
}

static void pass_fds(int sock, const struct buf *frame, const int *fds, size_t n)
{
	union {
		char bytes[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr header;
	} control = { .bytes = "" };
	struct iovec iov = { frame->data, frame->len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};

	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS
	};
	memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
	assert_int_equal(sendmsg(sock, &msg, 0), frame->len);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_passed_fd(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	AUTO_CLOSE int memfd = memfd_create("image", MFD_CLOEXEC);
	int before = count_fds();

	build_login(&request);
	for (size_t n = 1; n <= 3; n++) {
		AUTO_BUF struct buf data = { 0 };
		AUTO_CLOSE int passed = -1;
		const int fds[3] = { memfd, memfd, memfd };
		struct wire_frame frame;
		struct stat a, b;
		int pair[2], r;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		pass_fds(pair[0], &request, fds, n);
		r = wire_serve_read(pair[1], 4096, deadline_after_ms(PATIENCE_MS), &data, &frame, &passed);
		close(pair[0]);
		close(pair[1]);
		if (n > 1) {
			assert_int_equal(r, -EPROTO);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(frame.type, WIRE_LOGIN);
		assert_int_equal(fstat(memfd, &a), 0);
		assert_int_equal(fstat(passed, &b), 0);
		assert_true(a.st_ino == b.st_ino);
		assert_true(fcntl(passed, F_GETFD) & FD_CLOEXEC);
	}
	assert_int_equal(count_fds(), before);
}

static void test_serve_read_refusals(void **state)
{
	AUTO_BUF struct buf request = { 0 };
	const struct {
		size_t len, max;
		int r;
	} rows[] = { { 3, 4096, -ECONNRESET }, { 10, 4096, -ECONNRESET }, { 23, 22, -EMSGSIZE }, { 23, 23, 0 } };

	build_login(&request);
	assert_int_equal(request.len, 23);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BUF struct buf data = { 0 };
		struct wire_frame frame;
		int pair[2], passed = -1;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(write(pair[0], request.data, rows[i].len), rows[i].len);
		close(pair[0]);
		assert_int_equal(
		    wire_serve_read(pair[1], rows[i].max, deadline_after_ms(PATIENCE_MS), &data, &frame, &passed),
		    rows[i].r);
		close(pair[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_deadline_is_total),
		cmocka_unit_test(test_full_backlog),
		cmocka_unit_test(test_bad_replies),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_path_is_checked),
		cmocka_unit_test(test_owner_is_checked),
		cmocka_unit_test(test_no_sigpipe),
		cmocka_unit_test(test_passed_fd),
		cmocka_unit_test(test_serve_read_refusals),
	};

	return cmocka_run_group_tests(tests, socket_setup, socket_teardown);
}
