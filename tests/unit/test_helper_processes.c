/* SPDX-License-Identifier: Apache-2.0 */
/* helper: whose processes get a signal, and whose never do. Needs root. */
#include "helper_fixture.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/text.h"
#include "child.h"

#define USER "k8s_web_sa"

static uint32_t uid; /* of USER */

static int test_setup(void **state)
{
	static const struct proof proofs[] = { { USER, "kubernetes/web/sa", "uid-1" },
		{ "k8s_web_other", "kubernetes/web/other", "uid-2" } };
	AUTO_BUF struct buf image = { 0 };

	(void)state;
	if (getuid() != 0)
		return 0;
	write_text(conf_path, "local \"deploy\" { service_accounts = [\"kubernetes/web/sa\"] }\n");
	build(proofs, ARRAY_SIZE(proofs), &image);
	unlink(index_path);
	uid = account_hashed_id(USER);
	return publish_buf(&image, NULL);
}

/* --- processes -------------------------------------------------------------------------------- */

struct left {
	pid_t pid;
	uint32_t audit_session;
};

static uint32_t number_of(pid_t pid, const char *name)
{
	char path[64];
	uint32_t number = UINT32_MAX;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	if (file) {
		(void)!fscanf(file, "%u", &number);
		fclose(file);
	}
	return number;
}

static void login_uid_set(uint32_t login_uid)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	char text[16];

	snprintf(text, sizeof(text), "%u", login_uid);
	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* A process of OWNER that waits, as pam_loginuid made it for LOGIN_UID (0: not at all); DEAF ones do not mind SIGTERM.
 */
static struct left leave(uint32_t owner, uint32_t login_uid, bool deaf)
{
	int ready[2];
	struct left left;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	left.pid = fork_child();
	assert_true(left.pid >= 0);
	if (left.pid == 0) {
		if (login_uid)
			login_uid_set(login_uid);
		if (deaf)
			signal(SIGTERM, SIG_IGN);
		if (setgroups(0, NULL) < 0 || setresgid(owner, owner, owner) < 0 || setresuid(owner, owner, owner) < 0)
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* the kernel has forgotten it with the ids */
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	left.audit_session = number_of(left.pid, "sessionid");
	return left;
}

/* Whether it is still there; reaps it if not. */
static bool lives(pid_t pid)
{
	siginfo_t info = { 0 };

	for (int i = 0; i < 50; i++) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid == pid)
			return false;
		usleep(2000);
	}
	return true;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- requests --------------------------------------------------------------------------------- */

struct ask {
	const char *user;
	uint32_t uid, gid, signal;
	uint32_t audit_session; /* 0: none is sent */
	pid_t spared;
};

/* The count, or a negative errno. */
static int send_signal(struct ask ask)
{
	AUTO_BUF struct buf bytes = { 0 }, reply = { 0 };
	struct wire_frame frame, answer;
	const char *reason;
	uint32_t n = 0;
	int r;

	wire_begin(&bytes, WIRE_HELPER_SIGNAL);
	wire_add_str(&bytes, WIRE_USER, ask.user);
	wire_add_u32(&bytes, WIRE_UID, ask.uid);
	wire_add_u32(&bytes, WIRE_GID, ask.gid);
	wire_add_u32(&bytes, WIRE_SIGNAL, ask.signal);
	if (ask.audit_session)
		wire_add_u32(&bytes, WIRE_AUDIT_SESSION, ask.audit_session);
	if (ask.spared) {
		wire_add_u32(&bytes, WIRE_PID, 1);
		wire_add_u32(&bytes, WIRE_PID, (uint32_t)ask.spared);
	}
	assert_int_equal(wire_end(&bytes), 0);
	assert_int_equal(wire_parse(bytes.data, bytes.len, &frame, &reason), 0);
	wire_begin(&reply, WIRE_HELPER_SIGNAL | WIRE_REPLY);
	r = processes_signal(&places, &frame, &reply, why, sizeof(why));
	if (r < 0)
		return r;
	assert_int_equal(wire_end(&reply), 0);
	assert_int_equal(wire_parse(reply.data, reply.len, &answer, &reason), 0);
	assert_true(wire_get_u32(&answer, WIRE_COUNT, &n));
	return (int)n;
}

static struct ask about(uint32_t signal)
{
	return (struct ask){ .user = USER, .uid = uid, .gid = uid, .signal = signal };
}

static void test_user(void **state)
{
	struct left one, other, deaf, stranger;

	NEEDS_ROOT();
	assert_int_equal(send_signal(about(SIGTERM)), 0);
	one = leave(uid, 0, false);
	other = leave(uid, 0, false);
	deaf = leave(uid, 0, true);
	stranger = leave(uid + 1, 0, false);
	assert_int_equal(send_signal(about(0)), 3);
	assert_true(lives(one.pid));
	assert_int_equal(
	    send_signal((struct ask){ .user = USER, .uid = uid, .gid = uid, .signal = SIGTERM, .spared = other.pid }),
	    2);
	assert_false(lives(one.pid));
	assert_true(lives(other.pid));
	assert_true(lives(deaf.pid));
	assert_int_equal(send_signal(about(SIGKILL)), 2);
	assert_false(lives(other.pid));
	assert_false(lives(deaf.pid));
	assert_true(lives(stranger.pid));
	assert_int_equal(send_signal(about(SIGKILL)), 0);
	finish(stranger.pid);
}

/* One that has ended, but whom nobody has waited for, is none that is left. */
static void test_zombie(void **state)
{
	siginfo_t info;
	struct left one;

	NEEDS_ROOT();
	one = leave(uid, 0, false);
	kill(one.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)one.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(send_signal(about(0)), 0);
	waitpid(one.pid, NULL, 0);
}

/* By the session that the kernel has for them, whoever they are by now; root's too, but only of that login uid. */
static void test_session(void **state)
{
	struct left own, root, second, foreign;
	struct ask ask = about(SIGTERM);

	NEEDS_ROOT();
	own = leave(uid, uid, false);
	if (number_of(own.pid, "loginuid") != uid || own.audit_session == UINT32_MAX) {
		finish(own.pid);
		skip(); /* a kernel without audit, or a login uid that cannot be changed */
	}
	root = leave(0, uid, false);
	second = leave(uid, uid, false);
	foreign = leave(uid, uid + 1, false);
	assert_int_not_equal(own.audit_session, second.audit_session);
	ask.audit_session = own.audit_session;
	assert_int_equal(send_signal(ask), 1);
	assert_false(lives(own.pid));
	assert_true(lives(second.pid));
	ask.audit_session = foreign.audit_session;
	assert_int_equal(send_signal(ask), 0);
	assert_true(lives(foreign.pid));
	ask.audit_session = root.audit_session;
	ask.spared = root.pid;
	assert_int_equal(send_signal(ask), 0);
	assert_true(lives(root.pid));
	ask.spared = 0;
	assert_int_equal(send_signal(ask), 1);
	assert_false(lives(root.pid));
	finish(second.pid);
	finish(foreign.pid);
}

static void test_refused(void **state)
{
	struct ask cases[] = {
		{ .user = "root", .signal = SIGKILL },
		{ .user = USER, .uid = 0, .gid = 0, .signal = SIGKILL },
		{ .user = USER, .uid = uid + 1, .gid = uid, .signal = SIGKILL },
		{ .user = "k8s_web_other", .uid = uid, .gid = uid, .signal = SIGKILL },
		{ .user = "k8s_no_body", .uid = uid, .gid = uid, .signal = SIGKILL },
		{ .user = "daemon", .uid = 1, .gid = 1, .signal = SIGKILL },
		{ .user = USER, .uid = uid, .gid = uid, .signal = SIGSTOP },
		{ .user = USER, .uid = uid, .gid = uid, .signal = SIGKILL, .audit_session = UINT32_MAX },
	};
	struct left one;

	NEEDS_ROOT();
	one = leave(uid, 0, false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (send_signal(cases[i]) != -EPERM)
			fail_msg("row %zu", i);
	}
	assert_true(lives(one.pid));
	finish(one.pid);
	/* An opened local account is one of accounts.conf. */
	one = leave(1500, 0, false);
	assert_int_equal(send_signal((struct ask){ .user = "deploy", .uid = 1500, .gid = 1500, .signal = SIGTERM }), 1);
	assert_false(lives(one.pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_user, test_setup),
		cmocka_unit_test_setup(test_zombie, test_setup),
		cmocka_unit_test_setup(test_session, test_setup),
		cmocka_unit_test_setup(test_refused, test_setup),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
