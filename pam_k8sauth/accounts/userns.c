/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether ids exist here at all: a container's user namespace often maps 65,536 of them, and hashed ids lie far beyond.
 * setgroups(), chown() and setuid() would fail with EINVAL one after the other, in the middle of a login.
 */
#include <stdio.h>

#include "accounts/accounts.h"

#define MAP_LINES_MAX 340 /* the kernel's own limit */
#define USUAL_FROM    20000u
#define USUAL_TO      59999u

struct id_map {
	struct id_range {
		uint32_t from;
		uint64_t n;
	} ranges[MAP_LINES_MAX];
	size_t n;
};

/* False where there is no such file: then every id is taken to exist. */
static bool map_read(const char *path, struct id_map *ret)
{
	FILE *file = fopen(path, "re");
	unsigned from, outside, n;

	ret->n = 0;
	if (!file)
		return false;
	while (ret->n < MAP_LINES_MAX && fscanf(file, "%u %u %u", &from, &outside, &n) == 3)
		ret->ranges[ret->n++] = (struct id_range){ from, n };
	fclose(file);
	return ret->n > 0;
}

static bool map_has(const struct id_map *map, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < map->n; i++) {
		if (from >= map->ranges[i].from && to - (uint64_t)map->ranges[i].from < map->ranges[i].n)
			return true;
	}
	return false;
}

static bool fail(
    const struct id_map *map, const struct account *account, const char *what, uint32_t id, char *why, size_t size)
{
	snprintf(why, size, "%s %u of %s does not exist in this container: its id map has %u to %llu%s", what, id,
	    account->name, map->ranges[0].from, map->ranges[0].from + (unsigned long long)map->ranges[0].n - 1,
	    map->n > 1 ? " and others" : "");
	return false;
}

bool account_exists_in(
    const char *uid_map, const char *gid_map, const struct account *account, char *why, size_t size, bool *ret_usual)
{
	struct id_map uids, gids;
	bool know_uids = map_read(uid_map, &uids), know_gids = map_read(gid_map, &gids);

	*ret_usual = (!know_uids || map_has(&uids, USUAL_FROM, USUAL_TO)) &&
		     (!know_gids || map_has(&gids, USUAL_FROM, USUAL_TO));
	if (know_uids && !map_has(&uids, account->uid, account->uid))
		return fail(&uids, account, "the uid", account->uid, why, size);
	if (know_gids && !map_has(&gids, account->gid, account->gid))
		return fail(&gids, account, "the gid", account->gid, why, size);
	for (size_t i = 0; know_gids && i < account->n_groups; i++) {
		if (!map_has(&gids, account->groups[i], account->groups[i]))
			return fail(&gids, account, "the group", account->groups[i], why, size);
	}
	return true;
}

bool account_exists_here(const struct account *account, char *why, size_t size, const char **ret_cure)
{
	bool usual;

	if (account_exists_in("/proc/self/uid_map", "/proc/self/gid_map", account, why, size, &usual))
		return true;
	*ret_cure = usual ? "declare ids that exist, in " K8SAUTH_ACCOUNTS_CONF ": range { from = 20000  to = 59999 }"
			  : "declare ids that exist, in " K8SAUTH_ACCOUNTS_CONF ": range { from = N  to = N }";
	return false;
}
