/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon does to its own process: no core files, wiped memory, no more rights than it needs. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/*
 * First thing in main: no core dumps, no ptrace by the same uid, more descriptors, wiping allocators in OpenSSL,
 * libevent, jansson and libcurl, SIGPIPE ignored. 0 or a negative errno.
 */
int process_harden(void) NODISCARD;

/*
 * As root: makes the state directory where there is none, and becomes the user k8sauth for good. As another user:
 * nothing. 0, or a negative errno with WHY.
 */
int process_drop_root(char *why, size_t why_size) NODISCARD;

/* The same without a change to anything but the process, for a look at what the daemon could read. */
int process_become_user(char *why, size_t why_size) NODISCARD;
