/* SPDX-License-Identifier: Apache-2.0 */
/* How the doctor and its parsers look: files and folders of a bounded size, programs for a bounded time. */
#pragma once

#include "base/buf.h"
#include "base/macros.h"

#define LOOK_MAX (1024 * 1024)

/* Reads the regular file PATH below ROOT, at most LOOK_MAX bytes of it. 0 or a negative errno. */
int look_read(const char *root, const char *path, struct buf *ret) NODISCARD;
/* The names in the folder PATH, sorted by bytes, as a NULL-terminated list for strings_free. 0 or a negative errno. */
int look_folder(const char *root, const char *path, char ***ret) NODISCARD;
/*
 * Runs ARGV (an absolute path first), waits at most ten seconds, and keeps what it writes to standard output. Its exit
 * code, or a negative errno.
 */
int look_run(char *const argv[], struct buf *ret) NODISCARD;
/* What follows KEY and SEPARATOR on the first line of TEXT that starts so; NULL if none does. The caller frees it. */
char *look_value(const char *text, const char *key, char separator);
/* Makes room for one more item of SIZE bytes in *LIST of N. */
void look_grow(void *list, size_t n, size_t size);
