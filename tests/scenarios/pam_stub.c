/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another module of the stack, for scenarios. Options: authtok=TEXT sets PAM_AUTHTOK, putenv=NAME=VALUE sets a
 * variable, log_authtok logs how long PAM_AUTHTOK is, return=N is what it returns (default 0).
 */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>

#define EXPORT __attribute__((visibility("default")))

static int act(pam_handle_t *pamh, int argc, const char **argv)
{
	const void *item = NULL;
	int code = PAM_SUCCESS;

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "authtok=", 8) == 0)
			pam_set_item(pamh, PAM_AUTHTOK, argv[i] + 8);
		else if (strncmp(argv[i], "putenv=", 7) == 0)
			pam_putenv(pamh, argv[i] + 7);
		else if (strncmp(argv[i], "return=", 7) == 0)
			code = atoi(argv[i] + 7);
		else if (pam_get_item(pamh, PAM_AUTHTOK, &item) == PAM_SUCCESS)
			pam_syslog(pamh, LOG_NOTICE, "authtok of %zu bytes", item ? strlen(item) : 0);
	}
	return code;
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return act(pamh, argc, argv);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return PAM_SUCCESS;
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return act(pamh, argc, argv);
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return act(pamh, argc, argv);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return PAM_SUCCESS;
}

EXPORT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return PAM_SUCCESS;
}
