/* SPDX-License-Identifier: Apache-2.0 */
/* identity/group-alias: the name by which a login mount knows an external group. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* What a request says of an alias; "" where it says nothing. */
struct wish {
	const char *id, *name, *accessor, *group_id;
};

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

int group_alias_read(struct call *call)
{
	json_auto_t *group = NULL;
	const json_t *alias;
	json_t *data;
	int r = group_by_alias(call, call_capture(call, "id"), &group);

	alias = json_object_get(group, "alias");
	if (r < 0 || !alias)
		return r < 0 ? r : call_data(call, NULL);
	data = alias_show(call->core, identity_text(group, "id"), alias);
	if (!data || json_object_set_new(data, "namespace_id", json_string("root"))) {
		json_decref(data);
		return -ENOMEM;
	}
	return call_data(call, data);
}

int group_alias_delete(struct call *call)
{
	json_auto_t *group = NULL;
	int r = group_by_alias(call, call_capture(call, "id"), &group);

	if (r == 0 && group)
		r = group_drop_alias(call, group);
	if (r == 0 && group)
		r = group_put(call, group);
	return r < 0 ? r : call_done(call);
}

/* --- writing. All 0, 1 after a refusal, -errno. */

static int read_wish(struct call *call, struct wish *ret)
{
	int r = call_field_string(call, "id", &ret->id, NULL);

	if (r == 0)
		r = call_field_string(call, "name", &ret->name, NULL);
	if (r == 0)
		r = call_field_string(call, "mount_accessor", &ret->accessor, NULL);
	if (r == 0)
		r = call_field_string(call, "canonical_id", &ret->group_id, NULL);
	return r ? r : identity_check_name(call, ret->name);
}

static int check_wish(struct call *call, const struct wish *wish)
{
	if (!*wish->name)
		return refuse(call, "missing alias name");
	if (!*wish->accessor)
		return refuse(call, "missing mount_accessor");
	if (identity_mount(call->core, wish->accessor))
		return 0;
	call_error(call, 400, "invalid mount accessor \"%s\"", wish->accessor);
	return 1;
}

/* The group that the alias of the request shall belong to: the one that is asked for, the OLD one, or a new one. */
static int find_owner(struct call *call, const struct wish *wish, json_t *old, json_t **ret)
{
	char name[IDENTITY_OWN_NAME_SIZE];
	int r;

	if (old && (!*wish->group_id || streq(wish->group_id, identity_text(old, "id")))) {
		*ret = json_incref(old);
		return 0;
	}
	if (*wish->group_id) {
		r = group_load(call, wish->group_id, ret);
		if (r == -ENOENT)
			return refuse(call, "invalid group ID given in 'canonical_id'");
		if (r < 0)
			return r;
		return streq(identity_text(*ret, "type"), "external")
			   ? 0
			   : refuse(call, "alias can't be set on an internal group");
	}
	r = identity_own_name(call, GROUP_NAMES, "group", name);
	return r < 0 ? r : group_new(call, name, "external", ret);
}

/* No other group may have that name at that mount. */
static int check_account(struct call *call, const struct wish *wish)
{
	json_auto_t *other = NULL;
	int r = group_by_account(call, wish->accessor, wish->name, &other);

	if (r < 0 || !other)
		return r;
	if (*wish->id && streq(identity_text(json_object_get(other, "alias"), "id"), wish->id))
		return 0;
	return refuse(call, "combination of mount and group alias name is already in use");
}

/* Gives GROUP the alias, in place of one that it has. */
static int set_alias(struct call *call, json_t *group, json_t *alias)
{
	AUTO_FREE char *by_id = id_key(GROUP_ALIASES, identity_text(alias, "id"));
	AUTO_FREE char *by_account = account_key(
	    GROUP_ACCOUNTS, identity_text(alias, "accessor"), identity_text(alias, "name"));
	json_int_t now = nanotime_now();
	int r = group_drop_alias(call, group);

	if (r == 0 &&
	    (json_object_set(group, "alias", alias) || json_object_set_new(group, "updated", json_integer(now))))
		r = -ENOMEM;
	if (r == 0)
		r = index_put(call, by_id, identity_text(group, "id"));
	if (r == 0)
		r = index_put(call, by_account, identity_text(group, "id"));
	return r < 0 ? r : group_put(call, group);
}

/* The alias as it will be. NULL without memory. */
static json_t *make_alias(const json_t *old, const struct wish *wish)
{
	json_int_t now = nanotime_now(), created = old ? json_integer_value(json_object_get(old, "created")) : now;
	char id[UUID_SIZE];

	random_uuid(id);
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "id", old ? identity_text(old, "id") : id, "accessor",
	    wish->accessor, "name", wish->name, "created", created, "updated", now);
}

static bool is_same(const json_t *alias, const struct wish *wish)
{
	return streq(identity_text(alias, "name"), wish->name) &&
	       streq(identity_text(alias, "accessor"), wish->accessor);
}

/* OLD: the group that has the alias until now; NULL for a new one. */
static int write_alias(struct call *call, const struct wish *wish, json_t *old)
{
	json_auto_t *group = NULL, *alias = NULL;
	int r = find_owner(call, wish, old, &group);

	if (r == 0)
		r = check_account(call, wish);
	if (r)
		return r;
	if (old == group && is_same(json_object_get(old, "alias"), wish))
		return call_done(call);
	alias = make_alias(json_object_get(old, "alias"), wish);
	if (!alias)
		return -ENOMEM;
	if (old && group != old) {
		r = group_drop_alias(call, old);
		if (r == 0)
			r = group_put(call, old);
	}
	if (r == 0)
		r = set_alias(call, group, alias);
	if (r < 0)
		return r;
	return call_data(call,
	    json_pack("{s:O, s:O}", "canonical_id", json_object_get(group, "id"), "id", json_object_get(alias, "id")));
}

static int write_group_alias(struct call *call, const char *id)
{
	struct wish wish = { .id = "", .name = "", .accessor = "", .group_id = "" };
	json_auto_t *old = NULL;
	int r = read_wish(call, &wish);

	if (id)
		wish.id = id;
	if (r == 0 && *wish.id)
		r = group_by_alias(call, wish.id, &old);
	if (r == 0 && *wish.id && !old)
		r = refuse(call, "invalid group alias ID");
	if (r == 0)
		r = check_wish(call, &wish);
	if (r == 0)
		r = write_alias(call, &wish, old);
	return r < 0 ? r : 0;
}

int group_alias_write(struct call *call)
{
	return write_group_alias(call, NULL);
}

int group_alias_write_id(struct call *call)
{
	return write_group_alias(call, call_capture(call, "id"));
}
