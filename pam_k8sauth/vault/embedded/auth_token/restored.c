/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of a store that was restored from a backup: their records are older than what happened to them. A token that
 * lived when the backup was made may have been renewed until the restore, so its end is the one that such a renewal
 * would have given it; and one with a limited number of uses may have been used, so it has ended. Nothing is written:
 * what a record says of its own last renewal tells whether it is one of these.
 */
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/auth_token/ttl.h"

static void forget_response(struct vault_response **response)
{
	vault_response_free(*response);
}

/* When a renewal at the restore would have let TOKEN end; 0 where it would have been refused. */
static int64_t renewed_end(struct core *core, const struct token *token, int64_t at)
{
	const struct mount *mount = core_mount_of(core, token->path);
	struct vault_response *nobody CLEANUP(forget_response) = vault_response_new();
	struct token_life life = {
		.ttl = token->granted_ttl ? token->granted_ttl : token->ttl,
		.max_ttl = token->max_ttl,
		.period = token->period,
		.explicit_max_ttl = token->explicit_max_ttl,
		.issued = token->creation_time,
	};
	int64_t ttl;

	if (!mount || !nobody || !token->renewable)
		return 0;
	life.mount_ttl = mount->default_lease_ttl ? mount->default_lease_ttl : SYSTEM_LEASE_TTL;
	life.mount_max = mount->max_lease_ttl ? mount->max_lease_ttl : SYSTEM_LEASE_TTL;
	return token_ttl(&life, at, nobody, &ttl) < 0 ? 0 : nanotime_after(at, ttl);
}

void token_restored(struct core *core, struct token *token)
{
	const struct core_restored *restored = core_restored(core);
	int64_t end;

	if (!restored->at || token->creation_time >= restored->at || token->last_renewal >= restored->at)
		return;
	if (token->num_uses) {
		token->expire_time = restored->at;
		return;
	}
	if (!token->expire_time || token->expire_time <= restored->made)
		return;
	end = renewed_end(core, token, restored->at);
	if (end > token->expire_time)
		token->expire_time = end;
}
