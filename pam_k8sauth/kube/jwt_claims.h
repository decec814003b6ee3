/* SPDX-License-Identifier: Apache-2.0 */
/* Inside jwt: from the payload object to the fields of struct jwt. */
#pragma once

#include "kube/jwt.h"

/* Sets *ERROR unless it is set already: the first fault counts. */
void jwt_set_error(struct jwt_error *error, int status, const char *text, const char *reason_format, ...)
    PRINTF_LIKE(4, 5);

/*
 * Fills JWT from jwt->claims; wrong types go to claims_error and account_error. -EINVAL with *RET_ERROR where a member
 * collides with a registered claim under case folding, -ENOMEM.
 */
int jwt_read_claims(struct jwt *jwt, struct jwt_error *ret_error) NODISCARD;
