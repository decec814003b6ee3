/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes everything that stands between a socket and a Vault request: reader, target, query, form, JSON. The first byte
 * says how the input is cut, since the result must not depend on it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_go.h"
#include "base/text.h"
#include "daemon/http_json.h"
#include "daemon/http_parse.h"
#include "daemon/http_target.h"

#define MAX_BODY 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
	if (!good)
		abort();
}

static void read_request(const struct http_request *request)
{
	struct http_target target;
	const char *why;
	json_t *query;

	check(request->n_fields <= HTTP_FIELDS_MAX);
	for (size_t i = 0; i < request->n_fields; i++)
		check(strpbrk(request->fields[i].value, "\r\n") == NULL && *request->fields[i].name);
	(void)http_request_has_token(request, "Connection", "close");
	if (http_target_parse(request->target, &target, &why) < 0)
		return;
	check(*target.path == '/' && utf8_valid(target.path, strlen(target.path)));
	check(!target.redirect || *target.redirect == '/');
	check(!target.redirect || target.redirect[1] != '/');
	if (http_query_parse(target.query, strlen(target.query), false, &query) == 0)
		json_decref(query);
	http_target_free(&target);
}

static void read_body(const struct buf *body)
{
	char error[HTTP_JSON_ERROR_SIZE] = "";
	json_t *json = NULL;
	int status = http_json_decode(body->data, body->len, &json, error);

	check(body->len <= MAX_BODY);
	check(status == 0 ? json == NULL || json_is_object(json) : status >= 400 && *error && !json);
	if (json) {
		AUTO_BUF struct buf text = { 0 };
		json_t *back = NULL;

		json_go_encode(json, &text);
		check(http_json_decode(text.data, text.len, &back, error) == 0 && json_equal(json, back));
		json_decref(back);
	}
	json_decref(json);
	if (http_query_parse(body->data, body->len, true, &json) == 0)
		json_decref(json);
}

/* Feeds in pieces of STEP bytes; the number of bytes up to the end of the first request or the refusal. */
static size_t feed(struct http_parser *parser, const char *data, size_t size, size_t step)
{
	size_t used = 0;

	http_parser_init(parser, MAX_BODY);
	while (used < size && (parser->state == HTTP_HEAD || parser->state == HTTP_BODY)) {
		size_t n = size - used < step ? size - used : step, took;

		took = http_parser_feed(parser, data + used, n);
		check(took <= n);
		check(took == n || parser->state == HTTP_DONE || parser->state == HTTP_BAD);
		used += took;
	}
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_parser whole, cut;
	const char *text = (const char *)data + 1;
	size_t used;

	if (size < 1)
		return 0;
	used = feed(&whole, text, size - 1, size);
	check(feed(&cut, text, size - 1, data[0] % 64 + 1) == used);
	check(whole.state == cut.state && whole.status == cut.status && whole.why == cut.why);
	if (whole.state == HTTP_DONE) {
		check(whole.request.body.len == cut.request.body.len);
		read_request(&whole.request);
		if (whole.request.body.len > 0)
			read_body(&whole.request.body);
	}
	http_parser_reset(&whole);
	http_parser_reset(&cut);
	return 0;
}
