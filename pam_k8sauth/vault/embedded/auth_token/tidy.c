/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth/token/tidy: notes of children whose token is gone go, children whose parent is gone become orphans, and what tokens
 * that are gone kept in their cubbyholes goes, as in Vault. Accessors have no records here that could be left over (id.c).
 */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/cubbyhole/cubbyhole.h"
#include "vault/embedded/tidy.h"

#define HEX_LEN 64

static bool is_hex(const char *text)
{
	return strlen(text) == HEX_LEN && strspn(text, "0123456789abcdef") == HEX_LEN;
}

/* 0 (the caller's), -ENOENT, -EAGAIN, -EIO, -errno. */
static int load(struct call *call, const char *hex, struct token **ret)
{
	char salted[TOKEN_SALTED_SIZE];

	if (!is_hex(hex))
		return -EIO;
	snprintf(salted, sizeof(salted), "h%s", hex);
	return token_load(call, salted, ret);
}

/* PARENT is gone: CHILD lives on without it. */
static int make_orphan(struct call *call, struct token *child, const char *parent)
{
	if (!streq(child->parent, parent))
		return 0;
	*child->parent = '\0';
	child->orphan = child->orphaned = true;
	return token_store(call, child);
}

/* NAME in FOLDER notes that PARENT ("h" and 64 digits) has a child. It stays if both are there, or nobody can say. */
static int look_at_note(struct call *call, struct tidy *tidy, const char *folder, const char *name, const char *parent)
{
	struct token *token AUTO_TOKEN = NULL, *child AUTO_TOKEN = NULL;
	char hex[HEX_LEN + 1];
	int of_parent = load(call, parent + 1, &token), of_child, r = 0;

	snprintf(hex, sizeof(hex), "%.2s%.*s", folder + strlen(folder) - 3, HEX_LEN - 2, name);
	of_child = load(call, hex, &child);
	if (of_parent == -EAGAIN || of_child == -EAGAIN)
		return -EAGAIN;
	if (of_child != -ENOENT && (of_child < 0 || of_parent != -ENOENT))
		return of_child < 0 ? of_child : of_parent;
	if (child)
		r = make_orphan(call, child, parent);
	if (r < 0)
		return r;
	return tidy_remove(call, tidy, folder, name);
}

/* Whether a pass follows the tree of PARENT, which is gone, or will take it up. 1, 0, -EAGAIN, -errno. */
static int tree_is_marked(struct call *call, const char *parent, const char *ending)
{
	char key[sizeof(TOKEN_TREES_FOLDER) + HEX_LEN + sizeof(TOKEN_TREE_ORPHANS)];
	json_auto_t *nothing = NULL;
	int r;

	snprintf(key, sizeof(key), TOKEN_TREES_FOLDER "%.*s%s", HEX_LEN, parent + 1, ending);
	r = core_get(call, key, &nothing);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* token-child/<parent>/<two digits>/<the others> */
static int look_at_child(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	const char *below = folder + strlen(TOKEN_CHILDREN_FOLDER);
	char parent[TOKEN_SALTED_SIZE];
	int r;

	if (ends_with(name, "/"))
		return TIDY_BELOW;
	if (strlen(below) != HEX_LEN + strlen("/ab/"))
		return -EIO;
	snprintf(parent, sizeof(parent), "h%.*s", HEX_LEN, below);
	r = tree_is_marked(call, parent, "");
	if (r == 0)
		r = tree_is_marked(call, parent, TOKEN_TREE_ORPHANS);
	return r ? r < 0 ? r : 0 : look_at_note(call, tidy, folder, name, parent);
}

/* cubbyhole/<salted>/... */
static int look_at_cubbyhole(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	struct token *token AUTO_TOKEN = NULL;
	char salted[TOKEN_SALTED_SIZE];
	int r;

	(void)folder;
	if (strlen(name) != TOKEN_SALTED_SIZE || *name != 'h' || !ends_with(name, "/"))
		return -EIO;
	snprintf(salted, sizeof(salted), "%.*s", TOKEN_SALTED_SIZE - 1, name);
	r = load(call, salted + 1, &token);
	if (r != -ENOENT)
		return r;
	tidy_removed(tidy);
	return cubbyhole_forget(call, salted);
}

static const struct tidy_folder folders[] = {
	{ TOKEN_CHILDREN_FOLDER, look_at_child },
	{ CUBBYHOLE_FOLDER, look_at_cubbyhole },
	{ 0 },
};

int token_tidy(struct call *call)
{
	int r = tidy_start(call->core, "tokens", folders, &core_tokens(call->core)->tidying);

	if (r == -EBUSY) {
		call_warn(call, "Tidy operation already in progress.");
		return call_done(call);
	}
	return r < 0 ? r : tidy_answer(call);
}
