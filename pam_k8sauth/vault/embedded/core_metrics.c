/* SPDX-License-Identifier: Apache-2.0 */
/* What the metrics tell of requests, and of the core as it is. */
#include "vault/embedded/core_internal.h"

#include "base/metrics.h"
#include "vault/embedded/lease/lease.h"
#include "vault/embedded/token.h"

/* Whether CALL is one that gives tokens to whoever shows a credential. */
static bool is_login(const struct call *call)
{
	return call->request->op == VAULT_UPDATE && call->mount && call->mount->engine->auth && call->path &&
	       call->path->resolve;
}

static void count_login(const struct call *call)
{
	const struct vault_response *response = call->response;
	bool success = response->status < 400, outage = vault_response_is_outage(response);
	const char *step = response->step ? response->step : "request";

	metric_count(METRIC_LOGINS, METRIC_LABELS(call->request->pam ? "pam" : "api",
					success	 ? "success"
					: outage ? "unavailable"
						 : "refused",
					success ? "" : step));
}

void core_count(const struct call_private *call)
{
	const struct vault_request *request = call->call.request;
	double seconds = metric_seconds() - call->began;
	bool login;

	if (!call->done || (request->internal && !request->pam) || request->op == VAULT_RESOLVE ||
	    request->op == VAULT_VERIFY || request->op == VAULT_TELL)
		return;
	login = is_login(&call->call);
	if (login)
		count_login(&call->call);
	metric_observe(METRIC_REQUESTS, METRIC_LABELS(login ? "login" : "request"), seconds);
	metric_observe(login ? METRIC_VAULT_LOGINS : METRIC_VAULT_REQUESTS, NULL, seconds * 1000);
}

void core_set_metrics(void *arg)
{
	const struct core *core = arg;
	int64_t tokens = (int64_t)tokens_count(core->tokens), leases = (int64_t)leases_count_known(core->leases);

	metric_set(METRIC_VAULT_ACTIVE, NULL, !core_sealed(core));
	metric_set(METRIC_VAULT_UNSEALED, NULL, !core_sealed(core));
	metric_set_number(METRIC_VAULT_IN_FLIGHT, NULL, (int64_t)core->n_calls);
	metric_set_number(METRIC_TOKENS, NULL, tokens);
	metric_set_number(METRIC_LEASES, NULL, leases);
	metric_set_number(METRIC_VAULT_LEASES, NULL, tokens + leases);
}
