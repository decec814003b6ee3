/* SPDX-License-Identifier: Apache-2.0 */
/* data/<path> and subkeys/<path>: the secrets themselves. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/kv/kv.h"

/* A version that was deleted or destroyed: 404, but with its metadata (clients parse this body). DATA is taken over. */
static int gone(struct call *call, json_t *data)
{
	if (!data)
		return -ENOMEM;
	call_data(call, data);
	call->response->status = 404;
	call->response->envelope_404 = true;
	return 0;
}

/* The data and metadata of the wanted version: SHAPE turns the former into what member NAME of the reply shows. */
static int read_version(
    struct call *call, const char *name, json_t *(*shape)(const json_t *data, long long arg), long long arg)
{
	struct kv_key key AUTO_KEY = { 0 };
	json_auto_t *data = NULL;
	long long number = 0;
	json_t *version;
	int r = call_field_int(call, "version", &number, NULL);

	if (r == 0)
		r = kv_key_load_existing(call, &key);
	if (r)
		return r < 0 ? r : 0;
	number = kv_version_wanted(&key, number);
	version = kv_version(&key, number);
	if (!version)
		return call_data(call, NULL);
	if (!kv_version_readable(&key, version))
		return gone(call, json_pack("{s:n, s:o}", name, "metadata", kv_version_show(&key, number)));
	r = kv_version_data(call, &key, number, &data);
	if (r < 0)
		return r == -ENOENT ? -EIO : r;
	return kv_answer(
	    call, json_pack("{s:o, s:o}", name, shape(data, arg), "metadata", kv_version_show(&key, number)));
}

static json_t *whole(const json_t *data, long long arg)
{
	return json_copy((json_t *)(uintptr_t)data);
}

int kv_data_read(struct call *call)
{
	if (ends_with(call_capture(call, "path"), "/"))
		return kv_invalid_path(call);
	return read_version(call, "data", whole, 0);
}

/* What is there but empty at the top stays visible as that. */
static json_t *subkeys(const json_t *data, long long depth)
{
	return json_is_object(data) && json_object_size(data) == 0 ? json_object() : kv_subkeys(data, depth);
}

int kv_subkeys_read(struct call *call)
{
	long long depth = 0;
	int r = call_field_int(call, "depth", &depth, NULL);

	if (r == 0 && !*call_capture(call, "path"))
		return call_data(call, NULL);
	return r ? (r < 0 ? r : 0) : read_version(call, "subkeys", subkeys, depth);
}

static int add_version(struct call *call, struct kv_key *key, json_t *data)
{
	long long number;
	int r = data ? kv_key_add_version(call, key, data, &number) : -ENOMEM;

	return r < 0 ? r : kv_answer(call, kv_version_show(key, number));
}

/* The field `data`. 0 with *RET (an object or null), 1 after an error answer. */
static int data_field(struct call *call, json_t **ret, json_t **ret_owned)
{
	int r = kv_field_map(call, "data", ret, ret_owned);

	if (r == 0 && !*ret) {
		call_error(call, 400, "no data provided");
		return 1;
	}
	return r;
}

int kv_data_write(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	json_auto_t *owned = NULL, *data = NULL;
	json_t *given = NULL;
	int r = data_field(call, &given, &owned);

	if (r == 0)
		r = kv_key_load(call, &key);
	if (r == 0)
		r = kv_check_cas(call, &key);
	if (r)
		return r < 0 ? r : 0;
	if (!key.meta && kv_key_new(&key) < 0)
		return -ENOMEM;
	data = kv_normalize(given);
	return add_version(call, &key, data);
}

/* What a patch can start from. 0, 1 after an answer, or an errno. */
static int check_current(struct call *call, const struct kv_key *key)
{
	long long current = kv_integer(key->meta, "current");

	if (!kv_version(key, current))
		return kv_key_missing(call);
	if (kv_version_readable(key, kv_version(key, current)))
		return 0;
	return gone(call, kv_version_show(key, current)) < 0 ? -ENOMEM : 1;
}

int kv_data_patch(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	json_auto_t *owned = NULL, *old = NULL, *merged = NULL, *data = NULL;
	json_t *given = NULL;
	long long version;
	int r = call_field_int(call, "version", &version, NULL); /* only reads use it, but a wrong one is told */

	if (r == 0)
		r = data_field(call, &given, &owned);
	if (r == 0)
		r = kv_key_load_existing(call, &key);
	if (r == 0)
		r = kv_check_cas(call, &key);
	if (r == 0)
		r = check_current(call, &key);
	if (r == 0)
		r = kv_version_data(call, &key, kv_integer(key.meta, "current"), &old);
	if (r)
		return r < 0 ? r : 0;
	merged = kv_merge(old, given);
	data = merged ? kv_normalize(merged) : NULL;
	return add_version(call, &key, data);
}

int kv_data_delete(struct call *call)
{
	struct kv_key key AUTO_KEY = { 0 };
	json_t *version;
	int r;

	if (ends_with(call_capture(call, "path"), "/"))
		return kv_invalid_path(call);
	r = kv_key_load(call, &key);
	if (r)
		return r < 0 ? r : 0;
	version = kv_version(&key, kv_integer(key.meta, "current"));
	if (!version || !kv_version_readable(&key, version))
		return call_done(call);
	if (json_object_set_new(version, "deleted", json_integer(key.now)) ||
	    json_object_set_new(version, "deleted_by", kv_actor(call)))
		return -ENOMEM;
	r = kv_key_note_update(call, &key);
	if (r == 0)
		r = kv_key_store(call, &key);
	return r < 0 ? r : call_done(call);
}
