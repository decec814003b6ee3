/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside libnss_k8sauth.so.2: who answers a lookup, and how an answer gets into the caller's buffer. The object lives
 * in every process of the machine: libc only, no thread, no signal, no descriptor kept, errno and cancellation as they
 * were.
 */
#pragma once

#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdint.h>

#include <k8sauth/limits.h>

#include "accounts/index.h"
#include "base/buf.h"

/* The tests build the same sources with places of their own. */
#ifndef NSS_INDEX
#define NSS_INDEX  K8SAUTH_INDEX
#define NSS_SOCKET K8SAUTH_PAM_SOCKET
#define NSS_OWNER  0
#endif

/* --- kept.c --------------------------------------------------------------------------------------------------- */

struct kept_index {
	struct index_map map;
	bool shared; /* the process's mapping, not one of this call alone */
};

/*
 * The index of this moment, to be given back by kept_release(). 0, or a negative errno, never -ENOENT: -ENODATA where
 * there is no index, -EPERM, -EBADMSG.
 */
int kept_acquire(struct kept_index *ret) NODISCARD;
void kept_release(struct kept_index *index);

/* --- lookup.c ------------------------------------------------------------------------------------------------- */

/* What the pointers of an answer live in; starts as {}, ends by lookup_release(). */
struct lookup {
	struct kept_index index;
	char *gecos, *home, *shell;	   /* of the daemon's answer */
	uint32_t groups[IDMAP_GROUPS_MAX]; /* of the daemon's answer, little-endian like the index's */
};
#define AUTO_LOOKUP CLEANUP(lookup_release)

/*
 * Whose name or id is this? 0; -ENOENT (definitely nobody's of ours: also for every name and id that does not look
 * ours, without opening anything); other negative errnos where it could not be found out.
 */
int lookup_user_by_name(const char *name, struct lookup *lookup, struct index_user *ret) NODISCARD;
int lookup_user_by_id(uint32_t uid, struct lookup *lookup, struct index_user *ret) NODISCARD;
int lookup_group_by_name(const char *name, struct lookup *lookup, struct index_group *ret) NODISCARD;
int lookup_group_by_id(uint32_t gid, struct lookup *lookup, struct index_group *ret) NODISCARD;
void lookup_release(struct lookup *lookup);

/* --- copy.c --------------------------------------------------------------------------------------------------- */

/* Copies an answer into BUFFER, all of it or nothing: 0, -ERANGE (SIZE is too small), -EBADMSG (the index lies). */
int copy_user(const struct index_user *user, struct passwd *ret, char *buffer, size_t size) NODISCARD;
int copy_group(const struct index_map *map, const struct index_group *group, struct group *ret, char *buffer,
    size_t size) NODISCARD;
int copy_shadow(const struct index_user *user, struct spwd *ret, char *buffer, size_t size) NODISCARD;
