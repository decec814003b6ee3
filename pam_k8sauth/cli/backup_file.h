/* SPDX-License-Identifier: Apache-2.0 */
/* A backup on its way back to where the daemon takes it from at its start. */
#pragma once

#include <sys/types.h>

#include "vault/embedded/store_file.h"

struct staging {
	char *path;   /* of the store */
	char *folder; /* its folder */
	const char *name; /* the store's in there */
	int fd;	      /* the folder; -1 */
	uid_t uid; /* whose it is: the daemon's */
	gid_t gid;
};

/* Where the configuration has its store, and whose it is. 0, or a negative errno with WHY. */
int staging_open(struct staging *staging, char *why, size_t why_size) NODISCARD;
void staging_close(struct staging *staging);
/* Copies FILE into the folder, under a name that the daemon does not look at. 0, or a negative errno with WHY. */
int staging_copy(const struct staging *staging, const char *file, char *why, size_t why_size) NODISCARD;
/*
 * Looks at the store itself (COPY false), or at the whole copy, with the rights of the daemon's user: what is in a file
 * of its folder is not root's to trust. 0, or a negative errno with WHY.
 */
int staging_look(const struct staging *staging, bool copy, struct store_file *ret, char *why, size_t why_size) NODISCARD;
/* The daemon takes the copy at its next start. 0 or a negative errno. */
int staging_commit(const struct staging *staging) NODISCARD;
/* Removes the copy. */
void staging_drop(const struct staging *staging);
