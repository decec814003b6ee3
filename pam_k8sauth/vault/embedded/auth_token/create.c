/* SPDX-License-Identifier: Apache-2.0 */
/* Minting: the token of a login (kubernetes-auth.md 3.7) and root tokens. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/policy_names.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/auth_token/ttl.h"

const char *token_reserved_policy(const json_t *policies)
{
	static const char *const reserved[] = { "response-wrapping", "control-group" };

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (policy_names_has(policies, reserved[i]))
			return reserved[i];
	return NULL;
}

/* Policies that no login may give. 0, or 1 after the refusal. */
static int check_policies(struct call *call, const json_t *policies)
{
	const char *reserved = token_reserved_policy(policies);

	if (policy_names_has(policies, "root")) {
		call_refuse(call, VAULT_FAILED_REFUSED, "policies", 400, "auth methods cannot create root tokens",
		    "the role gives the policy root");
		return 1;
	}
	if (reserved) {
		call_error(call, 400, "cannot assign policy \"%s\"", reserved);
		return 1;
	}
	return 0;
}

/* Whether mount and role together ask for a batch token. */
static bool wants_batch(const struct mount *mount, const struct login_auth *auth)
{
	const char *of_mount = mount->token_type ? mount->token_type : "default-service";
	const char *of_role = auth->token_type ? auth->token_type : "default";

	if (streq(of_mount, "service") || streq(of_mount, "batch"))
		return streq(of_mount, "batch");
	if (streq(of_mount, "default-batch"))
		return !streq(of_role, "service");
	return streq(of_role, "batch");
}

/* "auth/k8s/east/" and "ns-name": "k8s-east-ns-name". NULL without memory. */
static char *display_name(const struct mount *mount, const char *name)
{
	const char *path = starts_with(mount->path, "auth/") ? mount->path + 5 : mount->path;
	char *text;
	size_t len;

	if (asprintf(&text, "%s%s", path, name ? name : "") < 0)
		return NULL;
	for (size_t i = 0; i < strlen(path); i++) {
		if (text[i] == '/')
			text[i] = '-';
	}
	len = strlen(text);
	if (len && text[len - 1] == '-')
		text[len - 1] = 0;
	return text;
}

/* The metadata, with the session of a PAM login: so its token is found again when the session is gone (decision 21). */
static json_t *token_meta(const struct call *call)
{
	const struct vault_pam_login *pam = call->request->pam;
	json_t *meta;

	if (!pam || !pam->session_id)
		return json_incref(call->auth->metadata);
	meta = call->auth->metadata ? json_copy(call->auth->metadata) : json_object();
	if (!meta || json_object_set_new(meta, "k8sauth_session", json_string(pam->session_id)) ||
	    (pam->boot_id && json_object_set_new(meta, "k8sauth_boot", json_string(pam->boot_id)))) {
		json_decref(meta);
		return NULL;
	}
	return meta;
}

/* A new internal id, its accessor and its key. ID is a secret. */
static int new_id(struct tokens *tokens, struct token *token, char ret_id[static TOKEN_ID_LEN + 1])
{
	int r;

	memcpy(ret_id, "hvs.", 4);
	random_base62(ret_id + 4, TOKEN_ID_LEN - 4);
	r = token_id_accessor(tokens, ret_id, TOKEN_ID_LEN, token->accessor);
	return r < 0 ? r : token_accessor_salted(tokens, token->accessor, token->salted);
}

/* Everything of TOKEN but its id and its times. 0, 1 after a refusal, -ENOMEM. */
static int fill_login(struct call *call, struct token *token)
{
	const struct login_auth *auth = call->auth;
	int r = policy_names_clean(auth->policies, !auth->no_default_policy, &token->policies);

	if (r == 0)
		r = check_policies(call, token->policies);
	if (r)
		return r;
	snprintf(token->mount, sizeof(token->mount), "%s", call->mount->uuid);
	token->path = strdup(call->request->path);
	token->display_name = display_name(call->mount, auth->display_name);
	token->type = strdup(wants_batch(call->mount, auth) ? "batch" : "service");
	token->entity_id = strdup(call->entity ? json_string_value(json_object_get(call->entity, "id")) : "");
	token->meta = token_meta(call);
	token->internal = json_incref(auth->internal);
	if (json_array_size(auth->bound_cidrs))
		token->bound_cidrs = json_incref(auth->bound_cidrs);
	token->minted_uses = auth->num_uses;
	token->orphan = true;
	if (!token->path || !token->display_name || !token->type || !token->entity_id ||
	    (!token->meta && (auth->metadata || call->request->pam)))
		return -ENOMEM;
	token->renewable = !token_is_batch(token);
	if (token_is_batch(token))
		return 0;
	token->num_uses = auth->num_uses;
	token->explicit_max_ttl = auth->explicit_max_ttl;
	token->period = auth->period;
	return 0;
}

static int set_times(struct call *call, struct token *token)
{
	const struct login_auth *auth = call->auth;
	int64_t now = nanotime_now();
	struct token_life life = {
		.ttl = auth->ttl,
		.max_ttl = auth->max_ttl,
		.explicit_max_ttl = auth->explicit_max_ttl,
		.period = auth->period,
		.mount_ttl = call->mount->default_lease_ttl ? call->mount->default_lease_ttl : SYSTEM_LEASE_TTL,
		.mount_max = call->mount->max_lease_ttl ? call->mount->max_lease_ttl : SYSTEM_LEASE_TTL,
		.issued = now,
	};
	int r = token_ttl(&life, now, call->response, &token->ttl);

	if (r < 0)
		return r;
	token->creation_time = now;
	token->expire_time = nanotime_after(token_shown_issue(token), token->ttl);
	return 0;
}

/* The key and accessor of the id CUSTOM. */
static int take_id(struct call *call, struct token *token, const char *custom)
{
	struct tokens *tokens = core_tokens(call->core);
	struct token *other AUTO_TOKEN = NULL;
	int r = token_presented_salted(tokens, custom, strlen(custom), token->salted);

	if (r == 0)
		r = token_id_accessor(tokens, custom, strlen(custom), token->accessor);
	if (r == 0)
		r = token_load(call, token->salted, &other);
	return r == -ENOENT ? 0 : r == 0 ? -EEXIST : r;
}

int token_mint(struct call *call, struct token *token, const char *custom, char ret_id[static TOKEN_HANDED_SIZE])
{
	struct tokens *tokens = core_tokens(call->core);
	char new[TOKEN_ID_LEN + 1];
	int r;

	if (*custom) {
		snprintf(ret_id, TOKEN_HANDED_SIZE, "%s", custom);
		r = take_id(call, token, custom);
	} else {
		r = new_id(tokens, token, new);
		if (r == 0 && token->root)
			memcpy(ret_id, new, sizeof(new)); /* as Vault's root tokens are handed out */
		else if (r == 0)
			r = token_sign(tokens, new, ret_id);
		wipe(new, sizeof(new));
	}
	if (r == 0)
		r = token_store(call, token);
	return r == 0 ? token_expires(call, token) : r;
}

int token_note_names(struct call *call, const struct token *token)
{
	free(call->response->display_name);
	call->response->display_name = strdup(token->display_name);
	return call->response->display_name ? 0 : -ENOMEM;
}

int token_answer(struct call *call, const struct token *token, const char *id)
{
	json_decref(call->response->auth);
	call->response->auth = token_auth_block(token, id, token->ttl);
	call->response->status = 200;
	if (token_note_names(call, token) < 0)
		return -ENOMEM;
	return call->response->auth ? token_auth_entity(call, token, call->response->auth) : -ENOMEM;
}

int token_create_login(struct call *call)
{
	char id[TOKEN_HANDED_SIZE];
	struct token *token AUTO_TOKEN = NULL;
	int r;

	token = calloc(1, sizeof(*token));
	if (!token)
		return -ENOMEM;
	r = fill_login(call, token);
	if (r == 0)
		r = set_times(call, token);
	if (r == 0 && token_is_batch(token))
		return token_mint_batch(call, token);
	if (r == 0)
		r = token_mint(call, token, "", id);
	if (r == 0)
		call_relaxed(call);
	if (r == 0)
		r = token_answer(call, token, id);
	wipe(id, sizeof(id));
	return r;
}

int token_verify_login(struct call *call)
{
	const struct login_auth *auth = call->auth;
	json_t *policies = NULL;
	int r = policy_names_clean(auth->policies, !auth->no_default_policy, &policies);

	if (r == 0)
		r = check_policies(call, policies);
	json_decref(policies);
	if (r)
		return r;
	call->response->auth = json_pack("{s:O}", "metadata", auth->metadata);
	call->response->data = json_pack("{s:I}", "expires", (json_int_t)auth->credential_expires);
	call->response->status = 200;
	return call->response->auth && call->response->data ? 0 : -ENOMEM;
}

int token_create_root(struct call *call, const struct secret *id, struct secret **ret)
{
	struct tokens *tokens = core_tokens(call->core);
	struct token *token AUTO_TOKEN = calloc(1, sizeof(*token));
	struct secret *handed AUTO_SECRET = id ? secret_copy(secret_reveal(id), secret_len(id))
					       : secret_new(TOKEN_ID_LEN);
	int r;

	if (!token || !handed)
		return -ENOMEM;
	if (id) {
		r = token_presented_salted(tokens, secret_reveal(handed), secret_len(handed), token->salted);
		if (r == 0)
			r = token_id_accessor(tokens, secret_reveal(handed), secret_len(handed), token->accessor);
	} else {
		r = new_id(tokens, token, secret_reveal(handed));
	}
	if (r < 0)
		return r;
	/* As Vault shows a given root token and the one of init. */
	token->path = strdup(id ? "auth/token/create" : TOKEN_FIRST_ROOT_PATH);
	token->display_name = strdup(id ? "token" : "root");
	token->type = strdup("service");
	token->policies = json_pack("[s]", "root");
	token->creation_time = nanotime_now();
	token->orphan = true;
	if (!token->path || !token->display_name || !token->type || !token->policies)
		return -ENOMEM;
	r = token_store(call, token);
	if (r == 0)
		*ret = TAKE_PTR(handed);
	return r;
}
