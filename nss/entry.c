/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that glibc calls. Each: keep errno and cancellation as they were, look up, copy, and say it in NSS's
 * words. There is no set*ent and get*ent: listing every account is off.
 */
#include "lookup.h"

#include <endian.h>
#include <errno.h>
#include <nss.h>
#include <pthread.h>
#include <shadow.h>
#include <stdlib.h>

#include "accounts/names.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT enum nss_status _nss_k8sauth_getpwnam_r(
    const char *name, struct passwd *ret, char *buffer, size_t size, int *errnop);
EXPORT enum nss_status _nss_k8sauth_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop);
EXPORT enum nss_status _nss_k8sauth_getspnam_r(
    const char *name, struct spwd *ret, char *buffer, size_t size, int *errnop);
EXPORT enum nss_status _nss_k8sauth_getgrnam_r(
    const char *name, struct group *ret, char *buffer, size_t size, int *errnop);
EXPORT enum nss_status _nss_k8sauth_getgrgid_r(gid_t gid, struct group *ret, char *buffer, size_t size, int *errnop);
EXPORT enum nss_status _nss_k8sauth_initgroups_dyn(
    const char *name, gid_t group, long *at, long *size, gid_t **groups, long limit, int *errnop);

struct entry {
	int saved_errno;
	int cancel_state; /* a thread cancelled in our open() would leave a descriptor behind */
};

static struct entry enter(void)
{
	struct entry entry = { .saved_errno = errno };

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &entry.cancel_state);
	return entry;
}

/* The only place where a negative errno becomes an NSS status. ERRNOP may be errno itself, so it is set last. */
static enum nss_status finish(struct entry entry, int r, int *errnop)
{
	pthread_setcancelstate(entry.cancel_state, NULL);
	errno = entry.saved_errno;
	switch (r) {
	case 0:
		return NSS_STATUS_SUCCESS;
	case -ENOENT:
		return NSS_STATUS_NOTFOUND;
	case -ERANGE:
		*errnop = ERANGE;
		return NSS_STATUS_TRYAGAIN; /* with a larger buffer */
	default:
		*errnop = -r;
		return NSS_STATUS_UNAVAIL;
	}
}

static int user_by_name(const char *name, struct passwd *ret, char *buffer, size_t size)
{
	AUTO_LOOKUP struct lookup lookup = { 0 };
	struct index_user user;
	int r = lookup_user_by_name(name, &lookup, &user);

	return r < 0 ? r : copy_user(&user, ret, buffer, size);
}

enum nss_status _nss_k8sauth_getpwnam_r(const char *name, struct passwd *ret, char *buffer, size_t size, int *errnop)
{
	struct entry entry = enter();

	return finish(entry, user_by_name(name, ret, buffer, size), errnop);
}

static int user_by_id(uid_t uid, struct passwd *ret, char *buffer, size_t size)
{
	AUTO_LOOKUP struct lookup lookup = { 0 };
	struct index_user user;
	int r = lookup_user_by_id(uid, &lookup, &user);

	return r < 0 ? r : copy_user(&user, ret, buffer, size);
}

enum nss_status _nss_k8sauth_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop)
{
	struct entry entry = enter();

	return finish(entry, user_by_id(uid, ret, buffer, size), errnop);
}

static int shadow_by_name(const char *name, struct spwd *ret, char *buffer, size_t size)
{
	AUTO_LOOKUP struct lookup lookup = { 0 };
	struct index_user user;
	int r = lookup_user_by_name(name, &lookup, &user);

	return r < 0 ? r : copy_shadow(&user, ret, buffer, size);
}

enum nss_status _nss_k8sauth_getspnam_r(const char *name, struct spwd *ret, char *buffer, size_t size, int *errnop)
{
	struct entry entry = enter();

	return finish(entry, shadow_by_name(name, ret, buffer, size), errnop);
}

static int group_by_name(const char *name, struct group *ret, char *buffer, size_t size)
{
	AUTO_LOOKUP struct lookup lookup = { 0 };
	struct index_group group;
	int r = lookup_group_by_name(name, &lookup, &group);

	return r < 0 ? r : copy_group(&lookup.index.map, &group, ret, buffer, size);
}

enum nss_status _nss_k8sauth_getgrnam_r(const char *name, struct group *ret, char *buffer, size_t size, int *errnop)
{
	struct entry entry = enter();

	return finish(entry, group_by_name(name, ret, buffer, size), errnop);
}

static int group_by_id(gid_t gid, struct group *ret, char *buffer, size_t size)
{
	AUTO_LOOKUP struct lookup lookup = { 0 };
	struct index_group group;
	int r = lookup_group_by_id(gid, &lookup, &group);

	return r < 0 ? r : copy_group(&lookup.index.map, &group, ret, buffer, size);
}

enum nss_status _nss_k8sauth_getgrgid_r(gid_t gid, struct group *ret, char *buffer, size_t size, int *errnop)
{
	struct entry entry = enter();

	return finish(entry, group_by_id(gid, ret, buffer, size), errnop);
}

/* Makes room for one more of at most LIMIT groups (LIMIT <= 0: no limit): 0, -EMSGSIZE, -ENOMEM. */
static int make_room(long at, long *size, gid_t **groups, long limit)
{
	long wanted;
	gid_t *larger;

	if (limit > 0 && at >= limit)
		return -EMSGSIZE;
	if (at < *size)
		return 0;
	wanted = *size > 0 ? *size * 2 : 16;
	if (limit > 0 && wanted > limit)
		wanted = limit;
	larger = reallocarray(*groups, (size_t)wanted, sizeof(gid_t));
	if (!larger)
		return -ENOMEM;
	*groups = larger;
	*size = wanted;
	return 0;
}

static int add_groups(const struct index_user *user, gid_t primary, long *at, long *size, gid_t **groups, long limit)
{
	for (uint32_t i = 0; i < user->n_groups; i++) {
		gid_t gid = le32toh(user->groups[i]);
		bool known = gid == primary || account_id_forbidden(gid);
		int r;

		for (long j = 0; j < *at && !known; j++)
			known = (*groups)[j] == gid;
		if (known)
			continue;
		r = make_room(*at, size, groups, limit);
		if (r < 0)
			return r == -EMSGSIZE ? 0 : r; /* at the limit glibc wants what fits */
		(*groups)[(*at)++] = gid;
	}
	return 0;
}

static int groups_of(const char *name, gid_t primary, long *at, long *size, gid_t **groups, long limit)
{
	AUTO_LOOKUP struct lookup lookup = { 0 };
	struct index_user user;
	int r = lookup_user_by_name(name, &lookup, &user);

	return r < 0 ? r : add_groups(&user, primary, at, size, groups, limit);
}

enum nss_status _nss_k8sauth_initgroups_dyn(
    const char *name, gid_t group, long *at, long *size, gid_t **groups, long limit, int *errnop)
{
	struct entry entry = enter();

	return finish(entry, groups_of(name, group, at, size, groups, limit), errnop);
}
