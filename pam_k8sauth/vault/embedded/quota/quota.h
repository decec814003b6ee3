/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate limit quotas, as Vault's community edition has them: how many requests each client address may make, on a path,
 * a mount, with a role of an auth method, or at all. They are kept in one record and in memory.
 */
#pragma once

#include "vault/embedded/core.h"

struct quotas;

struct quotas *quotas_new(void) NODISCARD;
void quotas_free(struct quotas *quotas);

/* At unseal. 0, -EAGAIN, -errno. */
int quotas_load(struct call *call) NODISCARD;
/* At seal: there are none. */
void quotas_unload(struct quotas *quotas);

/* What a call was told of its quota, once, in its first run. */
struct call_quota {
	bool counted;
	bool refused;
	bool shown;  /* the first three numbers go into headers of the reply */
	bool logged; /* a refusal is one that the audit trail tells of */
	uint64_t limit, remaining;
	int64_t reset, retry_after;
};

/*
 * Counts a request from outside, before anything else is looked at: broken and forbidden requests count as well. The
 * daemon's own requests, logins through PAM among them, have limits of their own. 0, 1 after a refusal, or an errno.
 */
int quotas_gate(struct call *call) NODISCARD;

/* CALL takes MOUNT away, or moves it to the path TARGET: so it does with its quotas. 0, -EAGAIN, -errno. */
int quotas_forget_mount(struct call *call, const struct mount *mount) NODISCARD;
int quotas_move_mount(struct call *call, const struct mount *mount, const char *target) NODISCARD;

/* --- handlers of sys/quotas, for the sys engine's table */
engine_handler quotas_list, quotas_read, quotas_write, quotas_delete;
engine_handler quotas_config_read, quotas_config_write;
