/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's own accounts, from /etc/passwd and /etc/group and nowhere else: asking NSS would ask ourselves. Not for
 * threads (fgetpwent).
 */
#pragma once

#include <stdint.h>

#include "base/macros.h"

#define LOCAL_PASSWD "/etc/passwd"
#define LOCAL_GROUP  "/etc/group"
#define LOCAL_NO_ID  UINT32_MAX

struct local_user {
	uint32_t uid, gid;
	char name[64], home[256], shell[256], gecos[256]; /* longer ones are cut */
};

/* The first user with NAME (unless NULL) or with UID (unless LOCAL_NO_ID). 0, -ENOENT, or the file's errno. */
int local_find_user(const char *passwd, const char *name, uint32_t uid, struct local_user *ret) NODISCARD;

/* The first group with NAME or GID, likewise; its name (cut) in RET. */
int local_find_group(const char *group, const char *name, uint32_t gid, char ret[static 64]) NODISCARD;

/* Calls SEE for every user (group); a negative answer ends it and is returned. 0, or the file's errno. */
typedef int local_see_fn(void *arg, const char *name, uint32_t id);
int local_each_user(const char *passwd, local_see_fn *see, void *arg) NODISCARD;
int local_each_group(const char *group, local_see_fn *see, void *arg) NODISCARD;
