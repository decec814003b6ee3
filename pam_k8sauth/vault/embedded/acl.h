/* SPDX-License-Identifier: Apache-2.0 */
/* ACL policies: text to rules, rules of several policies to one ACL, and its verdicts (vault-core.md 1.1 to 1.7). Pure:
 * no store. */
#pragma once

#include <jansson.h>

#include "vault/request.h"

enum acl_capability {
	ACL_DENY = 1,
	ACL_CREATE = 2,
	ACL_READ = 4,
	ACL_UPDATE = 8,
	ACL_DELETE = 16,
	ACL_LIST = 32,
	ACL_SUDO = 64,
	ACL_PATCH = 128,
	ACL_SUBSCRIBE = 256,
	ACL_RECOVER = 512,
};

struct policy; /* one parsed policy */
struct rule;

/* Parses Vault's policy text (HCL or JSON). 0; -EINVAL with the text behind "failed to parse policy: "; -ENOMEM. */
int policy_parse(const char *text, struct policy **ret, char **ret_error) NODISCARD;
void policy_free(struct policy *policy);
/* The name that the audit trail tells of it by; copied. 0 or -ENOMEM. */
int policy_set_name(struct policy *policy, const char *name) NODISCARD;

struct acl;

/*
 * Merges POLICIES (which may be freed before the ACL). ROOT: allow everything. ENTITY: the record that templates in
 * paths are filled in from (identity.h); NULL for none.
 */
int acl_new(struct policy *const *policies, size_t n, bool root, const json_t *entity, struct acl **ret) NODISCARD;
/* Counted references: a cache and the calls in progress share one ACL. acl_free drops one. */
struct acl *acl_ref(struct acl *acl);
void acl_free(struct acl *acl);

struct acl_verdict {
	bool allowed;
	bool sudo;	    /* the deciding rule has sudo (or root) */
	const char *reason; /* static text for the journal */

	/* For acl_each_granting. */
	const struct rule *rule;
	unsigned needed; /* the capability */
};

/* Decides OP on PATH with the request's DATA (may be NULL) and wrap TTL in seconds. Never fails: doubt is a no. */
struct acl_verdict acl_check(
    const struct acl *acl, enum vault_op op, const char *path, const json_t *data, int64_t wrap_ttl);

/* Decides CAPABILITY ("update") on PATH, as acl_capabilities sees it. */
struct acl_verdict acl_ask(const struct acl *acl, const char *capability, const char *path);

/* Capability bits on PATH as sys/capabilities-self sees them (operation list, parameters ignored); ACL_DENY for none.
 */
unsigned acl_capabilities(const struct acl *acl, const char *path);
bool acl_is_root(const struct acl *acl);

/* Whether any policy grants what VERDICT (of ACL) allows: the help of a path is for everybody. */
bool acl_grants(const struct acl *acl, const struct acl_verdict *verdict);
/* Calls EACH with the name of every policy that does. */
void acl_each_granting(const struct acl *acl, const struct acl_verdict *verdict,
    void (*each)(void *arg, const char *policy), void *arg);
/* Whether another entity would have got another ACL of the same policies; whether another second would. */
bool acl_is_templated(const struct acl *acl);
bool acl_is_timed(const struct acl *acl);
/* Whether any rule allows anything on or below MOUNT ("secret/"): who may know of the mount (sys/internal/ui/mounts).
 */
bool acl_reaches(const struct acl *acl, const char *mount);
/* The sorted JSON list: ["read","list"...], ["root"], ["deny"]. */
json_t *acl_capability_names(const struct acl *acl, unsigned capabilities) NODISCARD;

/*
 * The rules as Vault's resultant-acl shows them: {chroot_namespace, exact_paths: {path: {capabilities}}, glob_paths,
 * root}. Prefix rules come without their '*', segment rules as they are; what grants nothing is "deny". NULL without
 * memory.
 */
json_t *acl_resultant(const struct acl *acl) NODISCARD;
