/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about a refused login at a Kubernetes mount, in words for the journal (decision 24). */
#pragma once

#include "vault/request.h"

#define REMEDY_SIZE 256

/* Where the login was, for the commands that the words name. */
struct login_place {
	const char *mount;    /* "kubernetes", below auth/ */
	const char *role;     /* "": not known; only letters, digits, '.', '_' and '-' */
	const char *audience; /* that the token must have; NULL or "": not known */
};

/* Follows from where RESPONSE failed (its step and failure), and from the words of its reason. */
void login_remedy(const struct vault_response *response, const struct login_place *place, char ret[static REMEDY_SIZE]);
