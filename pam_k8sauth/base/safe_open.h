/* SPDX-License-Identifier: Apache-2.0 */
/* Opens files that decide about access: only when nobody but their owner could have written them. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/*
 * Opens the regular file at the absolute PATH for reading, if every directory on the way and the file itself belong to
 * root or OWNER and nobody else may write them (a sticky directory like /tmp is refused too). No component may be a
 * symbolic link. At most MAX bytes large. 0 with a close-on-exec descriptor, or a negative errno with the reason and
 * the component in WHY (-EPERM: owner or mode, -ELOOP: a link, -EFBIG: size, -EINVAL: not absolute or not a regular
 * file).
 */
int safe_open(const char *path, uid_t owner, size_t max, int *ret_fd, char *why, size_t why_size) NODISCARD;

/* The same, and reads it whole into RET (which the caller frees with buf_free). */
int safe_read(const char *path, uid_t owner, size_t max, struct buf *ret, char *why, size_t why_size) NODISCARD;

/*
 * As safe_read, for files that are replaced by links, as kubelet does it (token -> ..data/token, ..data ->
 * ..2026_11_26_...): at most 8 links are followed, each of them root's or OWNER's, none with ".." as a part. A
 * directory that others may write is passed if it is sticky (kubelet's are): nobody can replace there what is root's.
 * The file must have this one name only.
 */
int safe_read_links(const char *path, uid_t owner, size_t max, struct buf *ret, char *why, size_t why_size) NODISCARD;

/* Reads the rest of FD, at most MAX bytes: 0, -EFBIG, -ENOMEM or read's errno. */
int read_all(int fd, size_t max, struct buf *ret) NODISCARD;
