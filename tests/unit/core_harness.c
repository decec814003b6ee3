/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an embedded backend inside a unit test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"
#include "vault/embedded/identity.h"

#include "base/deadline.h"

#define ANSWER_MS 10000

void harness_open(struct harness *harness, const struct core_options *options)
{
	static const struct core_options dev = {
		.dev_root_token = HARNESS_ROOT,
		.storage_type = "inmem",
	};
	char why[512] = "";

	harness->base = event_base_new();
	assert_non_null(harness->base);
	if (core_open(harness->base, options ? options : &dev, &harness->core, why, sizeof(why)) < 0)
		fail_msg("core_open: %s", why);
}

void harness_close(struct harness *harness)
{
	core_close(harness->core);
	event_base_free(harness->base);
	*harness = (struct harness){ 0 };
}

static void on_timeout(evutil_socket_t fd, short events, void *arg)
{
	event_base_loopbreak(arg);
}

void harness_loop(struct harness *harness, int ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	struct event *timer = evtimer_new(harness->base, on_timeout, harness->base);

	evtimer_add(timer, &wait);
	event_base_loop(harness->base, EVLOOP_NO_EXIT_ON_EMPTY);
	event_free(timer);
}

/* Runs the loop until *DONE. */
static void loop_until(struct harness *harness, const bool *done)
{
	struct deadline deadline = deadline_after_ms(ANSWER_MS);

	while (!*done && !deadline_passed(deadline)) {
		struct timeval step = { .tv_usec = 100000 };

		event_base_loopexit(harness->base, &step);
		event_base_loop(harness->base, EVLOOP_ONCE);
	}
	assert_true(*done);
}

struct answer {
	bool done;
	struct vault_response *response;
};

/* Takes everything that a response has; the interface frees what is left. */
static void on_answer(void *arg, struct vault_response *response)
{
	struct answer *answer = arg;

	answer->response = vault_response_new();
	*answer->response = *response;
	*response = (struct vault_response){ 0 };
	answer->done = true;
}

struct vault_response *harness_send_request(struct harness *harness, struct vault_request *request)
{
	struct answer answer = { 0 };

	vault_send(core_vault(harness->core), request, on_answer, &answer);
	loop_until(harness, &answer.done);
	return answer.response;
}

struct vault_response *harness_send(
    struct harness *harness, enum vault_op op, const char *path, const char *token, json_t *data)
{
	struct vault_request *request = vault_request_new(op, path);

	request->token = token ? secret_copy(token, strlen(token)) : NULL;
	request->data = data;
	request->peer = (struct vault_peer){ .kind = VAULT_PEER_TCP, .address = "127.0.0.1", .port = 40000 };
	return harness_send_request(harness, request);
}

struct result {
	bool done;
	int r;
};

static void on_result(void *arg, int r)
{
	struct result *result = arg;

	result->r = r;
	result->done = true;
}

int harness_run(struct harness *harness, engine_handler *handler, void *state)
{
	struct result result = { 0 };

	core_run(harness->core, handler, state, NULL, on_result, &result);
	loop_until(harness, &result.done);
	return result.r;
}

/* --- answers as text */

static bool is_time(const char *text)
{
	return strlen(text) >= 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' &&
	       text[strlen(text) - 1] == 'Z';
}

static void hide_times(json_t *value)
{
	json_t *member;
	const char *name;
	size_t i;

	json_array_foreach(value, i, member) hide_times(member);
	json_object_foreach(value, name, member)
	{
		if (json_is_string(member) && is_time(json_string_value(member)))
			json_string_set(member, "T");
		hide_times(member);
	}
}

char *harness_text(const struct vault_response *response)
{
	static const char *const plain[] = { "request_id", "lease_id", "renewable", "lease_duration", "wrap_info",
		"mount_type" };
	static const char *const empty[] = { "auth", "data", "warnings" };
	json_t *shared = vault_response_body(response), *body = json_deep_copy(shared);
	char *text;

	json_decref(shared);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		json_object_del(body, plain[i]);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		if (json_is_null(json_object_get(body, empty[i])))
			json_object_del(body, empty[i]);
	}
	hide_times(body);
	text = body ? json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
	json_decref(body);
	return text;
}

/* --- logins */

struct login {
	const char *mount;
	struct login_auth *auth;
	struct vault_pam_login *pam;
	struct vault_response *response;
};

static int login_handler(struct call *call)
{
	struct login *login = call->state;
	char path[128];
	int r;

	snprintf(path, sizeof(path), "%slogin", login->mount);
	free(call->request->path);
	call->request->path = strdup(path);
	call->request->pam = login->pam;
	call->mount = core_mount_of(call->core, login->mount);
	call->auth = login->auth;
	r = identity_login(call);
	if (r == 0)
		r = token_create_login(call);
	call->auth = NULL;
	call->mount = NULL;
	call->request->pam = NULL;
	if (r >= 0) {
		vault_response_free(login->response);
		login->response = vault_response_new();
		login->response->status = r == 0 ? 200 : call->response->status;
		login->response->auth = json_incref(call->response->auth);
		login->response->errors = json_incref(call->response->errors);
		login->response->warnings = json_incref(call->response->warnings);
	}
	return r < 0 ? r : 0;
}

struct vault_response *harness_login(
    struct harness *harness, const char *mount, struct login_auth *auth, struct vault_pam_login *pam)
{
	struct login login = { .mount = mount, .auth = auth, .pam = pam };

	harness_run(harness, login_handler, &login);
	login_auth_free(auth);
	assert_non_null(login.response);
	return login.response;
}
