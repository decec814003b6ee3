/* SPDX-License-Identifier: Apache-2.0 */
/* The records of the identity store and what the loop remembers of them; see identity_internal.h. */
#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

/* When the cache is full it starts anew: what is in use comes back with the next request. */
#define CACHE_MAX 4096

struct identity {
	json_t *entities; /* id -> record, as the store has it */
	json_t *accounts; /* account_key -> id */
};

struct identity *identity_new(void)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return NULL;
	identity->entities = json_object();
	identity->accounts = json_object();
	if (identity->entities && identity->accounts)
		return identity;
	identity_free(identity);
	return NULL;
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	json_decref(identity->entities);
	json_decref(identity->accounts);
	free(identity);
}

const char *identity_text(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return text ? text : "";
}

bool identity_disabled(const json_t *entity)
{
	return json_is_true(json_object_get(entity, "disabled"));
}

/* --- the cache: what is read and unchanged gets in, what a commit changed gets out before its reply */

json_t *identity_cached(struct call *call, const char *account)
{
	struct identity *identity = core_identity(call->core);
	const char *id = json_string_value(json_object_get(identity->accounts, account));

	return id ? json_object_get(identity->entities, id) : NULL;
}

static void remember(json_t *cache, const char *key, json_t *value)
{
	if (json_object_size(cache) >= CACHE_MAX)
		json_object_clear(cache);
	/* Without memory it is not kept. */
	(void)json_object_set(cache, key, value);
}

void identity_remember(struct call *call, const char *account, json_t *entity)
{
	struct identity *identity = core_identity(call->core);

	remember(identity->accounts, account, json_object_get(entity, "id"));
	remember(identity->entities, identity_text(entity, "id"), entity);
}

/* ARG: the id of an entity that was written or removed. */
static void on_changed(struct core *core, int r, void *arg)
{
	(void)r;
	/* Also after a failed commit, where nobody knows what is on the disk; and after a run without an end, which may
	 * have read its own entity back. */
	(void)json_object_del(core_identity(core)->entities, arg);
	free(arg);
}

/* --- keys */

/* FOLDER and NAME with what would make another key of it encoded. */
static char *folder_key(const char *folder, const char *name, bool lower)
{
	AUTO_BUF struct buf key = { 0 };

	buf_add_str(&key, folder);
	for (; *name; name++) {
		if (*name == '/' || *name == '%')
			buf_printf(&key, "%%%02X", (unsigned)*name);
		else
			buf_add_char(&key, lower ? (char)tolower((unsigned char)*name) : *name);
	}
	return buf_take(&key);
}

char *name_key(const char *name)
{
	return folder_key(IDENTITY_NAMES, name, true);
}

char *alias_key(const char *id)
{
	return folder_key(IDENTITY_ALIASES, id, false);
}

char *account_key(const char *accessor, const char *name)
{
	AUTO_BUF struct buf folder = { 0 };

	buf_printf(&folder, IDENTITY_ACCOUNTS "%s/", accessor);
	return folder.failed ? NULL : folder_key(folder.data, name, true);
}

static char *entity_key(const char *id)
{
	return folder_key(IDENTITY_ENTITIES, id, false);
}

/* --- records */

int entity_load(struct call *call, const char *id, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*id || strlen(id) > IDENTITY_NAME_MAX)
		return -ENOENT;
	key = entity_key(id);
	return key ? core_get(call, key, ret) : -ENOMEM;
}

int identity_entity(struct call *call, const char *entity_id, json_t **ret)
{
	json_t *cache = core_identity(call->core)->entities, *entity = NULL;
	AUTO_FREE char *key = NULL;
	bool changed;
	int r;

	if (!*entity_id) {
		*ret = NULL;
		return 0;
	}
	key = entity_key(entity_id);
	if (!key)
		return -ENOMEM;
	/* What this very call makes of it may never come to be: it is seen by nobody else. */
	changed = call_own_write(private_of(call), key) != NULL;
	if (!changed)
		entity = json_incref(json_object_get(cache, entity_id));
	if (!entity) {
		r = entity_load(call, entity_id, &entity);
		if (r < 0)
			return r;
		if (!changed)
			remember(cache, entity_id, entity);
	}
	*ret = entity;
	return 0;
}

/* The cached copy of ENTITY goes when the call's writes are durable. */
static int changes(struct call *call, const json_t *entity)
{
	char *id = strdup(identity_text(entity, "id"));

	if (!id)
		return -ENOMEM;
	call_on_commit(call, on_changed, id);
	return 0;
}

int entity_put(struct call *call, json_t *entity)
{
	json_int_t revision = json_integer_value(json_object_get(entity, "revision"));
	AUTO_FREE char *key = entity_key(identity_text(entity, "id"));
	int r;

	if (!key || json_object_set_new(entity, "revision", json_integer(revision + 1)))
		return -ENOMEM;
	r = core_put(call, key, entity);
	return r < 0 ? r : changes(call, entity);
}

int entity_remove(struct call *call, const json_t *entity)
{
	AUTO_FREE char *key = entity_key(identity_text(entity, "id"));
	int r = key ? core_delete(call, key) : -ENOMEM;

	return r < 0 ? r : changes(call, entity);
}

int index_get(struct call *call, const char *key, char **ret)
{
	json_t *record = NULL;
	char *id;
	int r = core_get(call, key, &record);

	if (r < 0)
		return r;
	id = strdup(identity_text(record, "entity"));
	json_decref(record);
	if (!id)
		return -ENOMEM;
	*ret = id;
	return 0;
}

int index_put(struct call *call, const char *key, const char *entity_id)
{
	json_t *record = key ? json_pack("{s:s}", "entity", entity_id) : NULL;
	int r = record ? core_put(call, key, record) : -ENOMEM;

	json_decref(record);
	return r;
}
