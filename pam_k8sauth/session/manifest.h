/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which secret files a session has, and a MAC of each: enough to tell that one changed, without keeping what is in it.
 * The key is the session's own token, so that the next daemon comes to the same MACs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/secret.h"

#define MANIFEST_MAC 16

struct manifest_file {
	char *name; /* "secrets/secret.data.app/password" */
	unsigned char mac[MANIFEST_MAC];
};

struct manifest {
	struct manifest_file *files;
	size_t n;
};

/*
 * Adds NAME with the MAC of the LEN bytes at DATA, which tell its name and content. The file added (valid until the
 * next addition), or NULL without memory.
 */
const struct manifest_file *manifest_add(
    struct manifest *manifest, const char *name, const struct secret *key, const void *data, size_t len);
/* Adds a copy of FILE. False without memory. */
bool manifest_add_copy(struct manifest *manifest, const struct manifest_file *file) NODISCARD;
/*
 * NAME's file, or NULL. The search begins at *AT (0 at first) and leaves there where to go on: whoever asks in the
 * order of the additions gets each answer at once.
 */
const struct manifest_file *manifest_find(const struct manifest *manifest, const char *name, size_t *at);
/* One MAC over all: the same for the same files in whatever order. */
void manifest_digest(const struct manifest *manifest, unsigned char ret[static MANIFEST_MAC]);
void manifest_clear(struct manifest *manifest);
