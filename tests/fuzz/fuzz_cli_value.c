/* SPDX-License-Identifier: Apache-2.0 */
/* Replies as the command line reads and prints them: what is printed as JSON reads back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256];
	AUTO_VALUE struct value *value = value_parse((const char *)data, size, why, sizeof(why));
	AUTO_VALUE struct value *again = NULL;
	AUTO_BUF struct buf yaml = { 0 };
	AUTO_FREE char *json = NULL;
	AUTO_FREE char *second = NULL;
	AUTO_FREE char *go = NULL;

	if (!value)
		return 0;
	json = value_json(value, true);
	again = value_parse(json, strlen(json), why, sizeof(why));
	if (!again)
		abort();
	second = value_json(again, true);
	if (strcmp(json, second) != 0)
		abort();
	go = value_go(value);
	value_add_yaml(&yaml, value);
	if (yaml.failed)
		abort();
	return 0;
}
