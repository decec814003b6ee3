/* SPDX-License-Identifier: Apache-2.0 */
/* Places of the helper's own for a test: accounts.conf, index, sessions, passwd and group in a folder of root's. */
#pragma once

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "accounts/state.h"
#include "base/log.h"
#include "helper/helper.h"

static char dir[] = "/root/.k8sauth-test-XXXXXX", index_dir[64], index_path[80], conf_path[64], sessions[64],
	    passwd_path[64], group_path[64], why[512];

static const struct helper_places places = {
	.index_dir = index_dir,
	.index = index_path,
	.conf = conf_path,
	.sessions = sessions,
	.passwd = passwd_path,
	.group = group_path,
};

#define NEEDS_ROOT()            \
	do {                    \
		(void)state;    \
		if (getuid())   \
			skip(); \
	} while (0)

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline int fixture_setup(void **state)
{
	(void)state;
	if (getuid() != 0)
		return 0;
	if (!mkdtemp(dir))
		return -1;
	snprintf(index_dir, sizeof(index_dir), "%s/index", dir);
	snprintf(index_path, sizeof(index_path), "%s/accounts", index_dir);
	snprintf(conf_path, sizeof(conf_path), "%s/accounts.conf", dir);
	snprintf(sessions, sizeof(sessions), "%s/sessions", dir);
	snprintf(passwd_path, sizeof(passwd_path), "%s/passwd", dir);
	snprintf(group_path, sizeof(group_path), "%s/group", dir);
	if (mkdir(index_dir, 0755) < 0 || mkdir(sessions, 0755) < 0)
		return -1;
	write_text(passwd_path, "root:x:0:0:root:/root:/bin/bash\ndeploy:x:1500:1500::/home/deploy:/bin/sh\n"
				"toor:x:0:0::/root:/bin/sh\n");
	write_text(group_path, "root:x:0:\ndeploy:x:1500:\n");
	log_set_level(LOG_CRIT);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	(void)state;
	unlink(index_path);
	unlink(conf_path);
	unlink(passwd_path);
	unlink(group_path);
	rmdir(sessions);
	rmdir(index_dir);
	rmdir(dir);
	return 0;
}

static inline int seal(const struct buf *image, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, image->data, image->len), image->len);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static inline int publish_buf(const struct buf *image, const char *rebind)
{
	AUTO_CLOSE int fd = seal(image, ALL_SEALS);

	*why = '\0';
	return publish(&places, fd, rebind, why, sizeof(why));
}

/* The next index as the daemon builds it, from accounts.conf, the index in place and a claim or two (NAME NULL: none).
 */
struct proof {
	const char *name, *identity, *uid;
};

static inline void build(const struct proof *proofs, size_t n, struct buf *ret)
{
	AUTO_CONF struct accounts_conf *conf = NULL;
	struct accounts accounts = { .conf_path = conf_path };
	struct claim claims[8] = { 0 };

	if (conf_load(conf_path, 0, &conf, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	accounts.conf = conf;
	(void)!index_open(index_path, 0, &accounts.map);
	for (size_t i = 0; i < n; i++) {
		claims[i].next = i + 1 < n ? &claims[i + 1] : NULL;
		snprintf(claims[i].name, sizeof(claims[i].name), "%s", proofs[i].name);
		snprintf(claims[i].identity, sizeof(claims[i].identity), "%s", proofs[i].identity);
		snprintf(claims[i].service_account_uid, sizeof(claims[i].service_account_uid), "%s", proofs[i].uid);
		claims[i].rebind = proofs[i].identity[0] == '\0';
	}
	if (image_build(&accounts, n > 0 ? claims : NULL, true, ret, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	index_close(&accounts.map);
}
