/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in accounts.conf; every fault is refused with its line, since ids and homes follow from it. */
#include "accounts/conf_loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <k8sauth/idmap.h>

#include "base/text.h"

int conf_fail(struct conf_loader *l, unsigned line, const char *format, ...)
{
	int len = line ? snprintf(l->why, l->why_size, "%s:%u: ", l->path, line)
		       : snprintf(l->why, l->why_size, "%s: ", l->path);
	va_list args;

	if (len >= 0 && (size_t)len < l->why_size) {
		va_start(args, format);
		vsnprintf(l->why + len, l->why_size - (size_t)len, format, args);
		va_end(args);
	}
	return -EINVAL;
}

/* --- values --------------------------------------------------------------------------------------------------- */

static int take_string(struct conf_loader *l, const struct hcl_item *item, char **ret)
{
	char *copy;

	if (item->block || item->value->type != HCL_STRING)
		return conf_fail(l, item->line, "%s must be a string", item->keys[0]);
	if (*ret)
		return conf_fail(l, item->line, "%s stands twice", item->keys[0]);
	copy = strdup(item->value->string);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* An id that accounts may have. */
static int take_id(struct conf_loader *l, const struct hcl_item *item, uint32_t *ret)
{
	long long id;

	if (item->block || item->value->type != HCL_INT)
		return conf_fail(l, item->line, "%s must be a number", item->keys[0]);
	id = item->value->integer;
	if (id < 0 || id > UINT32_MAX || account_id_forbidden((uint32_t)id))
		return conf_fail(l, item->line,
		    "%s = %lld: an id must be 10000 to 60000, 65536 to 524287 or %u to %u; the others are the system's "
		    "or "
		    "systemd's",
		    item->keys[0], id, ACCOUNT_ID_BASE, ACCOUNT_ID_LIMIT - 1);
	*ret = (uint32_t)id;
	return 0;
}

/* An absolute path that becomes a field of a passwd line; {user} once where USER says so. */
static int take_path(struct conf_loader *l, const struct hcl_item *item, bool user, char **ret)
{
	const char *path, *brace;
	size_t len;
	int r = take_string(l, item, ret);

	if (r < 0)
		return r;
	path = *ret;
	len = strlen(path);
	if (*path != '/' || len + ACCOUNT_NAME_MAX >= CONF_FIELD_SIZE || !utf8_valid(path, len))
		return conf_fail(l, item->line, "%s must be an absolute path of at most %d bytes", item->keys[0],
		    CONF_FIELD_SIZE - ACCOUNT_NAME_SIZE);
	for (const char *c = path; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == ':')
			return conf_fail(l, item->line, "%s has a byte that a passwd line cannot hold", item->keys[0]);
		if (starts_with(c, "/../") || streq(c, "/.."))
			return conf_fail(l, item->line, "%s must not contain ..", item->keys[0]);
	}
	brace = strchr(path, '{');
	if (brace && (!user || !starts_with(brace, "{user}") || strchr(brace + 1, '{')))
		return conf_fail(
		    l, item->line, "%s: only {user} stands for something, and only once in home", item->keys[0]);
	return 0;
}

static int grow(void *array, size_t *size, size_t n, size_t record)
{
	void *new;

	if (n < *size)
		return 0;
	new = reallocarray(*(void **)array, *size ? *size * 2 : 16, record);
	if (!new)
		return -ENOMEM;
	*(void **)array = new;
	*size = *size ? *size * 2 : 16;
	return 0;
}

/* A block with one label and nothing wrong about its form. */
static int take_label(struct conf_loader *l, const struct hcl_item *item, const char **ret)
{
	if (!item->block || item->n_keys != 2)
		return conf_fail(l, item->line, "write %s \"NAME\" { }", item->keys[0]);
	*ret = item->keys[1];
	return 0;
}

static int unknown(struct conf_loader *l, const struct hcl_item *item, const char *where)
{
	return conf_fail(l, item->line, "%s is not known%s", item->keys[0], where);
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

static int load_range(struct conf_loader *l, const struct hcl_item *item)
{
	static const uint32_t last[] = { 60000, 524287, ACCOUNT_ID_LIMIT - 1 };
	uint32_t from = 0, to = 0;
	size_t window = 0;
	int r = 0;

	if (!item->block || item->n_keys != 1)
		return conf_fail(l, item->line, "write range { from = N  to = N }");
	if (l->conf->has_range)
		return conf_fail(l, item->line, "range stands twice");
	for (size_t i = 0; i < item->value->object.n && r == 0; i++) {
		const struct hcl_item *inner = &item->value->object.items[i];

		if (streq(inner->keys[0], "from"))
			r = take_id(l, inner, &from);
		else if (streq(inner->keys[0], "to"))
			r = take_id(l, inner, &to);
		else
			r = unknown(l, inner, " in range");
	}
	if (r < 0)
		return r;
	if (from == 0 || to == 0 || from > to)
		return conf_fail(l, item->line, "range needs from and to, the smaller one first");
	while (from > last[window])
		window++;
	if (to > last[window])
		return conf_fail(l, item->line, "range %u to %u contains ids that are systemd's", from, to);
	l->conf->has_range = true;
	l->conf->from = from;
	l->conf->to = to;
	return 0;
}

static bool group_name_valid(const char *name)
{
	enum account_form form = account_name_form(name);

	if (!account_group_is_ours(name) || strnlen(name, ACCOUNT_NAME_SIZE) > ACCOUNT_NAME_MAX)
		return false;
	if (starts_with(name, "k8s-"))
		return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
	return form == ACCOUNT_FORM_GROUP || form == ACCOUNT_FORM_HASHED || streq(name, K8SAUTH_USERS_GROUP);
}

static int load_group(struct conf_loader *l, const struct hcl_item *item)
{
	struct conf_group group = { 0 };
	const char *name;
	int r = take_label(l, item, &name);

	if (r < 0)
		return r;
	if (!group_name_valid(name))
		return conf_fail(l, item->line,
		    "group \"%s\": a group of ours is named k8s-..., " K8SAUTH_USERS_GROUP
		    " or <prefix><namespace>, with at "
		    "most %d bytes",
		    name, ACCOUNT_NAME_MAX);
	for (size_t i = 0; i < item->value->object.n && r == 0; i++) {
		const struct hcl_item *inner = &item->value->object.items[i];

		r = streq(inner->keys[0], "gid") ? take_id(l, inner, &group.gid) : unknown(l, inner, " in group");
	}
	if (r < 0)
		return r;
	if (group.gid == 0)
		return conf_fail(l, item->line, "group \"%s\" needs a gid", name);
	for (size_t i = 0; i < l->conf->n_groups; i++) {
		if (streq(l->conf->groups[i].name, name) || l->conf->groups[i].gid == group.gid)
			return conf_fail(l, item->line, "group \"%s\" has the name or the gid of group \"%s\"", name,
			    l->conf->groups[i].name);
	}
	r = grow(&l->conf->groups, &l->groups_size, l->conf->n_groups, sizeof(group));
	if (r < 0)
		return r;
	snprintf(group.name, sizeof(group.name), "%s", name);
	l->conf->groups[l->conf->n_groups++] = group;
	return 0;
}

static int load_groups_of_account(struct conf_loader *l, const struct hcl_item *item, struct conf_account *account)
{
	const struct hcl_value *list = item->value;

	if (item->block || list->type != HCL_LIST || list->list.n > IDMAP_GROUPS_MAX - 2)
		return conf_fail(l, item->line, "groups must be a list of at most %d names", IDMAP_GROUPS_MAX - 2);
	free(account->groups);
	account->n_groups = 0;
	account->groups = calloc(list->list.n + 1, sizeof(*account->groups));
	if (!account->groups)
		return -ENOMEM;
	for (size_t i = 0; i < list->list.n; i++) {
		const struct hcl_value *name = list->list.values[i];
		const struct conf_group *group = name->type == HCL_STRING ? conf_group(l->conf, name->string) : NULL;

		if (!group || streq(group->name, K8SAUTH_USERS_GROUP))
			return conf_fail(l, name->line,
			    "groups: each must be declared by a group block of this file, and "
			    "every account is in " K8SAUTH_USERS_GROUP " anyway");
		for (size_t j = 0; j < account->n_groups; j++) {
			if (account->groups[j] == group->gid)
				return conf_fail(l, name->line, "groups: %s stands twice", group->name);
		}
		account->groups[account->n_groups++] = group->gid;
	}
	return 0;
}

/* A primary group: the account's own (gid = uid), or a declared one. */
static int settle_gid(struct conf_loader *l, const struct hcl_item *item, struct conf_account *account, uint32_t gid)
{
	if (gid == 0 || (account->has_uid && gid == account->uid))
		return 0;
	if (!conf_group_by_gid(l->conf, gid))
		return conf_fail(l, item->line, "account \"%s\": gid %u is neither its uid nor a declared group's",
		    account->name, gid);
	account->gid_group = gid;
	for (size_t i = 0; i < account->n_groups; i++) {
		if (account->groups[i] == gid)
			return conf_fail(
			    l, item->line, "account \"%s\": its primary group stands in groups too", account->name);
	}
	return 0;
}

static int load_account_items(struct conf_loader *l, const struct hcl_item *item, struct conf_account *account)
{
	uint32_t gid = 0;
	int r = 0;

	for (size_t i = 0; i < item->value->object.n && r == 0; i++) {
		const struct hcl_item *inner = &item->value->object.items[i];
		const char *key = inner->keys[0];

		if (streq(key, "uid")) {
			r = take_id(l, inner, &account->uid);
			account->has_uid = true;
		} else if (streq(key, "gid")) {
			r = take_id(l, inner, &gid);
		} else if (streq(key, "groups")) {
			r = load_groups_of_account(l, inner, account);
		} else if (streq(key, "home")) {
			r = take_path(l, inner, true, &account->home);
		} else if (streq(key, "shell")) {
			r = take_path(l, inner, false, &account->shell);
		} else {
			r = unknown(l, inner, " in account");
		}
	}
	return r < 0 ? r : settle_gid(l, item, account, gid);
}

/* Adds an account with NAME only; the caller fills it in. */
int conf_add_account(struct conf_loader *l, unsigned line, const char *name, struct conf_account **ret)
{
	enum account_form form = account_name_form(name);
	int r;

	if (form != ACCOUNT_FORM_FULL && form != ACCOUNT_FORM_HASHED)
		return conf_fail(l, line,
		    "\"%s\" is no name of a service account: <prefix><namespace>_<name>, or <prefix>_ and 16 "
		    "characters (`k8sauth-askpass` in the pod prints it)",
		    name);
	if (l->conf->n_accounts >= IDMAP_COUNT_MAX)
		return conf_fail(l, line, "more than %u accounts", IDMAP_COUNT_MAX);
	r = grow(&l->conf->accounts, &l->accounts_size, l->conf->n_accounts, sizeof(struct conf_account));
	if (r < 0)
		return r;
	*ret = &l->conf->accounts[l->conf->n_accounts++];
	**ret = (struct conf_account){ .line = line };
	snprintf((*ret)->name, sizeof((*ret)->name), "%s", name);
	return 0;
}

static int load_account(struct conf_loader *l, const struct hcl_item *item)
{
	struct conf_account *account;
	const char *name;
	int r = take_label(l, item, &name);

	if (r == 0)
		r = conf_add_account(l, item->line, name, &account);
	return r < 0 ? r : load_account_items(l, item, account);
}

static bool identity_valid(const char *identity)
{
	AUTO_FREE char *copy = strdup(identity);
	char *name = copy ? strrchr(copy, '/') : NULL, *ns;

	if (!name)
		return false;
	*name++ = '\0';
	ns = strrchr(copy, '/');
	if (!ns || ns == copy)
		return false;
	*ns++ = '\0';
	return account_namespace_valid(ns) && account_service_account_valid(name);
}

static int load_service_accounts(struct conf_loader *l, const struct hcl_item *item, struct conf_local *local)
{
	const struct hcl_value *list = item->value;

	if (item->block || list->type != HCL_LIST || local->service_accounts)
		return conf_fail(l, item->line, "service_accounts must be one list");
	local->service_accounts = calloc(list->list.n + 1, sizeof(char *));
	if (!local->service_accounts)
		return -ENOMEM;
	for (size_t i = 0; i < list->list.n; i++) {
		const struct hcl_value *identity = list->list.values[i];

		if (identity->type != HCL_STRING || !identity_valid(identity->string))
			return conf_fail(
			    l, identity->line, "service_accounts: write \"<mount>/<namespace>/<service account>\"");
		local->service_accounts[i] = strdup(identity->string);
		if (!local->service_accounts[i])
			return -ENOMEM;
		local->n_service_accounts++;
	}
	return 0;
}

static int load_local(struct conf_loader *l, const struct hcl_item *item)
{
	struct conf_local *local;
	const char *name;
	int r = take_label(l, item, &name);

	if (r < 0)
		return r;
	if (streq(name, "root") || streq(name, K8SAUTH_USER) || account_name_is_ours(name) || *name == '\0' ||
	    strlen(name) > ACCOUNT_NAME_MAX)
		return conf_fail(
		    l, item->line, "local \"%s\": must be a person's or a program's account of /etc/passwd", name);
	if (conf_local(l->conf, name))
		return conf_fail(l, item->line, "local \"%s\" stands twice", name);
	r = grow(&l->conf->locals, &l->locals_size, l->conf->n_locals, sizeof(*local));
	if (r < 0)
		return r;
	local = &l->conf->locals[l->conf->n_locals++];
	*local = (struct conf_local){ .name = strdup(name) };
	if (!local->name)
		return -ENOMEM;
	for (size_t i = 0; i < item->value->object.n && r == 0; i++) {
		const struct hcl_item *inner = &item->value->object.items[i];

		r = streq(inner->keys[0], "service_accounts") ? load_service_accounts(l, inner, local)
							      : unknown(l, inner, " in local");
	}
	return r;
}

static int load_item(struct conf_loader *l, const struct hcl_item *item)
{
	const char *key = item->keys[0];

	if (streq(key, "range"))
		return load_range(l, item);
	if (streq(key, "home"))
		return take_path(l, item, true, &l->conf->home);
	if (streq(key, "shell"))
		return take_path(l, item, false, &l->conf->shell);
	if (streq(key, "map_file"))
		return take_path(l, item, false, &l->conf->map_file);
	if (streq(key, "account"))
		return load_account(l, item);
	if (streq(key, "local"))
		return load_local(l, item);
	if (streq(key, "group"))
		return 0; /* read before the rest */
	return unknown(l, item, "; there are range, home, shell, map_file, account, group and local");
}

int conf_compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int conf_load_items(struct conf_loader *l, const struct hcl_value *top)
{
	int r = 0;

	for (size_t i = 0; i < top->object.n && r == 0; i++) {
		if (streq(top->object.items[i].keys[0], "group"))
			r = load_group(l, &top->object.items[i]);
	}
	if (r == 0 && l->conf->n_groups > 0)
		qsort(l->conf->groups, l->conf->n_groups, sizeof(struct conf_group), conf_compare_names);
	for (size_t i = 0; i < top->object.n && r == 0; i++)
		r = load_item(l, &top->object.items[i]);
	return r;
}
