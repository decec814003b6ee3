/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the gate asks about (decision 18). The login uid is the identity: no su and no sudo changes it, and the user
 * cannot write it. Applications that have a caller name him in PAM_RUSER (sudo, su), and PAM_USER is then whom he
 * becomes; sudo's real uid tells nothing, since it is 0 from setcred on. Daemons (sshd, cron) have no caller: there
 * PAM_USER is the one.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <syslog.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include <k8sauth/limits.h>

#include "accounts/names.h"
#include "base/text.h"
#include "module/module.h"

#define LOGIN_UID "/proc/self/loginuid"

/* The login uid; -1 (4294967295) where it is unset, or the kernel has none: that one is nobody's. False: it cannot be
 * read. */
static bool login_uid(uid_t *ret)
{
	AUTO_CLOSE int fd = open(LOGIN_UID, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[16];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned long uid = 0;

	*ret = (uid_t)-1;
	if (n <= 0)
		return fd < 0 && errno == ENOENT;
	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		uid = uid * 10 + (unsigned long)(text[i] - '0');
	*ret = uid >= (uid_t)-1 ? (uid_t)-1 : (uid_t)uid;
	return true;
}

/* NAME, owned by the PAM handle, where the login uid is ours; NULL where it is somebody else's. False: it may be ours,
 * and nobody can tell, or has no name. */
static bool find_login(const struct module *module, const char **ret_name)
{
	const struct passwd *entry;
	uid_t uid;

	if (!login_uid(&uid)) {
		pam_syslog(module->pamh, LOG_ERR, "%s cannot be read: %s", LOGIN_UID, strerror(errno));
		return false;
	}
	entry = uid == (uid_t)-1 || uid == 0 ? NULL : pam_modutil_getpwuid(module->pamh, uid);
	*ret_name = entry && account_name_is_ours(entry->pw_name) ? entry->pw_name : NULL;
	if (entry || uid < ACCOUNT_ID_BASE || uid >= ACCOUNT_ID_LIMIT)
		return true;
	pam_syslog(module->pamh, LOG_ERR, "the login uid %u has no name: k8sauth is missing in nsswitch.conf", uid);
	return false;
}

/* `session` takes the place of a password: it speaks for the one who asks to go on as himself, and for nobody else. */
static bool speaks_for_user(const struct module *module, const char *caller, const char *invoker)
{
	const struct passwd *entry;

	if (!streq(caller, module->user))
		return false;
	if (invoker)
		return streq(invoker, caller);
	entry = pam_modutil_getpwnam(module->pamh, caller);
	return entry && entry->pw_uid == getuid() && entry->pw_uid != 0;
}

enum situation gate_find_caller(struct module *module)
{
	const void *item = NULL;
	/* As it is: whether there is a caller must not hang on how his name is spelt. */
	const char *named = pam_get_item(module->pamh, PAM_RUSER, &item) == PAM_SUCCESS && item ? item : "";
	const char *invoker = *named && !module->rhost ? named : NULL; /* from another host it is that host's word */
	const char *caller = NULL;

	if (getuid() == 0 && invoker && module_is_root(module, invoker))
		return SITUATION_NOT_OURS;
	if ((getuid() != 0 || *named) && !find_login(module, &caller))
		return SITUATION_NO_USER;
	if (!caller && account_name_is_ours(named))
		caller = named;
	if (!caller && !invoker && module_knows_user(module))
		caller = module->user;
	if (!caller || module_is_root(module, caller))
		return SITUATION_NOT_OURS;
	if (module->options.session && !module->bad_option && !speaks_for_user(module, caller, invoker))
		return SITUATION_NOT_OURS;
	/* sudo's account phase has the caller in PAM_USER, and says only later whom he becomes. */
	if (module->phase == PHASE_OPEN || !invoker || !streq(module->user, invoker))
		module->target = module_is_root(module, module->user) ? "root" : module->user;
	module->user = caller;
	return SITUATION_DONE;
}

bool gate_has_caller(const struct module *module)
{
	return module->ruser && !module->rhost;
}

bool gate_caller_is_root(const struct module *module)
{
	return getuid() == 0 && gate_has_caller(module) && module_is_root(module, module->ruser);
}

bool gate_is_missing(const struct module *module)
{
	return gate_has_caller(module) && streq(module->ruser, module->user);
}

bool gate_is_misplaced(const struct module *module)
{
	bool session = module->options.session && module->phase != PHASE_AUTH && module->phase != PHASE_CRED;
	bool require = module->options.require && module->phase != PHASE_ACCOUNT && module->phase != PHASE_OPEN &&
		       module->phase != PHASE_CLOSE;

	if (session)
		pam_syslog(module->pamh, LOG_ERR, "option session belongs on an auth line");
	if (require)
		pam_syslog(module->pamh, LOG_ERR, "option require belongs on an account or a session line");
	return session || require;
}
