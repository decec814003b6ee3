/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When which token ends: one small fixed record per living token, in a heap by time with a hash table beside it, so
 * that renewing and revoking find theirs. It only says when to look: whether a token has ended, its entry says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "base/macros.h"

#define EXPIRY_KEY_LEN 32

struct expiry_item {
	int64_t at;			   /* unix nanoseconds */
	unsigned char key[EXPIRY_KEY_LEN]; /* the salted id, as bytes: uniformly distributed */
	uint32_t slot;			   /* where the hash table keeps this item's place */
	uint32_t attempts;		   /* whoever looks counts them (lease/revoke.c) */
};

struct expiry_heap {
	struct expiry_item *items; /* items[0] ends first */
	uint32_t *slots;	   /* place in items plus 1; 0: free. Linear probing */
	size_t n, size, slots_size;
};

/* Adds KEY, or moves it to AT. 0 or -ENOMEM. */
int expiry_heap_set(struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN], int64_t at) NODISCARD;

/* The same, and notes ATTEMPTS. */
int expiry_heap_set_attempts(
    struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN], int64_t at, unsigned attempts) NODISCARD;

bool expiry_heap_has(const struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN]);

/* Removes KEY, if it is there. */
void expiry_heap_drop(struct expiry_heap *heap, const unsigned char key[static EXPIRY_KEY_LEN]);

void expiry_heap_free(struct expiry_heap *heap);
