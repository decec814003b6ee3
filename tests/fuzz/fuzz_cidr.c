/* SPDX-License-Identifier: Apache-2.0 */
/* Bound CIDRs: what a role lists, line by line, against an address (the first line). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/embedded/auth_token/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text;
	const char *address = strsep(&rest, "\n"), *line;
	json_t *cidrs = json_array();

	while ((line = strsep(&rest, "\n")))
		json_array_append_new(cidrs, json_string(line));
	if (cidrs_match(cidrs, address) && json_array_size(cidrs) == 0)
		abort();
	json_decref(cidrs);
	free(text);
	return 0;
}
