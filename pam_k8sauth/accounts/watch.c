/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices that accounts.conf changed. Who logs in has looked the user up before the daemon is asked, so ids that change
 * must be published before that: a login is too late to notice.
 */
#include <stdio.h>
#include <sys/inotify.h>

#include "accounts/state.h"

static void on_touched(evutil_socket_t fd, short events, void *arg)
{
	struct accounts *accounts = arg;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event)))), why[512];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	(void)accounts_refresh(accounts, why, sizeof(why));
}

void watch_begin(struct accounts *accounts)
{
	AUTO_CLOSE int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	const char *slash = strrchr(accounts->conf_path, '/');
	AUTO_FREE char *folder = slash ? strndup(accounts->conf_path, (size_t)(slash - accounts->conf_path)) : NULL;

	if (fd < 0 || !folder ||
	    inotify_add_watch(
		fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR) < 0)
		return;
	accounts->watch = event_new(accounts->base, fd, EV_READ | EV_PERSIST, on_touched, accounts);
	if (accounts->watch && event_add(accounts->watch, NULL) == 0)
		(void)TAKE_FD(fd);
	else if (accounts->watch)
		event_free(TAKE_PTR(accounts->watch));
}

void watch_end(struct accounts *accounts)
{
	if (!accounts->watch)
		return;
	close(event_get_fd(accounts->watch));
	event_free(TAKE_PTR(accounts->watch));
}
