/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of an entry point. Lives on the caller's stack: the module keeps nothing of its own between calls but what
 * it puts into the PAM handle, so that threads, forks and unloading cannot hurt it.
 */
#pragma once

#include <stdbool.h>
#include <security/pam_modules.h>

#include "base/macros.h"
#include "base/secret.h"
#include "module/codes.h"
#include "module/options.h"

#define HANDLE_VARIABLE "K8SAUTH_HANDLE"

struct module {
	pam_handle_t *pamh;
	enum phase phase;
	int flags;
	struct options options;
	bool bad_option;
	bool ours; /* the name looks like ours; else the line says `local`, or an exchange came first */
	const char *user, *service; /* whom it is about; for the gate the caller, not the account that he becomes */
	const char *target;	    /* for the gate: the account that he becomes, where this phase knows it */
	const char *tty, *rhost, *ruser; /* NULL where unset, or not fit for the wire */
};

/*
 * Fills in MODULE: options, user, items. SITUATION_DONE where the phase may go on, else how it ends (root, somebody
 * else's account, no user, a bad option).
 */
enum situation module_begin(
    struct module *module, pam_handle_t *pamh, enum phase phase, int flags, int argc, const char **argv);

/* The PAM code of SITUATION, logged where the line says debug. */
int module_end(const struct module *module, enum situation situation);

/* --- module.c, for gate.c ------------------------------------------------------------------------------------------
 */

/* Whether USER is root under whatever name. */
bool module_is_root(const struct module *module, const char *user);
/* Whether PAM_USER concerns us: by its name, or because the line opens local accounts and an exchange was made. */
bool module_knows_user(const struct module *module);

/* --- gate.c --------------------------------------------------------------------------------------------------------
 */

/*
 * Finds whom the gate asks about (decision 18) and makes him MODULE's user, and PAM_USER its target. SITUATION_DONE;
 * SITUATION_NOT_OURS: root's own call, or somebody who is none of our business.
 */
enum situation gate_find_caller(struct module *module);
/* Whether the line's gate options stand in a phase that has no use for them: said, since the gate would be open. */
bool gate_is_misplaced(const struct module *module);
/* Whether a program of this machine acts for its caller, as sudo and su do, and not for somebody who logs in. */
bool gate_has_caller(const struct module *module);
/*
 * Whether that caller is the user himself: as sudo's policy asks him who he is before it lets him become somebody else.
 * A line without gate options is not to answer that.
 */
bool gate_is_missing(const struct module *module);
/* Whether that caller is root himself. */
bool gate_caller_is_root(const struct module *module);

/* --- intake.c ------------------------------------------------------------------------------------------------------
 */

/*
 * Gets the credential: from an earlier module's answer or by asking, whole or in parts. SITUATION_DONE with a secret;
 * otherwise it has been logged why not, and every answer is wiped in either case.
 */
enum situation intake(struct module *module, struct secret **ret_credential);

/* --- state.c: what goes from one phase to the next -----------------------------------------------------------------
 */

/* Puts the handle of a login into the PAM environment, the only thing that sshd carries from its child to its monitor.
 */
enum situation handle_put(struct module *module, const struct secret *handle);
/* The handle of this transaction, from the environment or kept: SITUATION_DONE, SITUATION_NOTHING (there is none) or
 * SITUATION_NO_MEMORY. */
enum situation handle_get(const struct module *module, struct secret **ret);
/* Whether there is one. */
bool handle_is(const struct module *module);
/* Takes the handle out of the environment, so that no program of the session sees it, and keeps it for open_session.
 */
enum situation handle_keep(struct module *module);
/* Forgets it everywhere. */
void handle_drop(struct module *module);

/* Keeps the id of the session that this process has opened; NULL forgets it. */
enum situation session_keep(struct module *module, const char *id);
/* The id, owned by the PAM handle; NULL if there is none, or if another process opened it (su's and sshd's children
 * inherit it, and must not close it). */
const char *session_get(const struct module *module);

/* Remembers that the user's credential was verified in this transaction, for its account phase. */
enum situation verified_keep(struct module *module);
/* Whether that was so, for this very user. */
bool verified_is(const struct module *module);
void verified_drop(struct module *module);

/* Remembers that the gate let its local caller pass in this transaction, for an account line without require= behind
 * it. */
enum situation gate_passed_keep(struct module *module);
/* Whether that was so, for this very user. */
bool gate_passed_is(const struct module *module);

/* --- token_file.c --------------------------------------------------------------------------------------------------
 */

/* Gets the credential out of the line's token_file. SITUATION_DONE with a secret; otherwise it has been logged why not.
 */
enum situation token_file_read(struct module *module, struct secret **ret_credential);

/* --- ask.c: k8sauthd -----------------------------------------------------------------------------------------------
 */

enum situation ask_login(struct module *module, const struct secret *credential, struct secret **ret_handle);
/* Whether CREDENTIAL is the user's: nothing comes of it. */
enum situation ask_verify(struct module *module, const struct secret *credential);
/* HANDLE may be NULL. */
enum situation ask_account(struct module *module, const struct secret *handle);
/* Sets the session's variables in the PAM environment and keeps its id. */
enum situation ask_open(struct module *module, const struct secret *handle);
/* The gate's question: with PATH and CAPABILITY of require=, or whether a session lives where it is absent. */
enum situation ask_check(const struct module *module);
enum situation ask_close(struct module *module, const char *session);

/* --- report.c ------------------------------------------------------------------------------------------------------
 */

/*
 * A refusal: one line that says why, with k8sauthd's reference or, where REF is NULL, one of our own; in the auth phase
 * the standard line that log scanners know; and to the user MESSAGE (k8sauthd's; NULL: the reference only), since a
 * reason would tell strangers which accounts there are.
 */
void report_refused(const struct module *module, const char *ref, const char *message, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* One line with what anybody needs to find the login: service and phase are libpam's prefix. */
void report(const struct module *module, int priority, const char *format, ...) PRINTF_LIKE(3, 4);
/* Only where the line says debug. */
void report_debug(const struct module *module, const char *format, ...) PRINTF_LIKE(2, 3);
/* One line for the user, unless the application wants silence or the user is leaving. That it cannot be shown is no
 * error. */
void report_user(const struct module *module, const char *text);
