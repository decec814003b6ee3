/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a reply as the vault library names and orders them. */
#pragma once

#include "cli/value.h"

/* Whether a reply's body has any member that a secret has; otherwise it is data as a whole. */
bool secret_like(const struct value *body);
/* A copy with the members in the order in which the vault command prints them. The caller owns it. */
struct value *secret_struct(const struct value *secret);
/* The value that -field=NAME means: also token, wrapping_token and so on. NULL where there is none; the caller owns it.
 */
struct value *secret_field(const struct value *secret, const char *name);
/* An RFC 3339 time as Go's Time.String() shows it; the caller frees it. */
char *secret_time_text(const char *time);
