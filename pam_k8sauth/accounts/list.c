/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator asks about accounts: all that the index holds, and whose account one would be. */
#include "accounts/state.h"

#include <errno.h>
#include <stdio.h>

int accounts_each(
    struct accounts *accounts, int (*see)(void *arg, const struct index_user *user), void *arg, char *why, size_t size)
{
	struct index_user user;
	int r = 0;

	if (!accounts_refresh(accounts, why, size))
		return -EBADMSG;
	for (uint32_t i = 0; accounts->map.data && i < index_n_users(&accounts->map) && r == 0; i++) {
		if (index_user_at(&accounts->map, i, &user) == 0)
			r = see(arg, &user);
	}
	if (r < 0)
		snprintf(why, size, "out of memory");
	return r;
}

int accounts_name(struct accounts *accounts, const char *prefix, const char *ns, const char *service_account,
    struct account *ret, char *why, size_t size)
{
	struct derived derived;

	*ret = (struct account){ 0 };
	if (!accounts_refresh(accounts, why, size))
		return -EBADMSG;
	if (account_unix_name(prefix, ns, service_account, ret->name) < 0) {
		snprintf(why, size, "not NAMESPACE/SERVICEACCOUNT, as Kubernetes names them");
		return -EINVAL;
	}
	account_derive(accounts->conf, ret->name, ns, &derived);
	ret->uid = derived.uid;
	ret->gid = derived.gid;
	return 0;
}
