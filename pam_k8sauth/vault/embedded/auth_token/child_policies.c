/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies a token may give to one that it makes: a subset of its own, unless it has sudo or a role says more. */
#include <errno.h>

#include "vault/embedded/auth_token/child.h"
#include "vault/embedded/auth_token/policy_names.h"
#include "vault/embedded/glob.h"
#include "vault/embedded/go_text.h"

static const json_t *role_list(const struct child *child, const char *name)
{
	return json_object_get(child->role, name);
}

/* Go's %q of a list of texts: ["a" "b"]. */
static void quote_list(struct buf *text, const json_t *list)
{
	buf_add_char(text, '[');
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i)
			buf_add_char(text, ' ');
		go_quote(text, json_string_value(json_array_get(list, i)));
	}
	buf_add_char(text, ']');
}

static int refuse_not_allowed(const struct child *child, const json_t *policies, const json_t *allowed)
{
	AUTO_BUF struct buf asked = { 0 }, names = { 0 }, globs = { 0 };

	quote_list(&asked, policies);
	quote_list(&names, allowed);
	quote_list(&globs, role_list(child, "allowed_policies_glob"));
	if (asked.failed || names.failed || globs.failed)
		return -ENOMEM;
	call_error(child->call, 400,
	    "token policies (%s) must be subset of the role's allowed policies (%s) or glob policies (%s)", asked.data,
	    names.data, globs.data);
	return 1;
}

static int check_allowed(const struct child *child, const json_t *policies, const json_t *allowed)
{
	const json_t *globs = role_list(child, "allowed_policies_glob");
	size_t i;
	json_t *policy;

	json_array_foreach(policies, i, policy)
	{
		const char *name = json_string_value(policy);

		if (!policy_names_has(allowed, name) && !globs_match(globs, name))
			return refuse_not_allowed(child, policies, allowed);
	}
	return 0;
}

static int check_disallowed(const struct child *child, const json_t *policies)
{
	const json_t *names = role_list(child, "disallowed_policies");
	const json_t *globs = role_list(child, "disallowed_policies_glob");
	size_t i;
	json_t *policy;

	json_array_foreach(policies, i, policy)
	{
		const char *name = json_string_value(policy);

		if (policy_names_has(names, name) || globs_match(globs, name)) {
			call_error(child->call, 400, "token policy \"%s\" is disallowed by this role", name);
			return 1;
		}
	}
	return 0;
}

static bool role_restricts(const struct child *child)
{
	return json_array_size(role_list(child, "allowed_policies")) ||
	       json_array_size(role_list(child, "allowed_policies_glob")) ||
	       json_array_size(role_list(child, "disallowed_policies")) ||
	       json_array_size(role_list(child, "disallowed_policies_glob"));
}

/* The role's lists decide, whatever the caller has. */
static int by_role(struct child *child, json_t **ret)
{
	const json_t *wanted = child->request.policies;
	bool add_default = !child->request.no_default_policy &&
			   !json_is_true(json_object_get(child->role, "token_no_default_policy")) &&
			   !policy_names_has(role_list(child, "disallowed_policies"), "default") &&
			   !globs_match(role_list(child, "disallowed_policies_glob"), "default");
	bool allows = json_array_size(role_list(child, "allowed_policies")) ||
		      json_array_size(role_list(child, "allowed_policies_glob"));
	json_auto_t *allowed = NULL, *policies = NULL;
	int r = policy_names_clean(role_list(child, "allowed_policies"), add_default, &allowed);

	if (r < 0)
		return r;
	if (json_array_size(wanted))
		r = policy_names_clean(wanted, add_default, &policies);
	else if (allows)
		policies = json_incref(allowed);
	else
		r = policy_names_clean(child->parent->policies, add_default, &policies);
	if (r == 0 && allows)
		r = check_allowed(child, policies, allowed);
	if (r == 0)
		r = check_disallowed(child, policies);
	if (r == 0)
		*ret = json_incref(policies);
	return r;
}

/* Without a role's lists: all that the caller has, or a part of it; with sudo anything. */
static int by_parent(struct child *child, json_t **ret)
{
	const struct child_request *request = &child->request;
	json_auto_t *asked = NULL, *own = NULL;
	bool add_default = !request->no_default_policy;
	int r;

	if (json_array_size(request->policies) == 0)
		return policy_names_clean(child->parent->policies, false, ret);
	if (child->sudo)
		return policy_names_clean(request->policies, add_default, ret);
	r = policy_names_clean(request->policies, false, &asked);
	if (r == 0)
		r = policy_names_clean(child->parent->policies, false, &own);
	if (r < 0)
		return r;
	if (!policy_names_subset(asked, own))
		return child_refuse(child, "child policies must be subset of parent");
	return policy_names_clean(asked, add_default && policy_names_has(own, "default"), ret);
}

/* What nobody may give by name, and who may give root. */
static int check(const struct child *child)
{
	const json_t *policies = child->token->policies;
	const char *reserved = token_reserved_policy(policies);

	if (reserved) {
		call_error(child->call, 400, "cannot assign policy \"%s\"", reserved);
		return 1;
	}
	if (!policy_names_has(policies, "root"))
		return 0;
	if (!child->parent->root)
		return child_refuse(child, "root tokens may not be created without parent token being root");
	return child->batch ? child_refuse(child, "batch tokens cannot be root tokens") : 0;
}

int child_set_policies(struct child *child)
{
	int r = role_restricts(child) ? by_role(child, &child->token->policies)
				      : by_parent(child, &child->token->policies);

	if (r)
		return r;
	if (child->request.no_default_policy)
		policy_names_drop(child->token->policies, "default");
	child->token->root = policy_names_has(child->token->policies, "root");
	return check(child);
}
