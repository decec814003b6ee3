/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation. The token's record goes with the call that revokes it. If it made others, the same transaction leaves a
 * marker, and after it a pass of its own follows the tree down in small transactions: each removes some children, and
 * leaves a marker for every child that has children itself. So a tree of any size never stops the loop, and what a
 * crash interrupts is taken up again at the next start. The reply waits for the pass.
 */
#include <errno.h>

#include "base/log.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/cubbyhole/cubbyhole.h"
#include "vault/embedded/lease/lease.h"

#define RETRY_S		60	   /* after a step that the store refused */

enum {
	HEX_LEN = 64,
	SPLIT = 2, /* digits of a child that name its folder: no list of names is long */
	CHILD_KEY_SIZE = sizeof(TOKEN_CHILDREN_FOLDER) + 2 * HEX_LEN + 2,
	MARKER_KEY_SIZE = sizeof(TOKEN_TREES_FOLDER) + HEX_LEN + sizeof(TOKEN_TREE_ORPHANS),
};

/* A token that is gone, and whose children are to follow it, or to become orphans. "": a list of tokens of no tree. */
struct tree {
	char salted[TOKEN_SALTED_SIZE];
	bool orphans;
};

/* One pass: trees[at] is under way, those behind it wait. */
struct tree_pass {
	LIST_ENTRY(tree_pass) link;
	struct tokens *tokens;
	struct tree *trees;
	size_t n, at, size;
	bool from_markers; /* of a former life: they are not listed yet */
	json_t *folders;   /* of the children of trees[at]; NULL: not listed yet */
	size_t folders_at;
	json_t *names; /* the children in folders[folders_at], as hex; NULL: not listed yet */
	size_t names_at;
	size_t found;	     /* trees behind N that the step under way adds */
	struct call *waiter; /* held; NULL: none, or already answered */
	struct event *retry;
};

/* --- keys */

static void child_key(const char *parent, const char *child, char ret[static CHILD_KEY_SIZE])
{
	snprintf(ret, CHILD_KEY_SIZE, TOKEN_CHILDREN_FOLDER "%.*s/%.*s/%.*s", HEX_LEN, parent + 1, SPLIT, child + 1,
	    HEX_LEN - SPLIT, child + 1 + SPLIT);
}

static void marker_key(const struct tree *tree, char ret[static MARKER_KEY_SIZE])
{
	snprintf(ret, MARKER_KEY_SIZE, TOKEN_TREES_FOLDER "%.*s%s", HEX_LEN, tree->salted + 1, tree->orphans ? TOKEN_TREE_ORPHANS : "");
}

static bool is_hex(const char *name, size_t len)
{
	return strlen(name) >= len && strspn(name, "0123456789abcdef") == len;
}

int token_add_child(struct call *call, const char *parent, const char *child)
{
	json_auto_t *nothing = json_object();
	char key[CHILD_KEY_SIZE];

	child_key(parent, child, key);
	return nothing ? core_put(call, key, nothing) : -ENOMEM;
}

static void end_leases(struct core *core, int r, void *arg)
{
	if (r == 0)
		leases_token_gone(core, arg);
	free(arg);
}

/* The leases of TOKEN end when it is gone. */
static int note_leases(struct call *call, const struct token *token)
{
	char *hex;

	if (!token->has_leases)
		return 0;
	hex = strdup(token->salted + 1);
	if (!hex)
		return -ENOMEM;
	call_on_commit(call, end_leases, hex);
	return 0;
}

/* Removes the record of TOKEN, what it keeps in its cubbyhole, and it from among its parent's children. */
static int forget(struct call *call, const struct token *token)
{
	char key[TOKEN_KEY_SIZE], child[CHILD_KEY_SIZE];
	int r;

	token_key(token->salted, key);
	r = core_delete(call, key);
	if (r == 0)
		r = cubbyhole_forget(call, token->salted);
	if (r == 0 && *token->parent) {
		child_key(token->parent, token->salted, child);
		r = core_delete(call, child);
	}
	if (r == 0)
		r = note_leases(call, token);
	return r < 0 ? r : token_expires_never(call, token);
}

static int mark(struct call *call, const struct tree *tree)
{
	json_auto_t *nothing = json_object();
	char key[MARKER_KEY_SIZE];

	marker_key(tree, key);
	return nothing ? core_put(call, key, nothing) : -ENOMEM;
}

/* --- passes */

/* Adds a tree behind those that the pass has. 0 or -ENOMEM. */
static int add_tree(struct tree_pass *pass, const char *hex, bool orphans)
{
	struct tree *tree;

	if (pass->n + pass->found == pass->size) {
		size_t size = pass->size ? 2 * pass->size : 8;
		struct tree *more = reallocarray(pass->trees, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		pass->trees = more;
		pass->size = size;
	}
	tree = &pass->trees[pass->n + pass->found++];
	snprintf(tree->salted, sizeof(tree->salted), "h%.*s", HEX_LEN, hex);
	tree->orphans = orphans;
	return 0;
}

static void pass_free(struct tree_pass *pass)
{
	if (pass->retry)
		event_free(pass->retry);
	json_decref(pass->folders);
	json_decref(pass->names);
	free(pass->trees);
	free(pass);
}

static void answer_waiter(struct tree_pass *pass)
{
	struct call *waiter = TAKE_PTR(pass->waiter);

	if (waiter)
		call_resume(waiter);
}

static void pass_end(struct tree_pass *pass)
{
	LIST_REMOVE(pass, link);
	answer_waiter(pass);
	pass_free(pass);
}

void tokens_trees_answer(struct tokens *tokens)
{
	struct tree_pass *pass;

	LIST_FOREACH(pass, &tokens->trees, link) answer_waiter(pass);
}

void tokens_trees_stop(struct tokens *tokens)
{
	struct tree_pass *pass;

	while ((pass = LIST_FIRST(&tokens->trees))) {
		LIST_REMOVE(pass, link);
		pass_free(pass);
	}
}

/* Removes the note that TREE has the child HEX. */
static int drop_child(struct call *call, const struct tree *tree, const char *hex)
{
	char salted[TOKEN_SALTED_SIZE], key[CHILD_KEY_SIZE];

	if (!*tree->salted)
		return 0;
	snprintf(salted, sizeof(salted), "h%s", hex);
	child_key(tree->salted, salted, key);
	return core_delete(call, key);
}

/* One child of TREE: gone, or an orphan. 0, -EAGAIN, -errno. */
static int do_child(struct call *call, struct tree_pass *pass, const struct tree *tree, const char *hex)
{
	struct token *child AUTO_TOKEN = NULL;
	char salted[TOKEN_SALTED_SIZE];
	int r;

	if (!is_hex(hex, HEX_LEN))
		return -EIO;
	snprintf(salted, sizeof(salted), "h%s", hex);
	r = token_load(call, salted, &child);
	if (r == -ENOENT || r == -EIO) /* gone, or broken: it is no token */
		return drop_child(call, tree, hex);
	if (r < 0)
		return r;
	if (tree->orphans) {
		*child->parent = '\0';
		child->orphan = child->orphaned = true;
		r = token_store(call, child);
		return r < 0 ? r : drop_child(call, tree, hex);
	}
	r = forget(call, child);
	if (r == 0 && child->has_children) {
		r = add_tree(pass, hex, false);
		if (r == 0)
			r = mark(call, &pass->trees[pass->n + pass->found - 1]);
	}
	return r;
}

/* The children of TREE in FOLDER ("ab/"), as hex. */
static int list_folder(struct call *call, const struct tree *tree, const char *folder, json_t **ret)
{
	char whole[CHILD_KEY_SIZE], hex[HEX_LEN + 1];
	json_auto_t *names = NULL, *children = json_array();
	json_t *name;
	size_t i;
	int r;

	snprintf(whole, sizeof(whole), TOKEN_CHILDREN_FOLDER "%.*s/%s", HEX_LEN, tree->salted + 1, folder);
	r = children ? core_list(call, whole, &names) : -ENOMEM;
	json_array_foreach(names, i, name)
	{
		snprintf(hex, sizeof(hex), "%.*s%.*s", SPLIT, folder, HEX_LEN - SPLIT, json_string_value(name));
		if (r == 0 && json_array_append_new(children, json_string(hex)))
			r = -ENOMEM;
	}
	if (r == 0)
		*ret = json_incref(children);
	return r;
}

/* Sees to it that pass->names has children to work on. A list of tokens has them from the start. */
static int list_children(struct call *call, struct tree_pass *pass, const struct tree *tree)
{
	char whole[CHILD_KEY_SIZE];
	const char *folder;
	int r = 0;

	if (pass->names)
		return 0;
	if (!pass->folders) {
		snprintf(whole, sizeof(whole), TOKEN_CHILDREN_FOLDER "%.*s/", HEX_LEN, tree->salted + 1);
		r = core_list(call, whole, &pass->folders);
	}
	folder = json_string_value(json_array_get(pass->folders, pass->folders_at));
	if (r == 0 && folder)
		return list_folder(call, tree, folder, &pass->names);
	if (r == 0)
		pass->names = json_array();
	return r < 0 ? r : pass->names ? 0 : -ENOMEM;
}

static bool last_folder(const struct tree_pass *pass)
{
	return pass->folders_at + 1 >= json_array_size(pass->folders);
}

static int unmark(struct call *call, const struct tree *tree)
{
	char key[MARKER_KEY_SIZE];

	if (!*tree->salted)
		return 0;
	marker_key(tree, key);
	return core_delete(call, key);
}

/* The next children of the tree under way; with the last of them its marker goes. */
static int do_children(struct call *call, struct tree_pass *pass)
{
	const struct tree tree = pass->trees[pass->at];
	bool waiting = false;
	size_t i;
	int r = list_children(call, pass, &tree);

	if (r < 0)
		return r;
	for (i = pass->names_at; i < pass->names_at + TOKEN_BATCH && i < json_array_size(pass->names); i++) {
		r = do_child(call, pass, &tree, json_string_value(json_array_get(pass->names, i)));
		if (r == -EAGAIN)
			waiting = true; /* ask for the others before waiting for this one */
		else if (r < 0)
			return r;
	}
	if (waiting)
		return -EAGAIN;
	return i < json_array_size(pass->names) || !last_folder(pass) ? 0 : unmark(call, &tree);
}

/* The trees that a former life left. */
static int find_markers(struct call *call, struct tree_pass *pass)
{
	json_auto_t *names = NULL;
	size_t i;
	json_t *name;
	int r = core_list(call, TOKEN_TREES_FOLDER, &names);

	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);

		if (r == 0 && is_hex(text, HEX_LEN))
			r = add_tree(pass, text, streq(text + HEX_LEN, TOKEN_TREE_ORPHANS));
	}
	return r;
}

static int pass_step(struct call *call)
{
	struct tree_pass *pass = call->state;

	pass->found = 0;
	return pass->from_markers ? find_markers(call, pass) : do_children(call, pass);
}

static void run_pass(struct tree_pass *pass);

static void on_retry(evutil_socket_t fd, short events, void *arg)
{
	run_pass(arg);
}

/* The store refused a step: whoever waits is told, and it is tried again later. */
static void pass_failed(struct tree_pass *pass, int r)
{
	struct timeval delay = { .tv_sec = RETRY_S };

	log_warning("revoking the children of a token failed: %s; trying again in %d s", strerror(-r), RETRY_S);
	if (pass->waiter)
		call_error(pass->waiter, 500, "the token's children could not be revoked yet");
	answer_waiter(pass);
	if (!pass->retry)
		pass->retry = evtimer_new(core_base(pass->tokens->core), on_retry, pass);
	if (!pass->retry || evtimer_add(pass->retry, &delay) < 0)
		pass_end(pass); /* the markers stay for the next start */
}

/* To the next children, folder or tree. */
static void go_on(struct tree_pass *pass)
{
	bool last = last_folder(pass);

	pass->names_at += TOKEN_BATCH;
	if (pass->names_at < json_array_size(pass->names))
		return;
	json_decref(pass->names);
	pass->names = NULL;
	pass->names_at = 0;
	pass->folders_at++;
	if (!last)
		return;
	json_decref(pass->folders);
	pass->folders = NULL;
	pass->folders_at = 0;
	pass->at++;
}

static void pass_step_done(void *arg, int r)
{
	struct tree_pass *pass = arg;

	if (r == -ECANCELED) { /* the daemon stops; the markers stay */
		pass_end(pass);
		return;
	}
	if (r < 0) {
		pass_failed(pass, r);
		return;
	}
	pass->n += pass->found;
	if (!pass->from_markers)
		go_on(pass);
	pass->from_markers = false;
	if (pass->at == pass->n)
		pass_end(pass);
	else
		run_pass(pass);
}

static void run_pass(struct tree_pass *pass)
{
	core_run(pass->tokens->core, pass_step, pass, NULL, pass_step_done, pass);
}

static struct tree_pass *pass_new(struct tokens *tokens)
{
	struct tree_pass *pass = calloc(1, sizeof(*pass));

	if (!pass)
		return NULL;
	pass->tokens = tokens;
	return pass;
}

void tokens_trees_resume(struct tokens *tokens)
{
	struct tree_pass *pass = pass_new(tokens);

	if (!pass) {
		log_error("no memory to look for half revoked trees of tokens: restart k8sauthd");
		return;
	}
	pass->from_markers = true;
	LIST_INSERT_HEAD(&tokens->trees, pass, link);
	run_pass(pass);
}

/* --- what begins one */

static void after_revoked(struct core *core, int r, void *arg)
{
	struct tree_pass *pass = arg;

	if (r < 0) {
		pass_free(pass);
		return;
	}
	LIST_INSERT_HEAD(&pass->tokens->trees, pass, link);
	call_hold(pass->waiter);
	run_pass(pass);
}

/* A pass for what CALL revokes: it begins with the commit, and the reply waits for it. PASS is taken over. */
static void begin_after_commit(struct call *call, struct tree_pass *pass)
{
	pass->n = 1;
	pass->found = 0;
	pass->waiter = call;
	call_on_commit(call, after_revoked, pass);
}

static int revoke_token(struct call *call, const struct token *token, bool orphans)
{
	struct tree_pass *pass;
	int r = forget(call, token);

	if (r < 0 || !token->has_children)
		return r;
	pass = pass_new(core_tokens(call->core));
	r = pass ? add_tree(pass, token->salted + 1, orphans) : -ENOMEM;
	if (r == 0)
		r = mark(call, &pass->trees[0]);
	if (r == 0)
		begin_after_commit(call, pass);
	else if (pass)
		pass_free(pass);
	return r;
}

int tokens_revoke_list(struct call *call, json_t *list)
{
	struct tree_pass *pass = pass_new(core_tokens(call->core));
	int r = pass ? add_tree(pass, "", false) : -ENOMEM;

	if (r == 0) {
		*pass->trees[0].salted = '\0';
		pass->names = json_incref(list);
		begin_after_commit(call, pass);
	} else if (pass) {
		pass_free(pass);
	}
	return r;
}

int token_revoke(struct call *call, const struct token *token)
{
	return revoke_token(call, token, false);
}

int token_revoke_orphan(struct call *call, const struct token *token)
{
	return revoke_token(call, token, true);
}
