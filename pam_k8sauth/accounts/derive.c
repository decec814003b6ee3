/* SPDX-License-Identifier: Apache-2.0 */
/* From a Unix name and accounts.conf to ids and groups: a pure function, the same before and after the first login. */
#include "accounts/state.h"

#include <stdio.h>

uint32_t account_conf_hash(const struct accounts_conf *conf, const char *name)
{
	return conf->has_range ? account_hashed_id_in(name, conf->from, conf->to) : account_hashed_id(name);
}

uint32_t account_group_gid(const struct accounts_conf *conf, const char *name)
{
	const struct conf_group *group = conf_group(conf, name);

	return group ? group->gid : account_conf_hash(conf, name);
}

static void add_group(struct derived *derived, uint32_t gid)
{
	if (gid == derived->gid || derived->n_groups == IDMAP_GROUPS_MAX)
		return;
	for (size_t i = 0; i < derived->n_groups; i++) {
		if (derived->groups[i] == gid)
			return;
	}
	derived->groups[derived->n_groups++] = gid;
}

void account_derive(const struct accounts_conf *conf, const char *name, const char *ns, struct derived *ret)
{
	const struct conf_account *declared = conf_account(conf, name);
	char prefix[ACCOUNT_NAME_SIZE];

	*ret = (struct derived){ 0 };
	ret->uid = declared && declared->has_uid ? declared->uid : account_conf_hash(conf, name);
	ret->gid = declared && declared->gid_group ? declared->gid_group : ret->uid;
	add_group(ret, account_group_gid(conf, K8SAUTH_USERS_GROUP));
	snprintf(prefix, sizeof(prefix), "%.*s", (int)account_prefix_len(name), name);
	if (ns && account_group_name(prefix, ns, ret->namespace_group) == 0) {
		ret->namespace_gid = account_group_gid(conf, ret->namespace_group);
		add_group(ret, ret->namespace_gid);
	}
	for (size_t i = 0; declared && i < declared->n_groups; i++)
		add_group(ret, declared->groups[i]);
}

/* Where the namespace starts in "<mount>/<namespace>/<service account>": a mount may contain '/'. NULL if nowhere. */
static const char *after_mount(const char *identity)
{
	const char *slash = strrchr(identity, '/');

	while (slash && slash > identity && slash[-1] != '/')
		slash--;
	return slash && slash > identity ? slash : NULL;
}

bool account_namespace(const char *name, const char *identity, char ret[static 64])
{
	const char *start = after_mount(identity), *end;

	if (start) {
		end = strchr(start, '/');
	} else if (account_name_form(name) == ACCOUNT_FORM_FULL) {
		start = name + account_prefix_len(name);
		end = strchr(start, '_');
	} else {
		return false;
	}
	snprintf(ret, 64, "%.*s", (int)(end - start), start);
	return true;
}

void account_gecos(const char *name, const char *identity, char *ret, size_t size)
{
	AUTO_FREE char *ns = NULL, *service_account = NULL;
	const char *start = after_mount(identity);

	if (start)
		snprintf(ret, size, "%s", start);
	else if (account_split_name(name, &ns, &service_account) == 0)
		snprintf(ret, size, "%s/%s", ns, service_account);
	else
		*ret = '\0';
}
