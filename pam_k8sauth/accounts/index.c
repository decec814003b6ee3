/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the account index inside any process: libc only, no allocation, no lock. Opening checks the header and that
 * every section lies inside the file; each lookup checks every number that it follows.
 */
#include "accounts/index.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "accounts/index_hash.h"
#include "accounts/names.h"

static const struct idmap_header *header(const struct index_map *map)
{
	return (const void *)map->data;
}

static const void *section(const struct index_map *map, enum idmap_section_id id, uint32_t *ret_count)
{
	const struct idmap_section *s = &header(map)->sections[id];

	*ret_count = (uint32_t)le64toh(s->count); /* check_sections() bounds it */
	return map->data + le64toh(s->offset);
}

static int check_tables(const struct index_map *map)
{
	static const enum idmap_section_id tables[][2] = {
		{ IDMAP_USER_BY_NAME, IDMAP_USERS },
		{ IDMAP_USER_BY_ID, IDMAP_USERS },
		{ IDMAP_GROUP_BY_NAME, IDMAP_GROUPS },
		{ IDMAP_GROUP_BY_ID, IDMAP_GROUPS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint32_t buckets, n;

		section(map, tables[i][0], &buckets);
		section(map, tables[i][1], &n);
		if (buckets == 0 || (buckets & (buckets - 1)) != 0 || n > IDMAP_COUNT_MAX || buckets / 2 < n)
			return -EBADMSG;
	}
	return 0;
}

static int check_sections(const struct index_map *map)
{
	const char *strings;
	uint32_t len;

	for (int i = 0; i < IDMAP_N_SECTIONS; i++) {
		uint64_t offset = le64toh(header(map)->sections[i].offset);
		uint64_t count = le64toh(header(map)->sections[i].count);

		if (offset % 8 != 0 || offset < sizeof(struct idmap_header) || offset > map->size ||
		    count > (map->size - offset) / index_record_size(i))
			return -EBADMSG;
	}
	strings = section(map, IDMAP_STRINGS, &len);
	if (len == 0 || strings[0] != '\0' || strings[len - 1] != '\0') /* so that every offset has an end */
		return -EBADMSG;
	return check_tables(map);
}

int index_from_memory(const void *data, size_t size, struct index_map *ret)
{
	struct index_map map = { data, size };
	const struct idmap_header *h = data;
	int r;

	if (size < sizeof(*h) || size > IDMAP_SIZE_MAX || (uintptr_t)data % 8 != 0)
		return -EBADMSG;
	if (le64toh(h->magic) != IDMAP_MAGIC || le32toh(h->version) != IDMAP_VERSION ||
	    le32toh(h->header_size) != sizeof(*h) || le64toh(h->file_size) != size ||
	    le64toh(h->header_checksum) != index_checksum(h, offsetof(struct idmap_header, header_checksum)))
		return -EBADMSG;
	r = check_sections(&map);
	if (r < 0)
		return r;
	*ret = map;
	return 0;
}

int index_open(const char *path, uid_t owner, struct index_map *ret)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t size;
	void *data;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	if (st.st_size < (off_t)sizeof(struct idmap_header) || st.st_size > (off_t)IDMAP_SIZE_MAX)
		return -EBADMSG;
	size = (size_t)st.st_size;
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	r = index_from_memory(data, size, ret);
	if (r < 0)
		munmap(data, size);
	return r;
}

void index_close(struct index_map *map)
{
	if (map->data)
		munmap((void *)(uintptr_t)map->data, map->size);
	*map = (struct index_map){ 0 };
}

static const char *string_at(const struct index_map *map, uint32_t offset)
{
	uint32_t len;
	const char *strings = section(map, IDMAP_STRINGS, &len);

	return offset < len ? strings + offset : NULL;
}

/* COUNT numbers from number AT on of a section of numbers; NULL where they are not there. */
static const uint32_t *run_at(const struct index_map *map, enum idmap_section_id id, uint32_t at, uint32_t count)
{
	uint32_t n;
	const uint32_t *numbers = section(map, id, &n);

	return at <= n && count <= n - at ? numbers + at : NULL;
}

int index_user_at(const struct index_map *map, uint32_t number, struct index_user *ret)
{
	uint32_t n;
	const struct idmap_user *users = section(map, IDMAP_USERS, &n), *u;
	struct index_user user;

	if (number >= n)
		return -ENOENT;
	u = &users[number];
	user = (struct index_user){
		.name = string_at(map, le32toh(u->name)),
		.gecos = string_at(map, le32toh(u->gecos)),
		.home = string_at(map, le32toh(u->home)),
		.shell = string_at(map, le32toh(u->shell)),
		.identity = string_at(map, le32toh(u->identity)),
		.service_account_uid = string_at(map, le32toh(u->service_account_uid)),
		.uid = le32toh(u->uid),
		.gid = le32toh(u->gid),
		.number = number,
		.n_groups = le32toh(u->n_groups),
	};
	if (!user.name || !user.gecos || !user.home || !user.shell || !user.identity || !user.service_account_uid ||
	    user.n_groups > IDMAP_GROUPS_MAX)
		return -EBADMSG;
	user.groups = run_at(map, IDMAP_MEMBERSHIPS, le32toh(u->groups), user.n_groups);
	if (!user.groups)
		return -EBADMSG;
	if (account_id_forbidden(user.uid) || account_id_forbidden(user.gid) || !account_name_is_ours(user.name))
		return -ENOENT;
	*ret = user;
	return 0;
}

int index_group_at(const struct index_map *map, uint32_t number, struct index_group *ret)
{
	uint32_t n;
	const struct idmap_group *groups = section(map, IDMAP_GROUPS, &n), *g;
	struct index_group group;

	if (number >= n)
		return -ENOENT;
	g = &groups[number];
	group = (struct index_group){
		.name = string_at(map, le32toh(g->name)),
		.gid = le32toh(g->gid),
		.n_members = le32toh(g->n_members),
	};
	group.members = run_at(map, IDMAP_MEMBERS, le32toh(g->members), group.n_members);
	if (!group.name || !group.members)
		return -EBADMSG;
	if (account_id_forbidden(group.gid) || !account_group_is_ours(group.name))
		return -ENOENT;
	*ret = group;
	return 0;
}

/* The number of the record that a hash table gives for NAME, or for ID where NAME is NULL. */
static int find(
    const struct index_map *map, enum idmap_section_id table_id, const char *name, uint32_t id, uint32_t *ret_number)
{
	bool users = table_id == IDMAP_USER_BY_NAME || table_id == IDMAP_USER_BY_ID;
	uint32_t n, buckets, hash = name ? index_hash_name(name) : index_hash_id(id);
	const struct idmap_group *groups = section(map, IDMAP_GROUPS, &n);
	const struct idmap_user *us = users ? section(map, IDMAP_USERS, &n) : NULL;
	const uint32_t *table = section(map, table_id, &buckets);

	for (uint32_t i = 0; i < buckets; i++) {
		uint32_t number = le32toh(table[(hash + i) & (buckets - 1)]);
		const char *found;

		if (number == 0)
			return -ENOENT;
		if (--number >= n)
			return -EBADMSG;
		if (!name) {
			if (le32toh(us ? us[number].uid : groups[number].gid) != id)
				continue;
		} else {
			found = string_at(map, le32toh(us ? us[number].name : groups[number].name));
			if (!found)
				return -EBADMSG;
			if (!streq(found, name))
				continue;
		}
		*ret_number = number;
		return 0;
	}
	return -EBADMSG; /* a full table: the writer leaves half of it empty */
}

int index_user_by_name(const struct index_map *map, const char *name, struct index_user *ret)
{
	uint32_t number;
	int r = find(map, IDMAP_USER_BY_NAME, name, 0, &number);

	return r < 0 ? r : index_user_at(map, number, ret);
}

int index_user_by_id(const struct index_map *map, uint32_t uid, struct index_user *ret)
{
	uint32_t number;
	int r = find(map, IDMAP_USER_BY_ID, NULL, uid, &number);

	return r < 0 ? r : index_user_at(map, number, ret);
}

int index_group_by_name(const struct index_map *map, const char *name, struct index_group *ret)
{
	uint32_t number;
	int r = find(map, IDMAP_GROUP_BY_NAME, name, 0, &number);

	return r < 0 ? r : index_group_at(map, number, ret);
}

int index_group_by_id(const struct index_map *map, uint32_t gid, struct index_group *ret)
{
	uint32_t number;
	int r = find(map, IDMAP_GROUP_BY_ID, NULL, gid, &number);

	return r < 0 ? r : index_group_at(map, number, ret);
}

uint32_t index_n_users(const struct index_map *map)
{
	uint32_t n;

	section(map, IDMAP_USERS, &n);
	return n;
}

uint32_t index_n_groups(const struct index_map *map)
{
	uint32_t n;

	section(map, IDMAP_GROUPS, &n);
	return n;
}

void index_range(const struct index_map *map, uint32_t *ret_from, uint32_t *ret_to)
{
	*ret_from = map->data ? le32toh(header(map)->from) : ACCOUNT_ID_BASE;
	*ret_to = map->data ? le32toh(header(map)->to) : ACCOUNT_ID_LIMIT - 1;
}

uint64_t index_generation(const struct index_map *map)
{
	return le64toh(header(map)->generation);
}
