/* SPDX-License-Identifier: Apache-2.0 */
/* Namespace selectors: text that an administrator writes. Whatever is accepted demands something. */
#include <stdint.h>

#include "base/buf.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf text = { 0 };
	json_t *labels, *none;

	if (buf_add(&text, data, size) < 0 || buf_add_char(&text, '\0') < 0)
		return 0;
	labels = selector_parse(text.data);
	if (!labels)
		return 0;
	none = json_object();
	if (json_object_size(labels) == 0 || !selector_match(labels, labels) || selector_match(labels, none))
		abort();
	json_decref(none);
	json_decref(labels);
	return 0;
}
