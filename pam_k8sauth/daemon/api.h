/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Vault HTTP API on top of the request interface, and our own API below /v1/k8sauth/ (vault-core.md 9;
 * vault-1.21.4.md, "HTTP").
 */
#pragma once

#include "accounts/accounts.h"
#include "daemon/http_server.h"
#include "vault/request.h"

/* What `k8sauth explain REF` finds: an object with ref, user, service, rhost, step, reason, remedy, time; NULL. */
typedef json_t *api_explain_fn(void *arg, const char *ref);

struct api {
	struct vault *vault;
	api_explain_fn *explain; /* NULL: there are no logins here (-dev) */
	void *explain_arg;
	struct accounts *accounts; /* NULL likewise */
};

/* An http_handle_fn; ARG is the struct api, which outlives the server and every reply. */
void api_handle(
    void *arg, struct http_exchange *exchange, const struct http_request *request, const struct vault_peer *peer);

/* own_api.c: /v1/k8sauth/PATH, only on the api socket, and so far only for root. Answers EXCHANGE, now or later. */
void own_api(const struct api *api, struct http_exchange *exchange, const char *path, enum vault_op op,
    const struct vault_peer *peer);
