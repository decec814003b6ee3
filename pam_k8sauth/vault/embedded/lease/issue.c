/* SPDX-License-Identifier: Apache-2.0 */
/* Leases begin with a secret, and are renewed (vault-core.md 3.3). */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/auth_token/ttl.h"
#include "vault/embedded/lease/lease_internal.h"

#define ID_RANDOM 24

static void set_life(struct token_life *life, const struct mount *mount)
{
	life->mount_ttl = mount->default_lease_ttl ? mount->default_lease_ttl : SYSTEM_LEASE_TTL;
	life->mount_max = mount->max_lease_ttl ? mount->max_lease_ttl : SYSTEM_LEASE_TTL;
}

static struct lease *lease_new(const struct call *call, const json_t *internal)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	char random[ID_RANDOM + 1];

	if (!lease)
		return NULL;
	random_base62(random, ID_RANDOM);
	random[ID_RANDOM] = '\0';
	if (asprintf(&lease->id, "%s/%s", call->request->path, random) < 0)
		lease->id = NULL;
	lease->internal = internal ? json_deep_copy(internal) : NULL;
	if (!lease->id || (internal && !lease->internal)) {
		lease_free(lease);
		return NULL;
	}
	lease_hex(lease->id, lease->hex);
	memcpy(lease->mount, call->mount->uuid, sizeof(lease->mount));
	return lease;
}

/* The token's record says that there are leases: who revokes it looks for them. */
static int bind_to_token(struct call *call, struct lease *lease)
{
	struct token *token = call->token;

	if (!token)
		return 0;
	if (token_is_batch(token)) { /* it leaves no record, and cannot be revoked: its leases end with it */
		if (token->expire_time < lease->expire_time)
			lease->expire_time = token->expire_time;
		return 0;
	}
	snprintf(lease->token, sizeof(lease->token), "%s", token->salted + 1);
	if (token->has_leases)
		return 0;
	token->has_leases = true;
	return token_store(call, token);
}

/* --- between the record and the secret */

struct lease_making {
	LIST_ENTRY(lease_making) link;
	char hex[LEASE_HEX_LEN + 1];
	struct call *maker;
	struct call *revoker; /* held until it is made; NULL */
};

static void on_made(struct core *core, void *arg)
{
	struct lease_making *making = arg;

	(void)core;
	LIST_REMOVE(making, link);
	if (making->revoker)
		call_resume(making->revoker);
	free(making);
}

static void on_written(struct core *core, int r, void *arg)
{
	struct lease_making *making = arg;

	if (r < 0) {
		free(making);
		return;
	}
	LIST_INSERT_HEAD(&core_leases(core)->making, making, link);
	call_at_end(making->maker, on_made, making);
}

/* From the commit on, before any hook of the engine, which makes the secret. */
static int note_making(struct call *call, const struct lease *lease)
{
	struct lease_making *making = calloc(1, sizeof(*making));

	if (!making)
		return -ENOMEM;
	memcpy(making->hex, lease->hex, sizeof(making->hex));
	making->maker = call;
	call_on_commit(call, on_written, making);
	return 0;
}

int lease_wait_made(struct call *call, const char *hex)
{
	struct lease_making *making;

	LIST_FOREACH(making, &core_leases(call->core)->making, link)
	if (streq(making->hex, hex))
		break;
	if (!making)
		return 0;
	if (making->revoker != call) {
		if (making->revoker) /* it was given up, as at a seal: at most one revokes a lease */
			call_resume(making->revoker);
		making->revoker = call;
		call_hold(call);
	}
	return -EAGAIN;
}

/* --- a lease begins */

static int answer(struct call *call, const struct lease *lease)
{
	struct vault_response *response = call->response;

	free(response->lease_id);
	response->lease_id = strdup(lease->id);
	response->renewable = lease->renewable;
	response->lease_duration = lease->ttl;
	return response->lease_id ? 0 : -ENOMEM;
}

int lease_issue(struct call *call, const json_t *internal, int64_t ttl, int64_t max_ttl, bool renewable)
{
	struct lease *lease AUTO_LEASE = NULL;
	struct token_life life = { .ttl = ttl, .max_ttl = max_ttl, .issued = nanotime_now() };
	int r;

	if (call->token && call->token->num_uses == -1) {
		call_error(call, 400,
		    "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.");
		return 1;
	}
	lease = lease_new(call, internal);
	if (!lease)
		return -ENOMEM;
	set_life(&life, call->mount);
	r = token_ttl(&life, life.issued, call->response, &lease->ttl);
	if (r < 0)
		return r;
	lease->issue_time = life.issued;
	lease->expire_time = nanotime_after(life.issued, lease->ttl);
	lease->max_ttl = max_ttl;
	lease->renewable = renewable;
	r = bind_to_token(call, lease);
	lease->ttl = (lease->expire_time - lease->issue_time) / NANOTIME_SECOND;
	if (r == 0)
		r = lease_store_new(call, lease);
	if (r == 0)
		r = lease_expires(call, lease);
	if (r == 0)
		r = note_making(call, lease);
	return r < 0 ? r : answer(call, lease);
}

/* --- renewal */

/* The engine sets ttl and max_ttl as its role is now. 0, 1 after a refusal, -EAGAIN, -errno. */
static int ask_engine(struct call *call, struct mount *mount, struct lease *lease)
{
	struct mount *sys = call->mount;
	int r;

	call->mount = mount; /* whose storage it reads */
	r = mount->engine->lease_renew(call, lease);
	call->mount = sys;
	return r == 0 && call->response->status >= 400 ? 1 : r;
}

/* In Vault's words, which are Go's for the reply of its own router. */
static int refuse_tainted(struct call *call, const struct lease *lease)
{
	const char *end = strrchr(lease->id, '/');

	return call_error(call, 400,
	    "failed to renew entry: resp: &logical.Response{Secret:<nil>, Auth:<nil>, Data:map[string]interface {}{\"error\":"
	    "\"no handler for route \\\"%.*s\\\". route entry is tainted.\"}, Redirect:\"\", Warnings:[]string(nil), "
	    "WrapInfo:(*wrapping.ResponseWrapInfo)(nil), Headers:map[string][]string(nil), MountType:\"\"} err: unsupported path",
	    (int)(end - lease->id), lease->id);
}

int lease_renew(struct call *call, struct lease *lease, int64_t increment)
{
	struct mount *mount = lease_mount(call->core, lease);
	int64_t now = nanotime_now(), granted = lease->ttl;
	struct token_life life = { .increment = increment, .issued = lease->issue_time };
	int r;

	if (lease->revoke_error)
		return call_error(call, 400, "lease is expired and has failed previous revocation attempts");
	if (lease_has_ended(lease))
		return call_error(call, 400, "lease expired");
	if (mount && mount->tainted)
		return refuse_tainted(call, lease);
	if (!lease->renewable || !mount || !mount->engine->lease_renew)
		return call_error(call, 400, "lease is not renewable");
	r = ask_engine(call, mount, lease);
	if (r)
		return r < 0 ? r : 0;
	set_life(&life, mount);
	life.ttl = lease->ttl ? lease->ttl : granted;
	life.max_ttl = lease->max_ttl;
	r = token_ttl(&life, now, call->response, &lease->ttl);
	if (r == -ERANGE)
		return call_wrapped_error(call, 500, "past the max TTL, cannot renew");
	if (r < 0)
		return r;
	lease->last_renewal = now;
	lease->expire_time = nanotime_after(now, lease->ttl);
	r = lease_store(call, lease);
	if (r == 0)
		r = lease_expires(call, lease);
	if (r == 0)
		r = answer(call, lease);
	call->response->status = 200;
	return r;
}

int lease_end(struct call *call, struct lease *lease)
{
	int r;

	lease->expire_time = nanotime_now();
	r = lease_store(call, lease);
	return r < 0 ? r : lease_expires(call, lease);
}
