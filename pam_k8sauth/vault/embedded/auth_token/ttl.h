/* SPDX-License-Identifier: Apache-2.0 */
/* How long a token may live: one calculation for login and renewal (vault-core.md 3.3). */
#pragma once

#include <stdint.h>

#include "vault/request.h"

struct token_life {
	int64_t increment;	      /* what the client asked for; 0: nothing */
	int64_t ttl, max_ttl;	      /* the role's; 0 unset */
	int64_t explicit_max_ttl;     /* 0 unset */
	int64_t period;		      /* 0: not periodic */
	int64_t mount_ttl, mount_max; /* the mount's default and maximum, never 0 */
	int64_t issued;		      /* unix nanoseconds */
};

/*
 * The seconds from NOW that the token may live, with Vault's warnings about caps put into RESPONSE. 0 and *RET, or
 * -ERANGE where nothing is left ("past the max TTL, cannot renew").
 */
int token_ttl(const struct token_life *life, int64_t now, struct vault_response *response, int64_t *ret) NODISCARD;
