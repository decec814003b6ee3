/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systemd unit of a peer: what the control group of its process says. A process id may be another process's by the
 * time that it is looked up: the peer's pidfd tells whether it still is the one. (Linux before 6.5 has no pidfd of the
 * peer but of what has its id when the connection is accepted; the uid is the peer's own in any case.)
 */
#include "daemon/peer_unit.h"

#include <errno.h>
#include <poll.h>
#include <systemd/sd-login.h>

/* A pidfd becomes readable when its process ends. */
static bool still_lives(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 0;
}

int peer_unit(const struct wire_peer *peer, char **ret)
{
	char *unit = NULL;
	int r;

	if (peer->pid <= 0 || peer->pidfd < 0)
		return -ESRCH;
	r = sd_pid_get_unit(peer->pid, &unit);
	if (r < 0)
		return r;
	if (!still_lives(peer->pidfd)) {
		free(unit);
		return -ESRCH;
	}
	*ret = unit;
	return 0;
}
