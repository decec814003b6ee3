/* SPDX-License-Identifier: Apache-2.0 */
/* Renewal: the role's present lives, the token's own limits (kubernetes-auth.md 3.9, vault-core.md 3.3). */
#include <errno.h>

#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/auth_token/ttl.h"

/* Lets the login engine set ttl, max_ttl and period of *LIFE from the role as it is now. 0, 1 after a refusal, or an
 * errno. */
static int ask_engine(struct call *call, const struct token *token, const struct mount *mount, struct token_life *life)
{
	/* The engine writes into a copy: the token's own creation TTL and period stay what lookup shows. */
	struct token current = *token;
	int r;

	if (!mount->engine->renew)
		return 0;
	current.ttl = life->ttl;
	current.max_ttl = 0;
	r = mount->engine->renew(call, &current);
	if (r < 0)
		return r;
	if (call->response->status >= 400)
		return 1;
	life->ttl = current.ttl;
	life->max_ttl = current.max_ttl;
	life->period = current.period;
	life->explicit_max_ttl = current.explicit_max_ttl;
	return 0;
}

int token_renew(struct call *call, struct token *token, const char *presented)
{
	const struct mount *mount = core_mount_of(call->core, token->path);
	int64_t now = nanotime_now(), increment = 0, ttl;
	struct token_life life = {
		.ttl = token->granted_ttl ? token->granted_ttl : token->ttl,
		.period = token->period,
		.explicit_max_ttl = token->explicit_max_ttl,
		.issued = token->creation_time,
	};
	int r = call_field_seconds(call, "increment", &increment, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (token_is_batch(token))
		return call_error(call, 400, "batch tokens cannot be renewed");
	if (token_is_first_root(token))
		return call_error(call, 400, "invalid lease ID");
	if (!token->renewable || !mount)
		return call_error(call, 400, "lease is not renewable");
	life.increment = increment;
	life.mount_ttl = mount->default_lease_ttl ? mount->default_lease_ttl : SYSTEM_LEASE_TTL;
	life.mount_max = mount->max_lease_ttl ? mount->max_lease_ttl : SYSTEM_LEASE_TTL;
	r = ask_engine(call, token, mount, &life);
	if (r)
		return r < 0 ? r : 0;
	r = token_ttl(&life, now, call->response, &ttl);
	if (r == -ERANGE)
		return call_wrapped_error(call, 500, "past the max TTL, cannot renew");
	if (r < 0)
		return r;
	token->last_renewal = now;
	token->granted_ttl = ttl;
	token->expire_time = nanotime_after(now, ttl);
	r = token_store(call, token);
	if (r == 0)
		r = token_expires(call, token);
	if (r < 0)
		return r;
	json_decref(call->response->auth);
	call->response->auth = token_auth_block(token, presented, ttl);
	call->response->status = 200;
	call->response->issued = token->creation_time;
	if (token_note_names(call, token) < 0)
		return -ENOMEM;
	return call->response->auth ? token_auth_entity(call, token, call->response->auth) : -ENOMEM;
}
