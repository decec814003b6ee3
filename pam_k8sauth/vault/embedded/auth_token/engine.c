/* SPDX-License-Identifier: Apache-2.0 */
/* The engine at auth/token/: looking up, renewing and revoking (vault-core.md 3.4, 3.5). */
#include <errno.h>

#include "vault/embedded/auth_token/roles.h"
#include "vault/embedded/auth_token/tokens.h"

/* The token that PRESENTED is: 0 with *RET NULL where there is no such token. */
static int find_by_id(struct call *call, const char *presented, struct token **ret)
{
	int r = token_find(call, presented, ret);

	return r == -ENOENT ? 0 : r;
}

/* The same by field `token`, which must be there; *RET_ID is what it says. 0, 1 after an error answer, or an errno. */
static int find_named(struct call *call, const char **ret_id, struct token **ret)
{
	int r;

	*ret_id = "";
	r = call_field_string(call, "token", ret_id, NULL);
	if (r)
		return r;
	if (!**ret_id) {
		call_error(call, 400, "missing token ID");
		return 1;
	}
	return find_by_id(call, *ret_id, ret);
}

/*
 * The same by field `accessor`. *RET_LAST: it is the caller's own, on its last use, and so revoked by this very
 * request. 0, 1 after an error answer, or an errno.
 */
static int find_by_accessor(struct call *call, struct token **ret, bool *ret_last)
{
	const char *accessor = "";
	int r = call_field_string(call, "accessor", &accessor, NULL);

	if (r)
		return r;
	if (!*accessor) {
		call_wrapped_error(call, 400, "missing accessor");
		return 1;
	}
	*ret_last = call->token && call->token->num_uses < 0 && streq(accessor, call->token->accessor);
	r = token_find_accessor(call, accessor, ret);
	return r == -ENOENT ? 0 : r;
}

/* What the caller presented itself. "" for the daemon's own requests. */
static const char *own_id(const struct call *call)
{
	return call->request->token ? secret_reveal(call->request->token) : "";
}

static int show(struct call *call, const struct token *token, const char *id)
{
	json_t *data = token_show(token, id, nanotime_now());

	int r = data ? token_show_entity(call, token, data) : -ENOMEM;

	if (r < 0) {
		json_decref(data);
		return r;
	}
	return call_data(call, data);
}

static int lookup_self(struct call *call)
{
	if (!call->token)
		return call_error(call, 403, "permission denied");
	return show(call, call->token, own_id(call));
}

static int lookup_by_id(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	const char *id = "";
	int r = call_field_string(call, "token", &id, NULL);

	if (r)
		return r < 0 ? r : 0;
	/* On its last use the caller's own record is gone already. */
	if (!*id || (call->token && streq(id, own_id(call))))
		return lookup_self(call);
	r = find_by_id(call, id, &token);
	if (r < 0)
		return r;
	if (!token)
		return call_error(call, 403, "bad token");
	return show(call, token, id);
}

static int lookup_accessor(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	bool last;
	int r = find_by_accessor(call, &token, &last);

	if (r)
		return r < 0 ? r : 0;
	if (last)
		return show(call, call->token, "");
	if (!token)
		return call_wrapped_error(call, 400, "invalid accessor");
	return show(call, token, "");
}

static int renew_self(struct call *call)
{
	/* On its last use it has already been revoked. */
	if (!call->token || call->token->num_uses < 0)
		return call_error(call, 400, "token not found");
	return token_renew(call, call->token, own_id(call));
}

static int renew_by_id(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	const char *id;
	int r = find_named(call, &id, &token);

	if (r)
		return r < 0 ? r : 0;
	if (!token)
		return call_error(call, 400, "token not found");
	return token_renew(call, token, id);
}

static int renew_accessor(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	int64_t increment;
	bool last;
	int r = find_by_accessor(call, &token, &last);

	if (r)
		return r < 0 ? r : 0;
	if (!token)
		return call_wrapped_error(call, 400, last ? "invalid request" : "invalid accessor");
	r = call_field_seconds(call, "increment", &increment, NULL);
	if (r)
		return r < 0 ? r : 0;
	r = token_renew(call, token, "");
	/* Vault keeps the reason to itself here. */
	return r == 0 && call->response->status == 400 ? call_wrapped_error(call, 400, "invalid request") : r;
}

static int revoke_self(struct call *call)
{
	int r;

	if (call->token && token_is_batch(call->token))
		return call_error(call, 400, "batch tokens cannot be revoked");
	r = call->token ? token_revoke(call, call->token) : 0;
	return r < 0 ? r : call_done(call);
}

static int revoke_by_id(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	const char *id;
	int r = find_named(call, &id, &token);

	if (r)
		return r < 0 ? r : 0;
	if (token && token_is_batch(token))
		return call_error(call, 400, "batch tokens cannot be revoked");
	if (token)
		r = token_revoke(call, token);
	return r < 0 ? r : call_done(call);
}

/* Its children live on. */
static int revoke_orphan(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	const char *id;
	int r = find_named(call, &id, &token);

	if (r)
		return r < 0 ? r : 0;
	if (!token)
		return call_error(call, 400, "token to revoke not found");
	if (token_is_batch(token))
		return call_error(call, 400, "batch tokens cannot be revoked");
	r = token_revoke_orphan(call, token);
	return r < 0 ? r : call_done(call);
}

static int revoke_accessor(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	bool last;
	int r = find_by_accessor(call, &token, &last);

	if (r)
		return r < 0 ? r : 0;
	if (last)
		return call_error(call, 400, "token not found");
	if (token)
		r = token_revoke(call, token);
	else
		call_warn(call, "No token found with this accessor");
	return r < 0 ? r : call_done(call);
}

#define TOKEN                                                     \
	{                                                         \
		"token", FIELD_STRING, "The token that is meant." \
	}
#define ACCESSOR                                                                     \
	{                                                                            \
		"accessor", FIELD_STRING, "The accessor of the token that is meant." \
	}
#define INCREMENT                                                                  \
	{                                                                          \
		"increment", FIELD_SECONDS, "The life that is wished from now on." \
	}

static const struct engine_field token_field[] = { TOKEN, { 0 } };
static const struct engine_field accessor_field[] = { ACCESSOR, { 0 } };
static const struct engine_field renew_fields[] = { TOKEN, INCREMENT, { 0 } };
static const struct engine_field renew_accessor_fields[] = { ACCESSOR, INCREMENT, { 0 } };

static const struct engine_field create_fields[] = {
	{ "display_name", FIELD_STRING, "A name for people, behind \"token-\"." },
	{ "entity_alias", FIELD_STRING, "The alias of an entity that the token is to have; with a role only." },
	{ "explicit_max_ttl", FIELD_STRING, "The longest life of the token, renewals included." },
	{ "id", FIELD_STRING, "The id of the token; needs sudo." },
	{ "lease", FIELD_STRING, "Deprecated name of ttl." },
	{ "meta", FIELD_MAP, "Names and texts that lookup and audit show." },
	{ "no_default_policy", FIELD_BOOL, "Whether the token does not get the policy default." },
	{ "no_parent", FIELD_BOOL, "Whether the token is an orphan; needs sudo." },
	{ "num_uses", FIELD_INT, "How many requests the token is good for; 0 for any number." },
	{ "period", FIELD_STRING, "The token lives this long after each renewal; needs sudo." },
	{ "policies", FIELD_STRINGS, "The policies of the token; its maker's, if there are none." },
	{ "renewable", FIELD_BOOL, "Whether the token can be renewed." },
	{ "ttl", FIELD_STRING, "The life of the token until it is renewed." },
	{ "type", FIELD_STRING, "The kind of token: service or batch." },
	{ 0 },
};

static const struct engine_path paths[] = {
	{ .pattern = "accessors" }, /* no list: nothing, and nothing to be allowed */
	{ .pattern = "accessors/",
	    .flags = ENGINE_SUDO,
	    .list = token_accessors,
	    .fields = engine_no_fields,
	    .help = "The accessors of all tokens." },
	{ .pattern = "create", .update = token_create, .fields = create_fields, .help = "Make a token." },
	{ .pattern = "create-orphan",
	    .update = token_create_orphan,
	    .fields = create_fields,
	    .help = "Make a token that outlives its maker." },
	{ .pattern = "create/{role_name}",
	    .update = token_create,
	    .fields = create_fields,
	    .help = "Make a token as a role says." },
	{ .pattern = "tidy",
	    .update = token_tidy,
	    .fields = engine_no_fields,
	    .help = "Remove what tokens that are gone have left, in the background." },
	{ .pattern = "roles/", .list = token_role_list, .fields = engine_no_fields, .help = "The names of the roles." },
	{ .pattern = "roles/{role_name}",
	    .read = token_role_read,
	    .update = token_role_write,
	    .delete = token_role_delete,
	    .exists = token_role_exists,
	    .fields = token_role_fields,
	    .help = "A role for tokens: read, write, delete." },
	{ .pattern = "lookup-self",
	    .read = lookup_self,
	    .update = lookup_self,
	    .fields = token_field,
	    .help = "What is known of the token of the request." },
	{ .pattern = "lookup",
	    .read = lookup_by_id,
	    .update = lookup_by_id,
	    .fields = token_field,
	    .help = "What is known of a token." },
	{ .pattern = "lookup-accessor",
	    .update = lookup_accessor,
	    .fields = accessor_field,
	    .help = "What is known of the token of an accessor." },
	{ .pattern = "renew-self",
	    .update = renew_self,
	    .fields = renew_fields,
	    .help = "Renew the token of the request." },
	{ .pattern = "renew", .update = renew_by_id, .fields = renew_fields, .help = "Renew a token." },
	{ .pattern = "renew-accessor",
	    .update = renew_accessor,
	    .fields = renew_accessor_fields,
	    .help = "Renew the token of an accessor." },
	{ .pattern = "revoke-self",
	    .update = revoke_self,
	    .fields = token_field,
	    .help = "Revoke the token of the request, and its children." },
	{ .pattern = "revoke",
	    .update = revoke_by_id,
	    .fields = token_field,
	    .help = "Revoke a token and its children." },
	{ .pattern = "revoke-orphan",
	    .flags = ENGINE_SUDO,
	    .update = revoke_orphan,
	    .fields = token_field,
	    .help = "Revoke a token; its children live on as orphans." },
	{ .pattern = "revoke-accessor",
	    .update = revoke_accessor,
	    .fields = accessor_field,
	    .help = "Revoke the token of an accessor, and its children." },
	{ NULL },
};

const struct engine token_engine = {
	.type = "token",
	.auth = true,
	.help = "Looks up, renews and revokes tokens.",
	.paths = paths,
	.renew = token_role_renew,
};
