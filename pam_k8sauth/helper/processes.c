/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals what is left of a session's processes (`on_session_end`): those of its audit session and login uid, or all of
 * its user. Each is held by a pidfd before anything of it is read, so that a pid which is another process's by then
 * gets no signal. Whose processes these may be is root's to say: the account must be one that may have sessions here.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>

#include "base/log.h"
#include "base/text.h"
#include "helper/files.h"

#define AUDIT_UNSET UINT32_MAX

/* What is asked for. */
struct aim {
	uid_t uid;
	uint32_t audit_session; /* AUDIT_UNSET: every process of UID */
	int signal;		/* 0: they are only counted */
	const struct wire_frame *request;
};

struct process {
	bool dead;	  /* a zombie: nothing can be done about it */
	uint32_t uids[4]; /* real, effective, saved, of file access */
	uint32_t login_uid, audit_session;
};

/* The text of /proc/PID/NAME in RET; false where there is none. */
static bool read_proc(int proc, int pid, const char *name, char *ret, size_t size)
{
	char path[64];
	AUTO_CLOSE int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? -1 : read(fd, ret, size - 1);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

static bool read_number(int proc, int pid, const char *name, uint32_t *ret)
{
	char text[32], end;

	return read_proc(proc, pid, name, text, sizeof(text)) && sscanf(text, "%u%c", ret, &end) >= 1;
}

static bool process_read(int proc, int pid, struct process *ret)
{
	char status[2048];
	const char *state, *uids;

	if (!read_proc(proc, pid, "status", status, sizeof(status)))
		return false;
	/* The name comes first, with its newlines escaped: it forges no line. */
	state = strstr(status, "\nState:\t");
	uids = strstr(status, "\nUid:\t");
	if (!state || !uids ||
	    sscanf(uids, " Uid: %u %u %u %u", &ret->uids[0], &ret->uids[1], &ret->uids[2], &ret->uids[3]) != 4)
		return false;
	state += strlen("\nState:\t");
	ret->dead = *state == 'Z' || *state == 'X';
	/* A kernel without audit has neither. */
	if (!read_number(proc, pid, "loginuid", &ret->login_uid))
		ret->login_uid = AUDIT_UNSET;
	if (!read_number(proc, pid, "sessionid", &ret->audit_session))
		ret->audit_session = AUDIT_UNSET;
	return true;
}

static bool is_meant(const struct aim *aim, const struct process *process)
{
	if (process->dead)
		return false;
	if (aim->audit_session != AUDIT_UNSET)
		return process->login_uid == aim->uid && process->audit_session == aim->audit_session;
	for (size_t i = 0; i < 3; i++) {
		if (process->uids[i] == aim->uid)
			return true;
	}
	return false;
}

/* The one that ends the session, and what runs all of them. */
static bool is_spared(const struct aim *aim, int pid)
{
	struct wire_item item;
	size_t at = 0;

	while (wire_next(aim->request, &at, &item)) {
		uint32_t spared;

		if (item.tag != WIRE_PID)
			continue;
		memcpy(&spared, item.value, sizeof(spared)); /* wire_parse() has seen that it fits */
		if (le32toh(spared) == (uint32_t)pid)
			return true;
	}
	return pid <= 1 || pid == getpid();
}

/* Whether PID was one of them. */
static bool signal_one(const struct aim *aim, int proc, int pid)
{
	AUTO_CLOSE int pidfd = pidfd_open(pid, 0);
	struct process process;

	return pidfd >= 0 && process_read(proc, pid, &process) && is_meant(aim, &process) &&
	       pidfd_send_signal(pidfd, aim->signal, NULL, 0) == 0;
}

static int signal_all(const struct aim *aim, uint32_t *ret_n, char *why, size_t why_size)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = proc < 0 ? NULL : fdopendir(proc);
	const struct dirent *entry;

	if (!dir) {
		int r = -errno;

		if (proc >= 0)
			close(proc);
		return helper_fail(why, why_size, r, "/proc");
	}
	*ret_n = 0;
	while ((entry = readdir(dir))) {
		int pid = 0;
		char end;

		if (sscanf(entry->d_name, "%d%c", &pid, &end) == 1 && !is_spared(aim, pid))
			*ret_n += signal_one(aim, proc, pid);
	}
	closedir(dir);
	return 0;
}

int processes_signal(
    const struct helper_places *places, const struct wire_frame *request, struct buf *reply, char *why, size_t why_size)
{
	AUTO_FREE char *user = wire_get_str(request, WIRE_USER);
	struct aim aim = { .audit_session = AUDIT_UNSET, .request = request };
	struct wire_item item;
	struct owner owner;
	uint32_t signal, n = 0;
	int r;

	if (!user || !wire_get_u32(request, WIRE_UID, &owner.uid) || !wire_get_u32(request, WIRE_GID, &owner.gid) ||
	    !wire_get_u32(request, WIRE_SIGNAL, &signal))
		return helper_refuse(why, why_size, "user, uid, gid and signal are needed");
	if (signal != 0 && signal != SIGTERM && signal != SIGKILL)
		return helper_refuse(why, why_size, "signal %u is not one that ends a process", signal);
	/* An id that is not set is on half of all processes, and no session. */
	if (wire_get(request, WIRE_AUDIT_SESSION, &item) &&
	    (!wire_get_u32(request, WIRE_AUDIT_SESSION, &aim.audit_session) || aim.audit_session == AUDIT_UNSET ||
		aim.audit_session == 0))
		return helper_refuse(why, why_size, "an audit session that is not set has no processes");
	r = account_check(places, user, &owner, why, why_size);
	if (r < 0)
		return r;
	aim.uid = owner.uid;
	aim.signal = (int)signal;
	r = signal_all(&aim, &n, why, why_size);
	if (r < 0)
		return r;
	wire_add_u32(reply, WIRE_COUNT, n);
	if (n > 0 && signal != 0)
		log_info("%u processes of %s get signal %u", n, user, signal);
	return 0;
}
