/* SPDX-License-Identifier: Apache-2.0 */
/* Renewal of a token that this engine's login made: the role's present lives (kubernetes-auth.md 3.9). */
#include <errno.h>

#include "vault/embedded/auth_kubernetes/kubernetes.h"
#include "vault/embedded/token.h"

/* A definite no, although Vault says 500. */
static int refused(struct call *call)
{
	call->response->failure = VAULT_FAILED_REFUSED;
	call->response->step = "role";
	return 0;
}

int kube_renew(struct call *call, struct token *token)
{
	const char *name = json_string_value(json_object_get(token->internal, "role"));
	struct mount *own = call->mount;
	json_t *role = NULL;
	int r;

	if (!name || !*name) {
		call_wrapped_error(call, 500, "failed to renew entry: failed to fetch role_name during renewal");
		return refused(call);
	}
	/* The call is of auth/token; the role lies where the login was. */
	call->mount = core_mount_of(call->core, token->path);
	r = kube_role_get(call, name, &role);
	call->mount = own;
	if (r == -ENOENT) {
		call_wrapped_error(call, 500, "failed to renew entry: role %s does not exist during renewal", name);
		return refused(call);
	}
	if (r < 0)
		return r;
	token->ttl = role_number(role, "token_ttl");
	token->max_ttl = role_number(role, "token_max_ttl");
	token->period = role_number(role, "token_period");
	json_decref(role);
	return 0;
}
