/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Sends one request again and again over kept-alive connections to a Unix socket, each with one request under way: one thread,
 * so that it takes little of what it measures. After one second to get warm it counts for SECONDS.
 *     load SECONDS CLIENTS SOCKET METHOD PATH TOKEN BODY [NAME=PID]...      TOKEN and BODY may be empty
 * Prints answers per second, then NAME and microseconds of processor time per answer of each process that is named, of itself,
 * too. Ends with 1 where an answer is no 200.
 */
/* clang-format on */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/macros.h"

#define CLIENTS_MAX 256
#define PROCESSES_MAX 8

struct client {
	int fd;
	size_t have;
	char reply[16384];
};

struct process {
	const char *name;
	clockid_t clock;
	int64_t used; /* ns, until the window began */
};

static struct client clients[CLIENTS_MAX];
static struct process processes[PROCESSES_MAX + 1];
static size_t process_count;
static char request[16384];
static size_t request_len;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int send_request(struct client *client)
{
	client->have = 0;
	return send(client->fd, request, request_len, MSG_NOSIGNAL) == (ssize_t)request_len ? 0 : -EIO;
}

static int connect_client(struct client *client, const char *path, int epoll)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
		return -errno;
	return send_request(client);
}

/* Takes what has come: 1 where the answer is whole, 0 where it is not, or a negative errno. */
static int receive(struct client *client)
{
	ssize_t n = recv(client->fd, client->reply + client->have, sizeof(client->reply) - 1 - client->have, 0);
	const char *end, *length;

	if (n <= 0)
		return -EIO;
	client->have += (size_t)n;
	client->reply[client->have] = '\0';
	end = strstr(client->reply, "\r\n\r\n");
	if (!end)
		return 0;
	length = strcasestr(client->reply, "\r\ncontent-length:");
	if (!length || length > end || strncmp(client->reply, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "load: it answers %.400s\n", client->reply);
		return -EPROTO;
	}
	return client->have >= (size_t)(end + 4 - client->reply) + strtoul(length + 17, NULL, 10);
}

static void begin_window(void)
{
	for (size_t i = 0; i < process_count; i++)
		processes[i].used = clock_ns(processes[i].clock);
}

static void report(unsigned long answers, int64_t ns)
{
	printf("%.0f", (double)answers * 1e9 / (double)ns);
	for (size_t i = 0; i < process_count; i++)
		printf(" %s %.1f", processes[i].name,
		    (double)(clock_ns(processes[i].clock) - processes[i].used) / 1000.0 / (double)answers);
	printf("\n");
}

static int run(int epoll, int64_t seconds)
{
	struct epoll_event events[64];
	unsigned long answers = 0;
	int64_t begin = clock_ns(CLOCK_MONOTONIC) + 1000000000, now;
	bool counting = false;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < begin + seconds * 1000000000) {
		int n = epoll_wait(epoll, events, ARRAY_SIZE(events), 1000);

		if (!counting && now >= begin) {
			counting = true;
			begin = now;
			answers = 0;
			begin_window();
		}
		for (int i = 0; i < n; i++) {
			struct client *client = events[i].data.ptr;
			int r = receive(client);

			if (r > 0) {
				answers++;
				r = send_request(client);
			}
			if (r < 0)
				return r;
		}
	}
	if (answers == 0)
		return -ETIMEDOUT;
	report(answers, now - begin);
	return 0;
}

static int name_processes(char **arg)
{
	processes[process_count++] = (struct process){ .name = "load", .clock = CLOCK_PROCESS_CPUTIME_ID };
	for (; *arg && process_count < ARRAY_SIZE(processes); arg++, process_count++) {
		struct process *process = &processes[process_count];
		char *equals = strchr(*arg, '=');

		if (!equals)
			return -EINVAL;
		*equals = '\0';
		process->name = *arg;
		if (clock_getcpuclockid(atoi(equals + 1), &process->clock) != 0)
			return -ESRCH;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), r = 0;
	size_t count = argc > 7 ? strtoul(argv[2], NULL, 10) : 0;

	if (count < 1 || count > CLIENTS_MAX || name_processes(argv + 8) < 0) {
		fprintf(stderr, "usage: load SECONDS CLIENTS SOCKET METHOD PATH TOKEN BODY [NAME=PID]...\n");
		return 2;
	}
	request_len = (size_t)snprintf(request, sizeof(request),
	    "%s /v1/%s HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: %s\r\nContent-Length: %zu\r\n\r\n%s", argv[4], argv[5],
	    argv[6], strlen(argv[7]), argv[7]);
	if (request_len >= sizeof(request))
		return 2;
	for (size_t i = 0; i < count && r == 0; i++)
		r = connect_client(&clients[i], argv[3], epoll);
	if (r == 0)
		r = run(epoll, atoi(argv[1]));
	if (r < 0)
		fprintf(stderr, "load: %s %s by %s: %s\n", argv[4], argv[5], argv[3], strerror(-r));
	return r < 0;
}
