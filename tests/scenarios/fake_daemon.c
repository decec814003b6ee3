/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted k8sauthd; see fake_daemon.h. */
#include "fake_daemon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <k8sauth/limits.h>

#include "wire/wire.h"

#define PATIENCE_MS 20000

struct fake_daemon {
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	const struct action *call;
	bool repeat;
	struct seen seen[SEEN_MAX];
	size_t n_seen;
};

static const struct {
	const char *name;
	uint16_t tag;
} fields[] = { { "ref", WIRE_REF }, { "message", WIRE_MESSAGE }, { "handle", WIRE_HANDLE }, { "session", WIRE_SESSION },
	{ "env", WIRE_ENV } };

static void add_field(struct buf *reply, const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strlen(fields[i].name) == len && strncmp(fields[i].name, word, len) == 0) {
			wire_add_str(reply, fields[i].tag, word + len + 1);
			return;
		}
	}
	fprintf(stderr, "unknown field %s\n", word);
	abort();
}

static uint32_t status_of(const char *name)
{
	for (uint32_t status = 0; status <= WIRE_STATUS_LIMIT; status++) {
		if (streq(wire_status_name(status), name))
			return status;
	}
	fprintf(stderr, "unknown status %s\n", name);
	abort();
}

/* False where the connection is closed without an answer. */
static bool build_reply(struct buf *reply, uint8_t type, const struct list *words)
{
	const char *kind = words->n > 1 ? words->items[1] : "close";

	if (streq(kind, "close"))
		return false;
	if (streq(kind, "garbage")) {
		buf_add_str(reply, "HTTP/1.1 400 Bad Request\r\n\r\n");
		return true;
	}
	wire_begin(reply, streq(kind, "wrong-type") ? WIRE_LOOKUP | WIRE_REPLY : type | WIRE_REPLY);
	if (streq(kind, "critical"))
		wire_add_str(reply, 999 | WIRE_CRITICAL, "from the future");
	else if (!streq(kind, "wrong-type") && !streq(kind, "no-status"))
		wire_add_u32(reply, WIRE_STATUS, status_of(kind));
	for (size_t i = 2; i < words->n; i++)
		add_field(reply, words->items[i]);
	return wire_end(reply) == 0;
}

static void record(struct fake_daemon *daemon, const struct wire_frame *request)
{
	struct seen *seen = &daemon->seen[daemon->n_seen];
	struct wire_item item;

	if (daemon->n_seen == SEEN_MAX)
		abort();
	daemon->n_seen++;
	wire_describe(request, seen->text, sizeof(seen->text));
	seen->credential = wire_get(request, WIRE_CREDENTIAL, &item) ? strndup(item.value, item.len) : NULL;
}

static void serve(struct fake_daemon *daemon, int fd)
{
	AUTO_BUF struct buf data = { 0 };
	AUTO_BUF struct buf reply = { 0 };
	struct wire_frame request;
	bool answer = false;
	size_t at;
	int passed = -1;

	if (wire_serve_read(fd, WIRE_REQUEST_MAX, deadline_after_ms(PATIENCE_MS), &data, &request, &passed) < 0)
		return;
	pthread_mutex_lock(&daemon->lock);
	at = daemon->repeat ? 0 : daemon->n_seen;
	record(daemon, &request);
	if (daemon->call && at < daemon->call->n_exchanges)
		answer = build_reply(&reply, request.type, &daemon->call->exchanges[at].reply);
	pthread_mutex_unlock(&daemon->lock);
	if (answer)
		(void)!wire_serve_reply(fd, &reply, deadline_after_ms(PATIENCE_MS));
}

static void *run(void *arg)
{
	struct fake_daemon *daemon = arg;

	for (;;) {
		AUTO_CLOSE int fd = accept4(daemon->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		serve(daemon, fd);
	}
}

struct fake_daemon *fake_daemon_start(enum daemon_kind kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = K8SAUTH_PAM_SOCKET };
	struct fake_daemon *daemon;

	unlink(K8SAUTH_PAM_SOCKET);
	if (chmod(K8SAUTH_RUN_DIR, kind == DAEMON_UNTRUSTED_FOLDER ? 0777 : 0755) < 0)
		abort();
	if (kind == DAEMON_NONE)
		return NULL;
	daemon = calloc(1, sizeof(*daemon));
	pthread_mutex_init(&daemon->lock, NULL);
	daemon->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(daemon->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(daemon->listener, 64) < 0)
		abort();
	if (kind == DAEMON_UNTRUSTED_SOCKET && chown(K8SAUTH_PAM_SOCKET, 65534, 65534) < 0)
		abort();
	if (pthread_create(&daemon->thread, NULL, run, daemon) != 0)
		abort();
	return daemon;
}

static void forget(struct fake_daemon *daemon)
{
	while (daemon->n_seen > 0)
		free(daemon->seen[--daemon->n_seen].credential);
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
	if (!daemon)
		return;
	shutdown(daemon->listener, SHUT_RDWR);
	pthread_join(daemon->thread, NULL);
	close(daemon->listener);
	forget(daemon);
	pthread_mutex_destroy(&daemon->lock);
	free(daemon);
}

void fake_daemon_script(struct fake_daemon *daemon, const struct action *call, bool repeat)
{
	pthread_mutex_lock(&daemon->lock);
	forget(daemon);
	daemon->call = call;
	daemon->repeat = repeat;
	pthread_mutex_unlock(&daemon->lock);
}

size_t fake_daemon_seen(struct fake_daemon *daemon, const struct seen **ret)
{
	size_t n;

	pthread_mutex_lock(&daemon->lock);
	n = daemon->n_seen;
	*ret = daemon->seen;
	pthread_mutex_unlock(&daemon->lock);
	return n;
}
