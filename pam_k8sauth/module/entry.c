/* SPDX-License-Identifier: Apache-2.0 */
/* The six entry points of pam_k8sauth.so. */
#include <syslog.h>

#include "module/module.h"

#define EXPORT __attribute__((visibility("default")))

static enum situation close_session(struct module *module)
{
	const char *session = session_get(module);
	enum situation situation;

	if (!session)
		return SITUATION_NOTHING;
	situation = ask_close(module, session);
	session_keep(module, NULL);
	return situation;
}

/*
 * sudo asks who its caller is, and then does what sudoers says. Were a token an answer, whoever has one would pass
 * without a policy. A local account that the line opens has its password for that.
 */
static enum situation refuse_without_gate(const struct module *module)
{
	if (!module->ours)
		return SITUATION_NOT_OURS;
	report_refused(module, NULL, NULL,
	    "this service acts for users who are logged in already, and its PAM file has no gate that lets them pass: give "
	    "it the lines with session and require=, see pam_k8sauth(8)");
	return SITUATION_REFUSED;
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	AUTO_SECRET struct secret *credential = NULL;
	AUTO_SECRET struct secret *handle = NULL;
	struct module module;
	enum situation situation = module_begin(&module, pamh, PHASE_AUTH, flags, argc, argv);

	if (module.options.session)
		return module_end(&module, situation == SITUATION_DONE ? ask_check(&module) : situation);
	if (situation == SITUATION_DONE && gate_is_missing(&module))
		situation = refuse_without_gate(&module);
	if (situation == SITUATION_DONE) {
		handle_drop(&module);
		verified_drop(&module);
		situation = module.options.token_file ? token_file_read(&module, &credential)
						      : intake(&module, &credential);
	}
	if (situation != SITUATION_DONE)
		return module_end(&module, situation);
	if (module.options.verify) {
		situation = ask_verify(&module, credential);
		return module_end(&module, situation == SITUATION_DONE ? verified_keep(&module) : situation);
	}
	situation = ask_login(&module, credential, &handle);
	if (situation == SITUATION_DONE)
		situation = handle_put(&module, handle);
	return module_end(&module, situation);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct module module;
	enum situation situation = module_begin(&module, pamh, PHASE_CRED, flags, argc, argv);

	/* A gate has made nothing that could be taken up, nor has a verify. */
	if (module.options.session || module.options.require || module.options.verify)
		return module_end(&module, situation == SITUATION_DONE ? SITUATION_NOTHING : situation);
	if (situation == SITUATION_DONE && !(flags & PAM_DELETE_CRED))
		return module_end(&module, handle_keep(&module));
	/* Another user now (sudo's target): the handle was not for him, and no program of his may see it. */
	handle_drop(&module);
	if (situation == SITUATION_DONE)
		situation = close_session(&module); /* still open where a later session module has failed */
	return module_end(&module, situation);
}

/* No exchange, no entry (decision 17). k8sauthd decides, since it knows the service's block and the live sessions. */
EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	AUTO_SECRET struct secret *handle = NULL;
	struct module module;
	enum situation situation = module_begin(&module, pamh, PHASE_ACCOUNT, flags, argc, argv);

	if (module.options.require) {
		if (situation == SITUATION_DONE)
			situation = ask_check(&module);
		if (situation == SITUATION_DONE && gate_has_caller(&module))
			situation = gate_passed_keep(&module);
		return module_end(&module, situation);
	}
	if (situation == SITUATION_DONE && gate_passed_is(&module))
		return module_end(&module, SITUATION_DONE);
	if (situation == SITUATION_DONE && module.options.verify) {
		situation = verified_is(&module) ? SITUATION_DONE : SITUATION_REFUSED;
		if (situation == SITUATION_REFUSED)
			report_refused(&module, NULL, NULL,
			    "no credential was verified here: the auth line of this module must have the option verify "
			    "too");
	} else if (situation == SITUATION_DONE) {
		situation = handle_get(&module, &handle);
		if (situation != SITUATION_NO_MEMORY)
			situation = ask_account(&module, handle);
	}
	return module_end(&module, situation);
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	AUTO_SECRET struct secret *handle = NULL;
	struct module module;
	enum situation situation = module_begin(&module, pamh, PHASE_OPEN, flags, argc, argv);

	if (module.options.require) /* the handle is for the session line */
		return module_end(&module, situation == SITUATION_DONE ? ask_check(&module) : situation);
	if (module.options.verify)
		return module_end(&module, situation == SITUATION_DONE ? SITUATION_NOTHING : situation);
	/* Nothing with keys=allow, for systemd-user, in root's su: there was no exchange, and there is nothing to hand out. */
	if (situation == SITUATION_DONE)
		situation = handle_get(&module, &handle);
	handle_drop(&module);
	return module_end(&module, situation == SITUATION_DONE ? ask_open(&module, handle) : situation);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct module module;
	enum situation situation = module_begin(&module, pamh, PHASE_CLOSE, flags, argc, argv);

	if (situation == SITUATION_DONE)
		situation = module.options.require || module.options.verify ? SITUATION_NOTHING
									    : close_session(&module);
	return module_end(&module, situation);
}

/* Kubernetes issues the tokens: there is no password to change. */
EXPORT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct module module;
	enum situation situation = module_begin(&module, pamh, PHASE_PASSWORD, flags, argc, argv);

	if (situation == SITUATION_DONE) {
		situation = SITUATION_REFUSED;
		if (flags & PAM_PRELIM_CHECK)
			report_user(&module, "k8sauth: this account has no password; Kubernetes issues its tokens");
	}
	return module_end(&module, situation);
}
