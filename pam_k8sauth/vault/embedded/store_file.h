/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store's file is, for whoever has it without a daemon: `k8sauth operator restore`. Links nothing but SQLite.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

#define STORE_FILE_TEXT 512

struct store_file {
	int format;
	bool backup;		   /* made by core_backup: MARK says when, of which cluster, by which version */
	char mark[STORE_FILE_TEXT]; /* JSON */
	char cluster[64];	   /* its cluster's id; "" if it was never initialised */
};

/*
 * Looks at the file PATH, which nobody else may use meanwhile; WHOLE: reads all of it, and every index. 0, or a negative
 * errno with WHY: -EBUSY it is in use, -EPROTO no store, or a newer one's, -EBADMSG damaged.
 */
int store_file_look(const char *path, bool whole, struct store_file *ret, char *why, size_t why_size) NODISCARD;
