/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the stand-in API server and talks to it; see standin.h. */
#include "standin.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "child.h"

char standin_state[64], standin_host[64], *standin_ca;
static pid_t standin_pid;

/* A child must not hold the test up: what waits for a file or an end has a limit. */
#define READY_TRIES 600 /* of 50 ms */

static void must(bool ok)
{
	if (!ok) {
		fprintf(stderr, "the stand-in API server cannot be used\n");
		abort();
	}
}

char *standin_read(const char *name)
{
	char path[128];
	struct buf buf = { 0 };
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "%s/%s", standin_state, name);
	file = fopen(path, "re");
	while (file && (c = fgetc(file)) != EOF)
		buf_add_char(&buf, (char)c);
	if (file)
		fclose(file);
	return buf_take(&buf);
}

char *standin_ctl(const char *first, ...)
{
	const char *argv[24] = { NULL, "ctl", "--state", standin_state, first };
	size_t n = 5;
	struct buf out = { 0 };
	posix_spawn_file_actions_t actions;
	int pipes[2], status = -1;
	char script[512], data[4096];
	ssize_t got;
	va_list args;
	pid_t pid;

	va_start(args, first);
	while (n < ARRAY_SIZE(argv) - 1 && (argv[n] = va_arg(args, const char *)))
		n++;
	va_end(args);
	snprintf(script, sizeof(script), "%s/apiserver", getenv("TESTBED"));
	argv[0] = script;
	must(pipe(pipes) == 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	must(posix_spawn(&pid, script, &actions, NULL, (char **)(uintptr_t)argv, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	while ((got = read(pipes[0], data, sizeof(data))) > 0)
		buf_add(&out, data, (size_t)got);
	close(pipes[0]);
	must(waitpid(pid, &status, 0) == pid);
	must(status == 0);
	if (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	buf_add_str(&out, "");
	return buf_take(&out);
}

pid_t standin_serve(const char *address)
{
	char script[512];
	const char *argv[] = { script, "--state", standin_state, "--port", "0", "--address", address, "--port-file",
		NULL, NULL };
	char port_file[128], *port = NULL;
	pid_t pid;

	snprintf(script, sizeof(script), "%s/apiserver", getenv("TESTBED"));
	snprintf(port_file, sizeof(port_file), "%s/port", standin_state);
	argv[8] = port_file;
	unlink(port_file);
	pid = fork_child();
	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout))
			execv(script, (char **)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	for (int i = 0; i < READY_TRIES && access(port_file, R_OK) < 0; i++)
		usleep(50000);
	port = standin_read("port");
	snprintf(standin_host, sizeof(standin_host), "https://%s:%d", address, port ? atoi(port) : 0);
	free(port);
	return pid;
}

void standin_end(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int standin_start(void)
{
	snprintf(standin_state, sizeof(standin_state), "/tmp/standin.XXXXXX");
	if (!mkdtemp(standin_state))
		return -1;
	/* Nothing of the environment may decide where tokens go. */
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	standin_pid = standin_serve("127.0.0.1");
	standin_ca = standin_pid > 0 ? standin_read("ca.crt") : NULL;
	return standin_ca ? 0 : -1;
}

int standin_mode_ok(void **state)
{
	(void)state;
	CTL("mode", "ok");
	return 0;
}

int standin_restart(void)
{
	standin_end(standin_pid);
	standin_pid = standin_serve("127.0.0.1");
	return standin_pid > 0 ? 0 : -1;
}

void standin_stop(void)
{
	standin_end(standin_pid);
	nftw(standin_state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(standin_ca);
}

size_t standin_count(json_int_t *ret_connections)
{
	char *text = standin_ctl("requests", NULL);
	json_t *json = json_loads(text, 0, NULL);
	size_t n = json_array_size(json_object_get(json, "requests"));

	must(json != NULL);
	if (ret_connections)
		*ret_connections = json_integer_value(json_object_get(json, "connections"));
	json_decref(json);
	free(text);
	return n;
}
