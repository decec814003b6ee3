/* SPDX-License-Identifier: Apache-2.0 */
/* Which systemd unit asks. */
#pragma once

#include "wire/wire_loop.h"

/* The system unit that PEER runs in, the caller's to free: 0, or a negative errno (-ENODATA: in none, -ESRCH: gone). */
int peer_unit(const struct wire_peer *peer, char **ret) NODISCARD;
