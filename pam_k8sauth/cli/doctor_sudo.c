/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and sudo: is the gate whole, and does sudoers leave it in force? */
#include <errno.h>

#include <k8sauth/limits.h>

#include "accounts/conf.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/pam_stack.h"
#include "cli/sudoers.h"

#define SUDOERS "/etc/sudoers"
#define OURS	"pam_k8sauth.so"

#define SUDO_SERVICES 3 /* of sudo, of sudo -i, of sudo -A */

/* Where a setting is switched off in the end; NULL: it is not. */
struct setting {
	const char *ours, *others;
};

/* One Defaults line on what the lines in front of it came to. */
static void apply(const struct sudoers *sudoers, const struct sudoers_default *line, struct setting *setting)
{
	/* For some hosts, targets or commands only: that may be every one that matters. */
	bool part = line->scope == '@' || line->scope == '>' || line->scope == '!';
	enum sudoers_cover cover = line->scope == ':' ? sudoers_covers(sudoers, line->list) : COVERS_ALL;

	if (line->off) {
		if (cover != COVERS_OTHERS)
			setting->ours = line->where;
		if (cover == COVERS_ALL || cover == COVERS_OTHERS)
			setting->others = line->where;
	} else if (!part) {
		if (cover >= COVERS_OURS)
			setting->ours = NULL;
		if (cover == COVERS_ALL)
			setting->others = NULL;
	}
}

/* As sudo does it: in the order of the files, those for commands last. */
static struct setting setting_of(const struct sudoers *sudoers, const char *name, struct setting setting)
{
	for (int commands = 0; commands < 2; commands++) {
		for (size_t i = 0; i < sudoers->n_defaults; i++) {
			const struct sudoers_default *line = &sudoers->defaults[i];

			if ((line->scope == '!') == commands && streq(line->name, name))
				apply(sudoers, line, &setting);
		}
	}
	return setting;
}

static void check_phases(struct doctor *doctor, const struct sudoers *sudoers)
{
	static const char *const names[] = { "pam_acct_mgmt", "pam_session" };

	doctor_looked(doctor, FINDING_SUDO_PAM_OFF);
	doctor_looked(doctor, FINDING_SUDO_PAM_OFF_OTHERS);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct setting setting = setting_of(sudoers, names[i], (struct setting){ 0 });

		if (setting.ours)
			doctor_find(doctor, FINDING_SUDO_PAM_OFF, setting.ours, "!%s", names[i]);
		else if (setting.others)
			doctor_find(doctor, FINDING_SUDO_PAM_OFF_OTHERS, setting.others, "!%s", names[i]);
	}
}

/* Only where sudoers lets service accounts do something is it missed. */
static void check_noninteractive(struct doctor *doctor, const struct sudoers *sudoers)
{
	struct setting setting = { .ours = "" };
	const char *rule = NULL;

	for (size_t i = 0; i < sudoers->n_rules && !rule; i++) {
		enum sudoers_cover cover = sudoers_covers(sudoers, sudoers->rules[i].users);

		if (cover == COVERS_SOME || cover == COVERS_OURS)
			rule = sudoers->rules[i].where;
	}
	doctor_looked(doctor, FINDING_SUDO_NONINTERACTIVE);
	setting = setting_of(sudoers, "noninteractive_auth", setting);
	if (rule && setting.ours)
		doctor_find(doctor, FINDING_SUDO_NONINTERACTIVE, *setting.ours ? setting.ours : rule,
		    *setting.ours ? "!noninteractive_auth" : "a rule without it");
}

/* Whether REST, "hosts = (users:groups) TAGS: commands", names groups. */
static bool rule_has_groups(const char *rest)
{
	for (const char *open = strchr(rest, '('); open; open = strchr(open + 1, '(')) {
		size_t len = strcspn(open, ")");
		const char *colon = memchr(open, ':', len);

		if (colon && strspn(colon + 1, " \t") < len - (size_t)(colon + 1 - open))
			return true;
	}
	return false;
}

/* The gate is told of the target user alone: PAM has no item for a group. */
static void check_groups(struct doctor *doctor, const struct sudoers *sudoers)
{
	doctor_looked(doctor, FINDING_SUDO_GROUPS);
	for (size_t i = 0; i < sudoers->n_rules; i++) {
		const struct sudoers_rule *rule = &sudoers->rules[i];

		if (sudoers_covers(sudoers, rule->users) != COVERS_OTHERS && rule_has_groups(rule->rest))
			doctor_find(doctor, FINDING_SUDO_GROUPS, rule->where, "%s", rule->rest);
	}
}

/* An account of the machine has its own rules, whoever logs in to it. */
static void check_opened(struct doctor *doctor, const struct sudoers *sudoers)
{
	AUTO_FREE char *path = text_of("%s%s", doctor->root, K8SAUTH_ACCOUNTS_CONF);
	AUTO_CONF struct accounts_conf *conf = NULL;
	char why[512];

	if (conf_load(path, doctor->owner, &conf, why, sizeof(why)) < 0)
		return; /* check_accounts says why */
	doctor_looked(doctor, FINDING_SUDO_OPENED);
	for (size_t i = 0; i < conf->n_locals; i++) {
		for (size_t k = 0; k < sudoers->n_rules; k++) {
			if (sudoers_names(sudoers, sudoers->rules[k].users, conf->locals[i].name))
				doctor_find(doctor, FINDING_SUDO_OPENED, sudoers->rules[k].where,
				    "%s, which accounts.conf opens", conf->locals[i].name);
		}
	}
}

void check_sudoers(struct doctor *doctor)
{
	struct sudoers sudoers;

	sudoers_read(doctor->root, SUDOERS, &sudoers);
	if (sudoers.error != -ENOENT || sudoers.files > 1) {
		if (sudoers.unread) {
			doctor_unread(doctor, FINDING_SUDO_PAM_OFF, sudoers.error, sudoers.unread);
			doctor_unread(doctor, FINDING_SUDO_NONINTERACTIVE, sudoers.error, sudoers.unread);
			doctor_partly(doctor, FINDING_SUDO_PAM_OFF_OTHERS);
			doctor_partly(doctor, FINDING_SUDO_GROUPS);
			doctor_partly(doctor, FINDING_SUDO_OPENED);
		}
		if (sudoers.files > 0 && sudoers.error != -EACCES) {
			check_phases(doctor, &sudoers);
			check_noninteractive(doctor, &sudoers);
			check_groups(doctor, &sudoers);
			check_opened(doctor, &sudoers);
		}
	}
	sudoers_free(&sudoers);
}

/* --- the gate -------------------------------------------------------------------------------- */

/* The lines of the gate in one PAM service. */
struct gate {
	char *service;
	bool there; /* the service is */
	unsigned lines;
	bool has[PAM_PHASES];
};

/* Whether LINE is the gate's in PHASE: `session` in auth, `require=` in the others. */
static bool gate_line(const struct pam_line *line, unsigned phase)
{
	return streq(line->module, OURS) && pam_option(line, phase == PHASE_AUTH ? "session" : "require=");
}

static void read_gate(struct doctor *doctor, const struct pam_stack *stack, struct gate *gate)
{
	for (unsigned phase = 0; phase < PAM_PHASES; phase++) {
		const struct pam_chain *chain = &stack->phases[phase];

		for (size_t i = 0; i < chain->n; i++) {
			enum pam_action_kind refusal = pam_action(chain->lines[i].control, "perm_denied").kind;

			if (!gate_line(&chain->lines[i], phase))
				continue;
			gate->lines += !gate->has[phase];
			gate->has[phase] = true;
			if (phase != PHASE_AUTH && refusal != ACTION_BAD && refusal != ACTION_DIE)
				doctor_find(doctor, FINDING_SUDO_GATE, chain->lines[i].where,
				    "the line is \"%s\" in %s", chain->lines[i].control, gate->service);
		}
	}
}

/* The PAM service that sudoers names by SETTING for service accounts, or USUAL; the caller's. A setting for some only
 * may be theirs. */
static char *service_of(const struct sudoers *sudoers, const char *setting, const char *usual)
{
	const char *service = usual;

	for (size_t i = 0; i < sudoers->n_defaults; i++) {
		const struct sudoers_default *line = &sudoers->defaults[i];
		bool theirs = line->scope != ':' || sudoers_covers(sudoers, line->list) != COVERS_OTHERS;

		if (theirs && streq(line->name, setting))
			service = line->off || !line->value || !*line->value ? usual : line->value;
	}
	return text_of("%s", service);
}

/* Reads the services that sudo asks into GATES. The number of lines of the gate that they have. */
static unsigned read_gates(struct doctor *doctor, struct gate gates[static SUDO_SERVICES])
{
	struct sudoers sudoers;
	unsigned lines = 0;

	sudoers_read(doctor->root, SUDOERS, &sudoers);
	gates[0].service = service_of(&sudoers, "pam_service", "sudo");
	gates[1].service = service_of(&sudoers, "pam_login_service", "sudo-i");
	gates[2].service = service_of(&sudoers, "pam_askpass_service", gates[0].service);
	sudoers_free(&sudoers);
	for (size_t i = 0; i < SUDO_SERVICES; i++) {
		struct pam_stack stack;

		pam_stack_read(doctor->root, gates[i].service, &stack);
		gates[i].there = stack.error != -ENOENT || stack.files > 1;
		if (gates[i].there && stack.unread)
			doctor_unread(doctor, FINDING_SUDO_GATE, stack.error, stack.unread);
		read_gate(doctor, &stack, &gates[i]);
		lines += gates[i].lines;
		pam_stack_free(&stack);
	}
	return lines;
}

static void find_missing(struct doctor *doctor, const struct gate *gate)
{
	static const char *const phases[] = { "auth ... session", "account ... require=", "session ... require=" };
	AUTO_FREE char *where = text_of("/etc/pam.d/%s", gate->service);
	AUTO_BUF struct buf missing = { 0 };

	for (unsigned phase = 0; gate->there && phase < PAM_PHASES; phase++) {
		if (!gate->has[phase])
			buf_printf(&missing, "%s%s", missing.len > 0 ? ", " : "", phases[phase]);
	}
	if (missing.len > 0)
		doctor_find(doctor, FINDING_SUDO_GATE, where, "without the line %s", missing.data);
}

void check_gate(struct doctor *doctor)
{
	struct gate gates[SUDO_SERVICES] = { 0 };
	unsigned lines = read_gates(doctor, gates);

	if (gates[0].there || gates[1].there) {
		doctor_looked(doctor, FINDING_SUDO_GATE);
		doctor_looked(doctor, FINDING_SUDO_NO_GATE);
		if (lines == 0)
			doctor_find(
			    doctor, FINDING_SUDO_NO_GATE, "/etc/pam.d/sudo", "none of the three lines is there");
		for (size_t i = 0; lines > 0 && i < SUDO_SERVICES; i++) {
			/* -A asks the same one, unless sudoers says otherwise. */
			if (i < 2 || !streq(gates[i].service, gates[0].service))
				find_missing(doctor, &gates[i]);
		}
	}
	for (size_t i = 0; i < SUDO_SERVICES; i++)
		free(gates[i].service);
}
