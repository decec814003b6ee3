/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a process on this machine can send to the wire sockets: read, described and asked for every item. */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_item(const struct wire_frame *frame, uint16_t tag)
{
	AUTO_SECRET struct secret *secret = wire_get_secret(frame, tag);
	AUTO_FREE char *text = wire_get_str(frame, tag);
	uint32_t number;

	if (!secret != !text || (text && strnlen(text, secret_len(secret)) > secret_len(secret)))
		abort();
	if (wire_get_u32(frame, tag, &number) && secret_len(secret) != sizeof(number))
		abort();
}

static void read_frame(const char *data, size_t size)
{
	struct wire_frame frame;
	struct wire_item item;
	const char *why = NULL;
	char line[256];

	if (wire_parse(data, size, &frame, &why) < 0) {
		if (!why)
			abort();
		return;
	}
	for (size_t at = 0; wire_next(&frame, &at, &item);)
		read_item(&frame, item.tag);
	wire_describe(&frame, line, sizeof(line));
	for (const char *c = line; *c; c++) {
		if (*c < ' ' || *c > '~')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ssize_t len = wire_frame_len((const char *)data, size, WIRE_REQUEST_MAX);
	AUTO_FREE char *copy = malloc(size + 1);
	uint32_t rest = htole32((uint32_t)(size - sizeof(rest)));

	if (!copy || len > WIRE_REQUEST_MAX)
		abort();
	read_frame((const char *)data, size);
	/* Again with the length field right, so that the fuzzer gets past it. */
	if (size < sizeof(rest))
		return 0;
	memcpy(copy, data, size);
	memcpy(copy, &rest, sizeof(rest));
	read_frame(copy, size);
	return 0;
}
