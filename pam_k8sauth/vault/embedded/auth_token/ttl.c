/* SPDX-License-Identifier: Apache-2.0 */
/* TTL, maximum, period and explicit maximum put together as Vault does, in whole seconds. */
#include "vault/embedded/auth_token/ttl.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/nanotime.h"

#define DURATION_SIZE 40

/* Go's duration without the zero units at its end, as Vault's warnings have it: "768h", "1h40m", "0s". */
static void short_duration(int64_t seconds, char ret[static DURATION_SIZE])
{
	duration_format(seconds, ret, DURATION_SIZE);
	if (ends_with(ret, "m0s"))
		ret[strlen(ret) - 2] = 0;
	if (ends_with(ret, "h0m"))
		ret[strlen(ret) - 2] = 0;
}

static int64_t smaller_set(int64_t limit, int64_t value)
{
	return value > 0 && value < limit ? value : limit;
}

/* Cuts *TTL at LIMIT; NAME and WHAT are the two words by which Vault's warning differs. */
static void cap(int64_t *ttl, int64_t limit, const char *name, const char *what, struct vault_response *response)
{
	char asked[DURATION_SIZE], given[DURATION_SIZE];

	if (*ttl <= limit)
		return;
	short_duration(*ttl, asked);
	short_duration(limit, given);
	vault_response_warn(response,
	    "%s of \"%s\" exceeded the effective max_ttl of \"%s\"; %s value is capped accordingly", name, asked, given,
	    what);
	*ttl = limit;
}

int token_ttl(const struct token_life *life, int64_t now, struct vault_response *response, int64_t *ret)
{
	int64_t max = smaller_set(smaller_set(life->mount_max, life->max_ttl), life->explicit_max_ttl);
	int64_t age = now / NANOTIME_SECOND - life->issued / NANOTIME_SECOND;
	int64_t ttl, end = max;

	if (life->period > 0) {
		ttl = life->period;
		cap(&ttl, max, "period", "period", response);
		end = life->explicit_max_ttl > 0 ? life->explicit_max_ttl : INT64_MAX;
	} else {
		ttl = life->increment > 0 ? life->increment : life->ttl > 0 ? life->ttl : life->mount_ttl;
	}
	if (end != INT64_MAX) {
		if (end - age <= 0)
			return -ERANGE;
		cap(&ttl, end - age, "TTL", "TTL", response);
	}
	*ret = ttl < NANOTIME_LIFE_MAX ? ttl : NANOTIME_LIFE_MAX;
	return 0;
}
