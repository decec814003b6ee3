/* SPDX-License-Identifier: Apache-2.0 */
/* nss: answers from the index: statuses, buffers, replacement, threads, forks, files that lie. */
#include "nss_fixture.h"

#include <dirent.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static char buffer[65536];

static enum nss_status by_name(const char *name, struct passwd *pw, int *error)
{
	return _nss_k8sauth_getpwnam_r(name, pw, buffer, sizeof(buffer), error);
}

static void test_answers(void **state)
{
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	int error = 77;

	(void)state;
	publish_users(3, UID);
	errno = 1234;
	assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
	assert_string_equal(pw.pw_name, "k8s_web_1");
	assert_string_equal(pw.pw_passwd, "*");
	assert_string_equal(pw.pw_gecos, "web/sa");
	assert_string_equal(pw.pw_dir, "/home/1880000001");
	assert_string_equal(pw.pw_shell, "/bin/sh");
	assert_int_equal(pw.pw_uid, UID + 1);
	assert_int_equal(pw.pw_gid, UID + 1);
	assert_int_equal(_nss_k8sauth_getpwuid_r(UID + 2, &pw, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_string_equal(pw.pw_name, "k8s_web_2");
	assert_int_equal(_nss_k8sauth_getspnam_r("k8s_web_1", &sp, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_string_equal(sp.sp_namp, "k8s_web_1");
	assert_string_equal(sp.sp_pwdp, "*");
	assert_int_equal(sp.sp_expire, -1);
	assert_int_equal(
	    _nss_k8sauth_getgrnam_r("k8sauth-users", &gr, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_int_equal(gr.gr_gid, GID_USERS);
	assert_string_equal(gr.gr_mem[0], "k8s_web_0");
	assert_string_equal(gr.gr_mem[2], "k8s_web_2");
	assert_null(gr.gr_mem[3]);
	assert_int_equal(_nss_k8sauth_getgrgid_r(UID, &gr, buffer, sizeof(buffer), &error), NSS_STATUS_SUCCESS);
	assert_string_equal(gr.gr_name, "k8s_web_0");
	assert_string_equal(gr.gr_passwd, "*");
	assert_null(gr.gr_mem[0]);
	assert_int_equal(_nss_k8sauth_getpwuid_r(UID + 3, &pw, buffer, sizeof(buffer), &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(_nss_k8sauth_getgrgid_r(UID + 3, &gr, buffer, sizeof(buffer), &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(
	    _nss_k8sauth_getgrnam_r("k8s-admins", &gr, buffer, sizeof(buffer), &error), NSS_STATUS_NOTFOUND);
	assert_int_equal(errno, 1234);
	assert_int_equal(error, 77);
}

/* In seccomp's strict mode every system call but read, write and exit kills: these lookups make none at all. */
static void ask_foreign(void)
{
	static const char *const names[] = { "root", "k8sauth", "sync", "", "k8s", "k8s_", "k8s_web", "k8s_web_a_b",
		"k8s_web_0-", "k8s__short", "k8stoolongprefix_web_0", "K8S_web_0",
		"k8s_aaaaaaaaaaaaaaaaaaaaaaaaaaa_aaa" };
	static const uint32_t ids[] = { 0, 33, 1000, 65534, 1000000, 4294967295u };
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	long at = 0, size = 0;
	gid_t *groups = NULL;
	int error, bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bad |= by_name(names[i], &pw, &error) != NSS_STATUS_NOTFOUND;
		bad |= _nss_k8sauth_getspnam_r(names[i], &sp, buffer, 64, &error) != NSS_STATUS_NOTFOUND;
		bad |= _nss_k8sauth_initgroups_dyn(names[i], 0, &at, &size, &groups, -1, &error) != NSS_STATUS_NOTFOUND;
		if (!account_name_is_ours(names[i]) || strlen(names[i]) > ACCOUNT_NAME_MAX)
			bad |= _nss_k8sauth_getgrnam_r(names[i], &gr, buffer, 64, &error) != NSS_STATUS_NOTFOUND;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		bad |= _nss_k8sauth_getpwuid_r(ids[i], &pw, buffer, 64, &error) != NSS_STATUS_NOTFOUND;
		bad |= _nss_k8sauth_getgrgid_r(ids[i], &gr, buffer, 64, &error) != NSS_STATUS_NOTFOUND;
	}
	syscall(SYS_exit, bad ? 1 : 0);
}

static void ask_own(void)
{
	struct passwd pw;
	int error;

	by_name("k8s_web_0", &pw, &error);
	syscall(SYS_exit, 0);
}

static int run_strictly(void (*ask)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		ask();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_foreign_names_open_nothing(void **state)
{
	int status;

	(void)state;
	status = run_strictly(ask_foreign);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	status = run_strictly(ask_own); /* so the trap works */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* Every size from 0 on is refused until the exact one, which may depend on the alignment; nothing is written outside.
 */
static void sweep(enum nss_status (*ask)(char *at, size_t size, int *error), size_t exact)
{
	static char room[4096];

	for (size_t shift = 0; shift < 8; shift++) {
		size_t fits = 0;

		for (size_t size = 0; size < sizeof(room) - 64; size++) {
			int error = 0;
			enum nss_status status;

			memset(room, '#', sizeof(room));
			status = ask(room + 16 + shift, size, &error);
			for (size_t i = 0; i < 16 + shift; i++)
				assert_int_equal(room[i], '#');
			for (size_t i = 16 + shift + size; i < 16 + shift + size + 16; i++)
				assert_int_equal(room[i], '#');
			if (status == NSS_STATUS_SUCCESS) {
				fits = size;
				break;
			}
			assert_int_equal(status, NSS_STATUS_TRYAGAIN);
			assert_int_equal(error, ERANGE);
			for (size_t i = 16 + shift; i < 16 + shift + size; i++)
				assert_int_equal(room[i], '#');
		}
		assert_in_range(fits, exact, exact + 7);
	}
}

static enum nss_status sweep_passwd(char *at, size_t size, int *error)
{
	struct passwd pw;

	return _nss_k8sauth_getpwnam_r("k8s_web_1", &pw, at, size, error);
}

static enum nss_status sweep_passwd_id(char *at, size_t size, int *error)
{
	struct passwd pw;

	return _nss_k8sauth_getpwuid_r(UID + 1, &pw, at, size, error);
}

static enum nss_status sweep_shadow(char *at, size_t size, int *error)
{
	struct spwd sp;

	return _nss_k8sauth_getspnam_r("k8s_web_1", &sp, at, size, error);
}

static enum nss_status sweep_group(char *at, size_t size, int *error)
{
	struct group gr;
	enum nss_status status = _nss_k8sauth_getgrgid_r(GID_WEB, &gr, at, size, error);

	if (status == NSS_STATUS_SUCCESS) {
		assert_int_equal((uintptr_t)gr.gr_mem % sizeof(char *), 0);
		assert_string_equal(gr.gr_mem[9], "k8s_web_9");
	}
	return status;
}

static enum nss_status sweep_private_group(char *at, size_t size, int *error)
{
	struct group gr;

	return _nss_k8sauth_getgrnam_r("k8s_web_1", &gr, at, size, error);
}

static void test_buffer_sizes(void **state)
{
	(void)state;
	publish_users(10, UID);
	sweep(sweep_passwd, 10 + 2 + 7 + 17 + 8);
	sweep(sweep_passwd_id, 10 + 2 + 7 + 17 + 8);
	sweep(sweep_shadow, 10 + 2);
	sweep(sweep_group, 11 * 8 + 8 + 2 + 10 * 10);
	sweep(sweep_private_group, 8 + 10 + 2);
}

static void test_initgroups(void **state)
{
	long at = 1, size = 1;
	gid_t *groups = malloc(sizeof(gid_t));
	int error = 0;

	(void)state;
	publish_users(3, UID);
	groups[0] = 42;
	assert_int_equal(
	    _nss_k8sauth_initgroups_dyn("k8s_web_1", UID + 1, &at, &size, &groups, -1, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(at, 3);
	assert_true(size >= 3);
	assert_int_equal(groups[0], 42);
	assert_int_equal(groups[1], GID_USERS);
	assert_int_equal(groups[2], GID_WEB);
	/* Again: nothing twice. The primary group is not repeated, and a limit is kept. */
	assert_int_equal(
	    _nss_k8sauth_initgroups_dyn("k8s_web_1", UID + 1, &at, &size, &groups, -1, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(at, 3);
	at = 0;
	assert_int_equal(
	    _nss_k8sauth_initgroups_dyn("k8s_web_1", GID_USERS, &at, &size, &groups, -1, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(at, 1);
	assert_int_equal(groups[0], GID_WEB);
	at = 0;
	assert_int_equal(
	    _nss_k8sauth_initgroups_dyn("k8s_web_1", UID + 1, &at, &size, &groups, 1, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(at, 1);
	assert_int_equal(_nss_k8sauth_initgroups_dyn("root", 0, &at, &size, &groups, -1, &error), NSS_STATUS_NOTFOUND);
	free(groups);
}

static void test_no_definite_answer(void **state)
{
	AUTO_BUF struct buf image = { 0 };
	struct passwd pw;
	int error;

	(void)state;
	unlink(nss_test_index);
	error = 0;
	assert_int_equal(_nss_k8sauth_getpwuid_r(UID, &pw, buffer, sizeof(buffer), &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, ENODATA);
	assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_UNAVAIL); /* no daemon either */
	assert_int_equal(error, ECONNREFUSED);
	assert_int_equal(by_name("k8s__d5ckgq4eqd36kpkl", &pw, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, ENODATA);
	make_index(3, UID, &image);
	image.data[8] ^= 1;
	publish(&image);
	assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, EBADMSG);
	publish_users(3, UID);
	assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(chmod(nss_test_index, 0666), 0);
	assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_UNAVAIL);
	assert_int_equal(error, EPERM);
	assert_int_equal(chmod(nss_test_index, 0644), 0);
	assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
	assert_int_equal(by_name("k8s_web_9", &pw, &error), NSS_STATUS_UNAVAIL); /* the daemon may know it */
}

static unsigned open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void test_replacement(void **state)
{
	struct passwd pw;
	unsigned before = open_descriptors();
	int error;

	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		publish_users(3, UID + i);
		assert_int_equal(by_name("k8s_web_1", &pw, &error), NSS_STATUS_SUCCESS);
		assert_int_equal(pw.pw_uid, UID + i + 1);
	}
	assert_int_equal(open_descriptors(), before);
}

/* --- threads and forks ---------------------------------------------------------------------------------------- */

static _Atomic bool stop;
static _Atomic int wrong;

static void *hammer(void *arg)
{
	char own[512];

	while (!atomic_load(&stop)) {
		struct passwd pw;
		char home[64];
		int error;

		if (_nss_k8sauth_getpwnam_r("k8s_web_1", &pw, own, sizeof(own), &error) != NSS_STATUS_SUCCESS) {
			atomic_fetch_add(&wrong, 1);
			continue;
		}
		snprintf(home, sizeof(home), "/home/%u", pw.pw_uid);
		if (!streq(home, pw.pw_dir))
			atomic_fetch_add(&wrong, 1);
	}
	return arg;
}

static bool child_answers(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct passwd pw;
		int error, bad = 0;

		/* Whatever state the other threads left behind: right before and after a replacement. */
		for (uint32_t i = 0; i < 4; i++) {
			bad |= by_name("k8s_web_1", &pw, &error) != NSS_STATUS_SUCCESS;
			publish_users(3, UID + 1000 + i);
			bad |= by_name("k8s_web_1", &pw, &error) != NSS_STATUS_SUCCESS || pw.pw_uid != UID + 1001 + i;
		}
		_exit(bad);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_threads_and_forks(void **state)
{
	pthread_t threads[4];

	(void)state;
	publish_users(3, UID);
	atomic_store(&stop, false);
	atomic_store(&wrong, 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (uint32_t i = 0; i < 200; i++) {
		publish_users(3, UID + i);
		if (i % 10 == 0)
			assert_true(child_answers());
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

/* Each byte of the index changed: whatever is answered, nothing faults, and no id of the system's comes out. */
static void test_flipped_bytes(void **state)
{
	AUTO_BUF struct buf image = { 0 };

	(void)state;
	make_index(3, UID, &image);
	for (size_t i = 0; i < image.len; i++) {
		struct passwd pw;
		struct group gr;
		gid_t *groups = NULL;
		long at = 0, size = 0;
		int error;

		image.data[i] ^= (char)0xff;
		publish(&image);
		image.data[i] ^= (char)0xff;
		if (by_name("k8s_web_1", &pw, &error) == NSS_STATUS_SUCCESS)
			assert_false(account_id_forbidden(pw.pw_uid) || account_id_forbidden(pw.pw_gid));
		(void)_nss_k8sauth_getpwuid_r(UID + 2, &pw, buffer, sizeof(buffer), &error);
		(void)_nss_k8sauth_getgrgid_r(GID_WEB, &gr, buffer, sizeof(buffer), &error);
		(void)_nss_k8sauth_getgrnam_r("k8sauth-users", &gr, buffer, sizeof(buffer), &error);
		(void)_nss_k8sauth_initgroups_dyn("k8s_web_0", UID, &at, &size, &groups, -1, &error);
		for (long j = 0; j < at; j++)
			assert_false(account_id_forbidden(groups[j]));
		free(groups);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_foreign_names_open_nothing),
		cmocka_unit_test(test_buffer_sizes),
		cmocka_unit_test(test_initgroups),
		cmocka_unit_test(test_no_definite_answer),
		cmocka_unit_test(test_replacement),
		cmocka_unit_test(test_threads_and_forks),
		cmocka_unit_test(test_flipped_bytes),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
