/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to an embedded backend in memory, as root: router, fields, every engine. Input: one byte for the operation,
 * the path up to a NUL, then the body's JSON. What one input writes, later ones meet; so a path is cleared now and
 * then.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "vault/embedded/core.h"

#define INPUTS_PER_CORE 500

static struct event_base *base;
static struct core *core;
static bool done;

static void on_done(void *arg, struct vault_response *response)
{
	json_t *body = vault_response_body(response);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	(void)arg;
	/* Each answer has a status, and a body that can be written. */
	if (response->status < 100 || response->status > 599 || (body && !text))
		abort();
	free(text);
	json_decref(body);
	done = true;
}

static void drop_log(int level, const char *ref, const char *line)
{
	(void)level;
	(void)ref;
	(void)line;
}

static void start(void)
{
	struct core_options options = { .dev_root_token = "root" };
	char why[512];

	log_set_sink(drop_log);
	base = event_base_new();
	if (!base || core_open(base, &options, &core, why, sizeof(why)) < 0)
		abort();
}

static void stop(void)
{
	core_close(core);
	event_base_free(base);
	core = NULL;
}

static void ask(enum vault_op op, const char *path, json_t *data)
{
	struct vault_request *request = vault_request_new(op, path);

	if (!request)
		abort();
	request->token = secret_copy("root", 4);
	request->data = data;
	request->peer.kind = VAULT_PEER_TCP;
	done = false;
	vault_send(core_vault(core), request, on_done, NULL);
	while (!done)
		event_base_loop(base, EVLOOP_ONCE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;
	char *text;
	size_t path_len;
	json_t *body;

	if (size < 2)
		return 0;
	if (!core)
		start();
	text = calloc(1, size + 1);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	path_len = strlen(text);
	body = path_len + 1 < size ? json_loadb(text + path_len + 1, size - path_len - 2, 0, NULL) : NULL;
	if (body && !json_is_object(body)) {
		json_decref(body);
		body = NULL;
	}
	ask((enum vault_op)(data[0] % (VAULT_OTHER + 1)), text, body);
	free(text);
	if (++inputs % INPUTS_PER_CORE == 0)
		stop();
	return 0;
}
