/* SPDX-License-Identifier: Apache-2.0 */
/* sys/leases by prefix: listing and revoking what a walk over all tokens finds. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/leases_internal.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease.h"

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

/*
 * What a walk finds below a prefix. LEAVES, names of leases, come in order, since the walk goes by tokens' keys, and each once;
 * folders, which end in '/', are few. So there is no step at the end that has many names to sort.
 */
static json_t *found_new(void)
{
	return json_pack("{s:[], s:{}}", "leaves", "folders");
}

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
	if (!strchr(below, '/'))
		return json_array_append_new(json_object_get(walk->found, "leaves"), json_string(below)) ? -ENOMEM : 0;
	name = strndup(below, strcspn(below, "/") + 1);
	return name && json_object_set_new(json_object_get(walk->found, "folders"), name, json_true()) == 0 ? 0 : -ENOMEM;
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

/* Two sorted lists as one. NULL without memory. */
static json_t *merged(json_t *leaves, json_t *folders)
{
	size_t n = json_array_size(leaves) + json_array_size(folders), leaf = 0, folder = 0;
	json_t *all;

	if (!leaves || !folders)
		return NULL;
	if (json_array_size(folders) == 0)
		return json_incref(leaves);
	all = json_array();
	for (size_t i = 0; all && i < n; i++) {
		json_t *a = json_array_get(leaves, leaf), *b = json_array_get(folders, folder);
		bool take_leaf = !b || (a && strcmp(json_string_value(a), json_string_value(b)) < 0);

		if (json_array_append(all, take_leaf ? a : b) < 0) {
			json_decref(all);
			return NULL;
		}
		leaf += take_leaf;
		folder += !take_leaf;
	}
	return all;
}

/* The names below PREFIX ("": all) of tokens' leases, and of secrets'. 0, -EAGAIN, -errno. */
static int all_names(struct call *call, const char *prefix, json_t **ret)
{
	struct token_walk *walk = token_walk_of(call, found_new(), note_name);
	json_auto_t *folders = NULL, *names = NULL;
	json_t *name, *set;
	size_t i;
	int r = walk ? token_walk_run(call, walk) : -ENOMEM;

	if (r == 0)
		r = leases_names(call, prefix, &names);
	if (r < 0)
		return r;
	set = json_object_get(walk->found, "folders");
	json_array_foreach(names, i, name)
		if (json_object_set_new(set, json_string_value(name), json_true()) < 0)
			return -ENOMEM;
	folders = sorted_keys(set);
	*ret = merged(json_object_get(walk->found, "leaves"), folders);
	return *ret ? 0 : -ENOMEM;
}

int leases_list(struct call *call)
{
	char *prefix AUTO_FREE = wanted_prefix(call);
	json_t *keys = NULL, *data;
	int r = prefix ? all_names(call, prefix, &keys) : -ENOMEM;

	if (r < 0)
		return r;
	if (json_array_size(keys) == 0) {
		json_decref(keys);
		return call_data(call, NULL);
	}
	data = json_pack("{s:o}", "keys", keys);
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
	int r = token_lease_find(call, call_capture(call, "prefix"), &token);

	if (r == 0)
		r = token_revoke(call, token);
	return r == -ENOENT ? 1 : r;
}

/* Tokens below the prefix. 0, 1 after a refusal, or an errno. */
static int revoke_tokens(struct call *call)
{
	struct token_walk *walk;
	int r = revoke_one(call);

	if (r <= 0)
		return r;
	walk = token_walk_of(call, json_array(), note_salted);
	r = walk ? token_walk_run(call, walk) : -ENOMEM;
	return r < 0 ? r : tokens_revoke_list(call, walk->found);
}

/* The ids of the leases of secrets below PREFIX, which may be one of them. */
static int find_secrets(struct call *call, const char *prefix, json_t **ret)
{
	struct lease *lease AUTO_LEASE = NULL;
	const char *id = call_capture(call, "prefix");
	int r = lease_find(call, id, &lease);

	if (r == -ENOENT)
		return leases_below(call, prefix, ret);
	if (r == 0)
		*ret = json_pack("[s]", id);
	return r < 0 ? r : *ret ? 0 : -ENOMEM;
}

/* They end now, and are revoked behind the reply. */
static int end_secrets(struct call *call, json_t *ids)
{
	bool waiting = false;
	json_t *id;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		struct lease *lease AUTO_LEASE = NULL;
		int r = lease_find(call, json_string_value(id), &lease);

		if (r == 0 && !lease_has_ended(lease))
			r = lease_end(call, lease);
		if (r == -EAGAIN)
			waiting = true;
		else if (r < 0 && r != -ENOENT)
			return r;
	}
	return waiting ? -EAGAIN : 0;
}

static int revoke_secrets(struct call *call, const char *prefix, bool sync, bool force)
{
	json_t *ids = NULL;
	const char *error = NULL;
	int r = leases_are_revoking(call) ? 0 : find_secrets(call, prefix, &ids);

	if (r < 0)
		return r;
	if (sync) {
		r = leases_revoke_all(call, ids, true, force, &error);
	} else {
		r = end_secrets(call, ids);
		json_decref(ids);
	}
	if (r != 1)
		return r;
	call_error(call, 400, "%s", error);
	return 1;
}

/*
 * Secrets, then tokens: those of logins, and those that hold a wrapped answer, which have the path that gave it. Each
 * part keeps its place in call->state: that the walk over tokens is there says that the secrets are done. Without SYNC
 * their end is but written, which a run that waits for the walk would lose: then the walk comes first. 0, 1 after a
 * refusal, or an errno.
 */
static int revoke_all(struct call *call, bool sync, bool force)
{
	char *prefix AUTO_FREE = wanted_prefix(call);
	int r = prefix ? 0 : -ENOMEM;

	if (r == 0 && sync && !token_is_walking(call))
		r = revoke_secrets(call, prefix, true, force);
	if (r == 0)
		leases_revoking_end(call);
	if (r == 0)
		r = revoke_tokens(call);
	if (r == 0 && !sync)
		r = revoke_secrets(call, prefix, false, force);
	return r;
}

int leases_revoke_prefix(struct call *call)
{
	bool sync = true;
	int r = call_field_bool(call, "sync", &sync, NULL);

	if (r == 0)
		r = revoke_all(call, sync, false);
	return r < 0 ? r : r > 0 ? 0 : lease_answer_revoked(call, sync);
}

/* Forcing means not to mind the engines' errors, which tokens have none of. */
int leases_revoke_force(struct call *call)
{
	int r = revoke_all(call, true, true);

	return r < 0 ? r : r > 0 ? 0 : lease_answer_revoked(call, true);
}

int leases_revoke_mount(struct call *call, struct mount *mount)
{
	json_t *ids = NULL;
	const char *error = NULL;
	int r = mount_leave(call, mount);

	if (r == 0 && !leases_are_revoking(call))
		r = leases_below(call, mount->path, &ids);
	/* Before the first lease is revoked. Without leases nothing is half done: going is one commit, and needs no mark. */
	if (r == 0 && json_array_size(ids) > 0)
		r = mount_taint(call, mount);
	if (r < 0) {
		json_decref(ids);
		return r;
	}
	r = leases_revoke_all(call, ids, true, false, &error);
	if (r != 1)
		return r;
	call_error(call, 400, "%s", error);
	return 1;
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
