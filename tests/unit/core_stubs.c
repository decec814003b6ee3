/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for parts of the embedded backend that a tree may not have: everything is allowed to every token. */
#include "vault/embedded/policies.h"

#define WEAK __attribute__((weak))

WEAK const struct engine kubernetes_engine = {
	.type = "kubernetes", .auth = true, .paths = (const struct engine_path[]){ { NULL } }
};

WEAK struct policies *policies_new(void)
{
	return calloc(1, 1);
}

WEAK void policies_free(struct policies *policies)
{
	free(policies);
}

WEAK int policies_start(struct call *call)
{
	return 0;
}

WEAK int policies_acl(struct call *call, const json_t *names, struct acl **ret)
{
	*ret = calloc(1, 1);
	return 0;
}

WEAK void acl_free(struct acl *acl)
{
	free(acl);
}

WEAK struct acl_verdict acl_check(
    const struct acl *acl, enum vault_op op, const char *path, const json_t *data, int64_t wrap_ttl)
{
	return (struct acl_verdict){ .allowed = true, .sudo = true };
}

WEAK unsigned acl_capabilities(const struct acl *acl, const char *path)
{
	return ACL_READ;
}

WEAK bool acl_is_root(const struct acl *acl)
{
	return true;
}

WEAK void acl_each_readable(
    const struct acl *acl, void (*each)(void *arg, const char *pattern, bool wildcard), void *arg)
{
}

#define HANDLER(name)                    \
	WEAK int name(struct call *call) \
	{                                \
		return call_done(call);  \
	}
HANDLER(policies_list)
HANDLER(policies_read)
HANDLER(policies_write)
HANDLER(policies_delete)
HANDLER(policies_legacy_list)
HANDLER(policies_legacy_read)
HANDLER(policies_legacy_write)
HANDLER(capabilities_self)
