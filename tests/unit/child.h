/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that do not outlive their test: one that fails never comes to where it ends them, and meson waits for
 * everybody who has the test's output open.
 */
#pragma once

#include <signal.h>
#include <unistd.h>
#include <sys/prctl.h>

/* fork(): the kernel kills the child when the test's process has ended. */
static inline pid_t fork_child(void)
{
	pid_t test = getpid(), pid = fork();

	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != test))
		_exit(127);
	return pid;
}
