/* SPDX-License-Identifier: Apache-2.0 */
/* What writing a session's files (files.c), changing them (update.c) and telling the user (hook.c) share. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "helper/helper.h"

#define NAME_LEN_MAX 128

struct owner {
	uid_t uid;
	gid_t gid;
};

/* A session's directory; its request's account is checked. */
struct session_dir {
	char *id;
	struct owner owner;
	int fd;
};

static inline void cleanup_session_dir(struct session_dir *session)
{
	free(session->id);
	if (session->fd >= 0)
		close(session->fd);
}

#define AUTO_SESSION_DIR CLEANUP(cleanup_session_dir)

/* Whether USER with these ids is one who may have sessions here, by the index or accounts.conf: never root. */
int account_check(const struct helper_places *places, const char *user, const struct owner *owner, char *why,
    size_t why_size) NODISCARD;

/* Opens the directory of REQUEST's session; makes it unless MAKE is NULL, and says there whether it was made. */
int session_dir_enter(const struct helper_places *places, const struct wire_frame *request, bool *make,
    struct session_dir *ret, char *why, size_t why_size) NODISCARD;

/* Writes REQUEST's files, each whole or not at all. */
int session_dir_write(
    const struct session_dir *session, const struct wire_frame *request, char *why, size_t why_size) NODISCARD;

/* "token", "secrets/<file>" or "secrets/<directory>/<key>". */
struct file_name {
	char dir[NAME_LEN_MAX + 1];  /* below secrets/, "" for a file in it */
	char name[NAME_LEN_MAX + 1]; /* of the file */
	bool secret;		     /* below secrets/ */
};
bool file_name_parse(const char *text, size_t len, struct file_name *ret);

/* The name that a WIRE_FILE item begins with; it has no NUL behind it. */
void file_item_name(const struct wire_item *item, const char **ret, size_t *ret_len);

/*
 * Starts the hook, if there is one, for SESSION's user: CHANGED names secrets, separated by blanks. Nobody waits for
 * it, and if it fails, the files are as they should be nevertheless.
 */
void hook_start(const struct helper_places *places, const struct session_dir *session, const char *changed);
