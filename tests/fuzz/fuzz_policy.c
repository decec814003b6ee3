/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies and paths: the input is a path, a newline, and a policy text. Whatever is accepted gives verdicts that agree
 * with themselves: no read is allowed where the capabilities say deny.
 */
#include <stdint.h>

#include "vault/embedded/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct acl *acl, const char *path)
{
	unsigned capabilities = acl_capabilities(acl, path);
	json_t *names = acl_capability_names(acl, capabilities);
	json_t *request = json_pack("{s:s, s:[s, i], s:n}", "a", "b,c", "d", "e", 1, "f");

	if (json_array_size(names) == 0)
		abort();
	if (capabilities == ACL_DENY && acl_check(acl, VAULT_LIST, path, NULL, 0).allowed)
		abort();
	for (enum vault_op op = VAULT_READ; op <= VAULT_RESOLVE; op++) {
		if (!acl_check(acl, op, path, request, 60).reason)
			abort();
	}
	json_decref(request);
	json_decref(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *path = strndup((const char *)data, size);
	AUTO_FREE char *error = NULL;
	char *text = path ? strchr(path, '\n') : NULL;
	struct policy *policies[2] = { NULL, NULL };
	struct acl *acl = NULL;

	if (!text)
		return 0;
	*text++ = '\0';
	if (policy_parse(text, &policies[0], &error) < 0) {
		if (!error || !*error)
			abort();
		return 0;
	}
	policies[1] = policies[0];
	if (acl_new(policies, 2, false, NULL, &acl) < 0)
		abort();
	policy_free(policies[0]);
	check(acl, path);
	json_decref(acl_resultant(acl));
	acl_free(acl);
	return 0;
}
