/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets; see sockets.h. */
#include "daemon/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <k8sauth/limits.h>

#include "base/log.h"

#define BACKLOG 1024

static int refuse(int error, const char *what, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", what, strerror(-error));
	return error;
}

/* HOST and PORT of "host:port" and "[::1]:port". */
static int split_address(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (!colon || !colon[1])
		return -EINVAL;
	if (len >= 2 && *address == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return -EINVAL;
	}
	if (len >= size)
		return -EINVAL;
	memcpy(host, address, len);
	host[len] = '\0';
	*port = colon + 1;
	return 0;
}

static int bind_one(const struct addrinfo *at)
{
	AUTO_CLOSE int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int sockets_bind_tcp(const char *address, int *ret, char *why, size_t why_size)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	const struct addrinfo *at;
	const char *port;
	char host[256];
	int r;

	if (split_address(address, host, sizeof(host), &port) < 0) {
		snprintf(why, why_size, "%s is not HOST:PORT", address);
		return -EINVAL;
	}
	r = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (r != 0) {
		snprintf(why, why_size, "%s: %s", address, gai_strerror(r));
		return -EINVAL;
	}
	/* A name with both kinds of address (localhost) is served on the one that clients try first or fall back to. */
	at = found;
	while (at->ai_next && at->ai_family != AF_INET)
		at = at->ai_next;
	r = bind_one(at->ai_family == AF_INET ? at : found);
	freeaddrinfo(found);
	if (r < 0)
		return refuse(r, address, why, why_size);
	*ret = r;
	return 0;
}

/* Whether somebody listens at ADDRESS: then the path is another daemon's, not a leftover. */
static bool is_served(const struct sockaddr_un *address)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
}

/* A socket for everybody at PATH, whose folder only root may write. */
static int bind_unix(const char *path, int *ret, char *why, size_t why_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before;
	int r;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0)
		return refuse(-errno, path, why, why_size);
	if (is_served(&address))
		return refuse(-EADDRINUSE, path, why, why_size);
	unlink(path);
	before = umask(0111); /* 0666 */
	r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0 ? -errno : 0;
	umask(before);
	if (r < 0)
		return refuse(r, path, why, why_size);
	*ret = TAKE_FD(fd);
	return 0;
}

/* What systemd handed over, by name; what has another name is closed, and so is what a server has no use for. */
static int take_inherited(enum daemon_mode mode, struct sockets *sockets)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		int *place = streq(names[i], "api")	   ? &sockets->api
			     : mode == MODE_SERVER	   ? NULL
			     : streq(names[i], "pam")	   ? &sockets->pam
			     : streq(names[i], "sessions") ? &sockets->table
							   : NULL;

		if (place && *place < 0) {
			*place = fd;
		} else {
			/* A server's unit has the pam socket too, for machines that are not one. */
			if (mode != MODE_SERVER)
				log_warning("systemd handed over a descriptor named %s that is of no use here", names[i]);
			close(fd);
		}
	}
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n < 0 ? n : 0;
}

static int bind_missing(enum daemon_mode mode, struct sockets *sockets, char *why, size_t why_size)
{
	bool pam = mode != MODE_SERVER && sockets->pam < 0;
	mode_t before;
	int r;

	if (!pam && sockets->api >= 0)
		return 0;
	if (geteuid() != 0) {
		snprintf(why, why_size,
		    "no sockets from systemd, and only root may make them: start k8sauthd.service, or as root, or "
		    "with -dev");
		return -EPERM;
	}
	before = umask(0022);
	r = mkdir(K8SAUTH_RUN_DIR, 0755) < 0 && errno != EEXIST ? -errno : 0;
	umask(before);
	if (r < 0)
		return refuse(r, K8SAUTH_RUN_DIR, why, why_size);
	if (pam)
		r = bind_unix(K8SAUTH_PAM_SOCKET, &sockets->pam, why, why_size);
	if (r == 0 && sockets->api < 0)
		r = bind_unix(K8SAUTH_API_SOCKET, &sockets->api, why, why_size);
	return r;
}

int sockets_open(const struct daemon_config *config, struct sockets *ret, char *why, size_t why_size)
{
	struct sockets sockets = { .pam = -1, .api = -1, .table = -1 };
	int r = take_inherited(config->mode, &sockets);

	if (r < 0)
		return refuse(r, "descriptors of systemd", why, why_size);
	sockets.tcp = calloc(config->n_listeners + 1, sizeof(*sockets.tcp));
	r = sockets.tcp ? bind_missing(config->mode, &sockets, why, why_size) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < config->n_listeners; i++) {
		r = sockets_bind_tcp(config->listeners[i].address, &sockets.tcp[i], why, why_size);
		if (r == 0)
			sockets.n_tcp++;
	}
	if (r < 0) {
		sockets_close(&sockets);
		return r;
	}
	*ret = sockets;
	return 0;
}

void sockets_close(struct sockets *sockets)
{
	cleanup_close(&sockets->pam);
	cleanup_close(&sockets->api);
	cleanup_close(&sockets->table);
	for (size_t i = 0; i < sockets->n_tcp; i++)
		cleanup_close(&sockets->tcp[i]);
	free(sockets->tcp);
	*sockets = (struct sockets){ .pam = -1, .api = -1, .table = -1 };
}
