/* SPDX-License-Identifier: Apache-2.0 */
/* The records that the loop remembers (sealed as they are on the disk), absent ones too, the oldest given back first.
 */
#include "vault/embedded/store_internal.h"

#include <errno.h>

int store_cache_init(struct store_cache *cache)
{
	cache->buckets = calloc(STORE_BUCKETS, sizeof(*cache->buckets));
	if (!cache->buckets)
		return -ENOMEM;
	TAILQ_INIT(&cache->lru);
	cache->max = STORE_CACHE_MAX;
	return 0;
}

static struct store_entry **bucket_of(const struct store_cache *cache, const struct store_key *key)
{
	return &cache->buckets[key->bytes[0] | (unsigned)key->bytes[1] << 8];
}

static size_t cost(const struct store_entry *entry)
{
	return sizeof(*entry) + entry->value.len;
}

static void remove_entry(struct store_cache *cache, struct store_entry *entry)
{
	struct store_entry **p = bucket_of(cache, &entry->key);

	while (*p != entry)
		p = &(*p)->next_in_bucket;
	*p = entry->next_in_bucket;
	TAILQ_REMOVE(&cache->lru, entry, lru);
	cache->used -= cost(entry);
	free(entry->value.data);
	free(entry);
}

void store_cache_free(struct store_cache *cache)
{
	struct store_entry *entry;

	if (!cache->buckets)
		return;
	while ((entry = TAILQ_FIRST(&cache->lru)))
		remove_entry(cache, entry);
	free(cache->buckets);
}

struct store_entry *store_cache_find(const struct store_cache *cache, const struct store_key *key)
{
	struct store_entry *entry = *bucket_of(cache, key);

	while (entry && memcmp(&entry->key, key, sizeof(*key)) != 0)
		entry = entry->next_in_bucket;
	return entry;
}

struct store_entry *store_cache_pin(struct store_cache *cache, const struct store_key *key)
{
	struct store_entry **bucket = bucket_of(cache, key), *entry = store_cache_find(cache, key);

	if (entry) {
		TAILQ_REMOVE(&cache->lru, entry, lru);
	} else {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return NULL;
		entry->key = *key;
		TAILQ_INIT(&entry->waiters);
		entry->next_in_bucket = *bucket;
		*bucket = entry;
		cache->used += cost(entry);
	}
	TAILQ_INSERT_HEAD(&cache->lru, entry, lru);
	entry->pins++;
	return entry;
}

void store_cache_set(
    struct store_cache *cache, struct store_entry *entry, enum store_entry_state state, struct store_blob value)
{
	cache->used -= cost(entry);
	free(entry->value.data);
	entry->value = value;
	entry->state = state;
	cache->used += cost(entry);
}

void store_cache_unpin(struct store_cache *cache, struct store_entry *entry)
{
	entry->pins--;
	/* An entry that says nothing is of no use to anybody. */
	if (entry->pins == 0 && entry->state == STORE_UNKNOWN)
		remove_entry(cache, entry);
}

void store_cache_trim(struct store_cache *cache)
{
	unsigned held = 0;

	/* Held ones move to the head, out of the way; a few steps a time are enough, since every insert comes here. */
	while (cache->used > cache->max && held < 64) {
		struct store_entry *entry = TAILQ_LAST(&cache->lru, store_lru);

		if (!entry)
			return;
		if (entry->pins == 0) {
			remove_entry(cache, entry);
			continue;
		}
		held++;
		TAILQ_REMOVE(&cache->lru, entry, lru);
		TAILQ_INSERT_HEAD(&cache->lru, entry, lru);
	}
}
