/* SPDX-License-Identifier: Apache-2.0 */
/* identity/entity: reading, making, changing and deleting entities. */
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/buf.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/identity/identity_internal.h"
#include "vault/embedded/nanotime.h"

#define METADATA_MAX	   64
#define METADATA_KEY_MAX   128
#define METADATA_VALUE_MAX 512

/* --- finding */

/* *RET NULL where there is none. */
static int find_by_id(struct call *call, const char *id, json_t **ret)
{
	int r = entity_load(call, id, ret);

	return r == -ENOENT ? 0 : r;
}

static int find_by_index(struct call *call, const char *key, json_t **ret)
{
	AUTO_FREE char *id = NULL;
	int r = key ? index_get(call, key, &id) : -ENOMEM;

	if (r == 0)
		r = entity_load(call, id, ret);
	return r == -ENOENT ? 0 : r;
}

int entity_by_name(struct call *call, const char *name, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*name || strlen(name) > IDENTITY_NAME_MAX)
		return 0;
	key = name_key(name);
	return find_by_index(call, key, ret);
}

int entity_by_alias(struct call *call, const char *id, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*id || strlen(id) > IDENTITY_NAME_MAX)
		return 0;
	key = alias_key(id);
	return find_by_index(call, key, ret);
}

int entity_by_account(struct call *call, const char *accessor, const char *name, json_t **ret)
{
	AUTO_FREE char *key = NULL;

	if (!*name || strlen(name) > IDENTITY_NAME_MAX || strlen(accessor) > IDENTITY_NAME_MAX)
		return 0;
	key = account_key(accessor, name);
	return find_by_index(call, key, ret);
}

/* --- reading */

static int show(struct call *call, const json_t *entity)
{
	json_t *data = entity ? entity_show(call->core, entity) : NULL;

	return entity && !data ? -ENOMEM : call_data(call, data);
}

int entity_read(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = find_by_id(call, call_capture(call, "id"), &entity);

	return r < 0 ? r : show(call, entity);
}

int entity_read_named(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = entity_by_name(call, call_capture(call, "name"), &entity);

	return r < 0 ? r : show(call, entity);
}

/* What is there for the parameters of a look-up: one way of asking, no mixture. 0, 1 after a refusal, -errno. */
static int look_up(struct call *call, json_t **ret)
{
	const char *id = NULL, *name = NULL, *alias = NULL, *account = NULL, *accessor = NULL;
	int r = call_field_string(call, "id", &id, NULL);

	if (r == 0)
		r = call_field_string(call, "name", &name, NULL);
	if (r == 0)
		r = call_field_string(call, "alias_id", &alias, NULL);
	if (r == 0)
		r = call_field_string(call, "alias_name", &account, NULL);
	if (r == 0)
		r = call_field_string(call, "alias_mount_accessor", &accessor, NULL);
	if (r)
		return r;
	if (!id && !name && !alias && !account && !accessor)
		call_error(call, 400, "query parameter not supplied");
	else if (!!id + !!name + !!alias + (account || accessor) > 1)
		call_error(call, 400, "query parameter conflict; please supply distinct set of query parameters");
	else if (!account != !accessor)
		call_error(call, 400, "both 'alias_name' and 'alias_mount_accessor' needs to be set");
	else
		return id      ? find_by_id(call, id, ret)
		       : name  ? entity_by_name(call, name, ret)
		       : alias ? entity_by_alias(call, alias, ret)
			       : entity_by_account(call, accessor, account, ret);
	return 1;
}

int entity_lookup(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = look_up(call, &entity);

	if (r)
		return r < 0 ? r : 0;
	return entity ? show(call, entity) : call_done(call);
}

/* --- what is written */

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, once each, without empty ones; as they were written. NULL without memory. */
static json_t *clean_policies(const json_t *list)
{
	size_t n = json_array_size(list);
	AUTO_FREE const char **names = calloc(n + 1, sizeof(*names));
	json_t *clean = json_array();

	for (size_t i = 0; names && i < n; i++)
		names[i] = json_string_value(json_array_get(list, i));
	if (names && n)
		qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; names && i < n; i++) {
		if (*names[i] && (i == 0 || !streq(names[i], names[i - 1])) &&
		    json_array_append_new(clean, json_string(names[i]))) {
			json_decref(clean);
			return NULL;
		}
	}
	if (names)
		return clean;
	json_decref(clean);
	return NULL;
}

static int set_policies(struct call *call, json_t *entity)
{
	json_auto_t *list = NULL;
	json_t *name;
	size_t i;
	int r = call_field_strings(call, "policies", &list, NULL);

	if (r || !list)
		return r;
	json_array_foreach(list, i, name)
	{
		if (strcasecmp(json_string_value(name), "root") == 0)
			return refuse(call, "policies cannot contain root");
	}
	return json_object_set_new(entity, "policies", clean_policies(list)) ? -ENOMEM : 0;
}

/* What is wrong with a pair; NULL for nothing. */
static const char *pair_fault(const char *key, const char *value)
{
	if (!*key)
		return "key cannot be blank";
	for (const char *c = key; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("_/-", *c))
			return "key contains invalid characters";
	}
	if (strlen(key) > METADATA_KEY_MAX)
		return "key is too long (limit: 128 characters)";
	return strlen(value) > METADATA_VALUE_MAX ? "value is too long (limit: 512 characters)" : NULL;
}

/* 0, or 1 after the refusal. */
static int check_metadata(struct call *call, json_t *metadata)
{
	AUTO_BUF struct buf fault = { 0 };
	const char *key;
	json_t *value;

	if (json_object_size(metadata) > METADATA_MAX) {
		call_wrapped_error(call, 500,
		    "invalid entity metadata: metadata cannot contain more than %d key/value pairs", METADATA_MAX);
		return 1;
	}
	json_object_foreach(metadata, key, value)
	{
		const char *text = json_string_value(value), *what = pair_fault(key, text);

		if (!what)
			continue;
		go_quote(&fault, key);
		buf_add_str(&fault, ", ");
		go_quote(&fault, text);
		call_wrapped_error(call, 500, "invalid entity metadata: failed to load metadata pair (%s): %s",
		    fault.data ? fault.data : "", what);
		return 1;
	}
	return 0;
}

static int set_metadata(struct call *call, json_t *entity)
{
	json_auto_t *metadata = NULL;
	bool set = false;
	int r = call_field_pairs(call, "metadata", &metadata, &set);

	if (r || !set)
		return r;
	if (!metadata) {
		(void)json_object_del(entity, "metadata");
		return 0;
	}
	if (check_metadata(call, metadata))
		return 1;
	return json_object_set(entity, "metadata", metadata) ? -ENOMEM : 0;
}

static int set_disabled(struct call *call, json_t *entity)
{
	bool disabled = identity_disabled(entity);
	int r = call_field_bool(call, "disabled", &disabled, NULL);

	return r ? r : json_object_set_new(entity, "disabled", json_boolean(disabled)) ? -ENOMEM : 0;
}

/* Gives ENTITY another name. 0, 1 after a refusal, -errno. */
static int rename_entity(struct call *call, json_t *entity, const char *name)
{
	AUTO_FREE char *old = name_key(identity_text(entity, "name")), *new = NULL;
	json_auto_t *other = NULL;
	int r;

	if (strlen(name) > IDENTITY_NAME_MAX) {
		call_error(call, 400, "a name has at most %d bytes", IDENTITY_NAME_MAX);
		return 1;
	}
	r = entity_by_name(call, name, &other);
	if (r < 0)
		return r;
	if (other && !streq(identity_text(other, "id"), identity_text(entity, "id")))
		return refuse(call, "entity name is already in use");
	new = name_key(name);
	r = old && new ? core_delete(call, old) : -ENOMEM;
	if (r == 0)
		r = index_put(call, new, identity_text(entity, "id"));
	return r < 0 ? r : json_object_set_new(entity, "name", json_string(name)) ? -ENOMEM : 0;
}

static int put_fields(struct call *call, json_t *entity)
{
	json_int_t now = nanotime_now();
	int r = set_policies(call, entity);

	if (r == 0)
		r = set_disabled(call, entity);
	if (r == 0)
		r = set_metadata(call, entity);
	if (r)
		return r;
	if (json_object_set_new(entity, "updated", json_integer(now)))
		return -ENOMEM;
	return entity_put(call, entity);
}

/* ENTITY NULL: a new one. NAME "": a name of our own, or the old one. */
static int write_entity(struct call *call, json_t *entity, const char *name)
{
	json_auto_t *made = NULL;
	char own[IDENTITY_OWN_NAME_SIZE];
	int r = 0;

	if (entity && *name)
		r = rename_entity(call, entity, name);
	if (!entity && !*name) {
		r = entity_own_name(call, own);
		name = own;
	}
	if (!entity && r == 0 && strlen(name) > IDENTITY_NAME_MAX)
		return call_error(call, 400, "a name has at most %d bytes", IDENTITY_NAME_MAX);
	if (!entity && r == 0)
		r = entity_new(call, name, &made);
	if (r == 0)
		r = put_fields(call, entity ? entity : made);
	if (r)
		return r < 0 ? r : 0;
	if (entity)
		return call_done(call);
	return call_data(
	    call, json_pack("{s:n, s:O, s:s}", "aliases", "id", json_object_get(made, "id"), "name", name));
}

static int write_by_id(struct call *call, const char *id, const char *name)
{
	json_auto_t *entity = NULL;
	int r = find_by_id(call, id, &entity);

	if (r < 0)
		return r;
	return entity ? write_entity(call, entity, name) : call_error(call, 400, "entity not found from id");
}

static int write_by_name(struct call *call, const char *name)
{
	json_auto_t *entity = NULL;
	int r = entity_by_name(call, name, &entity);

	return r < 0 ? r : write_entity(call, entity, name);
}

int entity_write(struct call *call)
{
	const char *id = "", *name = "";
	int r = call_field_string(call, "id", &id, NULL);

	if (r == 0)
		r = call_field_string(call, "name", &name, NULL);
	if (r)
		return r < 0 ? r : 0;
	return *id ? write_by_id(call, id, name) : write_by_name(call, name);
}

int entity_write_id(struct call *call)
{
	const char *name = "";
	int r = call_field_string(call, "name", &name, NULL);

	return r ? (r < 0 ? r : 0) : write_by_id(call, call_capture(call, "id"), name);
}

int entity_write_named(struct call *call)
{
	return write_by_name(call, call_capture(call, "name"));
}

/* --- deleting */

static int delete_entity(struct call *call, json_t *entity)
{
	AUTO_FREE char *key = name_key(identity_text(entity, "name"));
	int r = key ? core_delete(call, key) : -ENOMEM;

	while (r == 0 && json_array_size(json_object_get(entity, "aliases")) > 0)
		r = alias_take_out(call, entity, 0);
	return r < 0 ? r : entity_remove(call, entity);
}

static int delete_found(struct call *call, int r, json_t *entity)
{
	if (r == 0 && entity)
		r = delete_entity(call, entity);
	return r < 0 ? r : call_done(call);
}

int entity_delete(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = find_by_id(call, call_capture(call, "id"), &entity);

	return delete_found(call, r, entity);
}

int entity_delete_named(struct call *call)
{
	json_auto_t *entity = NULL;
	int r = entity_by_name(call, call_capture(call, "name"), &entity);

	return delete_found(call, r, entity);
}

int entity_delete_batch(struct call *call)
{
	json_auto_t *ids = NULL;
	json_t *id;
	bool waiting = false;
	size_t i;
	int r = call_field_strings(call, "entity_ids", &ids, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (json_array_size(ids) == 0)
		return call_error(call, 400, "missing entity ids to delete");
	json_array_foreach(ids, i, id)
	{
		json_auto_t *entity = NULL;

		r = find_by_id(call, json_string_value(id), &entity);
		if (r == 0 && entity)
			r = delete_entity(call, entity);
		if (r == -EAGAIN)
			waiting = true; /* ask for the others before waiting for this one */
		else if (r < 0)
			return r;
	}
	return waiting ? -EAGAIN : call_done(call);
}
