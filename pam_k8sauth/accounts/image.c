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
	struct conf_group *namespaces; /* groups of namespaces, possibly repeated */
	size_t n_namespaces, namespaces_size;
	size_t n_moved; /* records whose id is another one than before */
};

/* --- claims --------------------------------------------------------------------------------------------------------
 */

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

static bool claimed(const struct builder *b, const char *name)
{
	size_t low = 0, high = b->n_claims;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, b->claims[middle]->name);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* --- users ----------------------------------------------------------------------------------------------------------
 */

static int add_namespace(struct builder *b, const struct derived *derived)
{
	struct conf_group *group;

	if (derived->namespace_group[0] == '\0')
		return 0;
	/* Names are sorted, so neighbours share a namespace mostly. */
	if (b->n_namespaces > 0 && streq(b->namespaces[b->n_namespaces - 1].name, derived->namespace_group))
		return 0;
	if (b->n_namespaces == b->namespaces_size) {
		size_t size = b->namespaces_size ? b->namespaces_size * 2 : 64;
		struct conf_group *larger = reallocarray(b->namespaces, size, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		b->namespaces = larger;
		b->namespaces_size = size;
	}
	group = &b->namespaces[b->n_namespaces++];
	group->gid = derived->namespace_gid;
	memcpy(group->name, derived->namespace_group, sizeof(group->name));
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
	return r == 0 ? add_namespace(b, &derived) : r;
}

static int add_known_user(struct builder *b, const struct index_user *user, bool derive)
{
	const struct conf_account *declared = conf_account(b->conf, user->name);
	uint32_t uid;

	if (claimed(b, user->name))
		return 0; /* comes with the claims */
	if (user->identity[0] == '\0' && !declared)
		return 0; /* nobody proved it, and it is declared no more */
	if (!derive)
		return write_user(b, user);
	uid = declared && declared->has_uid ? declared->uid : account_conf_hash(b->conf, user->name);
	if (uid != user->uid)
		b->n_moved++;
	return derive_user(b, user->name, user->identity, user->service_account_uid);
}

static int add_users(struct builder *b, bool derive)
{
	struct index_user user;
	int r = 0;

	for (uint32_t i = 0; b->map->data && i < index_n_users(b->map) && r == 0; i++)
		r = index_user_at(b->map, i, &user) < 0 ? -EBADMSG : add_known_user(b, &user, derive);
	for (size_t i = 0; i < b->conf->n_accounts && r == 0; i++) {
		const char *name = b->conf->accounts[i].name;

		if (!claimed(b, name) && !(b->map->data && index_user_by_name(b->map, name, &user) == 0))
			r = derive_user(b, name, "", "");
	}
	for (size_t i = 0; i < b->n_claims && r == 0; i++) {
		const struct claim *c = b->claims[i];

		if (!c->rebind)
			r = derive_user(b, c->name, c->identity, c->service_account_uid);
		else if (conf_account(b->conf, c->name))
			r = derive_user(b, c->name, "", "");
	}
	return r;
}

/* --- groups ---------------------------------------------------------------------------------------------------------
 */

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
		struct derived derived = { 0 };

		if (index_group_at(b->map, i, &group) < 0)
			return -EBADMSG;
		if (!account_name_is_ours(group.name) || index_user_by_name(b->map, group.name, &user) == 0)
			continue; /* k8sauth-users, a declared group, a private group */
		derived.namespace_gid = group.gid;
		snprintf(derived.namespace_group, sizeof(derived.namespace_group), "%s", group.name);
		r = add_namespace(b, &derived);
	}
	return r;
}

static int add_groups(struct builder *b)
{
	int r = 0;

	for (size_t i = 0; i < b->conf->n_groups && r == 0; i++)
		r = index_writer_group(b->writer, b->conf->groups[i].name, b->conf->groups[i].gid);
	if (r == 0 && !conf_group(b->conf, K8SAUTH_USERS_GROUP))
		r = index_writer_group(b->writer, K8SAUTH_USERS_GROUP, account_group_gid(b->conf, K8SAUTH_USERS_GROUP));
	if (b->n_namespaces > 0)
		qsort(b->namespaces, b->n_namespaces, sizeof(*b->namespaces), compare_groups);
	for (size_t i = 0; i < b->n_namespaces && r == 0; i++) {
		const struct conf_group *group = &b->namespaces[i];

		if ((i > 0 && streq(group->name, group[-1].name)) || conf_group(b->conf, group->name))
			continue;
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
	free(b.namespaces);
	return r;
}
