/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch tokens: the entry itself, sealed by the barrier, is what is handed out, and nothing is stored. So they can be
 * neither renewed nor revoked; they end with their time, and with the token that made them.
 */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/core_internal.h"

#define PREFIX	  "hvb."
#define SEAL_PATH "token/batch" /* no record's key: those lie in folders of two digits */
#define TEXT_MAX  16384		/* bytes of one; a header has no more */

bool token_looks_batch(const char *presented)
{
	return starts_with(presented, PREFIX);
}

/* SEALED as text. A secret; NULL without memory. */
static char *to_text(const struct store_blob *sealed)
{
	char *text = malloc(strlen(PREFIX) + base64url_size(sealed->len));

	if (text) {
		memcpy(text, PREFIX, strlen(PREFIX));
		base64url_encode(sealed->data, sealed->len, text + strlen(PREFIX));
	}
	return text;
}

int token_mint_batch(struct call *call, const struct token *token)
{
	json_auto_t *record = token_to_record(token);
	char *plain = record ? json_dumps(record, JSON_COMPACT) : NULL, *text = NULL;
	struct store_blob sealed = { 0 };
	int r = plain ? barrier_seal(call->core->barrier, SEAL_PATH, strlen(SEAL_PATH), plain, strlen(plain), &sealed)
		      : -ENOMEM;

	free(plain);
	if (r == 0)
		text = to_text(&sealed);
	if (r == 0)
		r = text ? token_answer(call, token, text) : -ENOMEM;
	if (text)
		wipe(text, strlen(text));
	free(text);
	free(sealed.data);
	return r;
}

/* What PRESENTED seals. 0, -ENOENT for what we did not seal, -ENOMEM. */
static int unseal(struct call *call, const char *presented, size_t len, struct token **ret)
{
	struct store_blob sealed = { .data = malloc(len) }, plain = { 0 };
	json_auto_t *record = NULL;
	ssize_t size = sealed.data ? base64url_decode(presented, len, sealed.data) : -ENOMEM;
	int r = size == -ENOMEM ? -ENOMEM : size < 0 ? -ENOENT : 0;

	if (r == 0) {
		sealed.len = (size_t)size;
		r = barrier_open(call->core->barrier, SEAL_PATH, strlen(SEAL_PATH), &sealed, &plain);
	}
	if (r == 0)
		record = json_loadb((const char *)plain.data, plain.len, 0, NULL);
	if (r == 0)
		r = token_from_record("", record, ret);
	if (plain.data)
		wipe(plain.data, plain.len);
	free(plain.data);
	free(sealed.data);
	return r == -ENOMEM ? r : r < 0 ? -ENOENT : 0;
}

int token_open_batch(struct call *call, const char *presented, size_t len, struct token **ret)
{
	struct token *token, *parent AUTO_TOKEN = NULL;
	int r;

	if (len > TEXT_MAX || len <= strlen(PREFIX))
		return -ENOENT;
	r = unseal(call, presented + strlen(PREFIX), len - strlen(PREFIX), &token);
	if (r < 0)
		return r;
	if (!token_is_batch(token) || !token_is_valid(call->core, token))
		r = -ENOENT;
	if (r == 0 && *token->parent)
		r = token_load_valid(call, token->parent, &parent);
	if (r < 0)
		token_free(token);
	else
		*ret = token;
	return r;
}
