/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `k8sauth doctor`: looks at the machine it runs on and tells what would let somebody in who should not, keep somebody
 * out who should, or leak. doctor.c collects and prints, the other doctor_*.c look; each reads files below ROOT, so
 * that tests can show them a tree. The parsers of foreign text are sudoers.c, pam_stack.c and nsswitch.c.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/hcl.h"
#include "cli/cli.h"
#include "cli/look.h"

enum severity {
	SEVERITY_FAIL,
	SEVERITY_WARN,
	SEVERITIES,
};

enum finding_id {
#define FINDING(name, ...) FINDING_##name,
#include "cli/doctor_findings.def"
#undef FINDING
	FINDINGS,
};

struct finding_info {
	const char *id;
	enum severity severity;
	const char *meaning, *remedy;
};
extern const struct finding_info finding_table[FINDINGS];
const char *severity_name(enum severity severity);

struct finding {
	enum finding_id id;
	char *where; /* file:line, or what was asked */
	char *what;
};

struct doctor {
	const char *root; /* "": the machine's own */
	uid_t owner;	  /* whose the files must be: root */
	struct finding *findings;
	size_t n, size;
	bool looked[FINDINGS], unread[FINDINGS]; /* all of it; not all of it */
	char *skipped[FINDINGS]; /* why it could not be looked for */
};

/* --- doctor.c --- */

/* Something was found in WHERE; FORMAT says what in the case at hand. The same once more in the same place is dropped.
 */
void doctor_find(struct doctor *doctor, enum finding_id id, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* ID was looked for, so that nothing found means that all is well. */
void doctor_looked(struct doctor *doctor, enum finding_id id);
/* ID could not be looked for. */
void doctor_skip(struct doctor *doctor, enum finding_id id, const char *format, ...) PRINTF_LIKE(3, 4);
/* Not all of what ID is looked for in could be read: nothing found is no "ok". */
void doctor_partly(struct doctor *doctor, enum finding_id id);
/* A file that could not be read whole: not looked for by who may not read it, otherwise a finding. */
void doctor_unread(struct doctor *doctor, enum finding_id id, int error, const char *what);
bool doctor_found(const struct doctor *doctor, enum finding_id id);
void doctor_free(struct doctor *doctor);

/* --- the checks, each for some of the findings --- */

void check_sudoers(struct doctor *doctor);  /* doctor_sudo.c */
void check_gate(struct doctor *doctor);	    /* doctor_sudo.c */
void check_pam(struct doctor *doctor);	    /* doctor_pam.c */
void check_sshd(struct doctor *doctor);	    /* doctor_login.c */
void check_nss(struct doctor *doctor);	    /* doctor_login.c */
void check_accounts(struct doctor *doctor); /* doctor_login.c */
void check_index(struct doctor *doctor);    /* doctor_files.c */
void check_files(struct doctor *doctor);    /* doctor_files.c */
void check_sessions(struct doctor *doctor); /* doctor_files.c */
void check_seal(struct doctor *doctor);	    /* doctor_seal.c */
/* Asks the daemon, through CLI's connection. doctor_login.c */
void check_daemon(struct doctor *doctor, struct cli *cli);

/* k8sauth.hcl, which the caller frees; NULL if it cannot be read: the daemon says why. doctor_files.c */
struct hcl_value *doctor_config(const struct doctor *doctor);
/* The value of KEY, or the block KEY, in OBJECT; NULL if there is none. */
const struct hcl_value *config_value(const struct hcl_value *object, const char *key);
/* Whether k8sauth.hcl says mode = "server": a machine that nobody logs in to by us. doctor_files.c */
bool server_only(const struct doctor *doctor);
