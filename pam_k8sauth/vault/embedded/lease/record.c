/* SPDX-License-Identifier: Apache-2.0 */
/* Leases as records of the store: one with all there is to know, and empty ones that find it by path and by token. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_token/ttl.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease_internal.h"

void lease_hex(const char *id, char ret[static LEASE_HEX_LEN + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)id, strlen(id), digest);
	hex_encode(digest, sizeof(digest), ret);
}

void lease_bytes(const char *hex, unsigned char ret[static EXPIRY_KEY_LEN])
{
	for (size_t i = 0; i < EXPIRY_KEY_LEN; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		ret[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
}

void lease_free(struct lease *lease)
{
	if (!lease)
		return;
	if (lease->state && lease->state_free)
		lease->state_free(lease->state);
	json_decref(lease->internal);
	free(lease->id);
	free(lease->revoke_error);
	free(lease);
}

struct mount *lease_mount(const struct core *core, const struct lease *lease)
{
	struct mount *mount = core_mount_of(core, lease->id);

	return mount && streq(mount->uuid, lease->mount) ? mount : NULL;
}

bool lease_has_ended(const struct lease *lease)
{
	return lease->expire_time <= nanotime_now();
}

/* --- records */

static json_t *to_record(const struct lease *lease)
{
	return json_pack("{s:s, s:s, s:s, s:O?, s:I, s:I, s:I, s:I, s:I, s:b, s:s*}", "id", lease->id, "mount",
	    lease->mount, "token", lease->token, "internal", lease->internal, "issued", (json_int_t)lease->issue_time,
	    "expires", (json_int_t)lease->expire_time, "renewed", (json_int_t)lease->last_renewal, "ttl",
	    (json_int_t)lease->ttl, "max_ttl", (json_int_t)lease->max_ttl, "renewable", lease->renewable, "revoke_error",
	    lease->revoke_error);
}

static int from_record(const char *hex, json_t *record, struct lease **ret)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	const char *id, *mount, *token, *error = NULL;
	json_t *internal = NULL;
	json_int_t issued, expires, renewed, ttl, max_ttl;
	int renewable;

	if (!lease)
		return -ENOMEM;
	if (json_unpack(record, "{s:s, s:s, s:s, s?o, s:I, s:I, s:I, s:I, s:I, s:b, s?s}", "id", &id, "mount", &mount,
		"token", &token, "internal", &internal, "issued", &issued, "expires", &expires, "renewed", &renewed, "ttl",
		&ttl, "max_ttl", &max_ttl, "renewable", &renewable, "revoke_error", &error) < 0) {
		lease_free(lease);
		return -EIO;
	}
	lease->id = strdup(id);
	lease->revoke_error = error ? strdup(error) : NULL;
	lease->internal = json_is_object(internal) ? json_incref(internal) : NULL;
	snprintf(lease->hex, sizeof(lease->hex), "%s", hex);
	snprintf(lease->mount, sizeof(lease->mount), "%s", mount);
	snprintf(lease->token, sizeof(lease->token), "%s", token);
	lease->issue_time = issued;
	lease->expire_time = expires;
	lease->last_renewal = renewed;
	lease->ttl = ttl;
	lease->max_ttl = max_ttl;
	lease->renewable = renewable;
	if (!lease->id || (error && !lease->revoke_error)) {
		lease_free(lease);
		return -ENOMEM;
	}
	*ret = lease;
	return 0;
}

/* Of a restored backup: it may have been renewed until the restore, as tokens may (auth_token/restored.c). */
static void correct_restored(const struct core *core, struct lease *lease)
{
	const struct core_restored *restored = core_restored(core);
	struct token_life life = { .ttl = lease->ttl, .max_ttl = lease->max_ttl, .issued = lease->issue_time };
	struct vault_response *nobody;
	const struct mount *mount;
	int64_t ttl = 0;

	if (!restored->at || lease->issue_time >= restored->at || lease->last_renewal >= restored->at ||
	    !lease->renewable || lease->expire_time <= restored->made)
		return;
	mount = lease_mount(core, lease);
	nobody = vault_response_new();
	life.mount_ttl = mount && mount->default_lease_ttl ? mount->default_lease_ttl : SYSTEM_LEASE_TTL;
	life.mount_max = mount && mount->max_lease_ttl ? mount->max_lease_ttl : SYSTEM_LEASE_TTL;
	if (nobody && token_ttl(&life, restored->at, nobody, &ttl) == 0 &&
	    nanotime_after(restored->at, ttl) > lease->expire_time)
		lease->expire_time = nanotime_after(restored->at, ttl);
	vault_response_free(nobody);
}

static void record_key(const char *hex, char ret[static LEASE_KEY_SIZE])
{
	snprintf(ret, LEASE_KEY_SIZE, LEASE_FOLDER "%.2s/%s", hex, hex + 2);
}

int lease_load(struct call *call, const char *hex, struct lease **ret)
{
	json_auto_t *record = NULL;
	char key[LEASE_KEY_SIZE];
	int r;

	record_key(hex, key);
	r = core_get(call, key, &record);
	if (r == 0)
		r = from_record(hex, record, ret);
	if (r == 0)
		correct_restored(call->core, *ret);
	return r;
}

int lease_find(struct call *call, const char *id, struct lease **ret)
{
	char hex[LEASE_HEX_LEN + 1];

	lease_hex(id, hex);
	return lease_load(call, hex, ret);
}

int lease_store(struct call *call, const struct lease *lease)
{
	json_auto_t *record = to_record(lease);
	char key[LEASE_KEY_SIZE];

	record_key(lease->hex, key);
	return record ? core_put(call, key, record) : -ENOMEM;
}

/* --- what finds them */

static void path_key(const struct lease *lease, char ret[static LEASE_KEY_SIZE])
{
	snprintf(ret, LEASE_KEY_SIZE, LEASE_PATHS "%s", lease->id);
}

static void token_key(const struct lease *lease, char ret[static LEASE_KEY_SIZE])
{
	snprintf(ret, LEASE_KEY_SIZE, LEASE_TOKENS "%s/%.2s/%s", lease->token, lease->hex, lease->hex + 2);
}

static void irrevocable_key(const struct lease *lease, char ret[static LEASE_KEY_SIZE])
{
	snprintf(ret, LEASE_KEY_SIZE, LEASE_IRREVOCABLE "%s", lease->hex);
}

int lease_store_new(struct call *call, const struct lease *lease)
{
	json_auto_t *nothing = json_object();
	char key[LEASE_KEY_SIZE];
	int r = nothing ? lease_store(call, lease) : -ENOMEM;

	path_key(lease, key);
	if (r == 0)
		r = core_put(call, key, nothing);
	token_key(lease, key);
	if (r == 0 && *lease->token)
		r = core_put(call, key, nothing);
	return r;
}

int lease_remove(struct call *call, const struct lease *lease)
{
	char key[LEASE_KEY_SIZE];
	int r;

	record_key(lease->hex, key);
	r = core_delete(call, key);
	path_key(lease, key);
	if (r == 0)
		r = core_delete(call, key);
	token_key(lease, key);
	if (r == 0 && *lease->token)
		r = core_delete(call, key);
	irrevocable_key(lease, key);
	if (r == 0 && lease->revoke_error)
		r = core_delete(call, key);
	return r;
}

int lease_mark(struct call *call, struct lease *lease, const char *error)
{
	json_auto_t *nothing = json_object();
	char key[LEASE_KEY_SIZE];
	int r;

	free(lease->revoke_error);
	lease->revoke_error = strdup(error);
	if (!lease->revoke_error || !nothing)
		return -ENOMEM;
	irrevocable_key(lease, key);
	r = core_put(call, key, nothing);
	return r < 0 ? r : lease_store(call, lease);
}
