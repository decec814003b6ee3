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

/*
 * Whether NAME looks like a group of ours: as above (private and namespace groups), `k8s-` and more (declared groups;
 * no prefix of accounts can start so), or K8SAUTH_USERS_GROUP.
 */
bool account_group_is_ours(const char *name);

/* The length of NAME's prefix (underscore included), 0 if it has none of ours. */
size_t account_prefix_len(const char *name);

/* Whether NAME may be a Kubernetes namespace (DNS label) or service account (DNS subdomain). */
bool account_namespace_valid(const char *name);
bool account_service_account_valid(const char *name);

/* Whether ID lies outside what we may ever hand out: below ACCOUNT_ID_MIN or in a range of systemd's. */
bool account_id_forbidden(uint32_t id);

/* What the text of a Unix name tells. */
enum account_form {
	ACCOUNT_FORM_NONE = 0, /* no name that account_unix_name or account_group_name can give */
	ACCOUNT_FORM_FULL,     /* "<prefix><namespace>_<service account>" */
	ACCOUNT_FORM_GROUP,    /* "<prefix><namespace>": a namespace's group, never a user */
	ACCOUNT_FORM_HASHED,   /* "<prefix>_<16 base32 characters>": a user or a namespace's group */
};
enum account_form account_name_form(const char *name);

/* Splits the full form: namespace and service account (malloc'ed). -EINVAL for the other forms, -ENOMEM. */
int account_split_name(const char *unix_name, char **ret_ns, char **ret_service_account) NODISCARD;

/* --- hash.c --------------------------------------------------------------------------------------------------- */

/*
 * "<prefix><namespace>_<name>", or past 31 bytes "<prefix>_" + 16 base32 characters of SHA-256("ns/name"). -EINVAL for
 * names that Kubernetes cannot have.
 */
int account_unix_name(
    const char *prefix, const char *ns, const char *service_account, char ret[static ACCOUNT_NAME_SIZE]) NODISCARD;

/* "<prefix><ns>", or past 31 bytes "<prefix>_" + 16 base32 characters of SHA-256("ns"). -EINVAL as above. */
int account_group_name(const char *prefix, const char *ns, char ret[static ACCOUNT_NAME_SIZE]) NODISCARD;

/* The hashed id of a Unix name: ACCOUNT_ID_BASE + 28 bits. */
uint32_t account_hashed_id(const char *unix_name);

/* The same within a declared range, both ends included: FROM + the name's first 64 hash bits modulo its size. */
uint32_t account_hashed_id_in(const char *unix_name, uint32_t from, uint32_t to);
