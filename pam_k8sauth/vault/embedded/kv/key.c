/* SPDX-License-Identifier: Apache-2.0 */
/* Keys with their versions: reading, writing, pruning, and how they show. */
#include <errno.h>
#include <stdio.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/kv/kv.h"

#define CONFIG_KEY	 "config"
#define HASH_LEN	 32  /* SHA-256 */
#define VERSION_KEY_SIZE 100 /* "version/<64 hex>.<20 digits>" and a NUL */

long long kv_integer(const json_t *record, const char *name)
{
	return json_integer_value(json_object_get(record, name));
}

/* --- paths */

static bool path_fits(const char *path)
{
	size_t segments = 0;

	if (strlen(path) > KV_PATH_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || len > KV_SEGMENT_MAX || ++segments > KV_SEGMENTS_MAX)
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

int kv_path_check(struct call *call, const char *path)
{
	if (path_fits(path))
		return 0;
	call_error(call, 400, "a path has 1 to %d segments of 1 to %d bytes, and at most %d bytes", KV_SEGMENTS_MAX,
	    KV_SEGMENT_MAX, KV_PATH_MAX);
	return 1;
}

/* The data of versions lies beside the tree of keys, so that listing does not meet it. */
static int version_key(const struct kv_key *key, long long version, char ret[static VERSION_KEY_SIZE])
{
	unsigned char hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];

	if (!EVP_Digest(key->path, strlen(key->path), hash, NULL, EVP_sha256(), NULL))
		return -EIO;
	hex_encode(hash, sizeof(hash), hex);
	snprintf(ret, VERSION_KEY_SIZE, "version/%s.%lld", hex, version);
	return 0;
}

static char *meta_key(const struct kv_key *key)
{
	char *name;

	return asprintf(&name, "meta/%s", key->path) < 0 ? NULL : name;
}

/* --- reading and writing */

int kv_config_get(struct call *call, json_t **ret)
{
	int r = call_get(call, CONFIG_KEY, ret);

	if (r != -ENOENT)
		return r;
	*ret = json_object();
	return *ret ? 0 : -ENOMEM;
}

int kv_config_load(struct call *call, json_t **ret)
{
	int r = kv_config_get(call, ret);

	if (r < 0 || !json_is_true(json_object_get(*ret, KV_UPGRADING)))
		return r;
	kv_upgrade_continue(call->core, call->mount);
	call_error(call, 400,
	    "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and "
	    "will resume service shortly.");
	return 1;
}

int kv_config_store(struct call *call, json_t *config)
{
	return call_put(call, CONFIG_KEY, config);
}

int kv_key_load(struct call *call, struct kv_key *key)
{
	char *name AUTO_FREE = NULL;
	size_t len;
	int r;

	key->now = nanotime_now();
	key->path = strdup(call_capture(call, "path"));
	if (!key->path)
		return -ENOMEM;
	len = strlen(key->path);
	if (len && key->path[len - 1] == '/')
		key->path[len - 1] = 0;
	r = kv_config_load(call, &key->config);
	if (r == 0)
		r = kv_path_check(call, key->path);
	if (r)
		return r;
	name = meta_key(key);
	if (!name)
		return -ENOMEM;
	r = call_get(call, name, &key->meta);
	return r == -ENOENT ? 0 : r;
}

int kv_key_missing(struct call *call)
{
	call->response->empty_404 = call->request->op == VAULT_PATCH;
	call_data(call, NULL);
	return 1;
}

int kv_key_load_existing(struct call *call, struct kv_key *key)
{
	int r = kv_key_load(call, key);

	return r == 0 && !key->meta ? kv_key_missing(call) : r;
}

void kv_key_free(struct kv_key *key)
{
	free(key->path);
	json_decref(key->config);
	json_decref(key->meta);
}

int kv_key_new(struct kv_key *key)
{
	key->meta = json_pack("{s:I, s:I, s:i, s:i, s:{}}", "created", (json_int_t)key->now, "updated",
	    (json_int_t)key->now, "current", 0, "oldest", 0, "versions");
	return key->meta ? 0 : -ENOMEM;
}

int kv_key_store(struct call *call, const struct kv_key *key)
{
	char *name AUTO_FREE = meta_key(key);

	return name ? call_put(call, name, key->meta) : -ENOMEM;
}

int kv_version_data(struct call *call, const struct kv_key *key, long long version, json_t **ret)
{
	char name[VERSION_KEY_SIZE];
	json_auto_t *record = NULL;
	int r = version_key(key, version, name);

	if (r == 0)
		r = call_get(call, name, &record);
	if (r < 0)
		return r;
	*ret = json_incref(json_object_get(record, "data"));
	return *ret ? 0 : -EIO;
}

int kv_version_drop(struct call *call, const struct kv_key *key, long long version)
{
	char name[VERSION_KEY_SIZE];
	int r = version_key(key, version, name);

	if (r == 0)
		r = call_delete(call, name);
	return r == -ENOENT ? 0 : r;
}

int kv_key_remove(struct call *call, struct kv_key *key)
{
	char *name AUTO_FREE = meta_key(key);
	const char *number;
	json_t *version;
	int r = name ? call_delete(call, name) : -ENOMEM;

	json_object_foreach(json_object_get(key->meta, "versions"), number, version)
	{
		if (r == 0)
			r = kv_version_drop(call, key, atoll(number));
	}
	return r;
}

/* --- versions */

json_t *kv_version(const struct kv_key *key, long long version)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", version);
	return json_object_get(json_object_get(key->meta, "versions"), number);
}

long long kv_version_wanted(const struct kv_key *key, long long version)
{
	return version > 0 ? version : kv_integer(key->meta, "current");
}

bool kv_version_readable(const struct kv_key *key, const json_t *version)
{
	long long deleted = kv_integer(version, "deleted");

	return !json_is_true(json_object_get(version, "destroyed")) && (deleted == 0 || deleted > key->now);
}

int64_t kv_version_end(const struct kv_key *key)
{
	int64_t of_mount = kv_integer(key->config, "delete_version_after");
	int64_t of_key = kv_integer(key->meta, "delete_version_after");
	int64_t after = of_key > 0 && (of_mount == 0 || of_key < of_mount) ? of_key : of_mount;

	/* Below 0 the mount switches it off, whatever its keys say. */
	return of_mount < 0 || after == 0 ? 0 : nanotime_after(key->now, after);
}

/* How many versions are kept: the larger of key's and mount's setting. */
static long long versions_kept(const struct kv_key *key)
{
	long long of_key = kv_integer(key->meta, "max_versions"), of_mount = kv_integer(key->config, "max_versions");
	long long kept = of_key > of_mount ? of_key : of_mount;

	if (kept == 0)
		kept = KV_VERSIONS_DEFAULT;
	return kept < KV_VERSIONS_MAX ? kept : KV_VERSIONS_MAX;
}

/* Drops what is beyond the limit, after CURRENT was added. */
static int prune(struct call *call, struct kv_key *key, long long current)
{
	json_t *versions = json_object_get(key->meta, "versions");
	long long oldest = kv_integer(key->meta, "oldest"), last = current - versions_kept(key);
	char number[24];
	int r = 0;

	if (last < oldest)
		return 0;
	for (long long version = oldest; r == 0 && version <= last; version++) {
		snprintf(number, sizeof(number), "%lld", version);
		if (json_object_del(versions, number) == 0)
			r = kv_version_drop(call, key, version);
	}
	return r == 0 && json_object_set_new(key->meta, "oldest", json_integer(last + 1)) ? -ENOMEM : r;
}

static json_t *new_version(struct call *call, const struct kv_key *key)
{
	int64_t end = kv_version_end(key);
	json_t *version = json_pack("{s:I, s:o}", "created", (json_int_t)key->now, "created_by", kv_actor(call));

	if (end && json_object_set_new(version, "deleted", json_integer(end))) {
		json_decref(version);
		return NULL;
	}
	return version;
}

int kv_key_add_version(struct call *call, struct kv_key *key, json_t *data, long long *ret_version)
{
	long long current = kv_integer(key->meta, "current") + 1;
	json_auto_t *record = json_pack("{s:O}", "data", data);
	char number[24], name[VERSION_KEY_SIZE];
	int r;

	snprintf(number, sizeof(number), "%lld", current);
	if (!record || json_object_set_new(json_object_get(key->meta, "versions"), number, new_version(call, key)) ||
	    json_object_set_new(key->meta, "current", json_integer(current)) ||
	    json_object_set_new(key->meta, "updated", json_integer(key->now)))
		return -ENOMEM;
	r = prune(call, key, current);
	if (r == 0)
		r = kv_key_note_update(call, key);
	if (r == 0)
		r = kv_key_store(call, key);
	if (r == 0)
		r = version_key(key, current, name);
	if (r == 0)
		r = call_put(call, name, record);
	if (r == 0)
		*ret_version = current;
	return r;
}

/* --- who */

static const char *operation_name(const struct call *call)
{
	if (call->path->update == kv_undelete_versions)
		return "undelete";
	switch (call->request->op) {
	case VAULT_CREATE:
		return "create";
	case VAULT_PATCH:
		return "patch";
	case VAULT_DELETE:
		return "delete";
	default:
		return "update";
	}
}

json_t *kv_actor(const struct call *call)
{
	const struct token *token = call->token;
	char *id AUTO_FREE = token ? token_client_id(token) : NULL;
	json_t *actor;

	if (!token)
		return json_null();
	actor = id ? json_pack("{s:s, s:s, s:s}", "actor", token->display_name, "operation", operation_name(call),
			 "client_id", id)
		   : NULL;
	if (actor && *token->entity_id)
		json_object_set_new(actor, "entity_id", json_string(token->entity_id));
	return actor;
}

int kv_key_note_update(struct call *call, struct kv_key *key)
{
	return json_object_set_new(key->meta, "last_updated_by", kv_actor(call)) ? -ENOMEM : 0;
}

/* --- replies */

int kv_answer(struct call *call, json_t *data)
{
	return data ? call_data(call, data) : -ENOMEM;
}

json_t *kv_time(int64_t time)
{
	char text[NANOTIME_SIZE] = "";

	if (time)
		nanotime_format(time, text);
	return json_string(text);
}

json_t *kv_version_show(const struct kv_key *key, long long number)
{
	const json_t *version = kv_version(key, number);
	json_t *custom = json_object_get(key->meta, "custom_metadata");

	return json_pack("{s:o, s:o, s:o, s:b, s:I}", "created_time", kv_time(kv_integer(version, "created")),
	    "custom_metadata", custom ? json_incref(custom) : json_null(), "deletion_time",
	    kv_time(kv_integer(version, "deleted")), "destroyed", json_is_true(json_object_get(version, "destroyed")),
	    "version", (json_int_t)number);
}
