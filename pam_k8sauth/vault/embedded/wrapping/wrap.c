/* SPDX-License-Identifier: Apache-2.0 */
/* Making: an answer becomes a token of one use with the answer in its cubbyhole. */
#include <errno.h>
#include <stdio.h>

#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/wrapping/wrapping_internal.h"

/* NULL without memory. */
static struct token *wrapping_token(const struct wrapping_order *order)
{
	struct token *token = calloc(1, sizeof(*token));

	if (!token)
		return NULL;
	snprintf(token->mount, sizeof(token->mount), "%s", order->mount);
	token->path = strdup(order->path);
	token->display_name = strdup("");
	token->entity_id = strdup("");
	token->type = strdup("service");
	token->policies = json_pack("[s]", WRAPPING_POLICY);
	token->num_uses = token->minted_uses = 1;
	token->ttl = token->explicit_max_ttl = order->ttl;
	token->creation_time = nanotime_now();
	token->expire_time = nanotime_after(token->creation_time, order->ttl);
	token->orphan = true;
	if (token->path && token->display_name && token->entity_id && token->type && token->policies)
		return token;
	token_free(token);
	return NULL;
}

/* VALUE (taken over) goes to NAME in the cubbyhole of TOKEN. */
static int keep(struct call *call, const struct token *token, const char *name, json_t *value)
{
	char *key AUTO_FREE = wrapping_key(token->salted, name);
	int r = value && key ? core_put(call, key, value) : -ENOMEM;

	json_decref(value);
	return r;
}

/* What the client gets instead. */
static int answer(struct call *call, const struct token *token, const char *id, const char *wrapped_accessor)
{
	struct vault_response *response = call->response;
	char created[NANOTIME_SIZE];

	nanotime_format(token->creation_time, created);
	json_decref(response->wrap_info);
	response->wrap_info = json_pack("{s:s, s:s, s:I, s:s, s:s}", "token", id, "accessor", token->accessor, "ttl",
	    (json_int_t)token->ttl, "creation_time", created, "creation_path", token->path);
	if (!response->wrap_info)
		return -ENOMEM;
	if (wrapped_accessor && *wrapped_accessor &&
	    json_object_set_new(response->wrap_info, "wrapped_accessor", json_string(wrapped_accessor)))
		return -ENOMEM;
	json_decref(response->data);
	json_decref(response->auth);
	json_decref(response->body);
	json_decref(response->warnings);
	response->data = response->auth = response->body = response->warnings = NULL;
	free(TAKE_PTR(response->lease_id));
	response->lease_duration = 0;
	response->renewable = response->data_on_top = response->envelope_404 = response->empty_404 = false;
	response->mount_type = NULL;
	response->request_id[0] = 0;
	response->status = 200;
	return 0;
}

int wrapping_make(struct call *call, const struct wrapping_order *order)
{
	struct token *token AUTO_TOKEN = wrapping_token(order);
	char id[TOKEN_HANDED_SIZE], created[NANOTIME_SIZE], *jwt AUTO_WIPE_STR = NULL;
	int r = token ? token_mint(call, token, "", id) : -ENOMEM;

	if (r < 0)
		return r;
	nanotime_format(token->creation_time, created);
	r = keep(call, token, "response", json_pack("{s:O}", "response", order->response));
	if (r == 0)
		r = keep(call, token, "wrapinfo",
		    json_pack("{s:I, s:s, s:s, s:i}", "creation_ttl", (json_int_t)order->ttl, "creation_time", created,
			"creation_path", order->path, WRAPPED_STATUS, order->status));
	if (r == 0 && order->jwt)
		r = wrapping_jwt_make(call, token, id, &jwt);
	if (r == 0)
		r = answer(call, token, jwt ? jwt : id, order->accessor);
	wipe(id, sizeof(id));
	return r;
}

/* What a client may want to keep from others: answers, also where they come as a 202 or 404; no refusals, no 204. */
static bool is_answer(const struct vault_response *response)
{
	return response->status == 200 || response->status == 202 ||
	       (response->status == 404 && (response->envelope_404 || response->empty_404));
}

/*
 * Who has shown no token may have his login wrapped, and nothing else: each wrapping token is a record that is kept as
 * long as he likes. 0, 1 after a refusal, or an errno.
 */
static int check_caller(struct call *call)
{
	const struct secret *presented = call->request->token;
	struct token *token AUTO_TOKEN = NULL;
	int r = -ENOENT;

	if (call->token || call->auth || call->wrapped || call->request->internal)
		return 0;
	if (presented && secret_len(presented))
		r = token_lookup(call, presented, &token);
	if (r != -ENOENT && r != -EACCES)
		return r;
	call_error(call, 400, "without a token nothing but a login is wrapped");
	return 1;
}

int wrapping_apply(struct call *call)
{
	struct vault_response *response = call->response;
	json_auto_t *body = NULL, *text = NULL, *auth = NULL;
	char *dumped AUTO_WIPE_STR = NULL;
	int r;

	if (response->wrap_info)
		response->mount_type = NULL; /* of the wrapped answer alone */
	if (!call->request->wrap_ttl || response->wrap_info || call->path->flags & (ENGINE_RAW | ENGINE_OPEN))
		return 0;
	if (call_listed_nothing(call)) /* Vault has words for what is not there in this case alone */
		return call_error(call, 404, "unsupported path");
	if (!is_answer(response))
		return 0;
	r = check_caller(call);
	if (r)
		return r < 0 ? r : 0;
	response->data_on_top = false;
	body = vault_response_body(response);
	dumped = body ? json_dumps(body, JSON_COMPACT) : strdup("");
	text = dumped ? json_string(dumped) : NULL;
	if (!text)
		return -ENOMEM;
	auth = json_incref(response->auth);
	return wrapping_make(call, &(struct wrapping_order){
				       .path = call->request->path,
				       .mount = call->mount->uuid,
				       .ttl = call->request->wrap_ttl,
				       .jwt = call->request->wrap_jwt,
				       .response = text,
				       .status = response->status,
				       .accessor = json_string_value(json_object_get(auth, "accessor")),
				   });
}

int wrapping_wrap(struct call *call)
{
	json_t *data;

	if (!call->request->wrap_ttl)
		return call_error(call, 400, "endpoint requires response wrapping to be used");
	data = call->request->data ? json_incref(call->request->data) : json_object();
	return data ? call_data(call, data) : -ENOMEM;
}
