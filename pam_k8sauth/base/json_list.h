/* SPDX-License-Identifier: Apache-2.0 */
/* JSON arrays of strings. */
#pragma once

#include <stdbool.h>
#include <jansson.h>

/* Whether TEXT is in LIST; NULL, or what is no array, has none. Neither is taken over. */
bool json_list_has(const json_t *list, const char *text);
