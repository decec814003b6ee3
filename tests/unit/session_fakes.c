/* SPDX-License-Identifier: Apache-2.0 */
/* The world around the sessions, for their tests; see session_fakes.h. */
#include "session_fakes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/text.h"

#define QUEUE 256

struct fake_world world;
static struct vault backend;

/* What the backend and the helper have not answered yet. */
static struct {
	struct vault_request *request;
	vault_done_fn *done;
	void *arg;
} asked[QUEUE];
static struct {
	struct buf request;
	wire_called_fn *done;
	void *arg;
} called[QUEUE];
static size_t n_asked, n_called;
static struct {
	account_claimed_fn *done;
	void *arg;
} claimed;

/* --- the clock: libevent and the sessions ask this one -------------------------------------------------------------
 */

static int64_t clock_ahead_ms;

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, id, ret);

	if (id != CLOCK_REALTIME) {
		ret->tv_sec += clock_ahead_ms / 1000;
		ret->tv_nsec += clock_ahead_ms % 1000 * 1000000;
		if (ret->tv_nsec >= 1000000000) {
			ret->tv_sec++;
			ret->tv_nsec -= 1000000000;
		}
	}
	return r;
}

__attribute__((visibility("default"))) int pidfd_open(pid_t pid, unsigned flags)
{
	if (!world.no_pidfd)
		return (int)syscall(SYS_pidfd_open, pid, flags);
	errno = ENOSYS;
	return -1;
}

/* --- the backend ----------------------------------------------------------------------------------------------------
 */

static void backend_send(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	static const char *const ops[] = { "read", "list", "update", "create", "patch", "delete", "help", "header",
		"other", "resolve" };
	const char *role = json_string_value(json_object_get(request->data, "role"));
	size_t len = strlen(world.requests);

	assert_true(n_asked < QUEUE);
	snprintf(world.requests + len, sizeof(world.requests) - len, "%s%s %s%s%s\n",
	    request->internal ? "internal " : "", ops[request->op], request->path, role ? " " : "", role ? role : "");
	asked[n_asked].request = request;
	asked[n_asked].done = done;
	asked[n_asked++].arg = arg;
}

static struct vault_response *json_response(json_t *data)
{
	struct vault_response *response = vault_response_new();

	assert_non_null(data);
	response->status = 200;
	response->data = data;
	return response;
}

static json_t *parsed(const char *text)
{
	return json_loads(text ? text : "{}", 0, NULL);
}

static struct vault_response *role_answer(const char *name)
{
	struct vault_response *response = vault_response_new();

	for (const struct fake_role *role = world.roles; role->name; role++) {
		if (!name || !streq(role->name, name))
			continue;
		if (role->failure == VAULT_FAILED_NOT) {
			response->status = 200;
			return response;
		}
		vault_response_error(response, role->failure == VAULT_FAILED_OUTAGE ? 500 : 403, "permission denied");
		response->failure = role->failure;
		response->step = role->step;
		response->reason = role->reason ? strdup(role->reason) : NULL;
		return response;
	}
	vault_response_error(response, 400, "invalid role name \"%s\"", name ? name : "");
	response->failure = VAULT_FAILED_OTHER_ROLE;
	response->step = "role";
	return response;
}

static struct vault_response *login_answer(struct vault_request *request)
{
	const char *role = json_string_value(json_object_get(request->data, "role"));
	struct vault_response *response = role_answer(role);
	char token[64];

	if (response->status != 200)
		return response;
	snprintf(token, sizeof(token), FAKE_TOKEN "%u", ++world.tokens);
	response->auth = json_pack("{s:s, s:s, s:s, s:I, s:b, s:i, s:n, s:{s:s, s:s, s:s, s:s}}", "client_token", token,
	    "accessor", "accessor-1", "token_type", "service", "lease_duration", (json_int_t)world.lease, "renewable",
	    1, "num_uses", 0, "mfa_requirement", "metadata", "role", role, "service_account_name", "app",
	    "service_account_namespace", "web", "service_account_uid", "uid-1");
	if (world.auth) {
		json_t *auth = parsed(world.auth);

		json_object_update(response->auth, auth);
		json_decref(auth);
	}
	return response;
}

static struct vault_response *list_roles(void)
{
	struct vault_response *response;
	json_t *keys = json_array();

	if (world.role_list_status) {
		json_decref(keys);
		response = vault_response_new();
		response->status = world.role_list_status;
		return response;
	}
	for (const struct fake_role *role = world.roles; role->name; role++)
		json_array_append_new(keys, json_string(role->name));
	return json_response(json_pack("{s:o}", "keys", keys));
}

static struct vault_response *secret_answer(const struct vault_request *request)
{
	json_t *secrets = parsed(world.secrets), *found = json_object_get(secrets, request->path);
	struct vault_response *response;

	assert_non_null(request->token); /* read with the session's own token */
	assert_false(request->internal);
	if (json_is_integer(found)) {
		response = vault_response_new();
		vault_response_wrapped_error(response, (int)json_integer_value(found), "permission denied");
	} else if (found) {
		response = json_response(
		    request->op == VAULT_LIST ? json_pack("{s:O}", "keys", found) : json_incref(found));
	} else {
		response = vault_response_new();
		response->status = 404;
	}
	json_decref(secrets);
	return response;
}

static struct vault_response *status_answer(int status)
{
	struct vault_response *response = vault_response_new();

	response->status = status;
	if (status >= 400)
		vault_response_error(response, status, status == 403 ? "permission denied" : "trouble");
	return response;
}

static struct vault_response *renew_answer(void)
{
	struct vault_response *response = status_answer(world.renew_status ? world.renew_status : 200);

	if (!world.renew_status)
		response->auth = json_pack("{s:I, s:b}", "lease_duration", (json_int_t)world.lease, "renewable", 1);
	return response;
}

static struct vault_response *revoke_answer(void)
{
	if (!world.revoke_status || world.revoke_status == 403)
		world.n_revoked++;
	return status_answer(world.revoke_status ? world.revoke_status : 204);
}

static struct vault_response *backend_answer(struct vault_request *request)
{
	if (world.outage_status) {
		struct vault_response *response = vault_response_new();

		vault_response_error(response, world.outage_status, "Vault is sealed");
		return response;
	}
	if (streq(request->path, "auth/kubernetes/role/"))
		return list_roles();
	if (request->op == VAULT_RESOLVE)
		return role_answer(json_string_value(json_object_get(request->data, "role")));
	if (streq(request->path, "auth/kubernetes/login"))
		return login_answer(request);
	if (streq(request->path, "auth/token/revoke-self"))
		return revoke_answer();
	if (streq(request->path, "auth/token/renew-self"))
		return renew_answer();
	if (streq(request->path, "sys/internal/ui/resultant-acl") && world.acl)
		return json_response(parsed(world.acl));
	if (streq(request->path, "sys/internal/ui/mounts") && world.mounts)
		return json_response(parsed(world.mounts));
	return secret_answer(request);
}

/* Answers the first request that is not held; false where there is none. */
static bool backend_step(void)
{
	for (size_t i = 0; i < n_asked; i++) {
		struct vault_request *request = asked[i].request;
		struct vault_response *response;
		vault_done_fn *done = asked[i].done;
		void *arg = asked[i].arg;

		if (world.hold && ends_with(request->path, world.hold))
			continue;
		memmove(&asked[i], &asked[i + 1], (--n_asked - i) * sizeof(asked[0]));
		response = backend_answer(request);
		done(arg, response);
		vault_response_free(response);
		if (request->pam && request->op == VAULT_UPDATE) {
			vault_request_free(world.login);
			world.login = TAKE_PTR(request);
		}
		vault_request_free(request);
		return true;
	}
	return false;
}

/* --- accounts -------------------------------------------------------------------------------------------------------
 */

static void claim_answer(account_claimed_fn *done, void *arg)
{
	struct account account = { .uid = world.uid, .gid = world.uid };

	done(arg, world.verdict, world.verdict == ACCOUNT_OK ? &account : NULL,
	    world.verdict == ACCOUNT_OK ? NULL : "the account does not fit");
}

void accounts_claim(struct accounts *accounts, const char *unix_name, const struct account_identity *identity,
    account_claimed_fn *done, void *arg)
{
	assert_string_equal(unix_name, FAKE_USER);
	assert_string_equal(identity->mount, "kubernetes");
	assert_string_equal(identity->prefix, "k8s_");
	assert_string_equal(identity->namespace_name, "web");
	assert_string_equal(identity->service_account, "app");
	assert_string_equal(identity->service_account_uid, "uid-1");
	if (!world.claim_later) {
		claim_answer(done, arg);
		return;
	}
	claimed.done = done;
	claimed.arg = arg;
}

int accounts_lookup(struct accounts *accounts, const char *unix_name, const char *const *prefixes, struct account *ret)
{
	assert_string_equal(prefixes[0], "k8s_");
	assert_null(prefixes[1]);
	if (world.verdict == ACCOUNT_INDEX_BROKEN)
		return -EBADMSG;
	if (!streq(unix_name, FAKE_USER))
		return -ENOENT;
	*ret = (struct account){ .name = FAKE_USER, .uid = 70001, .gid = 70001, .home = "/home/x", .n_groups = 1 };
	ret->groups[0] = 70002;
	return 0;
}

/* --- the helper -----------------------------------------------------------------------------------------------------
 */

void wire_call_async(struct event_base *base, const char *path, struct buf *request, int pass_fd, int timeout_ms,
    wire_called_fn *done, void *arg)
{
	assert_string_equal(path, "/nowhere/helper");
	assert_true(timeout_ms <= HELPER_CALL_MS);
	assert_int_equal(pass_fd, -1);
	assert_true(n_called < QUEUE);
	called[n_called].request = *request;
	called[n_called].done = done;
	called[n_called++].arg = arg;
	*request = (struct buf){ 0 };
}

/* Removes ID's lines; whether there were any. */
static bool files_drop(const char *id)
{
	char *kept = calloc(1, sizeof(world.files)), *line = world.files, *end;
	bool found = false;

	while ((end = strchr(line, '\n'))) {
		if (starts_with(line, id))
			found = true;
		else
			strncat(kept, line, (size_t)(end - line + 1));
		line = end + 1;
	}
	strcpy(world.files, kept);
	free(kept);
	return found;
}

static void files_take(const struct wire_frame *frame, const char *id)
{
	struct wire_item item;
	size_t at = 0;

	world.n_session++;
	files_drop(id);
	while (wire_next(frame, &at, &item)) {
		size_t len = strlen(world.files), name_len;

		if (item.tag != WIRE_FILE)
			continue;
		name_len = (unsigned char)item.value[0] | (size_t)(unsigned char)item.value[1] << 8;
		assert_true(name_len + 2 <= item.len);
		snprintf(world.files + len, sizeof(world.files) - len, "%s %.*s=%.*s\n", id, (int)name_len,
		    item.value + 2, (int)(item.len - name_len - 2), item.value + 2 + name_len);
	}
}

static void files_list(struct buf *reply)
{
	char *line = world.files, *end;
	char last[64] = "";

	while ((end = strchr(line, '\n'))) {
		char id[64];

		snprintf(id, sizeof(id), "%.*s", (int)strcspn(line, " "), line);
		if (!streq(id, last))
			wire_add_str(reply, WIRE_SESSION, id);
		strcpy(last, id);
		line = end + 1;
	}
}

/* What the helper answers to FRAME; a negative errno where the call fails. */
static int helper_answer(const struct wire_frame *frame, struct buf *reply)
{
	char *id AUTO_FREE = wire_get_str(frame, WIRE_SESSION);
	uint32_t status = WIRE_STATUS_OK;

	if (world.helper_error < 0)
		return world.helper_error;
	wire_begin(reply, frame->type | WIRE_REPLY);
	if (frame->type == WIRE_HELPER_SESSION) {
		status = (uint32_t)world.helper_status;
		if (status == WIRE_STATUS_OK)
			files_take(frame, id);
		else
			wire_add_str(reply, WIRE_MESSAGE, "no space left");
	} else if (frame->type == WIRE_HELPER_REMOVE) {
		if (world.remove_error < 0)
			return world.remove_error;
		status = files_drop(id) ? WIRE_STATUS_OK : WIRE_STATUS_NOT_FOUND;
	} else {
		assert_int_equal(frame->type, WIRE_HELPER_LIST);
		files_list(reply);
	}
	wire_add_u32(reply, WIRE_STATUS, status);
	return wire_end(reply);
}

static bool helper_step(void)
{
	for (size_t i = 0; i < n_called; i++) {
		AUTO_BUF struct buf request = called[i].request, reply = { 0 };
		wire_called_fn *done = called[i].done;
		struct wire_frame frame, answer;
		const char *why;
		void *arg = called[i].arg;
		int r;

		assert_int_equal(wire_parse(request.data, request.len, &frame, &why), 0);
		if (world.helper_hold && frame.type == WIRE_HELPER_SESSION) {
			request = (struct buf){ 0 };
			continue;
		}
		memmove(&called[i], &called[i + 1], (--n_called - i) * sizeof(called[0]));
		r = helper_answer(&frame, &reply);
		if (r == 0)
			assert_int_equal(wire_parse(reply.data, reply.len, &answer, &why), 0);
		done(arg, r, r == 0 ? &answer : NULL);
		return true;
	}
	return false;
}

/* --- connections ----------------------------------------------------------------------------------------------------
 */

static void env_take(struct wire_conn *conn, const struct wire_frame *frame)
{
	struct wire_item item;
	size_t at = 0;

	while (wire_next(frame, &at, &item)) {
		size_t len = strlen(conn->env);

		if (item.tag == WIRE_ENV)
			snprintf(conn->env + len, sizeof(conn->env) - len, "%.*s\n", (int)item.len, item.value);
	}
}

static void text_take(const struct wire_frame *frame, uint16_t tag, char *ret, size_t size)
{
	struct wire_item item;

	if (wire_get(frame, tag, &item))
		snprintf(ret, size, "%.*s", (int)item.len, item.value);
}

void wire_reply(struct wire_conn *conn, struct buf *reply)
{
	struct wire_frame frame;
	const char *why;

	assert_false(conn->answered);
	conn->answered = true;
	conn->gone = NULL;
	assert_int_equal(wire_parse(reply->data, reply->len, &frame, &why), 0);
	assert_true(wire_get_u32(&frame, WIRE_STATUS, &conn->status));
	text_take(&frame, WIRE_REF, conn->ref, sizeof(conn->ref));
	text_take(&frame, WIRE_MESSAGE, conn->message, sizeof(conn->message));
	text_take(&frame, WIRE_HANDLE, conn->handle, sizeof(conn->handle));
	text_take(&frame, WIRE_SESSION, conn->session, sizeof(conn->session));
	(void)wire_get_u32(&frame, WIRE_UID, &conn->uid_item);
	env_take(conn, &frame);
	buf_free(reply);
}

void wire_reply_status(
    struct wire_conn *conn, uint8_t type, enum wire_status status, const char *ref, const char *message)
{
	AUTO_BUF struct buf reply = { 0 };

	wire_begin(&reply, type | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, status);
	wire_add_str(&reply, WIRE_REF, ref);
	wire_add_str(&reply, WIRE_MESSAGE, message);
	assert_int_equal(wire_end(&reply), 0);
	wire_reply(conn, &reply);
}

void wire_conn_on_gone(struct wire_conn *conn, void (*gone)(void *arg), void *arg)
{
	conn->gone = gone;
	conn->gone_arg = arg;
}

int wire_conn_take_pidfd(struct wire_conn *conn)
{
	return TAKE_FD(conn->pidfd);
}

void ask(struct wire_conn *conn, struct fake_ask what)
{
	AUTO_BUF struct buf request = { 0 };
	struct wire_peer peer = { .uid = what.uid, .pid = what.pid, .pidfd = -1 };
	struct wire_frame frame;
	const char *why;

	*conn = (struct wire_conn){ .pidfd = -1 };
	wire_begin(&request, what.type);
	wire_add_str(&request, WIRE_USER, what.user);
	wire_add_str(&request, WIRE_SERVICE, what.service);
	wire_add_str(&request, WIRE_RHOST, what.rhost);
	wire_add_str(&request, WIRE_ROLE, what.role);
	wire_add_str(&request, WIRE_CREDENTIAL, what.credential);
	wire_add_str(&request, WIRE_HANDLE, what.handle);
	wire_add_str(&request, WIRE_SESSION, what.session);
	if (what.keys)
		wire_add_u32(&request, WIRE_KEYS, what.keys);
	assert_int_equal(wire_end(&request), 0);
	assert_int_equal(wire_parse(request.data, request.len, &frame, &why), 0);
	sessions_request(world.sessions, conn, &frame, &peer);
	world_run();
}

void leave(struct wire_conn *conn)
{
	assert_non_null(conn->gone);
	conn->gone(conn->gone_arg);
	assert_true(conn->answered); /* given back */
}

struct fake_ask ask_login(void)
{
	return (struct fake_ask){
		.type = WIRE_LOGIN, .user = FAKE_USER, .service = "sshd", .rhost = "10.0.0.9", .credential = FAKE_JWT
	};
}

struct fake_ask ask_open(const char *handle)
{
	return (struct fake_ask){ .type = WIRE_OPEN,
		.user = FAKE_USER,
		.service = "sshd",
		.rhost = "10.0.0.9",
		.handle = handle,
		.pid = getpid() };
}

struct fake_ask ask_account(const char *handle)
{
	return (struct fake_ask){ .type = WIRE_ACCOUNT, .user = FAKE_USER, .service = "sshd", .handle = handle };
}

struct fake_ask ask_close(const char *session)
{
	return (struct fake_ask){ .type = WIRE_CLOSE, .session = session };
}

void login_ok(struct wire_conn *conn)
{
	ask(conn, ask_login());
	assert_true(conn->answered);
	assert_int_equal(conn->status, WIRE_STATUS_OK);
	assert_true(strlen(conn->handle) > 32);
}

void open_ok(struct wire_conn *conn, const char *handle)
{
	ask(conn, ask_open(handle));
	assert_true(conn->answered);
	assert_int_equal(conn->status, WIRE_STATUS_OK);
	assert_true(conn->session[0]);
}

/* --- the world -------------------------------------------------------------------------------------------------------
 */

void world_run(void)
{
	do
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	while (backend_step() || helper_step());
}

void world_wait(int64_t ms)
{
	clock_ahead_ms += ms;
	world_run();
	world_run();
}

void world_release(void)
{
	world.hold = NULL;
	world.helper_hold = false;
	if (claimed.done) {
		account_claimed_fn *done = claimed.done;

		claimed.done = NULL;
		claim_answer(done, claimed.arg);
	}
	world_run();
}

bool world_logged(const char *text)
{
	return strstr(world.log, text) != NULL;
}

unsigned world_files(const char *id)
{
	unsigned n = 0;

	for (const char *at = world.files; (at = strstr(at, id)); at++)
		n++;
	return n;
}

bool world_file(const char *id, const char *name, const char *content)
{
	char line[512];

	snprintf(line, sizeof(line), "%s %s=%s\n", id, name, content);
	return strstr(world.files, line) != NULL;
}

static void log_take(int level, const char *ref, const char *line)
{
	size_t len = strlen(world.log);

	snprintf(world.log + len, sizeof(world.log) - len, "%s %s\n", ref ? ref : "-", line);
}

static void fd_take(int fd)
{
	if (world.kept_fd >= 0)
		close(world.kept_fd);
	world.kept_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void world_start(int table_fd)
{
	struct sessions_options options = {
		.base = world.base,
		.vault = &backend,
		.config = &world.config,
		.helper_socket = "/nowhere/helper",
		.table_fd = table_fd,
		.keep_fd = fd_take,
	};
	char why[256];

	assert_int_equal(sessions_new(&options, &world.sessions, why, sizeof(why)), 0);
}

void world_restart(void)
{
	sessions_free(world.sessions);
	world_run(); /* answers that come too late */
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	sessions_resume(world.sessions);
	world_run();
}

int world_setup(void **state)
{
	static const struct fake_role roles[] = { { .name = "web" }, { 0 } };
	static struct cluster_config cluster;
	static char mount[] = "kubernetes", prefix[] = "k8s_", audience[] = "k8sauth:test", host[] = "web-1",
		    addr[] = "unix:///run/k8sauth/api";

	world = (struct fake_world){ .kept_fd = -1, .roles = roles, .lease = 3600, .uid = 70001 };
	cluster = (struct cluster_config){ .mount = mount, .unix_prefix = prefix, .audience = audience };
	world.config = (struct session_config){
		.host = host, .vault_addr = addr, .clusters = &cluster, .n_clusters = 1
	};
	world.base = event_base_new();
	backend.send = backend_send;
	n_asked = n_called = 0;
	claimed.done = NULL;
	log_set_sink(log_take);
	log_set_level(LOG_DEBUG);
	world_start(-1);
	assert_true(world.kept_fd >= 0);
	return 0;
}

int world_teardown(void **state)
{
	world_release();
	sessions_free(world.sessions);
	world_run();
	assert_int_equal(n_asked + n_called, 0);
	vault_request_free(world.login);
	event_base_free(world.base);
	close(world.kept_fd);
	/* No secret may ever be in the journal. */
	assert_false(world_logged(FAKE_TOKEN));
	assert_false(world_logged(FAKE_JWT));
	assert_false(world_logged("s3cr3t"));
	return 0;
}
