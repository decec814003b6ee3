/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the KV engine share. A key of version 2 is one metadata record "meta/<path>" with all of its
 * versions' metadata, and one record for the data of each version. Texts and quirks: vault-core.md 4, vault-1.21.4.md.
 */
#pragma once

#include "vault/embedded/core.h"
#include "vault/embedded/token.h"
#include "vault/embedded/nanotime.h"

#define KV_VERSIONS_DEFAULT 10	 /* kept where neither key nor mount says how many */
#define KV_VERSIONS_MAX	    4096 /* kept at most: all of their metadata is one record */
#define KV_SEGMENT_MAX	    512	 /* bytes of a path's segment */
#define KV_SEGMENTS_MAX	    128
#define KV_PATH_MAX	    2048
#define KV_V1_FOLDER	    "v1/"	/* of version 1: a record for each secret */
#define KV_UPGRADING	    "upgrading" /* member of a mount's configuration while its secrets move to version 2 */

/* --- keys (key.c): their metadata as stored, with the mount's configuration */

struct kv_key {
	char *path;	/* without a slash at its end */
	json_t *config; /* the mount's: object, empty where nothing was configured */
	json_t *meta;	/* NULL: there is no such key */
	int64_t now;
};

/*
 * Reads what the capture `path` of CALL names. 0; 1 after an error answer; -EAGAIN...; the caller frees (also after an
 * error: KEY is always valid).
 */
int kv_key_load(struct call *call, struct kv_key *key) NODISCARD;
/* The same where a missing key is no error but the answer: 1 after a 404 then. */
int kv_key_load_existing(struct call *call, struct kv_key *key) NODISCARD;
/* Answers that there is no such key or version. Always 1. */
int kv_key_missing(struct call *call);
void kv_key_free(struct kv_key *key);
#define AUTO_KEY CLEANUP(kv_key_free)

/* 0, or 1 after an error answer where PATH is too long or has an empty segment. */
int kv_path_check(struct call *call, const char *path) NODISCARD;

/* The mount's configuration, an empty object where there is none; the caller frees *RET, whatever the result. */
int kv_config_get(struct call *call, json_t **ret) NODISCARD;
/* The same for requests: 1 after an error answer while the mount is upgraded. */
int kv_config_load(struct call *call, json_t **ret) NODISCARD;
int kv_config_store(struct call *call, json_t *config) NODISCARD;

/* A new key without versions. 0 or -ENOMEM. */
int kv_key_new(struct kv_key *key) NODISCARD;
int kv_key_store(struct call *call, const struct kv_key *key) NODISCARD;
/* Removes the key with all of its versions. */
int kv_key_remove(struct call *call, struct kv_key *key) NODISCARD;

/* Adds a version with DATA (an object or null), drops versions beyond the limit, and stores both. The new version. */
int kv_key_add_version(struct call *call, struct kv_key *key, json_t *data, long long *ret_version) NODISCARD;
/* The data of VERSION. 0, -ENOENT, -EAGAIN... The caller owns *RET. */
int kv_version_data(struct call *call, const struct kv_key *key, long long version, json_t **ret) NODISCARD;
/* Removes the data of VERSION for good. */
int kv_version_drop(struct call *call, const struct kv_key *key, long long version) NODISCARD;

/* The metadata of VERSION as stored, borrowed; NULL: no such version. */
json_t *kv_version(const struct kv_key *key, long long version);
/* The version that a request for VERSION means: the current one for 0 and less. */
long long kv_version_wanted(const struct kv_key *key, long long version);
bool kv_version_readable(const struct kv_key *key, const json_t *version);
/* Notes who did what to the key (VERSION: and deleted it; NULL: nothing of that). 0 or -ENOMEM. */
int kv_key_note_update(struct call *call, struct kv_key *key) NODISCARD;
/* When a version that is (un)deleted or made now ends by itself; 0 never. */
int64_t kv_version_end(const struct kv_key *key);
/* Who does this request, as `created_by` and `deleted_by` show it. NULL without memory. */
json_t *kv_actor(const struct call *call) NODISCARD;

/* 200 with DATA (taken over); NULL is -ENOMEM here. */
int kv_answer(struct call *call, json_t *data) NODISCARD;
long long kv_integer(const json_t *record, const char *name);
/* RFC 3339, "" for 0. */
json_t *kv_time(int64_t time) NODISCARD;
/* What `data` shows of a version: created_time, custom_metadata, deletion_time, destroyed, version. */
json_t *kv_version_show(const struct kv_key *key, long long version) NODISCARD;

/* --- fields with texts of their own (fields.c). As call_field_*: 0, 1 after an error answer, -ENOMEM. */

/* A map; *RET is borrowed: an object, or a null; NULL where the field is absent. */
int kv_field_map(struct call *call, const char *name, json_t **ret, json_t **ret_owned) NODISCARD;
/* `versions`: at least one; EMPTY is the error text otherwise. *RET: array of integers, the caller's. */
int kv_field_versions(struct call *call, const char *empty, json_t **ret) NODISCARD;
/* `options.cas` against the current version. 0, or 1 after an error answer. */
int kv_check_cas(struct call *call, const struct kv_key *key) NODISCARD;
/* `custom_metadata` as text by text. *RET: new object, the caller's; NULL where the field is absent or null. */
int kv_field_custom_metadata(struct call *call, bool patch, json_t **ret, bool *ret_set) NODISCARD;

/* --- values (values.c); all return new values, NULL without memory */

/* DATA with every number as a 64-bit float shows it. */
json_t *kv_normalize(const json_t *data) NODISCARD;
/* RFC 7396: PATCH merged into TARGET. */
json_t *kv_merge(const json_t *target, const json_t *patch) NODISCARD;
/* The names alone: leaves become null; below DEPTH levels (0: no limit) as well. */
json_t *kv_subkeys(const json_t *data, long long depth) NODISCARD;

/* --- handlers */

/* A path that a version 2 mount does not have, and its roots: 404 with a warning that tells what to do. */
engine_handler kv_invalid_path, kv_invalid_root;

engine_handler kv_data_read, kv_data_write, kv_data_patch, kv_data_delete, kv_subkeys_read;
engine_handler kv_delete_versions, kv_undelete_versions, kv_destroy_versions;
engine_handler kv_metadata_read, kv_metadata_list, kv_metadata_write, kv_metadata_patch, kv_metadata_delete;
engine_handler kv_config_read, kv_config_write;

engine_handler kv_v1_read, kv_v1_list, kv_v1_write, kv_v1_delete;
int kv_v1_exists(struct call *call);

/* --- from version 1 to version 2 (upgrade.c) */

/* Joins the writes of the call that gives MOUNT the version: its secrets are to be moved. */
int kv_upgrade_mark(struct call *call, struct mount *mount) NODISCARD;
/* Moves what is marked, in the background, unless that is under way. */
void kv_upgrade_continue(struct core *core, struct mount *mount);
