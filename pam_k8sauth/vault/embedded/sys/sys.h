/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine "system" share. */
#pragma once

#include "vault/embedded/core_internal.h"

/* The version of Vault whose API this is; clients compare it. What follows '+' is ours (semantic versioning). */
#define SYS_VAULT_VERSION "1.21.4+k8sauth." K8SAUTH_VERSION

/* --- fields.c */
extern const struct engine_field sys_metrics_fields[], sys_health_fields[], sys_mount_fields[], sys_remount_fields[],
    sys_migration_fields[], sys_hash_fields[], sys_random_fields[], sys_plugin_fields[], sys_policy_fields[],
    sys_capabilities_fields[], sys_capabilities_accessor_fields[], sys_rotate_fields[], sys_quota_fields[],
    sys_quotas_fields[], sys_leases_fields[], sys_leases_count_fields[], sys_lease_prefix_fields[],
    sys_lease_revoke_prefix_fields[], sys_lease_lookup_fields[], sys_lease_renew_fields[], sys_lease_revoke_fields[],
    sys_tune_fields[], sys_init_fields[], sys_unseal_fields[], sys_rekey_fields[], sys_share_fields[],
    sys_generate_root_fields[],
    sys_wrapping_fields[], sys_decode_fields[], sys_logger_fields[];

/* --- status.c */
engine_handler sys_health, sys_leader;
engine_handler sys_ha_status, sys_version_history, sys_replication_status;

/* --- raw.c: paths that answer in every state, without an envelope */

/* Answers with STATUS and BODY (taken over; NULL without memory). */
int sys_answer(struct call *call, int status, json_t *body);
/* Whether the caller is root of this machine: the daemon itself, or uid 0 on the api socket. */
bool sys_is_root(const struct call *call);
/*
 * Members of the body as Go's JSON takes them into a struct: of the right type, absent or null. GO is the name in the
 * text of a refusal ("InitRequest.secret_shares"). 0, or 1 after it. *RET is untouched where there is none.
 */
int sys_raw_text(struct call *call, const char *name, const char *go, const char **ret);
int sys_raw_int(struct call *call, const char *name, const char *go, long long *ret);
int sys_raw_bool(struct call *call, const char *name, const char *go, bool *ret);
/* 1 after a refusal of a body that is missing or cannot be read. */
int sys_raw_body(struct call *call);
/*
 * Keys are changed, and root tokens made, by root of this machine, or with a token that may (design.md 4), while the
 * store is open: otherwise SEALED is the text. 0, 1 after a refusal, -EAGAIN, -errno.
 */
int sys_may_change_keys(struct call *call, const char *sealed);
/* 1 after a refusal of a share's length, in Vault's words behind PREFIX. */
int sys_check_share(struct call *call, const struct secret *share, const char *prefix);
/* The member `key`: a share or key of people. 0 (the caller's), 1 after a refusal, -ENOMEM. */
int sys_raw_key(struct call *call, const char *go, const char *missing, struct secret **ret);
/* 1 after a refusal of NAMES (NULL-terminated): keys for PGP are not built. */
int sys_refuse_pgp(struct call *call, const char *const *names);
/* N shares, one behind the other, as texts: hex, or base64. NULL without memory. */
json_t *sys_shares(const struct secret *shares, size_t n, bool base64) NODISCARD;

/* --- operate.c */
engine_handler sys_loggers_read, sys_loggers_write, sys_loggers_delete;
engine_handler sys_logger_read, sys_logger_write, sys_logger_delete;
engine_handler sys_in_flight, sys_config_sanitized, sys_count_entities;

/* --- init.c */
engine_handler sys_init_status, sys_init;

/* --- seal.c */
engine_handler sys_seal_status, sys_seal_backend_status, sys_unseal, sys_seal, sys_step_down;

/* --- rekey.c, rekey_update.c */
engine_handler sys_rekey_status, sys_rekey_start, sys_rekey_cancel, sys_rekey_update;
engine_handler sys_rekey_verify_status, sys_rekey_verify, sys_rekey_verify_restart;
engine_handler sys_rekey_backup, sys_rekey_backup_delete;

/* --- generate_root.c */
engine_handler sys_generate_root_status, sys_generate_root_start, sys_generate_root_cancel, sys_generate_root_update;
engine_handler sys_decode_token;

/* --- rotate.c */
engine_handler sys_key_status, sys_rotate, sys_rotate_config_read, sys_rotate_config_write;

/* As Vault names the version of an engine that is built in. */
#define SYS_PLUGIN_VERSION "v" K8SAUTH_VERSION "+builtin"

/* --- mount_info.c */

/* Whether clients may mount ENGINE: all but those that are there once and always. */
bool sys_engine_mountable(const struct engine *engine);

/* All mounts, by path. The caller frees the array. NULL without memory. */
struct mount **sys_mounts_sorted(const struct core *core) NODISCARD;
/* As sys/mounts shows an entry; EFFECTIVE: with the system's times where it has none, as the UI's paths do. */
json_t *sys_mount_info(const struct mount *mount, bool effective) NODISCARD;
/* PATH without the "auth/" of auth mounts. */
const char *sys_mount_name(const struct mount *mount);
/* The mount at exactly NAME (without trailing '/') in the table of secret engines or of auth methods; NULL. */
/* The mount that NAME (below "auth/" with AUTH) is in; NULL. */
struct mount *sys_mount_of(const struct core *core, const char *name, bool auth);
struct mount *sys_mount_at(const struct core *core, const char *name, bool auth);

/* --- mounts.c, tune.c */

engine_handler sys_mounts_list, sys_mounts_read, sys_mounts_write, sys_mounts_delete;
engine_handler sys_auth_list, sys_auth_read, sys_auth_write, sys_auth_delete;

/* A time of a mount: "" leaves *RET as it is, "system" is 0. NAME and FAULT_PREFIX are for the texts. 0, 1 after a
   refusal. */
int sys_parse_ttl(
    struct call *call, const char *name, const char *text, const char *fault_prefix, int64_t *ret) NODISCARD;
/* Replaces *RET. 0, 1 after a refusal, or -ENOMEM. */
int sys_set_token_type(struct call *call, const char *type, char **ret) NODISCARD;

/* Replaces *TEXT by a copy of VALUE. 0 or -ENOMEM. */
int sys_set_text(char **text, const char *value) NODISCARD;

/* NAME of the mount: without "/tune". */
int sys_tune_read(struct call *call, const char *name, bool auth) NODISCARD;
int sys_tune_write(struct call *call, const char *name, bool auth) NODISCARD;

/* --- settings.c */

/* Whether the mount was enabled with it; nothing is cached here. */
bool sys_force_no_cache(const struct mount *mount);
/* Adds the other settings of MOUNT to INFO; TUNE: those that its tune path shows. 0 or -ENOMEM. */
int sys_settings_show(const struct mount *mount, bool tune, json_t *info) NODISCARD;
/* The fields of the request go into CONFIG, a mount's. 0, 1 after a refusal, or an errno. */
int sys_settings_tune(struct call *call, json_t *config) NODISCARD;
/* All engines are built in and have one version: refuses another one. 0 or 1 after a refusal. */
int sys_refuse_version(struct call *call, const char *version, const struct engine *engine, bool tune) NODISCARD;
/* The version that tune was asked for; "". */
const char *sys_plugin_version(const struct mount *mount);
/* GIVEN (field `config`) goes into a new MOUNT: its times, kind of tokens and settings. 0, 1 after a refusal, or an
   errno. */
int sys_settings_enable(struct call *call, const json_t *given, struct mount *mount) NODISCARD;

/* --- remount.c */
engine_handler sys_remount, sys_remount_status;
/* The path of a mount as Go's path.Clean makes it, with a '/' behind it: "a//b/../c/" is "a/c/". RET has room for one
   byte more than PLACE has with its NUL. */
void sys_clean_path(const char *place, char *ret);
int sys_mounted(struct core *core, struct mount *mount);
void sys_unmounted(struct core *core, struct mount *mount);

/* --- metrics.c */
engine_handler sys_metrics;

/* --- tools.c */
engine_handler sys_tools_hash, sys_tools_random;

/* --- plugins.c */
engine_handler sys_plugins_list_all, sys_plugins_list, sys_plugins_read, sys_plugins_pins, sys_plugins_runtimes;

/* --- openapi.c */
engine_handler sys_openapi;

/* --- ui.c */

/* Whose eyes: the daemon's own, a token's, or nobody's. */
struct sys_viewer {
	bool all;
	struct token *token;
	struct acl *acl;
	json_t *entity;
};
#define AUTO_SYS_VIEWER CLEANUP(sys_cleanup_viewer)
void sys_cleanup_viewer(struct sys_viewer *viewer);
/* Of the token that the call presents. 0, 1 after a refusal, or an errno. Without a token: 0 and nobody. */
int sys_find_viewer(struct call *call, struct sys_viewer *viewer) NODISCARD;
/* Whether the policies of VIEWER reach into MOUNT. */
bool sys_sees(const struct sys_viewer *viewer, const struct mount *mount);

engine_handler sys_ui_mounts, sys_ui_mount, sys_ui_namespaces;
