/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for leftovers in the background (auth/token/tidy, sys/leases/tidy): a walk over folders of the core's keys,
 * some names at a time, each step a small transaction of its own.
 */
#pragma once

#include "vault/embedded/core.h"

struct tidy;

/* A folder ("a/b/") to walk over. */
struct tidy_folder {
	const char *path; /* NULL: the end of a table */
	/*
	 * Looks at NAME in FOLDER, which is PATH or below it; a name that ends in '/' is a folder. What it writes is
	 * committed with the step; tidy_removed counts what it means to remove. 0, TIDY_BELOW: look into it, -EAGAIN,
	 * -EIO (nobody can say: it stays), -errno.
	 */
	int (*look)(struct call *call, struct tidy *tidy, const char *folder, const char *name);
};
#define TIDY_BELOW 1

/*
 * Walks over FOLDERS, a table that stays, and clears *RUNNING at the end, whatever that is. WHAT (static): what the
 * journal calls it. 0: it runs; -EBUSY: *RUNNING was set; -ENOMEM.
 */
int tidy_start(struct core *core, const char *what, const struct tidy_folder *folders, bool *running) NODISCARD;
void tidy_removed(struct tidy *tidy);
/* Removes the record NAME of FOLDER, and counts it. 0, or what the handler returns. */
int tidy_remove(struct call *call, struct tidy *tidy, const char *folder, const char *name) NODISCARD;
/* Answers that it has begun. */
int tidy_answer(struct call *call) NODISCARD;
