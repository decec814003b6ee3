/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Vault HTTP API on top of the request interface, and our own API below /v1/k8sauth/ (vault-core.md 9;
 * vault-1.21.4.md, "HTTP").
 */
#pragma once

#include "accounts/accounts.h"
#include "daemon/http_server.h"
#include "session/session.h"
#include "vault/embedded/core.h"
#include "vault/request.h"

/* What our own API asks of the sessions, as session/session.h says; ARG is the api's SESSIONS. */
struct api_sessions {
	int (*explain)(void *arg, uid_t uid, const char *ref, json_t **ret);
	int (*list)(void *arg, uid_t uid, json_t **ret);
	int (*show)(void *arg, uid_t uid, const char *id, json_t **ret);
	int (*name)(void *arg, const char *identity, json_t **ret, char *why, size_t why_size);
	void (*get)(void *arg, uid_t uid, const char *name, const char *id, sessions_got_fn *done, void *done_arg);
	int (*login)(void *arg, uid_t uid, const char *id, struct secret *credential, session_login_fn *done,
	    void *done_arg, char *why, size_t why_size);
	int (*explain_login)(void *arg, const struct session_dry_login *what, struct secret *credential,
	    session_dry_fn *done, void *done_arg, char *why, size_t why_size);
	int (*kill)(void *arg, uid_t uid, const char *id, sessions_ended_fn *done, void *done_arg);
	void (*forget_verified)(void *arg);
	int (*revoke)(void *arg, const char *identity, sessions_ended_fn *done, void *done_arg);
};

struct api {
	struct vault *vault;
	const struct api_sessions *ask; /* NULL: there are no logins here (-dev, mode server) */
	void *sessions;
	struct accounts *accounts; /* NULL likewise */
	/* core_backup(), with CORE; NULL: there is no store here. */
	int (*backup)(struct core *core, store_copied_fn *done, void *arg);
	struct core *core;
};

/* An http_handle_fn; ARG is the struct api, which outlives the server and every reply. */
void api_handle(
    void *arg, struct http_exchange *exchange, const struct http_request *request, const struct vault_peer *peer);

/* own_api.c: paths below k8sauth/, only on the api socket: all for root, one's own for others. Answers EXCHANGE, now or
   later; REQUEST stays the caller's. */
void own_api(const struct api *api, struct http_exchange *exchange, const struct vault_request *request,
    const struct vault_peer *peer);
