/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon's accounts with a helper that the test plays, in a folder that only root can write. */
#pragma once

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "accounts/state.h"
#include "base/log.h"
#include "wire/wire.h"

static char dir[] = "/root/.k8sauth-test-XXXXXX", index_path[64], conf_path[64], socket_path[64];
static struct event_base *base;
static struct accounts *accounts;

/* --- the helper ----------------------------------------------------------------------------------------------- */

static _Atomic int published; /* how many times */
static _Atomic bool refuses;  /* answers REFUSED */
static _Atomic bool holds;    /* answers nothing before this is false again */
static char rebind_name[64];  /* of the last publication */
static int listening = -1;

static inline void put_in_place(int fd, size_t size)
{
	AUTO_FREE char *data = malloc(size);
	char temporary[80], why[256] = "";
	struct index_map map;
	int out;

	assert_int_equal(pread(fd, data, size, 0), size);
	assert_int_equal(index_from_memory(data, size, &map), 0);
	if (index_check(&map, why, sizeof(why)) < 0)
		fail_msg("the published index: %s", why);
	snprintf(temporary, sizeof(temporary), "%s.new", index_path);
	out = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(write(out, data, size), size);
	close(out);
	assert_int_equal(rename(temporary, index_path), 0);
}

static inline void serve(int fd)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	AUTO_BUF struct buf request = { 0 };
	AUTO_BUF struct buf reply = { 0 };
	AUTO_FREE char *rebind = NULL;
	AUTO_CLOSE int passed = -1;
	struct wire_frame frame;
	struct stat st;

	if (wire_serve_read(fd, WIRE_HELPER_MAX, deadline_after_ms(5000), &request, &frame, &passed) < 0)
		return;
	while (atomic_load(&holds))
		usleep(1000);
	assert_int_equal(frame.type, WIRE_HELPER_PUBLISH);
	assert_int_equal(fcntl(passed, F_GET_SEALS) & seals, seals);
	rebind = wire_get_str(&frame, WIRE_REBIND);
	snprintf(rebind_name, sizeof(rebind_name), "%s", rebind ? rebind : "");
	assert_int_equal(fstat(passed, &st), 0);
	wire_begin(&reply, WIRE_HELPER_PUBLISH | WIRE_REPLY);
	if (atomic_load(&refuses)) {
		wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_REFUSED);
		wire_add_str(&reply, WIRE_MESSAGE, "the test does not like it");
	} else {
		put_in_place(passed, (size_t)st.st_size);
		wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_OK);
	}
	atomic_fetch_add(&published, 1);
	assert_int_equal(wire_end(&reply), 0);
	(void)!wire_serve_reply(fd, &reply, deadline_after_ms(5000));
}

static inline void *helper_thread(void *arg)
{
	for (;;) {
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return arg;
		serve(fd);
		close(fd);
	}
}

static pthread_t helper;

static inline void helper_start(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	unlink(socket_path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listening, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listening, 16), 0);
	assert_int_equal(pthread_create(&helper, NULL, helper_thread, NULL), 0);
}

static inline void helper_stop(void)
{
	if (listening < 0)
		return;
	shutdown(listening, SHUT_RDWR);
	pthread_join(helper, NULL);
	close(listening);
	listening = -1;
	unlink(socket_path);
}

/* --- the daemon's side
 * ------------------------------------------------------------------------------------------------ */

static inline void write_conf(const char *text)
{
	int fd;

	unlink(conf_path); /* a new inode: the same size within one clock tick is a change all the same */
	fd = open(conf_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void start(const char *conf)
{
	char why[512] = "";

	write_conf(conf);
	atomic_store(&published, 0);
	atomic_store(&refuses, false);
	atomic_store(&holds, false);
	if (accounts_open(base, index_path, conf_path, socket_path, &accounts, why, sizeof(why)) < 0)
		fail_msg("%s", why);
}

struct answer {
	int called;
	enum account_verdict verdict;
	struct account account;
	char why[512];
};

static inline void on_claimed(void *arg, enum account_verdict verdict, const struct account *account, const char *why)
{
	struct answer *answer = arg;

	answer->called++;
	answer->verdict = verdict;
	if (account)
		answer->account = *account;
	snprintf(answer->why, sizeof(answer->why), "%s", why ? why : "");
}

static inline void ask(const char *user, const char *ns, const char *sa, const char *uid, struct answer *ret)
{
	struct account_identity identity = { .mount = "kubernetes",
		.prefix = "k8s_",
		.namespace_name = ns,
		.service_account = sa,
		.service_account_uid = uid };

	*ret = (struct answer){ 0 };
	accounts_claim(accounts, user, &identity, on_claimed, ret);
}

static inline void wait_answer(const struct answer *answer)
{
	struct deadline deadline = deadline_after_ms(20000);

	while (!answer->called && !deadline_passed(deadline))
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(answer->called, 1);
}

/* Goes on until the helper has answered COUNT publications since start(), and the answer is taken. */
static inline void wait_published(int count)
{
	struct deadline deadline = deadline_after_ms(20000);

	while (atomic_load(&published) < count && !deadline_passed(deadline)) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	assert_int_equal(atomic_load(&published), count);
	while (accounts->publishing && !deadline_passed(deadline))
		event_base_loop(base, EVLOOP_ONCE);
}

static inline struct answer claim(const char *user, const char *ns, const char *sa, const char *uid)
{
	struct answer answer;

	ask(user, ns, sa, uid, &answer);
	wait_answer(&answer);
	return answer;
}

static inline int setup(void **state)
{
	if (getuid() != 0)
		return 0;
	if (!mkdtemp(dir))
		return -1;
	snprintf(index_path, sizeof(index_path), "%s/accounts", dir);
	snprintf(conf_path, sizeof(conf_path), "%s/accounts.conf", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/helper", dir);
	log_set_level(LOG_CRIT);
	base = event_base_new();
	*state = NULL;
	return base ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	if (base)
		event_base_free(base);
	rmdir(dir);
	return 0;
}

static inline int test_setup(void **state)
{
	(void)state;
	if (getuid() == 0)
		helper_start();
	return 0;
}

static inline int test_teardown(void **state)
{
	(void)state;
	atomic_store(&holds, false); /* of a test that failed */
	accounts_free(TAKE_PTR(accounts));
	if (base)
		event_base_loop(base, EVLOOP_NONBLOCK);
	helper_stop();
	unlink(index_path);
	unlink(conf_path);
	return 0;
}

#define NEEDS_ROOT()            \
	do {                    \
		(void)state;    \
		if (getuid())   \
			skip(); \
	} while (0)
