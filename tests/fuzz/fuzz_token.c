/* SPDX-License-Identifier: Apache-2.0 */
/* What a client presents as token, accessor or lease, as it is and as the bytes of a signed and of a batch token. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vault/embedded/token.h"

#define SIGNED_BYTES 68
#define BYTES_MAX    2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static struct core *core;

/* Nobody can know a token of a core that was just made. */
static int must_not_be_found(struct call *call)
{
	struct token *token = NULL;
	int r = token_find(call, call->state, &token);

	if (r == 0)
		abort();
	if (r == -EAGAIN)
		return r;
	r = token_find_accessor(call, call->state, &token);
	if (r == 0)
		abort();
	return r == -EAGAIN ? r : 0;
}

static void on_done(void *arg, int r)
{
	*(bool *)arg = true;
}

static void try(const char *text)
{
	bool done = false;

	core_run(core, must_not_be_found, (void *)(uintptr_t)text, NULL, on_done, &done);
	while (!done)
		event_base_loop(base, EVLOOP_ONCE);
}

static void try_bytes(const char *prefix, const uint8_t *data, size_t size)
{
	char text[8 + base64url_size(BYTES_MAX)];

	strcpy(text, prefix);
	base64url_encode(data, size, text + strlen(prefix));
	try(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct core_options options = { .storage_type = "inmem" };
	uint8_t signed_id[SIGNED_BYTES] = { 0 };
	char why[512], text[BYTES_MAX + 1];

	if (!core) {
		base = event_base_new();
		if (!base || core_open(base, &options, &core, why, sizeof(why)) < 0)
			abort();
	}
	size = size < BYTES_MAX ? size : BYTES_MAX;
	memcpy(text, data, size);
	text[size] = '\0';
	try(text);
	try_bytes("hvb.", data, size);
	memcpy(signed_id, data, size < SIGNED_BYTES ? size : SIGNED_BYTES);
	try_bytes("hvs.", signed_id, SIGNED_BYTES);
	return 0;
}
