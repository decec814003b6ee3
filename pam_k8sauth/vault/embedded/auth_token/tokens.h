/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the token store share. */
#pragma once

#include <openssl/evp.h>

#include "vault/embedded/auth_token/expiry_heap.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/token.h"

#define TOKEN_KEY_SIZE	    80	/* "token/ab/<62 hex digits>" and a NUL */
#define TOKEN_SALTED_SIZE   66	/* struct token's salted */
#define TOKEN_BATCH	    128 /* tokens that one step of expiry looks at */
#define TOKEN_PRESENTED_MAX 256 /* bytes of anything that could be a token of ours */

/* The background pass over all tokens: 256 folders, one after the other, a few names at a time. */
struct token_scan {
	unsigned folder; /* 256: done */
	json_t *names;	 /* of the folder; NULL: not listed yet */
	size_t at;
	size_t found, orphans; /* orphans of this step, revoked by this pass */
	bool running, restart;
};

struct tokens {
	struct core *core;
	EVP_MAC *mac;
	EVP_MAC_CTX *accessor_mac, *salt_mac, *sign_mac; /* keyed once; NULL until tokens_start */

	struct expiry_heap heap;
	struct event *expiry_timer, *scan_timer;
	struct expiry_item batch[TOKEN_BATCH];
	size_t batch_n;
	bool expiring;	 /* the batch is under way */
	bool batch_full; /* the last one was: more are waiting */
	struct token_scan scan;

	bool (*keep)(void *arg, const char *session_id); /* NULL: no orphans asked for */
	void *keep_arg;
	int64_t keep_before; /* tokens issued later are of this life */
};

/* --- ids (id.c) */

/* Reads the keys, or makes and writes them. 0, -EAGAIN, -EIO... */
int token_keys_start(struct call *call, struct tokens *tokens) NODISCARD;
void token_keys_free(struct tokens *tokens);

/* The accessor of the internal id ID (any text up to TOKEN_PRESENTED_MAX). 0 or -EIO. */
int token_id_accessor(
    struct tokens *tokens, const char *id, size_t len, char ret[static TOKEN_ACCESSOR_LEN + 1]) NODISCARD;
/* The key of an accessor. 0 or -EIO. */
int token_accessor_salted(struct tokens *tokens, const char *accessor, char ret[static TOKEN_SALTED_SIZE]) NODISCARD;
/* The key of what a client presents: the signature of the signed form is checked. 0, -ENOENT, -EIO. */
int token_presented_salted(
    struct tokens *tokens, const char *presented, size_t len, char ret[static TOKEN_SALTED_SIZE]) NODISCARD;
/* The signed form of the internal id ID of TOKEN_ID_LEN bytes. 0 or -EIO. RET is a secret. */
int token_sign(struct tokens *tokens, const char *id, char ret[static TOKEN_SIGNED_LEN + 1]) NODISCARD;
/* "h" + hex to bytes. SALTED is well-formed. */
void token_salted_bytes(const char *salted, unsigned char ret[static EXPIRY_KEY_LEN]);
void token_bytes_salted(const unsigned char bytes[static EXPIRY_KEY_LEN], char ret[static TOKEN_SALTED_SIZE]);
/* The store's key of a salted id. */
void token_key(const char *salted, char ret[static TOKEN_KEY_SIZE]);

/* --- entries (entry.c) */

/* Reads the entry of SALTED, ended or not. 0, -ENOENT, -EAGAIN, -EIO. The caller owns *RET. */
int token_load(struct call *call, const char *salted, struct token **ret) NODISCARD;
/* Writes it. 0, -EAGAIN, -EIO, -ENOMEM. */
int token_store(struct call *call, const struct token *token) NODISCARD;
/* Loads it if it may still be used: not ended, its mount still there. Otherwise as token_load. */
int token_load_valid(struct call *call, const char *salted, struct token **ret) NODISCARD;
/* What lookup shows of it (vault-core.md 3.5). ID: as presented. NULL without memory. */
json_t *token_show(const struct token *token, const char *id, int64_t now) NODISCARD;
/* The `auth` block of a login or renewal. CLIENT_TOKEN: as handed out. NULL without memory. */
json_t *token_auth_block(const struct token *token, const char *client_token, int64_t lease_duration) NODISCARD;

/* --- entity.c: adds what DATA of a lookup, or AUTH of a login or renewal, has from the token's entity. */

int token_show_entity(struct call *call, const struct token *token, json_t *data) NODISCARD;
int token_auth_entity(struct call *call, const struct token *token, json_t *auth) NODISCARD;
/* Policies as a token gets them: trimmed, lower-case, sorted, once each, with "default" unless NO_DEFAULT. */
int token_clean_policies(const json_t *policies, bool no_default, json_t **ret) NODISCARD;

/* --- expiry (expiry.c) */

/* The token of SALTED ends at AT (0: never). 0 or -ENOMEM. */
int tokens_expire_at(struct tokens *tokens, const char *salted, int64_t at) NODISCARD;
void tokens_expire_never(struct tokens *tokens, const char *salted);
int tokens_expiry_start(struct tokens *tokens) NODISCARD;
void tokens_expiry_stop(struct tokens *tokens);

#define TOKEN_FIRST_ROOT_PATH "auth/token/root"

/* The root token of an initialisation: Vault keeps no lease for it, so it shows less and is renewed with another text.
 */
static inline bool token_is_first_root(const struct token *token)
{
	return token->root && streq(token->path, TOKEN_FIRST_ROOT_PATH);
}

static inline void cleanup_token(struct token **token)
{
	token_free(*token);
}
#define AUTO_TOKEN CLEANUP(cleanup_token)

/* --- renewal (renew.c): answers as auth/token/renew does. PRESENTED: shown as client_token. */
int token_renew(struct call *call, struct token *token, const char *presented) NODISCARD;
