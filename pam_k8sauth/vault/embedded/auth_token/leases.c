/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/leases for the leases there are: those of tokens. They are no records of their own: a lease's id is the path that
 * made the token and the token's key, and all that it shows is the token's (vault-core.md 3.6, vault-1.21.4.md).
 */
#include "vault/embedded/auth_token/leases_internal.h"

#include <errno.h>

#include "base/text.h"

#define SALTED_LEN (TOKEN_SALTED_SIZE - 1)

bool lease_of_token(struct core *core, const struct token *token)
{
	return !token_is_first_root(token) && token_is_valid(core, token);
}

int lease_find(struct call *call, const char *id, struct token **ret)
{
	const char *salted = strrchr(id, '/');
	struct token *token;
	int r;

	if (!salted || strlen(++salted) != SALTED_LEN || *salted != 'h' ||
	    strspn(salted + 1, "0123456789abcdef") != SALTED_LEN - 1)
		return -ENOENT;
	r = token_load(call, salted, &token);
	if (r < 0)
		return r;
	if (!lease_of_token(call->core, token) || strlen(token->path) != (size_t)(salted - 1 - id) ||
	    !starts_with(id, token->path)) {
		token_free(token);
		return -ENOENT;
	}
	*ret = token;
	return 0;
}

/* The id: lease_id of the body, or in the path. 0, 1 after a refusal, or an errno. */
static int lease_id(struct call *call, const char **ret)
{
	const char *of_body = "";
	int r = call_field_string(call, "lease_id", &of_body, NULL);

	*ret = *of_body ? of_body : call_capture(call, "url_lease_id");
	return r;
}

static json_t *time_or_null(int64_t time)
{
	char text[NANOTIME_SIZE];

	if (!time)
		return json_null();
	nanotime_format(time, text);
	return json_string(text);
}

int leases_lookup(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	const char *id;
	json_t *data;
	int r = lease_id(call, &id);

	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "lease_id must be specified");
	r = lease_find(call, id, &token);
	if (r == -ENOENT)
		return call_error(call, 400, "invalid lease");
	if (r < 0)
		return r;
	data = json_pack("{s:s, s:o, s:o, s:o, s:b, s:I}", "id", id, "issue_time", time_or_null(token->creation_time),
	    "expire_time", time_or_null(token->expire_time), "last_renewal", time_or_null(token->last_renewal),
	    "renewable", token->renewable, "ttl", (json_int_t)token_seconds_left(token, nanotime_now()));
	return data ? call_data(call, data) : -ENOMEM;
}

int leases_renew(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	int64_t increment;
	const char *id;
	int r = lease_id(call, &id);

	if (r == 0)
		r = call_field_seconds(call, "increment", &increment, NULL);
	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "lease_id must be specified");
	r = lease_find(call, id, &token);
	if (r == -ENOENT)
		return call_error(call, 400, "lease not found");
	if (r < 0)
		return r;
	return call_error(call, 400, "tokens cannot be renewed through this endpoint");
}

int lease_answer_revoked(struct call *call, bool sync)
{
	call->response->status = sync ? 204 : 202;
	return 0;
}

int leases_revoke(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	bool sync = true;
	const char *id;
	int r = lease_id(call, &id);

	if (r == 0)
		r = call_field_bool(call, "sync", &sync, NULL);
	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "lease_id must be specified");
	r = lease_find(call, id, &token);
	if (r == 0)
		r = token_revoke(call, token);
	return r < 0 && r != -ENOENT ? r : lease_answer_revoked(call, sync);
}

/* Leases that could not be revoked: there are none, a revocation of tokens goes on until it is done. Other kinds are
 * not told. */
static int answer_irrevocable(struct call *call, json_t *none)
{
	const char *type = "";
	int r = none ? call_field_string(call, "type", &type, NULL) : -ENOMEM;

	if (r == 0 && streq(type, "irrevocable"))
		return call_data(call, none);
	json_decref(none);
	return r == 0 ? call_data(call, NULL) : r < 0 ? r : 0;
}

int leases_count(struct call *call)
{
	return answer_irrevocable(call, json_pack("{s:i, s:{}}", "lease_count", 0, "counts"));
}

int leases_irrevocable(struct call *call)
{
	return answer_irrevocable(call, json_pack("{s:i, s:[]}", "lease_count", 0, "leases"));
}

int leases_tidy(struct call *call)
{
	call_warn(call, "Tidy operation successfully started. Any information from the operation will be printed to "
			"Vault's server logs.");
	call->response->status = 202;
	return 0;
}
