/* SPDX-License-Identifier: Apache-2.0 */
/* policy fmt: a policy stays a policy. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "cli/hcl_tree.h"
#include "vault/embedded/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_policy(const char *text)
{
	struct policy *policy = NULL;
	AUTO_FREE char *why = NULL;

	if (policy_parse(text, &policy, &why) < 0)
		return 0;
	policy_free(policy);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(hcl_tree_free) struct hcl_tree tree = { 0 };
	AUTO_FREE char *text = strndup((const char *)data, size);
	AUTO_FREE char *formatted = NULL;

	if (!text || !is_policy(text) || !hcl_tree_read(text, &tree))
		return 0;
	formatted = hcl_tree_print(&tree);
	if (!is_policy(formatted))
		abort();
	return 0;
}
