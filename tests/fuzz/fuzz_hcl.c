/* SPDX-License-Identifier: Apache-2.0 */
/* HCL text from policies, configuration and accounts.conf: any bytes give a tree or an error with a text. */
#include <stdint.h>

#include "base/hcl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_HCL struct hcl_value *tree = NULL;
	struct hcl_error error;

	if (hcl_parse((const char *)data, size, &tree, &error) < 0 && !error.text[0])
		abort();
	return 0;
}
