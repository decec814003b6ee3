/* SPDX-License-Identifier: Apache-2.0 */
/* sys/seal-status, sys/seal-backend-status, sys/unseal, sys/seal (vault-core.md 7.2, vault-1.21.4.md). */
#include "vault/embedded/seal/seal.h"

#include <errno.h>
#include <stdio.h>

#include "vault/embedded/audit/audit.h"
#include "vault/embedded/sys/sys.h"

int sys_seal_status(struct call *call)
{
	const struct core *core = call->core;
	const struct seal *seal = core->seal;
	bool sealed = core_sealed(core), by_shares = seal->kind->by_shares;
	json_t *body = json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:s, s:s, s:s, s:b}", "type", seal->kind->type,
	    "initialized", core->initialised, "sealed", sealed, "t", (json_int_t)seal->shape.threshold, "n",
	    (json_int_t)seal->shape.shares, "progress", (json_int_t)seal->unseal.n, "nonce", seal->unseal.nonce,
	    "version", SYS_VAULT_VERSION, "build_date", "", "migration", seal->from != NULL);

	if (body && !sealed) {
		json_object_set_new(body, "cluster_name", json_string(core->cluster_name));
		json_object_set_new(body, "cluster_id", json_string(core->cluster_id));
	}
	if (body) {
		json_object_set_new(body, "recovery_seal", json_boolean(!by_shares));
		json_object_set_new(body, "storage_type", json_string(core->storage_type));
	}
	if (body && !by_shares && seal->shape.shares)
		json_object_set_new(body, "recovery_seal_type", json_string("shamir"));
	return sys_answer(call, 200, body);
}

/*
 * There is one seal: its keys can be had, unless opening the store by them has failed and is tried again. That all is
 * wrapped by it Vault says of key shares alone.
 */
int sys_seal_backend_status(struct call *call)
{
	const struct seal *seal = call->core->seal;
	bool healthy = seal->opening.tries == 0;

	return sys_answer(call, 200,
	    json_pack("{s:b, s:[{s:s, s:b}], s:b}", "healthy", healthy, "backends", "name", seal->kind->type, "healthy",
		healthy, "fully_wrapped", seal->kind->by_shares));
}

/* As with sys/init: who may bring keys. */
static bool may_unseal(const struct call *call)
{
	const struct core *core = call->core;

	return sys_is_root(call) ||
	       (call->request->peer.kind == VAULT_PEER_TCP && (core->init_over_tcp || core->dev));
}

/* 0, or 1 after the answer. */
static int check_state(struct call *call, bool reset)
{
	const struct core *core = call->core;
	const struct seal *seal = core->seal;

	if (!core->initialised && !reset)
		call_error(call, 400, "Vault is not initialized");
	else if (!core_sealed(core) && reset)
		call_error(call, 400, "vault is unsealed");
	else if (core->initialised && !seal->from && !streq(seal->stored_type, seal->kind->type))
		call_error(call, 400, "the store was initialised with seal \"%s\", and the configuration has seal \"%s\"",
		    seal->stored_type, seal->kind->type);
	else
		return 0;
	return 1;
}

/* Vault's switch: what moves the store to another seal must be meant so. 0, or 1 after the answer. */
static int check_migration(struct call *call, bool migrate, bool reset)
{
	const struct core *core = call->core;
	const struct seal *seal = core->seal;
	bool other = core->initialised && !streq(seal->stored_type, seal->kind->type);

	if (!reset && migrate && !other)
		call_error(call, 500, "can't perform a seal migration, no migration seal found");
	else if (!reset && !migrate && seal->from)
		call_error(call, 500, "migrate option not provided and seal migration is pending");
	else
		return 0;
	return 1;
}

/* Shares that open nothing are news for the administrator: no audit device is there to tell of them. */
static int refuse_key(struct call *call, const char *why)
{
	return call_refuse(call, VAULT_FAILED_REFUSED, "unseal", 400, why, "%s", why);
}

/* The key that the shares come to. 0, 1 after a refusal, -ENOMEM. */
static int combine(struct call *call, struct secret **ret)
{
	struct seal *seal = call->core->seal;
	char text[128];
	size_t len;
	const char *why;
	int r = quorum_combine(&seal->unseal, ret, &why);

	quorum_end(&seal->unseal);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		snprintf(text, sizeof(text), "invalid key: failed to compute combined key: %s", why);
		refuse_key(call, text);
		return 1;
	}
	len = secret_len(*ret);
	if (!seal_opener(seal)->by_shares || len == 32 || len == 24 || len == 16)
		return 0;
	snprintf(text, sizeof(text), "invalid key: failed to setup unseal key: crypto/aes: invalid key size %zu", len);
	refuse_key(call, text);
	return 1;
}

/* A share of people: 0 (the store is being opened: return -EAGAIN), 1 with an answer, -errno. */
static int take_share(struct call *call, const struct secret *share)
{
	struct seal *seal = call->core->seal;
	struct secret *key AUTO_SECRET = NULL;
	int r;

	if (!*seal->unseal.nonce)
		random_uuid(seal->unseal.nonce);
	r = quorum_add(&seal->unseal, share);
	if (r < 0)
		return r;
	if ((long long)seal->unseal.n < seal->shape.threshold) {
		r = sys_seal_status(call);
		return r < 0 ? r : 1;
	}
	r = combine(call, &key);
	return r ? r : seal_open_with(call, key);
}

static int opened(struct call *call)
{
	const struct seal_waiting *waiting = call->state;

	if (waiting->r == -EINPROGRESS)
		return -EAGAIN;
	if (waiting->r == -ENOMEM)
		return -ENOMEM;
	return waiting->r < 0 ? refuse_key(call, waiting->why) : sys_seal_status(call);
}

int sys_unseal(struct call *call)
{
	struct core *core = call->core;
	struct secret *share AUTO_SECRET = NULL;
	bool reset = false, migrate = false;
	int r;

	if (call->state)
		return opened(call);
	/* Its path is one of another mount since then, and what it remembered is gone. */
	if (core->seal->opener == call) {
		core->seal->opener = NULL;
		return sys_seal_status(call);
	}
	if (!may_unseal(call))
		return call_error(call, 403,
		    "unsealing is for root of this machine: ask the api socket as root, not over the network");
	if (sys_raw_body(call) || sys_raw_bool(call, "reset", "UnsealRequest.Reset", &reset) ||
	    sys_raw_bool(call, "migrate", "UnsealRequest.Migrate", &migrate))
		return 0;
	r = reset ? 0
		  : sys_raw_key(call, "UnsealRequest.Key",
			"'key' must be specified in request body as JSON, or 'reset' set to true", &share);
	if (r)
		return r < 0 ? r : 0;
	if (check_migration(call, migrate, reset) || check_state(call, reset))
		return 0;
	if (reset)
		quorum_end(&core->seal->unseal);
	else if (sys_check_share(call, share, "invalid key: "))
		return 0;
	if (reset || !core_sealed(core) || core->opening || core->sealing)
		return sys_seal_status(call);
	r = take_share(call, share);
	return r == 0 ? -EAGAIN : r < 0 ? r : 0;
}

static void close_now(struct core *core, int r, void *arg)
{
	if (r == 0)
		core_seal(core, arg);
}

int sys_seal(struct call *call)
{
	int r;

	if (core_sealed(call->core)) {
		/* What is being opened is left open: it would only look as if it had been closed. */
		if (!call->core->opening && !call->core->sealing)
			return call_done(call);
		return call_error(call, 503, "Vault is sealed");
	}
	call->private->audited.reached = true;
	r = router_authorise(call);
	call->private->audited.denied = r > 0;
	if (r == 0)
		r = audit_gate(call);
	if (r)
		return r < 0 ? r : 0;
	call_on_commit(call, close_now, call);
	return call_done(call);
}

/* One server alone is active as long as it runs. */
int sys_step_down(struct call *call)
{
	return call_done(call);
}
