/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap by time, with a hash table from key to place. */
#include "vault/embedded/auth_token/expiry_heap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define FIRST_SIZE 1024

static size_t home_slot(const struct expiry_heap *heap, const unsigned char *key)
{
	uint64_t hash;

	memcpy(&hash, key, sizeof(hash));
	return (size_t)hash & (heap->slots_size - 1);
}

/* The slot of KEY, or the free one where it belongs. There is always a free one: at most half of them are used. */
static size_t find_slot(const struct expiry_heap *heap, const unsigned char *key)
{
	size_t slot = home_slot(heap, key);

	while (heap->slots[slot] && memcmp(heap->items[heap->slots[slot] - 1].key, key, EXPIRY_KEY_LEN) != 0)
		slot = (slot + 1) & (heap->slots_size - 1);
	return slot;
}

static void place(struct expiry_heap *heap, size_t i, const struct expiry_item *item)
{
	heap->items[i] = *item;
	heap->slots[item->slot] = (uint32_t)(i + 1);
}

static void sift_up(struct expiry_heap *heap, size_t i)
{
	struct expiry_item item = heap->items[i];

	for (; i > 0 && heap->items[(i - 1) / 2].at > item.at; i = (i - 1) / 2)
		place(heap, i, &heap->items[(i - 1) / 2]);
	place(heap, i, &item);
}

static void sift_down(struct expiry_heap *heap, size_t i)
{
	struct expiry_item item = heap->items[i];
	size_t child;

	while ((child = 2 * i + 1) < heap->n) {
		if (child + 1 < heap->n && heap->items[child + 1].at < heap->items[child].at)
			child++;
		if (heap->items[child].at >= item.at)
			break;
		place(heap, i, &heap->items[child]);
		i = child;
	}
	place(heap, i, &item);
}

static int grow(struct expiry_heap *heap)
{
	size_t size = heap->size ? heap->size * 2 : FIRST_SIZE;
	struct expiry_item *items;
	uint32_t *slots;

	if (size > UINT32_MAX / 4)
		return -ENOMEM;
	slots = calloc(size * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	items = reallocarray(heap->items, size, sizeof(*items));
	if (!items) {
		free(slots);
		return -ENOMEM;
	}
	free(heap->slots);
	heap->items = items;
	heap->slots = slots;
	heap->size = size;
	heap->slots_size = size * 2;
	for (size_t i = 0; i < heap->n; i++) {
		items[i].slot = (uint32_t)find_slot(heap, items[i].key);
		slots[items[i].slot] = (uint32_t)(i + 1);
	}
	return 0;
}

int expiry_heap_set_attempts(
    struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN], int64_t at, unsigned attempts)
{
	struct expiry_item item = { .at = at, .attempts = attempts };
	size_t slot, i;

	if (heap->n == heap->size && grow(heap) < 0)
		return -ENOMEM;
	slot = find_slot(heap, key);
	if (heap->slots[slot]) {
		i = heap->slots[slot] - 1;
		heap->items[i].at = at;
		heap->items[i].attempts = attempts;
	} else {
		i = heap->n++;
		memcpy(item.key, key, EXPIRY_KEY_LEN);
		item.slot = (uint32_t)slot;
		place(heap, i, &item);
	}
	sift_up(heap, i);
	sift_down(heap, heap->slots[slot] - 1);
	return 0;
}

int expiry_heap_set(struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN], int64_t at)
{
	return expiry_heap_set_attempts(heap, key, at, 0);
}

bool expiry_heap_has(const struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN])
{
	return heap->n && heap->slots[find_slot(heap, key)];
}

/* Frees SLOT and closes the gap, so that probing still finds every item behind it. */
static void free_slot(struct expiry_heap *heap, size_t slot)
{
	size_t mask = heap->slots_size - 1, hole = slot, next = slot;

	for (;;) {
		size_t home;

		next = (next + 1) & mask;
		if (!heap->slots[next])
			break;
		home = home_slot(heap, heap->items[heap->slots[next] - 1].key);
		/* An item may move into the hole unless its home lies behind the hole, on the way to where it is. */
		if (((next - home) & mask) < ((next - hole) & mask))
			continue;
		heap->slots[hole] = heap->slots[next];
		heap->items[heap->slots[hole] - 1].slot = (uint32_t)hole;
		hole = next;
	}
	heap->slots[hole] = 0;
}

void expiry_heap_drop(struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN])
{
	struct expiry_item last;
	size_t slot, i;

	if (heap->n == 0)
		return;
	slot = find_slot(heap, key);
	if (!heap->slots[slot])
		return;
	i = heap->slots[slot] - 1;
	free_slot(heap, slot);
	last = heap->items[--heap->n];
	if (i == heap->n)
		return;
	place(heap, i, &last);
	sift_up(heap, i);
	sift_down(heap, heap->slots[last.slot] - 1);
}

void expiry_heap_free(struct expiry_heap *heap)
{
	free(heap->items);
	free(heap->slots);
	*heap = (struct expiry_heap){ 0 };
}
