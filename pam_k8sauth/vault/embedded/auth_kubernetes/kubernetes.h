/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine "kubernetes" share (kubernetes-auth.md, vault-1.21.4.md). */
#pragma once

#include "base/buf.h"
#include "kube/jwt.h"
#include "kube/kube.h"
#include "vault/embedded/core.h"

/* --- local.c: files that a pod has */

#define POD_CA_FILE    "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
#define POD_TOKEN_FILE "/var/run/secrets/kubernetes.io/serviceaccount/token"

struct local_file {
	const char *path;
	int64_t ttl_ms;
	int64_t read_ms; /* monotonic; 0: never */
	struct buf content;
};

/* Reads it again where it is older than its time. 0 (CHANGED says whether the content did), or open's negative errno.
 */
int local_file_refresh(struct local_file *file, bool *ret_changed) NODISCARD;
/* "open PATH: no such file or directory" */
void local_file_error(const struct local_file *file, int r, char *ret, size_t size);

/* What a mount keeps: mount->state. */
struct kube_mount {
	struct kube_config *config; /* NULL: not loaded, or changed */
	json_t *roles;		    /* cache: key -> role as stored; emptied by every change of a role */
	struct local_file ca, token;
};

int kube_mounted(struct core *core, struct mount *mount);
void kube_unmounted(struct core *core, struct mount *mount);
/* Of the mount at PATH; NULL where it is gone, or another engine's by now. */
struct kube_mount *kube_mount_at(struct core *core, const char *path);

/* --- config.c */

/* The configuration as logins use it. Counted: a login keeps the one that it began with. */
struct kube_config {
	unsigned references;
	char *host, *issuer; /* issuer: NULL: not checked */
	char *ca, *reviewer; /* stored ones; NULL: the pod's own where LOCAL, else none */
	bool local;
	struct jwt_keys *keys; /* NULL: signatures are the API server's to check */
	struct kube_server *server;
	bool has_reviewer; /* else tokens review themselves */
	bool annotations;  /* of service accounts become metadata of aliases */
};

/*
 * The configuration of the call's mount. 0, -ENOENT (there is none), -EAGAIN, -ENOMEM..., or 1 after the answer 500
 * where the pod's own CA cannot be read. The caller gives it back.
 */
int kube_config_get(struct call *call, struct kube_config **ret) NODISCARD;
void kube_config_unref(struct kube_config *config);

/* reviewer.c: when the token_reviewer_jwt of MOUNT ends. */
int kube_set_metrics(struct call *call, const struct mount *mount);

/* account.c: of a path that only the daemon itself can ask. */
engine_handler kube_account_read;

engine_handler kube_config_read, kube_config_write;
extern const struct engine_field kube_config_fields[];

/* --- role.c, role_fields.c */

/* The stored role NAME (as typed: case does not matter). 0 with a copy, -ENOENT, -EAGAIN, -errno. */
int kube_role_get(struct call *call, const char *name, json_t **ret) NODISCARD;
/* The same for logins, out of a cache: nobody may change *RET. */
int kube_role_peek(struct call *call, const char *name, json_t **ret) NODISCARD;
/* Vault's storage refuses what could be a path: 400 `relative paths not supported`. */
bool kube_role_name_is_path(const char *name);

engine_handler kube_role_list, kube_role_read, kube_role_write, kube_role_delete;
int kube_role_exists(struct call *call);
extern const struct engine_field kube_role_fields[];

/* Members of a role; "", 0, false and NULL where they are absent. */
const char *role_text(const json_t *role, const char *name);
int64_t role_number(const json_t *role, const char *name);

/* Puts the token_ fields and their deprecated names (2.5) of SENT into ROLE. 0; 1 after a refusal; -ENOMEM. */
int role_fields_merge_token(struct call *call, json_t *role, json_t *sent) NODISCARD;

/* --- selector.c */

/*
 * The labels that a namespace selector demands: JSON, or the block form of YAML, with matchLabels and nothing else, at
 * least one label, labels of valid syntax. An object of strings; NULL for anything else.
 */
json_t *selector_parse(const char *text) NODISCARD;
/* Whether LABELS has every one of WANTED. */
bool selector_match(const json_t *wanted, const json_t *labels);

/* --- login.c, login_ask.c, renew.c */

/* call_field_string for a credential: what has the wrong type is not shown, neither to the client nor to the journal.
 */
int kube_secret_field(struct call *call, const char *name, const char **ret);

engine_handler kube_login, kube_login_resolve;
int kube_renew(struct call *call, struct token *token);
int kube_login_role(struct call *call, const char **ret);
extern const struct engine_field kube_login_fields[];
