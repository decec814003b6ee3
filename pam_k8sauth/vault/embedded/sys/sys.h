/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine "system" share. */
#pragma once

#include "vault/embedded/core_internal.h"

/* The version of Vault whose API this is; clients compare it. What follows '+' is ours (semantic versioning). */
#define SYS_VAULT_VERSION "1.21.4+k8sauth." K8SAUTH_VERSION

/* --- status.c */
engine_handler sys_health, sys_seal_status, sys_leader, sys_init_status, sys_init;

/* --- mount_info.c */

/* As sys/mounts shows an entry; EFFECTIVE: with the system's times where it has none, as the UI's paths do. */
json_t *sys_mount_info(const struct mount *mount, bool effective) NODISCARD;
/* PATH without the "auth/" of auth mounts. */
const char *sys_mount_name(const struct mount *mount);
/* The mount at exactly NAME (without trailing '/') in the table of secret engines or of auth methods; NULL. */
struct mount *sys_mount_at(const struct core *core, const char *name, bool auth);

/* --- mounts.c, tune.c */

engine_handler sys_mounts_list, sys_mounts_read, sys_mounts_write, sys_mounts_delete;
engine_handler sys_auth_list, sys_auth_read, sys_auth_write, sys_auth_delete;

/* Reads member NAME of OBJECT as seconds; FAULT_PREFIX "unable to parse default TTL of " or NULL. 0, 1 after a refusal.
 */
int sys_config_seconds(
    struct call *call, const json_t *object, const char *name, const char *fault_prefix, int64_t *ret) NODISCARD;
/* 0, 1 after a refusal. */
int sys_config_token_type(struct call *call, const json_t *object, const char **ret) NODISCARD;

/* Replaces *TEXT by a copy of VALUE. 0 or -ENOMEM. */
int sys_set_text(char **text, const char *value) NODISCARD;

/* NAME of the mount: without "/tune". */
int sys_tune_read(struct call *call, const char *name, bool auth) NODISCARD;
int sys_tune_write(struct call *call, const char *name, bool auth) NODISCARD;

/* --- ui.c */
engine_handler sys_ui_mounts, sys_ui_mount;
