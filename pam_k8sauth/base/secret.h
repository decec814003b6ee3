/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secret buffers. A secret is an opaque pointer, so that no printf can show it by accident; its pages are its own, left
 * out of core dumps and locked into memory where the limits allow it, and wiped before they are given back (decision
 * 25). Costs a page each (secret_pages.h): for credentials, tokens and keys, not for bulk data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct secret;

/* A zero-filled secret of LEN bytes (a NUL follows them). NULL without memory. The caller owns it. */
struct secret *secret_new(size_t len) NODISCARD;

/* A secret holding a copy of the LEN bytes at DATA. NULL without memory. The caller owns it. */
struct secret *secret_copy(const void *data, size_t len) NODISCARD;

/* Wipes and frees; NULL is fine. */
void secret_free(struct secret *secret);

/* The bytes, NUL-terminated, owned by SECRET. Named so that a grep finds every place that looks inside. */
char *secret_reveal(const struct secret *secret);

/* The number of bytes, without the NUL. */
size_t secret_len(const struct secret *secret);

/* Whether the LEN bytes at A and B are equal, in a time that depends on LEN only. */
bool equal_constant_time(const void *a, const void *b, size_t len);

/* Overwrites memory in a way that the compiler keeps. */
void wipe(void *data, size_t len);

/*
 * Allocators that wipe what they give back, for libraries that secrets pass through: jansson (json_set_alloc_funcs),
 * libcurl (curl_global_init_mem), libevent (event_set_mem_functions), OpenSSL (CRYPTO_set_mem_functions).
 */
void *wipe_malloc(size_t size);
/*
 * How often they had no memory; always 0 without secret_pool.c (secret_pages.h). jansson (2.14) does not always say so:
 * it drops a character of a text that it reads, or a key that it writes. So who works with JSON compares this before
 * and after.
 */
unsigned wipe_failures(void);
void *wipe_calloc(size_t count, size_t size);
void *wipe_realloc(void *data, size_t size);
char *wipe_strdup(const char *text);
void wipe_free(void *data);

static inline void cleanup_secret(struct secret **secret)
{
	secret_free(*secret);
}

/* For text that holds a secret in ordinary memory for a moment. */
static inline void cleanup_wipe_str(char **text)
{
	if (*text) {
		wipe(*text, strlen(*text));
		free(*text);
	}
}

#define AUTO_SECRET   CLEANUP(cleanup_secret)
#define AUTO_WIPE_STR CLEANUP(cleanup_wipe_str)
