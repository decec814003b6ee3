/* SPDX-License-Identifier: Apache-2.0 */
/* sys/leases by prefix: listing and revoking what a walk over all tokens finds. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/leases_internal.h"

/* The prefix of the path, with a '/' at its end where it has any text. NULL without memory. */
static char *wanted_prefix(const struct call *call)
{
	const char *prefix = call_capture(call, "prefix");
	char *text;

	return asprintf(&text, "%s%s", prefix, *prefix && !ends_with(prefix, "/") ? "/" : "") < 0 ? NULL : text;
}

/* The part of TOKEN's lease id behind the prefix of CALL; NULL where it does not begin so. *RET_WHOLE is freed by the
 * caller. */
static const char *below_prefix(struct call *call, const struct token *token, char **ret_whole)
{
	char *prefix AUTO_FREE = wanted_prefix(call);

	if (asprintf(ret_whole, "%s/%s", token->path, token->salted) < 0)
		*ret_whole = NULL;
	return prefix && *ret_whole && starts_with(*ret_whole, prefix) ? *ret_whole + strlen(prefix) : NULL;
}

/* --- listing */

static int note_name(struct call *call, struct token_walk *walk, const struct token *token)
{
	char *whole AUTO_FREE = NULL, *name AUTO_FREE = NULL;
	const char *below;

	if (!lease_of_token(call->core, token))
		return 0;
	below = below_prefix(call, token, &whole);
	if (!whole)
		return -ENOMEM;
	if (!below)
		return 0;
	name = strndup(below, strcspn(below, "/") + (strchr(below, '/') != NULL));
	return name && json_object_set_new(walk->found, name, json_true()) == 0 ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of SET in order. NULL without memory. */
static json_t *sorted_keys(json_t *set)
{
	const char **names AUTO_FREE = calloc(json_object_size(set) + 1, sizeof(*names));
	json_t *keys = json_array(), *value;
	const char *name;
	size_t n = 0;
	bool ok = names && keys;

	if (ok) {
		json_object_foreach(set, name, value) names[n++] = name;
		qsort(names, n, sizeof(*names), compare_names);
	}
	for (size_t i = 0; ok && i < n; i++)
		ok = json_array_append_new(keys, json_string(names[i])) == 0;
	if (ok)
		return keys;
	json_decref(keys);
	return NULL;
}

int leases_list(struct call *call)
{
	struct token_walk *walk = token_walk_of(call, json_object(), note_name);
	json_t *keys, *data;
	int r = walk ? token_walk_run(call, walk) : -ENOMEM;

	if (r < 0)
		return r;
	if (json_object_size(walk->found) == 0)
		return call_data(call, NULL);
	keys = sorted_keys(walk->found);
	data = keys ? json_pack("{s:o}", "keys", keys) : NULL;
	return data ? call_data(call, data) : -ENOMEM;
}

/* --- revoking */

static int note_salted(struct call *call, struct token_walk *walk, const struct token *token)
{
	char *whole AUTO_FREE = NULL;
	const char *below;

	if (!lease_of_token(call->core, token))
		return 0;
	below = below_prefix(call, token, &whole);
	if (!whole)
		return -ENOMEM;
	return below && json_array_append_new(walk->found, json_string(token->salted + 1)) ? -ENOMEM : 0;
}

/* The prefix may be one lease's id. 0, 1 where it was none, -EAGAIN, -errno. */
static int revoke_one(struct call *call)
{
	struct token *token AUTO_TOKEN = NULL;
	int r = lease_find(call, call_capture(call, "prefix"), &token);

	if (r == 0)
		r = token_revoke(call, token);
	return r == -ENOENT ? 1 : r;
}

/* 0, 1 after a refusal, or an errno. */
static int revoke_all(struct call *call)
{
	struct token_walk *walk;
	int r = revoke_one(call);

	if (r <= 0)
		return r;
	walk = token_walk_of(call, json_array(), note_salted);
	r = walk ? token_walk_run(call, walk) : -ENOMEM;
	return r < 0 ? r : tokens_revoke_list(call, walk->found);
}

int leases_revoke_prefix(struct call *call)
{
	bool sync = true;
	int r = call_field_bool(call, "sync", &sync, NULL);

	if (r == 0)
		r = revoke_all(call);
	return r < 0 ? r : r > 0 ? 0 : lease_answer_revoked(call, sync);
}

/* Forcing means not to mind the engines' errors, which tokens have none of. */
int leases_revoke_force(struct call *call)
{
	int r = revoke_all(call);

	return r < 0 ? r : lease_answer_revoked(call, true);
}

/* --- a mount that goes away */

static int note_of_mount(struct call *call, struct token_walk *walk, const struct token *token)
{
	bool of_mount = streq(token->mount, walk->mount);

	return of_mount && json_array_append_new(walk->found, json_string(token->salted + 1)) ? -ENOMEM : 0;
}

/* Logins went on while the walk was under way: what they made has lost its mount, and goes with what it made. */
static void after_mount_went(struct core *core, int r, void *arg)
{
	(void)arg;
	if (r == 0)
		tokens_scan_again(core_tokens(core));
}

int tokens_revoke_mount(struct call *call, const struct mount *mount)
{
	struct token_walk *walk = token_walk_of(call, json_array(), note_of_mount);
	int r;

	if (!walk)
		return -ENOMEM;
	if (!*walk->mount)
		snprintf(walk->mount, sizeof(walk->mount), "%s", mount->uuid);
	r = token_walk_run(call, walk);
	if (r == 0)
		r = tokens_revoke_list(call, walk->found);
	if (r == 0)
		call_on_commit(call, after_mount_went, NULL);
	return r;
}
