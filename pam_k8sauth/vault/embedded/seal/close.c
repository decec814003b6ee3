/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/seal: the way back to how it was before the first unseal key. What is in progress is refused, what is on its way
 * to the disk gets there, then everything that was read through the barrier is forgotten, and the keys are wiped.
 */
#include <errno.h>

#include "vault/embedded/audit/audit.h"
#include "vault/embedded/identity.h"
#include "vault/embedded/lease/lease.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/seal/seal.h"
#include "vault/embedded/token.h"

void core_forget(struct core *core)
{
	audit_unload(core->audit);
	quotas_unload(core->quotas);
	tokens_forget(core->tokens);
	leases_forget(core->leases);
	policies_forget(core->policies);
	identity_forget(core->identity);
	rekey_end(&core->seal->rekey);
	rekey_end(&core->seal->recovery_rekey);
	quorum_forget(&core->seal->generation.quorum); /* begun it stays, as in Vault */
	mounts_free(core);
	folders_free(core);
	barrier_free(core->barrier);
	core->barrier = NULL;
	core->opening = false;
	core->rotation_looking = false;
	core->vault.logins_changed++;
}

/* A request that was not looked at yet is left to the router, which knows the paths that answer in every state. */
static struct call_private *next_to_refuse(struct core *core)
{
	struct call_private *call;

	TAILQ_FOREACH(call, &core->calls, link)
	{
		if (call->phase == CALL_WAITING && (call->ran || !call->queued))
			return call;
	}
	return NULL;
}

static void refuse_waiting(struct core *core)
{
	struct call_private *call;

	while ((call = next_to_refuse(core))) {
		call_drop_rehearsal(call);
		call_refuse(
		    &call->call, VAULT_FAILED_OUTAGE, "seal", 503, "Vault is sealed", "the store is being sealed");
		call_finish(call, -ECANCELED);
	}
}

void core_seal(struct core *core, struct call *call)
{
	call_hold(call);
	core->sealing = call;
	refuse_waiting(core);
	core_seal_go_on(core);
}

void core_seal_go_on(struct core *core)
{
	if (core->sealing)
		event_active(core->seal_step, EV_TIMEOUT, 0);
}

/* What is durable, and whose reply only waits for what comes after it. */
static struct call_private *next_settling(struct core *core)
{
	struct call_private *call;

	TAILQ_FOREACH(call, &core->calls, link)
	{
		if (call->phase == CALL_SETTLING && &call->call != core->sealing)
			return call;
	}
	return NULL;
}

static void on_step(evutil_socket_t fd, short events, void *arg)
{
	struct core *core = arg;
	struct call_private *other;
	struct call *call;

	if (!core->sealing || core->commits > 0)
		return;
	while ((other = next_settling(core)))
		call_finish(other, other->result);
	core_forget(core);
	call = TAKE_PTR(core->sealing);
	log_notice("sealed: requests and logins are refused until it is unsealed");
	core_tell_seal(core);
	call_resume(call);
}

int core_seal_init(struct core *core)
{
	core->seal_step = event_new(core->base, -1, 0, on_step, core);
	return core->seal_step ? 0 : -ENOMEM;
}
