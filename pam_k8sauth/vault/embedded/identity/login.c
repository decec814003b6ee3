/* SPDX-License-Identifier: Apache-2.0 */
/* From the alias of a login to its entity. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

static int set_alias_metadata(struct call *call, json_t *alias)
{
	return json_object_set(alias, "metadata", call->auth->alias_metadata) ? -ENOMEM : 0;
}

/* The first login of the account. */
static int make_entity(struct call *call, json_t **ret)
{
	json_t *entity = NULL, *alias;
	char name[IDENTITY_OWN_NAME_SIZE];
	int r = identity_own_name(call, IDENTITY_NAMES, "entity", name);

	if (r == 0)
		r = entity_new(call, name, &entity);
	if (r == 0)
		r = alias_add(call, entity, call->mount->accessor, call->auth->alias_name, &alias);
	if (r == 0)
		r = set_alias_metadata(call, alias);
	if (r == 0)
		r = entity_put(call, entity);
	if (r < 0)
		json_decref(entity);
	else
		*ret = entity;
	return r;
}

/* The alias of this login; NULL where ENTITY has it not. */
static json_t *own_alias(struct call *call, const json_t *entity)
{
	size_t at = alias_find(entity, call->mount->accessor, call->auth->alias_name);

	return json_array_get(json_object_get(entity, "aliases"), at);
}

static bool is_up_to_date(struct call *call, const json_t *entity)
{
	const json_t *alias = own_alias(call, entity);

	return alias && json_equal(json_object_get(alias, "metadata"), call->auth->alias_metadata);
}

/* Gives the alias in ENTITY what this login knows of the account. */
static int update_alias(struct call *call, json_t *entity)
{
	json_t *alias = own_alias(call, entity);
	json_int_t now = nanotime_now();
	int r;

	if (!alias)
		return -EIO;
	/* An empty one becomes none, as in Vault. */
	if (json_object_size(json_object_get(alias, "custom_metadata")) == 0)
		(void)json_object_del(alias, "custom_metadata");
	r = set_alias_metadata(call, alias);
	if (r == 0 && (json_object_set_new(alias, "updated", json_integer(now)) ||
			  json_object_set_new(entity, "updated", json_integer(now))))
		r = -ENOMEM;
	return r < 0 ? r : entity_put(call, entity);
}

static int make_first(struct call *call, json_t **ret)
{
	call->entity_created = true;
	return make_entity(call, ret);
}

static int find_entity(struct call *call, const char *account, json_t **ret)
{
	json_t *entity = identity_cached(call, account);
	AUTO_FREE char *id = NULL;
	int r;

	if (entity && is_up_to_date(call, entity)) {
		*ret = json_incref(entity);
		return 0;
	}
	r = index_get(call, account, &id);
	if (r == -ENOENT)
		return make_first(call, ret);
	entity = NULL;
	if (r == 0)
		r = entity_load(call, id, &entity);
	/* An index without its entity is nobody's. */
	if (r == -ENOENT)
		return make_first(call, ret);
	if (r == 0 && is_up_to_date(call, entity))
		identity_remember(call, account, entity);
	else if (r == 0 && !identity_disabled(entity))
		r = update_alias(call, entity);
	if (r < 0)
		json_decref(entity);
	else
		*ret = entity;
	return r;
}

static int check_enabled(struct call *call, const json_t *entity)
{
	if (!identity_disabled(entity))
		return 0;
	call_refuse(call, VAULT_FAILED_REFUSED, "entity", 403, "permission denied", "the entity %s is disabled",
	    identity_text(entity, "name"));
	return 1;
}

int identity_login(struct call *call)
{
	AUTO_FREE char *account = NULL;
	json_auto_t *entity = NULL;
	int r;

	if (!call->auth->alias_name)
		return 0;
	account = account_key(IDENTITY_ACCOUNTS, call->mount->accessor, call->auth->alias_name);
	r = account ? find_entity(call, account, &entity) : -ENOMEM;
	if (r == 0)
		r = identity_with_groups(call, entity, &call->entity);
	return r < 0 ? r : check_enabled(call, call->entity);
}

int identity_verify(struct call *call)
{
	AUTO_FREE char *account = NULL, *id = NULL;
	json_t *entity = NULL;
	int r;

	if (!call->auth->alias_name)
		return 0;
	account = account_key(IDENTITY_ACCOUNTS, call->mount->accessor, call->auth->alias_name);
	if (!account)
		return -ENOMEM;
	entity = identity_cached(call, account);
	if (entity && own_alias(call, entity))
		return check_enabled(call, entity);
	entity = NULL;
	r = index_get(call, account, &id);
	if (r == 0)
		r = entity_load(call, id, &entity);
	if (r == 0) {
		identity_remember(call, account, entity);
		r = check_enabled(call, entity);
	}
	json_decref(entity);
	return r == -ENOENT ? 0 : r;
}
