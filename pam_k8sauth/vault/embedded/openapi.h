/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document of the paths that there are, made from the engines' tables (version 3.0 of the specification).
 */
#pragma once

#include "vault/embedded/core.h"

/* One without paths; NULL without memory. */
json_t *openapi_new(void) NODISCARD;
/* Adds PATH of MOUNT, nothing where it has no operations or no help. 0 or -ENOMEM. */
int openapi_add(json_t *document, const struct mount *mount, const struct engine_path *path) NODISCARD;
