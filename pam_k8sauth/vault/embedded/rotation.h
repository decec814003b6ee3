/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms of the barrier: a new one when somebody asks for it, when the present one has sealed as many records as
 * AES-GCM's random nonces bear, or after a time (vault-core.md 7.1).
 */
#pragma once

#include "vault/embedded/core.h"

/* NIST SP 800-38D allows 2^32 random nonces per key; Vault stops at nine tenths of that. */
#define ROTATION_OPERATIONS_MAX INT64_C(3865470566)
#define ROTATION_OPERATIONS_MIN INT64_C(1000000)
#define ROTATION_INTERVAL_MIN	INT64_C(86400) /* seconds */

struct rotation_config {
	bool enabled;
	int64_t max_operations; /* records */
	int64_t interval;	/* seconds; 0: never for that reason */
};

/* Reads the configuration. It waits for what changes keyring or configuration. 0, -EAGAIN, -errno. */
int rotation_config_get(struct call *call, struct rotation_config *ret) NODISCARD;
int rotation_config_put(struct call *call, const struct rotation_config *config) NODISCARD;
/* A new term: it seals when the call's writes are durable. 0, -EAGAIN, -E2BIG (no room for one), -errno. */
int rotation_rotate(struct call *call) NODISCARD;

/*
 * For another change of the keyring: rotation_settled before it has any effect, rotation_claim in the same run with its
 * writes, so that it comes after the changes under way and before those that follow. 0, -EAGAIN (the first only),
 * -errno.
 */
int rotation_settled(struct call *call) NODISCARD;
int rotation_claim(struct call *call) NODISCARD;

/* How many records the present term has sealed. */
uint64_t rotation_sealed(const struct core *core);

/* At unseal: how many the term had sealed before. 0, -EAGAIN, -errno. */
int rotation_start(struct call *call) NODISCARD;
/* Looks whether a new term is due, and notes how many records the present one has sealed, now and then. */
int rotation_watch(struct core *core) NODISCARD;
void rotation_stop(struct core *core);
