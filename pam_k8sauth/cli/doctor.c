/* SPDX-License-Identifier: Apache-2.0 */
/* `k8sauth doctor`: runs the checks and prints what they found; see doctor.h. */
#include "cli/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/verbs.h"

static const char *const severity_names[SEVERITIES] = { "FAIL", "WARN" };

const char *severity_name(enum severity severity)
{
	return severity_names[severity];
}

void doctor_find(struct doctor *doctor, enum finding_id id, const char *where, const char *format, ...)
{
	struct buf what = { 0 };
	va_list args;

	doctor->looked[id] = true;
	for (size_t i = 0; i < doctor->n; i++) {
		if (doctor->findings[i].id == id && streq(doctor->findings[i].where, where))
			return;
	}
	va_start(args, format);
	buf_vprintf(&what, format, args);
	va_end(args);
	look_grow(&doctor->findings, doctor->n, sizeof(*doctor->findings));
	doctor->findings[doctor->n++] = (struct finding){
		.id = id, .where = text_of("%s", where), .what = buf_take(&what)
	};
	if (!doctor->findings[doctor->n - 1].what)
		abort();
}

void doctor_looked(struct doctor *doctor, enum finding_id id)
{
	doctor->looked[id] = true;
}

void doctor_skip(struct doctor *doctor, enum finding_id id, const char *format, ...)
{
	struct buf why = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&why, format, args);
	va_end(args);
	free(doctor->skipped[id]);
	doctor->skipped[id] = buf_take(&why);
}

void doctor_partly(struct doctor *doctor, enum finding_id id)
{
	doctor->unread[id] = true;
}

void doctor_unread(struct doctor *doctor, enum finding_id id, int error, const char *what)
{
	doctor_partly(doctor, id);
	if (error == -EACCES || error == -EPERM)
		doctor_skip(doctor, id, "%s", what);
	else
		doctor_find(doctor, FINDING_UNREAD, what, "so %s was not looked for there", finding_table[id].id);
}

bool doctor_found(const struct doctor *doctor, enum finding_id id)
{
	for (size_t i = 0; i < doctor->n; i++) {
		if (doctor->findings[i].id == id)
			return true;
	}
	return false;
}

/* Nothing was found, and all was read where it is looked for. */
static bool doctor_is_ok(const struct doctor *doctor, enum finding_id id)
{
	return doctor->looked[id] && !doctor->unread[id] && !doctor_found(doctor, id);
}

void doctor_free(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n; i++) {
		free(doctor->findings[i].where);
		free(doctor->findings[i].what);
	}
	free(doctor->findings);
	for (size_t id = 0; id < FINDINGS; id++)
		free(doctor->skipped[id]);
}

/* --- output ---------------------------------------------------------------------------------- */

/* What a file of somebody else says is shown without what a terminal would obey. */
static void print_text(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void print_finding(const struct finding *finding)
{
	const struct finding_info *info = &finding_table[finding->id];

	printf("%s  %s: ", severity_names[info->severity], info->id);
	print_text(finding->where);
	fputs(": ", stdout);
	print_text(finding->what);
	printf(". %s. To do: %s\n", info->meaning, info->remedy);
}

static void print_lines(const struct doctor *doctor, bool verbose)
{
	size_t counts[SEVERITIES] = { 0 };

	for (int severity = 0; severity < SEVERITIES; severity++) {
		for (size_t i = 0; i < doctor->n; i++) {
			if (finding_table[doctor->findings[i].id].severity != (enum severity)severity)
				continue;
			counts[severity]++;
			print_finding(&doctor->findings[i]);
		}
	}
	for (int id = 0; id < FINDINGS; id++) {
		if (doctor->skipped[id]) {
			printf("skip  %s: not looked for: ", finding_table[id].id);
			print_text(doctor->skipped[id]);
			putchar('\n');
		} else if (verbose && doctor_is_ok(doctor, (enum finding_id)id)) {
			printf("ok    %s\n", finding_table[id].id);
		}
	}
	printf("%zu FAIL, %zu WARN\n", counts[SEVERITY_FAIL], counts[SEVERITY_WARN]);
}

static struct value *findings_value(const struct doctor *doctor)
{
	struct value *list = value_new(VALUE_LIST);

	for (size_t i = 0; i < doctor->n; i++) {
		const struct finding_info *info = &finding_table[doctor->findings[i].id];
		struct value *one = value_ordered();

		value_set(one, "severity", value_string(severity_names[info->severity]));
		value_set(one, "id", value_string(info->id));
		value_set(one, "where", value_string(doctor->findings[i].where));
		value_set(one, "what", value_string(doctor->findings[i].what));
		value_set(one, "meaning", value_string(info->meaning));
		value_set(one, "remedy", value_string(info->remedy));
		value_add(list, one);
	}
	return list;
}

static int print_whole(const struct cli *cli, const struct doctor *doctor)
{
	AUTO_VALUE struct value *all = value_ordered();
	struct value *fine = value_new(VALUE_LIST), *skipped = value_ordered();

	for (int id = 0; id < FINDINGS; id++) {
		if (doctor->skipped[id])
			value_set(skipped, finding_table[id].id, value_string(doctor->skipped[id]));
		else if (doctor_is_ok(doctor, (enum finding_id)id))
			value_add(fine, value_string(finding_table[id].id));
	}
	value_set(all, "findings", findings_value(doctor));
	value_set(all, "ok", fine);
	value_set(all, "skipped", skipped);
	return print_data(cli, all);
}

static void run_checks(struct doctor *doctor, struct cli *cli)
{
	check_files(doctor);
	check_seal(doctor);
	check_daemon(doctor, cli);
	if (server_only(doctor))
		return;
	check_sudoers(doctor);
	check_gate(doctor);
	check_pam(doctor);
	check_sshd(doctor);
	check_nss(doctor);
	check_accounts(doctor);
	check_index(doctor);
	check_sessions(doctor);
}

int verb_doctor(struct cli *cli)
{
	CLEANUP(doctor_free) struct doctor doctor = { .root = "" };
	int r = CLI_OK;

	if (!args_between(cli, 0, 0))
		return CLI_LOCAL;
	run_checks(&doctor, cli);
	if (cli->format == FORMAT_TABLE)
		print_lines(&doctor, flag_true(cli, FLAG_VERBOSE));
	else
		r = print_whole(cli, &doctor);
	for (size_t i = 0; i < doctor.n && r == CLI_OK; i++) {
		if (finding_table[doctor.findings[i].id].severity == SEVERITY_FAIL)
			r = CLI_SERVER;
	}
	return r;
}
