/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/internal/ui/resultant-acl: what the caller's policies come to, as paths with capabilities. The session's export
 * derives its paths from it (decision 19), from this backend and from a real Vault alike.
 */
#include <errno.h>

#include "vault/embedded/acl/rule.h"
#include "vault/embedded/policies.h"

static json_t *rule_json(const struct acl *acl, const struct rule *rule)
{
	return json_pack("{s:o}", "capabilities",
	    acl_capability_names(acl, rule->capabilities ? rule->capabilities : (unsigned)ACL_DENY));
}

/* The whole DATA; NULL without memory. */
static json_t *resultant(const struct acl *acl)
{
	json_t *exact = json_object(), *glob = json_object();

	for (size_t i = 0; i < acl->n; i++) {
		const struct rule *rule = &acl->rules[i];

		if (json_object_set_new(rule->kind == RULE_EXACT ? exact : glob, rule->pattern, rule_json(acl, rule)) <
		    0) {
			json_decref(exact);
			json_decref(glob);
			return NULL;
		}
	}
	return json_pack(
	    "{s:s, s:o, s:o, s:b}", "chroot_namespace", "", "exact_paths", exact, "glob_paths", glob, "root", 0);
}

int resultant_acl(struct call *call)
{
	json_t *data;

	if (!call->acl || acl_is_root(call->acl))
		data = json_pack("{s:s, s:b}", "chroot_namespace", "", "root", 1);
	else
		data = resultant(call->acl);
	return data ? call_data(call, data) : -ENOMEM;
}
