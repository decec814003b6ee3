/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocations: the engine takes back what a lease stands for, then the lease is forgotten. One that fails is tried again
 * with growing pauses, and marked when that does not help, or at once where the engine says that it never will (a status
 * below 500); a marked one is tried once a day, and goes by force.
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease_internal.h"

#define MARKED_S   86400
#define STORE_S	   60 /* before what the store refused is tried again */
#define WAITERS_MAX 16

struct revocation {
	LIST_ENTRY(revocation) link;
	unsigned refs; /* the call's, whose engine may be at work longer than anybody waits, and revoke_done's */
	struct leases *leases;
	char hex[LEASE_HEX_LEN + 1];
	bool force;
	int attempts; /* that failed before; -1: only its waiters hear of a failure */
	struct lease_waiter {
		lease_revoked_fn *revoked;
		void *arg;
	} waiters[WAITERS_MAX];
	size_t n_waiters;
	struct mount *mount;	/* the engine's; referenced */
	void *state;		/* the engine's */
	void (*state_free)(void *state);
	char *error; /* the engine's; NULL: it did not refuse */
	bool for_good;
};

static void revocation_unref(void *arg)
{
	struct revocation *revocation = arg;

	if (--revocation->refs > 0)
		return;
	if (revocation->state && revocation->state_free)
		revocation->state_free(revocation->state);
	mount_unref(revocation->leases->core, revocation->mount);
	free(revocation->error);
	free(revocation);
}

/* --- the engine's part, and what follows */

/* The engine's own memory goes with the revocation, not with the copy of the lease that a run has. */
static int run_engine(struct call *call, struct revocation *revocation, struct lease *lease)
{
	int r;

	lease->state = TAKE_PTR(revocation->state);
	lease->state_free = revocation->state_free;
	call->mount = revocation->mount;
	r = revocation->mount->engine->lease_revoke(call, lease);
	revocation->state = TAKE_PTR(lease->state);
	revocation->state_free = lease->state_free;
	return r;
}

/* 0, 1: it refused, -EAGAIN, -errno. */
static int ask_engine(struct call *call, struct revocation *revocation, struct lease *lease)
{
	struct vault_response *response = call->response;
	struct mount *mount = lease_mount(call->core, lease);
	int r;

	free(TAKE_PTR(revocation->error));
	if (revocation->mount != mount) {
		mount_unref(call->core, revocation->mount);
		revocation->mount = mount;
		if (mount)
			mount_ref(mount);
	}
	if (!mount || !mount->engine->lease_revoke)
		return 0;
	r = run_engine(call, revocation, lease);
	if (r == -EAGAIN || (r == 0 && response->status < 400))
		return r;
	revocation->error = strdup(r < 0 ? strerror(-r) : vault_response_error_text(response));
	revocation->for_good = r == 0 && response->status < 500;
	vault_response_clear(response);
	return revocation->error ? 1 : -ENOMEM;
}

static int revoke_step(struct call *call)
{
	struct revocation *revocation = call->state;
	struct lease *lease AUTO_LEASE = NULL;
	int r = lease_wait_made(call, revocation->hex);

	if (r == 0)
		r = lease_load(call, revocation->hex, &lease);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = ask_engine(call, revocation, lease);
	if (r < 0)
		return r;
	if (r == 1 && !revocation->force)
		return 0;
	if (r == 1)
		log_warning("forgot the lease %s by force, though it could not be revoked: %s", lease->id, revocation->error);
	free(TAKE_PTR(revocation->error));
	return lease_remove(call, lease);
}

/* --- failures */

struct marking {
	char hex[LEASE_HEX_LEN + 1];
	char *error;
};

static void marking_free(void *arg)
{
	struct marking *marking = arg;

	free(marking->error);
	free(marking);
}

static int mark_step(struct call *call)
{
	const struct marking *marking = call->state;
	struct lease *lease AUTO_LEASE = NULL;
	int r = lease_load(call, marking->hex, &lease);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	log_error("the lease %s cannot be revoked: %s; remedy: take back by hand what it stands for, then `k8sauth lease "
		  "revoke -force -prefix %s`",
	    lease->id, marking->error, lease->id);
	return lease_mark(call, lease, marking->error);
}

static void marked(void *arg, int r)
{
	(void)arg;
	if (r < 0 && r != -ECANCELED)
		log_warning("a lease that cannot be revoked could not be marked: %s", strerror(-r));
}

/* WHY precedes what the engine said. */
static void mark(struct leases *leases, const char *hex, const char *why, const char *error)
{
	struct marking *marking = calloc(1, sizeof(*marking));

	if (!marking || asprintf(&marking->error, "%s: " LEASE_FAILED, why, error) < 0) {
		free(marking);
		marked(NULL, -ENOMEM);
		return;
	}
	snprintf(marking->hex, sizeof(marking->hex), "%s", hex);
	core_run(leases->core, mark_step, marking, marking_free, marked, NULL);
}

/* 10 s, 20 s, 40 s ... +/- 50 %, so that what failed together is not tried again together. */
static int64_t pause_ns(const struct leases *leases, unsigned attempts)
{
	int64_t whole = leases->pause << (attempts - 1);
	uint32_t random;

	random_bytes(&random, sizeof(random));
	return whole / 2 + (int64_t)((double)whole * random / UINT32_MAX);
}

static void failed(struct revocation *revocation)
{
	struct leases *leases = revocation->leases;
	unsigned attempts = (unsigned)revocation->attempts + 1;
	int64_t now = nanotime_now();

	if (!revocation->for_good && attempts < LEASE_ATTEMPTS_MAX) {
		leases_expire_at(leases, revocation->hex, now + pause_ns(leases, attempts), attempts);
		return;
	}
	leases_expire_at(leases, revocation->hex, nanotime_after(now, MARKED_S), LEASE_ATTEMPTS_MAX);
	if (revocation->attempts < LEASE_ATTEMPTS_MAX)
		mark(leases, revocation->hex, revocation->for_good ? "unrecoverable error" : "out of retries",
		    revocation->error);
}

static void revoke_done(void *arg, int r)
{
	struct revocation *revocation = arg;
	struct leases *leases = revocation->leases;
	unsigned char key[EXPIRY_KEY_LEN];
	const char *error = revocation->error ? revocation->error : r < 0 ? strerror(-r) : NULL;

	LIST_REMOVE(revocation, link);
	lease_bytes(revocation->hex, key);
	if (revocation->attempts >= 0)
		leases->expiring--;
	if (!error)
		expiry_heap_drop(&leases->heap, key);
	else if (revocation->attempts >= 0 && revocation->error)
		failed(revocation);
	else if (revocation->attempts >= 0 && r != -ECANCELED) /* the store's fault: no attempt */
		leases_expire_at(leases, revocation->hex, nanotime_after(nanotime_now(), STORE_S), (unsigned)revocation->attempts);
	for (size_t i = 0; i < revocation->n_waiters; i++)
		revocation->waiters[i].revoked(revocation->waiters[i].arg, error);
	revocation_unref(revocation);
	leases_arm_expiry(leases);
}

/* --- beginning */

static struct revocation *find(struct leases *leases, const char *hex)
{
	struct revocation *revocation;

	LIST_FOREACH(revocation, &leases->revocations, link)
	if (streq(revocation->hex, hex))
		return revocation;
	return NULL;
}

bool lease_is_being_revoked(struct leases *leases, const char *hex)
{
	return find(leases, hex) != NULL;
}

static int add_waiter(struct revocation *revocation, lease_revoked_fn *revoked, void *arg)
{
	if (!revoked)
		return 0;
	if (revocation->n_waiters == WAITERS_MAX)
		return -ENOMEM;
	revocation->waiters[revocation->n_waiters++] = (struct lease_waiter){ revoked, arg };
	return 0;
}

int lease_revoke(struct leases *leases, const char *hex, bool force, int attempts, lease_revoked_fn *revoked, void *arg)
{
	struct revocation *revocation = find(leases, hex);

	if (revocation) {
		revocation->force |= force;
		if (attempts >= 0 && revocation->attempts < 0) {
			revocation->attempts = attempts;
			leases->expiring++;
		}
		return add_waiter(revocation, revoked, arg);
	}
	revocation = calloc(1, sizeof(*revocation));
	if (!revocation)
		return -ENOMEM;
	revocation->leases = leases;
	revocation->force = force;
	revocation->attempts = attempts;
	snprintf(revocation->hex, sizeof(revocation->hex), "%s", hex);
	if (add_waiter(revocation, revoked, arg) < 0) {
		free(revocation);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&leases->revocations, revocation, link);
	if (attempts >= 0)
		leases->expiring++;
	revocation->refs = 2;
	core_run(leases->core, revoke_step, revocation, revocation_unref, revoke_done, revocation);
	return 0;
}
