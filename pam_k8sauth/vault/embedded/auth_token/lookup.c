/* SPDX-License-Identifier: Apache-2.0 */
/* From what a client presents to its entry; counting its uses. */
#include <errno.h>

#include "vault/embedded/auth_token/cidr.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/lease/lease.h"

struct tokens *tokens_new(struct core *core)
{
	struct tokens *tokens = calloc(1, sizeof(*tokens));

	if (tokens)
		tokens->core = core;
	return tokens;
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	tokens_expiry_stop(tokens);
	tokens_trees_stop(tokens);
	token_keys_free(tokens);
	free(tokens);
}

void tokens_forget(struct tokens *tokens)
{
	struct core *core = tokens->core;

	tokens_trees_answer(tokens);
	tokens_expiry_stop(tokens);
	tokens_trees_stop(tokens);
	token_keys_free(tokens);
	*tokens = (struct tokens){ .core = core };
}

int tokens_start(struct call *call)
{
	struct tokens *tokens = core_tokens(call->core);
	int r = token_keys_start(call, tokens);

	if (r == 0)
		r = tokens_expiry_start(tokens);
	return r < 0 ? r : leases_start(core_leases(call->core));
}

/* The daemon itself (renewing and closing a session) is not where the token is used. */
static bool address_allowed(const struct call *call, const struct token *token)
{
	const struct vault_peer *peer = &call->request->peer;

	if (!token->bound_cidrs || token->expire_time == 0 || peer->kind == VAULT_PEER_INTERNAL)
		return true;
	return cidrs_match(token->bound_cidrs, peer->address);
}

/* The valid token of what a client presents. 0, -ENOENT, -EAGAIN, -errno. */
static int find(struct call *call, const char *presented, size_t len, struct token **ret)
{
	char salted[TOKEN_SALTED_SIZE];
	int r;

	if (token_looks_batch(presented))
		return token_open_batch(call, presented, len, ret);
	r = token_presented_salted(core_tokens(call->core), presented, len, salted);
	return r < 0 ? r : token_load_valid(call, salted, ret);
}

int token_lookup(struct call *call, const struct secret *presented, struct token **ret)
{
	struct token *token;
	int r = find(call, secret_reveal(presented), secret_len(presented), &token);

	if (r < 0)
		return r;
	if (!address_allowed(call, token)) {
		token_free(token);
		return -EACCES;
	}
	*ret = token;
	return 0;
}

int token_find(struct call *call, const char *presented, struct token **ret)
{
	return find(call, presented, strlen(presented), ret);
}

int token_find_accessor(struct call *call, const char *accessor, struct token **ret)
{
	char salted[TOKEN_SALTED_SIZE];
	int r;

	if (strlen(accessor) != TOKEN_ACCESSOR_LEN)
		return -ENOENT;
	r = token_accessor_salted(core_tokens(call->core), accessor, salted);
	return r < 0 ? r : token_load_valid(call, salted, ret);
}

int token_use(struct call *call, struct token *token)
{
	if (token->num_uses == 0)
		return 0;
	if (token->num_uses == 1) {
		token->num_uses = -1;
		return token_revoke(call, token);
	}
	token->num_uses--;
	return token_store(call, token);
}
