/* SPDX-License-Identifier: Apache-2.0 */
/* The account index (include/k8sauth/idmap.h): reader (libc only, used by NSS), whole check (helper), writer (daemon).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <k8sauth/idmap.h>

#include "base/buf.h"

/* A mapped index. Every accessor checks every offset that it follows: a hostile file gives wrong answers, never a
 * fault. */
struct index_map {
	const unsigned char *data;
	size_t size;
};

struct index_user {
	const char *name, *gecos, *home, *shell, *identity, *service_account_uid; /* inside the map */
	uint32_t uid, gid;
	uint32_t number;	/* of the record */
	const uint32_t *groups; /* inside the map, little-endian */
	uint32_t n_groups;
};

struct index_group {
	const char *name;
	uint32_t gid;
	const uint32_t *members; /* user record numbers, inside the map, little-endian */
	uint32_t n_members;
};

/*
 * Maps PATH read-only: a regular file of OWNER (root), not writable by others, header and its checksum right, sections
 * inside the file. 0; -ENOENT; -EPERM; -EBADMSG (not a valid index). No descriptor stays open.
 */
int index_open(const char *path, uid_t owner, struct index_map *ret) NODISCARD;
/* The same for bytes in memory (fuzz target, memfd), 8-byte aligned, which stay the caller's: no index_close. */
int index_from_memory(const void *data, size_t size, struct index_map *ret) NODISCARD;
void index_close(struct index_map *map);

/*
 * 0, -ENOENT, or -EBADMSG where the file lies. Ids that account_id_forbidden(), and names that do not look ours, are
 * -ENOENT whatever the file says. The pointers in RET live as long as the map.
 */
int index_user_by_name(const struct index_map *map, const char *name, struct index_user *ret);
int index_user_by_id(const struct index_map *map, uint32_t uid, struct index_user *ret);
int index_user_at(const struct index_map *map, uint32_t number, struct index_user *ret);
int index_group_by_name(const struct index_map *map, const char *name, struct index_group *ret);
int index_group_by_id(const struct index_map *map, uint32_t gid, struct index_group *ret);
int index_group_at(const struct index_map *map, uint32_t number, struct index_group *ret);
uint32_t index_n_users(const struct index_map *map);
uint32_t index_n_groups(const struct index_map *map);
uint64_t index_generation(const struct index_map *map);
/* The range of hashed ids; that of no accounts.conf where MAP has no data. */
void index_range(const struct index_map *map, uint32_t *ret_from, uint32_t *ret_to);

/* Everything: body checksum, order, uniqueness, hash tables complete, runs inside, strings printable UTF-8. WHY says
 * what. */
int index_check(const struct index_map *map, char *why, size_t why_size) NODISCARD;

/* --- writer --------------------------------------------------------------------------------------------------- */

struct index_writer;

/* NULL without memory. */
struct index_writer *index_writer_new(uint64_t generation);
/* The range of hashed ids, where accounts.conf has one. */
void index_writer_range(struct index_writer *writer, uint32_t from, uint32_t to);
/*
 * Copies everything; NUMBER does not matter. GROUPS are little-endian gids besides the primary one. 0, -E2BIG (too many
 * records or groups), -ENOMEM.
 */
int index_writer_user(struct index_writer *writer, const struct index_user *user) NODISCARD;
/* Declares a group; members follow from the users' group lists. 0, -E2BIG, -ENOMEM. */
int index_writer_group(struct index_writer *writer, const char *name, uint32_t gid) NODISCARD;
/*
 * The whole file; the caller frees it. The writer is used up. -EEXIST (a name or an id twice), -ENOENT (a user's gid
 * that no group has), both with who it is in WHY; -E2BIG (larger than IDMAP_SIZE_MAX), -ENOMEM.
 */
int index_writer_finish(struct index_writer *writer, struct buf *ret, char *why, size_t why_size) NODISCARD;
void index_writer_free(struct index_writer *writer);
