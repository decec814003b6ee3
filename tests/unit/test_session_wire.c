/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over real sockets: a client process that logs in, opens and dies; a helper thread; one loop. Only the
 * backend and the accounts are stood in for.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "child.h"
#include "base/log.h"
#include "base/text.h"
#include "session/state.h"

#define PATIENCE_MS 20000
#define USER	    "k8s_web_app"
#define JWT                                            \
	"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ." \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static char dir[] = "/tmp/k8sauth-session-XXXXXX", pam_path[64], helper_path[64];
static struct event_base *base;
static struct sessions *sessions;
static struct wire_server *server;

/* --- the backend ----------------------------------------------------------------------------- */

struct answer {
	struct vault_request *request;
	vault_done_fn *done;
	void *arg;
};

static bool held;
static struct answer *waiting;
static unsigned n_minted, n_revoked;

static void on_answer(evutil_socket_t fd, short events, void *arg)
{
	struct answer *answer = arg;
	struct vault_response *response = vault_response_new();

	response->status = 204;
	if (ends_with(answer->request->path, "/login")) {
		n_minted++;
		response->status = 200;
		response->auth = json_pack("{s:s, s:s, s:i, s:b, s:{s:s, s:s, s:s}}", "client_token", "hvs.x",
		    "token_type", "service", "lease_duration", 3600, "renewable", 1, "metadata", "service_account_name",
		    "app", "service_account_namespace", "web", "service_account_uid", "u");
	} else if (ends_with(answer->request->path, "/revoke-self")) {
		n_revoked++;
	}
	answer->done(answer->arg, response);
	vault_response_free(response);
	vault_request_free(answer->request);
	free(answer);
}

static void backend_send(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	static const struct timeval now = { 0 };
	struct answer *answer = calloc(1, sizeof(*answer));

	*answer = (struct answer){ request, done, arg };
	if (held && ends_with(request->path, "/login"))
		waiting = answer;
	else
		event_base_once(base, -1, EV_TIMEOUT, on_answer, answer, &now);
}

void accounts_claim(struct accounts *accounts, const char *unix_name, const struct account_identity *identity,
    account_claimed_fn *done, void *arg)
{
	struct account account = { .uid = 70001, .gid = 70001 };

	done(arg, ACCOUNT_OK, &account, NULL);
}

unsigned accounts_conf_number(const struct accounts *accounts)
{
	return 1;
}

enum account_verdict accounts_judge(struct accounts *accounts, const char *unix_name,
    const struct account_identity *identity, struct account *ret, char *why, size_t why_size)
{
	return ACCOUNT_INDEX_BROKEN;
}

int accounts_lookup(struct accounts *accounts, const char *unix_name, const char *const *prefixes, struct account *ret)
{
	return -ENOENT;
}

bool accounts_local_opened(struct accounts *accounts, const char *unix_name, const char *mount)
{
	return false;
}

/* --- the helper ------------------------------------------------------------------------------ */

static int helper_fd;
static atomic_uint n_written, n_removed;

static void *helper_main(void *arg)
{
	int fd;

	while ((fd = accept4(helper_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		AUTO_BUF struct buf data = { 0 }, reply = { 0 };
		struct wire_frame frame;
		int passed = -1;

		if (wire_serve_read(fd, WIRE_HELPER_MAX, deadline_after_ms(5000), &data, &frame, &passed) == 0) {
			n_written += frame.type == WIRE_HELPER_SESSION;
			n_removed += frame.type == WIRE_HELPER_REMOVE;
			wire_begin(&reply, frame.type | WIRE_REPLY);
			wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_OK);
			if (wire_end(&reply) == 0)
				(void)!wire_serve_reply(fd, &reply, deadline_after_ms(5000));
		}
		close(fd);
	}
	return NULL;
}

/* --- the client process ---------------------------------------------------------------------- */

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* Asks; the value of TAG of the reply, NULL where the status is not OK. Runs in the child: no assertion. */
static char *call(struct buf *request, uint16_t tag)
{
	AUTO_BUF struct buf data = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct wire_frame reply;
	uint32_t status = 99;
	int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), passed = -1;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", pam_path);
	if (wire_end(request) < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, request->data, request->len, 0) != (ssize_t)request->len ||
	    wire_serve_read(fd, WIRE_REPLY_MAX, deadline_after_ms(PATIENCE_MS), &data, &reply, &passed) < 0 ||
	    !wire_get_u32(&reply, WIRE_STATUS, &status) || status != WIRE_STATUS_OK)
		return NULL;
	return tag ? wire_get_str(&reply, tag) : strdup("");
}

static char *ask(uint8_t type, uint16_t tag, uint16_t with, const char *value)
{
	AUTO_BUF struct buf request = { 0 };

	wire_begin(&request, type);
	if (type != WIRE_CLOSE) {
		wire_add_str(&request, WIRE_USER, USER);
		wire_add_str(&request, WIRE_SERVICE, "sshd");
	}
	if (type == WIRE_LOGIN)
		wire_add_str(&request, WIRE_ROLE, "web");
	wire_add_str(&request, with, value);
	return call(&request, tag);
}

/* A whole life in a process of its own; exit code 0 if all went well. */
static pid_t client(bool close_it, bool stay)
{
	pid_t pid = fork_child();

	assert_true(pid >= 0);
	if (pid == 0) {
		char *handle = ask(WIRE_LOGIN, WIRE_HANDLE, WIRE_CREDENTIAL, JWT);
		char *account = handle ? ask(WIRE_ACCOUNT, 0, WIRE_HANDLE, handle) : NULL;
		char *session = account ? ask(WIRE_OPEN, WIRE_SESSION, WIRE_HANDLE, handle) : NULL;

		if (session && stay)
			pause();
		if (session && close_it)
			_exit(ask(WIRE_CLOSE, 0, WIRE_SESSION, session) ? 0 : 3);
		_exit(session ? 0 : 2);
	}
	return pid;
}

static void on_tick(evutil_socket_t fd, short events, void *arg)
{
}

/* Runs the loop until DONE says so. */
static void run_until(bool (*done)(void))
{
	static const struct timeval tick = { .tv_usec = 10000 };
	struct deadline patience = deadline_after_ms(PATIENCE_MS);
	struct event *timer = event_new(base, -1, EV_PERSIST, on_tick, NULL);

	event_add(timer, &tick);
	while (!done()) {
		assert_false(deadline_passed(patience));
		event_base_loop(base, EVLOOP_ONCE);
	}
	event_free(timer);
}

static bool all_revoked(void)
{
	return n_minted > 0 && n_revoked == n_minted && n_removed == n_written && sessions_count(sessions) == 0;
}
static bool is_open(void)
{
	return n_written == 1;
}
static bool is_waiting(void)
{
	return waiting != NULL;
}
static bool server_idle(void)
{
	return wire_server_busy(server) == 0;
}

/* Nothing waits for the helper or the backend any more. */
static bool no_flow(void)
{
	return sessions->refs == 1;
}

#define NEEDS_ROOT()        \
	if (geteuid() != 0) \
	skip()

static void test_login_open_close(void **state)
{
	int status;
	pid_t pid;

	NEEDS_ROOT();
	pid = client(true, false);
	run_until(all_revoked);
	run_until(server_idle);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(n_written, 1);
	assert_int_equal(n_removed, 1);
}

/* The leader is killed and never closes: the kernel tells. */
static void test_leader_killed(void **state)
{
	pid_t pid;

	NEEDS_ROOT();
	pid = client(false, true);
	run_until(is_open);
	assert_int_equal(sessions_count(sessions), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	run_until(all_revoked);
	assert_int_equal(n_removed, 1);
}

/* The client is killed while its login waits for the backend. */
static void test_client_killed_in_login(void **state)
{
	pid_t pid;

	NEEDS_ROOT();
	held = true;
	pid = client(false, true);
	run_until(is_waiting);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	run_until(server_idle);
	on_answer(-1, 0, TAKE_PTR(waiting));
	run_until(all_revoked);
	assert_int_equal(n_minted, 1);
	assert_int_equal(n_written, 0);
}

static void no_log(int level, const char *ref, const char *line)
{
}

static pthread_t helper;

static int setup(void **state)
{
	static struct vault backend = { .send = backend_send };
	static struct cluster_config cluster;
	static struct session_config config;
	static char mount[] = "kubernetes", prefix[] = "k8s_";
	struct sessions_options options = { .vault = &backend, .config = &config, .table_fd = -1 };
	char why[256];

	log_set_sink(no_log);
	snprintf(dir, sizeof(dir), "/tmp/k8sauth-session-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(pam_path, sizeof(pam_path), "%s/pam", dir);
	snprintf(helper_path, sizeof(helper_path), "%s/helper", dir);
	cluster = (struct cluster_config){ .mount = mount, .unix_prefix = prefix };
	config = (struct session_config){ .clusters = &cluster, .n_clusters = 1 };
	held = false;
	n_minted = n_revoked = 0;
	n_written = n_removed = 0;
	helper_fd = listen_at(helper_path);
	if (pthread_create(&helper, NULL, helper_main, NULL) != 0)
		return -1;
	base = event_base_new();
	options.base = base;
	options.helper_socket = helper_path;
	if (sessions_new(&options, &sessions, why, sizeof(why)) < 0)
		return -1;
	server = wire_server_new(
	    base, listen_at(pam_path), WIRE_REQUEST_MAX, 2000, 2000, 64, sessions_request, sessions);
	return server ? 0 : -1;
}

static int teardown(void **state)
{
	wire_server_free(server);
	run_until(no_flow);
	sessions_free(sessions);
	event_base_free(base);
	shutdown(helper_fd, SHUT_RDWR);
	pthread_join(helper, NULL);
	close(helper_fd);
	unlink(pam_path);
	unlink(helper_path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_login_open_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leader_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_killed_in_login, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
