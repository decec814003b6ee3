/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The account index: the file that libnss_k8sauth maps (design.md 4, decisions 11 to 14). Immutable, replaced by
 * rename. Fixed-width little-endian records at offsets that are multiples of 8; no pointer in it is trusted by a
 * reader.
 *
 *     header
 *     users          struct idmap_user[n_users], sorted by name
 *     groups         struct idmap_group[n_groups], sorted by name
 *     user_by_name   u32[buckets]   open addressing: record number + 1, 0 = empty; hash is FNV-1a 32 of the name,
 *     user_by_id     u32[buckets]   or of the 4 little-endian bytes of the id; buckets is a power of two,
 *     group_by_name  u32[buckets]   at least twice the number of records
 *     group_by_id    u32[buckets]
 *     memberships    u32[]          gids, a run per user
 *     members        u32[]          user record numbers, a run per group
 *     strings        char[]         NUL-terminated, the first byte is NUL
 *
 * The sections follow each other in this order, each at the next multiple of 8; the file ends with the strings.
 */
#pragma once

#include <stdint.h>

#define IDMAP_MAGIC	 0x64694153384b2f01ull
#define IDMAP_VERSION	 1
#define IDMAP_SIZE_MAX	 (256u * 1024 * 1024)
#define IDMAP_COUNT_MAX	 (1u << 20)
#define IDMAP_GROUPS_MAX 64 /* of one user, without the primary one */

struct idmap_section {
	uint64_t offset; /* from the start of the file */
	uint64_t count;	 /* of records; bytes for the strings */
};

enum idmap_section_id {
	IDMAP_USERS,
	IDMAP_GROUPS,
	IDMAP_USER_BY_NAME,
	IDMAP_USER_BY_ID,
	IDMAP_GROUP_BY_NAME,
	IDMAP_GROUP_BY_ID,
	IDMAP_MEMBERSHIPS,
	IDMAP_MEMBERS,
	IDMAP_STRINGS,
	IDMAP_N_SECTIONS,
};

struct idmap_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint64_t file_size;
	uint64_t generation; /* grows with every publication */
	struct idmap_section sections[IDMAP_N_SECTIONS];
	uint32_t from,
	    to; /* the range of hashed ids in accounts.conf, both included: what an unproved account can have */
	uint64_t body_checksum; /* FNV-1a 64 of everything behind the header: the helper checks it, readers need not */
	uint64_t header_checksum; /* FNV-1a 64 of the header before this field: readers check it */
};

/* Offsets of strings are relative to the strings section. */
struct idmap_user {
	uint32_t name, gecos, home, shell;
	uint32_t uid, gid;
	uint32_t groups, n_groups; /* run in memberships: all but the primary group */
	uint32_t identity; /* "<mount>/<namespace>/<service account>" of who proved it, or "" for a declared one */
	uint32_t service_account_uid; /* as the API server told it, "" for a declared one */
};

struct idmap_group {
	uint32_t name;
	uint32_t gid;
	uint32_t members, n_members; /* run in members */
};
