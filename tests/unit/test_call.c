/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: run again until all is there, committed, answered when durable (core.h). */
#include <event2/event.h>
#include <sys/resource.h>

#include "core_fixture.h"

#include "base/secret_pages.h"

/* --- an engine whose handlers do what the tests need */

static unsigned runs, freed, hooks_done, hooks_cancelled, unmounted_calls;
static struct call *held;
static int hook_r;

static void on_hook(struct core *core, int r, void *arg)
{
	(void)core;
	(void)arg;
	hook_r = r;
	if (r == -ECANCELED)
		hooks_cancelled++;
	else
		hooks_done++;
}

static int count(struct call *call)
{
	json_t *value = NULL, *more;
	int r;

	runs++;
	call_on_commit(call, on_hook, NULL);
	r = call_get(call, "count", &value);
	if (r < 0 && r != -ENOENT)
		return r;
	more = json_integer(json_integer_value(value) + 1);
	json_decref(value);
	r = call_put(call, "count", more);
	if (r == 0)
		r = call_data(call, json_pack("{s:O}", "count", more));
	json_decref(more);
	return r;
}

/* Reads three records, one after the other, and remembers how often it ran. */
static int read_three(struct call *call)
{
	static const char *const keys[] = { "a", "b/c", "none" };
	json_t *value;

	if (!call->state) {
		call->state = calloc(1, sizeof(int));
		call->state_free = free;
	}
	++*(int *)call->state;
	for (size_t i = 0; i < 3; i++) {
		int r = call_get(call, keys[i], &value);

		if (r == 0)
			json_decref(value);
		else if (r != -ENOENT)
			return r;
	}
	return call_data(call, json_pack("{s:i}", "runs", *(int *)call->state));
}

static int write_some(struct call *call)
{
	json_t *value = json_string("v");
	int r = call_put(call, "a", value);

	if (r == 0)
		r = call_put(call, "b/c", value);
	if (r == 0)
		r = call_put(call, "b/d", value);
	json_decref(value);
	call_relaxed(call);
	return r < 0 ? r : call_done(call);
}

static int write_and_refuse(struct call *call)
{
	json_t *value = json_string("refused");
	int r = call_put(call, "refused", value);

	json_decref(value);
	call_on_commit(call, on_hook, NULL);
	return r < 0 ? r : call_error(call, 400, "no, %s", "never");
}

static int read_refused(struct call *call)
{
	json_t *value;
	int r = call_get(call, "refused", &value);

	return r == -ENOENT ? call_data(call, NULL) : r < 0 ? r : call_data(call, value);
}

static int own_writes(struct call *call)
{
	json_t *value = json_pack("{s:i}", "n", 1), *is = NULL, *names = NULL;
	int r = call_list(call, "b/", &names);

	if (r < 0) {
		json_decref(value);
		return r;
	}
	json_decref(names);
	assert_int_equal(call_put(call, "b/x/y", value), 0);
	assert_int_equal(call_put(call, "b/e", value), 0);
	assert_int_equal(call_delete(call, "b/c"), 0);
	json_object_set_new(value, "n", json_integer(2));
	assert_int_equal(call_get(call, "b/e", &is), 0);
	assert_int_equal(json_integer_value(json_object_get(is, "n")), 1);
	json_decref(is);
	assert_int_equal(call_get(call, "b/c", &is), -ENOENT);
	json_decref(value);
	assert_int_equal(call_put(call, "", json_true()), -EINVAL);
	assert_int_equal(call_put(call, "b/", json_true()), -EINVAL);
	assert_int_equal(call_list(call, "b", &names), -EINVAL);
	r = call_list(call, "b/", &names);
	return r < 0 ? r : call_data(call, json_pack("{s:o}", "keys", names));
}

static int list_b(struct call *call)
{
	json_t *names;
	int r = call_list(call, "b/", &names);

	return r < 0 ? r : call_data(call, json_pack("{s:o}", "keys", names));
}

static void count_free(void *state)
{
	free(state);
	freed++;
}

static int hold(struct call *call)
{
	runs++;
	if (call->state)
		return call_data(call, json_pack("{s:s}", "held", "no more"));
	call->state = calloc(1, 1);
	call->state_free = count_free;
	call_hold(call);
	held = call;
	return -EAGAIN;
}

static int wait_for_nothing(struct call *call)
{
	return -EAGAIN;
}

static int no_answer(struct call *call)
{
	return 0;
}

static int fails(struct call *call)
{
	json_t *value = json_string("v");
	int r = call_put(call, "refused", value);

	json_decref(value);
	call_data(call, json_object());
	return r < 0 ? r : -EIO;
}

/* It does not see that something is missing in what it made: jansson does not always say so. */
static int lacks_memory(struct call *call)
{
	secret_note_failure(); /* as wipe_malloc does */
	return fails(call) == -EIO ? 0 : -EINVAL;
}

static int log_in(struct call *call)
{
	call->auth = login_auth_new();
	call->auth->display_name = strdup("somebody");
	call->auth->policies = json_pack("[s]", "p");
	call->auth->metadata = json_pack("{s:s}", "k", "v");
	return 0;
}

static void on_unmounted(struct core *core, struct mount *mount)
{
	unmounted_calls++;
}

static const struct engine_path fake_paths[] = {
	{ .pattern = "count", .update = count },
	{ .pattern = "three", .read = read_three },
	{ .pattern = "some", .update = write_some },
	{ .pattern = "refuse", .update = write_and_refuse, .read = read_refused },
	{ .pattern = "own", .read = own_writes },
	{ .pattern = "b/", .list = list_b },
	{ .pattern = "hold", .read = hold },
	{ .pattern = "nothing", .read = wait_for_nothing },
	{ .pattern = "silent", .read = no_answer },
	{ .pattern = "fails", .update = fails },
	{ .pattern = "lacks", .update = lacks_memory },
	{ .pattern = "login", .flags = ENGINE_UNAUTHENTICATED, .update = log_in },
	{ NULL },
};

static const struct engine fake = { .type = "kv", .paths = fake_paths, .unmounted = on_unmounted };
static const struct engine fake_auth = { .type = "kubernetes", .auth = true, .paths = fake_paths };

static int setup(void **state)
{
	world_setup(state);
	add_mount(*state, &fake, "fake/");
	runs = freed = hooks_done = hooks_cancelled = unmounted_calls = 0;
	held = NULL;
	return 0;
}

/* --- tests */

/* Each read of something that is not known costs one run; nothing else does. */
static void test_run_again(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_READ, "fake/three", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"runs\":4"));
	assert_int_equal(ask(world, VAULT_READ, "fake/three", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"runs\":1"));
	/* Everything that a call has read stays while it runs again, however small the cache is. */
	store_set_cache_max(world->core->store, 0);
	assert_int_equal(ask(world, VAULT_READ, "fake/three", "root", NULL)->status, 200);
}

/* Fifty at a time, each reads and writes the same record: none is lost. */
static void test_serialised(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_UPDATE, .path = "fake/count", .peer = VAULT_PEER_INTERNAL };
	static struct reply replies[50];
	unsigned long seen = 0;

	for (size_t i = 0; i < 50; i++)
		send_ask(world, &question, &replies[i]);
	for (size_t i = 0; i < 50; i++) {
		json_t *data;

		wait_for(world, &replies[i]);
		assert_int_equal(replies[i].status, 200);
		data = json_object_get(replies[i].body, "data");
		seen |= 1ul << json_integer_value(json_object_get(data, "count"));
		reply_clear(&replies[i]);
	}
	assert_int_equal(seen, ((1ul << 50) - 1) << 1);
	assert_int_equal(hooks_done, 50);
	assert_int_equal(hooks_cancelled, runs - 50);
}

static void test_refusal_writes_nothing(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_UPDATE, "fake/refuse", "root", NULL)->status, 400);
	assert_string_equal(world->last.text, "{\"errors\":[\"no, never\"]}");
	assert_int_equal(world->last.failure, VAULT_FAILED_REFUSED);
	assert_int_equal(hooks_cancelled, 1);
	assert_int_equal(hooks_done, 0);
	assert_int_equal(ask(world, VAULT_READ, "fake/refuse", "root", NULL)->status, 404);
	assert_string_equal(world->last.text, "{\"errors\":[]}");
	assert_int_equal(ask(world, VAULT_UPDATE, "fake/fails", "root", NULL)->status, 500);
	assert_string_equal(world->last.error, "1 error occurred:\n\t* internal error\n\n");
	assert_int_equal(world->last.failure, VAULT_FAILED_OUTAGE);
	assert_int_equal(ask(world, VAULT_UPDATE, "fake/lacks", "root", NULL)->status, 500);
	assert_non_null(strstr(world->last.reason, "Cannot allocate memory"));
	assert_int_equal(ask(world, VAULT_READ, "fake/refuse", "root", NULL)->status, 404);
}

static void test_own_writes(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_UPDATE, "fake/some", "root", NULL)->status, 204);
	assert_int_equal(ask(world, VAULT_READ, "fake/own", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"keys\":[\"d\",\"e\",\"x/\"]"));
	assert_int_equal(ask(world, VAULT_LIST, "fake/b/", "root", NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"keys\":[\"d\",\"e\",\"x/\"]"));
}

static void test_hold(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_READ, .path = "fake/hold", .peer = VAULT_PEER_INTERNAL };

	send_ask(world, &question, &world->last);
	while (!held)
		event_base_loop(world->base, EVLOOP_ONCE);
	/* Others are served meanwhile. */
	struct reply other = { 0 };
	send_ask(world, &(struct ask){ .op = VAULT_READ, .path = "sys/health" }, &other);
	wait_for(world, &other);
	reply_clear(&other);
	assert_false(world->last.done);
	call_resume(held);
	assert_false(world->last.done);
	wait_for(world, &world->last);
	assert_int_equal(world->last.status, 200);
	assert_int_equal(runs, 2);
	assert_int_equal(freed, 1);
}

static void test_faulty_handlers(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_READ, "fake/nothing", "root", NULL)->status, 500);
	assert_non_null(strstr(world->log, "waits for nothing"));
	assert_int_equal(ask(world, VAULT_READ, "fake/silent", "root", NULL)->status, 500);
}

/* The table changes while a call of the mount waits for an API server. */
static void test_unmounted_meanwhile(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_READ, .path = "fake/hold", .peer = VAULT_PEER_INTERNAL };
	struct reply reply = { 0 };

	send_ask(world, &question, &reply);
	while (!held)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/mounts/fake", "root", NULL)->status, 204);
	assert_int_equal(unmounted_calls, 0); /* a call of it lives */
	add_mount(world, &fake, "fake/");
	call_resume(held);
	held = NULL;
	/* The same path is another mount now: the handler begins without the old state. */
	while (!held)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(freed, 1);
	assert_int_equal(unmounted_calls, 1);
	call_resume(held);
	wait_for(world, &reply);
	assert_int_equal(reply.status, 200);
	reply_clear(&reply);
}

static void test_login(void **state)
{
	struct world *world = *state;
	const char *token;
	char copy[128];
	json_t *auth;

	add_mount(world, &fake_auth, "auth/fake/");
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/fake/login", NULL, NULL)->status, 200);
	auth = json_object_get(world->last.body, "auth");
	token = json_string_value(json_object_get(auth, "client_token"));
	assert_non_null(token);
	assert_string_equal(json_string_value(json_object_get(world->last.body, "mount_type")), "");
	snprintf(copy, sizeof(copy), "%s", token);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", copy, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"display_name\":\"fake-somebody\""));
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/token/revoke-self", copy, NULL)->status, 204);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", copy, NULL)->status, 403);
}

static void test_too_many(void **state)
{
	struct world *world = *state;
	static struct reply replies[CALLS_MAX + 2];
	struct ask question = { .op = VAULT_READ, .path = "fake/hold", .peer = VAULT_PEER_INTERNAL };
	struct call_private *call, *next;

	for (size_t i = 0; i < CALLS_MAX + 2; i++)
		send_ask(world, &question, &replies[i]);
	wait_for(world, &replies[CALLS_MAX]);
	wait_for(world, &replies[CALLS_MAX + 1]);
	assert_int_equal(replies[CALLS_MAX].status, 503);
	assert_int_equal(replies[CALLS_MAX].failure, VAULT_FAILED_OUTAGE);
	assert_string_equal(replies[CALLS_MAX].error, "too many requests in progress");
	for (call = TAILQ_FIRST(&world->core->calls); call; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->holds)
			call_resume(&call->call);
	}
	for (size_t i = 0; i < CALLS_MAX + 2; i++) {
		wait_for(world, &replies[i]);
		if (i < CALLS_MAX)
			assert_int_equal(replies[i].status, 200);
		reply_clear(&replies[i]);
	}
	assert_int_equal(ask(world, VAULT_READ, "sys/mounts", "root", NULL)->status, 200);
}

/* A call that waits too long is answered; what it waited for may come later. */
static void test_too_slow(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_READ, .path = "fake/hold", .peer = VAULT_PEER_INTERNAL };
	struct call_private *call;

	send_ask(world, &question, &world->last);
	while (!held)
		event_base_loop(world->base, EVLOOP_ONCE);
	TAILQ_FOREACH(call, &world->core->calls, link)
	call->started_ms -= CALL_MAX_MS + 1000;
	wait_for(world, &world->last);
	assert_int_equal(world->last.status, 503);
	assert_string_equal(world->last.error, "request timed out");
	assert_int_equal(freed, 0);
	call_resume(held);
	assert_int_equal(freed, 1);
}

static void test_close_answers(void **state)
{
	struct world *world = *state;
	static struct reply replies[20];
	struct ask question = { .op = VAULT_UPDATE, .path = "fake/count", .peer = VAULT_PEER_INTERNAL };

	for (size_t i = 0; i < 20; i++)
		send_ask(world, &question, &replies[i]);
	core_close(world->core);
	world->core = NULL;
	for (size_t i = 0; i < 20; i++) {
		assert_true(replies[i].done);
		assert_int_equal(replies[i].status, 200);
		reply_clear(&replies[i]);
	}
	assert_int_equal(unmounted_calls, 1);
}

/* --- a store that cannot be written */

static int setup_store(void **state)
{
	struct world *world;

	world_setup_store(state);
	world = *state;
	world_open(world, true);
	assert_int_equal(ask_as(world, &(struct ask){ .op = VAULT_UPDATE, .path = "sys/init", .data = WORLD_INIT })->status, 200);
	add_mount(world, &fake, "fake/");
	return 0;
}

static void test_store_full(void **state)
{
	struct world *world = *state;
	struct ask question = { .op = VAULT_UPDATE, .path = "fake/count", .peer = VAULT_PEER_INTERNAL };
	struct rlimit before, limit;

	assert_int_equal(ask_as(world, &question)->status, 200);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(ask_as(world, &question)->status, 500);
	assert_int_equal(hook_r == 0, 0);
	assert_string_equal(world->last.error, "1 error occurred:\n\t* internal error\n\n");
	assert_int_equal(world->last.failure, VAULT_FAILED_OUTAGE);
	assert_non_null(strstr(world->last.reason, "could not be written"));
	/* Reading goes on. */
	assert_int_equal(ask_as(world, &(struct ask){ .op = VAULT_READ, .path = "fake/three" })->status, 200);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(ask_as(world, &question)->status, 200);
	assert_non_null(strstr(world->last.text, "\"count\":2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_run_again, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_serialised, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_refusal_writes_nothing, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_own_writes, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_hold, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_faulty_handlers, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_unmounted_meanwhile, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_login, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_too_slow, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_close_answers, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_store_full, setup_store, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
