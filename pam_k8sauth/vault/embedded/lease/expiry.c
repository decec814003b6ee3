/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends of leases: a heap says when to look at which, and a timer revokes those whose time has come, some at a time.
 * After a start a pass over all records fills the heap in the background; a lease whose token is gone ends at once.
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease_internal.h"

#define FOLDERS	 256
#define AT_ONCE	 32 /* revocations that expiry has under way */
#define LOOK_S	 60 /* at most, until the clock is looked at again: it may have been set */
#define RETRY_S	 60
#define SEALED_S 1
#define DAY_S	 86400
#define HEX_REST (LEASE_HEX_LEN - 2) /* digits behind a folder's two */

static void arm(struct event *timer, int64_t delay_ns)
{
	struct timeval delay = { .tv_sec = delay_ns / NANOTIME_SECOND, .tv_usec = delay_ns % NANOTIME_SECOND / 1000 };

	if (timer)
		evtimer_add(timer, &delay);
}

void leases_arm_expiry(struct leases *leases)
{
	int64_t delay;

	if (leases->heap.n == 0 || leases->expiring >= AT_ONCE)
		return;
	delay = leases->heap.items[0].at - nanotime_now();
	delay = delay < 0 ? 0 : delay;
	arm(leases->expiry_timer, delay < LOOK_S * NANOTIME_SECOND ? delay : LOOK_S * NANOTIME_SECOND);
}

static void on_expiry(evutil_socket_t fd, short events, void *arg)
{
	struct leases *leases = arg;
	int64_t now = nanotime_now();

	(void)fd;
	(void)events;
	if (core_sealed(leases->core)) {
		arm(leases->expiry_timer, SEALED_S * NANOTIME_SECOND);
		return;
	}
	while (leases->heap.n && leases->heap.items[0].at <= now && leases->expiring < AT_ONCE) {
		struct expiry_item item = leases->heap.items[0];
		char hex[LEASE_HEX_LEN + 1];

		hex_encode(item.key, sizeof(item.key), hex);
		expiry_heap_drop(&leases->heap, item.key);
		if (lease_revoke(leases, hex, false, (int)item.attempts, NULL, NULL) < 0)
			leases_expire_at(leases, hex, nanotime_after(now, RETRY_S), item.attempts);
	}
	leases_arm_expiry(leases);
}

void leases_expire_at(struct leases *leases, const char *hex, int64_t at, unsigned attempts)
{
	unsigned char key[EXPIRY_KEY_LEN];

	lease_bytes(hex, key);
	/* Without memory it waits for the next start. */
	if (expiry_heap_set_attempts(&leases->heap, key, at, attempts) < 0)
		log_warning("no memory to keep an expiry time");
	leases_arm_expiry(leases);
}

struct ends {
	char hex[LEASE_HEX_LEN + 1];
	int64_t at;
};

static void on_durable(struct core *core, int r, void *arg)
{
	struct ends *ends = arg;

	if (r == 0)
		leases_expire_at(core_leases(core), ends->hex, ends->at, 0);
	free(ends);
}

int lease_expires(struct call *call, const struct lease *lease)
{
	struct ends *ends = calloc(1, sizeof(*ends));

	if (!ends)
		return -ENOMEM;
	memcpy(ends->hex, lease->hex, sizeof(ends->hex));
	ends->at = lease->expire_time;
	call_on_commit(call, on_durable, ends);
	return 0;
}

/* --- the pass over all leases */

/* Of what was made, renewed or tried since the start more is known than a record says. */
static bool is_known(struct leases *leases, const char *hex)
{
	unsigned char key[EXPIRY_KEY_LEN];

	lease_bytes(hex, key);
	return expiry_heap_has(&leases->heap, key) || lease_is_being_revoked(leases, hex);
}

static int load_one(struct call *call, struct leases *leases, const char *name)
{
	struct lease *lease AUTO_LEASE = NULL;
	char hex[LEASE_HEX_LEN + 1], salted[TOKEN_SALTED_SIZE];
	struct token *token AUTO_TOKEN = NULL;
	int r;

	if (strlen(name) != HEX_REST || strspn(name, "0123456789abcdef") != HEX_REST)
		return -ENOENT;
	snprintf(hex, sizeof(hex), "%02x%s", leases->folder, name);
	if (is_known(leases, hex))
		return 0;
	r = lease_load(call, hex, &lease);
	if (r == 0 && lease->revoke_error) {
		leases_expire_at(leases, hex, nanotime_after(nanotime_now(), DAY_S), LEASE_ATTEMPTS_MAX);
		return 0;
	}
	if (r == 0 && *lease->token) {
		snprintf(salted, sizeof(salted), "h%s", lease->token);
		r = token_load(call, salted, &token);
		if (r == -ENOENT || r == -EIO) {
			lease->expire_time = nanotime_now();
			r = 0;
		}
	}
	if (r == 0)
		leases_expire_at(leases, hex, lease->expire_time, 0);
	return r;
}

static int load_some(struct call *call)
{
	struct leases *leases = call->state;
	bool waiting = false;
	char folder[32];
	int r;

	if (!leases->names) {
		snprintf(folder, sizeof(folder), LEASE_FOLDER "%02x/", leases->folder);
		r = core_list(call, folder, &leases->names);
		if (r < 0)
			return r;
	}
	for (size_t i = leases->at; i < leases->at + LEASE_BATCH && i < json_array_size(leases->names); i++) {
		r = load_one(call, leases, json_string_value(json_array_get(leases->names, i)));
		if (r == -EAGAIN)
			waiting = true; /* ask for the others before waiting for this one */
		else if (r < 0 && r != -ENOENT && r != -EIO)
			return r;
	}
	return waiting ? -EAGAIN : 0;
}

static void loaded(void *arg, int r)
{
	struct leases *leases = arg;

	if (r == 0)
		leases->at += LEASE_BATCH;
	else if (r != -ECANCELED)
		log_warning("reading the stored leases failed: %s; trying again in %d s", strerror(-r), RETRY_S);
	if (r == 0 && leases->at >= json_array_size(leases->names)) {
		json_decref(leases->names);
		leases->names = NULL;
		leases->at = 0;
		leases->folder++;
	}
	if (leases->folder < FOLDERS)
		arm(leases->load_timer, r == 0 ? 0 : RETRY_S * NANOTIME_SECOND);
	else if (leases->heap.n)
		log_info("leases: %zu are living", leases->heap.n);
}

static void on_load(evutil_socket_t fd, short events, void *arg)
{
	struct leases *leases = arg;

	(void)fd;
	(void)events;
	if (core_sealed(leases->core))
		arm(leases->load_timer, SEALED_S * NANOTIME_SECOND);
	else
		core_run(leases->core, load_some, leases, NULL, loaded, leases);
}

/* --- the whole */

struct leases *leases_new(struct core *core)
{
	struct leases *leases = calloc(1, sizeof(*leases));

	if (!leases)
		return NULL;
	leases->core = core;
	leases->pause = LEASE_PAUSE;
	return leases;
}

int leases_start(struct leases *leases)
{
	if (leases->expiry_timer)
		return 0;
	leases->expiry_timer = evtimer_new(core_base(leases->core), on_expiry, leases);
	leases->load_timer = evtimer_new(core_base(leases->core), on_load, leases);
	if (!leases->expiry_timer || !leases->load_timer)
		return -ENOMEM;
	arm(leases->load_timer, 0);
	return 0;
}

static void stop(struct leases *leases)
{
	leases_gone_stop(leases);
	if (leases->expiry_timer)
		event_free(leases->expiry_timer);
	if (leases->load_timer)
		event_free(leases->load_timer);
	json_decref(leases->names);
	expiry_heap_free(&leases->heap);
}

void leases_forget(struct leases *leases)
{
	/* Those that are being made belong to their calls. */
	const struct leases nothing = { .core = leases->core, .pause = leases->pause, .making = leases->making };

	stop(leases);
	*leases = nothing;
}

void leases_free(struct leases *leases)
{
	if (!leases)
		return;
	stop(leases);
	free(leases);
}

size_t leases_count_known(const struct leases *leases)
{
	return leases->heap.n;
}
