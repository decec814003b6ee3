/* SPDX-License-Identifier: Apache-2.0 */
/* The engine at auth/token/: looking up, renewing and revoking (vault-core.md 3.4, 3.5). */
#include <errno.h>

#include "vault/embedded/auth_token/tokens.h"

/* The token that field NAME of the request presents: 0 with *RET NULL where there is no such token. */
static int find_by_id(struct call *call, const char *presented, struct token **ret)
{
	char salted[TOKEN_SALTED_SIZE];
	int r = token_presented_salted(core_tokens(call->core), presented, strlen(presented), salted);

	if (r == 0)
		r = token_load_valid(call, salted, ret);
	return r == -ENOENT ? 0 : r;
}

/* The same by field `accessor`. 0, 1 after an error answer, or an errno. */
static int find_by_accessor(struct call *call, struct token **ret)
{
	char salted[TOKEN_SALTED_SIZE];
	const char *accessor = "";
	int r = call_field_string(call, "accessor", &accessor, NULL);

	if (r)
		return r;
	if (!*accessor) {
		call_wrapped_error(call, 400, "missing accessor");
		return 1;
	}
	if (strlen(accessor) != TOKEN_ACCESSOR_LEN)
		return 0;
	r = token_accessor_salted(core_tokens(call->core), accessor, salted);
	if (r == 0)
		r = token_load_valid(call, salted, ret);
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
	if (!*id)
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
	int r = find_by_accessor(call, &token);

	if (r)
		return r < 0 ? r : 0;
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
	const char *id = "";
	int r = call_field_string(call, "token", &id, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "missing token ID");
	r = find_by_id(call, id, &token);
	if (r < 0)
		return r;
	if (!token)
		return call_error(call, 400, "token not found");
	return token_renew(call, token, id);
}

static int renew_accessor(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	int r = find_by_accessor(call, &token);

	if (r)
		return r < 0 ? r : 0;
	if (!token)
		return call_wrapped_error(call, 400, "invalid accessor");
	return token_renew(call, token, "");
}

static int revoke_self(struct call *call)
{
	int r = call->token ? token_revoke(call, call->token->salted) : 0;

	return r < 0 ? r : call_done(call);
}

static int revoke_by_id(struct call *call)
{
	char salted[TOKEN_SALTED_SIZE];
	const char *id = "";
	int r = call_field_string(call, "token", &id, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "missing token ID");
	r = token_presented_salted(core_tokens(call->core), id, strlen(id), salted);
	if (r == 0)
		r = token_revoke(call, salted);
	return r < 0 && r != -ENOENT ? r : call_done(call);
}

static int revoke_accessor(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	int r = find_by_accessor(call, &token);

	if (r)
		return r < 0 ? r : 0;
	if (token)
		r = token_revoke(call, token->salted);
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

static const struct engine_path paths[] = {
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
};
