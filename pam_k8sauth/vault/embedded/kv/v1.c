/* SPDX-License-Identifier: Apache-2.0 */
/* Version 1 of the KV engine: one record "v1/<path>" for each secret, read back as it was written. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/kv/kv.h"

#define SYSTEM_LEASE_TTL 2764800 /* seconds */

/* 0 with the record's key, NULL where there can be none; 1 after an error answer. */
static int record_key(struct call *call, char **ret)
{
	const char *path = call_capture(call, "path");
	int r;

	*ret = NULL;
	if (call_refuse_dots(call, path))
		return 1;
	if (!*path || ends_with(path, "/"))
		return 0;
	r = kv_path_check(call, path);
	if (r)
		return r;
	return asprintf(ret, KV_V1_FOLDER "%s", path) < 0 ? *ret = NULL, -ENOMEM : 0;
}

/* The secret; NULL for none. As record_key. */
static int load(struct call *call, json_t **ret)
{
	char *key AUTO_FREE = NULL;
	int r = record_key(call, &key);

	if (r == 0 && key)
		r = call_get(call, key, ret);
	return r == -ENOENT ? 0 : r;
}

int kv_v1_exists(struct call *call)
{
	json_auto_t *secret = NULL;
	int r = load(call, &secret);

	return r < 0 ? r : secret != NULL;
}

/* How long clients may keep the secret: its own `ttl` or `lease`, else the mount's default. */
static int64_t lease_of(const struct call *call, const json_t *secret)
{
	const json_t *value = json_object_get(secret, "ttl");
	const int64_t mount_ttl = call->mount->default_lease_ttl;
	int64_t seconds = mount_ttl ? mount_ttl : SYSTEM_LEASE_TTL;
	long long given;

	if (!value)
		value = json_object_get(secret, "lease");
	if (json_is_null(value))
		return 0;
	if (json_is_integer(value))
		return json_integer_value(value);
	if (json_is_string(value) && duration_parse(json_string_value(value), &given) == 0)
		return given;
	return seconds;
}

int kv_v1_read(struct call *call)
{
	json_t *secret = NULL;
	int r = load(call, &secret);

	if (r)
		return r < 0 ? r : 0;
	if (secret)
		call->response->lease_duration = lease_of(call, secret);
	return call_data(call, secret);
}

int kv_v1_list(struct call *call)
{
	json_auto_t *keys = NULL;
	char *folder AUTO_FREE = NULL;
	int r;

	if (call_refuse_dots(call, call_capture(call, "path")))
		return 0;
	if (asprintf(&folder, KV_V1_FOLDER "%s", call_capture(call, "path")) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	r = call_list(call, folder, &keys);
	if (r < 0)
		return r;
	return json_array_size(keys) ? kv_answer(call, json_pack("{s:O}", "keys", keys)) : call_data(call, NULL);
}

int kv_v1_write(struct call *call)
{
	char *key AUTO_FREE = NULL;
	int r;

	if (!*call_capture(call, "path"))
		return call_error(call, 400, "missing path");
	if (json_object_size(call->request->data) == 0)
		return call_error(call, 400, "missing data fields");
	r = record_key(call, &key);
	if (r == 0)
		r = call_put(call, key, call->request->data);
	return r ? (r < 0 ? r : 0) : call_done(call);
}

int kv_v1_delete(struct call *call)
{
	char *key AUTO_FREE = NULL;
	int r = record_key(call, &key);

	if (r == 0 && key)
		r = call_delete(call, key);
	return r ? (r < 0 ? r : 0) : call_done(call);
}
