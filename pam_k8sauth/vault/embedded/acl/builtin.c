/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that come with the server (vault-core.md 1.9); grants as in Vault 1.21.4. */
#include "vault/embedded/acl/policies_internal.h"

const char policy_default_text[] =
    "# Every token gets this policy unless its role says token_no_default_policy. It may be changed, not deleted.\n"
    "\n"
    "# What a token may do with itself\n"
    "path \"auth/token/lookup-self\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "path \"auth/token/renew-self\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"auth/token/revoke-self\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/capabilities-self\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/internal/ui/resultant-acl\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "\n"
    "# Its own entity\n"
    "path \"identity/entity/id/{{identity.entity.id}}\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "path \"identity/entity/name/{{identity.entity.name}}\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "\n"
    "# Leases whose id it knows; sys/renew is for old clients\n"
    "path \"sys/leases/lookup\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/leases/renew\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/renew\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "\n"
    "# Its private storage\n"
    "path \"cubbyhole/*\" {\n"
    "  capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\"]\n"
    "}\n"
    "\n"
    "# Response wrapping\n"
    "path \"sys/wrapping/wrap\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/wrapping/lookup\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/wrapping/unwrap\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "\n"
    "# Small services\n"
    "path \"sys/tools/hash\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/tools/hash/*\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/control-group/request\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"identity/oidc/provider/+/authorize\" {\n"
    "  capabilities = [\"read\", \"update\"]\n"
    "}\n";

static const struct {
	const char *name, *text;
} fixed[] = {
	{ "root", "" },
	{ "response-wrapping", "path \"cubbyhole/response\" {\n"
			       "  capabilities = [\"create\", \"read\"]\n"
			       "}\n"
			       "path \"sys/wrapping/unwrap\" {\n"
			       "  capabilities = [\"update\"]\n"
			       "}\n" },
	{ "control-group", "path \"cubbyhole/control-group\" {\n"
			   "  capabilities = [\"create\", \"read\", \"update\"]\n"
			   "}\n"
			   "path \"sys/wrapping/unwrap\" {\n"
			   "  capabilities = [\"update\"]\n"
			   "}\n" },
};

const char *policy_fixed_text(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (streq(fixed[i].name, name))
			return fixed[i].text;
	}
	return NULL;
}
