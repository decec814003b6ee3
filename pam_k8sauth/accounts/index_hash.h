/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a and the rounding rule of the index file, for reader, check and writer alike. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <k8sauth/idmap.h>

static inline uint32_t index_hash_name(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static inline uint32_t index_hash_id(uint32_t id)
{
	uint32_t hash = 2166136261u;

	for (unsigned i = 0; i < 4; i++)
		hash = (hash ^ ((id >> (8 * i)) & 0xff)) * 16777619u;
	return hash;
}

static inline uint64_t index_checksum(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint64_t hash = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 1099511628211ull;
	return hash;
}

/* The bytes of one record of a section. */
static inline size_t index_record_size(enum idmap_section_id id)
{
	switch (id) {
	case IDMAP_USERS:
		return sizeof(struct idmap_user);
	case IDMAP_GROUPS:
		return sizeof(struct idmap_group);
	case IDMAP_STRINGS:
		return 1;
	default:
		return sizeof(uint32_t);
	}
}

static inline uint64_t index_align(uint64_t offset)
{
	return (offset + 7) & ~7ull;
}
