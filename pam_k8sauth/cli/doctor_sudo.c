/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and sudo: is the gate whole, and does sudoers leave it in force? */
#include <errno.h>

#include "base/text.h"
#include "cli/doctor.h"
#include "cli/pam_stack.h"
#include "cli/sudoers.h"

#define SUDOERS "/etc/sudoers"
#define OURS	"pam_k8sauth.so"

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

void check_sudoers(struct doctor *doctor)
{
	struct sudoers sudoers;

	sudoers_read(doctor->root, SUDOERS, &sudoers);
	if (sudoers.error != -ENOENT || sudoers.files > 1) {
		if (sudoers.unread) {
			doctor_unread(doctor, FINDING_SUDO_PAM_OFF, sudoers.error, sudoers.unread);
			doctor_unread(doctor, FINDING_SUDO_NONINTERACTIVE, sudoers.error, sudoers.unread);
		}
		if (sudoers.files > 0 && sudoers.error != -EACCES) {
			check_phases(doctor, &sudoers);
			check_noninteractive(doctor, &sudoers);
		}
	}
	sudoers_free(&sudoers);
}

/* --- the gate -------------------------------------------------------------------------------- */

/* The lines of the gate in one PAM service. */
struct gate {
	const char *service;
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

void check_gate(struct doctor *doctor)
{
	static const char *const phases[] = { "auth ... session", "account ... require=", "session ... require=" };
	struct gate gates[] = { { .service = "sudo" }, { .service = "sudo-i" } };
	unsigned lines = 0;

	for (size_t i = 0; i < ARRAY_SIZE(gates); i++) {
		struct pam_stack stack;

		pam_stack_read(doctor->root, gates[i].service, &stack);
		gates[i].there = stack.error != -ENOENT || stack.files > 1;
		if (gates[i].there && stack.unread)
			doctor_unread(doctor, FINDING_SUDO_GATE, stack.error, stack.unread);
		read_gate(doctor, &stack, &gates[i]);
		lines += gates[i].lines;
		pam_stack_free(&stack);
	}
	if (!gates[0].there && !gates[1].there)
		return;
	doctor_looked(doctor, FINDING_SUDO_GATE);
	doctor_looked(doctor, FINDING_SUDO_NO_GATE);
	if (lines == 0) {
		doctor_find(doctor, FINDING_SUDO_NO_GATE, "/etc/pam.d/sudo", "none of the three lines is there");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++) {
		AUTO_FREE char *where = text_of("/etc/pam.d/%s", gates[i].service);
		AUTO_BUF struct buf missing = { 0 };

		for (unsigned phase = 0; gates[i].there && phase < PAM_PHASES; phase++) {
			if (!gates[i].has[phase])
				buf_printf(&missing, "%s%s", missing.len > 0 ? ", " : "", phases[phase]);
		}
		if (missing.len > 0)
			doctor_find(doctor, FINDING_SUDO_GATE, where, "without the line %s", missing.data);
	}
}
