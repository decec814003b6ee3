/* SPDX-License-Identifier: Apache-2.0 */
/* The whole check of an index before it is published: what one lookup cannot see. The helper runs it as root. */
#include "accounts/index.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "accounts/index_hash.h"
#include "accounts/names.h"
#include "base/text.h"

static int PRINTF_LIKE(3, 4) bad(char *why, size_t why_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_size, format, args);
	va_end(args);
	return -EBADMSG;
}

/* The one layout that the writer makes, and its checksum. */
static int check_layout(const struct index_map *map, char *why, size_t why_size)
{
	const struct idmap_header *h = (const void *)map->data;
	uint64_t at = sizeof(*h);

	for (int i = 0; i < IDMAP_N_SECTIONS; i++) {
		if (le64toh(h->sections[i].offset) != index_align(at))
			return bad(why, why_size, "section %d is not where it belongs", i);
		at = index_align(at) + le64toh(h->sections[i].count) * index_record_size(i);
	}
	if (at != map->size)
		return bad(why, why_size, "%zu bytes, but the sections end at %llu", map->size, (unsigned long long)at);
	if (le64toh(h->body_checksum) != index_checksum(map->data + sizeof(*h), map->size - sizeof(*h)))
		return bad(why, why_size, "the checksum does not fit");
	return 0;
}

/* Text that becomes a field of a passwd line, or part of our own records. */
static bool field_valid(const char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == ':')
			return false;
	}
	return utf8_valid(text, strlen(text));
}

static bool group_name_valid(const char *name)
{
	size_t len = strnlen(name, ACCOUNT_NAME_SIZE);

	for (size_t i = 0; i < len; i++) {
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') &&
		    !strchr("._-", name[i]))
			return false;
	}
	return len <= ACCOUNT_NAME_MAX;
}

static int check_user(const struct index_map *map, const struct index_user *user, char *why, size_t why_size)
{
	enum account_form form = account_name_form(user->name);
	struct index_group group;
	struct index_user found;

	if (form != ACCOUNT_FORM_FULL && form != ACCOUNT_FORM_HASHED)
		return bad(why, why_size, "user record %u has no name of ours", user->number);
	if (!field_valid(user->gecos) || !field_valid(user->home) || !field_valid(user->shell) ||
	    !field_valid(user->identity) || !field_valid(user->service_account_uid))
		return bad(why, why_size, "user %s has a field with bytes that a passwd line cannot hold", user->name);
	if (index_user_by_name(map, user->name, &found) < 0 || found.number != user->number)
		return bad(why, why_size, "user %s is not found by its name", user->name);
	if (index_user_by_id(map, user->uid, &found) < 0 || found.number != user->number)
		return bad(why, why_size, "user %s is not found by its id %u", user->name, user->uid);
	if (index_group_by_id(map, user->gid, &group) < 0)
		return bad(why, why_size, "the gid %u of user %s is no group", user->gid, user->name);
	for (uint32_t i = 0; i < user->n_groups; i++) {
		uint32_t gid = le32toh(user->groups[i]);

		if (gid == user->gid || index_group_by_id(map, gid, &group) < 0)
			return bad(why, why_size, "the gid %u of user %s is no group to be in", gid, user->name);
		for (uint32_t j = 0; j < i; j++) {
			if (user->groups[j] == user->groups[i])
				return bad(why, why_size, "user %s is in gid %u twice", user->name, gid);
		}
	}
	return 0;
}

static int check_users(const struct index_map *map, uint64_t *ret_memberships, char *why, size_t why_size)
{
	const char *before = "";

	*ret_memberships = 0;
	for (uint32_t i = 0; i < index_n_users(map); i++) {
		struct index_user user;
		int r = index_user_at(map, i, &user);

		if (r < 0)
			return bad(
			    why, why_size, "user record %u is broken or has a name or an id that is not ours", i);
		if (strcmp(before, user.name) >= 0)
			return bad(why, why_size, "user %s stands twice or in the wrong place", user.name);
		r = check_user(map, &user, why, why_size);
		if (r < 0)
			return r;
		before = user.name;
		*ret_memberships += user.n_groups;
	}
	return 0;
}

static int check_group(
    const struct index_map *map, uint32_t number, const struct index_group *group, char *why, size_t why_size)
{
	struct index_group by_name, by_id;
	struct index_user user;

	if (!group_name_valid(group->name))
		return bad(why, why_size, "group record %u has no name of ours", number);
	if (index_group_by_name(map, group->name, &by_name) < 0 || by_name.gid != group->gid)
		return bad(why, why_size, "group %s is not found by its name", group->name);
	if (index_group_by_id(map, group->gid, &by_id) < 0 || !streq(by_id.name, group->name))
		return bad(why, why_size, "group %s is not found by its id %u", group->name, group->gid);
	for (uint32_t i = 0; i < group->n_members; i++) {
		uint32_t at = 0;

		if (i > 0 && le32toh(group->members[i]) <= le32toh(group->members[i - 1]))
			return bad(why, why_size, "the members of group %s are out of order", group->name);
		if (index_user_at(map, le32toh(group->members[i]), &user) < 0)
			return bad(why, why_size, "group %s has a member that does not exist", group->name);
		while (at < user.n_groups && le32toh(user.groups[at]) != group->gid)
			at++;
		if (at == user.n_groups)
			return bad(why, why_size, "user %s does not know of group %s", user.name, group->name);
	}
	return 0;
}

static int check_groups(const struct index_map *map, uint64_t *ret_members, char *why, size_t why_size)
{
	const char *before = "";

	*ret_members = 0;
	for (uint32_t i = 0; i < index_n_groups(map); i++) {
		struct index_group group;
		int r = index_group_at(map, i, &group);

		if (r < 0)
			return bad(
			    why, why_size, "group record %u is broken or has a name or an id that is not ours", i);
		if (strcmp(before, group.name) >= 0)
			return bad(why, why_size, "group %s stands twice or in the wrong place", group.name);
		r = check_group(map, i, &group, why, why_size);
		if (r < 0)
			return r;
		before = group.name;
		*ret_members += group.n_members;
	}
	return 0;
}

int index_check(const struct index_map *map, char *why, size_t why_size)
{
	const struct idmap_header *h = (const void *)map->data;
	uint64_t memberships = 0, members = 0;
	int r = check_layout(map, why, why_size);

	if (r == 0)
		r = check_users(map, &memberships, why, why_size);
	if (r == 0)
		r = check_groups(map, &members, why, why_size);
	if (r < 0)
		return r;
	/* Every member is a membership (above), each once; so equal numbers make them the same. */
	if (members != memberships || memberships != le64toh(h->sections[IDMAP_MEMBERSHIPS].count) ||
	    members != le64toh(h->sections[IDMAP_MEMBERS].count))
		return bad(why, why_size, "members and memberships do not fit each other");
	return 0;
}
