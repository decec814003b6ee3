/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many PAM sessions at once, each in a process of its own as sshd has them:
 *     pam_sessions SERVICE USER TOKEN-FILE N
 * logs in and opens all of them together, prints "open N failed N ms N", holds them until its standard input ends,
 * closes them together, and prints "closed N failed N ms N".
 */
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char token[16384];

static int answer(int n, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	struct pam_response *responses = calloc((size_t)n, sizeof(*responses));

	(void)arg;
	for (int i = 0; responses && i < n; i++) {
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			responses[i].resp = strdup(token);
	}
	*ret = responses;
	return responses ? PAM_SUCCESS : PAM_CONV_ERR;
}

static int hold_session(const char *service, const char *user, int opened, int end)
{
	static const struct pam_conv conversation = { answer, NULL };
	pam_handle_t *pam = NULL;
	char c = 'f';
	int r = pam_start(service, user, &conversation, &pam);

	if (r == PAM_SUCCESS)
		r = pam_authenticate(pam, 0);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pam, 0);
	if (r == PAM_SUCCESS)
		r = pam_setcred(pam, PAM_ESTABLISH_CRED);
	if (r == PAM_SUCCESS)
		r = pam_open_session(pam, 0);
	if (r == PAM_SUCCESS)
		c = 'o';
	if (write(opened, &c, 1) != 1)
		return 2;
	while (read(end, &c, 1) > 0)
		;
	if (r == PAM_SUCCESS)
		r = pam_close_session(pam, 0);
	pam_end(pam, r);
	return r == PAM_SUCCESS ? 0 : 1;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int fail(const char *what)
{
	perror(what);
	return 2;
}

int main(int argc, char **argv)
{
	int n = argc == 5 ? atoi(argv[4]) : 0, opened[2], end[2], done = 0, good = 0, status;
	int fd = argc == 5 ? open(argv[3], O_RDONLY | O_CLOEXEC) : -1;
	long long start = now_ms();
	ssize_t len;
	char c;

	if (n < 1 || fd < 0)
		return fail("pam_sessions SERVICE USER TOKEN-FILE N");
	len = read(fd, token, sizeof(token) - 1);
	token[len > 0 ? len : 0] = '\0';
	token[strcspn(token, "\n")] = '\0';
	if (pipe(opened) < 0 || pipe(end) < 0)
		return fail("pipe");
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return fail("fork");
		if (pid == 0) {
			close(end[1]);
			_exit(hold_session(argv[1], argv[2], opened[1], end[0]));
		}
	}
	while (done < n && read(opened[0], &c, 1) == 1) {
		done++;
		good += c == 'o';
	}
	printf("open %d failed %d ms %lld\n", good, n - good, now_ms() - start);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	start = now_ms();
	close(end[1]);
	done = good = 0;
	while (wait(&status) > 0) {
		done++;
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	printf("closed %d failed %d ms %lld\n", good, done - good, now_ms() - start);
	return good == n ? 0 : 1;
}
