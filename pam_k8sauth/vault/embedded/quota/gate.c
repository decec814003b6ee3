/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request meets its quota. */
#include <errno.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/metrics.h"
#include "base/text.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/quota/quota_internal.h"

#define CLIENT_SIZE 80

static bool is_from_outside(const struct call_private *call)
{
	const struct vault_request *request = call->call.request;

	return call->done && !request->internal && request->peer.kind != VAULT_PEER_INTERNAL;
}

/* By address; on the api socket, where there is none, by user. */
static void client_of(const struct call *call, char ret[static CLIENT_SIZE])
{
	const struct vault_peer *peer = &call->request->peer;

	if (peer->kind == VAULT_PEER_UNIX)
		snprintf(ret, CLIENT_SIZE, "uid %u", peer->uid);
	else
		snprintf(ret, CLIENT_SIZE, "%s", peer->address);
}

/* The role that a login asks for, where that matters; NULL: none. 0, -EAGAIN, -errno. */
static int role_of(struct call *call, const char **ret)
{
	bool login = call->path && call->mount->engine->login_role && call->request->op == VAULT_UPDATE &&
		     call->path->flags & ENGINE_UNAUTHENTICATED;

	*ret = NULL;
	return login && quotas_ask_role(core_quotas(call->core), call->mount)
		   ? call->mount->engine->login_role(call, ret)
		   : 0;
}

static int count(struct call *call, struct call_quota *quota)
{
	const struct quotas *quotas = core_quotas(call->core);
	char client[CLIENT_SIZE];
	struct limiter_verdict verdict;
	const struct rule *rule;
	const char *role;
	int r = role_of(call, &role);

	if (r < 0)
		return r;
	quota->counted = true;
	rule = quotas_find(quotas, call->mount, call->request->path, role);
	if (!rule)
		return 0;
	client_of(call, client);
	verdict = limiter_take(rule->limiter, client, monotonic_ms());
	quota->refused = !verdict.allowed;
	if (quota->refused)
		metric_count(METRIC_LIMITED, METRIC_LABELS(rule->name));
	quota->shown = quotas->headers && !verdict.blocked;
	quota->logged = quotas->logged;
	quota->limit = verdict.limit;
	quota->remaining = verdict.remaining;
	quota->reset = verdict.reset;
	quota->retry_after = quotas->headers ? verdict.retry_after : 0;
	return 0;
}

static int refuse(struct call *call)
{
	struct buf path AUTO_BUF = BUF_MAX(2 * PATH_LEN_MAX);

	call->private->audited.reached = call->private->quota.logged;
	call->private->audited.denied = true;
	go_quote(&path, call->request->path);
	call_refuse(call, VAULT_FAILED_OUTAGE, "quota", 429, "", "a rate limit quota is exceeded");
	call_error(call, 429, "request path %s: rate limit quota exceeded", path.failed ? "\"\"" : path.data);
	return 1;
}

int quotas_gate(struct call *call)
{
	struct call_quota *quota = &call->private->quota;
	int r = 0;

	if (!quota->counted && core_quotas(call->core)->n && is_from_outside(call->private) &&
	    !quotas_exempt(core_quotas(call->core), call->request->path))
		r = count(call, quota);
	if (r < 0)
		return r;
	call->response->quota = (struct vault_quota){ .shown = quota->shown,
		.limit = quota->limit,
		.remaining = quota->remaining,
		.reset = quota->reset,
		.retry_after = quota->retry_after };
	return quota->refused ? refuse(call) : 0;
}
