/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What verify costs when k8sauthd answers from memory, beside a bare round trip: the same client, and a server that
 * answers every connection at once without looking at it. In turns, so that both meet the same machine.
 *     bench_verify N SERVICE SERVICE-WITHOUT-US USER TOKEN-FILE
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <security/pam_appl.h>

#include <k8sauth/limits.h>

#include "wire/wire.h"

#define BARE "/run/k8sauth-bench"
#define MAX  100000

static const char *user;
static char token[CREDENTIAL_MAX + 1];

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Takes what comes and says yes. */
static void serve_bare(int fd)
{
	AUTO_BUF struct buf reply = { 0 };
	char request[65536];

	wire_begin(&reply, WIRE_VERIFY | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_OK);
	if (wire_end(&reply) < 0)
		exit(1);
	for (;;) {
		int conn = accept(fd, NULL, NULL);

		if (read(conn, request, sizeof(request)) > 0)
			(void)!write(conn, reply.data, reply.len);
		close(conn);
	}
}

static pid_t start_bare(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = BARE };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	unlink(BARE);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0)
		die(BARE);
	pid = fork();
	if (pid == 0)
		serve_bare(fd);
	close(fd);
	return pid;
}

static void ask_wire(const char *path, const char *service)
{
	AUTO_BUF struct buf request = BUF_MAX(WIRE_REQUEST_MAX), data = { 0 };
	struct wire_frame reply;
	uint32_t status;

	wire_begin(&request, WIRE_VERIFY);
	wire_add_str(&request, WIRE_USER | WIRE_CRITICAL, user);
	wire_add_str(&request, WIRE_SERVICE | WIRE_CRITICAL, service);
	wire_add_str(&request, WIRE_CREDENTIAL | WIRE_CRITICAL, token);
	if (wire_end(&request) < 0 ||
	    wire_call(path, &request, WIRE_REPLY_MAX, deadline_after_ms(PAM_LOGIN_MS), &data, &reply) < 0 ||
	    !wire_get_u32(&reply, WIRE_STATUS, &status) || status != WIRE_STATUS_OK) {
		fprintf(stderr, "%s does not say yes\n", path);
		exit(1);
	}
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	*ret = calloc((size_t)n, sizeof(**ret));
	for (int i = 0; i < n; i++)
		(*ret)[i].resp = strdup(token);
	return PAM_SUCCESS;
}

static void ask_pam(const char *service)
{
	struct pam_conv conversation = { converse, NULL };
	pam_handle_t *pamh;
	int r = pam_start(service, user, &conversation, &pamh);

	if (r == PAM_SUCCESS)
		r = pam_authenticate(pamh, 0);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pamh, 0);
	if (r != PAM_SUCCESS) {
		fprintf(stderr, "%s: %s\n", service, pam_strerror(pamh, r));
		exit(1);
	}
	pam_end(pamh, r);
}

static void read_token(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, token, sizeof(token) - 1);

	if (n <= 0)
		die(path);
	close(fd);
	token[n] = '\0';
	token[strcspn(token, "\n")] = '\0';
}

enum { OF_BARE, OF_WIRE, OF_PAM_ALONE, OF_PAM, N_KINDS };

static double times[N_KINDS][MAX];

static double median(int kind, size_t n)
{
	qsort(times[kind], n, sizeof(double), by_size);
	return times[kind][n / 2];
}

int main(int argc, char **argv)
{
	size_t n = argc == 6 ? strtoul(argv[1], NULL, 10) : 0;
	double bare, wire, alone, pam;
	pid_t server;

	if (n == 0 || n > MAX)
		return 2;
	user = argv[4];
	read_token(argv[5]);
	server = start_bare();
	ask_wire(K8SAUTH_PAM_SOCKET, argv[2]); /* the one that asks the API server */
	for (size_t i = 0; i < n; i++) {
		double at[N_KINDS + 1];

		at[0] = now_us();
		ask_wire(BARE, argv[2]);
		at[1] = now_us();
		ask_wire(K8SAUTH_PAM_SOCKET, argv[2]);
		at[2] = now_us();
		ask_pam(argv[3]);
		at[3] = now_us();
		ask_pam(argv[2]);
		at[4] = now_us();
		for (int kind = 0; kind < N_KINDS; kind++)
			times[kind][i] = at[kind + 1] - at[kind];
	}
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	unlink(BARE);
	bare = median(OF_BARE, n);
	wire = median(OF_WIRE, n);
	alone = median(OF_PAM_ALONE, n);
	pam = median(OF_PAM, n);
	printf("bare round trip %.1f us; verify from memory %.1f us (ratio %.2f), p99 %.1f us\n", bare, wire,
	    wire / bare, times[OF_WIRE][n * 99 / 100]);
	printf("through libpam, pam_start to pam_end: a module that asks nobody %.1f us, ours %.1f us: added %.1f us\n",
	    alone, pam, pam - alone);
	return 0;
}
