/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/leases: the leases of secrets (lease/), and those of tokens, which are no records of their own: such a lease's id
 * is the path that made the token and the token's key, and all that it shows is the token's (vault-core.md 3.6,
 * vault-1.21.4.md). A token that holds a wrapped answer has the path that gave it.
 */
#include "vault/embedded/auth_token/leases_internal.h"

#include <errno.h>
#include <limits.h>
#include <strings.h>

#include "base/text.h"
#include "vault/embedded/lease/lease.h"

#define SALTED_LEN (TOKEN_SALTED_SIZE - 1)

bool lease_of_token(struct core *core, const struct token *token)
{
	return !token_is_first_root(token) && token_is_valid(core, token);
}

int token_lease_find(struct call *call, const char *id, struct token **ret)
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

static int show(struct call *call, const char *id, int64_t issued, int64_t expires, int64_t renewed, bool renewable)
{
	/* As Vault counts; negative for one that has ended and is not revoked yet. */
	int64_t now = (nanotime_now() + NANOTIME_SECOND / 2) / NANOTIME_SECOND * NANOTIME_SECOND;
	int64_t left = expires ? (expires - now) / NANOTIME_SECOND : 0;
	json_t *data = json_pack("{s:s, s:o, s:o, s:o, s:b, s:I}", "id", id, "issue_time", time_or_null(issued),
	    "expire_time", time_or_null(expires), "last_renewal", time_or_null(renewed), "renewable", renewable, "ttl",
	    (json_int_t)left);

	return data ? call_data(call, data) : -ENOMEM;
}

static int lookup_secret(struct call *call, const char *id)
{
	struct lease *lease AUTO_LEASE = NULL;
	int r = lease_find(call, id, &lease);

	if (r == -ENOENT)
		return call_error(call, 400, "invalid lease");
	if (r < 0)
		return r;
	return show(call, id, lease->issue_time, lease->expire_time, lease->last_renewal,
	    lease->renewable && !lease_has_ended(lease));
}

int leases_lookup(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	const char *id;
	int r = lease_id(call, &id);

	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "lease_id must be specified");
	r = token_lease_find(call, id, &token);
	if (r == -ENOENT)
		return lookup_secret(call, id);
	if (r < 0)
		return r;
	return show(call, id, token->creation_time, token->expire_time, token->last_renewal, token->renewable);
}

static int renew_secret(struct call *call, const char *id, int64_t increment)
{
	struct lease *lease AUTO_LEASE = NULL;
	int r = lease_find(call, id, &lease);

	if (r == -ENOENT)
		return call_error(call, 400, "lease not found");
	return r < 0 ? r : lease_renew(call, lease, increment);
}

int leases_renew(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	int64_t increment = 0;
	const char *id;
	int r = lease_id(call, &id);

	if (r == 0)
		r = call_field_seconds(call, "increment", &increment, NULL);
	if (r)
		return r < 0 ? r : 0;
	if (!*id)
		return call_error(call, 400, "lease_id must be specified");
	r = token_lease_find(call, id, &token);
	if (r == -ENOENT)
		return renew_secret(call, id, increment);
	if (r < 0)
		return r;
	return call_error(
	    call, 400, token->renewable ? "tokens cannot be renewed through this endpoint" : "lease is not renewable");
}

int lease_answer_revoked(struct call *call, bool sync)
{
	call->response->status = sync ? 204 : 202;
	return 0;
}

/* SYNC: when it is gone, or with why it is not; otherwise it ends now, and is revoked behind the reply. */
static int revoke_secret(struct call *call, const char *id, bool sync)
{
	struct lease *lease AUTO_LEASE = NULL;
	const char *error = NULL;
	int r = leases_are_revoking(call) ? 0 : lease_find(call, id, &lease);

	if (r == -ENOENT)
		return lease_answer_revoked(call, sync);
	if (r < 0)
		return r;
	if (sync) {
		json_t *ids = json_pack("[s]", id);

		r = ids ? leases_revoke_all(call, ids, false, false, &error) : -ENOMEM;
	} else {
		r = lease_end(call, lease);
	}
	if (r == 1)
		return call_error(call, 400, "%s", error);
	return r < 0 ? r : lease_answer_revoked(call, sync);
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
	r = token_lease_find(call, id, &token);
	if (r == -ENOENT)
		return revoke_secret(call, id, sync);
	if (r == 0)
		r = token_revoke(call, token);
	return r < 0 ? r : lease_answer_revoked(call, sync);
}

/* --- leases that cannot be revoked */

#define IRREVOCABLE_MAX 10000 /* that are shown, unless all are asked for */

/* Whether they are asked for: other kinds are not told. 1, 0, -errno or -EBADMSG after a refusal. */
static int wants_irrevocable(struct call *call)
{
	const char *type = "";
	bool children;
	int r = call_field_string(call, "type", &type, NULL);

	if (r == 0)
		r = call_field_bool(call, "include_child_namespaces", &children, NULL);
	return r < 0 ? r : r > 0 ? -EBADMSG : strcasecmp(type, "irrevocable") == 0;
}

int leases_count(struct call *call)
{
	json_auto_t *all = NULL, *counts = json_object();
	json_t *lease;
	size_t i;
	int r = wants_irrevocable(call);

	if (r == -EBADMSG || r == 0)
		return r ? 0 : call_data(call, NULL);
	r = r < 0 ? r : counts ? leases_irrevocable_all(call, &all) : -ENOMEM;
	if (r < 0)
		return r;
	json_array_foreach(all, i, lease)
	{
		const char *mount = json_string_value(json_object_get(lease, "mount_id"));
		json_int_t n = json_integer_value(json_object_get(counts, mount)) + 1;

		if (json_object_set_new(counts, mount, json_integer(n)) < 0)
			return -ENOMEM;
	}
	return call_data(call, json_pack("{s:I, s:O}", "lease_count", (json_int_t)json_array_size(all), "counts", counts));
}

/* The number of leases to show. 0, 1 after a refusal, -errno. */
static int read_limit(struct call *call, long long *ret)
{
	const char *text = "";
	size_t sign, digits;
	int r = call_field_string(call, "limit", &text, NULL);

	*ret = IRREVOCABLE_MAX;
	if (r || !*text)
		return r;
	if (strcasecmp(text, "none") == 0) {
		*ret = LLONG_MAX;
		return 0;
	}
	sign = strspn(text, "+-") == 1;
	digits = strspn(text + sign, "0123456789");
	errno = 0;
	*ret = strtoll(text, NULL, 10);
	if (digits == 0 || text[sign + digits] || errno == ERANGE)
		call_wrapped_error(call, 500, "invalid 'limit' provided: strconv.Atoi: parsing \"%s\": %s", text,
		    errno == ERANGE ? "value out of range" : "invalid syntax");
	else if (*ret < 1)
		call_wrapped_error(call, 500, "limit must be 'none' or a positive integer");
	return call->response->status >= 400;
}

int leases_irrevocable(struct call *call)
{
	json_auto_t *all = NULL, *shown = json_array();
	long long limit = 0;
	int r = wants_irrevocable(call);

	if (r == -EBADMSG || r == 0)
		return r ? 0 : call_data(call, NULL);
	r = r < 0 ? r : read_limit(call, &limit);
	if (r)
		return r < 0 ? r : 0;
	r = shown ? leases_irrevocable_all(call, &all) : -ENOMEM;
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(all) && (long long)i < limit; i++)
		if (json_array_append(shown, json_array_get(all, i)) < 0)
			return -ENOMEM;
	if (json_array_size(shown) < json_array_size(all))
		call_warn(call, "Command halted because many irrevocable leases were found. To emit the entire list, re-run "
				"the command with force set true.");
	return call_data(
	    call, json_pack("{s:I, s:O}", "lease_count", (json_int_t)json_array_size(shown), "leases", shown));
}
