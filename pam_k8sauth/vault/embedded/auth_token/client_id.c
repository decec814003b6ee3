/* SPDX-License-Identifier: Apache-2.0 */
/* The id of the client that a token stands for. */
#include <openssl/sha.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/token.h"

#define POLICIES_MAX (1024 * 1024) /* bytes of all names */

char *token_client_id(const struct token *token)
{
	static const char root_namespace[] = "root";
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char id[base64_size(sizeof(digest))];
	struct buf text AUTO_BUF = BUF_MAX(POLICIES_MAX);

	if (token->entity_id && *token->entity_id)
		return strdup(token->entity_id);
	for (size_t i = 0; i < json_array_size(token->policies); i++) {
		const json_t *name = json_array_get(token->policies, i);

		if (i)
			buf_add_char(&text, '\x7f');
		buf_add(&text, json_string_value(name), json_string_length(name));
	}
	buf_add_char(&text, '\0');
	buf_add_str(&text, root_namespace);
	if (text.failed || !SHA256((const unsigned char *)text.data, text.len, digest))
		return NULL;
	base64_encode(digest, sizeof(digest), id);
	return strdup(id);
}
