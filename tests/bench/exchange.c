/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Measures exchanges through k8sauthd beside bare TokenReviews (libcurl, one kept-alive connection per client). Each
 * login is a connection of its own, as it is for a PAM module.
 *     exchange latency N API-SOCKET ROLE TOKEN-FILE URL CA-FILE   one client, a bare call and a login in turn
 *     exchange rate SECONDS CLIENTS API-SOCKET ROLE TOKEN-FILE URL CA-FILE
 *     exchange wire SECONDS CLIENTS SERVICE USER TOKEN-FILE       sessions: login, open and close by the PAM socket
 *     exchange phases N SERVICE USER TOKEN-FILE                   how long each of the three takes one client
 *     exchange fill N CLIENTS API-SOCKET ROLE TOKEN-FILE          N logins
 */
/* clang-format on */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <k8sauth/limits.h>

#include "base/deadline.h"
#include "base/macros.h"
#include "wire/wire.h"

#define CLIENTS_MAX 256

static char token[8192];
static char request[16384];
static size_t request_len;
static char review[16384];
static const char *socket_path, *service, *user, *url, *ca;
static atomic_bool stop;
static atomic_ulong done, failed;
static atomic_long left; /* of a fill */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int read_token(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(token, 1, sizeof(token) - 1, file) : 0;

	if (file)
		fclose(file);
	while (len > 0 && token[len - 1] == '\n')
		len--;
	token[len] = '\0';
	if (len > 0)
		return 0;
	fprintf(stderr, "exchange: there is no token in %s\n", path);
	return -ENOENT;
}

static void make_requests(const char *role)
{
	char body[12288];
	int body_len = snprintf(body, sizeof(body), "{\"role\":\"%s\",\"jwt\":\"%s\"}", role, token);

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

static CURL *bare_new(void)
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

/* One TokenReview. */
static int bare(CURL *curl)
{
	long status = 0;

	if (curl_easy_perform(curl) != CURLE_OK)
		return -EIO;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 201 ? 0 : -EACCES;
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

static int latency(size_t n)
{
	CURL *curl = bare_new();
	int64_t *alone = calloc(n, sizeof(*alone)), *through = calloc(n, sizeof(*through));

	if (!alone || !through)
		return 1;
	for (size_t i = 0; i < 50; i++) {
		if (bare(curl) < 0 || login() < 0) {
			fprintf(stderr, "exchange: the bare call or the login fails\n");
			return 1;
		}
	}
	for (size_t i = 0; i < n; i++) {
		int64_t start = now_ns();

		if (bare(curl) < 0)
			return 1;
		alone[i] = now_ns() - start;
		start = now_ns();
		if (login() < 0)
			return 1;
		through[i] = now_ns() - start;
	}
	qsort(alone, n, sizeof(*alone), compare);
	qsort(through, n, sizeof(*through), compare);
	printf("bare TokenReview %.0f us (p99 %.0f), login through k8sauthd %.0f us (p99 %.0f), "
	       "ratio of medians %.3f, of the quiet quartiles %.3f\n",
	    percentile(alone, n, 0.5), percentile(alone, n, 0.99), percentile(through, n, 0.5),
	    percentile(through, n, 0.99), percentile(through, n, 0.5) / percentile(alone, n, 0.5),
	    percentile(through, n, 0.25) / percentile(alone, n, 0.25));
	return 0;
}

/* Asks by the PAM socket; item TAG of the reply in *RET_SECRET or *RET_TEXT. */
static int ask(struct buf *wire, uint16_t tag, struct secret **ret_secret, char **ret_text)
{
	AUTO_BUF struct buf data = { 0 };
	struct wire_frame reply;
	uint32_t status = WIRE_STATUS_INTERNAL;
	int r = wire_end(wire);

	if (r == 0)
		r = wire_call(K8SAUTH_PAM_SOCKET, wire, WIRE_REPLY_MAX, deadline_after_ms(PAM_LOGIN_MS), &data, &reply);
	if (r < 0)
		return r;
	if (!wire_get_u32(&reply, WIRE_STATUS, &status) || status != WIRE_STATUS_OK)
		return -EACCES;
	if (ret_secret)
		*ret_secret = wire_get_secret(&reply, tag);
	if (ret_text)
		*ret_text = wire_get_str(&reply, tag);
	return (ret_secret && !*ret_secret) || (ret_text && !*ret_text) ? -EPROTO : 0;
}

/* One session, as module and sshd have it. AT gets the time before, between and after its requests; or NULL. */
static int session(int64_t at[4])
{
	int64_t ignored[4];
	AUTO_BUF struct buf login = BUF_MAX(WIRE_REQUEST_MAX), open = BUF_MAX(WIRE_REQUEST_MAX),
			    close = BUF_MAX(WIRE_REQUEST_MAX);
	AUTO_SECRET struct secret *handle = NULL;
	AUTO_FREE char *id = NULL;
	int r;

	at = at ? at : ignored;
	at[0] = now_ns();
	wire_begin(&login, WIRE_LOGIN);
	wire_add_str(&login, WIRE_USER | WIRE_CRITICAL, user);
	wire_add_str(&login, WIRE_SERVICE | WIRE_CRITICAL, service);
	wire_add_str(&login, WIRE_CREDENTIAL | WIRE_CRITICAL, token);
	r = ask(&login, WIRE_HANDLE, &handle, NULL);
	if (r < 0)
		return r;
	at[1] = now_ns();
	wire_begin(&open, WIRE_OPEN);
	wire_add_str(&open, WIRE_USER | WIRE_CRITICAL, user);
	wire_add_str(&open, WIRE_SERVICE | WIRE_CRITICAL, service);
	wire_add_secret(&open, WIRE_HANDLE | WIRE_CRITICAL, handle);
	r = ask(&open, WIRE_SESSION, NULL, &id);
	if (r < 0)
		return r;
	at[2] = now_ns();
	wire_begin(&close, WIRE_CLOSE);
	wire_add_str(&close, WIRE_SESSION | WIRE_CRITICAL, id);
	r = ask(&close, WIRE_STATUS, NULL, NULL);
	at[3] = now_ns();
	return r;
}

static void *login_client(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		atomic_fetch_add(login() < 0 ? &failed : &done, 1);
	return NULL;
}

static void *session_client(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		atomic_fetch_add(session(NULL) < 0 ? &failed : &done, 1);
	return NULL;
}

static void *fill_client(void *arg)
{
	(void)arg;
	while (atomic_fetch_sub(&left, 1) > 0)
		atomic_fetch_add(login() < 0 ? &failed : &done, 1);
	return NULL;
}

static void *bare_client(void *arg)
{
	CURL *curl = bare_new();

	(void)arg;
	while (!atomic_load(&stop))
		atomic_fetch_add(bare(curl) < 0 ? &failed : &done, 1);
	curl_easy_cleanup(curl);
	return NULL;
}

/* CLIENTS threads of MAIN; with SECONDS their count per second, after one second to get warm. */
static double run(void *(*main)(void *), size_t clients, unsigned seconds)
{
	pthread_t threads[CLIENTS_MAX];
	unsigned long before;
	int64_t start;
	double rate = 0;

	atomic_store(&stop, false);
	atomic_store(&done, 0);
	for (size_t i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, main, NULL);
	if (seconds > 0) {
		sleep(1);
		start = now_ns();
		before = atomic_load(&done);
		sleep(seconds);
		rate = (double)(atomic_load(&done) - before) * 1e9 / (double)(now_ns() - start);
		atomic_store(&stop, true);
	}
	for (size_t i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	return rate;
}

static int rate(unsigned seconds, size_t clients)
{
	double alone = run(bare_client, clients, seconds), through = run(login_client, clients, seconds);

	printf("%zu clients: %.0f bare TokenReviews per second, %.0f logins (%.2f of the bare ones), %lu failed\n",
	    clients, alone, through, through / alone, atomic_load(&failed));
	return atomic_load(&failed) > 0;
}

static int wire(unsigned seconds, size_t clients)
{
	double sessions = run(session_client, clients, seconds);

	printf("%zu clients: %.0f sessions per second, %lu failed\n", clients, sessions, atomic_load(&failed));
	return atomic_load(&failed) > 0;
}

static int phases(size_t n)
{
	int64_t *times[3], at[4];

	for (size_t k = 0; k < 3; k++) {
		times[k] = calloc(n, sizeof(**times));
		if (!times[k])
			return 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (session(at) < 0) {
			fprintf(stderr, "exchange: a session fails\n");
			return 1;
		}
		for (size_t k = 0; k < 3; k++)
			times[k][i] = at[k + 1] - at[k];
	}
	for (size_t k = 0; k < 3; k++)
		qsort(times[k], n, sizeof(**times), compare);
	printf("medians: login %.0f us, open %.0f us, close %.0f us\n", percentile(times[0], n, 0.5),
	    percentile(times[1], n, 0.5), percentile(times[2], n, 0.5));
	return 0;
}

static int fill(long n, size_t clients)
{
	int64_t start = now_ns();

	atomic_store(&left, n);
	run(fill_client, clients, 0);
	printf("%ld logins in %.1f s, %lu failed\n", n, (double)(now_ns() - start) / 1e9, atomic_load(&failed));
	return atomic_load(&failed) > 0;
}

static size_t clients_of(const char *text)
{
	size_t n = (size_t)atol(text);

	return n < CLIENTS_MAX ? n : CLIENTS_MAX;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool is_latency = argc == 8 && streq(what, "latency"), is_rate = argc == 9 && streq(what, "rate"),
	     is_fill = argc == 7 && streq(what, "fill");

	curl_global_init(CURL_GLOBAL_ALL);
	if ((argc == 7 && streq(what, "wire")) || (argc == 6 && streq(what, "phases"))) {
		service = argv[argc - 3];
		user = argv[argc - 2];
		if (read_token(argv[argc - 1]) < 0)
			return 1;
		return argc == 7 ? wire((unsigned)atoi(argv[2]), clients_of(argv[3])) : phases((size_t)atol(argv[2]));
	}
	if (is_latency || is_rate || is_fill) {
		char **rest = argv + (is_latency ? 3 : 4);

		socket_path = rest[0];
		if (read_token(rest[2]) < 0)
			return 1;
		make_requests(rest[1]);
		url = rest[3];
		ca = url ? rest[4] : NULL;
		if (is_latency)
			return latency((size_t)atol(argv[2]));
		return is_rate ? rate((unsigned)atoi(argv[2]), clients_of(argv[3]))
			       : fill(atol(argv[2]), clients_of(argv[3]));
	}
	fprintf(stderr, "usage: exchange latency|rate|wire|phases|fill ... (see the source)\n");
	return 2;
}
