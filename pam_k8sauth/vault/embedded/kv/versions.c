/* SPDX-License-Identifier: Apache-2.0 */
/* delete/<path>, undelete/<path>, destroy/<path>: single versions. */
#include <errno.h>

#include "vault/embedded/kv/kv.h"

typedef int change_fn(struct call *call, struct kv_key *key, long long number, json_t *version);

/*
 * Applies CHANGE to every listed version that there is; EMPTY is the text for an empty list. NOTE: who does it becomes
 * the key's last_updated_by.
 */
static int change_versions(struct call *call, const char *empty, change_fn *change, bool note)
{
	struct kv_key key AUTO_KEY = { 0 };
	json_auto_t *numbers = NULL;
	json_t *number;
	size_t i;
	int r = kv_field_versions(call, empty, &numbers);

	if (r == 0)
		r = kv_key_load(call, &key);
	if (r)
		return r < 0 ? r : 0;
	if (!key.meta)
		return call_done(call);
	json_array_foreach(numbers, i, number)
	{
		json_t *version = kv_version(&key, json_integer_value(number));

		/* What is destroyed stays as it is. */
		if (version && !json_is_true(json_object_get(version, "destroyed")) && r == 0)
			r = change(call, &key, json_integer_value(number), version);
	}
	if (r == 0 && note)
		r = kv_key_note_update(call, &key);
	if (r == 0)
		r = kv_key_store(call, &key);
	return r < 0 ? r : call_done(call);
}

static int delete_version(struct call *call, struct kv_key *key, long long number, json_t *version)
{
	if (!kv_version_readable(key, version))
		return 0;
	if (json_object_set_new(version, "deleted", json_integer(key->now)) ||
	    json_object_set_new(version, "deleted_by", kv_actor(call)))
		return -ENOMEM;
	return 0;
}

static int undelete_version(struct call *call, struct kv_key *key, long long number, json_t *version)
{
	int64_t end = kv_version_end(key);

	json_object_del(version, "deleted");
	json_object_del(version, "deleted_by");
	return end && json_object_set_new(version, "deleted", json_integer(end)) ? -ENOMEM : 0;
}

static int destroy_version(struct call *call, struct kv_key *key, long long number, json_t *version)
{
	if (json_object_set_new(version, "destroyed", json_true()))
		return -ENOMEM;
	return kv_version_drop(call, key, number);
}

int kv_delete_versions(struct call *call)
{
	return change_versions(call, "No version number provided", delete_version, true);
}

int kv_undelete_versions(struct call *call)
{
	return change_versions(call, "No version number provided", undelete_version, true);
}

int kv_destroy_versions(struct call *call)
{
	return change_versions(call, "no version number provided", destroy_version, false);
}
