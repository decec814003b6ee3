/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own accounts; see local.h. */
#include "accounts/local.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>

static inline void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool matches(const char *name, uint32_t id, const char *found_name, uint32_t found_id)
{
	return (name && streq(name, found_name)) || (id != LOCAL_NO_ID && id == found_id);
}

int local_find_user(const char *passwd, const char *name, uint32_t uid, struct local_user *ret)
{
	CLEANUP(cleanup_file) FILE *file = fopen(passwd, "re");
	struct passwd *pw;

	if (!file)
		return errno == ENOENT ? -EIO : -errno; /* no such file does not mean no such user */
	while ((pw = fgetpwent(file))) {
		if (!matches(name, uid, pw->pw_name, pw->pw_uid))
			continue;
		ret->uid = pw->pw_uid;
		ret->gid = pw->pw_gid;
		snprintf(ret->name, sizeof(ret->name), "%s", pw->pw_name);
		snprintf(ret->home, sizeof(ret->home), "%s", pw->pw_dir);
		snprintf(ret->shell, sizeof(ret->shell), "%s", pw->pw_shell);
		snprintf(ret->gecos, sizeof(ret->gecos), "%s", pw->pw_gecos);
		return 0;
	}
	return -ENOENT;
}

int local_find_group(const char *group, const char *name, uint32_t gid, char ret[static 64])
{
	CLEANUP(cleanup_file) FILE *file = fopen(group, "re");
	struct group *gr;

	if (!file)
		return errno == ENOENT ? -EIO : -errno; /* no such file does not mean no such user */
	while ((gr = fgetgrent(file))) {
		if (!matches(name, gid, gr->gr_name, gr->gr_gid))
			continue;
		snprintf(ret, 64, "%s", gr->gr_name);
		return 0;
	}
	return -ENOENT;
}

int local_each_user(const char *passwd, local_see_fn *see, void *arg)
{
	CLEANUP(cleanup_file) FILE *file = fopen(passwd, "re");
	struct passwd *pw;

	if (!file)
		return errno == ENOENT ? -EIO : -errno; /* no such file does not mean no such user */
	while ((pw = fgetpwent(file))) {
		int r = see(arg, pw->pw_name, pw->pw_uid);

		if (r < 0)
			return r;
	}
	return 0;
}

int local_each_group(const char *group, local_see_fn *see, void *arg)
{
	CLEANUP(cleanup_file) FILE *file = fopen(group, "re");
	struct group *gr;

	if (!file)
		return errno == ENOENT ? -EIO : -errno; /* no such file does not mean no such user */
	while ((gr = fgetgrent(file))) {
		int r = see(arg, gr->gr_name, gr->gr_gid);

		if (r < 0)
			return r;
	}
	return 0;
}
