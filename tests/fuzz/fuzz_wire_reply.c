/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a lying k8sauthd can answer: what is read from a reply and built again must be the same frame. */
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "module/env.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the filter lets through is a string that putenv takes, with a harmless name. */
static void check_variable(const struct wire_item *item)
{
	AUTO_FREE char *copy = strndup(item->value, item->len);
	size_t name_len;

	if (!env_allowed(item->value, item->len, "KUBECONFIG", &name_len))
		return;
	if (!copy || strlen(copy) != item->len || copy[name_len] != '=')
		abort();
	if (!starts_with(copy, "VAULT_") && !starts_with(copy, "K8SAUTH_") && !starts_with(copy, "KUBECONFIG="))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf again = { 0 };
	const char *bytes = (const char *)data;
	struct wire_frame frame, copy;
	struct wire_item item;
	const char *why;
	ssize_t len = wire_frame_len(bytes, size, WIRE_REPLY_MAX);

	if (len <= 0 || (size_t)len > size || wire_parse(bytes, (size_t)len, &frame, &why) < 0)
		return 0;
	wire_begin(&again, frame.type);
	for (size_t at = 0; wire_next(&frame, &at, &item);) {
		wire_add(&again, item.tag, item.value, item.len);
		check_variable(&item);
	}
	if (wire_end(&again) < 0 || again.len != (size_t)len)
		abort();
	if (wire_parse(again.data, again.len, &copy, &why) < 0 || copy.type != frame.type)
		abort();
	return 0;
}
