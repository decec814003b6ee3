/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs scenario files against the real libpam and the real pam_k8sauth.so: runner MODULE STUB FOLDER prints TAP, a test
 * for each; with `cells` behind them, for a module that tells what it returns, a test for each cell of the table of
 * return codes. Works in a mount namespace of its own with an empty /run, so that the compiled-in socket path is free
 * for the fake daemon.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <security/pam_appl.h>

#include <k8sauth/limits.h>

#include "base/buf.h"
#include "base/text.h"
#include "capture.h"
#include "cells.h"
#include "fake_daemon.h"
#include "kubelet.h"
#include "memory.h"

#define CONFIG_DIR   "/run/pam.d"
#define LOGIN_UID    "/run/loginuid"
#define SECRET_START "eyJ" /* of every token: no log line and no text may have it */

struct run {
	const struct scenario *scenario;
	struct fake_daemon *daemon;
	pam_handle_t *pamh;
	/* The call that is being made. */
	const struct action *call;
	size_t asked, told;
	struct list env; /* what the environment must be */
	struct buf problems;
};

static void problem(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

static void problem(struct run *run, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_printf(&run->problems, "# line %u: %s\n", run->call ? run->call->line : 0, text);
}

static bool line_matches(struct run *run, const char *pattern, const char *line)
{
	regex_t regex;
	bool matches;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		problem(run, "bad regular expression %s", pattern);
		return false;
	}
	matches = regexec(&regex, line, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

/* --- the application's conversation --------------------------------------------------------------------------------
 */

static int answer_prompt(struct run *run, const char *prompt, struct pam_response *response)
{
	const struct action *call = run->call;
	const struct ask *ask;

	if (run->asked == call->n_asks) {
		problem(run, "asked once too often: %s", prompt);
		return PAM_CONV_ERR;
	}
	ask = &call->asks[run->asked++];
	if (!streq(ask->prompt, prompt))
		problem(run, "the prompt is '%s', not '%s'", prompt, ask->prompt);
	if (ask->kind == ANSWER_ERROR)
		return PAM_CONV_ERR;
	if (ask->kind == ANSWER_AGAIN)
		return PAM_CONV_AGAIN;
	if (ask->answer) {
		response->resp = strdup(ask->answer);
		if (!starts_with(prompt, "login:"))
			capture_watch(response->resp);
	}
	return PAM_SUCCESS;
}

static void see_text(struct run *run, const char *text)
{
	const struct list *tells = &run->call->tells;

	if (run->told == tells->n)
		problem(run, "a text that nobody expects: %s", text);
	else if (!line_matches(run, tells->items[run->told], text))
		problem(run, "the text '%s' does not match '%s'", text, tells->items[run->told]);
	run->told++;
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	struct run *run = arg;
	struct pam_response *response;
	int r = PAM_SUCCESS;

	if (n != 1) {
		problem(run, "%d messages in one call: some applications answer only one", n);
		return PAM_CONV_ERR;
	}
	response = calloc(1, sizeof(*response));
	if (messages[0]->msg_style == PAM_PROMPT_ECHO_OFF ||
	    (messages[0]->msg_style == PAM_PROMPT_ECHO_ON && starts_with(messages[0]->msg, "login:")))
		r = answer_prompt(run, messages[0]->msg, response);
	else if (messages[0]->msg_style == PAM_TEXT_INFO)
		see_text(run, messages[0]->msg);
	else
		problem(run, "message style %d: some applications break", messages[0]->msg_style);
	if (r != PAM_SUCCESS)
		free(TAKE_PTR(response));
	*ret = response;
	return r;
}

/* --- calls ---------------------------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	int (*function)(pam_handle_t *pamh, int flags);
} functions[] = {
	{ "authenticate", pam_authenticate },
	{ "setcred", pam_setcred },
	{ "acct_mgmt", pam_acct_mgmt },
	{ "open_session", pam_open_session },
	{ "close_session", pam_close_session },
	{ "chauthtok", pam_chauthtok },
	{ "end", pam_end },
};

static int call_function(struct run *run)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (streq(functions[i].name, run->call->function))
			return functions[i].function(run->pamh, run->call->flags);
	}
	problem(run, "no function %s", run->call->function);
	return -1;
}

/* In a child, as sshd's and su's: it shares the handle's memory, and what it sets is lost. */
static int call_in_child(struct run *run)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(call_function(run));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void check_log(struct run *run)
{
	const struct list *logs = &run->call->logs, *debugs = &run->call->debugs;
	const struct log_line *lines;
	size_t n = capture_lines(&lines), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (strstr(lines[i].text, SECRET_START))
			problem(run, "a log line shows a token: %s", lines[i].text);
		if (lines[i].level == LOG_DEBUG)
			continue;
		if (at == logs->n)
			problem(run, "a log line that nobody expects: %s", lines[i].text);
		else if (!line_matches(run, logs->items[at++], lines[i].text))
			problem(run, "log line '%s' does not match '%s'", lines[i].text, logs->items[at - 1]);
	}
	for (; at < logs->n; at++)
		problem(run, "no log line for '%s'", logs->items[at]);
	for (size_t k = 0; k < debugs->n; k++) {
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found = found ||
				(lines[i].level == LOG_DEBUG && line_matches(run, debugs->items[k], lines[i].text));
		if (!found)
			problem(run, "no debug line matches '%s'", debugs->items[k]);
	}
}

static void check_requests(struct run *run)
{
	const struct action *call = run->call;
	const struct seen *seen = NULL;
	size_t n = run->daemon ? fake_daemon_seen(run->daemon, &seen) : 0;

	for (size_t i = 0; i < n || i < call->n_exchanges; i++) {
		if (i >= n) {
			problem(run, "no request '%s'", call->exchanges[i].request);
			continue;
		}
		if (i >= call->n_exchanges) {
			problem(run, "a request that nobody expects: %s", seen[i].text);
			continue;
		}
		if (!streq(call->exchanges[i].request, seen[i].text))
			problem(run, "the request is '%s', not '%s'", seen[i].text, call->exchanges[i].request);
		if (call->exchanges[i].credential &&
		    (!seen[i].credential || !streq(seen[i].credential, call->exchanges[i].credential)))
			problem(run, "the request carries another credential");
	}
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void join_sorted(char **items, size_t n, struct buf *text)
{
	qsort(items, n, sizeof(*items), compare_text);
	buf_add(text, "", 0);
	for (size_t i = 0; i < n; i++)
		buf_printf(text, "%s%s", i ? " " : "", items[i]);
}

static void check_env(struct run *run)
{
	AUTO_BUF struct buf is = { 0 };
	AUTO_BUF struct buf must = { 0 };
	char **env = pam_getenvlist(run->pamh), *sorted[LIST_MAX];
	size_t n = 0;

	while (env && env[n])
		n++;
	if (run->call->env_given)
		run->env = run->call->env;
	memcpy(sorted, run->env.items, sizeof(sorted));
	join_sorted(env, n, &is);
	join_sorted(sorted, run->env.n, &must);
	if (!streq(is.data, must.data))
		problem(run, "the environment is '%s', not '%s'", is.data, must.data);
	for (size_t i = 0; i < n; i++)
		free(env[i]);
	free(env);
}

static void check_conversation(struct run *run)
{
	if (run->asked < run->call->n_asks)
		problem(run, "was not asked '%s'", run->call->asks[run->asked].prompt);
	if (run->told < run->call->tells.n)
		problem(run, "was not told '%s'", run->call->tells.items[run->told]);
	if (capture_unwiped() > 0)
		problem(run, "%u answers were freed without being wiped", capture_unwiped());
	if (capture_unfreed() > 0)
		problem(run, "%u answers were not freed", capture_unfreed());
}

static void make_call(struct run *run, const struct action *call)
{
	int code;

	run->call = call;
	run->asked = run->told = 0;
	capture_reset();
	if (run->daemon)
		fake_daemon_script(run->daemon, call, false);
	memory_fails(call->nomem);
	code = call->child ? call_in_child(run) : call_function(run);
	memory_fails(false);
	if (code != call->code)
		problem(run, "%s returns %s (%d), not %s", call->function,
		    pam_code_name(code) ? pam_code_name(code) : "?", code, pam_code_name(call->code));
	check_log(run);
	check_requests(run);
	if (streq(call->function, "end"))
		run->pamh = NULL;
	else
		check_env(run);
	if (!call->child)
		check_conversation(run);
	capture_reset();
}

/* --- one scenario --------------------------------------------------------------------------------------------------
 */

static bool write_config(const struct scenario *scenario)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), CONFIG_DIR "/%s", scenario->service);
	file = fopen(path, "we");
	if (!file)
		return false;
	fputs(scenario->stack, file);
	return fclose(file) == 0;
}

static int start(struct run *run, const struct pam_conv *conv)
{
	const struct scenario *scenario = run->scenario;
	int r = pam_start_confdir(scenario->service, scenario->user, conv, CONFIG_DIR, &run->pamh);

	if (r == PAM_SUCCESS && scenario->rhost)
		r = pam_set_item(run->pamh, PAM_RHOST, scenario->rhost);
	if (r == PAM_SUCCESS && scenario->tty)
		r = pam_set_item(run->pamh, PAM_TTY, scenario->tty);
	if (r == PAM_SUCCESS && scenario->ruser)
		r = pam_set_item(run->pamh, PAM_RUSER, scenario->ruser);
	return r;
}

static void run_actions(struct run *run)
{
	const struct pam_conv conv = { converse, run };

	if (start(run, &conv) != PAM_SUCCESS) {
		problem(run, "pam_start failed");
		return;
	}
	for (size_t i = 0; i < run->scenario->n_actions; i++) {
		const struct action *action = &run->scenario->actions[i];

		if (action->kind == ACTION_CALL)
			make_call(run, action);
		else
			pam_set_item(run->pamh, action->item, *action->value ? action->value : NULL);
	}
	if (run->pamh)
		pam_end(run->pamh, PAM_SUCCESS);
}

/* One of many threads that make the same call at once, each with a handle of its own. */
static void *run_thread(void *arg)
{
	struct run *run = arg;
	const struct pam_conv conv = { converse, run };
	int code;

	if (start(run, &conv) != PAM_SUCCESS) {
		problem(run, "pam_start failed");
		return NULL;
	}
	code = call_function(run);
	if (code != run->call->code)
		problem(run, "a thread got %d", code);
	pam_end(run->pamh, PAM_SUCCESS);
	capture_reset();
	return NULL;
}

static void run_threads(struct run *run)
{
	struct run runs[16];
	pthread_t threads[16];
	unsigned n = run->scenario->threads < 16 ? run->scenario->threads : 16;

	fake_daemon_script(run->daemon, &run->scenario->actions[0], true);
	for (unsigned i = 0; i < n; i++) {
		runs[i] = (struct run){ .scenario = run->scenario, .call = &run->scenario->actions[0] };
		if (pthread_create(&threads[i], NULL, run_thread, &runs[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		if (runs[i].problems.len > 0)
			buf_add(&run->problems, runs[i].problems.data, runs[i].problems.len);
		buf_free(&runs[i].problems);
	}
}

/* The login uid is the mounted file's word; the real one is the process's, as in a set-uid program. */
static bool set_uids(const struct scenario *scenario)
{
	const char *login = scenario->login_uid ? scenario->login_uid : "4294967295";
	AUTO_CLOSE int fd = open(LOGIN_UID, O_WRONLY | O_TRUNC | O_CLOEXEC);
	uid_t real = scenario->real_uid ? (uid_t)strtoul(scenario->real_uid, NULL, 10) : 0;

	return fd >= 0 && write(fd, login, strlen(login)) == (ssize_t)strlen(login) && setreuid(real, 0) == 0;
}

/* QUIET: only what fails is told. */
static bool run_file(unsigned number, const char *path, const char *module, const char *stub, bool quiet)
{
	struct scenario scenario;
	struct run run = { .scenario = &scenario };
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char why[512];
	bool ok;

	if (!scenario_read(path, module, stub, &scenario, why, sizeof(why))) {
		buf_printf(&run.problems, "# %s\n", why);
	} else if (!write_config(&scenario)) {
		buf_printf(&run.problems, "# no configuration: %s\n", strerror(errno));
	} else if (!kubelet_write(scenario.kubelet)) {
		buf_printf(&run.problems, "# no token file: %s\n", strerror(errno));
	} else if (!set_uids(&scenario)) {
		buf_printf(&run.problems, "# cannot set the uids: %s\n", strerror(errno));
	} else {
		run.daemon = fake_daemon_start(scenario.daemon);
		if (scenario.threads)
			run_threads(&run);
		else
			run_actions(&run);
		fake_daemon_stop(run.daemon);
		if (setreuid(0, 0) < 0)
			abort();
	}
	ok = run.problems.len == 0;
	if (!quiet || !ok)
		printf("%sok %u - %.*s\n%s", ok ? "" : "not ", number, (int)strcspn(name, "."), name,
		    ok ? "" : run.problems.data);
	buf_free(&run.problems);
	scenario_free(&scenario);
	return ok;
}

/* An empty /run of our own, and a login uid and a passwd file with accounts for the scenarios; nothing outside sees
 * them. */
static bool enter_namespace(void)
{
	static const char accounts[] = "k8s_toor_x:x:0:0:root by another name:/root:/bin/sh\n"
				       "opened:x:4242:4242:a local account:/:/bin/sh\n"
				       "k8s_web_app:x:1900000001:1900000001:one of ours:/:/bin/sh\n";
	AUTO_BUF struct buf passwd = { 0 };
	AUTO_CLOSE int from = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	AUTO_CLOSE int login = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0 || mkdir(K8SAUTH_RUN_DIR, 0755) < 0 ||
	    mkdir(CONFIG_DIR, 0755) < 0)
		return false;
	login = open(LOGIN_UID, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (login < 0 || mount(LOGIN_UID, "/proc/self/loginuid", NULL, MS_BIND, NULL) < 0)
		return false;
	to = open("/run/passwd", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	for (char c; read(from, &c, 1) == 1;)
		buf_add_char(&passwd, c);
	buf_add_str(&passwd, accounts);
	return write(to, passwd.data, passwd.len) == (ssize_t)passwd.len &&
	       mount("/run/passwd", "/etc/passwd", NULL, MS_BIND, NULL) == 0;
}

static int is_scenario(const struct dirent *entry)
{
	return ends_with(entry->d_name, ".scenario") && (memory_can_fail() || !starts_with(entry->d_name, "nomem-"));
}

static int run_folder(const char *folder, const char *module, const char *stub, bool cells)
{
	struct dirent **files;
	char *names[1024] = { NULL }, path[4096];
	bool ok = true;
	int n = scandir(folder, &files, is_scenario, alphasort);

	if (n <= 0 || n > (int)ARRAY_SIZE(names) || (cells && !cells_begin())) {
		fprintf(stderr, "no scenarios in %s\n", folder);
		return 2;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		names[i] = files[i]->d_name;
		cells_scenario((unsigned)i + 1);
		ok = run_file((unsigned)i + 1, path, module, stub, cells) && ok;
	}
	if (cells)
		ok = cells_report(names) && ok;
	else
		printf("1..%d\n", n);
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	bool cells = argc == 5 && streq(argv[4], "cells");
	/* libpam wants absolute paths. */
	AUTO_FREE char *module = argc == 4 || cells ? realpath(argv[1], NULL) : NULL;
	AUTO_FREE char *stub = argc == 4 || cells ? realpath(argv[2], NULL) : NULL;

	if (!module || !stub) {
		fprintf(stderr, "usage: %s MODULE STUB FOLDER [cells]\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() != 0 || !enter_namespace()) {
		printf("1..1\nok 1 - scenarios # SKIP no mount namespace: %s\n",
		    geteuid() != 0 ? "only root may have one" : strerror(errno));
		return 0;
	}
	umask(022);
	return run_folder(argv[3], module, stub, cells);
}
