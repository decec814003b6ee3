/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts failures by (service, remote host, user): after five in a minute a login is answered a second later
 * (experiments.md, rule 5), and one verification a second is looked at. A fixed table without chains: two callers in one bucket evict each other, which forgives
 * and never punishes the wrong one. The seed keeps others from aiming at a bucket.
 */
#include "session/state.h"

#define WINDOW_MS      60000
#define FAILURES_QUICK 5

#define SECOND_MS    1000
#define LOOKUPS_MAX  100 /* in a second: NSS asks for what the index lacks only, and each is a look into /etc/passwd */
#define VERIFIES_MAX 20

static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	while (*text++); /* the NUL too, so that ("a", "bc") is not ("ab", "c") */
	return hash;
}

static uint64_t failure_key(const struct sessions *all, const struct caller *caller)
{
	uint64_t key = 0xcbf29ce484222325ull ^ all->rate_seed;

	return hash_text(hash_text(hash_text(key, caller->service), caller->rhost), caller->user);
}

bool rate_failure(struct sessions *all, const struct caller *caller)
{
	uint64_t key = failure_key(all, caller);
	struct rate_bucket *bucket = &all->buckets[(key >> 32) % RATE_BUCKETS];
	int64_t now = monotonic_ms();

	if (bucket->key != key || now - bucket->window >= WINDOW_MS)
		*bucket = (struct rate_bucket){ .key = key, .window = now };
	if (bucket->failures < UINT32_MAX)
		bucket->failures++;
	return bucket->failures > FAILURES_QUICK;
}

bool rate_guess(struct sessions *all, const struct caller *caller)
{
	uint64_t key = failure_key(all, caller);
	struct rate_bucket *bucket = &all->buckets[(key >> 32) % RATE_BUCKETS];
	int64_t now = monotonic_ms();

	if (bucket->key != key || now - bucket->window >= WINDOW_MS || bucket->failures <= FAILURES_QUICK)
		return true;
	if (bucket->asked && now - bucket->asked < SECOND_MS)
		return false;
	bucket->asked = now;
	return true;
}

/* Counts one of UID; whether it is within MAX a second. */
static bool within(struct uid_bucket *buckets, uid_t uid, uint32_t max)
{
	struct uid_bucket *bucket = &buckets[uid % UID_BUCKETS];
	int64_t now = monotonic_ms();

	if (bucket->uid != uid || now - bucket->window >= SECOND_MS)
		*bucket = (struct uid_bucket){ .uid = uid, .window = now };
	if (bucket->count <= max)
		bucket->count++;
	return bucket->count <= max;
}

bool rate_lookup(struct sessions *all, uid_t uid)
{
	return within(all->lookups, uid, LOOKUPS_MAX);
}

bool rate_verify(struct sessions *all, uid_t uid, bool known)
{
	return within(known ? all->known_verifies : all->verifies, uid, VERIFIES_MAX);
}

static bool say(struct sessions *all, uint64_t key)
{
	struct said_bucket *bucket = &all->said[(key >> 32) % SAID_BUCKETS];
	int64_t now = monotonic_ms();

	if (bucket->key == key && bucket->at && now - bucket->at < WINDOW_MS)
		return false;
	*bucket = (struct said_bucket){ .key = key, .at = now };
	return true;
}

bool rate_say(struct sessions *all, const char *what, uid_t uid)
{
	return say(all, hash_text(0xcbf29ce484222325ull ^ all->rate_seed ^ uid, what));
}

bool rate_say_failures(struct sessions *all, const struct caller *caller)
{
	return say(all, failure_key(all, caller));
}
