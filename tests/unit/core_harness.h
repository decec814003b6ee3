/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded backend in memory for unit tests: requests are sent and answered in one call. */
#pragma once

#include <event2/event.h>
#include <jansson.h>

#include "vault/embedded/core.h"
#include "vault/embedded/token.h"

#define HARNESS_ROOT "root-of-the-tests"

struct harness {
	struct event_base *base;
	struct core *core;
};

/* Opens an unsealed backend (-dev), or one of OPTIONS. Fails the test where it cannot. */
void harness_open(struct harness *harness, const struct core_options *options);
/* Closes the backend and its loop. */
void harness_close(struct harness *harness);

/*
 * Sends OP on PATH with TOKEN (NULL: none) and DATA (taken over; may be NULL) from 127.0.0.1 over TCP, and runs the
 * loop until it is answered (at most 10 s). The caller frees the response.
 */
struct vault_response *harness_send(
    struct harness *harness, enum vault_op op, const char *path, const char *token, json_t *data) NODISCARD;
/* The same with a request of the test's own (taken over). */
struct vault_response *harness_send_request(struct harness *harness, struct vault_request *request) NODISCARD;

/* Runs HANDLER as the daemon's own call to its end. The result. */
int harness_run(struct harness *harness, engine_handler *handler, void *state);

/* Runs the loop for MS milliseconds. */
void harness_loop(struct harness *harness, int ms);

/*
 * A request and what its answer must be, for tables. EXPECTED_STATUS, and the JSON body that a client gets as compact
 * text with sorted keys and without request_id and what is empty in every envelope (lease_id, renewable,
 * lease_duration, wrap_info, auth: null, warnings: null, data: null, mount_type); "" for no body. Times are shown as
 * "T". The caller frees.
 */
char *harness_text(const struct vault_response *response) NODISCARD;

/* Mints a token as the login of AUTH (taken over) at mount MOUNT ("auth/token/") would. The response. */
struct vault_response *harness_login(
    struct harness *harness, const char *mount, struct login_auth *auth, struct vault_pam_login *pam) NODISCARD;
