/* SPDX-License-Identifier: Apache-2.0 */
/* How long a token that a token makes may live: its request, its role, the mount (vault-core.md 3.3). */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/child.h"
#include "vault/embedded/auth_token/ttl.h"

/* What was asked for; 0 where nothing was. */
struct times {
	int64_t ttl, explicit_max_ttl, period;
};

/* TEXT ("" is 0) as seconds. */
static int read_seconds(const struct child *child, const char *name, const char *text, int64_t *ret)
{
	char error[DURATION_ERROR_SIZE];
	long long ns = 0;

	if (*text && duration_parse_ns(text, &ns, error, sizeof(error)) < 0)
		return child_refuse(child, error);
	if (ns < 0) {
		call_error(child->call, 400, "%s must be positive", name);
		return 1;
	}
	*ret = ns / NANOTIME_SECOND;
	return 0;
}

static int read_times(const struct child *child, struct times *ret)
{
	const struct child_request *request = &child->request;
	int r = read_seconds(child, "explicit_max_ttl", request->explicit_max_ttl, &ret->explicit_max_ttl);

	if (r == 0)
		r = read_seconds(child, "period", request->period, &ret->period);
	if (r == 0 && ret->period && !child->sudo)
		return child_refuse(child, "root or sudo privileges required to create periodic token");
	if (r == 0)
		r = *request->ttl ? read_seconds(child, "ttl", request->ttl, &ret->ttl)
				  : read_seconds(child, "lease", request->lease, &ret->ttl);
	return r;
}

/* The lesser of what was asked for and what the role's NAME says, if both say something. */
static int64_t with_role(const struct child *child, int64_t asked, const char *name, const char *title)
{
	int64_t of_role = json_integer_value(json_object_get(child->role, name));
	int64_t lesser = asked < of_role ? asked : of_role;

	if (child->batch || of_role == 0)
		return asked;
	if (asked == 0)
		return of_role;
	call_warn(child->call,
	    "%s specified both during creation call and in role; using the lesser value of %lld seconds", title,
	    (long long)lesser);
	return lesser;
}

/* Whether the text of a duration stands for one; 1 after a refusal. */
static int batch_field(const struct child *child, const char *name, const char *text)
{
	char error[DURATION_ERROR_SIZE];
	long long ns = 0;

	if (*text && duration_parse_ns(text, &ns, error, sizeof(error)) < 0) {
		call_error(child->call, 400, "\"%s\" value could not be parsed", name);
		return 1;
	}
	if (ns) {
		call_error(child->call, 400, "batch tokens cannot have \"%s\" set", name);
		return 1;
	}
	return 0;
}

int child_check_batch(const struct child *child)
{
	int r;

	if (!child->batch)
		return 0;
	r = batch_field(child, "explicit_max_ttl", child->request.explicit_max_ttl);
	if (r == 0 && child->request.num_uses) {
		call_error(child->call, 400, "batch tokens cannot have \"num_uses\" set");
		return 1;
	}
	return r ? r : batch_field(child, "period", child->request.period);
}

int child_set_times(struct child *child)
{
	struct call *call = child->call;
	struct token *token = child->token;
	struct times times = { 0 };
	struct token_life life = {
		.mount_ttl = call->mount->default_lease_ttl ? call->mount->default_lease_ttl : SYSTEM_LEASE_TTL,
		.mount_max = call->mount->max_lease_ttl ? call->mount->max_lease_ttl : SYSTEM_LEASE_TTL,
		.issued = nanotime_now(),
	};
	int r = read_times(child, &times);

	if (r)
		return r;
	/* What a role adds is not the token's own: lookup does not show it, renewal asks the role again. */
	token->explicit_max_ttl = times.explicit_max_ttl;
	token->period = times.period;
	life.ttl = token->ttl = times.ttl;
	life.explicit_max_ttl = with_role(child, times.explicit_max_ttl, "token_explicit_max_ttl", "Explicit max TTL");
	life.period = with_role(child, times.period, "token_period", "Period");
	if (life.period || token->ttl || !token->root)
		r = token_ttl(&life, life.issued, call->response, &token->ttl);
	else
		token->ttl = life.explicit_max_ttl;
	if (r < 0)
		return r;
	if (token->ttl == 0 && child->parent->expire_time)
		return child_refuse(child, "expiring root tokens cannot create non-expiring root tokens");
	token->creation_time = life.issued;
	token->expire_time = token->ttl ? nanotime_after(token_shown_issue(token), token->ttl) : 0;
	token->renewable = token->ttl && !child->batch && child->request.renewable &&
			   (!child->role || json_is_true(json_object_get(child->role, "renewable")));
	return 0;
}
