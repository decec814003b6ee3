/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and the PAM services that have our lines: are these asked, do they count, is what is around them right? */
#include <errno.h>

#include "base/text.h"
#include "cli/doctor.h"
#include "cli/pam_stack.h"

#define OURS "pam_k8sauth.so"

static bool one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (streq(name, names[i]))
			return true;
	}
	return false;
}

static bool is_console(const char *service)
{
	static const char *const names[] = { "login", "lightdm", "lightdm-autologin", "lightdm-greeter", "sddm",
		"sddm-autologin", "sddm-greeter", "xdm", "lxdm", "slim", "greetd" };

	return starts_with(service, "gdm") || one_of(service, names, ARRAY_SIZE(names));
}

/* Services in which somebody who is logged in becomes another one: the login uid stays. */
static bool keeps_login(const char *service)
{
	static const char *const names[] = { "sudo", "sudo-i", "su", "su-l", "runuser", "runuser-l", "polkit-1",
		"systemd-user" };

	return one_of(service, names, ARRAY_SIZE(names));
}

static bool makes_login(const char *service)
{
	static const char *const names[] = { "sshd", "remote", "cron", "atd" };

	return is_console(service) || one_of(service, names, ARRAY_SIZE(names));
}

/* The first line of ours that makes or opens a login, none of the gate's; CHAIN->n if there is none. */
static size_t login_line(const struct pam_chain *chain)
{
	size_t i = pam_find(chain, OURS, 0);

	while (i < chain->n && (pam_option(&chain->lines[i], "require=") || pam_option(&chain->lines[i], "session")))
		i = pam_find(chain, OURS, i + 1);
	return i;
}

/* --- bypass and control ---------------------------------------------------------------------- */

/* Whether MODULE, in front of ours, can succeed for a user of ours at all: root is none, and nobody passes pam_deny. */
static bool can_succeed(const char *module)
{
	static const char *const names[] = { "", OURS, "pam_deny.so", "pam_rootok.so" };

	return !one_of(module, names, ARRAY_SIZE(names));
}

/*
 * Whether some code that CONTROL names makes line FROM jump over line TO. A failure that jumps does not count as one;
 * nor does PAM_IGNORE that ends the phase.
 */
static bool jumps_over(const struct pam_chain *chain, size_t from, size_t to)
{
	const char *control = chain->lines[from].control;

	for (const char *c = control; strchr(c, '=');) {
		size_t len = strcspn(c, " =");
		AUTO_FREE char *code = text_of("%.*s", (int)len, c);
		enum pam_action_kind kind = pam_action(control, code).kind;

		if ((kind == ACTION_JUMP || (kind == ACTION_DONE && streq(code, "ignore"))) &&
		    pam_skips(chain, from, to, code))
			return true;
		c = strchr(c, '=') + 1;
		c += strspn(c, " ");
		c += strcspn(c, " ");
		c += strspn(c, " ");
	}
	return false;
}

static void check_bypass(struct doctor *doctor, const char *service, const struct pam_chain *chain, size_t ours)
{
	/* An expired password of a local account is no way around the gate either. */
	const char *codes[] = { "success", "new_authtok_reqd" };
	size_t n = pam_option(&chain->lines[ours], "require=") ? 2 : 1;

	for (size_t i = 0; i < ours; i++) {
		bool skips = can_succeed(chain->lines[i].module) && jumps_over(chain, i, ours);

		for (size_t code = 0; code < n && can_succeed(chain->lines[i].module); code++)
			skips |= pam_skips(chain, i, ours, codes[code]);
		if (skips)
			doctor_find(doctor, FINDING_PAM_BYPASS, chain->lines[i].where,
			    "%s is \"%s\" and in front of %s, in service %s", chain->lines[i].module,
			    chain->lines[i].control, chain->lines[ours].where, service);
	}
}

/* The lines that refuse: all of the account phase, and the gate's. sudo's own are check_gate()'s. */
static void check_control(struct doctor *doctor, const char *service, unsigned phase, const struct pam_line *line)
{
	enum pam_action_kind refusal = pam_action(line->control, "perm_denied").kind;

	if (phase == PHASE_AUTH || (phase == PHASE_SESSION && !pam_option(line, "require=")) ||
	    streq(service, "sudo") || streq(service, "sudo-i"))
		return;
	if (refusal != ACTION_BAD && refusal != ACTION_DIE)
		doctor_find(doctor, FINDING_PAM_CONTROL, line->where, "the line is \"%s\", in service %s",
		    line->control, service);
}

static void check_lines(struct doctor *doctor, const char *service, const struct pam_stack *stack)
{
	for (unsigned phase = 0; phase < PAM_PHASES; phase++) {
		const struct pam_chain *chain = &stack->phases[phase];

		for (size_t i = pam_find(chain, OURS, 0); i < chain->n; i = pam_find(chain, OURS, i + 1)) {
			check_bypass(doctor, service, chain, i);
			check_control(doctor, service, phase, &chain->lines[i]);
		}
	}
}

/* --- what a login needs ---------------------------------------------------------------------- */

static void check_account(struct doctor *doctor, const char *service, const struct pam_stack *stack)
{
	const struct pam_chain *auth = &stack->phases[PHASE_AUTH], *account = &stack->phases[PHASE_ACCOUNT];
	size_t i = login_line(auth);

	if (i < auth->n && pam_find(account, OURS, 0) == account->n)
		doctor_find(doctor, FINDING_PAM_ACCOUNT, auth->lines[i].where, "in service %s", service);
}

static void check_env(struct doctor *doctor, const char *service, const struct pam_stack *stack, size_t ours)
{
	const struct pam_chain *auth = &stack->phases[PHASE_AUTH], *session = &stack->phases[PHASE_SESSION];
	size_t login = login_line(auth);

	for (size_t i = pam_find(session, "pam_env.so", 0); i < ours; i = pam_find(session, "pam_env.so", i + 1)) {
		if (pam_option(&session->lines[i], "user_readenv=1"))
			doctor_find(doctor, FINDING_PAM_ENV, session->lines[i].where, "in front of %s, in service %s",
			    session->lines[ours].where, service);
	}
	/* In auth it runs with setcred, so before every session line, unless our success ends the phase. */
	for (size_t i = pam_find(auth, "pam_env.so", 0); i < auth->n; i = pam_find(auth, "pam_env.so", i + 1)) {
		if (pam_option(&auth->lines[i], "user_readenv=1") &&
		    !(login < i && pam_skips(auth, login, i, "success")))
			doctor_find(doctor, FINDING_PAM_ENV, auth->lines[i].where, "in front of %s, in service %s",
			    session->lines[ours].where, service);
	}
}

static void check_loginuid(struct doctor *doctor, const char *service, const struct pam_chain *session, size_t ours)
{
	size_t i = pam_find(session, "pam_loginuid.so", 0);

	if (i < ours || keeps_login(service) || !(session->lines[ours].own || makes_login(service)))
		return;
	if (i < session->n)
		doctor_find(doctor, FINDING_PAM_LOGINUID, session->lines[i].where,
		    "pam_loginuid stands behind %s, in service %s", session->lines[ours].where, service);
	else
		doctor_find(
		    doctor, FINDING_PAM_LOGINUID, session->lines[ours].where, "no pam_loginuid in service %s", service);
}

static void find_exec(struct doctor *doctor, const char *service, const struct pam_chain *chain, size_t i, size_t end)
{
	for (i = pam_find(chain, "pam_exec.so", i); i < end; i = pam_find(chain, "pam_exec.so", i + 1))
		doctor_find(doctor, FINDING_PAM_EXEC, chain->lines[i].where, "in service %s", service);
}

static void check_exec(struct doctor *doctor, const char *service, const struct pam_stack *stack, size_t ours)
{
	const struct pam_chain *auth = &stack->phases[PHASE_AUTH];
	size_t login = login_line(auth), last = login;

	if (login == auth->n)
		return;
	/* What our success skips does not run in a login of ours. */
	while (last + 1 < auth->n && !pam_skips(auth, login, last + 1, "success"))
		last++;
	find_exec(doctor, service, auth, login + 1, last + 1);
	find_exec(doctor, service, &stack->phases[PHASE_ACCOUNT], 0, stack->phases[PHASE_ACCOUNT].n);
	find_exec(doctor, service, &stack->phases[PHASE_SESSION], 0, ours);
}

static void check_console(struct doctor *doctor, const char *service, const struct pam_stack *stack)
{
	for (unsigned phase = 0; phase < PAM_PHASES && is_console(service); phase++) {
		const struct pam_chain *chain = &stack->phases[phase];
		size_t i = pam_find(chain, OURS, 0);
		AUTO_FREE char *where = text_of("/etc/pam.d/%s", service);

		if (i < chain->n) {
			doctor_find(doctor, FINDING_CONSOLE, where, "%s is in it", chain->lines[i].where);
			return;
		}
	}
}

static const enum finding_id pam_ids[] = { FINDING_PAM_BYPASS, FINDING_PAM_CONTROL, FINDING_PAM_ACCOUNT, FINDING_PAM_ENV,
	FINDING_PAM_LOGINUID, FINDING_PAM_EXEC, FINDING_CONSOLE };

static void pam_unread(struct doctor *doctor, int error, const char *what)
{
	doctor_unread(doctor, FINDING_PAM_BYPASS, error, what);
	for (size_t i = 0; i < ARRAY_SIZE(pam_ids); i++)
		doctor_partly(doctor, pam_ids[i]);
}

static void check_service(struct doctor *doctor, const char *service)
{
	struct pam_stack stack;
	const struct pam_chain *session = &stack.phases[PHASE_SESSION];
	bool ours = false;
	size_t i;

	pam_stack_read(doctor->root, service, &stack);
	for (unsigned phase = 0; phase < PAM_PHASES; phase++)
		ours |= pam_find(&stack.phases[phase], OURS, 0) < stack.phases[phase].n;
	if (stack.unread && (ours || stack.error == -EACCES))
		pam_unread(doctor, stack.error, stack.unread);
	if (ours) {
		check_lines(doctor, service, &stack);
		check_account(doctor, service, &stack);
		check_console(doctor, service, &stack);
		i = login_line(session);
		if (i < session->n) {
			check_env(doctor, service, &stack, i);
			check_loginuid(doctor, service, session, i);
			check_exec(doctor, service, &stack, i);
		}
	}
	pam_stack_free(&stack);
}

void check_pam(struct doctor *doctor)
{
	static const char *const folders[] = { "/etc/pam.d", "/usr/lib/pam.d" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char **names = NULL;
		int r = look_folder(doctor->root, folders[i], &names);

		if (r < 0 && r != -ENOENT)
			pam_unread(doctor, r, folders[i]);
		for (char **name = names; name && *name; name++) {
			/* What is only included is looked at where it is. */
			if (!starts_with(*name, "common-") && !strchr(*name, '.') && !ends_with(*name, "~"))
				check_service(doctor, *name);
		}
		strings_free(names);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pam_ids); i++)
		doctor_looked(doctor, pam_ids[i]);
}
