/* SPDX-License-Identifier: Apache-2.0 */
/* The helper and the connections of the sessions' tests; see session_fakes.h. */
#include "session_fakes.h"

#include <signal.h>
#include <stdio.h>

#include "base/text.h"

#define QUEUE 256

/* What the helper has not answered yet. */
static struct {
	struct buf request;
	wire_called_fn *done;
	void *arg;
} called[QUEUE];
static size_t n_called;

void fake_helper_reset(void)
{
	n_called = 0;
}

size_t fake_helper_waiting(void)
{
	return n_called;
}

/* --- the helper ------------------------------------------------------------------------------ */

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

/* Whether FRAME names NAME, a file's or its folder's, by an item TAG. */
static bool frame_names(const struct wire_frame *frame, uint16_t tag, const char *name)
{
	const char *folder = strchr(name, '/') ? strchr(strchr(name, '/') + 1, '/') : NULL;
	struct wire_item item;
	size_t at = 0;

	while (wire_next(frame, &at, &item)) {
		size_t skip = tag == WIRE_FILE ? 2 : 0, len = item.len;

		if (item.tag != tag)
			continue;
		if (tag == WIRE_FILE)
			len = (unsigned char)item.value[0] | (size_t)(unsigned char)item.value[1] << 8;
		if ((strlen(name) == len && memcmp(name, item.value + skip, len) == 0) ||
		    (tag == WIRE_KEEP && folder && (size_t)(folder - name) == len &&
			memcmp(name, item.value, len) == 0))
			return true;
	}
	return false;
}

/* Takes away what is written anew by UPDATE and ROTATE, and what ROTATE neither writes nor keeps. */
static void files_prune(const struct wire_frame *frame, const char *id)
{
	char *kept = calloc(1, sizeof(world.files)), *line = world.files, *end;

	while ((end = strchr(line, '\n'))) {
		char name[512];
		bool goes = false;

		if (sscanf(line + strlen(id), " %511[^=]=", name) == 1 && starts_with(line, id))
			goes = frame_names(frame, WIRE_FILE, name) ||
			       (frame->type == WIRE_HELPER_ROTATE && starts_with(name, "secrets/") &&
				   !frame_names(frame, WIRE_KEEP, name));
		if (!goes)
			strncat(kept, line, (size_t)(end - line + 1));
		line = end + 1;
	}
	strcpy(world.files, kept);
	free(kept);
}

static void files_take(const struct wire_frame *frame, const char *id)
{
	struct wire_item item;
	size_t at = 0;

	world.n_session++;
	if (frame->type == WIRE_HELPER_SESSION)
		files_drop(id);
	else
		files_prune(frame, id);
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

static uint32_t signal_take(const struct wire_frame *frame, struct buf *reply)
{
	uint32_t signal = UINT32_MAX, audit = 0, found = world.left;
	char *user AUTO_FREE = wire_get_str(frame, WIRE_USER);
	size_t len = strlen(world.signals), at = 0, spared = 0;
	struct wire_item item;

	assert_true(wire_get_u32(frame, WIRE_SIGNAL, &signal));
	(void)wire_get_u32(frame, WIRE_AUDIT_SESSION, &audit);
	while (wire_next(frame, &at, &item))
		spared += item.tag == WIRE_PID;
	snprintf(world.signals + len, sizeof(world.signals) - len, "%u %s audit=%u spared=%zu\n", signal, user, audit,
	    spared);
	if (world.signal_status)
		return (uint32_t)world.signal_status;
	wire_add_u32(reply, WIRE_COUNT, found);
	if (signal != 0 && !world.undying && !(world.deaf && signal == SIGTERM))
		world.left = 0;
	return WIRE_STATUS_OK;
}

/* What the helper answers to FRAME; a negative errno where the call fails. */
static int helper_answer(const struct wire_frame *frame, struct buf *reply)
{
	char *id AUTO_FREE = wire_get_str(frame, WIRE_SESSION);
	uint32_t status = WIRE_STATUS_OK;

	if (world.helper_error < 0)
		return world.helper_error;
	wire_begin(reply, frame->type | WIRE_REPLY);
	if (frame->type == WIRE_HELPER_SESSION || frame->type == WIRE_HELPER_UPDATE ||
	    frame->type == WIRE_HELPER_ROTATE) {
		status = (uint32_t)world.helper_status;
		world.n_rotated += frame->type == WIRE_HELPER_ROTATE;
		if (status == WIRE_STATUS_OK)
			files_take(frame, id);
		else
			wire_add_str(reply, WIRE_MESSAGE, "no space left");
	} else if (frame->type == WIRE_HELPER_SIGNAL) {
		status = signal_take(frame, reply);
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

bool fake_helper_step(void)
{
	for (size_t i = 0; i < n_called; i++) {
		AUTO_BUF struct buf request = called[i].request, reply = { 0 };
		wire_called_fn *done = called[i].done;
		struct wire_frame frame, answer;
		const char *why;
		void *arg = called[i].arg;
		int r;

		assert_int_equal(wire_parse(request.data, request.len, &frame, &why), 0);
		if (world.helper_hold && frame.type != WIRE_HELPER_REMOVE && frame.type != WIRE_HELPER_LIST) {
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

/* --- connections ----------------------------------------------------------------------------- */

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
	wire_add_str(&request, WIRE_TTY, what.tty);
	wire_add_str(&request, WIRE_ROLE, what.role);
	wire_add_str(&request, WIRE_CREDENTIAL, what.credential);
	wire_add_str(&request, WIRE_HANDLE, what.handle);
	wire_add_str(&request, WIRE_SESSION, what.session);
	wire_add_str(&request, WIRE_PATH, what.path);
	wire_add_str(&request, WIRE_CAPABILITY, what.capability);
	wire_add_str(&request, WIRE_TARGET, what.target);
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

void expect_refused(const struct wire_conn *conn, uint32_t status, const char *step, const char *reason)
{
	const struct refusal *refusal = sessions_explain(world.sessions, conn->ref);
	char line[64];

	assert_true(conn->answered);
	assert_int_equal(conn->status, status);
	assert_string_equal(conn->handle, "");
	assert_int_equal(strlen(conn->ref), REF_LEN);
	snprintf(line, sizeof(line), "k8sauth: %s, ref %s",
	    status == WIRE_STATUS_REFUSED ? "refused" : "unavailable, try again later", conn->ref);
	assert_string_equal(conn->message, line);
	assert_non_null(refusal);
	assert_string_equal(refusal->step, step);
	assert_non_null(strstr(refusal->reason, reason));
	snprintf(line, sizeof(line), "refused at %s: ", step);
	assert_non_null(strstr(strstr(world.log, conn->ref), line));
	assert_non_null(strstr(strstr(world.log, conn->ref), reason));
	assert_int_equal(world.tokens, world.n_revoked); /* nothing that was made is left */
}

void login_refused(struct fake_ask what, uint32_t status, const char *step, const char *reason)
{
	struct wire_conn conn;

	ask(&conn, what);
	expect_refused(&conn, status, step, reason);
	assert_int_equal(sessions_count(world.sessions), 0);
}
