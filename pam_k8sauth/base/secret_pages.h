/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where secrets have their pages from: secret_pages.c maps them for each secret; a program that has secret_pool.c among
 * its own sources (the daemon) keeps them for the next ones instead, and counts when there was no memory. Chosen by the
 * linker, so that the PAM module, which may have no state, has none.
 */
#pragma once

#include <stddef.h>

/* SIZE bytes (whole pages) of zeros, left out of core dumps and locked as far as the limits allow; NULL without memory.
 */
void *secret_pages_take(size_t size);
/* Takes them back. The caller has wiped them. */
void secret_pages_give(void *pages, size_t size);
/* wipe_malloc or one of its kind had no memory; see wipe_failures. */
void secret_note_failure(void);

/* The mapping itself. */
void *secret_pages_map(size_t size);
