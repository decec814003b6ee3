/* SPDX-License-Identifier: Apache-2.0 */
/* What a token has from its entity: whether it may be used, policies, and how replies show them. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/policy_names.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/identity.h"
#include "vault/embedded/policies.h"

int token_acl(struct call *call, const struct token *token, json_t **ret_entity, struct acl **ret)
{
	json_t *entity = NULL;
	int r = identity_entity(call, token->entity_id, &entity);

	if (r == -ENOENT || identity_disabled(entity))
		r = -EACCES;
	if (r == 0)
		r = policies_acl(call, token->policies, entity, ret);
	if (r < 0)
		json_decref(entity);
	else
		*ret_entity = entity;
	return r;
}

/* The policies of the token's entity, borrowed from *RET_ENTITY; NULL for none. */
static int entity_policies(struct call *call, const struct token *token, json_t **ret_entity, json_t **ret)
{
	const char *own = json_string_value(json_object_get(call->entity, "id"));
	json_t *policies;
	int r = 0;

	/* At a login it may not be durable yet: then it is the call's. */
	if (own && token->entity_id && streq(own, token->entity_id))
		*ret_entity = json_incref(call->entity);
	else if (token->entity_id)
		r = identity_entity(call, token->entity_id, ret_entity);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	policies = json_object_get(*ret_entity, "policies");
	*ret = json_array_size(policies) ? policies : NULL;
	return 0;
}

int token_show_entity(struct call *call, const struct token *token, json_t *data)
{
	json_auto_t *entity = NULL;
	json_t *policies = NULL;
	int r = entity_policies(call, token, &entity, &policies);

	if (r < 0 || !policies)
		return r;
	if (json_object_set(data, "identity_policies", policies) ||
	    json_object_set_new(data, "external_namespace_policies", json_object()))
		return -ENOMEM;
	return 0;
}

json_t *token_all_policies(const struct token *token, const json_t *more)
{
	json_auto_t *both = json_copy(token->policies);
	json_t *all = NULL;

	if (!both || json_array_extend(both, (json_t *)(uintptr_t)more) || policy_names_clean(both, false, &all) < 0)
		return NULL;
	return all;
}

int token_auth_entity(struct call *call, const struct token *token, json_t *auth)
{
	json_auto_t *entity = NULL, *clean = NULL, *all = NULL;
	json_t *policies = NULL;
	int r = entity_policies(call, token, &entity, &policies);

	if (r < 0 || !policies)
		return r;
	r = policy_names_clean(policies, false, &clean);
	if (r < 0)
		return r;
	all = token_all_policies(token, clean);
	if (!all)
		return -ENOMEM;
	return json_object_set(auth, "policies", all) || json_object_set(auth, "identity_policies", clean) ? -ENOMEM
													   : 0;
}
