/* SPDX-License-Identifier: Apache-2.0 */
/* nss: what is asked of the daemon, what is believed of its answers, and what happens when there is none. */
#include "nss_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "wire/wire.h"

static char buffer[4096];

/* --- a daemon that answers as the test says ------------------------------------------------------------------- */

static struct {
	uint32_t status, uid, gid, group;
	const char *home, *shell, *gecos;
	bool silent;
} answer;

static _Atomic int asked;
static char asked_name[64];

static void serve(int fd)
{
	AUTO_BUF struct buf request = { 0 };
	AUTO_BUF struct buf reply = { 0 };
	AUTO_FREE char *name = NULL;
	struct wire_frame frame;
	int passed = -1;

	if (wire_serve_read(fd, WIRE_REQUEST_MAX, deadline_after_ms(5000), &request, &frame, &passed) < 0)
		return;
	name = wire_get_str(&frame, WIRE_USER);
	snprintf(asked_name, sizeof(asked_name), "%s", frame.type == WIRE_LOOKUP && name ? name : "?");
	atomic_fetch_add(&asked, 1);
	if (answer.silent) {
		char c;

		while (read(fd, &c, 1) > 0) /* until the client gives up */
			;
		return;
	}
	wire_begin(&reply, WIRE_LOOKUP | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, answer.status);
	if (answer.status == WIRE_STATUS_OK) {
		wire_add_u32(&reply, WIRE_UID, answer.uid);
		wire_add_u32(&reply, WIRE_GID, answer.gid);
		wire_add_str(&reply, WIRE_GECOS, answer.gecos);
		wire_add_str(&reply, WIRE_HOME, answer.home);
		wire_add_str(&reply, WIRE_SHELL, answer.shell);
		wire_add_u32(&reply, WIRE_GROUP, answer.group);
		wire_add_u32(&reply, WIRE_GROUP, 27); /* sudo: never believed */
	}
	assert_int_equal(wire_end(&reply), 0);
	(void)!wire_serve_reply(fd, &reply, deadline_after_ms(5000));
}

static int listening;

static void *daemon_thread(void *arg)
{
	for (;;) {
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return arg;
		serve(fd);
		close(fd);
	}
}

static int setup(void **state)
{
	static pthread_t thread;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fixture_setup(state) < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", nss_test_socket);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listening, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(listening, 16) < 0)
		return -1;
	*state = &thread;
	return -pthread_create(&thread, NULL, daemon_thread, NULL);
}

static int teardown(void **state)
{
	shutdown(listening, SHUT_RDWR);
	pthread_join(*(pthread_t *)*state, NULL);
	close(listening);
	return fixture_teardown(state);
}

static void good_answer(void)
{
	memset(&answer, 0, sizeof(answer));
	answer.uid = answer.gid = UID + 50;
	answer.group = GID_USERS;
	answer.home = "/home/k8s_web_new";
	answer.shell = "/bin/bash";
	answer.gecos = "web/new";
	atomic_store(&asked, 0);
}

static enum nss_status ask(const char *name, struct passwd *pw, int *error)
{
	return _nss_k8sauth_getpwnam_r(name, pw, buffer, sizeof(buffer), error);
}

/* --- tests ---------------------------------------------------------------------------------------------------- */

static void test_unknown_name_is_asked(void **state)
{
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	gid_t *groups = NULL;
	long at = 0, size = 0;
	int error = 0;

	(void)state;
	publish_users(3, UID);
	good_answer();
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_SUCCESS);
	assert_string_equal(asked_name, "k8s_web_new");
	assert_string_equal(pw.pw_name, "k8s_web_new");
	assert_string_equal(pw.pw_dir, "/home/k8s_web_new");
	assert_string_equal(pw.pw_shell, "/bin/bash");
	assert_string_equal(pw.pw_gecos, "web/new");
	assert_int_equal(pw.pw_uid, UID + 50);
	assert_int_equal(
	    _nss_k8sauth_getgrnam_r("k8s_web_new", &gr, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_int_equal(gr.gr_gid, UID + 50);
	assert_int_equal(
	    _nss_k8sauth_getspnam_r("k8s_web_new", &sp, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_int_equal(
	    _nss_k8sauth_initgroups_dyn("k8s_web_new", UID + 50, &at, &size, &groups, -1, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(at, 1);
	assert_int_equal(groups[0], GID_USERS);
	assert_int_equal(atomic_load(&asked), 4);
	assert_int_equal(_nss_k8sauth_getpwnam_r("k8s_web_new", &pw, buffer, 20, &error), NSS_STATUS_TRYAGAIN);
	assert_int_equal(error, ERANGE);
	unlink(nss_test_index); /* before the first publication too */
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_SUCCESS);
	free(groups);
}

static void test_what_is_never_asked(void **state)
{
	struct passwd pw;
	struct group gr;
	int error = 0;

	(void)state;
	publish_users(3, UID);
	good_answer();
	assert_int_equal(ask("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(ask("k8s__d5ckgq4eqd36kpkl", &pw, &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(ask("k8s_web", &pw, &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(ask("root", &pw, &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(_nss_k8sauth_getpwuid_r(UID + 50, &pw, buffer, sizeof(buffer), &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(_nss_k8sauth_getgrgid_r(UID + 50, &gr, buffer, sizeof(buffer), &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(_nss_k8sauth_getgrnam_r("k8s_new", &gr, buffer, sizeof(buffer), &error), NSS_STATUS_NOTFOUND);
	/* The process that is about to become our own service. */
	setenv("SYSTEMD_ACTIVATION_UNIT", "k8sauthd.service", 1);
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(ask("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(atomic_load(&asked), 0);
	setenv("SYSTEMD_ACTIVATION_UNIT", "ssh.service", 1);
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(atomic_load(&asked), 1);
	unsetenv("SYSTEMD_ACTIVATION_UNIT");
}

static void test_statuses(void **state)
{
	static const struct {
		uint32_t status;
		enum nss_status nss;
	} rows[] = {
		{ WIRE_STATUS_NOT_OURS, NSS_STATUS_NOTFOUND },
		{ WIRE_STATUS_NOT_FOUND, NSS_STATUS_NOTFOUND },
		{ WIRE_STATUS_REFUSED, NSS_STATUS_UNAVAIL },
		{ WIRE_STATUS_UNAVAILABLE, NSS_STATUS_UNAVAIL },
		{ WIRE_STATUS_DENIED, NSS_STATUS_UNAVAIL },
		{ WIRE_STATUS_PROTOCOL, NSS_STATUS_UNAVAIL },
		{ WIRE_STATUS_INTERNAL, NSS_STATUS_UNAVAIL },
		{ WIRE_STATUS_LIMIT, NSS_STATUS_UNAVAIL },
		{ 4711, NSS_STATUS_UNAVAIL },
	};

	(void)state;
	publish_users(3, UID);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct passwd pw;
		struct group gr;
		int error = 0;

		good_answer();
		answer.status = rows[i].status;
		assert_int_equal(ask("k8s_web_new", &pw, &error), rows[i].nss);
		assert_int_equal(
		    _nss_k8sauth_getgrnam_r("k8s_web_new", &gr, buffer, sizeof(buffer), &error), rows[i].nss);
		assert_int_equal(atomic_load(&asked), 2);
	}
}

/* A daemon that was taken over cannot make a user of ours root, or put a second line into a passwd entry. */
static void test_lies_of_the_daemon(void **state)
{
	static const struct {
		uint32_t uid, gid;
		const char *home, *shell, *gecos;
	} rows[] = {
		{ 0, UID, "/home/x", "/bin/sh", "" },
		{ UID, 0, "/home/x", "/bin/sh", "" },
		{ 1000, UID, "/home/x", "/bin/sh", "" },
		{ UID + 50, UID + 51, "/home/x", "/bin/sh", "" }, /* another one's private group */
		{ UID + 1, UID + 1, "/home/x", "/bin/sh", "" },	  /* k8s_web_1 */
		{ GID_WEB, GID_WEB, "/home/x", "/bin/sh", "" },	  /* a group */
		{ 20001, 20001, "/home/x", "/bin/sh", "" },	  /* not of the range: perhaps a person's */
		{ 100000, 100000, "/home/x", "/bin/sh", "" },	  /* the same */
		{ UID + 50, UID + 50, "home", "/bin/sh", "" },
		{ UID + 50, UID + 50, "/home/x", "sh", "" },
		{ UID + 50, UID + 50, "/home:x", "/bin/sh", "" },
		{ UID + 50, UID + 50, "/home", "/bin/sh\nroot::0", "" },
		{ UID + 50, UID + 50, "/home", "/bin/sh", "a:b" },
		{ UID + 50, UID + 50, NULL, "/bin/sh", "" },
		{ UID + 50, UID + 50, "/home", NULL, "" },
	};

	(void)state;
	publish_users(3, UID);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct passwd pw;
		int error = 0;

		good_answer();
		answer.uid = rows[i].uid;
		answer.gid = rows[i].gid;
		answer.home = rows[i].home;
		answer.shell = rows[i].shell;
		answer.gecos = rows[i].gecos;
		assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_UNAVAIL);
		assert_int_equal(error, EPROTO);
	}
}

static long groups_told(uint32_t group, gid_t *ret)
{
	gid_t *groups = NULL;
	long at = 0, size = 0;
	int error = 0;

	good_answer();
	answer.group = group;
	assert_int_equal(
	    _nss_k8sauth_initgroups_dyn("k8s_web_new", UID + 50, &at, &size, &groups, -1, &error), NSS_STATUS_SUCCESS);
	*ret = at > 0 ? groups[0] : 0;
	free(groups);
	return at;
}

/* What accounts.conf declares for others may be in sudoers. */
static void test_groups_that_are_not_due(void **state)
{
	static const uint32_t lies[] = { 27, 30000, GID_OTHER, GID_DECLARED, UID + 1 };
	gid_t gid;

	(void)state;
	publish_users(3, UID);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
		assert_int_equal(groups_told(lies[i], &gid), 0);
	assert_int_equal(groups_told(GID_USERS, &gid), 1);
	assert_int_equal(gid, GID_USERS);
	assert_int_equal(groups_told(GID_WEB, &gid), 1);
	assert_int_equal(groups_told(GID_WEB + 50, &gid), 1); /* the namespace's first account makes its group */
	assert_int_equal(gid, GID_WEB + 50);
	unlink(nss_test_index);
	assert_int_equal(groups_told(30000, &gid), 0);
	assert_int_equal(groups_told(GID_WEB, &gid), 1);
}

/* accounts.conf may have another range than the default one: the helper has checked what the index says of it. */
static void test_range_of_the_index(void **state)
{
	AUTO_BUF struct buf image = { 0 };
	struct index_writer *writer = index_writer_new(1);
	struct passwd pw;
	int error = 0;
	char why[256];

	(void)state;
	index_writer_range(writer, 100000, 199999);
	assert_int_equal(index_writer_group(writer, "k8sauth-users", 100000), 0);
	assert_int_equal(index_writer_finish(writer, &image, why, sizeof(why)), 0);
	index_writer_free(writer);
	publish(&image);
	good_answer();
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_UNAVAIL);
	answer.uid = answer.gid = 100001;
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(pw.pw_uid, 100001);
	answer.uid = answer.gid = 200000;
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_UNAVAIL);
}

static void test_silent_daemon(void **state)
{
	struct passwd pw;
	int error = 0;

	(void)state;
	publish_users(3, UID);
	good_answer();
	answer.silent = true;
	assert_int_equal(ask("k8s_web_new", &pw, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, ETIMEDOUT);
	assert_int_equal(ask("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_name_is_asked),
		cmocka_unit_test(test_what_is_never_asked),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_lies_of_the_daemon),
		cmocka_unit_test(test_groups_that_are_not_due),
		cmocka_unit_test(test_range_of_the_index),
		cmocka_unit_test(test_silent_daemon),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
