/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to the PAM socket that never send a request: every tenth sends a byte of one now and then. Waits until
 * k8sauthd has closed them all.
 *     wire_flood N
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <k8sauth/limits.h>

#include "base/deadline.h"
#include "base/macros.h"

#define MAX	 4096
#define SLOW_MS	 200
#define LIMIT_MS 60000

static struct pollfd fds[MAX];

static int connect_one(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = K8SAUTH_PAM_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		perror("connect");
		exit(1);
	}
	return fd;
}

/* A length that never comes to an end. */
static void send_bytes(unsigned n)
{
	for (unsigned i = 0; i < n; i += 10) {
		if (fds[i].fd >= 0)
			(void)!send(fds[i].fd, "\1", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static unsigned close_ended(unsigned n)
{
	unsigned closed = 0;

	for (unsigned i = 0; i < n; i++) {
		char reply[256];

		if (fds[i].fd < 0 || !fds[i].revents)
			continue;
		if (recv(fds[i].fd, reply, sizeof(reply), 0) > 0 || errno == EAGAIN)
			continue;
		close(fds[i].fd);
		fds[i].fd = -1;
		closed++;
	}
	return closed;
}

int main(int argc, char **argv)
{
	unsigned n = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0, closed = 0;
	struct rlimit files = { MAX + 64, MAX + 64 };
	int64_t from;

	if (n == 0 || n > MAX)
		return 2;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = connect_one(), .events = POLLIN };
	from = monotonic_ms();
	printf("%u connected\n", n);
	fflush(stdout);
	while (closed < n && monotonic_ms() - from < LIMIT_MS) {
		send_bytes(n);
		(void)poll(fds, n, SLOW_MS);
		errno = 0;
		closed += close_ended(n);
	}
	printf("%u closed, the longest after %.1f s\n", closed, (double)(monotonic_ms() - from) / 1000);
	return closed == n ? 0 : 1;
}
