/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies and paths: the input is a path, a newline, and a policy text. Whatever is accepted gives verdicts that agree
 * with themselves: no read is allowed where the capabilities say deny. Templates in paths are filled in from an entity
 * that has the path as a value, too.
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

/* An entity with values of every kind; VALUE is not always UTF-8: then it has fewer. */
static json_t *entity_with(const char *value)
{
	return json_pack("{s:s, s:s, s:{s:s*, s:s, s:s}, s:[{s:s, s:s, s:s, s:{s:s*}}]}", "id", "e", "name", "n",
	    "metadata", "a", value, "star", "*", "slash", "a/b", "aliases", "id", "i", "accessor", "m", "name", "x",
	    "metadata", "k", value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *path = strndup((const char *)data, size);
	AUTO_FREE char *error = NULL;
	char *text = path ? strchr(path, '\n') : NULL;
	struct policy *policies[2] = { NULL, NULL };
	struct acl *acl = NULL;
	json_t *entity;

	if (!text)
		return 0;
	*text++ = '\0';
	if (policy_parse(text, &policies[0], &error) < 0) {
		if (!error || !*error)
			abort();
		return 0;
	}
	policies[1] = policies[0];
	entity = entity_with(path);
	if (acl_new(policies, 2, false, entity, &acl) < 0)
		abort();
	json_decref(entity);
	policy_free(policies[0]);
	check(acl, path);
	json_decref(acl_resultant(acl));
	acl_free(acl);
	return 0;
}
