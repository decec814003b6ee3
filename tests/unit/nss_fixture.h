/* SPDX-License-Identifier: Apache-2.0 */
/* An index of the tests' own, and the functions of the NSS object as glibc would call them. */
#pragma once

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <setjmp.h>
#include <shadow.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "accounts/index.h"
#include "accounts/names.h"

enum nss_status _nss_k8sauth_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);
enum nss_status _nss_k8sauth_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *);
enum nss_status _nss_k8sauth_getspnam_r(const char *, struct spwd *, char *, size_t, int *);
enum nss_status _nss_k8sauth_getgrnam_r(const char *, struct group *, char *, size_t, int *);
enum nss_status _nss_k8sauth_getgrgid_r(gid_t, struct group *, char *, size_t, int *);
enum nss_status _nss_k8sauth_initgroups_dyn(const char *, gid_t, long *, long *, gid_t **, long, int *);

#define UID	     1880000000u
#define GID_USERS    1900000000u
#define GID_WEB	     1900000001u
#define GID_OTHER    1900000002u /* k8s_other */
#define GID_DECLARED 30001u	 /* k8s-deployers */

char nss_test_index[100], nss_test_socket[100];
static char test_dir[] = "/tmp/k8sauth-test-XXXXXX";

/* Users k8s_web_0 ... with ids from FIRST on, in k8sauth-users and k8s_web; each home names its id. */
static inline void make_index(uint32_t n, uint32_t first, struct buf *ret)
{
	struct index_writer *writer = index_writer_new(1);
	char why[256];
	uint32_t groups[] = { htole32(GID_USERS), htole32(GID_WEB) };

	assert_int_equal(index_writer_group(writer, "k8sauth-users", GID_USERS), 0);
	assert_int_equal(index_writer_group(writer, "k8s_web", GID_WEB), 0);
	assert_int_equal(index_writer_group(writer, "k8s_other", GID_OTHER), 0);
	assert_int_equal(index_writer_group(writer, "k8s-deployers", GID_DECLARED), 0);
	for (uint32_t i = 0; i < n; i++) {
		char name[ACCOUNT_NAME_SIZE], home[64];
		struct index_user user = { .name = name,
			.gecos = "web/sa",
			.home = home,
			.shell = "/bin/sh",
			.identity = "",
			.service_account_uid = "",
			.uid = first + i,
			.gid = first + i,
			.groups = groups,
			.n_groups = 2 };

		snprintf(name, sizeof(name), "k8s_web_%u", i);
		snprintf(home, sizeof(home), "/home/%u", first + i);
		assert_int_equal(index_writer_user(writer, &user), 0);
		assert_int_equal(index_writer_group(writer, name, first + i), 0);
	}
	assert_int_equal(index_writer_finish(writer, ret, why, sizeof(why)), 0);
	index_writer_free(writer);
}

/* Puts the bytes in the index's place as the helper does. */
static inline void publish(const struct buf *image)
{
	char temporary[160];
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.new", nss_test_index);
	fd = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, image->data, image->len), image->len);
	close(fd);
	assert_int_equal(rename(temporary, nss_test_index), 0);
}

static inline void publish_users(uint32_t n, uint32_t first)
{
	AUTO_BUF struct buf image = { 0 };

	make_index(n, first, &image);
	publish(&image);
}

static inline int fixture_setup(void **state)
{
	(void)state;
	if (!mkdtemp(test_dir))
		return -1;
	snprintf(nss_test_index, sizeof(nss_test_index), "%s/accounts", test_dir);
	snprintf(nss_test_socket, sizeof(nss_test_socket), "%s/pam", test_dir);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	(void)state;
	unlink(nss_test_index);
	unlink(nss_test_socket);
	rmdir(test_dir);
	return 0;
}
