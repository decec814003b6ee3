/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of sys/rekey and sys/rekey-recovery-key share. */
#pragma once

#include "vault/embedded/seal/seal.h"
#include "vault/embedded/sys/sys.h"

/* The operation that the path means. */
struct rekey *rekey_of(struct call *call);
/* Whether it is of the recovery key. */
bool rekey_is_recovery(const struct call *call);
/* Who may, and whether there is such a key. 0, 1 after a refusal, -EAGAIN, -errno. */
int rekey_begin(struct call *call);
/* Answers with how far it is. 0 or -ENOMEM. */
int rekey_show(struct call *call);
