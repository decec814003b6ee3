/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning and end of every entry point: options, user, and who is none of our business. */
#include "module/module.h"

#include <pwd.h>
#include <syslog.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "accounts/names.h"
#include "base/text.h"

static void read_options(struct module *module, int argc, const char **argv)
{
	const char *conflict;

	for (int i = 0; i < argc; i++) {
		const char *wrong = option_parse(&module->options, argv[i]);

		if (!wrong)
			continue;
		module->bad_option = true;
		pam_syslog(module->pamh, LOG_ERR, "option %s %s", argv[i], wrong);
	}
	conflict = options_conflict(&module->options);
	if (conflict) {
		module->bad_option = true;
		pam_syslog(module->pamh, LOG_ERR, "option %s", conflict);
	}
}

/* An item as text; NULL where it is unset, empty, or not fit for the wire. */
static const char *get_item(const struct module *module, int item)
{
	const void *value = NULL;
	const char *text;

	if (pam_get_item(module->pamh, item, &value) != PAM_SUCCESS || !value)
		return NULL;
	text = value;
	return *text && utf8_valid(text, strlen(text)) ? text : NULL;
}

/* Only the auth phase may ask for the name (login(1) leaves that to modules): some applications break at the question.
 */
static enum situation read_user(struct module *module)
{
	const void *item = NULL;
	int r;

	if (module->phase == PHASE_AUTH) {
		r = pam_get_user(module->pamh, &module->user, NULL);
	} else {
		r = pam_get_item(module->pamh, PAM_USER, &item);
		module->user = item;
	}
	if (r == PAM_CONV_AGAIN)
		return SITUATION_AGAIN;
	if (r != PAM_SUCCESS || !module->user || !*module->user) {
		module->user = NULL;
		return SITUATION_NO_USER;
	}
	return SITUATION_DONE;
}

bool module_is_root(const struct module *module, const char *user)
{
	const struct passwd *entry;

	if (streq(user, "root"))
		return true;
	entry = pam_modutil_getpwnam(module->pamh, user);
	return entry && entry->pw_uid == 0;
}

/* Root must never depend on us. Only where we could let somebody in or keep somebody out. */
static bool is_root(const struct module *module)
{
	if (module->phase == PHASE_CRED || module->phase == PHASE_CLOSE)
		return streq(module->user, "root");
	return module_is_root(module, module->user);
}

/* Whether an account whose name is not ours concerns us: the line says so, and an exchange came first or comes now. */
static bool is_opened_local(const struct module *module)
{
	if (!module->options.local)
		return false;
	return module->phase == PHASE_AUTH || handle_is(module) || session_get(module) || verified_is(module);
}

bool module_knows_user(const struct module *module)
{
	return module->ours || is_opened_local(module);
}

/* Who the phase is about, and whether he concerns us. */
static enum situation find_user(struct module *module)
{
	bool gate = module->options.session || module->options.require;
	enum situation situation;

	/* A line that cannot be read may be a gate: it is judged as one too, so that sudo's target does not hide its
	 * caller. */
	if (gate || module->bad_option) {
		situation = gate_find_caller(module);
		if (gate || situation != SITUATION_NOT_OURS)
			return situation;
	}
	/* Whom root becomes (su) is root's affair; a job of cron and a login have no caller. */
	if (module->phase == PHASE_ACCOUNT && gate_caller_is_root(module))
		return SITUATION_NOT_OURS;
	return module_knows_user(module) && !is_root(module) ? SITUATION_DONE : SITUATION_NOT_OURS;
}

enum situation module_begin(
    struct module *module, pam_handle_t *pamh, enum phase phase, int flags, int argc, const char **argv)
{
	enum situation situation;

	*module = (struct module){ .pamh = pamh, .phase = phase, .flags = flags };
	read_options(module, argc, argv);
	situation = read_user(module);
	if (situation != SITUATION_DONE)
		return situation;
	module->ours = account_name_is_ours(module->user);
	module->service = get_item(module, PAM_SERVICE);
	module->tty = get_item(module, PAM_TTY);
	module->rhost = get_item(module, PAM_RHOST);
	module->ruser = get_item(module, PAM_RUSER);
	report_debug(module, "%s: flags 0x%x", phase_name(phase), (unsigned)flags);
	if (gate_is_misplaced(module))
		module->bad_option = true;
	situation = find_user(module);
	if (situation != SITUATION_DONE)
		return situation;
	/* setcred and close_session only tidy up: that must not fail for an option. */
	if (module->bad_option && phase != PHASE_CRED && phase != PHASE_CLOSE)
		return SITUATION_BAD_OPTION;
	if (!module->service || !utf8_valid(module->user, strlen(module->user)))
		return SITUATION_NO_USER;
	return SITUATION_DONE;
}

int module_end(const struct module *module, enum situation situation)
{
	int code = module_code(module->phase, situation);

	if (module->user)
		report_debug(module, "%s: %s", phase_name(module->phase), pam_strerror(module->pamh, code));
	return code;
}
