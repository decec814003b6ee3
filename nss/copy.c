/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies an answer into the caller's buffer. The exact size is known before the first byte is written, so that a small
 * buffer is refused whole and a sufficient one never is.
 */
#include "lookup.h"

#include <endian.h>
#include <errno.h>
#include <shadow.h>
#include <stdalign.h>
#include <string.h>

#define NO_PASSWORD "*" /* with "x" and no shadow line pam_unix's account phase would fail */

/* Moves TEXT to *AT and *AT behind it. */
static char *put(char **at, const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = memcpy(*at, text, len);

	*at += len;
	return copy;
}

int copy_user(const struct index_user *user, struct passwd *ret, char *buffer, size_t size)
{
	size_t needed = strlen(user->name) + sizeof(NO_PASSWORD) + strlen(user->gecos) + strlen(user->home) +
			strlen(user->shell) + 4;

	if (size < needed)
		return -ERANGE;
	*ret = (struct passwd){
		.pw_name = put(&buffer, user->name),
		.pw_passwd = put(&buffer, NO_PASSWORD),
		.pw_uid = user->uid,
		.pw_gid = user->gid,
		.pw_gecos = put(&buffer, user->gecos),
		.pw_dir = put(&buffer, user->home),
		.pw_shell = put(&buffer, user->shell),
	};
	return 0;
}

int copy_shadow(const struct index_user *user, struct spwd *ret, char *buffer, size_t size)
{
	if (size < strlen(user->name) + 1 + sizeof(NO_PASSWORD))
		return -ERANGE;
	*ret = (struct spwd){
		.sp_namp = put(&buffer, user->name),
		.sp_pwdp = put(&buffer, NO_PASSWORD),
		.sp_lstchg = -1,
		.sp_min = -1,
		.sp_max = -1,
		.sp_warn = -1,
		.sp_inact = -1,
		.sp_expire = -1,
		.sp_flag = ~0ul,
	};
	return 0;
}

/* The bytes that the names of the members need. */
static int measure_members(const struct index_map *map, const struct index_group *group, size_t *ret)
{
	struct index_user user;
	size_t needed = 0;

	for (uint32_t i = 0; i < group->n_members; i++) {
		int r = index_user_at(map, le32toh(group->members[i]), &user);

		if (r < 0)
			return -EBADMSG;
		needed += strlen(user.name) + 1;
	}
	*ret = needed;
	return 0;
}

int copy_group(
    const struct index_map *map, const struct index_group *group, struct group *ret, char *buffer, size_t size)
{
	size_t padding = -(uintptr_t)buffer % alignof(char *), list = ((size_t)group->n_members + 1) * sizeof(char *);
	size_t fixed = padding + list + strlen(group->name) + 1 + sizeof(NO_PASSWORD), names;
	struct index_user user;
	char **members;
	int r;

	/* glibc doubles its buffer until it fits: a big group is walked for the last two or three sizes only. */
	if (size < fixed + (size_t)group->n_members * 2)
		return -ERANGE;
	r = measure_members(map, group, &names);
	if (r < 0)
		return r;
	if (size < fixed + names)
		return -ERANGE;
	members = (char **)(void *)(buffer + padding);
	buffer += padding + list;
	for (uint32_t i = 0; i < group->n_members; i++) {
		if (index_user_at(map, le32toh(group->members[i]), &user) < 0)
			return -EBADMSG;
		members[i] = put(&buffer, user.name);
	}
	members[group->n_members] = NULL;
	*ret = (struct group){
		.gr_name = put(&buffer, group->name),
		.gr_passwd = put(&buffer, NO_PASSWORD),
		.gr_gid = group->gid,
		.gr_mem = members,
	};
	return 0;
}
