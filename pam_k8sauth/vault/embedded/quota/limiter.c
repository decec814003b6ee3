/* SPDX-License-Identifier: Apache-2.0 */
/* The clients of one quota; see limiter.h. */
#include "vault/embedded/quota/limiter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SLOTS_FIRST 16
#define RATE_MAX    9007199254740992.0 /* 2^53: what JSON's numbers show exactly */

struct client {
	struct client *next;
	uint64_t hash;
	int64_t window; /* when its present interval began, ms */
	int64_t blocked_until;
	uint64_t left;
	char name[];
};

struct limiter {
	uint64_t rate;
	int64_t interval, block; /* ms */
	uint64_t seed;		 /* nobody can choose addresses that fall into one slot */
	struct client **slots;	 /* SIZE of them, a power of two */
	size_t size, n;
	struct client *others; /* all clients beyond the limit */
};

static struct client *client_new(const struct limiter *limiter, const char *name, uint64_t hash, int64_t now)
{
	size_t len = strlen(name);
	struct client *client = calloc(1, sizeof(*client) + len + 1);

	if (!client)
		return NULL;
	memcpy(client->name, name, len);
	client->hash = hash;
	client->window = now;
	client->left = limiter->rate;
	return client;
}

struct limiter *limiter_new(double rate, int64_t interval, int64_t block)
{
	struct limiter *limiter = calloc(1, sizeof(*limiter));

	if (!limiter)
		return NULL;
	rate = fmin(fmax(round(rate), 1), RATE_MAX);
	limiter->rate = (uint64_t)rate;
	limiter->interval = interval * 1000;
	limiter->block = block * 1000;
	limiter->size = SLOTS_FIRST;
	limiter->slots = calloc(limiter->size, sizeof(struct client *));
	random_bytes(&limiter->seed, sizeof(limiter->seed));
	limiter->others = client_new(limiter, "", 0, 0);
	if (limiter->slots && limiter->others)
		return limiter;
	limiter_free(limiter);
	return NULL;
}

void limiter_free(struct limiter *limiter)
{
	if (!limiter)
		return;
	for (size_t i = 0; limiter->slots && i < limiter->size; i++) {
		while (limiter->slots[i]) {
			struct client *client = limiter->slots[i];

			limiter->slots[i] = client->next;
			free(client);
		}
	}
	free(limiter->slots);
	free(limiter->others);
	free(limiter);
}

/* --- the clients */

static uint64_t hash_of(const struct limiter *limiter, const char *name)
{
	uint64_t hash = limiter->seed;

	for (; *name; name++) {
		hash = (hash ^ (unsigned char)*name) * 0x9e3779b97f4a7c15U;
		hash ^= hash >> 29;
	}
	return hash;
}

/* Whether forgetting it would change nothing but where its next interval begins. */
static bool is_over(const struct limiter *limiter, const struct client *client, int64_t now)
{
	return now - client->window >= limiter->interval && now >= client->blocked_until;
}

/* Moves all that are not over to SIZE new slots. Without memory all stays as it is. */
static void resize(struct limiter *limiter, size_t size, int64_t now)
{
	struct client **slots = calloc(size, sizeof(*slots));

	if (!slots)
		return;
	for (size_t i = 0; i < limiter->size; i++) {
		while (limiter->slots[i]) {
			struct client *client = limiter->slots[i];

			limiter->slots[i] = client->next;
			if (is_over(limiter, client, now)) {
				limiter->n--;
				free(client);
				continue;
			}
			client->next = slots[client->hash & (size - 1)];
			slots[client->hash & (size - 1)] = client;
		}
	}
	free(limiter->slots);
	limiter->slots = slots;
	limiter->size = size;
}

/* Lets go of those that are over before there are more slots than live clients need. */
static void make_room(struct limiter *limiter, int64_t now)
{
	if (limiter->n < limiter->size)
		return;
	resize(limiter, limiter->size, now);
	if (limiter->n > limiter->size / 2 && limiter->size < LIMITER_CLIENTS_MAX)
		resize(limiter, limiter->size * 2, now);
}

static struct client *find(struct limiter *limiter, const char *name, int64_t now)
{
	uint64_t hash = hash_of(limiter, name);
	struct client *client = limiter->slots[hash & (limiter->size - 1)];

	while (client && (client->hash != hash || strcmp(client->name, name) != 0))
		client = client->next;
	if (client)
		return client;
	make_room(limiter, now);
	client = limiter->n < LIMITER_CLIENTS_MAX ? client_new(limiter, name, hash, now) : NULL;
	if (!client)
		return limiter->others;
	client->next = limiter->slots[hash & (limiter->size - 1)];
	limiter->slots[hash & (limiter->size - 1)] = client;
	limiter->n++;
	return client;
}

/* Whole seconds, rounded up. */
static int64_t seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

struct limiter_verdict limiter_take(struct limiter *limiter, const char *name, int64_t now)
{
	struct client *client = find(limiter, name, now);
	struct limiter_verdict verdict = { .limit = limiter->rate };
	int64_t passed = now - client->window;

	if (now < client->blocked_until) {
		verdict.blocked = true;
		verdict.retry_after = seconds(client->blocked_until - now);
		return verdict;
	}
	if (passed >= limiter->interval) {
		client->window += passed / limiter->interval * limiter->interval;
		client->left = limiter->rate;
	}
	verdict.allowed = client->left > 0;
	client->left -= verdict.allowed;
	verdict.remaining = client->left;
	verdict.reset = seconds(client->window + limiter->interval - now);
	if (verdict.allowed)
		return verdict;
	verdict.retry_after = verdict.reset;
	if (limiter->block) {
		client->blocked_until = now + limiter->block;
		verdict.retry_after = seconds(limiter->block);
	}
	return verdict;
}
