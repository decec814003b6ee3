/* SPDX-License-Identifier: Apache-2.0 */
/* The account index as bytes of an enemy: every accessor, then the whole check. */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/index.h"
#include "accounts/index_hash.h"
#include "accounts/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_user(const struct index_map *map, const struct index_user *user)
{
	struct index_user again;
	struct index_group group;

	if (account_id_forbidden(user->uid) || account_id_forbidden(user->gid) || !account_name_is_ours(user->name))
		abort();
	if (index_user_by_name(map, user->name, &again) == 0 && strcmp(again.name, user->name) != 0)
		abort();
	if (index_user_by_id(map, user->uid, &again) == 0 && again.uid != user->uid)
		abort();
	for (uint32_t i = 0; i < user->n_groups; i++) {
		if (index_group_by_id(map, le32toh(user->groups[i]), &group) == 0 && account_id_forbidden(group.gid))
			abort();
	}
}

static void walk(const struct index_map *map)
{
	struct index_user user;
	struct index_group group;

	for (uint32_t i = 0; i < index_n_users(map) && i < 32; i++) {
		if (index_user_at(map, i, &user) == 0)
			use_user(map, &user);
	}
	for (uint32_t i = 0; i < index_n_groups(map) && i < 32; i++) {
		if (index_group_at(map, i, &group) < 0)
			continue;
		(void)index_group_by_name(map, group.name, &group);
		for (uint32_t j = 0; j < group.n_members && j < 32; j++)
			(void)index_user_at(map, le32toh(group.members[j]), &user);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_map map;
	char why[256];
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	/* A mutated header would never get past its checksum: put both right. */
	if (size >= sizeof(struct idmap_header)) {
		struct idmap_header *h = (void *)copy;

		h->file_size = htole64(size);
		h->body_checksum = htole64(index_checksum(h + 1, size - sizeof(*h)));
		h->header_checksum = htole64(index_checksum(h, offsetof(struct idmap_header, header_checksum)));
	}
	if (index_from_memory(copy, size, &map) == 0) {
		walk(&map);
		if (index_check(&map, why, sizeof(why)) < 0 && *why == '\0')
			abort();
	}
	free(copy);
	return 0;
}
