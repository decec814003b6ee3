/* SPDX-License-Identifier: Apache-2.0 */
/* A backup on its way back; see backup_file.h. */
#include "cli/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <k8sauth/limits.h>

#include "base/hcl.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "vault/embedded/store.h"

#define NEW_SUFFIX ".restore-new"

/* On a new machine, where k8sauthd was never started: the folder that systemd would make for it at the first start. */
static int make_state_dir(void)
{
	const struct passwd *user = getpwnam(K8SAUTH_USER);

	if (!user)
		return -ENOENT;
	if (mkdir(K8SAUTH_STATE_DIR, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chown(K8SAUTH_STATE_DIR, user->pw_uid, user->pw_gid) < 0 ? -errno : 0;
}

int staging_open(struct staging *staging, char *why, size_t why_size)
{
	const struct doctor machine = { .root = "" };
	AUTO_HCL struct hcl_value *config = doctor_config(&machine);
	const struct hcl_value *path = config_value(config_value(config, "storage"), "path");
	struct stat st;

	*staging = (struct staging){ .fd = -1 };
	staging->path =
	    text_of("%s", path && path->type == HCL_STRING ? path->string : K8SAUTH_STATE_DIR "/store.db");
	if (*staging->path != '/') {
		snprintf(why, why_size, "%s: the path of the store must be an absolute one", K8SAUTH_CONFIG);
		return -EINVAL;
	}
	staging->folder = text_of("%s", staging->path);
	*strrchr(staging->folder, '/') = '\0';
	staging->name = strrchr(staging->path, '/') + 1;
	if (streq(staging->folder, K8SAUTH_STATE_DIR) && access(K8SAUTH_STATE_DIR, F_OK) < 0)
		(void)make_state_dir(); /* the open below says what is wrong */
	staging->fd = open(*staging->folder ? staging->folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (staging->fd < 0 || fstat(staging->fd, &st) < 0) {
		snprintf(why, why_size, "cannot open %s, where the store is: %s", staging->folder, strerror(errno));
		return -errno;
	}
	staging->uid = st.st_uid;
	staging->gid = st.st_gid;
	return 0;
}

void staging_close(struct staging *staging)
{
	cleanup_close(&staging->fd);
	free(staging->path);
	free(staging->folder);
}

static char *name_of(const struct staging *staging, const char *suffix)
{
	return text_of("%s%s", staging->name, suffix);
}

static int copy_bytes(int from, int to)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0) {
		for (ssize_t done = 0, written; done < n; done += written) {
			written = write(to, buffer + done, (size_t)(n - done));
			if (written < 0)
				return -errno;
		}
	}
	return n < 0 ? -errno : 0;
}

int staging_copy(const struct staging *staging, const char *file, char *why, size_t why_size)
{
	AUTO_FREE char *name = name_of(staging, NEW_SUFFIX);
	int from AUTO_CLOSE = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), to AUTO_CLOSE = -1;
	struct stat st;
	int r = 0;

	if (from < 0 || fstat(from, &st) < 0 || !S_ISREG(st.st_mode)) {
		r = from < 0 ? -errno : -EINVAL;
		snprintf(why, why_size, "cannot read %s: %s", file, from < 0 ? strerror(errno) : "it is not a regular file");
		return r;
	}
	(void)unlinkat(staging->fd, name, 0);
	to = openat(staging->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = to < 0 ? -errno : copy_bytes(from, to);
	if (r == 0 && (fchown(to, staging->uid, staging->gid) < 0 || fsync(to) < 0))
		r = -errno;
	if (r < 0)
		snprintf(why, why_size, "cannot write %s/%s: %s", staging->folder, name, strerror(-r));
	return r;
}

/* What the child found. */
struct finding_out {
	int r;
	struct store_file file;
	char why[STORE_FILE_TEXT];
};

static void look_as(const struct staging *staging, const char *path, bool whole, int out)
{
	struct finding_out found = { 0 };

	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(staging->gid) < 0 || setuid(staging->uid) < 0)) {
		found.r = -errno;
		snprintf(found.why, sizeof(found.why), "cannot become the user of %s: %s", staging->folder, strerror(errno));
	} else {
		found.r = store_file_look(path, whole, &found.file, found.why, sizeof(found.why));
	}
	_exit(write(out, &found, sizeof(found)) == sizeof(found) ? 0 : 1);
}

/* What a file from elsewhere says, or the daemon's user, does not get to the terminal as it is. */
static void make_plain(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* No more than core_backup writes: nothing to escape, and so nothing but letters when it is read. */
static bool is_mark(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '\\')
			return false;
	return true;
}

int staging_look(const struct staging *staging, bool copy, struct store_file *ret, char *why, size_t why_size)
{
	AUTO_FREE char *path = text_of("%s%s", staging->path, copy ? NEW_SUFFIX : "");
	struct finding_out found = { .r = -EIO };
	int pipes[2], status;
	size_t got = 0;
	ssize_t n = 1;
	pid_t child;

	snprintf(found.why, sizeof(found.why), "cannot look at %s", path);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		look_as(staging, path, copy, pipes[1]);
	close(pipes[1]);
	while (child > 0 && got < sizeof(found) && n > 0) {
		n = read(pipes[0], (char *)&found + got, sizeof(found) - got);
		got += n > 0 ? (size_t)n : 0;
	}
	close(pipes[0]);
	if (child > 0)
		(void)waitpid(child, &status, 0);
	if (got < sizeof(found))
		found.r = -EIO;
	found.file.mark[sizeof(found.file.mark) - 1] = '\0';
	found.file.backup = found.file.backup && is_mark(found.file.mark);
	make_plain(found.why, sizeof(found.why));
	make_plain(found.file.cluster, sizeof(found.file.cluster));
	if (found.r < 0)
		snprintf(why, why_size, "%s", found.why);
	else
		*ret = found.file;
	return found.r;
}

int staging_commit(const struct staging *staging)
{
	AUTO_FREE char *from = name_of(staging, NEW_SUFFIX);
	AUTO_FREE char *to = name_of(staging, STORE_RESTORE_SUFFIX);

	return renameat(staging->fd, from, staging->fd, to) < 0 || fsync(staging->fd) < 0 ? -errno : 0;
}

void staging_drop(const struct staging *staging)
{
	AUTO_FREE char *name = name_of(staging, NEW_SUFFIX);

	if (staging->fd >= 0)
		(void)unlinkat(staging->fd, name, 0);
}
