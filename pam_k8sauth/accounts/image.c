/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the next index in memory: the records of the present one, accounts.conf, and the claims that wait. */
#include "accounts/state.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"

struct builder {
	const struct accounts_conf *conf;
	const struct index_map *map;
	const struct claim **claims; /* sorted by name, each name once */
	size_t n_claims;
	struct index_writer *writer;
	struct conf_group *groups; /* that are no private ones, possibly repeated */
	size_t n_groups, groups_size;
	size_t n_moved; /* records whose id is another one than before */
};

/* --- claims --------------------------------------------------------------------------------------------------- */

static int compare_claims(const void *a, const void *b)
{
	const struct claim *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int sort_claims(struct builder *b, const struct claim *claims)
{
	size_t n = 0;

	for (const struct claim *c = claims; c; c = c->next)
		n++;
	b->claims = calloc(n + 1, sizeof(*b->claims));
	if (!b->claims)
		return -ENOMEM;
	n = 0;
	for (const struct claim *c = claims; c; c = c->next)
		b->claims[n++] = c;
	if (n > 0)
		qsort(b->claims, n, sizeof(*b->claims), compare_claims);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !streq(b->claims[i]->name, b->claims[b->n_claims - 1]->name))
			b->claims[b->n_claims++] = b->claims[i];
	}
	return 0;
}

/* --- users ---------------------------------------------------------------------------------------------------- */

static int add_group(struct builder *b, const char *name, uint32_t gid)
{
	struct conf_group *group;

	/* Users are sorted, so neighbours share a namespace mostly. */
	if (b->n_groups > 0 && streq(b->groups[b->n_groups - 1].name, name))
		return 0;
	if (b->n_groups == b->groups_size) {
		size_t size = b->groups_size ? b->groups_size * 2 : 64;
		struct conf_group *larger = reallocarray(b->groups, size, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		b->groups = larger;
		b->groups_size = size;
	}
	group = &b->groups[b->n_groups++];
	group->gid = gid;
	snprintf(group->name, sizeof(group->name), "%s", name);
	return 0;
}

static int write_user(struct builder *b, const struct index_user *user)
{
	int r = index_writer_user(b->writer, user);

	if (r == 0 && user->gid == user->uid)
		r = index_writer_group(b->writer, user->name, user->gid);
	return r;
}

/* An account as accounts.conf wants it. */
static int derive_user(struct builder *b, const char *name, const char *identity, const char *service_account_uid)
{
	char home[CONF_FIELD_SIZE], gecos[CONF_FIELD_SIZE], ns[64];
	struct derived derived;
	struct index_user user;
	int r;

	account_derive(b->conf, name, account_namespace(name, identity, ns) ? ns : NULL, &derived);
	conf_home(b->conf, name, home);
	account_gecos(name, identity, gecos, sizeof(gecos));
	for (size_t i = 0; i < derived.n_groups; i++)
		derived.groups[i] = htole32(derived.groups[i]);
	user = (struct index_user){
		.name = name,
		.gecos = gecos,
		.home = home,
		.shell = conf_shell(b->conf, name),
		.identity = identity,
		.service_account_uid = service_account_uid,
		.uid = derived.uid,
		.gid = derived.gid,
		.groups = derived.groups,
		.n_groups = (uint32_t)derived.n_groups,
	};
	r = write_user(b, &user);
	if (r == 0 && derived.namespace_group[0])
		r = add_group(b, derived.namespace_group, derived.namespace_gid);
	return r;
}

static int add_known(struct builder *b, const struct index_user *user, bool derive)
{
	const struct conf_account *declared = derive || !user->identity[0] ? conf_account(b->conf, user->name) : NULL;
	uint32_t uid;

	if (user->identity[0] == '\0' && !declared)
		return 0; /* nobody proved it, and it is declared no more */
	if (!derive)
		return write_user(b, user);
	uid = declared && declared->has_uid ? declared->uid : account_conf_hash(b->conf, user->name);
	if (uid != user->uid)
		b->n_moved++;
	return derive_user(b, user->name, user->identity, user->service_account_uid);
}

static int add_claim(struct builder *b, const struct claim *claim)
{
	if (!claim->rebind)
		return derive_user(b, claim->name, claim->identity, claim->service_account_uid);
	return conf_account(b->conf, claim->name) ? derive_user(b, claim->name, "", "") : 0;
}

static const char *first_of(const char *a, const char *b)
{
	return !a || (b && strcmp(b, a) < 0) ? b : a;
}

/*
 * Known, declared and claimed ones, all of them sorted, merged by name: a claim goes before what is known, and that
 * before a declaration alone. So the same accounts make the same image, however they came together.
 */
static int add_users(struct builder *b, bool derive)
{
	uint32_t n_known = b->map->data ? index_n_users(b->map) : 0, known = 0;
	size_t declared = 0, claim = 0;
	int r = 0;

	while (r == 0) {
		struct index_user user = { 0 };
		const char *k = NULL, *d = NULL, *c = NULL, *name;

		if (known < n_known && index_user_at(b->map, known, &user) < 0)
			return -EBADMSG;
		k = user.name;
		if (declared < b->conf->n_accounts)
			d = b->conf->accounts[declared].name;
		if (claim < b->n_claims)
			c = b->claims[claim]->name;
		name = first_of(first_of(k, d), c);
		if (!name)
			break;
		if (c && streq(c, name))
			r = add_claim(b, b->claims[claim++]);
		else if (k && streq(k, name))
			r = add_known(b, &user, derive);
		else
			r = derive_user(b, name, "", "");
		known += k && streq(k, name);
		declared += d && streq(d, name);
	}
	return r;
}

/* --- groups --------------------------------------------------------------------------------------------------- */

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct conf_group *)a)->name, ((const struct conf_group *)b)->name);
}

/* Groups of namespaces that known users are in; their records are copied, so nothing derives them. */
static int copy_namespaces(struct builder *b)
{
	struct index_group group;
	struct index_user user;
	int r = 0;

	for (uint32_t i = 0; b->map->data && i < index_n_groups(b->map) && r == 0; i++) {
		if (index_group_at(b->map, i, &group) < 0)
			return -EBADMSG;
		if (!account_name_is_ours(group.name) || index_user_by_name(b->map, group.name, &user) == 0)
			continue; /* k8sauth-users, a declared group, a private group */
		r = add_group(b, group.name, group.gid);
	}
	return r;
}

/* The groups that are no private ones, in the order of their names. */
static int add_groups(struct builder *b)
{
	int r = add_group(b, K8SAUTH_USERS_GROUP, account_group_gid(b->conf, K8SAUTH_USERS_GROUP));

	for (size_t i = 0; i < b->conf->n_groups && r == 0; i++)
		r = add_group(b, b->conf->groups[i].name, b->conf->groups[i].gid);
	if (r < 0)
		return r;
	qsort(b->groups, b->n_groups, sizeof(*b->groups), compare_groups);
	for (size_t i = 0; i < b->n_groups && r == 0; i++) {
		const struct conf_group *group = &b->groups[i];

		if (i == 0 || !streq(group->name, group[-1].name))
			r = index_writer_group(b->writer, group->name, group->gid);
	}
	return r;
}

int image_build(const struct accounts *accounts, const struct claim *claims, bool derive, struct buf *ret, char *why,
    size_t why_size)
{
	struct builder b = { .conf = accounts->conf, .map = &accounts->map };
	uint64_t generation = b.map->data ? index_generation(b.map) + 1 : 1;
	int r = sort_claims(&b, claims);

	b.writer = index_writer_new(generation);
	if (r == 0 && !b.writer)
		r = -ENOMEM;
	if (r == 0)
		index_writer_range(b.writer, b.conf->from, b.conf->to);
	if (r == 0)
		r = add_users(&b, derive);
	if (r == 0 && !derive)
		r = copy_namespaces(&b);
	if (r == 0)
		r = add_groups(&b);
	if (r == 0)
		r = index_writer_finish(b.writer, ret, why, why_size);
	if (r < 0 && r != -EEXIST && r != -ENOENT)
		snprintf(why, why_size, "the next index cannot be built: %s", strerror(-r));
	if (r == 0 && b.n_moved > 0)
		log_warning("accounts: %s gives %zu known accounts another uid; their files keep the old one",
		    accounts->conf_path, b.n_moved);
	index_writer_free(b.writer);
	free(b.claims);
	free(b.groups);
	return r;
}
