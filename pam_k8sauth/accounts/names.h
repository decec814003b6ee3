/* SPDX-License-Identifier: Apache-2.0 */
/* From service account to Unix account: names and ids (decisions 11 and 12). names.c is libc only; hash.c needs
 * libcrypto. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <k8sauth/limits.h>

#include "base/macros.h"

/* Whether PREFIX is `k8s[a-z0-9]{0,6}_`. */
bool account_prefix_valid(const char *prefix);

/* Whether NAME looks like ours: a valid prefix, then at least one more character. Opens nothing, asks nobody. */
bool account_name_is_ours(const char *name);

/* The length of NAME's prefix (underscore included), 0 if it has none of ours. */
size_t account_prefix_len(const char *name);

/* Whether NAME may be a Kubernetes namespace (DNS label) or service account (DNS subdomain). */
bool account_namespace_valid(const char *name);
bool account_service_account_valid(const char *name);

/* Whether ID lies outside what we may ever hand out: below ACCOUNT_ID_MIN or in a range of systemd's. */
bool account_id_forbidden(uint32_t id);

/* --- hash.c ------------------------------------------------------------------------------------------------------ */

/* "<prefix><namespace>_<name>", or past 31 bytes "<prefix>_" + 16 base32 characters of SHA-256("ns/name"). */
int account_unix_name(
    const char *prefix, const char *ns, const char *service_account, char ret[static ACCOUNT_NAME_SIZE]) NODISCARD;

/* "<prefix><ns>", or its hashed form past 31 bytes. */
int account_group_name(const char *prefix, const char *ns, char ret[static ACCOUNT_NAME_SIZE]) NODISCARD;

/* The hashed id of a Unix name. */
uint32_t account_hashed_id(const char *unix_name);

/* Splits the full form: namespace and service account (malloc'ed). -EINVAL for the hashed form or no valid names. */
int account_split_name(const char *unix_name, char **ret_ns, char **ret_service_account) NODISCARD;
