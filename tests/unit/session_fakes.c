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

/* What the backend has not answered yet. */
static struct {
	struct vault_request *request;
	vault_done_fn *done;
	void *arg;
} asked[QUEUE];
static size_t n_asked;

/* --- the clock: libevent and the sessions ask this one --------------------------------------- */

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

/* --- the backend ----------------------------------------------------------------------------- */

static const char *told_header(const struct vault_request *request, const char *name)
{
	return json_string_value(json_array_get(json_object_get(request->headers, name), 0));
}

static void note_told(const struct vault_request *request)
{
	static const char *const names[] = { VAULT_TOLD_USER, VAULT_TOLD_SERVICE, VAULT_TOLD_RHOST, VAULT_TOLD_TTY,
		VAULT_TOLD_SESSION, VAULT_TOLD_REF, VAULT_TOLD_REMEMBERED, VAULT_TOLD_LEFT_OUT };
	struct buf line AUTO_BUF = { 0 };
	size_t len = strlen(world.told);

	assert_true(request->internal && backend.audited_headers);
	buf_printf(&line, "%s %s", request->told_path ? request->told_capability : "update",
	    request->told_path ? request->told_path : request->path);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (told_header(request, names[i]))
			buf_printf(&line, " %s=%s", names[i] + strlen(VAULT_TOLD_PREFIX), told_header(request, names[i]));
	snprintf(world.told + len, sizeof(world.told) - len, "%s: %s\n", line.data,
	    request->told_refusal ? request->told_refusal : "yes");
}

void fake_trail(void)
{
	static json_t *headers;

	if (!headers)
		headers = json_object();
	backend.audited_headers = headers;
}

static void backend_send(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	static const char *const ops[] = { "read", "list", "update", "create", "patch", "delete", "help", "header",
		"other", "resolve", "verify" };
	const char *role = json_string_value(json_object_get(request->data, "role"));
	size_t len = strlen(world.requests);

	assert_true(n_asked < QUEUE);
	if (request->op == VAULT_TELL)
		note_told(request);
	else
		snprintf(world.requests + len, sizeof(world.requests) - len, "%s%s %s%s%s\n",
		    request->internal ? "internal " : "", ops[request->op], request->path, role ? " " : "",
		    role ? role : "");
	asked[n_asked].request = request;
	asked[n_asked].done = done;
	asked[n_asked++].arg = arg;
}

struct vault_response *fake_response(json_t *data)
{
	struct vault_response *response = vault_response_new();

	assert_non_null(data);
	response->status = 200;
	response->data = data;
	return response;
}

json_t *fake_json(const char *text)
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
		json_t *auth = fake_json(world.auth);

		json_object_update(response->auth, auth);
		json_decref(auth);
	}
	return response;
}

/* The same login, of which nothing is kept. */
static struct vault_response *verify_answer(struct vault_request *request)
{
	struct vault_response *response;

	assert_true(request->pam && !request->pam->session_id);
	response = login_answer(request);
	if (response->status != 200)
		return response;
	world.tokens--;
	world.verified++;
	json_object_del(response->auth, "client_token");
	response->data = json_pack("{s:I}", "expires", (json_int_t)world.expires);
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
	return fake_response(json_pack("{s:o}", "keys", keys));
}

/* WORLD's secrets, parsed once for each text. */
static json_t *secrets;
static const char *secrets_of;

static struct vault_response *secret_answer(const struct vault_request *request)
{
	struct vault_response *response;
	json_t *found;

	if (!secrets || secrets_of != world.secrets) {
		json_decref(secrets);
		secrets = fake_json(world.secrets);
		secrets_of = world.secrets;
	}
	found = json_object_get(secrets, request->path);

	assert_non_null(request->token); /* read with the session's own token */
	assert_false(request->internal);
	if (json_is_integer(found)) {
		response = vault_response_new();
		vault_response_wrapped_error(response, (int)json_integer_value(found), "permission denied");
	} else if (found) {
		response = fake_response(
		    request->op == VAULT_LIST ? json_pack("{s:O}", "keys", found) : json_incref(found));
	} else {
		response = vault_response_new();
		response->status = 404;
	}
	if (response->status == 200 && world.lease_of && streq(request->path, world.lease_of)) {
		char id[32];

		snprintf(id, sizeof(id), "lease-%u", ++world.leases);
		response->lease_id = strdup(id);
		response->lease_duration = 60;
		json_decref(response->data);
		response->data = json_pack("{s:s}", "role", id);
	}
	return response;
}

struct vault_response *fake_status(int status)
{
	struct vault_response *response = vault_response_new();

	response->status = status;
	if (status >= 400)
		vault_response_error(response, status, status == 403 ? "permission denied" : "trouble");
	return response;
}

static struct vault_response *renew_answer(void)
{
	struct vault_response *response = fake_status(world.renew_status ? world.renew_status : 200);

	if (!world.renew_status)
		response->auth = json_pack("{s:I, s:b}", "lease_duration", (json_int_t)world.lease, "renewable", 1);
	response->failure = world.renew_failure;
	return response;
}

static struct vault_response *revoke_answer(void)
{
	if (!world.revoke_status || world.revoke_status == 403)
		world.n_revoked++;
	return fake_status(world.revoke_status ? world.revoke_status : 204);
}

/* A token that WORLD's capabilities do not have is dead. */
static struct vault_response *capabilities_answer(const struct vault_request *request)
{
	const char *path = json_string_value(json_array_get(json_object_get(request->data, "paths"), 0));
	json_t *all = fake_json(world.capabilities), *found;
	struct vault_response *response;
	char key[256];

	assert_non_null(path);
	assert_non_null(request->token);
	assert_false(request->internal);
	snprintf(key, sizeof(key), "%s %s", secret_reveal(request->token), path);
	found = json_object_get(all, key);
	if (json_is_array(found))
		response = fake_response(json_pack("{s:O, s:O}", "capabilities", found, path, found));
	else
		response = fake_status(found ? (int)json_integer_value(found) : 403);
	json_decref(all);
	return response;
}

static struct vault_response *backend_answer(struct vault_request *request)
{
	struct vault_response *response;

	if (request->op == VAULT_TELL) {
		response = fake_status(world.trail_status ? world.trail_status : 204);
		response->failure = world.trail_status ? VAULT_FAILED_OUTAGE : VAULT_FAILED_NOT;
		return response;
	}
	if (world.outage_status) {
		response = vault_response_new();
		vault_response_error(response, world.outage_status, "Vault is sealed");
		return response;
	}
	if (streq(request->path, "auth/kubernetes/role/"))
		return list_roles();
	if (request->op == VAULT_RESOLVE)
		return role_answer(json_string_value(json_object_get(request->data, "role")));
	if (streq(request->path, "auth/kubernetes/login"))
		return request->op == VAULT_VERIFY ? verify_answer(request) : login_answer(request);
	if (streq(request->path, "auth/token/revoke-self"))
		return revoke_answer();
	if (streq(request->path, "auth/token/renew-self"))
		return renew_answer();
	if (streq(request->path, "sys/internal/ui/resultant-acl") && world.acl)
		return fake_response(fake_json(world.acl));
	if (streq(request->path, "sys/capabilities-self"))
		return capabilities_answer(request);
	if (streq(request->path, "sys/internal/ui/mounts") && world.mounts)
		return fake_response(fake_json(world.mounts));
	if (starts_with(request->path, "k8sauth/auth/kubernetes/serviceaccount/"))
		return *world.account == '{' ? fake_response(fake_json(world.account))
					     : fake_status(atoi(world.account));
	response = fake_ticket_answer(request);
	return response ? response : secret_answer(request);
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

/* --- the world ------------------------------------------------------------------------------- */

void world_run(void)
{
	do
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	while (backend_step() || fake_helper_step());
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
	fake_accounts_release();
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

static int unit_take(const struct wire_peer *peer, char **ret)
{
	assert_true(peer->uid != 0);
	if (!world.unit)
		return -ESRCH;
	*ret = strdup(world.unit);
	return 0;
}

void world_logins_change(void)
{
	backend.logins_changed++;
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
		.peer_unit = unit_take,
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
	world.ticket.path = "auth/kubernetes/login";
	world.ticket.audience = "k8sauth:test";
	cluster = (struct cluster_config){ .mount = mount, .unix_prefix = prefix, .audience = audience };
	world.config = (struct session_config){
		.host = host, .vault_addr = addr, .clusters = &cluster, .n_clusters = 1
	};
	world.base = event_base_new();
	backend.send = backend_send;
	backend.audited_headers = NULL;
	n_asked = 0;
	fake_helper_reset();
	fake_accounts_forget();
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
	assert_int_equal(n_asked, 0);
	assert_int_equal(fake_helper_waiting(), 0);
	json_decref(secrets);
	secrets = NULL;
	vault_request_free(world.login);
	event_base_free(world.base);
	close(world.kept_fd);
	/* No secret may ever be in the journal. */
	assert_false(world_logged(FAKE_TOKEN));
	assert_false(world_logged(FAKE_JWT));
	assert_false(world_logged(FAKE_TICKET));
	assert_false(world_logged("s3cr3t"));
	return 0;
}
