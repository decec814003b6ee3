/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures one exchange: latency of interleaved bare TokenReviews (libcurl, kept alive) and logins through k8sauthd,
 * and logins per second of many clients, each on a connection of its own over the api socket. exchange latency N
 * API_SOCKET ROLE TOKEN_FILE URL CA_FILE exchange rate SECONDS CLIENTS API_SOCKET ROLE TOKEN_FILE
 */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/deadline.h"
#include "base/macros.h"

static char request[16384];
static size_t request_len;
static char review[16384];
static const char *socket_path;
static atomic_bool stop;
static atomic_ulong done, failed;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void make_requests(const char *role, const char *token_file)
{
	char token[8192], body[12288];
	FILE *file = fopen(token_file, "re");
	size_t len = file ? fread(token, 1, sizeof(token) - 1, file) : 0;
	int body_len;

	if (file)
		fclose(file);
	while (len > 0 && token[len - 1] == '\n')
		len--;
	token[len] = '\0';
	body_len = snprintf(body, sizeof(body), "{\"role\":\"%s\",\"jwt\":\"%s\"}", role, token);
	request_len = (size_t)snprintf(request, sizeof(request),
	    "POST /v1/auth/kubernetes/login HTTP/1.1\r\nHost: vault\r\nConnection: close\r\nContent-Length: "
	    "%d\r\n\r\n%s",
	    body_len, body);
	snprintf(review, sizeof(review),
	    "{\"metadata\":{},\"spec\":{\"token\":\"%s\",\"audiences\":[\"vault\"]},\"status\":{\"user\":{}}}", token);
}

/* One login: connect, send, read to the end. 0 where the reply is a 200. */
static int login(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char reply[8192];
	size_t have = 0;
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
		return -EIO;
	while (have < sizeof(reply) && (n = recv(fd, reply + have, sizeof(reply) - have, 0)) > 0)
		have += (size_t)n;
	return have > 12 && memcmp(reply, "HTTP/1.1 200", 12) == 0 ? 0 : -EACCES;
}

static size_t discard(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static CURL *bare_new(const char *url, const char *ca)
{
	CURL *curl = curl_easy_init();

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, review);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, curl_slist_append(NULL, "Content-Type: application/json"));
	return curl;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double percentile(int64_t *sorted, size_t n, double p)
{
	return (double)sorted[(size_t)((double)(n - 1) * p)] / 1000.0;
}

static int latency(size_t n, const char *url, const char *ca)
{
	CURL *curl = bare_new(url, ca);
	int64_t *bare = calloc(n, sizeof(*bare)), *through = calloc(n, sizeof(*through));

	if (!bare || !through)
		return 1;
	for (size_t i = 0; i < 50; i++) {
		if (curl_easy_perform(curl) != CURLE_OK || login() < 0) {
			fprintf(stderr, "exchange: the bare call or the login fails\n");
			return 1;
		}
	}
	for (size_t i = 0; i < n; i++) {
		int64_t start = now_ns();

		if (curl_easy_perform(curl) != CURLE_OK)
			return 1;
		bare[i] = now_ns() - start;
		start = now_ns();
		if (login() < 0)
			return 1;
		through[i] = now_ns() - start;
	}
	qsort(bare, n, sizeof(*bare), compare);
	qsort(through, n, sizeof(*through), compare);
	printf(
	    "bare TokenReview %.0f us (p99 %.0f), login through k8sauthd %.0f us (p99 %.0f), ratio of medians %.3f\n",
	    percentile(bare, n, 0.5), percentile(bare, n, 0.99), percentile(through, n, 0.5),
	    percentile(through, n, 0.99), percentile(through, n, 0.5) / percentile(bare, n, 0.5));
	return 0;
}

static void *client(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		atomic_fetch_add(login() < 0 ? &failed : &done, 1);
	return NULL;
}

static int rate(int seconds, size_t clients)
{
	pthread_t threads[256];
	unsigned long before;

	if (clients > ARRAY_SIZE(threads))
		return 2;
	for (size_t i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, client, NULL);
	sleep(1);
	before = atomic_load(&done);
	sleep((unsigned)seconds);
	before = atomic_load(&done) - before;
	atomic_store(&stop, true);
	for (size_t i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	printf("%zu clients: %lu logins per second, %lu failed\n", clients, before / (unsigned long)seconds,
	    atomic_load(&failed));
	return atomic_load(&failed) > 0;
}

int main(int argc, char **argv)
{
	curl_global_init(CURL_GLOBAL_ALL);
	if (argc == 8 && streq(argv[1], "latency")) {
		socket_path = argv[3];
		make_requests(argv[4], argv[5]);
		return latency((size_t)atol(argv[2]), argv[6], argv[7]);
	}
	if (argc == 7 && streq(argv[1], "rate")) {
		socket_path = argv[4];
		make_requests(argv[5], argv[6]);
		return rate(atoi(argv[2]), (size_t)atol(argv[3]));
	}
	fprintf(stderr, "usage: exchange latency|rate ... (see the source)\n");
	return 2;
}
