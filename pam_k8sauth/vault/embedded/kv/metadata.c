/* SPDX-License-Identifier: Apache-2.0 */
/* metadata/<path> and config: what is kept about keys, and the mount's defaults. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/kv/kv.h"

static json_t *duration_text(int64_t seconds)
{
	char text[40];

	duration_format(seconds, text, sizeof(text));
	return json_string(text);
}

static json_t *copy_or_null(const json_t *record, const char *name)
{
	json_t *value = json_object_get(record, name);

	return value ? json_incref(value) : json_null();
}

static json_t *show_versions(const struct kv_key *key)
{
	json_t *versions = json_object(), *version;
	const char *number;

	json_object_foreach(json_object_get(key->meta, "versions"), number, version)
	{
		json_object_set_new(versions, number,
		    json_pack("{s:o, s:o, s:o, s:o, s:b}", "created_by", copy_or_null(version, "created_by"),
			"created_time", kv_time(kv_integer(version, "created")), "deleted_by",
			copy_or_null(version, "deleted_by"), "deletion_time", kv_time(kv_integer(version, "deleted")),
			"destroyed", json_is_true(json_object_get(version, "destroyed"))));
	}
	return versions;
}

int kv_metadata_read(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	int r;

	if (!*call_capture(call, "path"))
		return call_data(call, NULL);
	r = kv_key_load_existing(call, &key);
	if (r)
		return r < 0 ? r : 0;
	return kv_answer(call, json_pack("{s:b, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "cas_required",
				   json_is_true(json_object_get(key.meta, "cas_required")), "created_time",
				   kv_time(kv_integer(key.meta, "created")), "current_version",
				   (json_int_t)kv_integer(key.meta, "current"), "custom_metadata",
				   copy_or_null(key.meta, "custom_metadata"), "delete_version_after",
				   duration_text(kv_integer(key.meta, "delete_version_after")), "last_updated_by",
				   copy_or_null(key.meta, "last_updated_by"), "max_versions",
				   (json_int_t)kv_integer(key.meta, "max_versions"), "oldest_version",
				   (json_int_t)kv_integer(key.meta, "oldest"), "updated_time",
				   kv_time(kv_integer(key.meta, "updated")), "versions", show_versions(&key)));
}

int kv_metadata_list(struct call *call)
{
	json_auto_t *keys = NULL, *config = NULL;
	char *prefix AUTO_FREE = NULL;
	int r = kv_config_load(call, &config);

	if (r)
		return r < 0 ? r : 0;
	if (asprintf(&prefix, "meta/%s", call_capture(call, "path")) < 0) {
		prefix = NULL;
		return -ENOMEM;
	}
	r = call_list(call, prefix, &keys);
	if (r < 0)
		return r;
	if (json_array_size(keys) == 0)
		return call_data(call, NULL);
	return kv_answer(call, json_pack("{s:O}", "keys", keys));
}

/* Sets NAME of RECORD. 0 or -ENOMEM. */
static int set_integer(json_t *record, const char *name, long long value)
{
	return json_object_set_new(record, name, json_integer(value)) ? -ENOMEM : 0;
}

/* What key and mount have in common. 0, 1 after an error answer, -ENOMEM. */
static int limit_fields(struct call *call, json_t *record, bool *ret_any)
{
	long long max_versions = 0;
	bool cas_required = false, set;
	int r = call_field_int(call, "max_versions", &max_versions, &set);

	/* Vault keeps 32 bits without a sign; so a negative number reads back large. */
	if (r == 0 && set) {
		*ret_any = true;
		r = set_integer(record, "max_versions", (long long)(uint32_t)max_versions);
	}
	if (r == 0)
		r = call_field_bool(call, "cas_required", &cas_required, &set);
	if (r == 0 && set) {
		*ret_any = true;
		r = json_object_set_new(record, "cas_required", json_boolean(cas_required)) ? -ENOMEM : 0;
	}
	return r;
}

/* The mount's word stands above the key's. */
static void warn_mandated(struct call *call, const struct kv_key *key, const json_t *meta)
{
	if (json_object_get(call->request->data, "cas_required") &&
	    json_is_true(json_object_get(key->config, "cas_required")) &&
	    !json_is_true(json_object_get(meta, "cas_required")))
		call_warn(call,
		    "\"cas_required\" set to false, but is mandated by backend config. This value will be ignored.");
}

/* META is KEY's, or one that takes its place. */
static int key_fields(struct call *call, const struct kv_key *key, json_t *meta, bool patch, bool *ret_any)
{
	json_auto_t *custom = NULL, *merged = NULL;
	int64_t after = 0;
	bool set, custom_set = false;
	int r = limit_fields(call, meta, ret_any);

	if (r == 0)
		r = call_field_seconds(call, "delete_version_after", &after, &set);
	if (r == 0 && set) {
		*ret_any = true;
		r = set_integer(meta, "delete_version_after", after);
	}
	if (r == 0)
		r = kv_field_custom_metadata(call, patch, &custom, &custom_set);
	if (r == 0)
		warn_mandated(call, key, meta);
	if (r || !custom_set)
		return r;
	*ret_any = true;
	merged = custom && patch ? kv_merge(json_object_get(meta, "custom_metadata"), custom) : json_incref(custom);
	if (json_object_size(merged) == 0)
		return json_object_del(meta, "custom_metadata"), 0;
	return json_object_set(meta, "custom_metadata", merged) ? -ENOMEM : 0;
}

int kv_metadata_write(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	bool any = false;
	int r = kv_key_load(call, &key);

	if (r == 0 && !key.meta)
		r = kv_key_new(&key);
	if (r == 0)
		r = key_fields(call, &key, key.meta, false, &any);
	if (r == 0 && any)
		r = kv_key_store(call, &key);
	return r ? (r < 0 ? r : 0) : call_done(call);
}

/* A patch, unlike a write, takes nothing beyond 32 bits without a sign. 0, 1 after a refusal, or -ENOMEM. */
static int check_patched_limit(struct call *call)
{
	long long max_versions = 0;
	int r = call_field_int(call, "max_versions", &max_versions, NULL);

	if (r || (max_versions >= 0 && max_versions <= UINT32_MAX))
		return r;
	call_wrapped_error(call, 400,
	    "json: cannot unmarshal number %lld into Go struct field KeyMetadata.max_versions of type uint32",
	    max_versions);
	return 1;
}

int kv_metadata_patch(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	json_auto_t *nothing = json_object();
	bool any = false;
	int r = nothing ? kv_key_load(call, &key) : -ENOMEM;

	/* What is wrong with the fields is told first, and then that there is no such key. */
	if (r == 0)
		r = key_fields(call, &key, key.meta ? key.meta : nothing, true, &any);
	if (r == 0 && !key.meta)
		r = kv_key_missing(call);
	if (r == 0)
		r = check_patched_limit(call);
	if (r == 0 && any)
		r = kv_key_store(call, &key);
	return r ? (r < 0 ? r : 0) : call_done(call);
}

int kv_metadata_delete(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	int r;

	if (!*call_capture(call, "path"))
		return call_done(call);
	r = kv_key_load(call, &key);
	if (r == 0 && key.meta)
		r = kv_key_remove(call, &key);
	return r ? (r < 0 ? r : 0) : call_done(call);
}

/* --- config */

int kv_config_read(struct call *call)
{
	json_auto_t *config = NULL;
	int r = kv_config_load(call, &config);

	if (r)
		return r < 0 ? r : 0;
	return kv_answer(
	    call, json_pack("{s:b, s:o, s:I}", "cas_required", json_is_true(json_object_get(config, "cas_required")),
		      "delete_version_after", duration_text(kv_integer(config, "delete_version_after")), "max_versions",
		      (json_int_t)kv_integer(config, "max_versions")));
}

/* Whether delete_version_after is below 0: that switches the deletion off for the mount. */
static bool switches_off(const struct call *call)
{
	const json_t *after = json_object_get(call->request->data, "delete_version_after");
	const char *text = json_string_value(after);
	long long seconds = json_integer_value(after);

	return (text && duration_parse(text, &seconds) == 0 && seconds < 0) || (!text && seconds < 0);
}

int kv_config_write(struct call *call)
{
	json_auto_t *config = NULL;
	int64_t after = -1;
	bool any = false, set = switches_off(call);
	int r = kv_config_load(call, &config);

	if (r == 0)
		r = limit_fields(call, config, &any);
	if (r == 0 && !set)
		r = call_field_seconds(call, "delete_version_after", &after, &set);
	if (r == 0 && set)
		r = set_integer(config, "delete_version_after", after);
	if (r == 0)
		r = kv_config_store(call, config);
	return r ? (r < 0 ? r : 0) : call_done(call);
}
