/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: sys/wrapping/unwrap, lookup and rewrap. */
#include <errno.h>
#include <stdio.h>

#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/wrapping/wrapping_internal.h"

char *wrapping_key(const char *salted, const char *name)
{
	char *key;

	return asprintf(&key, "cubbyhole/%s/%s", salted, name) < 0 ? NULL : key;
}

void wrapped_free(struct wrapped *wrapped)
{
	if (!wrapped)
		return;
	token_free(wrapped->token);
	json_decref(wrapped->response);
	json_decref(wrapped->info);
	free(wrapped);
}

static int invalid(struct call *call)
{
	call_refuse(call, VAULT_FAILED_REFUSED, "wrapping", 400, "wrapping token is not valid or does not exist",
	    "no wrapping token, or one that was opened before or has expired: if its holder did not open it, somebody "
	    "else did");
	return 1;
}

static int refuse(struct call *call, const char *text)
{
	call_error(call, 403, "error validating wrapping token: %s", text);
	return 1;
}

/* The token that the request means: of its body, else the caller's own. 0, 1 after a refusal, -ENOMEM. */
static int presented(struct call *call, struct secret **ret, bool *ret_in_body)
{
	const json_t *value = json_object_get(call->request->data, "token");
	const struct secret *own = call->request->token;

	*ret_in_body = json_is_string(value);
	if (value && !json_is_string(value) && !json_is_null(value))
		return refuse(call, "could not decode token in request body");
	if (json_is_string(value) && !json_string_length(value))
		return refuse(call, "empty token in request body");
	if (!*ret_in_body && (!own || !secret_len(own)))
		return refuse(call, "token is empty");
	*ret = *ret_in_body ? secret_copy(json_string_value(value), json_string_length(value))
			    : secret_copy(secret_reveal(own), secret_len(own));
	return *ret ? 0 : -ENOMEM;
}

/* Puts the id of a JWT in its place. */
static int open_jwt(struct call *call, struct secret **token)
{
	struct secret *id = NULL;
	int r;

	if (!*token || !secret_len(*token) || !wrapping_jwt_looks_so(*token))
		return 0;
	r = wrapping_jwt_read(call, *token, &id);
	if (r == -EACCES)
		return refuse(call, "wrapping token signature could not be validated: go-jose/go-jose: error in "
				    "cryptographic primitive");
	if (r < 0)
		return r;
	secret_free(*token);
	*token = id;
	return 0;
}

bool wrapping_made(const struct token *token)
{
	return json_array_size(token->policies) == 1 &&
	       streq(json_string_value(json_array_get(token->policies, 0)), WRAPPING_POLICY);
}

static int load(struct call *call, const char *salted, const char *name, json_t **ret)
{
	char *key AUTO_FREE = wrapping_key(salted, name);

	return key ? core_get(call, key, ret) : -ENOMEM;
}

int wrapping_find(struct call *call)
{
	struct secret *id AUTO_SECRET = NULL;
	json_auto_t *response = NULL;
	struct wrapped *wrapped = calloc(1, sizeof(*wrapped));
	int r;

	if (!wrapped)
		return -ENOMEM;
	call->wrapped = wrapped;
	r = open_jwt(call, &call->request->token);
	if (r == 0)
		r = presented(call, &id, &wrapped->in_body);
	if (r == 0)
		r = open_jwt(call, &id);
	if (r == 0)
		r = token_lookup(call, id, &wrapped->token);
	if (r == -ENOENT || r == -EACCES || (r == 0 && !wrapping_made(wrapped->token)))
		return invalid(call);
	if (r == 0)
		r = load(call, wrapped->token->salted, "response", &response);
	if (r == 0)
		r = load(call, wrapped->token->salted, "wrapinfo", &wrapped->info);
	if (r == -ENOENT)
		return invalid(call);
	if (r)
		return r;
	wrapped->response = json_incref(json_object_get(response, "response"));
	wrapped->status = (int)json_integer_value(json_object_get(wrapped->info, WRAPPED_STATUS));
	json_object_del(wrapped->info, WRAPPED_STATUS);
	return json_is_string(wrapped->response) && wrapped->status ? 0 : -EIO;
}

/*
 * The token ends with this request: it is the caller's, who has used it, or it is named by another. 0, 1 after a
 * refusal, or an errno.
 */
static int use_up(struct call *call)
{
	const struct wrapped *wrapped = call->wrapped;

	if (!streq(call->token->salted, wrapped->token->salted))
		return token_revoke(call, wrapped->token);
	if (!wrapped->in_body)
		return 0;
	call_wrapped_error(call, 500,
	    "error decrementing wrapping token's use-count: invalid token entry provided for use count decrementing");
	return 1;
}

int wrapping_unwrap(struct call *call)
{
	const char *text = json_string_value(call->wrapped->response);
	struct vault_response *response = call->response;
	int r = use_up(call);

	if (r)
		return r < 0 ? r : 0;
	response->status = call->wrapped->status;
	response->envelope_404 = response->status == 404 && *text;
	response->empty_404 = response->status == 404 && !*text;
	if (!*text)
		return 0;
	response->body = json_loads(text, 0, NULL);
	return response->body ? 0 : -EIO;
}

int wrapping_rewrap(struct call *call)
{
	const struct wrapped *wrapped = call->wrapped;
	int64_t ttl = json_integer_value(json_object_get(wrapped->info, "creation_ttl"));
	int64_t wished = call->request->wrap_ttl;
	int r = use_up(call);

	if (r)
		return r < 0 ? r : 0;
	return wrapping_make(
	    call, &(struct wrapping_order){
		      .path = json_string_value(json_object_get(wrapped->info, "creation_path")),
		      .mount = wrapped->token->mount,
		      .ttl = wished && wished < ttl ? wished : ttl,
		      .jwt = wished && call->request->wrap_jwt,
		      .response = wrapped->response,
		      .status = wrapped->status,
		  });
}

int wrapping_lookup(struct call *call)
{
	return call_data(call, json_incref(call->wrapped->info));
}
