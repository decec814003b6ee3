/* SPDX-License-Identifier: Apache-2.0 */
/*
 * k8sauth-helper's life: systemd starts it when somebody connects to its socket, it serves one request after the other,
 * and leaves when nothing came for half a minute. Only root and the daemon's user are heard.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "accounts/local.h"
#include "base/log.h"
#include "helper/helper.h"

#define LISTEN_FD 3 /* sd_listen_fds(3): the first descriptor that systemd passes */
#define IDLE_MS	  30000
#define READ_MS	  3000
#define REPLY_MS  2000
#define BACKLOG	  64

static const struct helper_places places = {
	.index_dir = "/var/lib/k8sauth-index",
	.index = K8SAUTH_INDEX,
	.conf = K8SAUTH_ACCOUNTS_CONF,
	.sessions = K8SAUTH_SESSIONS_DIR,
	.passwd = LOCAL_PASSWD,
	.group = LOCAL_GROUP,
	.hook = K8SAUTH_HOOK_ROTATED,
	.systemd_run = "/usr/bin/systemd-run",
};

/* --- the socket ----------------------------------------------------------------------------------------------- */

/* The socket that systemd passes, without libsystemd: exactly one, for this process. -1 if there is none. */
static int socket_of_systemd(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int listening = 0, domain = 0;
	socklen_t len = sizeof(int);
	char own[16];

	snprintf(own, sizeof(own), "%d", getpid());
	if (!pid || !count || !streq(pid, own) || !streq(count, "1"))
		return -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening ||
	    getsockopt(LISTEN_FD, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_UNIX ||
	    fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("what systemd passed is no listening unix socket");
		return -1;
	}
	return LISTEN_FD;
}

/* A socket of our own, for the daemon's group. */
static int socket_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct local_user daemon;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
		log_error("%s cannot be a socket", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (local_find_user(places.passwd, K8SAUTH_USER, LOCAL_NO_ID, &daemon) == 0 &&
	    (lchown(path, 0, daemon.gid) < 0 || chmod(path, 0660) < 0)) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	return TAKE_FD(fd);
}

/* --- one connection ------------------------------------------------------------------------------------------- */

static bool peer_allowed(int fd)
{
	struct ucred peer;
	struct local_user daemon;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0)
		return true;
	if (local_find_user(places.passwd, K8SAUTH_USER, LOCAL_NO_ID, &daemon) == 0 && daemon.uid == peer.uid)
		return true;
	log_warning("refused: pid %d of uid %u is neither root nor " K8SAUTH_USER, peer.pid, peer.uid);
	return false;
}

static void serve(int fd)
{
	AUTO_BUF struct buf request = { 0 };
	AUTO_BUF struct buf reply = BUF_MAX(WIRE_REPLY_MAX);
	AUTO_CLOSE int passed = -1;
	struct wire_frame frame;
	int r;

	if (!peer_allowed(fd))
		return;
	r = wire_serve_read(fd, WIRE_HELPER_MAX, deadline_after_ms(READ_MS), &request, &frame, &passed);
	if (r < 0) {
		log_warning("refused: a request that did not come whole and well-formed: %s", strerror(-r));
		return;
	}
	helper_answer(&places, &frame, passed, &reply);
	if (reply.len > 0 && wire_serve_reply(fd, &reply, deadline_after_ms(REPLY_MS)) < 0)
		log_warning("an answer was not taken");
}

/* Until nothing comes for IDLE_MS. A connection that comes just then makes systemd start the next helper. */
static int serve_until_idle(int listening)
{
	struct pollfd waiting = { .fd = listening, .events = POLLIN };

	for (;;) {
		int n = poll(&waiting, 1, IDLE_MS), fd;

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR) {
			log_error("poll: %s", strerror(errno));
			return 1;
		}
		if (n < 0)
			continue;
		fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
			log_error("accept: %s", strerror(errno));
			return 1;
		}
		if (fd < 0)
			continue;
		serve(fd);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	int listening;

	if (argc == 2 && streq(argv[1], "--version")) {
		puts("k8sauth-helper " K8SAUTH_VERSION);
		return 0;
	}
	if (!(argc == 1 || (argc == 3 && streq(argv[1], "--socket")))) {
		fputs("usage: k8sauth-helper [--socket PATH]\n"
		      "Started by systemd (k8sauth-helper.socket), it takes the socket from there.\n",
		    stderr);
		return 2;
	}
	if (geteuid() != 0) {
		log_error("k8sauth-helper must be root");
		return 1;
	}
	umask(077);
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_error("prctl: %s", strerror(errno));
		return 1;
	}
	signal(SIGCHLD, SIG_IGN); /* nobody waits for what starts hooks: it says itself what fails */
	listening = argc == 3 ? socket_at(argv[2]) : socket_of_systemd();
	if (listening < 0) {
		if (argc == 1)
			log_error("no socket came from systemd: systemctl start k8sauth-helper.socket");
		return 1;
	}
	return serve_until_idle(listening);
}
