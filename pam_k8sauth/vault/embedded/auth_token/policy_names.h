/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of policy names as tokens have them (kubernetes-auth.md 2.5, vault-core.md 3.4). Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/macros.h"

/*
 * POLICIES (array of strings, or NULL) trimmed, in lower case, sorted, once each, without empty ones; with "default" if
 * ADD_DEFAULT; ["root"] alone if root is among them. 0 or -ENOMEM. *RET is the caller's.
 */
int policy_names_clean(const json_t *policies, bool add_default, json_t **ret) NODISCARD;

/* The same for names that no token gets, so that root is one like any other. */
int policy_names_sort(const json_t *names, json_t **ret) NODISCARD;

bool policy_names_has(const json_t *policies, const char *name);
/* Whether all of POLICIES are among OF. */
bool policy_names_subset(const json_t *policies, const json_t *of);
void policy_names_drop(json_t *policies, const char *name);
