/* SPDX-License-Identifier: Apache-2.0 */
/* From an HTTP request to the request interface: operation, fields, token, headers (vault-core.md 1.10 and 9). */
#pragma once

#include "daemon/http_json_check.h"
#include "daemon/http_parse.h"
#include "vault/request.h"

/* Where a request goes wrong before it reaches the backend: the status, and Vault's text for it ("" for none). */
struct api_error {
	int status;
	char text[HTTP_JSON_ERROR_SIZE];
};

/* Sets ERROR. Always -EBADMSG. */
int api_refuse(struct api_error *error, int status, const char *text);

/* Whether the request is for help, by its method or by a parameter that is not empty. QUERY may be NULL. */
bool api_asks_help(const char *method, const json_t *query);
/*
 * What METHOD and QUERY ("list", "help") mean; what was understood leaves QUERY. 0, or -EBADMSG with ERROR: a method
 * that Vault does not know, a `list` that is no bool.
 */
int api_operation(const char *method, json_t *query, enum vault_op *ret, struct api_error *error);

/*
 * The request of HTTP for PATH (decoded, without "/v1/"). What else is wrong with it is its `fault`: quotas count it, and
 * paths of the server itself do not care, unless its body is broken. NULL without memory.
 */
struct vault_request *api_request_new(
    const struct http_request *http, enum vault_op op, const char *path, json_t *query) NODISCARD;

/* Adds to REQUEST what the audit trail tells of HTTP: the headers WANTED (vault->audited_headers). 0 or -ENOMEM. */
int api_note_for_audit(
    struct vault_request *request, const struct http_request *http, const json_t *wanted) NODISCARD;
