/* SPDX-License-Identifier: Apache-2.0 */
/* PEM texts: every block found, and the bundle that is made of them can be read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *bundle, *again;
	const char *at = text, *before = text;
	struct pem pem;

	while (pem_next(&at, &pem) > 0) {
		if (at <= before || at > text + strlen(text))
			abort();
		before = at;
		pem_free(&pem);
	}
	bundle = pem_certificates(text);
	again = pem_certificates(bundle);
	if (strcmp(bundle, again) != 0)
		abort();
	free(again);
	free(bundle);
	free(text);
	return 0;
}
