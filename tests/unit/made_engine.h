/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of leases share: an engine whose users exist in an array, made behind the commit, taken back later. */
#pragma once

#include <unistd.h>

#include "core_fixture.h"

#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/lease/lease_internal.h"

#define MAYBE_UNUSED __attribute__((unused))

#define USERS_MAX 4096

static bool exists[USERS_MAX];
static int n_users, revocations;
static int refuse_status; /* the engine's answer to a revocation; 0: it works */
static const char *refuse_id; /* only of this lease; NULL: of all */
static bool renewable = true;
static bool slow; /* secrets are made when the test says so: finish_making */
static int64_t role_ttl, role_max;

/* --- the engine */

struct making {
	struct call *call;
	int user;
	struct event *timer;
};

static struct making *under_way; /* while SLOW */

MAYBE_UNUSED static void finish_making(struct making *making)
{
	exists[making->user] = true;
	if (making->timer)
		event_free(making->timer);
	call_resume(making->call);
	free(making);
}

MAYBE_UNUSED static void on_made(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish_making(arg);
}

/* The lease is durable by now: the user can be made. */
MAYBE_UNUSED static void make_user(struct core *core, int r, void *arg)
{
	const struct timeval soon = { 0, 200 };
	struct making *making = arg;

	if (r < 0) {
		free(making);
		return;
	}
	call_hold(making->call);
	under_way = making;
	if (slow)
		return;
	making->timer = evtimer_new(core_base(core), on_made, making);
	evtimer_add(making->timer, &soon);
}

MAYBE_UNUSED static int read_creds(struct call *call)
{
	struct making *making = calloc(1, sizeof(*making));
	json_auto_t *internal = json_pack("{s:i}", "user", n_users);
	int r = lease_issue(call, internal, role_ttl, role_max, renewable);

	if (r) {
		free(making);
		return r < 0 ? r : 0;
	}
	*making = (struct making){ .call = call, .user = n_users++ };
	call_on_commit(call, make_user, making);
	return call_data(call, json_pack("{s:i}", "user", making->user));
}

MAYBE_UNUSED static int renew_user(struct call *call, struct lease *lease)
{
	assert_non_null(lease->internal);
	if (streq(call->mount->path, "made/") && role_ttl < 0)
		return call_error(call, 400, "the role is gone");
	lease->ttl = role_ttl;
	lease->max_ttl = role_max;
	return 0;
}

MAYBE_UNUSED static void on_asked(evutil_socket_t fd, short what, void *arg)
{
	struct making *making = arg;

	(void)fd;
	(void)what;
	event_free(TAKE_PTR(making->timer));
	call_resume(making->call);
}

MAYBE_UNUSED static int revoke_user(struct call *call, struct lease *lease)
{
	const struct timeval soon = { 0, 200 };
	struct making *making = lease->state;

	assert_string_equal(call->mount->path, "made/");
	if (!making) {
		lease->state = making = calloc(1, sizeof(*making));
		lease->state_free = free;
		making->call = call;
		making->timer = evtimer_new(core_base(call->core), on_asked, making);
		call_hold(call);
		evtimer_add(making->timer, &soon);
	}
	if (making->timer)
		return -EAGAIN;
	free(TAKE_PTR(lease->state));
	revocations++;
	if (refuse_status && (!refuse_id || streq(refuse_id, lease->id)))
		return call_error(call, refuse_status, "down for maintenance");
	exists[json_integer_value(json_object_get(lease->internal, "user"))] = false;
	return 0;
}

static const struct engine_path paths[] = { { .pattern = "creds/{role}", .read = read_creds }, { NULL } };
static const struct engine made_engine = {
	.type = "made", .paths = paths, .lease_renew = renew_user, .lease_revoke = revoke_user
};

/* --- what the tests share */

MAYBE_UNUSED static void reset_engine(void)
{
	memset(exists, 0, sizeof(exists));
	n_users = revocations = refuse_status = 0;
	refuse_id = NULL;
	renewable = true;
	slow = false;
	role_ttl = 3600;
	role_max = 7200;
}

MAYBE_UNUSED static int set_up(void **state)
{
	reset_engine();
	if (world_setup(state))
		return -1;
	add_mount(*state, &made_engine, "made/");
	return 0;
}

MAYBE_UNUSED static int user_of(const struct reply *reply)
{
	return (int)json_integer_value(json_object_get(json_object_get(reply->body, "data"), "user"));
}

/* Asks for a secret; its lease's id in ID. The user. */
MAYBE_UNUSED static int make(struct world *world, const char *token, char id[static 64])
{
	struct reply *reply = ask(world, VAULT_READ, "made/creds/r", token, NULL);

	if (reply->status != 200)
		fail_msg("%d %s", reply->status, reply->text);
	snprintf(id, 64, "%s", json_string_value(json_object_get(reply->body, "lease_id")));
	assert_int_equal(strlen(id), strlen("made/creds/r/") + 24);
	assert_true(exists[user_of(reply)]);
	return user_of(reply);
}

MAYBE_UNUSED static struct reply *on_lease(struct world *world, const char *what, const char *id, const char *more)
{
	char path[64], data[256];

	snprintf(path, sizeof(path), "sys/leases/%s", what);
	snprintf(data, sizeof(data), "{\"lease_id\":\"%s\"%s}", id, more);
	return ask(world, VAULT_UPDATE, path, "root", data);
}

MAYBE_UNUSED static json_int_t ttl_of(struct world *world, const char *id)
{
	struct reply *reply = on_lease(world, "lookup", id, "");

	return reply->status == 200 ? json_integer_value(json_object_get(json_object_get(reply->body, "data"), "ttl"))
				    : -1000000;
}

MAYBE_UNUSED static bool is_gone(struct world *world, const char *id)
{
	return ttl_of(world, id) == -1000000 && streq(world->last.error, "invalid lease");
}

/* Runs the loop until the user is gone. */
MAYBE_UNUSED static void wait_gone(struct world *world, int user)
{
	for (int i = 0; i < 5000 && exists[user]; i++) {
		event_base_loop(world->base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	assert_false(exists[user]);
}

MAYBE_UNUSED static void run(struct world *world, int ms)
{
	for (int i = 0; i < ms; i++) {
		event_base_loop(world->base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

MAYBE_UNUSED static void make_token(struct world *world, const char *how, char ret[static 1024])
{
	struct reply *reply = ask(world, VAULT_UPDATE, "auth/token/create", "root", how);

	assert_int_equal(reply->status, 200);
	snprintf(ret, 1024, "%s",
	    json_string_value(json_object_get(json_object_get(reply->body, "auth"), "client_token")));
}

MAYBE_UNUSED static int irrevocable(struct world *world)
{
	struct reply *reply = ask(world, VAULT_READ, "sys/leases/count", "root", "{\"type\":\"irrevocable\"}");

	assert_int_equal(reply->status, 200);
	return (int)json_integer_value(json_object_get(json_object_get(reply->body, "data"), "lease_count"));
}
