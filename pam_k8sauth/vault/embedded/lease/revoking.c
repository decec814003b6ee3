/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that revokes leases and waits for it: some at a time, in order, so that they share what a commit costs. After
 * the first that cannot be revoked no other is begun.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease_internal.h"

#define AT_ONCE 16

struct lease_revoking {
	struct call *call;
	json_t *ids;
	size_t begun, under_way;
	bool prefix, force, done, beginning;
	struct revoking_one {
		struct lease_revoking *revoking;
		size_t at; /* in IDS */
		bool busy;
	} ones[AT_ONCE];
	size_t failed_at; /* SIZE_MAX: none */
	char *error;	  /* NULL, though one failed: there was no memory for it */
};

static void revoking_free(void *arg)
{
	struct lease_revoking *revoking = arg;

	json_decref(revoking->ids);
	free(revoking->error);
	free(revoking);
}

bool leases_are_revoking(const struct call *call)
{
	return call->state && call->state_free == revoking_free;
}

void leases_revoking_end(struct call *call)
{
	if (!leases_are_revoking(call))
		return;
	revoking_free(call->state);
	call->state = NULL;
	call->state_free = NULL;
}

/* Of several that failed the first is told. */
static void say_error(struct lease_revoking *revoking, size_t at, const char *error)
{
	size_t n = json_array_size(revoking->ids);
	const char *id = json_string_value(json_array_get(revoking->ids, at));
	int r;

	if (at > revoking->failed_at)
		return;
	revoking->failed_at = at;
	free(revoking->error);
	if (revoking->prefix)
		r = asprintf(&revoking->error, "failed to revoke \"%s\" (%zu / %zu): " LEASE_FAILED, id, at + 1, n, error);
	else
		r = asprintf(&revoking->error, LEASE_FAILED, error);
	if (r < 0)
		revoking->error = NULL;
}

static void begin(struct lease_revoking *revoking);

static void on_revoked(void *arg, const char *error)
{
	struct revoking_one *one = arg;
	struct lease_revoking *revoking = one->revoking;

	one->busy = false;
	revoking->under_way--;
	if (error)
		say_error(revoking, one->at, error);
	if (!revoking->beginning)
		begin(revoking);
}

static void begin_one(struct lease_revoking *revoking)
{
	struct revoking_one *one = revoking->ones;
	char hex[LEASE_HEX_LEN + 1];

	while (one->busy)
		one++;
	*one = (struct revoking_one){ .revoking = revoking, .at = revoking->begun++, .busy = true };
	revoking->under_way++;
	lease_hex(json_string_value(json_array_get(revoking->ids, one->at)), hex);
	if (lease_revoke(core_leases(revoking->call->core), hex, revoking->force, -1, on_revoked, one) < 0)
		on_revoked(one, "no memory");
}

/* Begins what may be begun. With nothing under way after that, the call goes on. */
static void begin(struct lease_revoking *revoking)
{
	revoking->beginning = true;
	while (revoking->under_way < AT_ONCE && revoking->failed_at == SIZE_MAX &&
	       revoking->begun < json_array_size(revoking->ids))
		begin_one(revoking);
	revoking->beginning = false;
	if (revoking->under_way)
		return;
	revoking->done = true;
	call_resume(revoking->call);
}

int leases_revoke_all(struct call *call, json_t *ids, bool prefix, bool force, const char **ret_error)
{
	struct lease_revoking *revoking = leases_are_revoking(call) ? call->state : NULL;

	if (revoking) {
		json_decref(ids);
		if (!revoking->done)
			return -EAGAIN; /* it holds the call */
		*ret_error = revoking->error;
		return revoking->failed_at == SIZE_MAX ? 0 : revoking->error ? 1 : -ENOMEM;
	}
	if (json_array_size(ids) == 0) {
		json_decref(ids);
		return 0;
	}
	revoking = calloc(1, sizeof(*revoking));
	if (!revoking) {
		json_decref(ids);
		return -ENOMEM;
	}
	*revoking = (struct lease_revoking){ .call = call, .ids = ids, .prefix = prefix, .force = force,
		.failed_at = SIZE_MAX };
	call->state = revoking;
	call->state_free = revoking_free;
	call_hold(call);
	begin(revoking);
	return -EAGAIN;
}
