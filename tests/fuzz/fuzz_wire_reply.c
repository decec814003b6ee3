/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a lying k8sauthd can answer: what is read from a reply and built again must be the same frame. */
#include <stdint.h>
#include <stdio.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	for (size_t at = 0; wire_next(&frame, &at, &item);)
		wire_add(&again, item.tag, item.value, item.len);
	if (wire_end(&again) < 0 || again.len != (size_t)len)
		abort();
	if (wire_parse(again.data, again.len, &copy, &why) < 0 || copy.type != frame.type)
		abort();
	return 0;
}
