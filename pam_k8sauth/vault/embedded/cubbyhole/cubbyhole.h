/* SPDX-License-Identifier: Apache-2.0 */
/* The engine at cubbyhole/: what a token keeps for itself, gone with it. Response wrapping stores there. */
#pragma once

#include "vault/embedded/core.h"

extern const struct engine cubbyhole_engine;

#define CUBBYHOLE_FOLDER "cubbyhole/" /* + salted/path: the records */

/* Removes all that the token of SALTED (struct token) keeps. 0 or -ENOMEM. */
int cubbyhole_forget(struct call *call, const char *salted) NODISCARD;
