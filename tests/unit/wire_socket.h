/* SPDX-License-Identifier: Apache-2.0 */
/* A socket in a folder of its own, for the tests of the wire room. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "wire/wire.h"

#define PATIENCE_MS 20000 /* for what must happen: only a broken build waits that long */

static char socket_dir[] = "/tmp/test_wire.XXXXXX";
static char socket_path[64];

static inline int socket_setup(void **state)
{
	if (!mkdtemp(socket_dir))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/socket", socket_dir);
	return chmod(socket_dir, 0755);
}

static inline int socket_teardown(void **state)
{
	unlink(socket_path);
	return rmdir(socket_dir);
}

static inline int socket_listen(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, socket_path);
	unlink(socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static inline int socket_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void build_login(struct buf *buf)
{
	wire_begin(buf, WIRE_LOGIN);
	wire_add_str(buf, WIRE_USER, "k8s_a_b");
	assert_int_equal(wire_end(buf), 0);
}
