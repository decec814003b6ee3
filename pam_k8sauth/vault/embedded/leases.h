/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of sys/leases for the sys engine's table. */
#pragma once

#include "vault/embedded/core.h"

engine_handler leases_lookup, leases_renew, leases_revoke;
engine_handler leases_list, leases_revoke_prefix, leases_revoke_force;
engine_handler leases_count, leases_irrevocable;
/*
 * Revokes the leases of all secrets of MOUNT, for a call that removes or moves it; it takes call->state until then, and
 * MOUNT takes no calls until this one ends. 0 when they are gone, 1 after a refusal, -EAGAIN, -errno.
 */
int leases_revoke_mount(struct call *call, struct mount *mount) NODISCARD;
/* sys/leases/tidy */
engine_handler leases_tidy;
