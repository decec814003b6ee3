/* SPDX-License-Identifier: Apache-2.0 */
/* Which variables k8sauthd may set in a session (decision 14): the module's own clamp, whatever the daemon says. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A longer string than this cannot be passed to execve: it would break the login. */
#define ENV_STRING_MAX (128u * 1024 - 1)

/*
 * Whether the LEN bytes at ASSIGNMENT, `NAME=value`, may be set: VAULT_*, K8SAUTH_* or a name in ALLOWED
 * (`NAME,NAME`, may be NULL), a well-formed name, not on the compiled list of names that are never set, and short
 * enough. RET_NAME_LEN is the length of the name, 0 where there is none.
 */
bool env_allowed(const char *assignment, size_t len, const char *allowed, size_t *ret_name_len);

/* Whether LIST, `NAME,NAME`, holds well-formed names only, and none that is never set. */
bool env_list_valid(const char *list);
