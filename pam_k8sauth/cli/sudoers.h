/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the doctor needs of sudoers: Defaults in the order of the files, user aliases and whom rules are for, read with
 * continuation lines, quotes, comments and both spellings of include as sudo reads them. `cvtsudoers` would tell no
 * lines, and `sudo -l` only what holds for one user and one command.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

/* One parameter of a Defaults line. */
struct sudoers_default {
	char scope; /* '\0' for everybody, ':' users, '@' hosts, '>' runas, '!' commands */
	char *list; /* of the scope, "" for everybody */
	char *name;
	bool off; /* after an odd number of '!' */
	char *value;
	char *where; /* file:line */
};

struct sudoers_alias {
	char *name, *list;
};

struct sudoers_rule {
	char *users;
	char *rest; /* hosts = (runas) TAGS: commands */
	char *where;
};

struct sudoers {
	struct sudoers_default *defaults;
	struct sudoers_alias *aliases; /* of users */
	struct sudoers_rule *rules;
	size_t n_defaults, n_aliases, n_rules;
	char *unread; /* "file: why" of the first thing that could not be read or understood; NULL: all was */
	int error;    /* its negative errno */
	unsigned files;
};

/* Reads PATH below ROOT and what it includes. What cannot be read is in UNREAD. */
void sudoers_read(const char *root, const char *path, struct sudoers *ret);
/* The same for LEN bytes of text that stand for PATH. */
void sudoers_parse(const char *root, const char *path, const char *text, size_t len, struct sudoers *ret);
void sudoers_free(struct sudoers *sudoers);

/* Whom a list of users covers. */
enum sudoers_cover {
	COVERS_OTHERS, /* none of ours */
	COVERS_SOME,   /* some of ours, or nobody knows */
	COVERS_OURS,   /* every member of k8sauth-users */
	COVERS_ALL,    /* everybody */
};
enum sudoers_cover sudoers_covers(const struct sudoers *sudoers, const char *users);
/* Whether a list of users has USER, by his name or an alias, not for being everybody's or a group's. */
bool sudoers_names(const struct sudoers *sudoers, const char *users, const char *user);
