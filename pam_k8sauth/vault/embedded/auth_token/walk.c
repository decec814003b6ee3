/* SPDX-License-Identifier: Apache-2.0 */
/* A handler's walk over all tokens: folder by folder, some at a time, so that neither loop nor cache notice it. */
#include <errno.h>

#include "vault/embedded/auth_token/tokens.h"

#define FOLDERS	 256
#define HEX_REST 62 /* digits of a salted id behind its folder's two */

static void walk_free(void *state)
{
	struct token_walk *walk = state;

	json_decref(walk->found);
	json_decref(walk->names);
	free(walk);
}

struct token_walk *token_walk_of(struct call *call, json_t *found,
    int (*look)(struct call *call, struct token_walk *walk, const struct token *token))
{
	struct token_walk *walk = call->state;

	if (walk) {
		json_decref(found);
		return walk;
	}
	walk = found ? calloc(1, sizeof(*walk)) : NULL;
	if (!walk) {
		json_decref(found);
		return NULL;
	}
	walk->look = look;
	walk->found = found;
	call->state = walk;
	call->state_free = walk_free;
	return walk;
}

bool token_is_walking(const struct call *call)
{
	return call->state && call->state_free == walk_free;
}

static int load_one(struct call *call, const struct token_walk *walk, const char *name, struct token **ret)
{
	char salted[TOKEN_SALTED_SIZE];

	if (strlen(name) != HEX_REST || strspn(name, "0123456789abcdef") != HEX_REST)
		return -ENOENT;
	snprintf(salted, sizeof(salted), "h%02x%s", walk->folder, name);
	return token_load(call, salted, ret);
}

/* The next tokens of the folder. All are read before the first is looked at: what LOOK notes stays noted. */
static int look_at_some(struct call *call, struct token_walk *walk)
{
	struct token *tokens[TOKEN_BATCH] = { 0 };
	size_t n = json_array_size(walk->names) - walk->at, i;
	int r = 0;

	n = n < TOKEN_BATCH ? n : TOKEN_BATCH;
	for (i = 0; i < n; i++) {
		int one = load_one(
		    call, walk, json_string_value(json_array_get(walk->names, walk->at + i)), &tokens[i]);

		if (one < 0 && one != -ENOENT && one != -EIO && r != -EAGAIN)
			r = one; /* after -EAGAIN the others are asked for before waiting */
		else if (one == -EAGAIN)
			r = one;
	}
	for (i = 0; i < n; i++) {
		if (r == 0 && tokens[i])
			r = walk->look(call, walk, tokens[i]);
		token_free(tokens[i]);
	}
	if (r == 0)
		walk->at += n;
	return r;
}

int token_walk_run(struct call *call, struct token_walk *walk)
{
	char folder[32];
	size_t seen = 0;
	int r;

	while (walk->folder < FOLDERS) {
		if (!walk->names) {
			snprintf(folder, sizeof(folder), "token/%02x/", walk->folder);
			r = core_list(call, folder, &walk->names);
			if (r < 0)
				return r;
		}
		if (walk->at < json_array_size(walk->names)) {
			if (seen >= TOKEN_BATCH) {
				call_yield(call);
				return -EAGAIN;
			}
			r = look_at_some(call, walk);
			if (r < 0)
				return r;
			seen += TOKEN_BATCH;
			continue;
		}
		json_decref(walk->names);
		walk->names = NULL;
		walk->at = 0;
		walk->folder++;
	}
	return 0;
}

static int note_accessor(struct call *call, struct token_walk *walk, const struct token *token)
{
	if (!token_is_valid(call->core, token))
		return 0;
	return json_array_append_new(walk->found, json_string(token->accessor)) ? -ENOMEM : 0;
}

int token_accessors(struct call *call)
{
	struct token_walk *walk = token_walk_of(call, json_array(), note_accessor);
	json_t *data;
	int r = walk ? token_walk_run(call, walk) : -ENOMEM;

	if (r < 0)
		return r;
	data = json_pack("{s:O}", "keys", walk->found);
	return data ? call_data(call, data) : -ENOMEM;
}
