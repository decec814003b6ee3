/* SPDX-License-Identifier: Apache-2.0 */
/* Our own API: what is where, who may ask it, and what a failure becomes. Its replies are taken here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/api.h"

struct http_exchange {
	unsigned answered;
	int status;
	char text[512];
};

void http_reply(struct http_exchange *exchange, int status, const char *headers, struct buf *body)
{
	(void)headers;
	exchange->answered++;
	exchange->status = status;
	snprintf(exchange->text, sizeof(exchange->text), "%.*s", (int)body->len, body->data ? body->data : "");
}

void http_reply_error(struct http_exchange *exchange, int status, const char *headers, const char *text)
{
	(void)headers;
	exchange->answered++;
	exchange->status = status;
	snprintf(exchange->text, sizeof(exchange->text), "%s", text ? text : "");
}

void http_reply_file(struct http_exchange *exchange, const char *type, int fd, uint64_t size)
{
	exchange->answered++;
	exchange->status = 200;
	snprintf(exchange->text, sizeof(exchange->text), "%s %d %d", type, fd, (int)size);
}

static char marker; /* stands for the sessions */

/* --- sessions that are there by name --------------------------------------------------------- */

static int find(void *arg, uid_t uid, const char *name, json_t **ret)
{
	assert_ptr_equal(arg, &marker);
	if (uid != 0 && uid != 1000)
		return -EACCES;
	if (!streq(name, "abc123"))
		return streq(name, "full") ? -ENOMEM : -ENOENT;
	*ret = json_pack("{s:s}", "it", name);
	return 0;
}

static int list(void *arg, uid_t uid, json_t **ret)
{
	assert_ptr_equal(arg, &marker);
	*ret = json_pack("{s:[i]}", "keys", (int)uid);
	return 0;
}

static int name(void *arg, const char *identity, json_t **ret, char *why, size_t why_size)
{
	assert_ptr_equal(arg, &marker);
	if (streq(identity, "web/app")) {
		*ret = json_pack("{s:s}", "name", "k8s_web_app");
		return 0;
	}
	snprintf(why, why_size, "accounts.conf:3: nonsense");
	return streq(identity, "broken/app") ? -EBADMSG : -EINVAL;
}

static void get(void *arg, uid_t uid, const char *block, const char *id, sessions_got_fn *done, void *done_arg)
{
	assert_ptr_equal(arg, &marker);
	if (uid != 0 && uid != 1000)
		done(done_arg, 403, NULL, "only root");
	else if (streq(block, "full"))
		done(done_arg, 200, NULL, NULL);
	else if (streq(block, "abc123"))
		done(done_arg, 200, json_pack("{s:{s:s}, s:s}", "data", "of", id, "field", "of"), NULL);
	else
		done(done_arg, 404, NULL, "no such block");
}

static int end(void *arg, uid_t uid, const char *id, sessions_ended_fn *done, void *done_arg)
{
	json_t *found = NULL;
	int r = find(arg, uid, id, &found);

	json_decref(found);
	if (r == 0)
		done(done_arg, &(struct sessions_ended){ .ended = 1, .unfinished = 2, .under_way = 3 });
	return r;
}

static int end_all(void *arg, const char *identity, sessions_ended_fn *done, void *done_arg)
{
	assert_ptr_equal(arg, &marker);
	if (!streq(identity, "web/app"))
		return -EINVAL;
	done(done_arg, &(struct sessions_ended){ .ended = 4 });
	return 0;
}

static void forget(void *arg)
{
	assert_ptr_equal(arg, &marker);
}

static int login(void *arg, uid_t uid, const char *id, struct secret *credential, session_login_fn *done,
    void *done_arg, char *why, size_t why_size)
{
	struct session_login_result result = {
		.status = WIRE_STATUS_OK, .ref = "7f3a2c", .reason = "no", .remedy = ""
	};
	struct secret *owned AUTO_SECRET = credential;
	json_t *found = NULL;
	int r = id ? find(arg, uid, id, &found) : -EINVAL;

	snprintf(why, why_size, "which one?");
	if (r < 0)
		return r;
	if (streq(secret_reveal(owned), "good")) {
		result.data = found;
	} else {
		json_decref(found);
		result.status = streq(secret_reveal(owned), "later") ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_REFUSED;
		result.remedy = "another";
	}
	done(done_arg, &result);
	return 0;
}

static int explain_login(void *arg, const struct session_dry_login *what, struct secret *credential, session_dry_fn *done,
    void *done_arg, char *why, size_t why_size)
{
	struct secret *owned AUTO_SECRET = credential;

	assert_ptr_equal(arg, &marker);
	snprintf(why, why_size, "user and service are needed");
	if (!what->user || !what->service)
		return -EINVAL;
	done(done_arg, json_pack("{s:s, s:s*, s:s*, s:s}", "user", what->user, "rhost", what->rhost, "role", what->role,
			   "credential", secret_reveal(owned)));
	return 0;
}

static const struct api_sessions sessions = { .explain = find,
	.list = list,
	.show = find,
	.name = name,
	.get = get,
	.login = login,
	.explain_login = explain_login,
	.kill = end,
	.forget_verified = forget,
	.revoke = end_all };
/* --- the audit trail */

static struct {
	int status; /* of what it is told; 0: it is not asked */
	char text[256];
} trail;

static void tell(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	struct vault_response response = { .status = trail.status };

	assert_true(request->op == VAULT_TELL && request->internal && !request->told_refusal);
	snprintf(trail.text, sizeof(trail.text), "%s %s by uid %s", request->told_capability, request->told_path,
	    json_string_value(json_array_get(json_object_get(request->headers, VAULT_TOLD_UID), 0)));
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(request->headers, VAULT_TOLD_REF), 0)), request->ref);
	vault_request_free(request);
	done(arg, &response);
}

static struct vault backend = { .send = tell };

static const struct api api = { .vault = &backend, .ask = &sessions, .sessions = &marker };

/* --- tests ----------------------------------------------------------------------------------- */

static json_t *fields; /* of the requests */

static void asked(const struct api *of, enum vault_peer_kind kind, uid_t uid, enum vault_op op, const char *path,
    int status, const char *part)
{
	struct vault_peer peer = { .kind = kind, .uid = uid };
	struct http_exchange exchange = { 0 };
	char full[128];
	struct vault_request request = { .op = op, .path = full, .data = fields };

	snprintf(full, sizeof(full), "k8sauth/%s", path);
	own_api(of, &exchange, &request, &peer);
	if (exchange.answered != 1 || exchange.status != status || !strstr(exchange.text, part))
		fail_msg(
		    "%s by uid %u: %u answers, %d %s", path, uid, exchange.answered, exchange.status, exchange.text);
}

static void test_paths(void **state)
{
	static const struct {
		enum vault_op op;
		const char *path;
		int status;
		const char *part;
	} cases[] = {
		{ VAULT_READ, "explain/abc123", 200, "{\"data\":{\"it\":\"abc123\"}}" },
		{ VAULT_READ, "explain/ffffff", 404, "" },
		{ VAULT_READ, "explain/full", 500, "internal error" },
		{ VAULT_UPDATE, "explain/abc123", 405, "unsupported operation" },
		{ VAULT_READ, "explain/", 404, "unsupported path" },
		{ VAULT_READ, "explain", 404, "unsupported path" },
		{ VAULT_LIST, "session", 200, "{\"data\":{\"keys\":[0]}}" },
		{ VAULT_LIST, "session/", 200, "{\"data\":{\"keys\":[0]}}" },
		{ VAULT_READ, "session", 405, "unsupported operation" },
		{ VAULT_READ, "session/abc123", 200, "{\"data\":{\"it\":\"abc123\"}}" },
		{ VAULT_READ, "session/ffffff", 404, "" },
		{ VAULT_UPDATE, "session/abc123", 405, "unsupported operation" },
		{ VAULT_DELETE, "session/abc123", 200, "{\"data\":{\"ended\":1,\"unfinished\":2,\"under_way\":3}}" },
		{ VAULT_DELETE, "session/ffffff", 404, "" },
		{ VAULT_DELETE, "session/", 405, "unsupported operation" },
		{ VAULT_READ, "get/abc123", 200, "{\"data\":{\"of\":\"\"},\"field\":\"of\"}" },
		{ VAULT_READ, "get/full", 500, "internal error" },
		{ VAULT_READ, "get/x", 404, "no such block" },
		{ VAULT_UPDATE, "get/abc123", 405, "unsupported operation" },
		{ VAULT_READ, "get/", 404, "unsupported path" },
		{ VAULT_UPDATE, "revoke/web/app", 200, "\"ended\":4" },
		{ VAULT_UPDATE, "revoke/app", 400, "not NAMESPACE/SERVICEACCOUNT" },
		{ VAULT_READ, "revoke/web/app", 405, "unsupported operation" },
		{ VAULT_READ, "accounts/name/web/app", 200, "k8s_web_app" },
		{ VAULT_READ, "accounts/name/app", 400, "nonsense" },
		{ VAULT_READ, "accounts/name/broken/app", 503, "accounts.conf:3: nonsense" },
		{ VAULT_READ, "accounts/rebind/k8s_web_app", 405, "unsupported operation" },
		{ VAULT_READ, "nothing", 404, "unsupported path" },
		{ VAULT_READ, "", 404, "unsupported path" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		asked(&api, VAULT_PEER_UNIX, 0, cases[i].op, cases[i].path, cases[i].status, cases[i].part);
}

static void test_peers(void **state)
{
	static const struct {
		enum vault_op op;
		const char *path;
		bool own;
	} cases[] = {
		{ VAULT_READ, "explain/abc123", true },
		{ VAULT_LIST, "session", true },
		{ VAULT_READ, "session/abc123", true },
		{ VAULT_DELETE, "session/abc123", true },
		{ VAULT_UPDATE, "revoke/web/app", false },
		{ VAULT_READ, "accounts/name/web/app", false },
		{ VAULT_UPDATE, "accounts/rebind/k8s_web_app", false },
		{ VAULT_LIST, "accounts", false },
		{ VAULT_READ, "nothing", false },
		{ VAULT_UPDATE, "session/abc123", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool listing = cases[i].op == VAULT_LIST;

		/* Over TCP there is no uid to believe: the peer's 0 is nobody's. */
		asked(&api, VAULT_PEER_TCP, 0, cases[i].op, cases[i].path, 403, "on the machine itself");
		if (cases[i].own)
			asked(&api, VAULT_PEER_UNIX, 1000, cases[i].op, cases[i].path, 200, listing ? "1000" : "");
		else
			asked(&api, VAULT_PEER_UNIX, 1000, cases[i].op, cases[i].path, 403, "only root");
		asked(&api, VAULT_PEER_UNIX, 1001, cases[i].op, cases[i].path, cases[i].own && listing ? 200 : 403,
		    cases[i].own && listing ? "1001" : "permission denied");
	}
}

/* Without PAM there is nobody to ask. */
static void test_no_logins(void **state)
{
	static const struct api none = { .vault = &backend };

	(void)state;
	asked(&none, VAULT_PEER_UNIX, 0, VAULT_LIST, "session", 404, "no part in PAM");
	asked(&none, VAULT_PEER_UNIX, 0, VAULT_LIST, "accounts", 404, "no part in PAM");
	asked(&none, VAULT_PEER_UNIX, 0, VAULT_UPDATE, "accounts/rebind/x", 404, "no part in PAM");
	asked(&none, VAULT_PEER_UNIX, 0, VAULT_READ, "explain/abc123", 404, "no part in PAM");
}

/* --- the store, where there are no logins too */

static int backup_r;
static struct store_copied {
	int r, fd;
	const char *why;
} copied;

static int backup(struct core *core, store_copied_fn *done, void *arg)
{
	assert_null(core);
	if (backup_r == 0)
		done(arg, copied.r, copied.fd, 4096, copied.why);
	return backup_r;
}

static void test_backup(void **state)
{
	static const struct api server = { .vault = &backend, .backup = backup }, agent = { .vault = &backend };
	static const struct {
		int r, copied_r, status;
		const char *part;
	} cases[] = {
		{ 0, 0, 200, "application/octet-stream 77 4096" },
		{ 0, -ENOSPC, 507, "what fails" },
		{ 0, -EIO, 500, "what fails" },
		{ -EPERM, 0, 503, "is sealed" },
		{ -EBUSY, 0, 503, "another backup" },
		{ -EOPNOTSUPP, 0, 404, "no store on a disk" },
		{ -ENOMEM, 0, 500, "internal error" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		backup_r = cases[i].r;
		copied = (struct store_copied){ cases[i].copied_r, 77, "what fails" };
		asked(&server, VAULT_PEER_UNIX, 0, VAULT_READ, "store/backup", cases[i].status, cases[i].part);
	}
	asked(&server, VAULT_PEER_UNIX, 1000, VAULT_READ, "store/backup", 403, "only root");
	asked(&server, VAULT_PEER_TCP, 0, VAULT_READ, "store/backup", 403, "on the machine itself");
	asked(&server, VAULT_PEER_UNIX, 0, VAULT_UPDATE, "store/backup", 405, "unsupported operation");
	asked(&agent, VAULT_PEER_UNIX, 0, VAULT_READ, "store/backup", 404, "no store on a disk");
}

/* What ends or changes something, and a backup, is told before it is done; where it cannot be, it is not done. */
static void test_trail(void **state)
{
	static const struct {
		enum vault_op op;
		const char *path;
		uid_t uid;
		const char *part, *told;
	} cases[] = {
		{ VAULT_DELETE, "session/abc123", 1000, "\"ended\":1", "delete k8sauth/session/abc123 by uid 1000" },
		{ VAULT_UPDATE, "revoke/web/app", 0, "\"ended\":4", "update k8sauth/revoke/web/app by uid 0" },
		{ VAULT_READ, "store/backup", 0, "application/octet-stream", "read k8sauth/store/backup by uid 0" },
		{ VAULT_READ, "session/abc123", 0, "abc123", "" },
		{ VAULT_LIST, "session", 0, "keys", "" },
	};
	struct api audited = api;
	json_t *headers = json_object();

	audited.backup = backup;
	backup_r = 0;
	copied = (struct store_copied){ 0, 77, NULL };
	backend.audited_headers = headers;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		trail.text[0] = '\0';
		trail.status = 204;
		asked(&audited, VAULT_PEER_UNIX, cases[i].uid, cases[i].op, cases[i].path, 200, cases[i].part);
		assert_string_equal(trail.text, cases[i].told);
		trail.status = 500;
		if (*cases[i].told)
			asked(&audited, VAULT_PEER_UNIX, cases[i].uid, cases[i].op, cases[i].path, 500, "internal error");
		else
			asked(&audited, VAULT_PEER_UNIX, cases[i].uid, cases[i].op, cases[i].path, 200, cases[i].part);
	}
	trail.text[0] = '\0';
	asked(&audited, VAULT_PEER_UNIX, 1000, VAULT_UPDATE, "revoke/web/app", 403, "only root");
	assert_string_equal(trail.text, "");
	backend.audited_headers = NULL;
	json_decref(headers);
}

static void test_session_login(void **state)
{
	static const struct {
		uid_t uid;
		const char *body;
		int status;
		const char *part;
	} cases[] = {
		{ 0, "{}", 400, "missing credential" },
		{ 0, "{\"credential\":7}", 400, "missing credential" },
		{ 0, "{\"credential\":\"good\"}", 400, "which one?" },
		{ 0, "{\"credential\":\"good\",\"session\":\"ffffff\"}", 404, "" },
		{ 1000, "{\"credential\":\"good\",\"session\":\"abc123\"}", 200, "{\"data\":{\"it\":\"abc123\"}}" },
		{ 1001, "{\"credential\":\"good\",\"session\":\"abc123\"}", 403, "permission denied" },
		{ 1000, "{\"credential\":\"bad\",\"session\":\"abc123\"}", 403,
		    "refused, ref 7f3a2c: no; remedy: another" },
		{ 1000, "{\"credential\":\"later\",\"session\":\"abc123\"}", 503, "unavailable, ref 7f3a2c: no" },
	};

	(void)state;
	asked(&api, VAULT_PEER_UNIX, 0, VAULT_UPDATE, "session/login", 400, "missing credential");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fields = json_loads(cases[i].body, 0, NULL);
		asked(
		    &api, VAULT_PEER_UNIX, cases[i].uid, VAULT_UPDATE, "session/login", cases[i].status, cases[i].part);
		asked(&api, VAULT_PEER_TCP, 0, VAULT_UPDATE, "session/login", 403, "on the machine itself");
		json_decref(TAKE_PTR(fields));
	}
}

static void test_explain_login(void **state)
{
	static const struct {
		uid_t uid;
		const char *body;
		int status;
		const char *part;
	} cases[] = {
		{ 0, "{\"user\":\"a\",\"service\":\"sshd\"}", 400, "missing credential" },
		{ 0, "{\"user\":\"a\",\"credential\":\"jwt\"}", 400, "user and service" },
		{ 0, "{\"user\":\"a\",\"service\":7,\"credential\":\"jwt\"}", 400, "user and service" },
		{ 0, "{\"user\":\"a\",\"service\":\"sshd\",\"role\":\"r\",\"credential\":\"jwt\"}", 200,
		    "\"role\":\"r\"" },
		{ 1000, "{\"user\":\"a\",\"service\":\"sshd\",\"credential\":\"jwt\"}", 403, "only root" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fields = json_loads(cases[i].body, 0, NULL);
		asked(
		    &api, VAULT_PEER_UNIX, cases[i].uid, VAULT_UPDATE, "explain/login", cases[i].status, cases[i].part);
		json_decref(TAKE_PTR(fields));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_no_logins),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_trail),
		cmocka_unit_test(test_session_login),
		cmocka_unit_test(test_explain_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
