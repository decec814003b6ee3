/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of all entities, groups and aliases: one pass over the records, which goes on where the run before had to wait.
 */
#include <errno.h>

#include "vault/embedded/identity/identity_internal.h"

/* Records that one run looks at: the loop does other things in between. */
#define BATCH 256

struct listing;

/* Adds what the list shows of a record. */
typedef int add_fn(struct call *call, struct listing *listing, const json_t *record);
typedef int load_fn(struct call *call, const char *id, json_t **ret);

/* Of which records a list is, and what it shows of them. */
struct list_kind {
	const char *folder;
	load_fn *load;
	add_fn *add;
	bool with_info;
};

struct listing {
	json_t *ids; /* of the records */
	size_t at;
	json_t *keys, *info;
};

static void listing_free(void *state)
{
	struct listing *listing = state;

	json_decref(listing->ids);
	json_decref(listing->keys);
	json_decref(listing->info);
	free(listing);
}

static int listing_start(struct call *call, const char *folder, struct listing **ret)
{
	struct listing *listing = call->state;
	json_t *ids = NULL;
	int r = 0;

	if (!listing) {
		r = core_list(call, folder, &ids);
		if (r < 0)
			return r;
		listing = calloc(1, sizeof(*listing));
		if (!listing) {
			json_decref(ids);
			return -ENOMEM;
		}
		listing->ids = ids;
		listing->keys = json_array();
		listing->info = json_object();
		call->state = listing;
		call->state_free = listing_free;
	}
	*ret = listing;
	return listing->keys && listing->info ? 0 : -ENOMEM;
}

static int add_next(struct call *call, struct listing *listing, const struct list_kind *kind)
{
	json_auto_t *record = NULL;
	int r = kind->load(call, json_string_value(json_array_get(listing->ids, listing->at)), &record);

	/* It may have been deleted since the list was read. */
	if (r == 0)
		r = kind->add(call, listing, record);
	if (r == 0 || r == -ENOENT)
		listing->at++;
	return r == -ENOENT ? 0 : r;
}

static int list(struct call *call, const struct list_kind *kind)
{
	struct listing *listing;
	int r = listing_start(call, kind->folder, &listing);

	for (size_t n = 0; r == 0 && listing->at < json_array_size(listing->ids); n++) {
		if (n == BATCH) {
			call_enqueue(private_of(call));
			return -EAGAIN;
		}
		r = add_next(call, listing, kind);
	}
	if (r < 0)
		return r;
	if (json_array_size(listing->keys) == 0)
		return call_data(call, NULL);
	return call_data(call, kind->with_info
				   ? json_pack("{s:O, s:O}", "key_info", listing->info, "keys", listing->keys)
				   : json_pack("{s:O}", "keys", listing->keys));
}

/* VALUE is taken over. */
static int add_info(struct listing *listing, json_t *key, json_t *value)
{
	return json_object_set_new(listing->info, json_string_value(key), value) ||
		       json_array_append(listing->keys, key)
		   ? -ENOMEM
		   : 0;
}

/* What no list shows of an alias: of which entity, since when, and so on. */
static void shorten(json_t *alias, const char *const *names)
{
	for (; *names; names++)
		(void)json_object_del(alias, *names);
}

static int add_entity(struct call *call, struct listing *listing, const json_t *entity)
{
	static const char *const hidden[] = { "canonical_id", "creation_time", "custom_metadata", "last_update_time",
		"local", "merged_from_canonical_ids", "metadata", NULL };
	json_t *info = json_pack("{s:O}", "name", json_object_get(entity, "name")), *aliases, *alias;
	size_t i;

	if (!info)
		return -ENOMEM;
	if (json_array_size(json_object_get(entity, "aliases")) > 0) {
		aliases = aliases_show(call->core, entity);
		json_array_foreach(aliases, i, alias) shorten(alias, hidden);
		if (json_object_set_new(info, "aliases", aliases)) {
			json_decref(info);
			return -ENOMEM;
		}
	}
	return add_info(listing, json_object_get(entity, "id"), info);
}

static int add_name(struct call *call, struct listing *listing, const json_t *record)
{
	(void)call;
	return json_array_append(listing->keys, json_object_get(record, "name")) ? -ENOMEM : 0;
}

static int add_aliases(struct call *call, struct listing *listing, const json_t *entity)
{
	static const char *const hidden[] = { "creation_time", "id", "last_update_time", "merged_from_canonical_ids",
		NULL };
	json_auto_t *aliases = aliases_show(call->core, entity);
	json_t *alias;
	size_t i;
	int r = aliases ? 0 : -ENOMEM;

	json_array_foreach(aliases, i, alias)
	{
		json_auto_t *id = json_incref(json_object_get(alias, "id"));

		shorten(alias, hidden);
		if (r == 0)
			r = add_info(listing, id, json_incref(alias));
	}
	return r;
}

static int add_group(struct call *call, struct listing *listing, const json_t *group)
{
	json_t *members = json_object_get(group, "member_entity_ids"), *parents = json_object_get(group, "parents");

	(void)call;
	return add_info(listing, json_object_get(group, "id"),
	    json_pack("{s:O, s:I, s:I}", "name", json_object_get(group, "name"), "num_member_entities",
		(json_int_t)json_array_size(members), "num_parent_groups", (json_int_t)json_array_size(parents)));
}

static int add_group_alias(struct call *call, struct listing *listing, const json_t *group)
{
	static const char *const hidden[] = { "creation_time", "id", "last_update_time", "merged_from_canonical_ids",
		NULL };
	const json_t *alias = json_object_get(group, "alias");
	json_t *shown;

	if (!alias)
		return 0;
	shown = alias_show(call->core, identity_text(group, "id"), alias);
	shorten(shown, hidden);
	return shown ? add_info(listing, json_object_get(alias, "id"), shown) : -ENOMEM;
}

int entity_list(struct call *call)
{
	return list(call, &(struct list_kind){ IDENTITY_ENTITIES, entity_load, add_entity, true });
}

int entity_list_names(struct call *call)
{
	return list(call, &(struct list_kind){ IDENTITY_ENTITIES, entity_load, add_name, false });
}

int alias_list(struct call *call)
{
	return list(call, &(struct list_kind){ IDENTITY_ENTITIES, entity_load, add_aliases, true });
}

int group_list(struct call *call)
{
	return list(call, &(struct list_kind){ IDENTITY_GROUPS, group_load, add_group, true });
}

int group_list_names(struct call *call)
{
	return list(call, &(struct list_kind){ IDENTITY_GROUPS, group_load, add_name, false });
}

int group_alias_list(struct call *call)
{
	return list(call, &(struct list_kind){ IDENTITY_GROUPS, group_load, add_group_alias, true });
}

int identity_count(struct call *call, size_t *ret)
{
	json_auto_t *ids = NULL;
	int r = core_list(call, IDENTITY_ENTITIES, &ids);

	if (r == 0)
		*ret = json_array_size(ids);
	return r;
}
