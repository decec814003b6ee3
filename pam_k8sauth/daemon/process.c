/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's own process; see process.h. */
#include "daemon/process.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <k8sauth/limits.h>

#include "base/secret.h"

#define DESCRIPTORS 8192 /* 1024 HTTP and 1024 wire connections, a pidfd per session, and room */

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_malloc(size);
}

static void *crypto_realloc(void *data, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_realloc(data, size);
}

static void crypto_free(void *data, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(data);
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int process_harden(void)
{
	const struct rlimit no_core = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	/* libcurl writes the keys of its TLS sessions to the file that it names. */
	unsetenv("SSLKEYLOGFILE");
	/* Before the first use of each library. */
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
		return -EBUSY;
	event_set_mem_functions(wipe_malloc, wipe_realloc, wipe_free);
	json_set_alloc_funcs(wipe_malloc, wipe_free);
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc) !=
	    CURLE_OK)
		return -ENOMEM;
	return 0;
}

static int become(const struct passwd *user, char *why, size_t why_size)
{
	if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0) {
		snprintf(why, why_size, "cannot become the user " K8SAUTH_USER ": %s", strerror(errno));
		return -errno;
	}
	if (setuid(0) == 0) {
		snprintf(why, why_size, "root's rights came back after they were dropped");
		return -EPERM;
	}
	/* A change of uid puts it back to the system's default. */
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

static int find_user(const struct passwd **ret, char *why, size_t why_size)
{
	*ret = getpwnam(K8SAUTH_USER);
	if (*ret && (*ret)->pw_uid != 0)
		return 0;
	snprintf(why, why_size, "there is no user " K8SAUTH_USER ": run systemd-sysusers");
	return -ENOENT;
}

int process_become_user(char *why, size_t why_size)
{
	const struct passwd *user;
	int r = geteuid() == 0 ? find_user(&user, why, why_size) : 1;

	return r == 0 ? become(user, why, why_size) : r < 0 ? r : 0;
}

int process_drop_root(char *why, size_t why_size)
{
	const struct passwd *user;
	int r = geteuid() == 0 ? find_user(&user, why, why_size) : 1;

	if (r != 0)
		return r < 0 ? r : 0;
	if (mkdir(K8SAUTH_STATE_DIR, 0700) == 0 && chown(K8SAUTH_STATE_DIR, user->pw_uid, user->pw_gid) < 0) {
		snprintf(why, why_size, K8SAUTH_STATE_DIR ": %s", strerror(errno));
		return -errno;
	}
	return become(user, why, why_size);
}
