/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells a user's programs that secrets were rotated: one program at a fixed place, which is root's, runs as the user.
 * systemd starts it as a unit of its own, so that neither our sandbox nor our end reaches it, and so that no capability
 * for becoming another user is needed here. The daemon has no say in what is run: it names no command, and the names
 * that the program gets are those of files that were checked and written.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/safe_open.h"
#include "helper/files.h"

#define CHANGED_MAX 16384 /* 64 secrets with names of 137 bytes at most; Linux takes 128 KiB */

/* Whether the hook is there and may run; why not is said where that is a fault. */
static bool hook_usable(const struct helper_places *places)
{
	AUTO_CLOSE int fd = -1;
	char why[512] = "";
	struct stat st;
	int r = safe_open(places->hook, 0, SIZE_MAX, &fd, why, sizeof(why));

	if (r == -ENOENT)
		return false;
	if (r < 0) {
		log_warning("hook not run: %s", why[0] ? why : strerror(-r));
		return false;
	}
	if (fstat(fd, &st) < 0 || !(st.st_mode & S_IXOTH)) {
		log_warning("hook not run: users cannot execute it: chmod 0755 %s", places->hook);
		return false;
	}
	return true;
}

static void spawn(const char *program, char *const *argv)
{
	char path[] = "PATH=/usr/bin:/bin", *environment[] = { path, NULL };
	posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t pid;
	int r = posix_spawnattr_init(&attributes);

	if (r == 0) {
		sigemptyset(&defaults);
		sigaddset(&defaults, SIGCHLD); /* it is ignored here */
		posix_spawnattr_setsigdefault(&attributes, &defaults);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
		r = posix_spawn(&pid, program, NULL, &attributes, argv, environment);
		posix_spawnattr_destroy(&attributes);
	}
	if (r != 0)
		log_error("hook not run: %s: %s", program, strerror(r));
}

void hook_start(const struct helper_places *places, const struct session_dir *session, const char *changed)
{
	char uid[32], gid[32], description[128], id[128], dir[256], names[CHANGED_MAX];
	char *const argv[] = {
		(char[]){ "systemd-run" },
		(char[]){ "--no-block" },
		(char[]){ "--collect" },
		(char[]){ "--quiet" },
		(char[]){ "--property=RuntimeMaxSec=60" },
		(char[]){ "--property=TimeoutStopSec=5" },
		(char[]){ "--property=SyslogIdentifier=k8sauth-rotated" },
		/* For its login uid: unset, it could be made anybody's once, and the gate goes by it. */
		(char[]){ "--property=PAMName=k8sauth-rotated" },
		uid,
		gid,
		description,
		id,
		dir,
		names,
		(char[]){ "--" },
		(char *)(uintptr_t)places->hook,
		NULL,
	};

	if (!hook_usable(places))
		return;
	snprintf(uid, sizeof(uid), "--uid=%u", session->owner.uid);
	snprintf(gid, sizeof(gid), "--gid=%u", session->owner.gid);
	snprintf(description, sizeof(description), "--description=k8sauth: secrets of session %s changed", session->id);
	snprintf(id, sizeof(id), "--setenv=K8SAUTH_SESSION=%s", session->id);
	snprintf(dir, sizeof(dir), "--setenv=K8SAUTH_DIR=%s/%s", places->sessions, session->id);
	snprintf(names, sizeof(names), "--setenv=K8SAUTH_CHANGED=%s", changed);
	spawn(places->systemd_run, argv);
}
