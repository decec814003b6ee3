/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the token store share. */
#pragma once

#include <openssl/evp.h>
#include <sys/queue.h>

#include "vault/embedded/auth_token/expiry_heap.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/token.h"

#define TOKEN_KEY_SIZE	    80	/* "token/ab/<62 hex digits>" and a NUL */
#define TOKEN_SALTED_SIZE   66	/* struct token's salted */
#define TOKEN_BATCH	    128 /* tokens that one step of expiry looks at */
#define TOKEN_CHILDREN_FOLDER "token-child/" /* + parent/ab/<62 hex digits>: the parent has this child */
#define TOKEN_TREES_FOLDER  "token-tree/" /* + <64 hex digits>: gone, and its children are to follow */
#define TOKEN_TREE_ORPHANS  "-orphans" /* end of such a name: the children live on */
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

	LIST_HEAD(, tree_pass) trees; /* under way */
	bool trees_resumed;

	bool tidying; /* token_tidy is at work */

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

/* As it is kept. NULL without memory. */
json_t *token_to_record(const struct token *token) NODISCARD;
/* What token_to_record gave, of the key SALTED. 0 or -EIO. */
int token_from_record(const char *salted, const json_t *record, struct token **ret) NODISCARD;
/* Reads the entry of SALTED, ended or not. 0, -ENOENT, -EAGAIN, -EIO. The caller owns *RET. */
int token_load(struct call *call, const char *salted, struct token **ret) NODISCARD;
/* Corrects the end of TOKEN, which was just read, where the store is a restored backup (restored.c). */
void token_restored(struct core *core, struct token *token);
/* Writes it. 0, -EAGAIN, -EIO, -ENOMEM. */
int token_store(struct call *call, const struct token *token) NODISCARD;
/* The mount that made TOKEN may be gone, and another one of its name made, or it was moved, and perhaps back: its
 * tokens end with that. */
bool token_mount_is_there(struct core *core, const struct token *token);
/* Whether TOKEN may still be used: not ended, its mount still there. */
bool token_is_valid(struct core *core, const struct token *token);
/* Its rest, as Vault counts it; 0 for one without an end. */
int64_t token_seconds_left(const struct token *token, int64_t now);
/* Loads it if it is valid. Otherwise as token_load. */
int token_load_valid(struct call *call, const char *salted, struct token **ret) NODISCARD;
/* What lookup shows of it (vault-core.md 3.5). ID: as presented. NULL without memory. */
json_t *token_show(const struct token *token, const char *id, int64_t now) NODISCARD;
/* The `auth` block of a login or renewal. CLIENT_TOKEN: as handed out. NULL without memory. */
json_t *token_auth_block(const struct token *token, const char *client_token, int64_t lease_duration) NODISCARD;

/* --- entity.c: adds what DATA of a lookup, or AUTH of a login or renewal, has from the token's entity. */

int token_show_entity(struct call *call, const struct token *token, json_t *data) NODISCARD;
int token_auth_entity(struct call *call, const struct token *token, json_t *auth) NODISCARD;

/* --- minting (create.c) */

/*
 * Gives TOKEN an id (or takes CUSTOM, if it is not ""), writes its record, notes its end. RET_ID, a secret, is what to
 * hand out. 0, -EEXIST where a token has the custom id, -EAGAIN, -errno. Whoever writes nothing else may call_relaxed.
 */
#define TOKEN_HANDED_SIZE (TOKEN_PRESENTED_MAX + 1)
int token_mint(
    struct call *call, struct token *token, const char *custom, char ret_id[static TOKEN_HANDED_SIZE]) NODISCARD;
/* Answers with the auth block of a token that was just made. 0 or -ENOMEM. */
int token_answer(struct call *call, const struct token *token, const char *id) NODISCARD;
/* Notes for the audit trail what the auth block of TOKEN does not tell. 0 or -ENOMEM. */
int token_note_names(struct call *call, const struct token *token) NODISCARD;
/* The first of POLICIES that no token may be given by name ("response-wrapping"); NULL. */
const char *token_reserved_policy(const json_t *policies);

/* --- batch tokens (batch.c) */

static inline bool token_is_batch(const struct token *token)
{
	return streq(token->type, "batch");
}
/* When TOKEN was made, as it is shown: Vault's batch tokens know whole seconds. */
static inline int64_t token_shown_issue(const struct token *token)
{
	return token_is_batch(token) ? token->creation_time / NANOTIME_SECOND * NANOTIME_SECOND : token->creation_time;
}
/* Whether PRESENTED claims to be one. */
bool token_looks_batch(const char *presented);
/* Seals TOKEN and answers with it. 0 or -errno. */
int token_mint_batch(struct call *call, const struct token *token) NODISCARD;
/* Opens a valid one. 0 (the caller's), -ENOENT, -EAGAIN, -errno. */
int token_open_batch(struct call *call, const char *presented, size_t len, struct token **ret) NODISCARD;

/* auth/token/create, create-orphan and create/<role> (child.c). */
engine_handler token_create, token_create_orphan;

/* --- all tokens (walk.c) */

/*
 * A walk over all records of tokens, as the state of a handler that may need many runs. LOOK sees each token once, in
 * no order, ended ones too; it may run again for a token whose run did not end, so it notes what it found only in the
 * walk's FOUND. 0, or a negative errno.
 */
struct token_walk {
	int (*look)(struct call *call, struct token_walk *walk, const struct token *token);
	json_t *found;					  /* array or object of the handler's; freed with the walk */
	char mount[sizeof(((struct mount *)NULL)->uuid)]; /* the uuid that LOOK looks for; "" for none */
	unsigned folder;
	json_t *names; /* of the folder; NULL: not listed yet */
	size_t at;
};

/* The call's walk, made by its first run with FOUND (taken over, also on failure). NULL without memory. */
struct token_walk *token_walk_of(struct call *call, json_t *found,
    int (*look)(struct call *call, struct token_walk *walk, const struct token *token)) NODISCARD;
/* Whether it has one. */
bool token_is_walking(const struct call *call);
/* Goes on. 0: all were seen; -EAGAIN (return it), -errno. */
int token_walk_run(struct call *call, struct token_walk *walk) NODISCARD;

/* LIST auth/token/accessors. */
engine_handler token_accessors;

/* --- trees (revoke.c) */

/* Notes CHILD among the children of PARENT (salted ids); the record of PARENT says has_children in the same
 * transaction. */
int token_add_child(struct call *call, const char *parent, const char *child) NODISCARD;
/* As token_revoke, but its children live on as orphans. */
int token_revoke_orphan(struct call *call, const struct token *token) NODISCARD;
/* Revokes the tokens of LIST (salted ids without their "h") with their trees, as token_revoke does. */
int tokens_revoke_list(struct call *call, json_t *list) NODISCARD;
/* Takes up what a former life of the daemon began: once, unsealed. */
void tokens_trees_resume(struct tokens *tokens);
void tokens_trees_stop(struct tokens *tokens);
/* Lets those go whose reply waits for a pass. */
void tokens_trees_answer(struct tokens *tokens);

/* auth/token/tidy (tidy.c). */
engine_handler token_tidy;

/* --- expiry (expiry.c) */

/* The token of SALTED ends at AT (0: never). 0 or -ENOMEM. */
int tokens_expire_at(struct tokens *tokens, const char *salted, int64_t at) NODISCARD;
/* The same for TOKEN, which is new or renewed, when the call's writes are durable. */
int token_expires(struct call *call, const struct token *token) NODISCARD;
/* TOKEN is gone when they are. */
int token_expires_never(struct call *call, const struct token *token) NODISCARD;
/* Begins the pass over all tokens anew: some may have lost their mount. */
void tokens_scan_again(struct tokens *tokens);
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
