/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application that authenticates with every request: for each, pam_start, pam_authenticate, pam_acct_mgmt, pam_end,
 * as apache, PostgreSQL and saslauthd do.
 *     pam_verify [-r RHOST] [-n TIMES] [-j THREADS] [-e] SERVICE USER < CREDENTIALS
 * CREDENTIALS: a line each, taken in turn. Prints how often each result came ("100 PAM_SUCCESS"), and how long one
 * took. -e also prints the PAM environment and what modules said.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <security/pam_appl.h>

#include "base/macros.h"

#define LINES_MAX 1024
#define TIMES_MAX 100000
#define CODES	  64

static const char *service, *user, *rhost;
static char *lines[LINES_MAX];
static unsigned n_lines, times = 1, n_threads = 1;
static bool talkative;
static atomic_uint next_line, counts[CODES];
static double took[TIMES_MAX]; /* microseconds */

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	struct pam_response *answers = calloc((size_t)n, sizeof(*answers));

	for (int i = 0; i < n; i++) {
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			answers[i].resp = strdup(arg);
		else if (talkative)
			printf("said: %s\n", messages[i]->msg);
	}
	*ret = answers;
	return PAM_SUCCESS;
}

static void show_environment(pam_handle_t *pamh)
{
	char **environment = pam_getenvlist(pamh);

	for (char **at = environment; *at; at++) {
		printf("environment: %s\n", *at);
		free(*at);
	}
	free(environment);
}

static int ask_once(char *credential)
{
	struct pam_conv conversation = { converse, credential };
	pam_handle_t *pamh = NULL;
	int r = pam_start(service, user, &conversation, &pamh);

	if (r == PAM_SUCCESS && rhost)
		r = pam_set_item(pamh, PAM_RHOST, rhost);
	if (r == PAM_SUCCESS)
		r = pam_authenticate(pamh, 0);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pamh, 0);
	if (talkative)
		show_environment(pamh);
	pam_end(pamh, r);
	return r;
}

static void *work(void *arg)
{
	for (;;) {
		unsigned at = atomic_fetch_add(&next_line, 1);
		struct timespec from, to;

		if (at >= times)
			return NULL;
		clock_gettime(CLOCK_MONOTONIC, &from);
		atomic_fetch_add(&counts[ask_once(lines[at % n_lines]) % CODES], 1);
		clock_gettime(CLOCK_MONOTONIC, &to);
		took[at] = (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
	}
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static const char *code_name(unsigned code)
{
	switch (code) {
	case PAM_SUCCESS:
		return "PAM_SUCCESS";
	case PAM_AUTH_ERR:
		return "PAM_AUTH_ERR";
	case PAM_PERM_DENIED:
		return "PAM_PERM_DENIED";
	case PAM_AUTHINFO_UNAVAIL:
		return "PAM_AUTHINFO_UNAVAIL";
	case PAM_SYSTEM_ERR:
		return "PAM_SYSTEM_ERR";
	case PAM_CRED_INSUFFICIENT:
		return "PAM_CRED_INSUFFICIENT";
	default:
		return pam_strerror(NULL, (int)code);
	}
}

static void read_lines(void)
{
	size_t size = 0;
	ssize_t n;

	while (n_lines < LINES_MAX && (n = getline(&lines[n_lines], &size, stdin)) > 0) {
		lines[n_lines][strcspn(lines[n_lines], "\n")] = '\0';
		n_lines++;
		size = 0;
	}
}

static bool read_options(int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "r:n:j:e")) != -1;) {
		if (option == 'r')
			rhost = optarg;
		else if (option == 'n')
			times = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'j')
			n_threads = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'e')
			talkative = true;
		else
			return false;
	}
	if (argc - optind != 2 || times == 0 || times > TIMES_MAX || n_threads == 0)
		return false;
	service = argv[optind];
	user = argv[optind + 1];
	return true;
}

int main(int argc, char **argv)
{
	pthread_t *threads;

	read_lines();
	if (!read_options(argc, argv) || n_lines == 0) {
		fprintf(
		    stderr, "usage: %s [-r RHOST] [-n TIMES] [-j THREADS] [-e] SERVICE USER < CREDENTIALS\n", argv[0]);
		return 2;
	}
	threads = calloc(n_threads, sizeof(*threads));
	for (unsigned i = 0; i < n_threads; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 2;
	}
	for (unsigned i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < CODES; i++) {
		if (counts[i] > 0)
			printf("%u %s\n", counts[i], code_name(i));
	}
	qsort(took, times, sizeof(took[0]), by_time);
	printf(
	    "median %.1f us, p99 %.1f us, longest %.1f us\n", took[times / 2], took[times * 99 / 100], took[times - 1]);
	return 0;
}
