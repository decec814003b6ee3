/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the policy store: names, records, built-in texts, caches. */
#pragma once

#include "vault/embedded/policies.h"

#define POLICY_FOLDER "sys/policy/"

/* builtin.c: what the default policy says until somebody changes it. */
extern const char policy_default_text[];
/* The text of a policy that cannot be changed ("" for root); NULL for every other name. */
const char *policy_fixed_text(const char *name);

/* policies.c */

/* NAME as policies are known by: without blanks around it, in lower case (ASCII). NULL without memory. */
char *policy_name(const char *name) NODISCARD;
/* The storage key of a policy: a name may have slashes, its record lies in one folder all the same. */
char *policy_key(const char *name) NODISCARD;
/* The text of a policy. 0 (the caller's), -ENOENT, -EAGAIN, -errno. */
int policy_load(struct call *call, const char *name, char **ret) NODISCARD;
/* Forgets parsed policies and ACLs when the call's change is durable. */
void policies_changed(struct call *call);
