/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for a login: a module that asks as many hidden prompts as its argument says (by default one), as ours
 * words them, and is content with any answer. For measuring on throw-away machines only. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int parts = argc > 0 ? atoi(argv[0]) : 1;

	(void)flags;
	for (int part = 1; part <= parts; part++) {
		char *answer = NULL;
		int r = part == 1
			    ? pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer, "Password: ")
			    : pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer, "Password (part %d of %d): ", part, parts);

		if (r != PAM_SUCCESS || !answer)
			return PAM_AUTH_ERR;
		explicit_bzero(answer, strlen(answer));
		free(answer);
	}
	return PAM_SUCCESS;
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
