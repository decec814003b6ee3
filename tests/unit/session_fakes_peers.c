/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks the daemon in these tests: processes that lead sessions, and a program that may verify; see session_fakes.h. */
#include "session_fakes.h"

#include <sys/wait.h>

#include "child.h"

struct consumer_config fake_consumer;

int world_setup_consumer(void **state)
{
	static char service[] = "db", uid[] = "33";

	world_setup(state);
	fake_consumer = (struct consumer_config){ .service = service, .uid = uid };
	world.config.consumers = &fake_consumer;
	world.config.n_consumers = 1;
	return 0;
}

struct fake_ask ask_verify(void)
{
	return (struct fake_ask){ .type = WIRE_VERIFY,
		.uid = FAKE_CONSUMER_UID,
		.pid = FAKE_CONSUMER_PID,
		.user = FAKE_USER,
		.service = "db",
		.rhost = "10.0.0.9",
		.credential = FAKE_JWT };
}

pid_t leader_new(void)
{
	pid_t pid = fork_child();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

void leader_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}
