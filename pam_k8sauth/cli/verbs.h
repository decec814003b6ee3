/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs do; each returns an exit code. */
#pragma once

#include <stdbool.h>

struct cli;

int verb_read(struct cli *cli);
int verb_write(struct cli *cli);
int verb_patch(struct cli *cli);
int verb_list(struct cli *cli);
int verb_delete(struct cli *cli);
int verb_unwrap(struct cli *cli);
int verb_path_help(struct cli *cli);
int verb_status(struct cli *cli);
int verb_version(struct cli *cli);
int verb_print_token(struct cli *cli);

int verb_login(struct cli *cli);

int verb_token_create(struct cli *cli);
int verb_token_lookup(struct cli *cli);
int verb_token_renew(struct cli *cli);
int verb_token_revoke(struct cli *cli);
int verb_token_capabilities(struct cli *cli);

int verb_kv_put(struct cli *cli);
int verb_kv_get(struct cli *cli);
int verb_kv_list(struct cli *cli);
int verb_kv_delete(struct cli *cli);
int verb_kv_undelete(struct cli *cli);
int verb_kv_destroy(struct cli *cli);
int verb_kv_patch(struct cli *cli);
int verb_kv_rollback(struct cli *cli);
int verb_kv_enable_versioning(struct cli *cli);
int verb_kv_metadata_get(struct cli *cli);
int verb_kv_metadata_put(struct cli *cli);
int verb_kv_metadata_patch(struct cli *cli);
int verb_kv_metadata_delete(struct cli *cli);

int verb_mounts_enable(struct cli *cli);
int verb_mounts_disable(struct cli *cli);
int verb_mounts_list(struct cli *cli);
int verb_mounts_tune(struct cli *cli);
int verb_mounts_move(struct cli *cli);
int verb_auth_help(struct cli *cli);

int verb_audit_enable(struct cli *cli);
int verb_audit_disable(struct cli *cli);
int verb_audit_list(struct cli *cli);

int verb_policy_list(struct cli *cli);
int verb_policy_read(struct cli *cli);
int verb_policy_write(struct cli *cli);
int verb_policy_delete(struct cli *cli);
int verb_policy_fmt(struct cli *cli);

int verb_lease_lookup(struct cli *cli);
int verb_lease_renew(struct cli *cli);
int verb_lease_revoke(struct cli *cli);

int verb_operator_init(struct cli *cli);
int verb_operator_unseal(struct cli *cli);
int verb_operator_seal(struct cli *cli);
int verb_operator_rotate(struct cli *cli);
int verb_operator_key_status(struct cli *cli);
int verb_operator_rekey(struct cli *cli);
int verb_operator_generate_root(struct cli *cli);
int verb_operator_backup(struct cli *cli);
int verb_operator_restore(struct cli *cli);
struct reply;
struct value;
/* The answer of sys/seal-status or sys/unseal, as `status` prints it. CLI_OK, or CLI_LOCAL after the reason. */
int show_seal_status(struct cli *cli, const struct value *seal);
/*
 * Puts a key share and the nonce that goes with it into BODY: both from the command line ("-": standard input), or the
 * nonce of STATUS, which is shown as that of OPERATION, and a share that is asked for. CLI_OK, or CLI_LOCAL after the
 * reason was printed.
 */
int take_share(const struct cli *cli, const char *operation, const struct value *status, struct value *body);
/* An error and a warning in lines that fit a terminal; CODE is returned. */
int fail_wrapped(const struct cli *cli, int code, const char *text);
void warn_wrapped(const struct cli *cli, const char *text);
/* What our own API answered: its data, or one field of it. An exit code. */
int print_own(struct cli *cli, const struct reply *reply);
/* Prints why it did not; an exit code. */
int fail_own(struct cli *cli, const struct reply *reply);
/* Puts the JWT or ticket from a file (FLAG_TOKEN_FILE), a pipe or the keyboard into BODY. CLI_OK, or CLI_LOCAL after the
 * reason was printed. */
int read_credential(const struct cli *cli, struct value *body);

int verb_explain(struct cli *cli);
int verb_explain_login(struct cli *cli);
int verb_session_list(struct cli *cli);
int verb_session_show(struct cli *cli);
int verb_session_kill(struct cli *cli);
int verb_session_login(struct cli *cli);
int verb_get(struct cli *cli);
int verb_exec(struct cli *cli);
int verb_doctor(struct cli *cli);
int verb_revoke(struct cli *cli);
int verb_accounts_list(struct cli *cli);
int verb_accounts_name(struct cli *cli);
int verb_accounts_rebind(struct cli *cli);
