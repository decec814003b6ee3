/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of sessions (decision 20): <sessions>/<id>/token, secrets/<file>, secrets/<directory>/<key>. Directories
 * are root's, so that the user can replace, link and rename nothing in them; depth is fixed, no link is followed,
 * nothing recurses. A file appears whole or not at all.
 */
#include "helper/files.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "accounts/local.h"
#include "base/log.h"

#define SESSION_ID_MIN 16
#define SESSION_ID_MAX 64
#define LIST_MAX       (WIRE_ITEMS_MAX - 8)

static int check_session_id(const char *session, char *why, size_t why_size)
{
	size_t len = strspn(session, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	if (session[len] != '\0' || len < SESSION_ID_MIN || len > SESSION_ID_MAX)
		return helper_refuse(why, why_size, "that is no session id");
	return 0;
}

/* --- who may get files ---------------------------------------------------------------------------------------- */

int account_check(
    const struct helper_places *places, const char *user, const struct owner *owner, char *why, size_t why_size)
{
	AUTO_CONF struct accounts_conf *conf = NULL;
	struct index_map map = { 0 };
	struct index_user record;
	struct local_user local;
	int r;

	if (owner->uid == 0 || owner->gid == 0)
		return helper_refuse(why, why_size, "root has no sessions here");
	if (account_name_is_ours(user)) {
		r = index_open(places->index, geteuid(), &map);
		if (r == 0)
			r = index_user_by_name(&map, user, &record);
		if (r == 0 && (record.uid != owner->uid || record.gid != owner->gid))
			r = -EPERM;
		index_close(&map);
		return r < 0 ? helper_refuse(why, why_size, "%s with uid %u and gid %u is not in the account index",
				   user, owner->uid, owner->gid)
			     : 0;
	}
	if (conf_load(places->conf, geteuid(), &conf, why, why_size) < 0)
		return -EPERM;
	if (!conf_local(conf, user))
		return helper_refuse(why, why_size, "%s is not opened to a service account in %s", user, places->conf);
	r = local_find_user(places->passwd, user, LOCAL_NO_ID, &local);
	if (r < 0 || local.uid != owner->uid || local.gid != owner->gid)
		return helper_refuse(why, why_size, "%s with uid %u and gid %u is not in %s", user, owner->uid,
		    owner->gid, places->passwd);
	return 0;
}

/* --- directories ---------------------------------------------------------------------------------------------- */

/* Opens a directory of root's that only the account's group may enter. Made, unless MAKE is NULL, which says whether.
 */
static int enter_dir(
    int parent, const char *name, const struct owner *owner, bool *make, int *ret_fd, char *why, size_t why_size)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	bool made = make && mkdirat(parent, name, 0700) == 0;
	int r;

	if (make && !made && errno != EEXIST)
		return helper_fail(why, why_size, -errno, name);
	if (make)
		*make = made; /* also where it is of no use: somebody has to remove it */
	r = helper_open_dir(parent, name, &fd, why, why_size);
	if (r < 0)
		return r;
	if (made && (fchown(fd, geteuid(), owner->gid) < 0 || fchmod(fd, 0750) < 0))
		return helper_fail(why, why_size, -errno, name);
	if (fstat(fd, &st) < 0)
		return helper_fail(why, why_size, -errno, name);
	if (st.st_gid != owner->gid)
		return helper_refuse(why, why_size, "%s belongs to gid %u: another account's session", name, st.st_gid);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The file under a name that nobody else can have (it starts with '.'), and then under its own. */
static int write_file(
    int dir, const char *name, const char *data, size_t len, const struct owner *owner, char *why, size_t why_size)
{
	AUTO_CLOSE int fd = -1;
	int r;

	if (unlinkat(dir, ".new", 0) < 0 && errno != ENOENT)
		return helper_fail(why, why_size, -errno, "what an earlier helper left behind");
	fd = openat(dir, ".new", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return helper_fail(why, why_size, -errno, name);
	r = helper_write(fd, data, len);
	if (r == 0 &&
	    (fchmod(fd, 0400) < 0 || fchown(fd, owner->uid, owner->gid) < 0 || renameat(dir, ".new", dir, name) < 0))
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, ".new", 0);
		return helper_fail(why, why_size, r, name);
	}
	return 0;
}

/* --- one file of a request ------------------------------------------------------------------------------------ */

bool file_name_parse(const char *text, size_t len, struct file_name *ret)
{
	char copy[2 * NAME_LEN_MAX + sizeof("secrets//")], *name = copy, *slash;

	*ret = (struct file_name){ 0 };
	if (len >= sizeof(copy) || memchr(text, '\0', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (streq(copy, "token")) {
		strcpy(ret->name, copy);
		return true;
	}
	if (strncmp(copy, "secrets/", strlen("secrets/")) != 0)
		return false;
	ret->secret = true;
	name += strlen("secrets/");
	slash = strchr(name, '/');
	if (slash) {
		*slash = '\0';
		if (!helper_name_valid(name, NAME_LEN_MAX))
			return false;
		strcpy(ret->dir, name);
		name = slash + 1;
	}
	if (!helper_name_valid(name, NAME_LEN_MAX))
		return false;
	strcpy(ret->name, name);
	return true;
}

void file_item_name(const struct wire_item *item, const char **ret, size_t *ret_len)
{
	uint16_t len;

	memcpy(&len, item->value, sizeof(len)); /* wire_parse() has seen that it fits */
	*ret = item->value + sizeof(len);
	*ret_len = le16toh(len);
}

static int write_item(const struct session_dir *session, const struct wire_item *item, char *why, size_t why_size)
{
	AUTO_CLOSE int secrets = -1, dir = -1;
	struct file_name name;
	const char *text, *content;
	size_t text_len, content_len;
	int r = 0, at = session->fd;
	bool made;

	file_item_name(item, &text, &text_len);
	content = text + text_len;
	content_len = item->len - (size_t)(content - item->value);
	if (!file_name_parse(text, text_len, &name))
		return helper_refuse(
		    why, why_size, "%.*s is no name of a session's file", text_len > 300 ? 300 : (int)text_len, text);
	if (name.secret) {
		r = enter_dir(session->fd, "secrets", &session->owner, &made, &secrets, why, why_size);
		at = secrets;
	}
	if (r == 0 && name.dir[0]) {
		r = enter_dir(secrets, name.dir, &session->owner, &made, &dir, why, why_size);
		at = dir;
	}
	return r == 0 ? write_file(at, name.name, content, content_len, &session->owner, why, why_size) : r;
}

int session_dir_write(const struct session_dir *session, const struct wire_frame *request, char *why, size_t why_size)
{
	struct wire_item item;
	size_t at = 0;
	int r = 0;

	while (r == 0 && wire_next(request, &at, &item)) {
		if (item.tag == WIRE_FILE)
			r = write_item(session, &item, why, why_size);
	}
	return r;
}

int session_dir_enter(const struct helper_places *places, const struct wire_frame *request, bool *make,
    struct session_dir *ret, char *why, size_t why_size)
{
	AUTO_FREE char *user = wire_get_str(request, WIRE_USER);
	AUTO_CLOSE int sessions = -1;
	int r;

	ret->id = wire_get_str(request, WIRE_SESSION);
	if (!ret->id || !user || !wire_get_u32(request, WIRE_UID, &ret->owner.uid) ||
	    !wire_get_u32(request, WIRE_GID, &ret->owner.gid))
		return helper_refuse(why, why_size, "session, user, uid and gid are needed");
	r = check_session_id(ret->id, why, why_size);
	if (r == 0)
		r = account_check(places, user, &ret->owner, why, why_size);
	if (r == 0)
		r = helper_open_dir(AT_FDCWD, places->sessions, &sessions, why, why_size);
	return r == 0 ? enter_dir(sessions, ret->id, &ret->owner, make, &ret->fd, why, why_size) : r;
}

int files_write(const struct helper_places *places, const struct wire_frame *request, char *why, size_t why_size)
{
	AUTO_SESSION_DIR struct session_dir session = { .fd = -1 };
	char ignored[256];
	bool made = false;
	int r = session_dir_enter(places, request, &made, &session, why, why_size);

	if (r == 0)
		r = session_dir_write(&session, request, why, why_size);
	/* A session that does not begin leaves nothing behind. */
	if (r < 0 && made && files_remove(places, session.id, ignored, sizeof(ignored)) < 0)
		log_warning("session %s: %s", session.id, ignored);
	return r;
}

/* --- removing ------------------------------------------------------------------------------------------------- */

typedef int remove_dir_fn(int parent, const char *name, char *why, size_t why_size);

/* Removes what is in a directory, and the directory. What is a directory in it goes to REMOVE_DIR. */
static int remove_with(int parent, const char *name, remove_dir_fn *remove_dir, char *why, size_t why_size)
{
	int fd = -1, r = helper_open_dir(parent, name, &fd, why, why_size);
	struct dirent *entry;
	DIR *dir;

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return helper_fail(why, why_size, -ENOMEM, name);
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		r = errno == EISDIR && remove_dir ? remove_dir(fd, entry->d_name, why, why_size)
						  : helper_fail(why, why_size, -errno, entry->d_name);
	}
	closedir(dir);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = helper_fail(why, why_size, -errno, name);
	return r;
}

/* <session>/secrets/<directory>: files only. */
static int remove_keys(int parent, const char *name, char *why, size_t why_size)
{
	return remove_with(parent, name, NULL, why, why_size);
}

/* <session>/secrets */
static int remove_secrets(int parent, const char *name, char *why, size_t why_size)
{
	return remove_with(parent, name, remove_keys, why, why_size);
}

int files_remove(const struct helper_places *places, const char *session, char *why, size_t why_size)
{
	AUTO_CLOSE int sessions = -1;
	struct stat st;
	int r = check_session_id(session, why, why_size);

	if (r == 0)
		r = helper_open_dir(AT_FDCWD, places->sessions, &sessions, why, why_size);
	if (r < 0)
		return r;
	if (fstatat(sessions, session, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	return remove_with(sessions, session, remove_secrets, why, why_size);
}

int files_list(const struct helper_places *places, struct buf *reply, char *why, size_t why_size)
{
	char ignored[256];
	int fd = -1, r = helper_open_dir(AT_FDCWD, places->sessions, &fd, why, why_size);
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return helper_fail(why, why_size, -ENOMEM, places->sessions);
	}
	while (n < LIST_MAX && (entry = readdir(dir))) {
		if (check_session_id(entry->d_name, ignored, sizeof(ignored)) < 0)
			continue;
		wire_add_str(reply, WIRE_SESSION, entry->d_name);
		n++;
	}
	closedir(dir);
	return 0;
}
