/* SPDX-License-Identifier: Apache-2.0 */
/* Token entries: as records of the store, as lookup shows them, as the auth block of a reply. */
#include <errno.h>

#include "vault/embedded/auth_token/tokens.h"

void token_free(struct token *token)
{
	if (!token)
		return;
	json_decref(token->policies);
	json_decref(token->meta);
	json_decref(token->internal);
	json_decref(token->bound_cidrs);
	free(token->entity_id);
	free(token->path);
	free(token->display_name);
	free(token->type);
	free(token->role);
	free(token);
}

/* --- records: members at their default are left out; one that is missing for want of memory fails the whole */

/* VALUE is taken over. 0, or -1: also for NULL. */
static int put(json_t *record, const char *name, json_t *value)
{
	return json_object_set_new_nocheck(record, name, value);
}

static int put_if_any(json_t *record, const char *name, json_t *borrowed)
{
	return borrowed ? json_object_set_nocheck(record, name, borrowed) : 0;
}

static int put_text(json_t *record, const char *name, const char *text)
{
	return text && *text ? put(record, name, json_string(text)) : 0;
}

static int put_integer(json_t *record, const char *name, int64_t value)
{
	return value ? put(record, name, json_integer(value)) : 0;
}

static int put_true(json_t *record, const char *name, bool value)
{
	return value ? put(record, name, json_true()) : 0;
}

static int put_limits(json_t *record, const struct token *token)
{
	return put_if_any(record, "bound_cidrs", token->bound_cidrs) |
	       put_integer(record, "num_uses", token->num_uses) |
	       put_integer(record, "minted_uses", token->minted_uses) |
	       put_integer(record, "created", token->creation_time) |
	       put_integer(record, "renewed", token->last_renewal) |
	       put_integer(record, "expires", token->expire_time) | put_integer(record, "ttl", token->ttl) |
	       put_integer(record, "granted_ttl", token->granted_ttl) |
	       put_integer(record, "explicit_max_ttl", token->explicit_max_ttl) |
	       put_integer(record, "period", token->period);
}

static int put_tree(json_t *record, const struct token *token)
{
	return put_text(record, "parent", token->parent) | put_text(record, "role", token->role) |
	       put_true(record, "orphaned", token->orphaned) |
	       put_true(record, "has_children", token->has_children) |
	       put_true(record, "has_leases", token->has_leases);
}

json_t *token_to_record(const struct token *token)
{
	json_auto_t *record = json_object();
	int failed = put(record, "accessor", json_string_nocheck(token->accessor)) |
		     put(record, "policies", json_incref(token->policies)) |
		     put(record, "path", json_string(token->path)) |
		     put(record, "display_name", json_string(token->display_name)) |
		     put(record, "type", json_string(token->type)) |
		     put(record, "mount", json_string_nocheck(token->mount)) | put_if_any(record, "meta", token->meta) |
		     put_if_any(record, "internal", token->internal) | put_text(record, "entity", token->entity_id) |
		     put_limits(record, token) | put_true(record, "renewable", token->renewable) |
		     put_tree(record, token);

	return failed ? NULL : json_incref(record);
}

int token_store(struct call *call, const struct token *token)
{
	json_auto_t *record = token_to_record(token);
	char key[TOKEN_KEY_SIZE];

	if (!record)
		return -ENOMEM;
	token_key(token->salted, key);
	return core_put(call, key, record);
}

static char *copy_text(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return strdup(text ? text : "");
}

static int64_t get_integer(const json_t *record, const char *name)
{
	return json_integer_value(json_object_get(record, name));
}

static json_t *get_typed(const json_t *record, const char *name, json_type type)
{
	json_t *value = json_object_get(record, name);

	return value && json_typeof(value) == type ? json_incref(value) : NULL;
}

static bool only_root(const json_t *policies)
{
	const char *name = json_string_value(json_array_get(policies, 0));

	return json_array_size(policies) == 1 && name && streq(name, "root");
}

/* NULL where RECORD is none, or without memory. */
static struct token *from_record(const char *salted, const json_t *record)
{
	struct token *token = calloc(1, sizeof(*token));
	const char *accessor = json_string_value(json_object_get(record, "accessor"));
	const char *mount = json_string_value(json_object_get(record, "mount"));
	const char *parent = json_string_value(json_object_get(record, "parent"));
	const char *role = json_string_value(json_object_get(record, "role"));

	if (!token)
		return NULL;
	snprintf(token->salted, sizeof(token->salted), "%s", salted);
	snprintf(token->accessor, sizeof(token->accessor), "%s", accessor ? accessor : "");
	snprintf(token->mount, sizeof(token->mount), "%s", mount ? mount : "");
	snprintf(token->parent, sizeof(token->parent), "%s", parent ? parent : "");
	token->policies = get_typed(record, "policies", JSON_ARRAY);
	token->meta = get_typed(record, "meta", JSON_OBJECT);
	token->internal = get_typed(record, "internal", JSON_OBJECT);
	token->bound_cidrs = get_typed(record, "bound_cidrs", JSON_ARRAY);
	token->path = copy_text(record, "path");
	token->entity_id = copy_text(record, "entity");
	token->display_name = copy_text(record, "display_name");
	token->type = copy_text(record, "type");
	token->num_uses = get_integer(record, "num_uses");
	token->minted_uses = get_integer(record, "minted_uses");
	token->creation_time = get_integer(record, "created");
	token->last_renewal = get_integer(record, "renewed");
	token->expire_time = get_integer(record, "expires");
	token->ttl = get_integer(record, "ttl");
	token->granted_ttl = get_integer(record, "granted_ttl");
	token->explicit_max_ttl = get_integer(record, "explicit_max_ttl");
	token->period = get_integer(record, "period");
	token->orphan = !*token->parent;
	token->orphaned = json_is_true(json_object_get(record, "orphaned"));
	token->has_children = json_is_true(json_object_get(record, "has_children"));
	token->has_leases = json_is_true(json_object_get(record, "has_leases"));
	token->renewable = json_is_true(json_object_get(record, "renewable"));
	token->root = only_root(token->policies);
	token->role = role ? strdup(role) : NULL;
	if (!token->policies || !token->path || !token->entity_id || !token->display_name || !token->type ||
	    (role && !token->role)) {
		token_free(token);
		return NULL;
	}
	return token;
}

int token_from_record(const char *salted, const json_t *record, struct token **ret)
{
	struct token *token;

	errno = 0;
	token = from_record(salted, record);
	if (!token)
		return errno == ENOMEM ? -ENOMEM : -EIO;
	/* A record without an end that is not root's is broken: it must not become a token for ever. */
	if (!token->root && token->expire_time == 0) {
		token_free(token);
		return -EIO;
	}
	*ret = token;
	return 0;
}

int token_load(struct call *call, const char *salted, struct token **ret)
{
	json_auto_t *record = NULL;
	char key[TOKEN_KEY_SIZE];
	int r;

	token_key(salted, key);
	r = core_get(call, key, &record);
	if (r == 0)
		r = token_from_record(salted, record, ret);
	if (r == 0)
		token_restored(call->core, *ret);
	return r;
}

bool token_mount_is_there(struct core *core, const struct token *token)
{
	const struct mount *mount;

	if (token->root)
		return true;
	mount = core_mount_of(core, token->path);
	return mount && streq(mount->uuid, token->mount) && token->creation_time > mount->moved_at;
}

bool token_is_valid(struct core *core, const struct token *token)
{
	return (!token->expire_time || token->expire_time > nanotime_now()) && token->num_uses >= 0 &&
	       token_mount_is_there(core, token);
}

int token_load_valid(struct call *call, const char *salted, struct token **ret)
{
	struct token *token;
	int r = token_load(call, salted, &token);

	if (r < 0)
		return r;
	if (!token_is_valid(call->core, token)) {
		token_free(token);
		return -ENOENT;
	}
	*ret = token;
	return 0;
}

/* --- replies */

static json_t *time_text(int64_t time)
{
	char text[NANOTIME_SIZE];

	nanotime_format(time, text);
	return json_string(text);
}

/* Seconds left as Vault counts them: from the next or last full second, whichever is nearer. */
int64_t token_seconds_left(const struct token *token, int64_t now)
{
	int64_t rounded = (now + NANOTIME_SECOND / 2) / NANOTIME_SECOND * NANOTIME_SECOND;

	return token->expire_time > rounded ? (token->expire_time - rounded) / NANOTIME_SECOND : 0;
}

json_t *token_show(const struct token *token, const char *id, int64_t now)
{
	/* What is empty does not survive in what a batch token carries. */
	bool batch = token_is_batch(token), no_policies = batch && json_array_size(token->policies) == 0;
	bool no_meta = batch && json_object_size(token->meta) == 0;
	json_auto_t *data = json_pack("{s:s, s:I, s:I, s:s, s:s, s:o, s:I, s:s, s:O?, s:I, s:b, s:s, s:O?, s:I, s:s}",
	    "accessor", token->accessor, "creation_time", (json_int_t)(token->creation_time / NANOTIME_SECOND),
	    "creation_ttl", (json_int_t)token->ttl, "display_name", token->display_name, "entity_id",
	    token->entity_id ? token->entity_id : "", "expire_time",
	    token->expire_time ? time_text(token->expire_time) : json_null(), "explicit_max_ttl",
	    (json_int_t)token->explicit_max_ttl, "id", id, "meta", no_meta ? NULL : token->meta, "num_uses",
	    (json_int_t)token->num_uses, "orphan", token->orphan, "path", token->path, "policies",
	    no_policies ? NULL : token->policies, "ttl", (json_int_t)token_seconds_left(token, now), "type",
	    token->type);
	int failed = put_if_any(data, "bound_cidrs", token->bound_cidrs) | put_integer(data, "period", token->period) |
		     put_text(data, "role", token->role) |
		     put_integer(data, "last_renewal_time", token->last_renewal / NANOTIME_SECOND);

	if (token->last_renewal)
		failed |= put(data, "last_renewal", time_text(token->last_renewal));
	if (!token_is_first_root(token))
		failed |= put(data, "issue_time", time_text(token_shown_issue(token))) |
			  put(data, "renewable", json_boolean(token->renewable));
	return failed ? NULL : json_incref(data);
}

json_t *token_auth_block(const struct token *token, const char *client_token, int64_t lease_duration)
{
	json_auto_t *auth = json_pack(
	    "{s:s, s:s, s:O}", "client_token", client_token, "accessor", token->accessor, "policies", token->policies);
	json_auto_t *rest = json_pack("{s:O?, s:I, s:b, s:s, s:s, s:b, s:n, s:I}", "metadata", token->meta,
	    "lease_duration", (json_int_t)lease_duration, "renewable", token->renewable, "entity_id",
	    token->entity_id ? token->entity_id : "", "token_type", token->type, "orphan",
	    token->orphan && !token->orphaned, "mfa_requirement", "num_uses", (json_int_t)token->minted_uses);

	/* In Vault's order; token_policies only where there are any. */
	if ((json_array_size(token->policies) && put_if_any(auth, "token_policies", token->policies)) ||
	    json_object_update(auth, rest))
		return NULL;
	return json_incref(auth);
}
