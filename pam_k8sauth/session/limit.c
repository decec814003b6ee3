/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts failures by (service, remote host, user): five in a minute are answered at once, more a second later
 * (experiments.md, rule 5). A fixed table without chains: two callers in one bucket evict each other, which forgives
 * and never punishes the wrong one. The seed keeps others from aiming at a bucket.
 */
#include "session/state.h"

#define WINDOW_MS      60000
#define FAILURES_QUICK 5

#define LOOKUP_MS  1000
#define LOOKUP_MAX 100 /* in LOOKUP_MS: NSS asks for what the index lacks only, and each is a look into /etc/passwd */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	while (*text++); /* the NUL too, so that ("a", "bc") is not ("ab", "c") */
	return hash;
}

bool rate_failure(struct sessions *all, const struct caller *caller)
{
	uint64_t key = 0xcbf29ce484222325ull ^ all->rate_seed;
	struct rate_bucket *bucket;
	int64_t now = monotonic_ms();

	key = hash_text(hash_text(hash_text(key, caller->service), caller->rhost), caller->user);
	bucket = &all->buckets[(key >> 32) % RATE_BUCKETS];
	if (bucket->key != key || now - bucket->window >= WINDOW_MS)
		*bucket = (struct rate_bucket){ .key = key, .window = now };
	if (bucket->failures < UINT32_MAX)
		bucket->failures++;
	return bucket->failures > FAILURES_QUICK;
}

bool rate_lookup(struct sessions *all, uid_t uid)
{
	struct lookup_bucket *bucket = &all->lookups[uid % LOOKUP_BUCKETS];
	int64_t now = monotonic_ms();

	if (bucket->uid != uid || now - bucket->window >= LOOKUP_MS)
		*bucket = (struct lookup_bucket){ .uid = uid, .window = now };
	if (bucket->lookups <= LOOKUP_MAX)
		bucket->lookups++;
	return bucket->lookups <= LOOKUP_MAX;
}
