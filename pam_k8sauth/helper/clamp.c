/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clamps of decision 14: what an index of the daemon's may say. accounts.conf decides about ids, groups, homes and
 * shells; the present index about who is whom; /etc/passwd and /etc/group about names and ids that are taken.
 */
#include "helper/helper.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "accounts/local.h"
#include "base/log.h"
#include "base/text.h"

#define REFUSE(c, ...) helper_refuse((c)->why, (c)->why_size, __VA_ARGS__)

static bool in_range(const struct clamp *c, uint32_t id)
{
	return id >= c->conf->from && id <= c->conf->to;
}

/* --- one user ------------------------------------------------------------------------------------------------- */

/* Splits "<mount>/<namespace>/<service account>" into namespace and service account. */
static bool split_identity(const char *identity, char ns[static 64], char service_account[static 256])
{
	const char *last = strrchr(identity, '/'), *start = last;

	while (start && start > identity && start[-1] != '/')
		start--;
	if (!start || start < identity + 2 || last - start > 63 || strlen(last + 1) > 253)
		return false;
	snprintf(ns, 64, "%.*s", (int)(last - start), start);
	snprintf(service_account, 256, "%s", last + 1);
	return account_namespace_valid(ns) && account_service_account_valid(service_account);
}

/* Who proved the account must be somebody whose name it is; NS is filled where the namespace is known, else "". */
static int check_identity(const struct clamp *c, const struct index_user *user, char ns[static 64])
{
	AUTO_FREE char *name_ns = NULL, *name_account = NULL;
	char service_account[256];
	bool full = account_split_name(user->name, &name_ns, &name_account) == 0;

	*ns = '\0';
	if (user->identity[0] == '\0') {
		if (user->service_account_uid[0])
			return REFUSE(c, "user %s has a service account uid, but nobody proved it", user->name);
		if (!conf_account(c->conf, user->name))
			return REFUSE(c, "user %s is neither declared nor proved by anybody", user->name);
		if (full)
			snprintf(ns, 64, "%s", name_ns);
		return 0;
	}
	if (user->service_account_uid[0] == '\0' || !split_identity(user->identity, ns, service_account))
		return REFUSE(c, "user %s has an identity that no service account has", user->name);
	if (full && (!streq(ns, name_ns) || !streq(service_account, name_account)))
		return REFUSE(c, "user %s is not the name of %s", user->name, user->identity);
	return 0;
}

static int check_ids(const struct clamp *c, const struct index_user *user)
{
	const struct conf_account *declared = conf_account(c->conf, user->name);

	if (declared && declared->has_uid ? user->uid != declared->uid : !in_range(c, user->uid))
		return REFUSE(
		    c, "user %s has uid %u, which %s does not give it", user->name, user->uid, c->places->conf);
	if (user->gid != (declared && declared->gid_group ? declared->gid_group : user->uid))
		return REFUSE(
		    c, "user %s has gid %u, which %s does not give it", user->name, user->gid, c->places->conf);
	return 0;
}

static int check_fields(const struct clamp *c, const struct index_user *user)
{
	char home[CONF_FIELD_SIZE];

	conf_home(c->conf, user->name, home);
	if (!streq(user->home, home))
		return REFUSE(c, "user %s has the home %s, not %s", user->name, user->home, home);
	if (!streq(user->shell, conf_shell(c->conf, user->name)))
		return REFUSE(
		    c, "user %s has the shell %s, not %s", user->name, user->shell, conf_shell(c->conf, user->name));
	return 0;
}

/* Whether GROUP can be that of the namespace NS under the prefix of the user NAME. The hash itself is not checked. */
static bool is_namespace_group(const char *group, const char *name, const char *ns)
{
	size_t prefix = account_prefix_len(name);

	if (prefix + strlen(ns) <= ACCOUNT_NAME_MAX)
		return strncmp(group, name, prefix) == 0 && streq(group + prefix, ns);
	return account_name_form(group) == ACCOUNT_FORM_HASHED && account_prefix_len(group) == prefix &&
	       strncmp(group, name, prefix) == 0;
}

/*
 * Exactly the groups that are due: one more could be in sudoers, one less could be what sshd_config or access.conf
 * restricts. index_check() has seen that none stands twice.
 */
static int check_groups_of(const struct clamp *c, const struct index_user *user, const char *ns)
{
	const struct conf_account *declared = conf_account(c->conf, user->name);
	bool in_users = false, in_namespace = false;
	size_t n_declared = 0;

	for (uint32_t i = 0; i <= user->n_groups; i++) { /* the primary one last */
		uint32_t gid = i < user->n_groups ? le32toh(user->groups[i]) : user->gid;
		struct index_group group;
		bool primary = i == user->n_groups, due;

		if (index_group_by_id(c->next, gid, &group) < 0)
			return REFUSE(c, "user %s is in gid %u, which no group has", user->name, gid);
		due = primary && (user->gid != user->uid || streq(group.name, user->name));
		if (streq(group.name, K8SAUTH_USERS_GROUP))
			due = in_users = true;
		else if (*ns && is_namespace_group(group.name, user->name, ns))
			due = in_namespace = true;
		for (size_t j = 0; declared && j < declared->n_groups; j++) {
			if (declared->groups[j] == gid) {
				due = true;
				n_declared++;
			}
		}
		if (!due)
			return REFUSE(c, "user %s is in group %s, which %s does not give it", user->name, group.name,
			    c->places->conf);
	}
	if (!in_users || (*ns && !in_namespace) || (declared && n_declared != declared->n_groups))
		return REFUSE(c, "user %s is not in every group that is due to it", user->name);
	return 0;
}

static int check_user(const struct clamp *c, const struct index_user *user)
{
	char ns[64];
	int r = check_identity(c, user, ns);

	if (r == 0)
		r = check_ids(c, user);
	if (r == 0)
		r = check_fields(c, user);
	return r == 0 ? check_groups_of(c, user, ns) : r;
}

/* --- one group ------------------------------------------------------------------------------------------------ */

static int check_group(const struct clamp *c, const struct index_group *group)
{
	const struct conf_group *declared = conf_group(c->conf, group->name);
	enum account_form form = account_name_form(group->name);
	struct index_user user;

	if (declared) {
		if (declared->gid != group->gid)
			return REFUSE(c, "group %s has gid %u, not %u", group->name, group->gid, declared->gid);
		return 0;
	}
	if (index_user_by_name(c->next, group->name, &user) == 0) {
		if (user.uid != group->gid || user.gid != group->gid || group->n_members > 0)
			return REFUSE(c, "group %s is not the private group of its user", group->name);
		return 0;
	}
	if (form != ACCOUNT_FORM_GROUP && form != ACCOUNT_FORM_HASHED && !streq(group->name, K8SAUTH_USERS_GROUP))
		return REFUSE(c, "group %s is not declared in %s", group->name, c->places->conf);
	if (!in_range(c, group->gid))
		return REFUSE(c, "group %s has gid %u, which is not in the range of %s", group->name, group->gid,
		    c->places->conf);
	return 0;
}

/* --- what goes on --------------------------------------------------------------------------------------------- */

/* A record of the present index: nobody forgets or changes who is whom, and no uid moves unless accounts.conf did. */
static int check_known(const struct clamp *c, const struct index_user *now)
{
	const struct conf_account *declared = conf_account(c->conf, now->name);
	bool rebound = c->rebind && streq(c->rebind, now->name);
	struct index_user next;

	if (index_user_by_name(c->next, now->name, &next) < 0) {
		if (now->identity[0] && !rebound)
			return REFUSE(c, "user %s, proved by %s, is missing", now->name, now->identity);
		return 0;
	}
	if (now->identity[0] && !rebound &&
	    (!streq(now->identity, next.identity) || !streq(now->service_account_uid, next.service_account_uid)))
		return REFUSE(c, "user %s goes from %s (uid %s) to %s (uid %s); that needs `k8sauth accounts rebind`",
		    now->name, now->identity, now->service_account_uid, next.identity, next.service_account_uid);
	if (next.uid != now->uid && (declared && declared->has_uid ? declared->uid == now->uid : in_range(c, now->uid)))
		return REFUSE(c, "user %s goes from uid %u to %u, and %s asks for no change", now->name, now->uid,
		    next.uid, c->places->conf);
	return 0;
}

static int check_known_group(const struct clamp *c, const struct index_group *now)
{
	struct index_group next;

	if (index_group_by_name(c->next, now->name, &next) < 0 || next.gid == now->gid)
		return 0;
	if (!conf_group(c->conf, now->name) && !conf_account(c->conf, now->name) && in_range(c, now->gid))
		return REFUSE(c, "group %s goes from gid %u to %u, and %s asks for no change", now->name, now->gid,
		    next.gid, c->places->conf);
	return 0;
}

/* --- what is taken -------------------------------------------------------------------------------------------- */

/* Taken names and ids stop what is new; what is published already is a matter for whoever made the local one. */
static int taken(const struct clamp *c, bool known, const char *what, const char *name, uint32_t id, const char *path)
{
	if (!known)
		return REFUSE(c, "%s %s (id %u) has the name or the id of one in %s", what, name, id, path);
	log_warning("%s %s (id %u) is in the account index and, since then, in %s too: one of them has to go", what,
	    name, id, path);
	return 0;
}

static int see_user(void *arg, const char *name, uint32_t uid)
{
	const struct clamp *c = arg;
	struct index_user next, now;

	if (index_user_by_name(c->next, name, &next) < 0 && index_user_by_id(c->next, uid, &next) < 0)
		return 0;
	return taken(c, c->now->data && index_user_by_name(c->now, next.name, &now) == 0 && now.uid == next.uid, "user",
	    next.name, next.uid, c->places->passwd);
}

static int see_group(void *arg, const char *name, uint32_t gid)
{
	const struct clamp *c = arg;
	struct index_group next, now;

	if (index_group_by_name(c->next, name, &next) < 0 && index_group_by_id(c->next, gid, &next) < 0)
		return 0;
	return taken(c, c->now->data && index_group_by_name(c->now, next.name, &now) == 0 && now.gid == next.gid,
	    "group", next.name, next.gid, c->places->group);
}

static int check_local(const struct clamp *c)
{
	int r = local_each_user(c->places->passwd, see_user, (void *)(uintptr_t)c);

	if (r < 0)
		return r == -EPERM ? r : helper_fail(c->why, c->why_size, r, c->places->passwd);
	r = local_each_group(c->places->group, see_group, (void *)(uintptr_t)c);
	return r < 0 && r != -EPERM ? helper_fail(c->why, c->why_size, r, c->places->group) : r;
}

int clamp_check(const struct clamp *c)
{
	struct index_user user;
	struct index_group group;
	uint32_t from, to;
	int r = 0;

	index_range(c->next, &from, &to);
	if (from != c->conf->from || to != c->conf->to)
		return REFUSE(c, "the range %u to %u is not that of %s, %u to %u", from, to, c->places->conf,
		    c->conf->from, c->conf->to);
	if (c->now->data && index_generation(c->next) <= index_generation(c->now))
		return REFUSE(
		    c, "generation %llu is not above the present one", (unsigned long long)index_generation(c->next));
	if (index_group_by_name(c->next, K8SAUTH_USERS_GROUP, &group) < 0)
		return REFUSE(c, "the group " K8SAUTH_USERS_GROUP " is missing");
	for (uint32_t i = 0; i < index_n_users(c->next) && r == 0; i++)
		r = index_user_at(c->next, i, &user) < 0 ? REFUSE(c, "user record %u is broken", i)
							 : check_user(c, &user);
	for (uint32_t i = 0; i < index_n_groups(c->next) && r == 0; i++)
		r = index_group_at(c->next, i, &group) < 0 ? REFUSE(c, "group record %u is broken", i)
							   : check_group(c, &group);
	for (uint32_t i = 0; c->now->data && i < index_n_users(c->now) && r == 0; i++) {
		if (index_user_at(c->now, i, &user) == 0)
			r = check_known(c, &user);
	}
	for (uint32_t i = 0; c->now->data && i < index_n_groups(c->now) && r == 0; i++) {
		if (index_group_at(c->now, i, &group) == 0)
			r = check_known_group(c, &group);
	}
	return r == 0 ? check_local(c) : r;
}
