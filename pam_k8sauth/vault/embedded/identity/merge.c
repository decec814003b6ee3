/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity/entity/merge: one entity takes over the aliases, the groups and the tokens of others, which are gone then.
 * Policies and metadata of theirs are not taken over, as in Vault.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/json_list.h"
#include "base/text.h"
#include "vault/embedded/identity/identity_internal.h"

struct merge {
	const char *to_id;
	json_t *from_ids; /* sorted */
	json_t *keep;	  /* ids of aliases that stay where two are of one mount; NULL: not said */
	json_t *to;
	json_t *from; /* array of entities */
};

static void cleanup_merge(struct merge *merge)
{
	json_decref(merge->from_ids);
	json_decref(merge->keep);
	json_decref(merge->to);
	json_decref(merge->from);
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 400, "%s", text);
	return 1;
}

/* --- what is asked for. All 0, 1 after a refusal, -errno. */

static int read_ids(struct call *call, struct merge *merge)
{
	json_auto_t *from = NULL;
	bool force; /* decides about secrets of MFA: there are none */
	int r = call_field_strings(call, "from_entity_ids", &from, NULL);

	if (r == 0)
		r = call_field_string(call, "to_entity_id", &merge->to_id, NULL);
	if (r == 0)
		r = call_field_bool(call, "force", &force, NULL);
	if (r == 0)
		r = call_field_strings(call, "conflicting_alias_ids_to_keep", &merge->keep, NULL);
	if (r)
		return r;
	if (!*merge->to_id)
		return refuse(call, "missing entity id to merge to");
	if (json_array_size(from) == 0)
		return refuse(call, "missing entity ids to merge from");
	merge->from_ids = identity_names(from, NAMES_AS_WRITTEN);
	return merge->from_ids ? 0 : -ENOMEM;
}

static int load_entities(struct call *call, struct merge *merge)
{
	json_t *id;
	size_t i;
	int r = entity_load(call, merge->to_id, &merge->to);

	if (r == -ENOENT)
		return refuse(call, "entity id to merge to is invalid");
	if (r < 0)
		return r;
	if (json_list_has(merge->from_ids, merge->to_id))
		return refuse(call, "to_entity_id should not be present in from_entity_ids");
	merge->from = json_array();
	json_array_foreach(merge->from_ids, i, id)
	{
		json_t *entity = NULL;

		r = entity_load(call, json_string_value(id), &entity);
		if (r == -ENOENT)
			return refuse(call, "entity id to merge from is invalid");
		if (r < 0)
			return r;
		if (json_array_append_new(merge->from, entity))
			return -ENOMEM;
	}
	return 0;
}

/* --- two aliases of one mount */

static const json_t *alias_at(const json_t *entity, size_t index)
{
	return json_array_get(json_object_get(entity, "aliases"), index);
}

/* The alias of TO that is of the mount of ALIAS; NULL for none. */
static const json_t *rival(const json_t *to, const json_t *alias)
{
	return alias_at(to, alias_find(to, identity_text(alias, "accessor"), NULL));
}

/* Adds to TEXT what there is of FROM and TO twice. The number of such mounts. */
static unsigned tell_clashes(const struct merge *merge, const json_t *from, struct buf *text)
{
	const json_t *alias, *other;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(from, "aliases"), i, alias)
	{
		other = rival(merge->to, alias);
		if (!other)
			continue;
		n++;
		buf_printf(text,
		    "\t* mountAccessor: %s, toEntity ID: %s, fromEntity ID: %s, conflicting toEntity alias ID: %s, "
		    "conflicting fromEntity alias ID: %s\n",
		    identity_text(alias, "accessor"), merge->to_id, identity_text(from, "id"),
		    identity_text(other, "id"), identity_text(alias, "id"));
	}
	return n;
}

static int check_clashes(struct call *call, const struct merge *merge)
{
	AUTO_BUF struct buf text = BUF_MAX(65536);
	const json_t *from;
	unsigned n = 0;
	size_t i;

	json_array_foreach(merge->from, i, from) n += tell_clashes(merge, from, &text);
	if (n == 0)
		return 0;
	call_error(call, 400,
	    "%u errors occurred:\n\t* toEntity and at least one fromEntity have aliases with the same mount accessor, "
	    "repeat the merge request specifying exactly one fromEntity, clashes: \n%s\n",
	    n + 1, text.failed ? "" : text.data);
	return 1;
}

/* Takes one of the two aliases away where ALIAS of FROM has a rival. */
static int settle_clash(struct call *call, struct merge *merge, json_t *from, size_t index)
{
	const json_t *alias = alias_at(from, index), *other = rival(merge->to, alias);
	const char *ours;

	if (!other)
		return 0;
	ours = identity_text(other, "id");
	if (json_list_has(merge->keep, identity_text(alias, "id")))
		return alias_take_out(call, merge->to, alias_find(merge->to, identity_text(alias, "accessor"), NULL));
	if (json_list_has(merge->keep, ours))
		return alias_take_out(call, from, index);
	call_error(call, 400,
	    "conflicting mount accessors in following alias IDs and neither were present in "
	    "conflicting_alias_ids_to_keep: %s, %s",
	    identity_text(alias, "id"), ours);
	return 1;
}

/* Backwards, as what is taken away moves what stands behind it. */
static int settle_clashes(struct call *call, struct merge *merge, json_t *from)
{
	for (size_t i = json_array_size(json_object_get(from, "aliases")); i-- > 0;) {
		int r = settle_clash(call, merge, from, i);

		if (r)
			return r;
	}
	return 0;
}

/* --- taking over. All 0, -EAGAIN, -errno. */

/* The records by which the alias is found are TO's from now on. */
static int take_alias(struct call *call, struct merge *merge, const json_t *from, json_t *alias)
{
	AUTO_FREE char *by_account = account_key(
	    IDENTITY_ACCOUNTS, identity_text(alias, "accessor"), identity_text(alias, "name"));
	AUTO_FREE char *by_id = id_key(IDENTITY_ALIASES, identity_text(alias, "id"));
	json_t *origins = json_object_get(alias, "merged_from");
	int r;

	if (!origins) {
		origins = json_array();
		if (json_object_set_new(alias, "merged_from", origins))
			return -ENOMEM;
	}
	if (json_array_append(origins, json_object_get(from, "id")) ||
	    json_array_append(json_object_get(merge->to, "aliases"), alias))
		return -ENOMEM;
	r = index_put(call, by_account, merge->to_id);
	return r < 0 ? r : index_put(call, by_id, merge->to_id);
}

static int take_groups(struct call *call, struct merge *merge, const json_t *from)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(from, "member_of"), i, item)
	{
		const char *id = json_string_value(item);
		json_auto_t *group = NULL;
		json_int_t revision;
		int r = group_load(call, id, &group);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		group_forget_empty(group);
		(void)identity_list_drop(group, "member_entity_ids", identity_text(from, "id"));
		/* Counted as Vault does: once for who goes, once for who comes. */
		revision = json_integer_value(json_object_get(group, "revision")) + 1;
		if (json_object_set_new(group, "revision", json_integer(revision)))
			return -ENOMEM;
		r = identity_list_add(group, "member_entity_ids", merge->to_id);
		if (r == 0)
			r = group_put(call, group);
		if (r == 0)
			r = identity_list_add(merge->to, "member_of", id);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Tokens of the entity of ID are tokens of TO. */
static int take_id(struct call *call, struct merge *merge, const char *id)
{
	AUTO_FREE char *key = id_key(IDENTITY_MERGED, id);
	json_t *merged = json_object_get(merge->to, "merged");

	if (!merged) {
		merged = json_array();
		if (json_object_set_new(merge->to, "merged", merged))
			return -ENOMEM;
	}
	return json_array_append_new(merged, json_string(id)) ? -ENOMEM : index_put(call, key, merge->to_id);
}

static int take_over(struct call *call, struct merge *merge, json_t *from)
{
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(from, "aliases"), i, item)
	{
		if (r == 0)
			r = take_alias(call, merge, from, item);
	}
	json_array_foreach(json_object_get(from, "merged"), i, item)
	{
		if (r == 0)
			r = take_id(call, merge, json_string_value(item));
	}
	if (r == 0)
		r = take_id(call, merge, identity_text(from, "id"));
	if (r == 0)
		r = take_groups(call, merge, from);
	if (r == 0)
		r = index_drop(call, name_key(IDENTITY_NAMES, identity_text(from, "name")));
	return r < 0 ? r : entity_remove(call, from);
}

int entity_merge(struct call *call)
{
	CLEANUP(cleanup_merge) struct merge merge = { .to_id = "" };
	bool keeps;
	json_t *from;
	size_t i;
	int r = read_ids(call, &merge);

	keeps = json_array_size(merge.keep) > 0;
	if (r == 0)
		r = load_entities(call, &merge);
	if (r == 0 && !keeps)
		r = check_clashes(call, &merge);
	json_array_foreach(merge.from, i, from)
	{
		if (r == 0 && keeps)
			r = settle_clashes(call, &merge, from);
		if (r == 0)
			r = take_over(call, &merge, from);
	}
	if (r == 0)
		r = entity_put(call, merge.to);
	return r ? (r < 0 ? r : 0) : call_done(call);
}
