/* SPDX-License-Identifier: Apache-2.0 */
/* Entities and aliases made, changed and taken apart, each with the index records that lead to it. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* The digits come out of the request's id, which stays the same when the call is run again. */
int identity_own_name(struct call *call, const char *folder, const char *kind, char ret[static IDENTITY_OWN_NAME_SIZE])
{
	static const unsigned at[] = { 0, 24, 28, 9 };
	const char *random = call->response->request_id;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		AUTO_FREE char *key = NULL, *other = NULL;
		int r;

		snprintf(ret, IDENTITY_OWN_NAME_SIZE, "%s_%.8s", kind, random + at[i]);
		key = name_key(folder, ret);
		r = key ? index_get(call, key, &other) : -ENOMEM;
		if (r == -ENOENT)
			return 0;
		if (r < 0)
			return r;
	}
	return -EEXIST;
}

int entity_new(struct call *call, const char *name, json_t **ret)
{
	AUTO_FREE char *key = name_key(IDENTITY_NAMES, name);
	json_int_t now = nanotime_now();
	char id[UUID_SIZE];
	json_t *entity;
	int r;

	random_uuid(id);
	entity = json_pack(
	    "{s:s, s:s, s:I, s:I, s:[]}", "id", id, "name", name, "created", now, "updated", now, "aliases");
	r = key && entity ? index_put(call, key, id) : -ENOMEM;
	if (r < 0)
		json_decref(entity);
	else
		*ret = entity;
	return r;
}

size_t alias_find(const json_t *entity, const char *accessor, const char *name)
{
	const json_t *aliases = json_object_get(entity, "aliases"), *alias;
	size_t i;

	json_array_foreach(aliases, i, alias)
	{
		if (streq(identity_text(alias, "accessor"), accessor) &&
		    (!name || strcasecmp(identity_text(alias, "name"), name) == 0))
			return i;
	}
	return json_array_size(aliases);
}

int alias_add(struct call *call, json_t *entity, const char *accessor, const char *name, json_t **ret)
{
	AUTO_FREE char *by_account = account_key(IDENTITY_ACCOUNTS, accessor, name), *by_id = NULL;
	json_int_t now = nanotime_now();
	char id[UUID_SIZE];
	json_t *alias;
	int r;

	random_uuid(id);
	by_id = id_key(IDENTITY_ALIASES, id);
	alias = json_pack(
	    "{s:s, s:s, s:s, s:I, s:I}", "id", id, "accessor", accessor, "name", name, "created", now, "updated", now);
	if (json_array_append_new(json_object_get(entity, "aliases"), alias))
		return -ENOMEM;
	r = index_put(call, by_account, identity_text(entity, "id"));
	if (r == 0)
		r = index_put(call, by_id, identity_text(entity, "id"));
	if (r == 0)
		*ret = alias;
	return r;
}

int alias_take_out(struct call *call, json_t *entity, size_t index)
{
	json_t *aliases = json_object_get(entity, "aliases"), *alias = json_array_get(aliases, index);
	AUTO_FREE char *by_account = account_key(
	    IDENTITY_ACCOUNTS, identity_text(alias, "accessor"), identity_text(alias, "name"));
	AUTO_FREE char *by_id = id_key(IDENTITY_ALIASES, identity_text(alias, "id"));
	int r = by_account && by_id ? core_delete(call, by_account) : -ENOMEM;

	if (r == 0)
		r = core_delete(call, by_id);
	if (r == 0 && json_array_remove(aliases, index))
		r = -ENOMEM;
	return r;
}
