/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server to talk to; see http_fixture.h. */
#include "http_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/text.h"
#include "daemon/api.h"

#define MAX_REPLIES (256 * 1024)

struct event_base *base;
struct parked parked[8];
unsigned n_parked;
bool park;
static char dir[64];

static const char *const op_names[] = { "read", "list", "update", "create", "patch", "delete", "help", "header",
	"other", "resolve" };

/* Answers with what was asked: {"op":..,"path":..,"token":..,"data":..,"uid":..,"address":..}. */
static void stub_send(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	struct vault_response *response = vault_response_new();

	(void)vault;
	response->status = 200;
	response->body = json_pack("{s:s,s:s,s:s,s:O?,s:i,s:s,s:I}", "op", op_names[request->op], "path", request->path,
	    "token", request->token ? secret_reveal(request->token) : "", "data", request->data, "uid",
	    (int)request->peer.uid, "address", request->peer.address, "wrap_ttl", (json_int_t)request->wrap_ttl);
	if (request->fault_status) {
		json_decref(TAKE_PTR(response->body));
		vault_response_error(response, request->fault_status, "%s", request->fault);
	}
	if (streq(request->path, "no/content")) {
		json_decref(TAKE_PTR(response->body));
		response->status = 204;
	}
	vault_request_free(request);
	assert_true(n_parked < ARRAY_SIZE(parked));
	parked[n_parked++] = (struct parked){ done, arg, response };
}

void fixture_release(void)
{
	struct parked now[ARRAY_SIZE(parked)];
	unsigned n = n_parked;

	memcpy(now, parked, sizeof(now));
	n_parked = 0;
	for (unsigned i = 0; i < n; i++) {
		now[i].done(now[i].arg, now[i].response);
		vault_response_free(now[i].response);
	}
}

void fixture_turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (!park)
		fixture_release();
}

static int stub_explain(void *arg, uid_t uid, const char *ref, json_t **ret)
{
	(void)arg;
	(void)uid;
	*ret = streq(ref, "abc123") ? json_pack("{s:s}", "ref", ref) : NULL;
	return *ret ? 0 : -ENOENT;
}

static const struct api_sessions stub_sessions = { .explain = stub_explain };

static struct vault stub_vault = { .send = stub_send };
static struct api api = { .vault = &stub_vault, .ask = &stub_sessions };

/* Listens at f->address; the port becomes the one that the system chose. */
static int listening(struct fixture *f)
{
	int fd = socket(f->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&f->address, f->len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->address, &f->len), 0);
	return fd;
}

static void start(struct fixture *f, const struct http_limits *limits, enum vault_peer_kind kind)
{
	f->server = http_server_new(base, limits, api_handle, &api);
	assert_int_equal(http_server_listen(f->server, listening(f), kind, NULL, false), 0);
}

void fixture_start(struct fixture *f, const struct http_limits *limits)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/api", dir);
	unlink(address.sun_path);
	memcpy(&f->address, &address, sizeof(address));
	f->len = sizeof(address);
	start(f, limits, VAULT_PEER_UNIX);
}

void fixture_start_tcp(struct fixture *f, const struct http_limits *limits, const char *host)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	assert_int_equal(getaddrinfo(host, "0", &hints, &found), 0);
	memcpy(&f->address, found->ai_addr, found->ai_addrlen);
	f->len = found->ai_addrlen;
	freeaddrinfo(found);
	start(f, limits, VAULT_PEER_TCP);
}

int fixture_connect(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, address, len), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	fixture_turn();
	return fd;
}

int fixture_dial(const struct fixture *f)
{
	return fixture_connect((const struct sockaddr *)&f->address, f->len);
}

void fixture_receive(int fd, struct buf *reply, const char *until)
{
	char chunk[4096];

	reply->max = MAX_REPLIES;
	for (int i = 0; i < 5000; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		fixture_turn();
		if (poll(&p, 1, 1) == 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0) {
			if (until)
				fail_msg("closed before %s: %s", until, reply->data ? reply->data : "");
			return;
		}
		buf_add(reply, chunk, (size_t)n);
		if (until && strstr(reply->data, until))
			return;
	}
	fail_msg("no end of the reply: %s", reply->data ? reply->data : "");
}

void fixture_exchange(const struct fixture *f, const char *text, struct buf *reply)
{
	AUTO_CLOSE int fd = fixture_dial(f);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fixture_receive(fd, reply, NULL);
	buf_add(reply, "", 0);
}

unsigned fixture_count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

int fixture_run(const struct CMUnitTest *tests, size_t n)
{
	char path[128];
	int r;

	snprintf(dir, sizeof(dir), "/tmp/k8sauth-http-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	base = event_base_new();
	r = _cmocka_run_group_tests("http", tests, n, NULL, NULL);
	event_base_free(base);
	snprintf(path, sizeof(path), "%s/api", dir);
	unlink(path);
	rmdir(dir);
	return r;
}
