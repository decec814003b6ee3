/* SPDX-License-Identifier: Apache-2.0 */
/* A request that revokes leases and waits for it: one lease after the other, up to the first that cannot be. */
#include <errno.h>
#include <stdio.h>

#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease_internal.h"

struct lease_revoking {
	struct call *call;
	json_t *ids;
	size_t at;
	bool prefix, force, done, failed;
	char *error; /* NULL, though FAILED: there was no memory for it */
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

static void say_error(struct lease_revoking *revoking, const char *error)
{
	size_t n = json_array_size(revoking->ids);
	const char *id = json_string_value(json_array_get(revoking->ids, revoking->at));
	int r;

	if (revoking->prefix)
		r = asprintf(&revoking->error,
		    "failed to revoke \"%s\" (%zu / %zu): " LEASE_FAILED, id, revoking->at + 1, n, error);
	else
		r = asprintf(&revoking->error, LEASE_FAILED, error);
	if (r < 0)
		revoking->error = NULL;
}

static void next(struct lease_revoking *revoking);

static void on_revoked(void *arg, const char *error)
{
	struct lease_revoking *revoking = arg;

	if (error) {
		say_error(revoking, error);
		revoking->done = revoking->failed = true;
		call_resume(revoking->call);
		return;
	}
	revoking->at++;
	next(revoking);
}

static void next(struct lease_revoking *revoking)
{
	char hex[LEASE_HEX_LEN + 1];
	const char *id = json_string_value(json_array_get(revoking->ids, revoking->at));

	if (!id) {
		revoking->done = true;
		call_resume(revoking->call);
		return;
	}
	lease_hex(id, hex);
	if (lease_revoke(core_leases(revoking->call->core), hex, revoking->force, -1, on_revoked, revoking) < 0)
		on_revoked(revoking, "no memory");
}

int leases_revoke_all(struct call *call, json_t *ids, bool prefix, bool force, const char **ret_error)
{
	struct lease_revoking *revoking = leases_are_revoking(call) ? call->state : NULL;

	if (revoking) {
		json_decref(ids);
		if (!revoking->done)
			return -EAGAIN; /* it holds the call */
		*ret_error = revoking->error;
		return !revoking->failed ? 0 : revoking->error ? 1 : -ENOMEM;
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
	*revoking = (struct lease_revoking){ .call = call, .ids = ids, .prefix = prefix, .force = force };
	call->state = revoking;
	call->state_free = revoking_free;
	call_hold(call);
	next(revoking);
	return -EAGAIN;
}
