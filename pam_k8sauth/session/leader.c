/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's leader, the process that opened it (sshd's monitor). Its death ends the session also when close never
 * comes. A pidfd tells at once; where there is none, /proc is looked at every few seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>

#include "session/state.h"

#define POLL_SECONDS 5

uint64_t leader_start_time(int32_t pid)
{
	char path[32], line[1024];
	unsigned long long start = 0;
	const char *at;
	ssize_t n;
	int fd AUTO_CLOSE = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	/* The name stands in parentheses and may hold anything; field 22 is the 20th behind it. */
	at = strrchr(line, ')');
	for (int i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, "%llu", &start) == 1 ? start : 0;
}

/* A pid may be another's by now. */
bool leader_lives(const struct session *session)
{
	const struct session_record *record = &session->record;
	uint64_t start = leader_start_time(record->leader);

	if (start != 0 && record->leader_start != 0)
		return start == record->leader_start;
	return kill(record->leader, 0) == 0 || errno != ESRCH;
}

static void on_leader_gone(evutil_socket_t fd, short events, void *arg)
{
	session_end(arg, "its leader has exited");
}

static void on_poll(evutil_socket_t fd, short events, void *arg)
{
	struct sessions *all = arg;

	for (size_t i = 0; i < HASH_SIZE; i++) {
		struct session *next;

		for (struct session *s = all->hash[i]; s; s = next) {
			next = s->next;
			if (s->polled && !leader_lives(s))
				session_end(s, "its leader has exited");
		}
	}
}

static void poll_start(struct sessions *all)
{
	static const struct timeval every = { .tv_sec = POLL_SECONDS };

	if (all->leader_poll)
		return;
	all->leader_poll = event_new(all->options.base, -1, EV_PERSIST, on_poll, all);
	if (!all->leader_poll || event_add(all->leader_poll, &every) < 0)
		log_error("sessions: out of memory: leaders are not watched");
}

void leader_watch(struct session *session, int pidfd)
{
	int32_t pid = session->record.leader;

	if (session->pidfd >= 0 || session->polled || pid <= 0) {
		if (pidfd >= 0)
			close(pidfd);
		return;
	}
	session->pidfd = pidfd >= 0 ? pidfd : pidfd_open(pid, 0);
	/* Looked at with the pidfd in hand: what it stands for cannot change any more. */
	if (!leader_lives(session)) {
		session_end(session, "its leader has exited");
		return;
	}
	if (session->pidfd >= 0)
		session->leader_event = event_new(
		    session->all->options.base, session->pidfd, EV_READ, on_leader_gone, session);
	if (session->leader_event && event_add(session->leader_event, NULL) == 0)
		return;
	leader_unwatch(session);
	session->polled = true;
	poll_start(session->all);
}

void leader_unwatch(struct session *session)
{
	if (session->leader_event)
		event_free(TAKE_PTR(session->leader_event));
	if (session->pidfd >= 0)
		close(TAKE_FD(session->pidfd));
	session->polled = false;
}
