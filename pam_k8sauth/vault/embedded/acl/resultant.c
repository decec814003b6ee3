/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/internal/ui/resultant-acl: what the caller's policies come to, as paths with capabilities. The session's export
 * derives its paths from it (decision 19), from this backend and from a real Vault alike.
 */
#include <errno.h>

#include "vault/embedded/policies.h"
#include "vault/embedded/token.h"

int resultant_acl(struct call *call)
{
	json_t *data;

	if (call->token && call->token->num_uses < 0) /* its last use: it is gone already */
		return call_refuse(call, VAULT_FAILED_REFUSED, "token", 403,
		    "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n", "the token's last use");
	if (!call->acl || acl_is_root(call->acl))
		data = json_pack("{s:s, s:b}", "chroot_namespace", "", "root", 1);
	else
		data = acl_resultant(call->acl);
	return data ? call_data(call, data) : -ENOMEM;
}
